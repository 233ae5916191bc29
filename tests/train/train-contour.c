/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small contour network, trained on discs whose outlines are known. */
#include "train/train-contour.h"

#include <math.h>

#include "check-main.h"
#include "graph/infer.h"
#include "support/folder.h"
#include "support/monitor.h"
#include "support/network.h"
#include "train/contour-evaluate.h"
#include "train/contour-private.h"

#define WIDTH 60
#define HEIGHT 44
/* From outside a disc to inside, as networks take it, in whatever light. */
#define LEAST_STEP 0.3F

typedef struct {
  char *output;
  EnsContourTraining params;
  EnsDevice *device;
  EnsFrameOpener opener;
  TestMonitor listener;
} Fixture;

static Fixture *fixture;

/* -- pictures -- */

typedef struct {
  EnsFrameSource source;
  gboolean is_truth;
  guint seed;
} Source;

/* Of a point from the disc's outline. */
static double
get_distance (guint seed, guint x, guint y)
{
  return hypot (x - (22.0 + seed % 3 * 8), y - (18.0 + seed % 2 * 8)) - 12;
}

static gboolean
next_picture (EnsFrameSource *base, EnsPicture **picture, GError **error)
{
  const Source *source = (Source *)base;
  guint n_channels = source->is_truth ? 1 : 3;
  guint8 *pixels;

  *picture = ens_picture_new (source->is_truth ? ENS_PIXELS_GRAY8 : ENS_PIXELS_RGB, WIDTH, HEIGHT);
  pixels = ens_picture_get_pixels (*picture, 0);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH * n_channels; x++) {
      double d = get_distance (source->seed, x / n_channels, y);

      pixels[y * (*picture)->frame.strides[0] + x] =
          (guint8)(source->is_truth ? (fabs (d) < 0.7 ? 255 : 0)
                   : d < 0          ? 210
                                    : 60 + x % 3 * 20);
    }
  return TRUE;
}

static void
free_source (EnsFrameSource *source)
{
  g_free (source);
}

static EnsFrameSource *
open_picture (gpointer data, const char *path, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  Source *source = g_new (Source, 1);

  *source = (Source) {{next_picture, free_source},
                      g_str_has_suffix (name, ".png"),
                      (guint)g_ascii_strtoull (name, NULL, 10)};
  return &source->source;
}

/* -- the fixture -- */

static void
create_files (const char *split, guint first, guint n)
{
  for (guint i = first; i < first + n; i++) {
    g_autofree char *picture = g_strdup_printf ("%s/%u.jpg", split, i);
    g_autofree char *truth = g_strdup_printf ("%s/%u_gt.png", split, i);

    test_folder_write (picture, "");
    test_folder_write (truth, "");
  }
}

static void
set_up (void)
{
  test_folder_set_up ();
  create_files ("train", 0, 4);
  create_files ("val", 4, 2);
  fixture = g_new0 (Fixture, 1);
  fixture->output = g_build_filename (test_folder, "contour.onnx", NULL);
  fixture->params = ENS_CONTOUR_TRAINING_DEFAULTS;
  fixture->params.recipe.dataset = test_folder;
  fixture->params.recipe.output = fixture->output;
  fixture->params.recipe.n_workers = 2;
  fixture->params.recipe.loop.n_epochs = 2;
  fixture->params.recipe.loop.rate = 0.01;
  fixture->params.network = (EnsContourParams) {.n_levels = 3,
                                                .channels = {4, 8, 8},
                                                .n_unified = 2,
                                                .unify = {0, 0, ENS_CONTOUR_TRANSPOSED}};
  fixture->params.crop = 40;
  fixture->params.crops = 4;
  fixture->device = ens_device_open ("cpu", 2, NULL);
  fixture->opener = (EnsFrameOpener) {open_picture, NULL};
  test_monitor_init (&fixture->listener);
}

static void
tear_down (void)
{
  test_monitor_clear (&fixture->listener);
  ens_device_unref (fixture->device);
  g_free (fixture->output);
  g_clear_pointer (&fixture, g_free);
  test_folder_tear_down ();
}

