/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles that are written, read back, replaced and changed. */
#include <glib/gstdio.h>
#include <math.h>

#include "check-main.h"
#include "sample-bundle.h"

static guint
count_entries (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

START_TEST (test_round_trip)
{
  g_autoptr (EnsBundle) bundle = sample_bundle_new ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *before = ens_bundle_to_json (bundle);
  g_autofree char *after = NULL;

  sample_bundle_save ();
  loaded = ens_bundle_load (fixture->folder, &error);
  ck_assert_no_error (error);
  after = ens_bundle_to_json (loaded);
  ck_assert_pstr_eq (before, after);
  ck_assert_pstr_eq (loaded->folder, fixture->folder);
  ck_assert_str_eq (loaded->classes[1], "Hüte");
  ck_assert_ptr_null (loaded->classes[2]);
  ck_assert_double_eq (loaded->thresholds[1], 0.375F);
  ck_assert_double_eq (loaded->networks[0].normalise.scale[2], 0.017F);
  ck_assert_uint_eq (loaded->networks[1].normalise.order, ENS_ORDER_GRAY);
  ck_assert_double_eq (loaded->networks[1].window_calibration[0].b, -0.25F);
  ck_assert_uint_eq (loaded->networks[0].framing, ENS_FRAMING_SCALE);
  ck_assert_uint_eq (loaded->networks[1].framing, ENS_FRAMING_CROP);
  ck_assert_uint_eq (loaded->networks[1].window_framing, ENS_FRAMING_LETTERBOX);
  ck_assert_double_eq (loaded->networks[1].crop, 0.875F);
  ck_assert (!loaded->networks[0].flip && loaded->networks[1].flip);
  ck_assert_ptr_null (loaded->networks[0].window_calibration);
  ck_assert_str_eq (loaded->gate->network, "deep");
  ck_assert_double_eq (loaded->gate->keep, 0.9375F);
  ck_assert_double_eq (loaded->gate->ranges[0].low, 0.625F);
  ck_assert (isnan (loaded->gate->ranges[1].low));
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 0).half_life, 2500000000);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 0).consensus_of, 3);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 1).half_life, 2500000000);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 1).consensus, 4);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 1).consensus_of, 5);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 1).min_present, 30000000000);
  ck_assert_uint_eq (count_entries (fixture->root), 1);
}
END_TEST

/* What fusion of log odds has besides, and thresholds without windows. */
START_TEST (test_log_odds)
{
  static const EnsCalibration calibration[] = {{1.5F, -0.25F}, {2, 0.1F}};
  static const float thresholds[] = {0.25F, 0.375F};
  g_autoptr (EnsBundle) bundle = sample_bundle_new ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autofree char *before = NULL, *after = NULL;
  EnsFusion fusion;

  bundle->fusion = ENS_FUSION_LOG_ODDS;
  bundle->exclusive = _i;
  bundle->softmax = (EnsCalibration) {0.75F, -0.5F};
  bundle->whole_softmax = (EnsCalibration) {0.875F, 0};
  bundle->window_share = 0.5F;
  bundle->whole_thresholds = g_memdup2 (thresholds, sizeof thresholds);
  bundle->calibration = g_memdup2 (calibration, sizeof calibration);
  bundle->whole_calibration = g_memdup2 (calibration, sizeof calibration);
  bundle->whole_calibration[1].b = -3;
  before = ens_bundle_to_json (bundle);
  ck_assert (sample_bundle_write (bundle, NULL));
  loaded = ens_bundle_load (fixture->folder, NULL);
  after = ens_bundle_to_json (loaded);
  ck_assert_pstr_eq (before, after);
  fusion = ens_bundle_get_fusion (loaded, TRUE);
  ck_assert_int_eq (fusion.kind, ENS_FUSION_LOG_ODDS);
  ck_assert_int_eq (fusion.softmax != NULL, _i);
  if (_i)
    ck_assert_double_eq (fusion.softmax->b, -0.5F);
  ck_assert_double_eq (fusion.share, 0.5F);
  ck_assert_double_eq (fusion.weight, 0.6F);
  ck_assert_double_eq (fusion.calibration[1].b, 0.1F);
  fusion = ens_bundle_get_fusion (loaded, FALSE);
  ck_assert_double_eq (fusion.share, 0);
  ck_assert_double_eq (fusion.weight, 0.4F);
  ck_assert_double_eq (fusion.calibration[1].b, -3);
  ck_assert_double_eq (ens_bundle_get_thresholds (loaded, TRUE)[0], 0.5F);
  ck_assert_double_eq (ens_bundle_get_thresholds (loaded, FALSE)[0], 0.25F);
}
END_TEST

/* Replacing is one step, and a failure leaves the old bundle. */
START_TEST (test_replace)
{
  g_autoptr (EnsBundle) bundle = sample_bundle_new ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autofree char *left_over = g_build_filename (fixture->folder, "old.onnx", NULL);

  sample_bundle_save ();
  ck_assert (g_file_set_contents (left_over, "x", 1, NULL));
  g_free (bundle->version);
  bundle->version = g_strdup ("8");
  ck_assert (sample_bundle_write (bundle, NULL));
  ck_assert (!g_file_test (left_over, G_FILE_TEST_EXISTS));
  bundle->networks[0].weight = 0.5F;
  ck_assert (!sample_bundle_write (bundle, NULL));
  loaded = ens_bundle_load (fixture->folder, NULL);
  ck_assert_str_eq (loaded->version, "8");
  ck_assert_uint_eq (count_entries (fixture->root), 1);
}
END_TEST

