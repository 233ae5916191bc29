/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/bundle-private.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "check-main.h"

typedef struct {
  char *root, *folder;
} Fixture;

static Fixture *fixture;

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->root = g_dir_make_tmp ("ensemble-bundle-XXXXXX", NULL);
  fixture->folder = g_build_filename (fixture->root, "shop.ensemble", NULL);
}

static void
tear_down (void)
{
  ens_remove_tree (fixture->root);
  g_free (fixture->folder);
  g_free (fixture->root);
  g_clear_pointer (&fixture, g_free);
}

static char **
strings (const char *first, const char *second)
{
  const char *const both[] = {first, second, NULL};

  return g_strdupv ((char **)both);
}

static EnsBundleNetwork
make_network (const char *name, EnsRole role)
{
  static const EnsCalibration calibration[] = {{1.5F, -0.25F}, {2, 0.1F}};
  static const guint scales[] = {256, 384}, window_sizes[] = {256};
  EnsBundleNetwork network = {.name = g_strdup (name),
                              .role = role,
                              .network = g_strconcat (name, ".onnx", NULL),
                              .classifier = g_strconcat (name, "-classifier.onnx", NULL),
                              .taps = strings ("fire9/concat", "pool10"),
                              .normalise = {ENS_ORDER_BGR, {104, 117, 123}, {1, 1, 0.017F}},
                              .size = 227,
                              .weight = 1,
                              .n_scales = 2};

  network.scales = g_memdup2 (scales, sizeof scales);
  network.calibration = g_memdup2 (calibration, sizeof calibration);
  if (role == ENS_ROLE_RETRAINED) {
    network.normalise = (EnsNormalise) {ENS_ORDER_GRAY, {127.5F}, {1 / 127.5F}};
    network.window_classifier = g_strconcat (name, "-windows.onnx", NULL);
    network.n_window_sizes = 1;
    network.window_sizes = g_memdup2 (window_sizes, sizeof window_sizes);
    network.window_calibration = g_memdup2 (calibration, sizeof calibration);
    network.framing = ENS_FRAMING_CROP;
    network.window_framing = ENS_FRAMING_LETTERBOX;
    network.crop = 0.875F;
    network.flip = TRUE;
  }
  return network;
}

static EnsBundle *
make_bundle (void)
{
  static const float thresholds[] = {0.5F, 0.375F};
  static const EnsGateRange ranges[] = {{0.625F, 1}, {NAN, NAN}};
  EnsBundle *bundle = g_new0 (EnsBundle, 1);

  bundle->name = g_strdup ("shop");
  bundle->version = g_strdup ("7");
  bundle->classes = strings ("dress \"A\"", "Hüte");
  bundle->n_classes = 2;
  bundle->networks = g_new0 (EnsBundleNetwork, 2);
  bundle->n_networks = 2;
  bundle->networks[0] = make_network ("wide", ENS_ROLE_ORIGINAL);
  bundle->networks[1] = make_network ("deep", ENS_ROLE_RETRAINED);
  bundle->window_weight = 0.6F;
  bundle->whole_weight = 0.4F;
  bundle->thresholds = g_memdup2 (thresholds, sizeof thresholds);
  bundle->windows = 100;
  bundle->windows_preset = ENS_WINDOWS_QUALITY;
  bundle->sub_images = (EnsSubImageSettings) {480, 0.375F, 1.5F, 24};
  bundle->gate = g_new0 (EnsBundleGate, 1);
  bundle->gate->network = g_strdup ("deep");
  bundle->gate->file = g_strdup ("gate.onnx");
  bundle->gate->kind = g_strdup ("nearest");
  bundle->gate->keep = 0.9375F;
  bundle->gate->ranges = g_memdup2 (ranges, sizeof ranges);
  bundle->events = g_new0 (EnsBundleEvents, 1);
  bundle->events->all = ENS_TIME_DEFAULTS;
  bundle->events->all.half_life = 2500000000;
  bundle->events->classes = g_new (EnsTimeSettings, 2);
  bundle->events->classes[0] = bundle->events->classes[1] = bundle->events->all;
  bundle->events->classes[1].consensus = 4;
  bundle->events->classes[1].consensus_of = 5;
  bundle->events->classes[1].min_present = 30000000000;
  bundle->provenance = g_strdup ("{\"made\":\"by hand\",\"accuracy\":0.5}");
  return bundle;
}