static gboolean
train (EnsRecipeResult *result, GError **error)
{
  return ens_contour_train (&fixture->params, fixture->device, &fixture->opener,
                            &fixture->listener.monitor, result, error);
}

static void
train_well (EnsRecipeResult *result)
{
  g_autoptr (GError) error = NULL;

  train (result, &error);
  ck_assert_no_error (error);
}

static void
read_output (char **bytes, gsize *n)
{
  g_autoptr (GError) error = NULL;

  g_file_get_contents (fixture->output, bytes, n, &error);
  ck_assert_no_error (error);
}

/* -- learning -- */

static EnsContourEvaluation *
evaluate (void)
{
  g_autofree char *map = ens_contour_name_map (&fixture->params);
  g_autoptr (GError) error = NULL;
  EnsContourEvaluation *evaluation =
      ens_contour_evaluate (map, test_folder, fixture->device, &fixture->opener, NULL, &error);

  ck_assert_no_error (error);
  return evaluation;
}

START_TEST (test_learns)
{
  g_autoptr (EnsContourEvaluation) evaluation = NULL;
  EnsRecipeResult result = {0};

  fixture->params.recipe.loop.n_epochs = 15;
  train_well (&result);
  ck_assert_uint_eq (result.n_images, 4);
  ck_assert_double_lt (result.loop.best.loss, 0.5);
  evaluation = evaluate ();
  ck_assert_uint_eq (evaluation->pictures->len, 2);
  ck_assert_uint_eq (evaluation->split, ENS_SPLIT_VALIDATION);
  ck_assert_double_gt (evaluation->methods[ENS_CONTOUR_BY_NETWORK].score.f, 0.8);
  ck_assert_double_gt (evaluation->methods[ENS_CONTOUR_BY_CANNY].score.f, 0.5);
  ck_assert_double_gt (evaluation->methods[ENS_CONTOUR_BY_GRADIENT].score.f, 0.5);
}
END_TEST

/* Photographs of a test split are measured on, where there are some. */
START_TEST (test_test_split)
{
  g_autoptr (EnsContourEvaluation) evaluation = NULL;
  EnsRecipeResult result = {0};

  create_files ("test", 6, 3);
  train_well (&result);
  evaluation = evaluate ();
  ck_assert_uint_eq (evaluation->split, ENS_SPLIT_TEST);
  ck_assert_uint_eq (evaluation->pictures->len, 3);
}
END_TEST

/* -- the files -- */

/* Of other sizes than the crops'. */
static void
assert_shape (EnsGraph *graph, const char *name, gint64 channels)
{
  const EnsValue *value = ens_graph_find (graph, name);

  ck_assert_msg (value != NULL, "there is no value “%s”", name);
  ck_assert_int_eq (value->shape.dims[1], 25);
  ck_assert_int_eq (value->shape.dims[2], 31);
  ck_assert_int_eq (value->shape.dims[3], channels);
}

START_TEST (test_files)
{
  g_autofree char *map_path = ens_contour_name_map (&fixture->params);
  g_autofree char *json = ens_recipe_name_beside (&fixture->params.recipe, ".json");
  g_autofree char *checkpoint = ens_recipe_name_beside (&fixture->params.recipe, ".checkpoint");
  g_autoptr (EnsGraph) feature = NULL, map = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  EnsRecipeResult result = {0};

  train_well (&result);
  feature = test_network_read (fixture->output);
  map = test_network_read (map_path);
  ens_infer_graph (feature, &ENS_SHAPE (1, 25, 31, 3), &error);
  ck_assert_no_error (error);
  ens_infer_graph (map, &ENS_SHAPE (1, 25, 31, 3), &error);
  ck_assert_no_error (error);
  assert_shape (feature, "feature", 6);
  assert_shape (feature, "unified1", 2);
  assert_shape (feature, "unified3", 2);
  ck_assert_ptr_null (ens_graph_find (feature, "logits"));
  assert_shape (map, "probability", 1);
  g_file_get_contents (json, &text, NULL, NULL);
  ck_assert_contains (text, "\"order\": \"rgb\"");
  ck_assert (!g_file_test (checkpoint, G_FILE_TEST_EXISTS));
}
END_TEST

