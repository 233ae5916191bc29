/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles whose description asks for much: what is told when they are opened. */
#include <string.h>

#include "colour-fixture.h"
#include "engine/device-private.h"

/* Puts `to` in the place of all `from` of the bundle's description. */
static void
edit (const char *from, const char *to)
{
  g_autofree char *path = g_build_filename (fixture->bundle, "ensemble.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GString) edited = NULL;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  edited = g_string_new (text);
  ck_assert_uint_gt (g_string_replace (edited, from, to, 0), 0);
  ck_assert (g_file_set_contents (path, edited->str, -1, NULL));
}

static const struct {
  const char *from, *to;
  EnsLimits limits;
  guint n_notes;
  const char *note; /* part of the last one */
} rows[] = {
    {"\"name\"", "\"name\"", {0}, 0, NULL},
    {"\"scales\": [32]", "\"scales\": [320, 640, 1280]", {0}, 0, NULL},
    {"\"window_sizes\": [32]", "\"window_sizes\": [512]", {0}, 0, NULL},
    {"\"scales\": [32]",
     "\"scales\": [4089, 4090, 4091, 4092, 4093, 4094, 4095, 4096]",
     {0},
     2,
     "network “retrained”: a frame of 480x480 with 10 windows takes 134 M pixels of scaled images, "
     "1.6"},
    {"\"window_sizes\": [32]",
     "\"window_sizes\": [4096]",
     {0},
     1,
     "network “retrained”: a frame of 480x480 with 10 windows takes 168 M pixels of scaled images, "
     "201.3"},
    {"\"name\"",
     "\"name\"",
     {.memory = 1000},
     2,
     "network “retrained” can analyse no frame: running "},
    {"\"count\": 10,", "\"count\": 1000,", {.operations = 100000}, 1, "with 1000 windows takes "},
};

START_TEST (test_notes)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (GError) error = NULL;
  const char *const *notes;
  guint n;

  edit (rows[_i].from, rows[_i].to);
  ens_device_set_limits (device, &rows[_i].limits);
  ensemble = ens_ensemble_open (fixture->bundle, device, &error);
  ck_assert_no_error (error);
  notes = ens_ensemble_get_notes (ensemble);
  n = g_strv_length ((char **)notes);
  for (guint i = 0; i < n; i++)
    test_message ("%s", notes[i]);
  ck_assert_uint_eq (n, rows[_i].n_notes);
  ck_assert (n == 0 || strstr (notes[n - 1], rows[_i].note) != NULL);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/cost-notes");
  test_fixture (fixture_write, fixture_tear_down);
  TEST_ADD_LOOP ("notes", test_notes, rows);
  return test_run ();
}
