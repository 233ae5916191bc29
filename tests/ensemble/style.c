/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames adapted before they are classified: what is seen of them, by whom, and which files are
 * styles. */
#include "ensemble/style.h"

#include <string.h>

#include "check-main.h"
#include "ensemble/ensemble.h"
#include "gst/colour-bundle.h"
#include "onnx/onnx.h"
#include "ops/params.h"
#include "ops/registry.h"
#include "support/network.h"
#include "toy.h"

#define WIDTH 96
#define HEIGHT 64

static const float as_it_is[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

static char *folder, *bundle;

static void
set_up (void)
{
  folder = g_dir_make_tmp ("style-XXXXXX", NULL);
  bundle = colour_bundle_make (folder);
  g_free (colour_bundle_add_style (bundle, "shift", colour_bundle_shift, "32"));
  g_free (colour_bundle_add_style (bundle, "same", as_it_is, NULL));
  g_free (test_network_write_no_input (folder));
}

static void
tear_down (void)
{
  colour_bundle_remove (folder);
  g_clear_pointer (&folder, g_free);
  g_clear_pointer (&bundle, g_free);
}

static EnsEnsemble *
open_ensemble (const char *device_name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open (device_name, 2, &error);
  EnsEnsemble *ensemble;

  if (device == NULL) {
    test_skip (error->message);
    return NULL;
  }
  ensemble = ens_ensemble_open (bundle, device, &error);
  ck_assert_no_error (error);
  return ensemble;
}

static EnsStyle *
open_style (EnsEnsemble *ensemble, const char *name)
{
  g_autoptr (GError) error = NULL;
  EnsStyle *style;

  ens_ensemble_open_style (ensemble, name, &style, &error);
  ck_assert_no_error (error);
  return style;
}

static EnsResult *
analyse (EnsAnalysis *analysis, const EnsPicture *picture, EnsStyle *style)
{
  EnsAnalyseOptions options = ENS_ANALYSE_DEFAULTS;
  g_autoptr (GError) error = NULL;
  EnsResult *result;

  options.style = style;
  result = ens_analysis_run (analysis, &picture->frame, 0, &options, &error);
  ck_assert_no_error (error);
  return result;
}

/* Red on the left, with a square that windows find. */
static EnsPicture *
draw (void)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);

  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      guint8 *pixel = ens_picture_get_pixels (picture, 0) + y * picture->frame.strides[0] + 3 * x;
      gboolean inside = x > 20 && x < 60 && y > 10 && y < 50;

      pixel[0] = inside ? 250 : 160;
      pixel[1] = inside ? 10 : 60;
      pixel[2] = 40;
    }
  return picture;
}

/* Channels are shifted before all networks see them, windows are where they were. */
START_TEST (test_classified)
{
  g_autoptr (EnsEnsemble) ensemble = open_ensemble ("cpu");
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
  g_autoptr (EnsStyle) shift = open_style (ensemble, "shift"), same = open_style (ensemble, "same");
  g_autoptr (EnsPicture) picture = draw ();
  g_autoptr (EnsResult) plain = analyse (analysis, picture, NULL);
  g_autoptr (EnsResult) shifted = analyse (analysis, picture, shift);
  g_autoptr (EnsResult) unchanged = analyse (analysis, picture, same);
  g_autofree char *json = ens_result_to_json (shifted, 0);

  ck_assert_uint_eq (ens_style_get_size (shift), 32);
  ck_assert_uint_eq (ens_style_get_size (same), ENS_STYLE_DEFAULT_SIZE);
  ck_assert_ptr_null (plain->style);
  ck_assert_str_eq (shifted->style, "shift");
  ck_assert_str_eq (unchanged->style, "same");
  ck_assert_contains (json, "\"style\": \"shift\"");
  ck_assert_uint_gt (plain->n_windows, 1);
  ck_assert_uint_eq (shifted->n_windows, plain->n_windows);
  ck_assert_bytes_eq (shifted->windows, plain->n_windows * sizeof *plain->windows, plain->windows,
                      plain->n_windows * sizeof *plain->windows);
  for (guint c = 0; c < 3; c++) {
    ck_assert_double_eq_tol (shifted->classes[(c + 1) % 3].p, plain->classes[c].p, 0.03);
    ck_assert_double_eq_tol (shifted->classes[(c + 1) % 3].p3, plain->classes[c].p3, 0.06);
    ck_assert_double_eq (unchanged->classes[c].p, plain->classes[c].p);
  }
}
END_TEST

