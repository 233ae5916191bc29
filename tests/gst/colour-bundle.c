/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "colour-bundle.h"

#include <glib/gstdio.h>

#include "ensemble/bundle-private.h"
#include "ensemble/style.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "ops/params.h"

#define SIDE 32
#define N_CLASSES 3
#define N_FEATURES 6

/* Adds relu (gain · colours + offset): a convolution of 1×1. */
static EnsValue *
add_colours (EnsGraph *graph, EnsValue *pixels, const char *name, float gain, float offset)
{
  const float weights[] = {gain, 0, 0, 0, gain, 0, 0, 0, gain};
  const float bias[] = {offset, offset, offset};
  const EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  g_autoptr (EnsTensor) kernel =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (3, 1, 1, 3), weights);
  g_autoptr (EnsTensor) shift = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (3), bias);
  EnsValue *mixed = ens_graph_apply (graph, ens_op_find ("Conv"), &params, pixels,
                                     ens_graph_add_constant (graph, NULL, kernel),
                                     ens_graph_add_constant (graph, NULL, shift), NULL);
  EnsValue *colours = ens_graph_apply (graph, ens_op_find ("Relu"), NULL, mixed, NULL);

  ens_graph_rename (graph, colours, name);
  return colours;
}

/* Also in programs without Check. */
static void
expect_none (const GError *error)
{
  if (error != NULL)
    g_error ("%s", error->message);
}

/* Taps "colours" and "dark", maps of the input's size. */
static GBytes *
make_network (void)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("colours");
  EnsValue *pixels =
      ens_graph_add_input (graph, "pixels", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));
  EnsValue *colours = add_colours (graph, pixels, "colours", 1, 0);
  g_autoptr (GError) error = NULL;
  GBytes *bytes;

  ens_graph_add_output (graph, add_colours (graph, colours, "dark", -1, 1));
  bytes = ens_onnx_export_bytes (graph, &error);
  expect_none (error);
  return bytes;
}

/* Decision value of a class: colour - darkness, from -1 to 1. */
static GBytes *
make_classifier (void)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("classifier");
  EnsValue *features =
      ens_graph_add_input (graph, "features", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, N_FEATURES));
  float weights[N_CLASSES * N_FEATURES] = {0};
  g_autoptr (EnsTensor) matrix = NULL;
  g_autoptr (GError) error = NULL;
  GBytes *bytes;

  for (guint c = 0; c < N_CLASSES; c++) {
    weights[c * N_FEATURES + c] = 1;
    weights[c * N_FEATURES + 3 + c] = -1;
  }
  matrix = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (N_CLASSES, N_FEATURES), weights);
  ens_graph_add_output (
      graph, ens_graph_apply (graph, ens_op_find ("Gemm"),
                              &(EnsGemmParams) {.trans_b = TRUE, .alpha = 1, .beta = 1}, features,
                              ens_graph_add_constant (graph, "classifiers", matrix), NULL));
  bytes = ens_onnx_export_bytes (graph, &error);
  expect_none (error);
  return bytes;
}

static void
save (const EnsBundle *bundle, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (path, &error);
  g_autoptr (GBytes) network = make_network ();
  g_autoptr (GBytes) classifier = make_classifier ();

  expect_none (error);
  ens_bundle_writer_add (writer, "average.onnx", network, &error);
  expect_none (error);
  ens_bundle_writer_add (writer, "classifier.onnx", classifier, &error);
  expect_none (error);
  ens_bundle_writer_commit (writer, bundle, &error);
  expect_none (error);
}

char *
colour_bundle_make (const char *folder)
{
  char *classes[] = {"red", "green", "blue", NULL}, *taps[] = {"colours", "dark", NULL};
  float thresholds[] = {0.5F, 0.5F, 0.5F};
  EnsCalibration calibration[] = {{10, 0}, {10, 0}, {10, 0}};
  guint side = SIDE;
  const EnsBundleNetwork original = {
      .name = "original",
      .role = ENS_ROLE_ORIGINAL,
      .network = "average.onnx",
      .classifier = "classifier.onnx",
      .taps = taps,
      .normalise = {ENS_ORDER_RGB, {0, 0, 0}, {1 / 255.F, 1 / 255.F, 1 / 255.F}},
      .size = SIDE,
      .scales = &side,
      .n_scales = 1,
      .weight = 1,
      .calibration = calibration,
  };
  EnsBundleNetwork networks[] = {original, original};
  const EnsBundle bundle = {
      .name = "colours",
      .version = "1",
      .classes = classes,
      .n_classes = N_CLASSES,
      .networks = networks,
      .n_networks = G_N_ELEMENTS (networks),
      .window_weight = 0.25F,
      .whole_weight = 0.5F,
      .thresholds = thresholds,
      .windows = 10,
      .windows_preset = ENS_WINDOWS_FAST,
      .sub_images = {.size = 160, .overlap = 0.25F, .large_from = 2, .count = 12},
  };
  char *path = g_build_filename (folder, "colours.ensemble", NULL);

  networks[1].name = "retrained";
  networks[1].role = ENS_ROLE_RETRAINED;
  networks[1].window_classifier = "classifier.onnx";
  networks[1].window_sizes = &side;
  networks[1].n_window_sizes = 1;
  networks[1].window_calibration = calibration;
  save (&bundle, path);
  return path;
}

const float colour_bundle_shift[9] = {0, 0, 1, 1, 0, 0, 0, 1, 0};

char *
colour_bundle_add_style (const char *bundle, const char *name, const float matrix[9],
                         const char *size)
{
  const EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  const EnsOnnxProperty properties[] = {{ENS_STYLE_SIZE_PROPERTY, size}};
  g_autoptr (EnsGraph) graph = ens_graph_new ("style");
  g_autoptr (EnsTensor) kernel =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (3, 1, 1, 3), matrix);
  g_autofree char *folder = g_build_filename (bundle, ENS_STYLE_FOLDER, NULL);
  g_autofree char *file = g_strconcat (name, ENS_STYLE_ENDING, NULL);
  char *path = g_build_filename (folder, file, NULL);
  g_autoptr (GError) error = NULL;
  EnsValue *pixels =
      ens_graph_add_input (graph, "pixels", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));

  g_mkdir_with_parents (folder, 0777);
  ens_graph_add_output (graph,
                        ens_graph_apply (graph, ens_op_find ("Conv"), &params, pixels,
                                         ens_graph_add_constant (graph, NULL, kernel), NULL));
  ens_onnx_export_described (graph, properties, size != NULL ? 1 : 0, path, &error);
  expect_none (error);
  return path;
}

void
colour_bundle_remove (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *inside = g_build_filename (path, name, NULL);

    colour_bundle_remove (inside);
  }
  g_remove (path);
}