static gboolean
write_bundle (const Fixture *fixture, const EnsBundle *bundle, GError **error)
{
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (fixture->folder, error);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("onnx", 4);

  if (writer == NULL)
    return FALSE;
  for (guint n = 0; n < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];

    if (!ens_bundle_writer_add (writer, network->network, bytes, error)
        || !ens_bundle_writer_add (writer, network->classifier, bytes, error)
        || (network->window_classifier != NULL
            && !ens_bundle_writer_add (writer, network->window_classifier, bytes, error)))
      return FALSE;
  }
  return (bundle->gate == NULL || ens_bundle_writer_add (writer, bundle->gate->file, bytes, error))
         && ens_bundle_writer_commit (writer, bundle, error);
}

static void
save (const Fixture *fixture)
{
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (GError) error = NULL;

  write_bundle (fixture, bundle, &error);
  ck_assert_no_error (error);
}

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
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *before = ens_bundle_to_json (bundle);
  g_autofree char *after = NULL;

  save (fixture);
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
  g_autoptr (EnsBundle) bundle = make_bundle ();
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
  ck_assert (write_bundle (fixture, bundle, NULL));
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
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autofree char *left_over = g_build_filename (fixture->folder, "old.onnx", NULL);

  save (fixture);
  ck_assert (g_file_set_contents (left_over, "x", 1, NULL));
  g_free (bundle->version);
  bundle->version = g_strdup ("8");
  ck_assert (write_bundle (fixture, bundle, NULL));
  ck_assert (!g_file_test (left_over, G_FILE_TEST_EXISTS));
  bundle->networks[0].weight = 0.5F;
  ck_assert (!write_bundle (fixture, bundle, NULL));
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

  save (fixture);
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
  save (fixture); /* an empty folder may become one */
}
END_TEST

/* ---- Hostile bundles ---- */

/* g_file_set_contents () would spend its time in fsync (). */
static void
write_json (const Fixture *fixture, const char *text, gsize size)
{
  g_autofree char *path = g_build_filename (fixture->folder, ENS_BUNDLE_FILE, NULL);
  FILE *file = g_fopen (path, "wb");

  ck_assert_uint_eq (fwrite (text, 1, size, file), size);
  ck_assert_int_eq (fclose (file), 0);
}

static char *
read_json (const Fixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->folder, ENS_BUNDLE_FILE, NULL);
  char *text;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

/* Version 1 says nothing of what it does not know, and means what it always meant. */
START_TEST (test_version_1)
{
  g_autoptr (EnsBundle) loaded = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GString) old = NULL;

  save (fixture);
  text = read_json (fixture);
  old = g_string_new (text);
  ck_assert_uint_eq (g_string_replace (old, "bundle/2", "bundle/1", 1), 1);
  ck_assert_uint_eq (g_string_replace (old, "\"kind\": \"probabilities\",", "", 1), 1);
  write_json (fixture, old->str, old->len);
  loaded = ens_bundle_load (fixture->folder, NULL);
  ck_assert_ptr_nonnull (loaded);
  ck_assert_int_eq (loaded->fusion, ENS_FUSION_PROBABILITIES);
  ck_assert_double_eq (ens_bundle_get_fusion (loaded, TRUE).weight, 0.6F);
  ck_assert_double_eq (ens_bundle_get_thresholds (loaded, FALSE)[1], 0.375F);
}
END_TEST

static void
check_message (const Fixture *fixture, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsBundle) bundle = ens_bundle_load (fixture->folder, &error);

  ck_assert_ptr_null (bundle);
  ck_assert_ptr_nonnull (error);
  if (strstr (error->message, expected) == NULL
      || !g_str_has_prefix (error->message, fixture->root))
    ck_abort_msg ("expected a message with “%s”, found “%s”", expected, error->message);
}

