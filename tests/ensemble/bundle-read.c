/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles that are read: what their text may leave out, and a clear error for each that is wrong or
 * means harm. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "check-main.h"
#include "sample-bundle.h"

/* g_file_set_contents () would spend its time in fsync (). */
static void
write_json (const BundleFixture *fixture, const char *text, gsize size)
{
  g_autofree char *path = g_build_filename (fixture->folder, ENS_BUNDLE_FILE, NULL);
  FILE *file = g_fopen (path, "wb");

  ck_assert_uint_eq (fwrite (text, 1, size, file), size);
  ck_assert_int_eq (fclose (file), 0);
}

static char *
read_json (const BundleFixture *fixture)
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

  sample_bundle_save ();
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
check_message (const BundleFixture *fixture, const char *expected)
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
    {"\"threshold\": 0.5", "\"threshold\": 0.5, \"zero_shot\": true",
     "classes[1].zero_shot: expected such classes behind all others"},
    {"0.375}", "0.375, \"zero_shot\": true}",
     "networks: expected zero-shot ones where classes are, found 0 networks and 1 classes"},
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
    {"\"original\"", "\"spare\"",
     "networks[0].role: expected original or retrained or zero-shot, found"},
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

  sample_bundle_save ();
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
  g_autoptr (EnsBundle) bundle = sample_bundle_new ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autofree char *text = NULL;

  bundle->sub_images.size = 0;
  ck_assert (sample_bundle_write (bundle, NULL));
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

  sample_bundle_save ();
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

  sample_bundle_save ();
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
  sample_bundle_save ();
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    write_json (fixture, rows[i].text, strlen (rows[i].text));
    check_message (fixture, rows[i].message);
  }
}
END_TEST

/* What is read from a bundle's folder counts for its stamp, whatever list has it. */
static const struct {
  const char *file;
  gboolean counts;
  const char *network; /* where the first one lies instead */
} stamp_rows[] = {
    {"ensemble.json", TRUE},
    {"weights.bin", TRUE},
    {"styles/night.onnx", TRUE},
    {"models/weights.bin", TRUE, "models/network.onnx"},
    {"models/weights.bin", FALSE},
    {"report.html", FALSE},
    {"results.csv", FALSE},
    {"network.onnx~", FALSE},
    {".hidden", FALSE},
    {"notes/day.txt", FALSE},
    {"styles/night.onnx.log", FALSE},
};

START_TEST (test_stamp)
{
  g_autofree char *path = NULL, *folder = NULL, *before = NULL, *same = NULL, *after = NULL;
  g_autoptr (EnsBundle) bundle = NULL;

  sample_bundle_save ();
  path = g_build_filename (fixture->folder, stamp_rows[_i].file, NULL);
  folder = g_path_get_dirname (path);
  g_mkdir_with_parents (folder, 0777);
  bundle = ens_bundle_load (fixture->folder, NULL);
  if (stamp_rows[_i].network != NULL) {
    g_free (bundle->networks[0].network);
    bundle->networks[0].network = g_strdup (stamp_rows[_i].network);
  }
  before = ens_bundle_stamp (bundle);
  same = ens_bundle_stamp (bundle);
  ck_assert_str_eq (same, before);
  ck_assert (g_file_set_contents (path, "longer than it was", -1, NULL));
  after = ens_bundle_stamp (bundle);
  ck_assert_int_eq (strcmp (after, before) != 0, stamp_rows[_i].counts);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/bundle-read");
  test_fixture (sample_bundle_set_up, sample_bundle_tear_down);
  test_add ("version-1", test_version_1);
  TEST_ADD_LOOP ("edited", test_edited, edited_rows);
  test_add ("without-sub-images", test_without_sub_images);
  test_add ("links", test_links);
  test_add ("truncated", test_truncated);
  test_add ("not-json", test_not_json);
  TEST_ADD_LOOP ("stamp", test_stamp, stamp_rows);
  return test_run ();
}