START_TEST (test_abandoned)
{
  EnsBundleWriter *writer;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("onnx", 4);
  g_autoptr (EnsBundle) loaded = NULL;

  sample_bundle_save ();
  writer = ens_bundle_writer_new (fixture->folder, NULL);
  ck_assert (ens_bundle_writer_add (writer, "deep.onnx", bytes, NULL));
  ck_assert_uint_eq (count_entries (fixture->root), 2);
  ens_bundle_writer_free (writer);
  ck_assert_uint_eq (count_entries (fixture->root), 1);
  loaded = ens_bundle_load (fixture->folder, NULL);
  ck_assert_ptr_nonnull (loaded);
}
END_TEST

START_TEST (test_not_a_bundle)
{
  g_autofree char *precious = g_build_filename (fixture->folder, "precious.txt", NULL);
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (g_mkdir (fixture->folder, 0777), 0);
  ck_assert (g_file_set_contents (precious, "x", 1, NULL));
  ck_assert_ptr_null (ens_bundle_writer_new (fixture->folder, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "is no bundle");
  ck_assert (g_file_test (precious, G_FILE_TEST_EXISTS));
  ck_assert_int_eq (g_remove (precious), 0);
  sample_bundle_save (); /* an empty folder may become one */
}
END_TEST

/* Bundles of one role have the fusion weights that this leaves. */
static const struct {
  EnsRole role;
  float whole_weight, window_weight;
  guint windows;
  const char *message; /* NULL: it is sound */
} roles_rows[] = {
    {ENS_ROLE_ORIGINAL, 0, 0, 0, NULL},
    {ENS_ROLE_ORIGINAL, 0.5F, 0, 0, "as no network is retrained"},
    {ENS_ROLE_ORIGINAL, 0, 0, 100, "as no network is retrained"},
    {ENS_ROLE_RETRAINED, 1, 0.5F, 100, NULL},
    {ENS_ROLE_RETRAINED, 0.5F, 0.5F, 100, "expected 1, as no network is original, found 0.5"},
};

START_TEST (test_roles)
{
  g_autoptr (EnsBundle) bundle = sample_bundle_new ();
  g_autoptr (GError) error = NULL;

  ens_bundle_network_clear (&bundle->networks[roles_rows[_i].role == ENS_ROLE_ORIGINAL ? 1 : 0]);
  if (roles_rows[_i].role == ENS_ROLE_RETRAINED)
    bundle->networks[0] = bundle->networks[1];
  g_clear_pointer (&bundle->gate, ens_bundle_gate_free);
  bundle->n_networks = 1;
  bundle->whole_weight = roles_rows[_i].whole_weight;
  bundle->window_weight = roles_rows[_i].window_weight;
  bundle->windows = roles_rows[_i].windows;
  sample_bundle_write (bundle, &error);
  if (roles_rows[_i].message == NULL)
    ck_assert_no_error (error);
  else
    ck_assert_contains (error->message, roles_rows[_i].message);
}
END_TEST

/* What people have set survives a training. */
START_TEST (test_keep_events)
{
  g_autoptr (EnsBundle) bundle = sample_bundle_new (), loaded = NULL;
  g_autoptr (GError) error = NULL;

  sample_bundle_save ();
  g_clear_pointer (&bundle->events, ens_bundle_events_free);
  g_free (bundle->classes[0]);
  bundle->classes[0] = g_strdup ("shoe");
  ck_assert (sample_bundle_write (bundle, &error));
  loaded = ens_bundle_load (fixture->folder, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 0).half_life, 2500000000);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 0).consensus, 2);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 1).consensus, 4);
}
END_TEST

START_TEST (test_keep_class)
{
  g_autoptr (EnsBundle) bundle = sample_bundle_new ();
  g_autoptr (GError) error = NULL;

  ck_assert (!ens_bundle_keep_class (bundle, "shoe", &error));
  ck_assert_contains (error->message, "shop: expected one of its classes (dress \"A\", Hüte)");
  ck_assert (ens_bundle_keep_class (bundle, "Hüte", NULL));
  ck_assert_uint_eq (bundle->n_classes, 1);
  ck_assert_str_eq (bundle->classes[0], "Hüte");
  ck_assert_str_eq (bundle->file_classes[0], "dress \"A\"");
  ck_assert_uint_eq (*bundle->only, 1);
  ck_assert_double_eq (bundle->thresholds[0], 0.375F);
  ck_assert_uint_eq (ens_bundle_get_time_settings (bundle, 0).consensus, 4);
  ck_assert_double_eq (bundle->networks[1].window_calibration[0].b, 0.1F);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/bundle");
  test_fixture (sample_bundle_set_up, sample_bundle_tear_down);
  test_add ("round-trip", test_round_trip);
  test_add_row ("log-odds", "sigmoid", test_log_odds, FALSE);
  test_add_row ("log-odds", "softmax", test_log_odds, TRUE);
  test_add ("replace", test_replace);
  test_add ("keep-events", test_keep_events);
  test_add ("abandoned", test_abandoned);
  test_add ("not-a-bundle", test_not_a_bundle);
  test_add ("keep-class", test_keep_class);
  TEST_ADD_LOOP ("roles", test_roles, roles_rows);
  return test_run ();
}
