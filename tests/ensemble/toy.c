/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "check-main.h"
#include "classify/linear-classifier.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "ops/params.h"

/* ---- Networks ---- */

EnsValue *
toy_add_weights (EnsGraph *graph, GRand *random, const char *name, const EnsShape *shape,
                 double range)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_FLOAT32, shape);
  float *data = tensor->data;

  for (gint64 i = 0; i < ens_shape_elements (shape); i++)
    data[i] = (float)g_rand_double_range (random, -range, range);
  return ens_graph_add_constant (graph, name, tensor);
}

static EnsValue *
apply_named (EnsGraph *graph, const char *op, const char *name, gconstpointer params,
             EnsValue *input)
{
  return ens_graph_add_node (graph, ens_op_find (op), name, params, &input, 1, 1)->outputs[0];
}

static EnsValue *
add_conv (EnsGraph *graph, GRand *random, const char *name, EnsValue *input, gint64 n_inputs)
{
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  EnsValue *inputs[] = {input,
                        toy_add_weights (graph, random, NULL, &ENS_SHAPE (8, 3, 3, n_inputs), 0.3),
                        toy_add_weights (graph, random, NULL, &ENS_SHAPE (8), 0.1)};

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    params.sliding.kernel[i] = 3;
    params.sliding.strides[i] = 2;
    params.sliding.pads_begin[i] = params.sliding.pads_end[i] = 1;
  }
  return ens_graph_add_node (graph, ens_op_find ("Conv"), name, &params, inputs, 3, 1)->outputs[0];
}

EnsGraph *
toy_network (guint seed, guint size, guint n_outputs, gboolean fully_connected)
{
  EnsGraph *graph = ens_graph_new ("toy");
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  EnsGemmParams gemm = {.alpha = 1, .beta = 1};
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};
  gint64 n_flat = fully_connected ? 8 * (size / 8) * (size / 8) : 8;
  EnsValue *value =
      ens_graph_add_input (graph, "image", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, size, size, 3));
  EnsValue *inputs[3];

  value = add_conv (graph, random, "conv1", value, 3);
  value = apply_named (graph, "Relu", "relu1", NULL, value);
  value = add_conv (graph, random, "conv2", value, 8);
  value = apply_named (graph, "Relu", "relu2", NULL, value);
  pool.sliding.rank = 2;
  for (guint i = 0; i < 2; i++)
    pool.sliding.kernel[i] = pool.sliding.strides[i] = 2;
  value = fully_connected ? apply_named (graph, "MaxPool", "pool", &pool, value)
                          : apply_named (graph, "GlobalAveragePool", "pool", NULL, value);
  value = apply_named (graph, "Flatten", "flat", &(EnsAxisParams) {.axis = 1}, value);
  inputs[0] = value;
  inputs[1] = toy_add_weights (graph, random, NULL, &ENS_SHAPE (n_flat, n_outputs), 1);
  inputs[2] = toy_add_weights (graph, random, NULL, &ENS_SHAPE (n_outputs), 1);
  value =
      ens_graph_add_node (graph, ens_op_find ("Gemm"), "scores", &gemm, inputs, 3, 1)->outputs[0];
  value = apply_named (graph, "Softmax", "prob", &(EnsSoftmaxParams) {.axis = 1}, value);
  ens_graph_add_output (graph, value);
  return graph;
}

void
toy_add_positions (EnsGraph *network, guint size)
{
  g_autoptr (EnsTensor) positions =
      ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, size, size, 3));
  EnsValue *image = network->inputs->pdata[0];
  EnsValue *inputs[] = {image, ens_graph_add_constant (network, "positions", positions)};
  const EnsOp *add = ens_op_find ("Add");
  g_autofree gpointer params = g_malloc0 (add->params_size);
  EnsNode *node = ens_graph_add_node (network, add, "place", params, inputs, 2, 1);

  ens_graph_replace_uses (network, image, node->outputs[0]);
  ens_node_set_input (network, node, 0, image);
  ens_graph_move_node (network, node, network->nodes->pdata[0]);
}

char *
toy_save_network (EnsGraph *network, const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  ens_onnx_export (network, path, &error);
  ck_assert_no_error (error);
  return path;
}

char *
toy_save_classifier (guint seed, guint n_features, guint n_classes, const char *folder,
                     const char *name)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autoptr (EnsLinearClassifier) linear = ens_linear_classifier_new (n_features, n_classes);
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n_features * n_classes; i++)
    linear->weights[i] = (float)g_rand_double_range (random, -2, 2);
  for (guint c = 0; c < n_classes; c++)
    linear->biases[c] = (float)g_rand_double_range (random, -1, 1);
  graph = ens_linear_classifier_to_graph (linear);
  ens_onnx_export (graph, path, &error);
  ck_assert_no_error (error);
  return path;
}

/* ---- Pictures ---- */