/* The frame by itself, beside the formula; what lies between is interpolated. */
START_TEST (test_adapted)
{
  static const char *const devices[] = {"cpu", "vulkan"};
  g_autoptr (EnsEnsemble) ensemble = open_ensemble (devices[_i]);
  g_autoptr (EnsStyleRun) run = NULL;
  g_autoptr (EnsStyle) shift = NULL;
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
  g_autoptr (GError) error = NULL;
  const EnsFrame *frame;

  if (ensemble == NULL)
    return;
  run = ens_style_run_new (ens_ensemble_get_device (ensemble));
  shift = open_style (ensemble, "shift");
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < 3 * WIDTH; x++)
      ens_picture_get_pixels (picture, 0)[y * picture->frame.strides[0] + x] =
          (guint8)(x / 4 + y + 40 * (x % 3));
  frame = ens_style_run (run, shift, &picture->frame, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (frame->width, WIDTH);
  for (guint y = 4; y < HEIGHT - 4; y++)
    for (guint x = 3 * 4; x < 3 * (WIDTH - 4); x++) {
      const guint8 *pixel = picture->frame.planes[0] + y * picture->frame.strides[0] + x / 3 * 3;
      guint8 found = frame->planes[0][y * frame->strides[0] + x];

      ck_assert_double_eq_tol (found, pixel[(x + 2) % 3], 2.01);
    }
}
END_TEST

/* One ensemble, two streams, a style each. */
START_TEST (test_streams)
{
  g_autoptr (EnsEnsemble) ensemble = open_ensemble ("cpu");
  g_autoptr (EnsAnalysis) first = ens_analysis_new (ensemble);
  g_autoptr (EnsAnalysis) second = ens_analysis_new (ensemble);
  g_autoptr (EnsStyle) shift = open_style (ensemble, "shift");
  g_autoptr (EnsPicture) picture = draw ();

  for (guint i = 0; i < 3; i++) {
    g_autoptr (EnsResult) shifted = analyse (first, picture, shift);
    g_autoptr (EnsResult) plain = analyse (second, picture, NULL);

    ck_assert (shifted->classes[1].p > 0.5F && shifted->classes[0].p < 0.5F);
    ck_assert (plain->classes[0].p > 0.5F && plain->classes[1].p < 0.5F);
  }
}
END_TEST

/* %s: the folder. NULL: no style and no error. */
static const struct {
  const char *name, *style, *message;
} rows[] = {
    {"none", "none", NULL},
    {"empty", "", NULL},
    {"unknown", "sepia", "has no style “sepia” (it has same, shift), and there is no such file"},
    {"elsewhere", "../../shift", "has no style “../../shift”"},
    {"no-file", "%s/shift.onnx", "and there is no such file"},
    {"no-onnx", "%s/colours.ensemble/ensemble.json", "ensemble.json"},
    {"no-style", "%s/colours.ensemble/classifier.onnx", "is no style: expected RGB images"},
    {"no-input", "%s/no-input.onnx",
     "no-input.onnx: is no style: expected RGB images as its only input and output, found 0 "
     "inputs"},
    {"no-size", "%s/colours.ensemble/styles/large.onnx",
     "property “style_size”: expected a number of pixels from 16 to 4096, found “9999”"},
};

