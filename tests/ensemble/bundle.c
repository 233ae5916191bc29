#include "ensemble/bundle-files.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"

typedef struct {
  char *root, *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->root = g_dir_make_tmp ("ensemble-bundle-XXXXXX", NULL);
  fixture->folder = g_build_filename (fixture->root, "shop.ensemble", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  ens_remove_tree (fixture->root);
  g_free (fixture->folder);
  g_free (fixture->root);
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
  }
  return network;
}

static EnsBundle *
make_bundle (void)
{
  static const float thresholds[] = {0.5F, 0.375F};
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
  return ens_bundle_writer_commit (writer, bundle, error);
}

static void
save (const Fixture *fixture)
{
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (GError) error = NULL;

  write_bundle (fixture, bundle, &error);
  g_assert_no_error (error);
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

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *before = ens_bundle_to_json (bundle);
  g_autofree char *after = NULL;

  save (fixture);
  loaded = ens_bundle_load (fixture->folder, &error);
  g_assert_no_error (error);
  after = ens_bundle_to_json (loaded);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpstr (loaded->folder, ==, fixture->folder);
  g_assert_cmpstr (loaded->classes[1], ==, "Hüte");
  g_assert_null (loaded->classes[2]);
  g_assert_cmpfloat (loaded->thresholds[1], ==, 0.375F);
  g_assert_cmpfloat (loaded->networks[0].normalise.scale[2], ==, 0.017F);
  g_assert_cmpuint (loaded->networks[1].normalise.order, ==, ENS_ORDER_GRAY);
  g_assert_cmpfloat (loaded->networks[1].window_calibration[0].b, ==, -0.25F);
  g_assert_cmpuint (loaded->networks[0].framing, ==, ENS_FRAMING_SCALE);
  g_assert_cmpuint (loaded->networks[1].framing, ==, ENS_FRAMING_CROP);
  g_assert_cmpuint (loaded->networks[1].window_framing, ==, ENS_FRAMING_LETTERBOX);
  g_assert_cmpfloat (loaded->networks[1].crop, ==, 0.875F);
  g_assert_null (loaded->networks[0].window_calibration);
  g_assert_cmpuint (count_entries (fixture->root), ==, 1);
}

/* Replacing is one step, and a failure leaves the old bundle. */
static void
test_replace (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autofree char *left_over = g_build_filename (fixture->folder, "old.onnx", NULL);

  save (fixture);
  g_assert_true (g_file_set_contents (left_over, "x", 1, NULL));
  g_free (bundle->version);
  bundle->version = g_strdup ("8");
  g_assert_true (write_bundle (fixture, bundle, NULL));
  g_assert_false (g_file_test (left_over, G_FILE_TEST_EXISTS));
  bundle->networks[0].weight = 0.5F;
  g_assert_false (write_bundle (fixture, bundle, NULL));
  loaded = ens_bundle_load (fixture->folder, NULL);
  g_assert_cmpstr (loaded->version, ==, "8");
  g_assert_cmpuint (count_entries (fixture->root), ==, 1);
}

static void
test_abandoned (Fixture *fixture, gconstpointer data)
{
  EnsBundleWriter *writer;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("onnx", 4);
  g_autoptr (EnsBundle) loaded = NULL;

  save (fixture);
  writer = ens_bundle_writer_new (fixture->folder, NULL);
  g_assert_true (ens_bundle_writer_add (writer, "deep.onnx", bytes, NULL));
  g_assert_cmpuint (count_entries (fixture->root), ==, 2);
  ens_bundle_writer_free (writer);
  g_assert_cmpuint (count_entries (fixture->root), ==, 1);
  loaded = ens_bundle_load (fixture->folder, NULL);
  g_assert_nonnull (loaded);
}