/* A training that was stopped goes on to the same bits, with any number of threads. */
START_TEST (test_resume)
{
  g_autofree char *expected = NULL, *found = NULL;
  g_autoptr (GError) error = NULL;
  EnsRecipeResult result = {0};
  gsize n_expected, n_found;

  train_well (&result);
  read_output (&expected, &n_expected);
  fixture->listener.cancel_after = 5;
  ck_assert (!train (&result, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
  test_monitor_go_on (&fixture->listener);
  ens_device_unref (fixture->device);
  fixture->device = ens_device_open ("cpu", 1, NULL);
  fixture->params.recipe.loop.resume = TRUE;
  train_well (&result);
  read_output (&found, &n_found);
  ck_assert_bytes_eq (found, n_found, expected, n_expected);
}
END_TEST

/* -- crops -- */

static float *
load_crop (guint epoch, guint32 item, float **pixels)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsContourSet) set = ens_contour_set_load (test_folder, &error);
  EnsContourCrops crops = {&fixture->params, &fixture->opener, set->items[ENS_SPLIT_TRAIN]};
  EnsLoaderSource source = ens_contour_crops_get_source (&crops);
  float *truth = g_new (float, source.sizes[ENS_CONTOUR_TRUTH]);

  *pixels = g_new (float, source.sizes[ENS_CONTOUR_PICTURES]);
  source.load (source.data, epoch, item, (float *const[]) {*pixels, truth}, &error);
  ck_assert_no_error (error);
  return truth;
}

/* Whether the disc's edge, where green changes the most, is no farther than two pixels. */
static gboolean
has_edge (const float *pixels, guint side, guint x, guint y)
{
  float low = INFINITY, high = -INFINITY;

  for (guint v = y - 2; v <= y + 2; v++)
    for (guint u = x - 2; u <= x + 2; u++) {
      low = MIN (low, pixels[(v * side + u) * 3 + 1]);
      high = MAX (high, pixels[(v * side + u) * 3 + 1]);
    }
  return high - low > LEAST_STEP;
}

/* Borders do not count, each crop has some of the outline, and drawn contours lie where pixels
 * change. */
START_TEST (test_crop)
{
  const guint side = fixture->params.crop;
  g_autofree float *pixels = NULL;
  g_autofree float *truth = load_crop (1, (guint32)_i, &pixels);
  guint n_drawn = 0, n_known = 0;

  for (guint y = 0; y < side; y++)
    for (guint x = 0; x < side; x++) {
      float value = truth[y * side + x];

      ck_assert (value == -1 || value == 0 || value == 1);
      if (ens_contour_is_on_border (x, y, side, side))
        ck_assert_float_eq (value, -1);
      if (value == 1)
        ck_assert_msg (has_edge (pixels, side, x, y), "no edge at %u, %u", x, y);
      n_drawn += value == 1;
      n_known += value >= 0;
    }
  ck_assert_uint_gt (n_drawn, 0);
  ck_assert_uint_gt (n_known, 4 * n_drawn);
}
END_TEST

/* -- refusals -- */

static const struct {
  const char *name;
  guint crop, crops, n_levels;
  const char *message;
} refusals[] = {
    {"crop", 15, 4, 3, "expected at least 1 crop of each photograph and 16 pixels of its side"},
    {"crops", 40, 0, 3, "found 0 and 40"},
    {"levels", 40, 4, 0, "contour network: expected 1 to 6 levels, found 0"},
};

START_TEST (test_refusals)
{
  g_autoptr (GError) error = NULL;
  EnsRecipeResult result = {0};

  fixture->params.crop = refusals[_i].crop;
  fixture->params.crops = refusals[_i].crops;
  fixture->params.network.n_levels = refusals[_i].n_levels;
  ck_assert (!train (&result, &error));
  ck_assert_contains (error->message, refusals[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/train-contour");
  test_fixture (set_up, tear_down);
  test_add ("learns", test_learns);
  test_add ("test-split", test_test_split);
  test_add ("files", test_files);
  test_add ("resume", test_resume);
  test_add_loop ("crop", test_crop, 8);
  TEST_ADD_ROWS ("refusals", test_refusals, refusals);
  return test_run ();
}