static const struct {
  const char *from, *to, *message;
} edited_rows[] = {
    {"bundle/2", "bundle/3", "schema: this bundle was made by a newer version, which writes"},
    {"gst-ensemble/bundle/2", "pizza", "schema: expected “gst-ensemble/bundle/2”, found"},
    {"\"shop\"", "\"\"", "name: expected a string that is not empty, found \"\""},
    {"\"shop\"", "17", "name: expected a string that is not empty, found 17"},
    {"\"shop\",", "\"shop\", \"colour\": \"red\",", "colour: unknown member"},
    {"\"version\": \"7\",", "\"version\": \"7\", \"version\": \"8\",",
     "found the member “version” twice"},
    {"\"shop\"", "\"sh\\u0000op\"", "expected texts without zeroes"},
    {"\"shop\"", "\"sh\\ud800op\"", "name: expected text in UTF-8"},
    {"\"version\": \"7\",", "", "version: expected a string that is not empty, found nothing"},
    {"\"threshold\": 0.5", "\"threshold\": 1.5",
     "classes[0].threshold: expected a number from 0 to 1, found 1.5"},
    {"\"threshold\": 0.5", "\"threshold\": NaN", "not JSON"},
    {"\"threshold\": 0.5", "\"threshold\": 1e999", "classes[0].threshold: expected a number"},
    {"\"Hüte\", \"threshold\"", "\"dress \\\"A\\\"\", \"threshold\"",
     "classes[1].name: found “dress \"A\"” twice"},
    {"0.375}", "0.375}, {\"name\": \"shoe\", \"threshold\": 0.5}",
     "networks[0].calibration.shoe: expected an array, found nothing"},
    {"\"whole_weight\": 0.4", "\"whole_weight\": \"a lot\"",
     "fusion.whole_weight: expected a number from 0 to 1, found \"a lot\""},
    {"\"probabilities\"", "\"votes\"", "fusion.kind: expected probabilities or log-odds, found"},
    {"\"probabilities\"", "\"log-odds\"", "fusion.window_share: expected a number from 0 to 1"},
    {"\"count\": 100", "\"count\": -1", "windows.count: expected a whole number from 0 to"},
    {"\"count\": 100", "\"count\": 2.5", "windows.count: expected a whole number from 0 to"},
    {"\"quality\"", "\"best\"", "windows.preset: expected fast or balanced or quality, found"},
    {"\"size\": 480", "\"size\": 0", "sub_images.size: expected a whole number from 16 to"},
    {"\"overlap\": 0.375", "\"overlap\": 1", "sub_images.overlap: expected a number from 0 to"},
    {"\"large_from\": 1.5", "\"large_from\": 0.5", "sub_images.large_from: expected a number from"},
    {"\"count\": 24", "\"count\": 0", "sub_images.count: expected a whole number from 1 to 1024"},
    {", \"count\": 24", "", "sub_images.count: expected a whole number"},
    {"\"network\": \"deep\"", "\"network\": \"dark\"",
     "gate.network: expected the name of one of the networks, found “dark”"},
    {"\"keep\": 0.9375", "\"keep\": 2", "gate.keep: expected a number from 0 to 1, found 2"},
    {"[0.625, 1]", "[0.625, 0.5]", "expected a second number of at least the first, found 0.5"},
    {"[0.625, 1]", "[0.625]", "expected an array of 2"},
    {"[0.625, 1]", "[0.625, 1], \"shoe\": [0, 1]", "gate.ranges.shoe: unknown member"},
    {"\"gate.onnx\"", "\"../gate.onnx\"", "expected files inside this folder"},
    {"\"smoothing\": 2.5", "\"smoothing\": -1",
     "events.smoothing: expected a number from 0 to 1e+06, found -1"},
    {"\"smoothing\": 2.5", "\"hysteresis\": 1.5", "events.hysteresis: expected a number from 0"},
    {"\"smoothing\": 2.5", "\"halflife\": 1", "events.halflife: unknown member"},
    {"[4, 5]", "[2, 4]",
     "events.classes.Hüte.consensus: expected [N, M], N more than half of M and at most M, found "
     "[2, 4]"},
    {"[4, 5]", "[4, 3]", "at most M, found [4, 3]"},
    {"[4, 5]", "[4]", "expected an array of 2"},
    {"[4, 5]", "[0, 1]", "events.classes.Hüte.consensus[0]: expected a whole number from 1 to 32"},
    {"\"min_present\": 30", "\"min_present\": \"30s\"", "min_present: expected a number from 0"},
    {"\"min_present\": 30}", "\"min_present\": 30}, \"shoe\": {}",
     "events.classes.shoe: unknown member"},
    {"\"original\"", "\"spare\"", "networks[0].role: expected original or retrained, found"},
    {"[\"fire9/concat\", \"pool10\"]", "[]", "networks[0].taps: expected an array of 1 to"},
    {"\"pool10\"", "10", "networks[0].taps[1]: expected a string that is not empty, found 10"},
    {"[104, 117, 123]", "[104, 117, 1e38]",
     "networks[0].normalise.mean[2]: expected a number from -1e+06 to 1e+06"},
    {"[104, 117, 123]", "[104, 117]", "networks[0].normalise.mean: expected an array of 3"},
    {"\"letterbox\"", "\"scale\"",
     "networks[1].framing.windows: expected crop or letterbox or stretch, found \"scale\""},
    {"\"crop\": 0.875", "\"crop\": 2",
     "networks[1].framing.crop: expected a number from 0.01 to 1, found 2"},
    {"\"flip\": true", "\"flip\": 1", "networks[1].flip: expected true or false, found 1"},
    {"\"size\": 227", "\"size\": 0", "networks[0].size: expected a whole number from 1 to"},
    {"[256, 384]", "[384, 256]", "network “wide”: scales: expected ascending sides, found 256"},
    {"[256, 384]", "[256, 999999999999]", "networks[0].scales[1]: expected a whole number"},
    {"[256, 384]", "\"256\"", "networks[0].scales: expected an array, found \"256\""},
    {"[1.5, -0.25]", "[-1.5, -0.25]",
     "networks[0].calibration.dress \"A\": expected a first number above 0, found -1.5"},
    {"[1.5, -0.25]", "[1.5]", "expected an array of 2, found one of 1"},
    {"\"weight\": 1", "\"weight\": 0.5",
     "expected weights of original networks that sum to 1, found 0.5"},
    {"\"deep\"", "\"wide\"", "networks: found the name “wide” twice"},
    {"\"wide.onnx\"", "\"gone.onnx\"", "gone.onnx: can't find this file of the bundle"},
    {"\"wide.onnx\"", "\"../wide.onnx\"", "expected files inside this folder, found “../wide"},
    {"\"wide.onnx\"", "\"a/../../b\"", "expected files inside this folder, found “a/../../b”"},
    {"\"wide.onnx\"", "\"/etc/passwd\"", "inside this folder, found “/etc/passwd”"},
    {"\"wide.onnx\"", "\".\"", "expected files inside this folder, found"},
    {"\"window_classifier\": \"deep-windows.onnx\",", "",
     "networks[1].window_sizes: unknown member"},
    {"\"networks\": [", "\"networks\": [7, ", "networks[0]: expected an object, found 7"},
    {"\"networks\": [", "\"networks\": [], \"n\": [",
     "networks: expected 1 to 64 networks, found 0"},
    {"{\"made\":\"by hand\",\"accuracy\":0.5}", "[]", "provenance: expected an object"},
};