static gboolean
is_inside (guint shape, double x, double y)
{
  switch (shape) {
  case 0:
    return x * x + y * y < 1;
  case 1:
    return fabs (x) < 1 && fabs (y) < 1;
  case 2:
    return y > -1 && y < 1 && fabs (x) < (y + 1) / 2;
  default:
    return FALSE;
  }
}

EnsPicture *
toy_picture (guint seed, guint shape, guint width, guint height)
{
  static const guint8 colours[][3] = {{230, 60, 50}, {60, 200, 70}, {70, 80, 230}};
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, width, height);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  guint8 *pixels = ens_picture_get_pixels (picture, 0);
  double radius = MIN (width, height) * g_rand_double_range (random, 0.15, 0.3);
  double centre_x = g_rand_double_range (random, radius, width - radius);
  double centre_y = g_rand_double_range (random, radius, height - radius);

  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      guint8 *pixel = &pixels[y * picture->frame.strides[0] + 3 * x];
      gboolean inside = is_inside (shape, (x - centre_x) / radius, (y - centre_y) / radius);

      for (guint c = 0; c < 3; c++)
        pixel[c] =
            (guint8)((inside ? colours[shape][c] : 120) + g_rand_int_range (random, -20, 20));
    }
  return picture;
}

static void
save_picture (const EnsPicture *picture, const char *path)
{
  const EnsFrame *frame = &picture->frame;
  FILE *file = g_fopen (path, "wb");

  ck_assert_ptr_nonnull (file);
  fprintf (file, "P6\n%u %u\n255\n", frame->width, frame->height);
  for (guint y = 0; y < frame->height; y++)
    ck_assert_uint_eq (fwrite (frame->planes[0] + y * frame->strides[0], 3, frame->width, file),
                       frame->width);
  ck_assert_int_eq (fclose (file), 0);
}

void
toy_dataset (const char *folder, guint n_train, guint n_validation, guint n_test)
{
  static const char *const classes[] = {"disc", "square", "triangle", "none"};
  const struct {
    const char *name;
    guint n;
  } splits[] = {{"train", n_train}, {"validation", n_validation}, {"test", n_test}};
  guint seed = 1;

  for (guint s = 0; s < G_N_ELEMENTS (splits); s++)
    for (guint c = 0; c < G_N_ELEMENTS (classes) && splits[s].n > 0; c++) {
      g_autofree char *class = g_build_filename (folder, splits[s].name, classes[c], NULL);

      ck_assert_int_eq (g_mkdir_with_parents (class, 0777), 0);
      for (guint i = 0; i < splits[s].n; i++, seed++) {
        g_autofree char *path = g_strdup_printf ("%s/%03u.ppm", class, i);
        g_autoptr (EnsPicture) picture = toy_picture (seed, c, 48 + seed % 5 * 4, 48);

        save_picture (picture, path);
      }
    }
}

void
toy_drop_none (const char *folder)
{
  static const char *const splits[] = {"train", "validation", "test"};

  for (guint s = 0; s < G_N_ELEMENTS (splits); s++) {
    g_autofree char *none = g_build_filename (folder, splits[s], "none", NULL);

    ens_remove_tree (none);
  }
}

/* ---- The opener ---- */

typedef struct {
  EnsFrameSource source;
  EnsPicture *picture;
} PpmSource;

static gboolean
next_picture (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = g_steal_pointer (&((PpmSource *)source)->picture);
  return TRUE;
}

static void
free_source (EnsFrameSource *source)
{
  PpmSource *ppm = (PpmSource *)source;

  g_clear_pointer (&ppm->picture, ens_picture_unref);
  g_free (ppm);
}

static EnsFrameSource *
open_ppm (gpointer data, const char *path, GError **error)
{
  g_autofree char *contents = NULL;
  gsize size = 0;
  guint width, height;
  int head = 0;
  PpmSource *source;

  g_atomic_int_inc ((gint *)data);
  if (!g_file_get_contents (path, &contents, &size, NULL)
      || sscanf (contents, "P6\n%u %u\n255%n", &width, &height, &head) != 2
      || size < (gsize)head + 1 + 3 * (gsize)width * height) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: expected a PPM picture", path);
    return NULL;
  }
  source = g_new0 (PpmSource, 1);
  source->source = (EnsFrameSource) {next_picture, free_source};
  source->picture = ens_picture_new (ENS_PIXELS_RGB, width, height);
  for (guint y = 0; y < height; y++)
    memcpy (ens_picture_get_pixels (source->picture, 0) + y * source->picture->frame.strides[0],
            contents + head + 1 + 3 * (gsize)y * width, 3 * (gsize)width);
  return &source->source;
}

EnsFrameOpener
toy_opener (guint *n_opened)
{
  *n_opened = 0;
  return (EnsFrameOpener) {open_ppm, n_opened};
}