static void
test_not_a_bundle (Fixture *fixture, gconstpointer data)
{
  g_autofree char *precious = g_build_filename (fixture->folder, "precious.txt", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (fixture->folder, 0777), ==, 0);
  g_assert_true (g_file_set_contents (precious, "x", 1, NULL));
  g_assert_null (ens_bundle_writer_new (fixture->folder, &error));
  g_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, "is no bundle"));
  g_assert_true (g_file_test (precious, G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_remove (precious), ==, 0);
  save (fixture); /* an empty folder may become one */
}

/* ---- Hostile bundles ---- */

/* g_file_set_contents () would spend its time in fsync (). */
static void
write_json (const Fixture *fixture, const char *text, gsize size)
{
  g_autofree char *path = g_build_filename (fixture->folder, ENS_BUNDLE_FILE, NULL);
  FILE *file = g_fopen (path, "wb");

  g_assert_cmpuint (fwrite (text, 1, size, file), ==, size);
  g_assert_cmpint (fclose (file), ==, 0);
}

static char *
read_json (const Fixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->folder, ENS_BUNDLE_FILE, NULL);
  char *text;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
check_message (const Fixture *fixture, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsBundle) bundle = ens_bundle_load (fixture->folder, &error);

  g_assert_null (bundle);
  g_assert_nonnull (error);
  if (strstr (error->message, expected) == NULL
      || !g_str_has_prefix (error->message, fixture->root))
    g_error ("expected a message with “%s”, found “%s”", expected, error->message);
}

static void
test_edited (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *from, *to, *message;
  } rows[] = {
      {"bundle/1", "bundle/2", "schema: this bundle was made by a newer version, which writes"},
      {"gst-ensemble/bundle/1", "pizza", "schema: expected “gst-ensemble/bundle/1”, found"},
      {"\"shop\"", "\"\"", "name: expected a string that is not empty, found \"\""},
      {"\"shop\"", "17", "name: expected a string that is not empty, found 17"},
      {"\"shop\",", "\"shop\", \"colour\": \"red\",", "colour: unknown member"},
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
      {"\"count\": 100", "\"count\": -1", "windows.count: expected a whole number from 0 to"},
      {"\"count\": 100", "\"count\": 2.5", "windows.count: expected a whole number from 0 to"},
      {"\"quality\"", "\"best\"", "windows.preset: expected fast or balanced or quality, found"},
      {"\"size\": 480", "\"size\": 0", "sub_images.size: expected a whole number from 16 to"},
      {"\"overlap\": 0.375", "\"overlap\": 1", "sub_images.overlap: expected a number from 0 to"},
      {"\"large_from\": 1.5", "\"large_from\": 0.5",
       "sub_images.large_from: expected a number from"},
      {"\"count\": 24", "\"count\": 0", "sub_images.count: expected a whole number from 1 to 1024"},
      {", \"count\": 24", "", "sub_images.count: expected a whole number"},
      {"\"original\"", "\"spare\"", "networks[0].role: expected original or retrained, found"},
      {"[\"fire9/concat\", \"pool10\"]", "[]", "networks[0].taps: expected an array of 1 to"},
      {"\"pool10\"", "10", "networks[0].taps[1]: expected a string that is not empty, found 10"},
      {"[104, 117, 123]", "[104, 117]", "networks[0].normalise.mean: expected an array of 3"},
      {"\"letterbox\"", "\"scale\"",
       "networks[1].framing.windows: expected crop or letterbox or stretch, found \"scale\""},
      {"\"crop\": 0.875", "\"crop\": 2",
       "networks[1].framing.crop: expected a number from 0.01 to 1, found 2"},
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

  g_autofree char *text = NULL;

  save (fixture);
  text = read_json (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GString) edited = g_string_new (text);

    g_assert_cmpuint (g_string_replace (edited, rows[i].from, rows[i].to, 1), ==, 1);
    write_json (fixture, edited->str, edited->len);
    check_message (fixture, rows[i].message);
  }
}