START_TEST (test_edited)
{
  g_autofree char *text = NULL;

  save (fixture);
  text = read_json (fixture);
  g_autoptr (GString) edited = g_string_new (text);

  ck_assert_uint_eq (g_string_replace (edited, edited_rows[_i].from, edited_rows[_i].to, 1), 1);
  write_json (fixture, edited->str, edited->len);
  check_message (fixture, edited_rows[_i].message);
}
END_TEST

/* A bundle that says nothing of sub-images has the defaults, and divides nothing by itself. */
START_TEST (test_without_sub_images)
{
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autofree char *text = NULL;

  bundle->sub_images.size = 0;
  ck_assert (write_bundle (fixture, bundle, NULL));
  text = read_json (fixture);
  ck_assert_ptr_null (strstr (text, "sub_images"));
  loaded = ens_bundle_load (fixture->folder, NULL);
  ck_assert_uint_eq (loaded->sub_images.size, 0);
  ck_assert_uint_eq (loaded->sub_images.count, ENS_SUB_IMAGE_DEFAULTS.count);
}
END_TEST

START_TEST (test_links)
{
  g_autofree char *outside = g_build_filename (fixture->root, "outside.onnx", NULL);
  g_autofree char *inside = g_build_filename (fixture->folder, "wide.onnx", NULL);
  g_autoptr (EnsBundle) bundle = NULL;

  save (fixture);
  ck_assert (g_file_set_contents (outside, "x", 1, NULL));
  ck_assert_int_eq (g_remove (inside), 0);
  ck_assert_int_eq (symlink ("../outside.onnx", inside), 0);
  check_message (fixture, "expected files inside this folder, found a link “wide.onnx” to");
  ck_assert_int_eq (g_remove (inside), 0);
  ck_assert_int_eq (symlink ("deep.onnx", inside), 0);
  bundle = ens_bundle_load (fixture->folder, NULL);
  ck_assert_ptr_nonnull (bundle); /* a link that stays inside */
}
END_TEST