START_TEST (test_opening)
{
  g_autoptr (EnsEnsemble) ensemble = open_ensemble ("cpu");
  g_auto (GStrv) parts = g_strsplit (rows[_i].style, "%s", -1);
  g_autofree char *name = g_strjoinv (folder, parts);
  g_autoptr (GError) error = NULL;
  EnsStyle *style;
  gboolean opened;

  if (strstr (name, "large") != NULL)
    g_free (colour_bundle_add_style (bundle, "large", as_it_is, "9999"));
  opened = ens_ensemble_open_style (ensemble, name, &style, &error);
  ck_assert_ptr_null (style);
  ck_assert_int_eq (opened, rows[_i].message == NULL);
  if (rows[_i].message != NULL)
    ck_assert_contains (error->message, rows[_i].message);
}
END_TEST

/* A bundle that is written again keeps its styles. */
START_TEST (test_written_again)
{
  g_autofree char *again = colour_bundle_make (folder);
  g_autoptr (EnsEnsemble) ensemble = open_ensemble ("cpu");
  g_autoptr (EnsStyle) style = open_style (ensemble, "shift");

  ck_assert_str_eq (again, bundle);
  ck_assert_uint_eq (ens_style_get_size (style), 32);
}
END_TEST

/* One whose kernel is larger than the images that it is for. (transfer full) */
static char *
write_large_kernel (void)
{
  char *path = g_build_filename (folder, "large-kernel.onnx", NULL);
  const EnsOnnxProperty size = {ENS_STYLE_SIZE_PROPERTY, "32"};
  const EnsConvParams conv = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  const EnsBinaryParams add = {.activation = {ENS_ACTIVATION_NONE}};
  g_autoptr (EnsGraph) graph = ens_graph_new ("style");
  g_autoptr (EnsTensor) kernel = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (3, 33, 33, 3));
  g_autoptr (GError) error = NULL;
  EnsValue *pixels =
      ens_graph_add_input (graph, "pixels", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));
  EnsValue *x;

  memset (kernel->data, 0, ens_tensor_size (kernel));
  x = ens_graph_apply (graph, &ens_op_conv, &conv, pixels,
                       ens_graph_add_constant (graph, NULL, kernel), NULL);
  x = ens_graph_apply (graph, &ens_op_global_average_pool, NULL, x, NULL);
  ens_graph_add_output (graph, ens_graph_apply (graph, &ens_op_add, &add, pixels, x, NULL));
  ens_onnx_export_described (graph, &size, 1, path, &error);
  ck_assert_no_error (error);
  return path;
}

/* What is wrong with the style is not put down to the scales. */
START_TEST (test_scales)
{
  static const guint scales[] = {24};
  g_autoptr (EnsEnsemble) ensemble = open_ensemble ("cpu");
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
  g_autofree char *path = write_large_kernel ();
  g_autoptr (EnsStyle) style = open_style (ensemble, path);
  g_autoptr (EnsPicture) picture = draw ();
  g_autoptr (GError) error = NULL;
  EnsAnalyseOptions options = ENS_ANALYSE_DEFAULTS;

  options.scales = scales;
  options.n_scales = 1;
  options.style = style;
  ck_assert_ptr_null (ens_analysis_run (analysis, &picture->frame, 0, &options, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_SHAPE);
  ck_assert_ptr_null (ens_device_take_warning (ens_ensemble_get_device (ensemble)));
}
END_TEST

/* A file anywhere is a style called after it. */
START_TEST (test_file)
{
  g_autoptr (EnsEnsemble) ensemble = open_ensemble ("cpu");
  g_autofree char *path = colour_bundle_add_style (folder, "mine", colour_bundle_shift, NULL);
  g_autoptr (EnsStyle) style = open_style (ensemble, path);

  ck_assert_str_eq (ens_style_get_name (style), "mine");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/style");
  test_fixture (set_up, tear_down);
  test_add ("classified", test_classified);
  test_add_loop ("adapted", test_adapted, 2);
  test_add ("streams", test_streams);
  TEST_ADD_ROWS ("opening", test_opening, rows);
  test_add ("scales", test_scales);
  test_add ("written-again", test_written_again);
  test_add ("file", test_file);
  return test_run ();
}