/* A bundle that says nothing of sub-images has the defaults, and divides nothing by itself. */
static void
test_without_sub_images (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsBundle) bundle = make_bundle ();
  g_autoptr (EnsBundle) loaded = NULL;
  g_autofree char *text = NULL;

  bundle->sub_images.size = 0;
  g_assert_true (write_bundle (fixture, bundle, NULL));
  text = read_json (fixture);
  g_assert_null (strstr (text, "sub_images"));
  loaded = ens_bundle_load (fixture->folder, NULL);
  g_assert_cmpuint (loaded->sub_images.size, ==, 0);
  g_assert_cmpuint (loaded->sub_images.count, ==, ENS_SUB_IMAGE_DEFAULTS.count);
}

static void
test_links (Fixture *fixture, gconstpointer data)
{
  g_autofree char *outside = g_build_filename (fixture->root, "outside.onnx", NULL);
  g_autofree char *inside = g_build_filename (fixture->folder, "wide.onnx", NULL);
  g_autoptr (EnsBundle) bundle = NULL;

  save (fixture);
  g_assert_true (g_file_set_contents (outside, "x", 1, NULL));
  g_assert_cmpint (g_remove (inside), ==, 0);
  g_assert_cmpint (symlink ("../outside.onnx", inside), ==, 0);
  check_message (fixture, "expected files inside this folder, found a link “wide.onnx” to");
  g_assert_cmpint (g_remove (inside), ==, 0);
  g_assert_cmpint (symlink ("deep.onnx", inside), ==, 0);
  bundle = ens_bundle_load (fixture->folder, NULL);
  g_assert_nonnull (bundle); /* a link that stays inside */
}

/* Cut anywhere, the text is either not JSON or says less than it must. */
static void
test_truncated (Fixture *fixture, gconstpointer data)
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

static void
test_not_json (Fixture *fixture, gconstpointer data)
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

/* Bundles of one role have the fusion weights that this leaves. */
static void
test_roles (Fixture *fixture, gconstpointer data)
{
  static const struct {
    EnsRole role;
    float whole_weight, window_weight;
    guint windows;
    const char *message; /* NULL: it is sound */
  } rows[] = {
      {ENS_ROLE_ORIGINAL, 0, 0, 0, NULL},
      {ENS_ROLE_ORIGINAL, 0.5F, 0, 0, "as no network is retrained"},
      {ENS_ROLE_ORIGINAL, 0, 0, 100, "as no network is retrained"},
      {ENS_ROLE_RETRAINED, 1, 0.5F, 100, NULL},
      {ENS_ROLE_RETRAINED, 0.5F, 0.5F, 100, "expected 1, as no network is original, found 0.5"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsBundle) bundle = make_bundle ();
    g_autoptr (GError) error = NULL;

    ens_bundle_network_clear (&bundle->networks[rows[i].role == ENS_ROLE_ORIGINAL ? 1 : 0]);
    if (rows[i].role == ENS_ROLE_RETRAINED)
      bundle->networks[0] = bundle->networks[1];
    bundle->n_networks = 1;
    bundle->whole_weight = rows[i].whole_weight;
    bundle->window_weight = rows[i].window_weight;
    bundle->windows = rows[i].windows;
    write_bundle (fixture, bundle, &error);
    if (rows[i].message == NULL)
      g_assert_no_error (error);
    else
      g_assert_nonnull (strstr (error->message, rows[i].message));
  }
}

#define ADD(name, function) \
  g_test_add ("/ensemble/bundle/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("round-trip", test_round_trip);
  ADD ("replace", test_replace);
  ADD ("abandoned", test_abandoned);
  ADD ("not-a-bundle", test_not_a_bundle);
  ADD ("edited", test_edited);
  ADD ("without-sub-images", test_without_sub_images);
  ADD ("links", test_links);
  ADD ("truncated", test_truncated);
  ADD ("not-json", test_not_json);
  ADD ("roles", test_roles);
  return g_test_run ();
}