/* Cut anywhere, the text is either not JSON or says less than it must. */
START_TEST (test_truncated)
{
  g_autofree char *text = NULL;
  gsize size;

  save (fixture);
  text = read_json (fixture);
  size = strlen (text) - 1;
  for (gsize left = 0; left < size; left++) {
    write_json (fixture, text, left);
    check_message (fixture, ENS_BUNDLE_FILE);
  }
}
END_TEST

START_TEST (test_not_json)
{
  g_autofree char *deep = g_strnfill (1000000, '[');
  const struct {
    const char *text, *message;
  } rows[] = {
      {"\xff\xfe{}", "not sound JSON: expected a value"},
      {"[]", "expected an object, found an array of 0"},
      {"null", "expected an object"},
      {"7", "expected an object"},
      {"", "not sound JSON: expected a value"},
      {"{\"schema\": ", "not sound JSON: expected a value"},
      {"{} {}", "not sound JSON: expected nothing more"},
      {"\"name\"{}", "not sound JSON: expected nothing more"},
      {deep, "expected brackets nested at most 64 deep"},
  };

  check_message (fixture, "there is nothing of this name");
  save (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    write_json (fixture, rows[i].text, strlen (rows[i].text));
    check_message (fixture, rows[i].message);
  }
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
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (GError) error = NULL;

  ens_bundle_network_clear (&bundle->networks[roles_rows[_i].role == ENS_ROLE_ORIGINAL ? 1 : 0]);
  if (roles_rows[_i].role == ENS_ROLE_RETRAINED)
    bundle->networks[0] = bundle->networks[1];
  g_clear_pointer (&bundle->gate, ens_bundle_gate_free);
  bundle->n_networks = 1;
  bundle->whole_weight = roles_rows[_i].whole_weight;
  bundle->window_weight = roles_rows[_i].window_weight;
  bundle->windows = roles_rows[_i].windows;
  write_bundle (fixture, bundle, &error);
  if (roles_rows[_i].message == NULL)
    ck_assert_no_error (error);
  else
    ck_assert_contains (error->message, roles_rows[_i].message);
}
END_TEST

/* What people have set survives a training. */
START_TEST (test_keep_events)
{
  g_autoptr (EnsBundle) bundle = make_bundle (), loaded = NULL;
  g_autoptr (GError) error = NULL;

  save (fixture);
  g_clear_pointer (&bundle->events, ens_bundle_events_free);
  g_free (bundle->classes[0]);
  bundle->classes[0] = g_strdup ("shoe");
  ck_assert (write_bundle (fixture, bundle, &error));
  loaded = ens_bundle_load (fixture->folder, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 0).half_life, 2500000000);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 0).consensus, 2);
  ck_assert_uint_eq (ens_bundle_get_time_settings (loaded, 1).consensus, 4);
}
END_TEST

START_TEST (test_keep_class)
{
  g_autoptr (EnsBundle) bundle = make_bundle ();
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
  test_fixture (set_up, tear_down);
  test_add ("round-trip", test_round_trip);
  test_add_row ("log-odds", "sigmoid", test_log_odds, FALSE);
  test_add_row ("log-odds", "softmax", test_log_odds, TRUE);
  test_add ("version-1", test_version_1);
  test_add ("replace", test_replace);
  test_add ("keep-events", test_keep_events);
  test_add ("abandoned", test_abandoned);
  test_add ("not-a-bundle", test_not_a_bundle);
  TEST_ADD_LOOP ("edited", test_edited, edited_rows);
  test_add ("without-sub-images", test_without_sub_images);
  test_add ("links", test_links);
  test_add ("keep-class", test_keep_class);
  test_add ("truncated", test_truncated);
  test_add ("not-json", test_not_json);
  TEST_ADD_LOOP ("roles", test_roles, roles_rows);
  return test_run ();
}
