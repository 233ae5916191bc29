/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/checkpoint.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#include "base/files.h"
#include "check-main.h"

static const float parameters[] = {1, -2.5F, INFINITY};
static char *folder, *path;

static void
set_up (void)
{
  folder = g_dir_make_tmp ("checkpoint-XXXXXX", NULL);
  path = g_build_filename (folder, "training.checkpoint", NULL);
}

static void
tear_down (void)
{
  ens_remove_tree (folder);
  g_clear_pointer (&folder, g_free);
  g_clear_pointer (&path, g_free);
}

static void
write_one (guint64 step)
{
  g_autoptr (EnsCheckpoint) checkpoint = ens_checkpoint_new ("seed=1");
  g_autoptr (GError) error = NULL;

  ens_checkpoint_add_floats (checkpoint, "parameters", parameters, G_N_ELEMENTS (parameters));
  ens_checkpoint_add_floats (checkpoint, "none", NULL, 0);
  ens_checkpoint_add_integer (checkpoint, "step", step);
  ens_checkpoint_add_double (checkpoint, "best", 0.1);
  ens_checkpoint_write (checkpoint, path, &error);
  ck_assert_no_error (error);
}

START_TEST (test_round_trip)
{
  g_autoptr (EnsCheckpoint) checkpoint = NULL;
  g_autoptr (GError) error = NULL;
  float read[G_N_ELEMENTS (parameters)];
  guint64 step;
  double best;

  write_one (1);
  write_one (G_MAXUINT64);
  checkpoint = ens_checkpoint_read (path, "seed=1", &error);
  ck_assert_no_error (error);
  ck_assert (ens_checkpoint_get_floats (checkpoint, "parameters", read, 3, &error));
  ck_assert_bytes_eq (parameters, sizeof parameters, read, sizeof read);
  ck_assert (ens_checkpoint_get_floats (checkpoint, "none", NULL, 0, &error));
  ck_assert (ens_checkpoint_get_integer (checkpoint, "step", &step, &error));
  ck_assert_uint_eq (step, G_MAXUINT64);
  ck_assert (ens_checkpoint_get_double (checkpoint, "best", &best, &error));
  ck_assert_double_eq (best, 0.1);

  ck_assert (!ens_checkpoint_get_floats (checkpoint, "parameters", read, 2, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
  g_clear_error (&error);
  ck_assert (!ens_checkpoint_get_integer (checkpoint, "best", &step, &error));
  ck_assert_contains (error->message, "“best”");
}
END_TEST

/* What is done to a sound file of `size` bytes, and what reading it says. */
static const struct {
  const char *name;
  gssize cut;     /* bytes that are left; negative: all but so many */
  gssize damaged; /* byte that is changed; negative: from the end; 0: none */
  const char *configuration;
  EnsErrorCode code;
  const char *message;
} broken[] = {
    {"empty", 0, 0, "seed=1", ENS_ERROR_FORMAT, "is no checkpoint"},
    {"cut", -1, 0, "seed=1", ENS_ERROR_FORMAT, "checksum differs"},
    {"header-cut", 40, 0, "seed=1", ENS_ERROR_FORMAT, "is no checkpoint"},
    {"other-format", G_MAXINT, 1, "seed=1", ENS_ERROR_FORMAT, "is no checkpoint"},
    {"changed", G_MAXINT, -20, "seed=1", ENS_ERROR_FORMAT, "checksum differs"},
    {"other-settings", G_MAXINT, 0, "seed=2", ENS_ERROR_DATA, "other settings"},
};

START_TEST (test_broken)
{
  g_autoptr (EnsCheckpoint) checkpoint = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *file = NULL;
  gssize damaged = broken[_i].damaged;
  gsize size;

  write_one (1);
  ck_assert (g_file_get_contents (path, &file, &size, NULL));
  if (damaged != 0)
    file[damaged < 0 ? (gssize)size + damaged : damaged] ^= 1;
  if (broken[_i].cut < (gssize)size)
    size = (gsize)(broken[_i].cut < 0 ? (gssize)size + broken[_i].cut : broken[_i].cut);
  ck_assert (g_file_set_contents (path, file, (gssize)size, NULL));
  checkpoint = ens_checkpoint_read (path, broken[_i].configuration, &error);
  ck_assert_ptr_null (checkpoint);
  ck_assert_error (error, ENS_ERROR, broken[_i].code);
  ck_assert_contains (error->message, broken[_i].message);
  ck_assert_contains (error->message, path);
}
END_TEST

START_TEST (test_missing)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ens_checkpoint_read (path, "", &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
}
END_TEST

/* A file that can't be written is an error, and the old one stays. */
START_TEST (test_unwritable)
{
  g_autoptr (EnsCheckpoint) checkpoint = ens_checkpoint_new ("seed=1");
  g_autofree char *inside = g_build_filename (path, "file", NULL);
  g_autoptr (GError) error = NULL;

  write_one (1);
  ck_assert (!ens_checkpoint_write (checkpoint, inside, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "can't write it");
  g_clear_error (&error);
  g_autoptr (EnsCheckpoint) old = ens_checkpoint_read (path, "seed=1", &error);
  ck_assert_no_error (error);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("train/checkpoint");
  test_fixture (set_up, tear_down);
  test_add ("round-trip", test_round_trip);
  TEST_ADD_ROWS ("broken", test_broken, broken);
  test_add ("missing", test_missing);
  test_add ("unwritable", test_unwritable);
  return test_run ();
}
