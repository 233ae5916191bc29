/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What discriminators see of pictures. */
#include <math.h>

#include "base/fail.h"
#include "engine/feature-layers.h"
#include "networks/style.h"
#include "onnx/onnx.h"
#include "ops/params.h"
#include "ops/registry.h"
#include "train/train-style-private.h"

/* Pixels from one feature to the next, along each axis. */
#define STRIDE 4

#define LEAST_DEVIATION 1e-3

static const EnsBinaryParams binary = {.activation = {ENS_ACTIVATION_NONE}};

/* -- the classifier's layers -- */

/* From RGB in [−1, 1] to what the classifier takes, as a 1 × 1 convolution. */
static EnsValue *
append_normalise (EnsGraph *graph, EnsValue *pictures, const EnsNormalise *normalise)
{
  static const float luma[] = {0.299f, 0.587f, 0.114f};
  const guint n = ens_order_channels (normalise->order);
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  g_autoptr (EnsTensor) weights = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (n, 1, 1, 3));
  g_autoptr (EnsTensor) bias = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (n));

  params.sliding.rank = 2;
  params.sliding.kernel[0] = params.sliding.kernel[1] = 1;
  for (guint c = 0; c < n; c++) {
    float *row = (float *)weights->data + 3 * c;

    for (guint i = 0; i < 3; i++)
      row[i] = normalise->order == ENS_ORDER_GRAY                     ? luma[i]
               : i == (normalise->order == ENS_ORDER_BGR ? 2 - c : c) ? 1
                                                                      : 0;
    for (guint i = 0; i < 3; i++)
      row[i] *= ENS_STYLE_MIDDLE * normalise->scale[c];
    ((float *)bias->data)[c] = (ENS_STYLE_MIDDLE - normalise->mean[c]) * normalise->scale[c];
  }
  return ens_graph_apply (graph, &ens_op_conv, &params, pictures,
                          ens_graph_add_constant (graph, "normalise.weight", weights),
                          ens_graph_add_constant (graph, "normalise.bias", bias), NULL);
}

static gboolean
check_network (const EnsGraph *network, const EnsStyleTraining *params, GError **error)
{
  const EnsValue *input = ens_graph_only_input (network);
  guint n = ens_order_channels (params->normalise.order);
  g_autofree char *found = NULL;

  if (input == NULL)
    return ens_fail (error, ENS_ERROR_SHAPE, params->network,
                     "expected one input of images with %u channels, found %u inputs", n,
                     network->inputs->len);
  found = ens_shape_to_string (&input->shape);
  return (input->shape.rank == 4 && (input->shape.dims[3] < 0 || input->shape.dims[3] == n))
         || ens_fail (error, ENS_ERROR_SHAPE, params->network,
                      "input “%s”: expected images of %u channels, found %s", input->name, n,
                      found);
}

/* The last layer whose features are as dense as the others', or the first where all are coarser. */
static const EnsFeatureLayer *
choose_layer (const GArray *layers, const EnsShape *pictures)
{
  const EnsFeatureLayer *chosen = NULL;

  for (guint i = 0; i < layers->len; i++) {
    const EnsFeatureLayer *layer = &g_array_index (layers, EnsFeatureLayer, i);

    if (layer->shape.rank != 4 || layer->shape.dims[1] < 2 || layer->shape.dims[2] < 2)
      continue;
    if (chosen == NULL || layer->shape.dims[1] * (2 * STRIDE + 1) >= 2 * pictures->dims[1])
      chosen = layer;
  }
  return chosen;
}

/* (transfer full) The first layers, from pictures in [−1, 1]. */
static EnsGraph *
open_layers (const EnsStyleTraining *params, const EnsShape *pictures, const char **name,
             EnsShape *shape, GError **error)
{
  g_autoptr (EnsGraph) network = ens_onnx_import (params->network, NULL, error), graph = NULL;
  EnsShape input = *pictures;
  const EnsFeatureLayer *layer;
  g_autoptr (GArray) layers = NULL;
  g_autoptr (GPtrArray) values = NULL;
  EnsValue *x;

  if (network == NULL || !check_network (network, params, error))
    return NULL;
  input.dims[3] = ens_order_channels (params->normalise.order);
  layers = ens_graph_list_feature_layers (network, &input, error);
  if (layers == NULL)
    return NULL;
  layer = choose_layer (layers, pictures);
  if (layer == NULL) {
    ens_fail (error, ENS_ERROR_UNSUPPORTED, params->network,
              "has no layer whose output is a map, which discriminators could look at");
    return NULL;
  }
  *name = g_intern_string (layer->value->name);
  *shape = layer->shape;
  graph = ens_graph_new (network->name);
  x = ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));
  x = append_normalise (graph, x, &params->normalise);
  values = ens_graph_embed (graph, network, "classifier", &x);
  ens_graph_add_output (graph, values->pdata[layer->value->index]);
  ens_graph_remove_unused (graph);
  return g_steal_pointer (&graph);
}

/* -- both -- */

/* Features of the pictures themselves, as a map of the classifier's size. */
static EnsValue *
resize (EnsGraph *graph, EnsValue *x, const EnsShape *shape)
{
  const EnsResizeParams params = {
      .mode = ENS_RESIZE_LINEAR,
      .coordinates = ENS_RESIZE_HALF_PIXEL,
      .cubic_a = -0.75f,
      .sizes = {.n = 2, .present = TRUE, .values = {shape->dims[1], shape->dims[2]}},
      .axes = {.n = 2, .present = TRUE, .values = {2, 3}}};

  return ens_graph_apply (graph, &ens_op_resize, &params, x, NULL);
}

static EnsValue *
embed (EnsGraph *graph, const EnsGraph *part, EnsValue *pictures)
{
  g_autoptr (GPtrArray) values = ens_graph_embed (graph, part, NULL, &pictures);

  return values->pdata[((const EnsValue *)part->outputs->pdata[0])->index];
}

EnsGraph *
ens_style_features_open (const EnsStyleTraining *params, const EnsShape *pictures,
                         const char **layer, GError **error)
{
  g_autoptr (EnsGraph) graph = ens_style_features_new (STRIDE), layers = NULL, joined = NULL;
  EnsShape shape;
  EnsValue *x, *parts[2];

  *layer = NULL;
  if (params->network == NULL)
    return g_steal_pointer (&graph);
  layers = open_layers (params, pictures, layer, &shape, error);
  if (layers == NULL)
    return NULL;
  joined = ens_graph_new ("style features");
  x = ens_graph_add_input (joined, "pictures", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));
  parts[0] = resize (joined, embed (joined, graph, x), &shape);
  parts[1] = embed (joined, layers, x);
  ens_graph_add_output (joined, ens_graph_apply (joined, &ens_op_concat, &(EnsAxisParams) {3},
                                                 parts[0], parts[1], NULL));
  return g_steal_pointer (&joined);
}

/* -- their size -- */

void
ens_style_moments_init (EnsStyleMoments *moments, guint n_channels)
{
  *moments = (EnsStyleMoments) {.n_channels = n_channels,
                                .sum = g_new0 (double, n_channels),
                                .squares = g_new0 (double, n_channels)};
}

void
ens_style_moments_clear (EnsStyleMoments *moments)
{
  g_clear_pointer (&moments->sum, g_free);
  g_clear_pointer (&moments->squares, g_free);
}

void
ens_style_moments_add (EnsStyleMoments *moments, const float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    for (guint c = 0; c < moments->n_channels; c++, values++) {
      moments->sum[c] += *values;
      moments->squares[c] += (double)*values * *values;
    }
  moments->n += n;
}

double
ens_style_moments_mean (const EnsStyleMoments *moments, guint channel)
{
  return moments->sum[channel] / (double)moments->n;
}

double
ens_style_moments_deviation (const EnsStyleMoments *moments, guint channel)
{
  double mean = ens_style_moments_mean (moments, channel);

  return sqrt (fmax (moments->squares[channel] / (double)moments->n - mean * mean, 0));
}

void
ens_style_moments_match (const EnsStyleMoments *a, const EnsStyleMoments *b, guint channel,
                         double *factor, double *offset)
{
  *factor = ens_style_moments_deviation (b, channel)
            / fmax (ens_style_moments_deviation (a, channel), LEAST_DEVIATION);
  *offset = ens_style_moments_mean (b, channel) - *factor * ens_style_moments_mean (a, channel);
}

/* Channels that hardly ever change would become huge where a generator makes them change: what
 * they are divided by is this share of the mean deviation of channels of their kind, at least. */
#define LEAST_SHARE 0.2

/* Channels [begin, end) are of one kind: colours, high frequencies, a classifier's features. */
static void
set_factors (const EnsStyleMoments *moments, guint begin, guint end, float *factors)
{
  double mean = 0;

  for (guint c = begin; c < end; c++)
    mean += ens_style_moments_deviation (moments, c) / (end - begin);
  for (guint c = begin; c < end; c++) {
    double deviation = ens_style_moments_deviation (moments, c);

    factors[c] = (float)(1 / fmax (fmax (deviation, LEAST_SHARE * mean), LEAST_DEVIATION));
  }
}

void
ens_style_features_standardise (EnsGraph *features, const EnsStyleMoments *moments)
{
  const EnsShape shape = ENS_SHAPE (moments->n_channels);
  g_autoptr (EnsTensor) means = ens_tensor_new (ENS_TYPE_FLOAT32, &shape);
  g_autoptr (EnsTensor) factors = ens_tensor_new (ENS_TYPE_FLOAT32, &shape);
  EnsValue *x = g_ptr_array_index (features->outputs, 0);

  for (guint c = 0; c < moments->n_channels; c++)
    ((float *)means->data)[c] = (float)ens_style_moments_mean (moments, c);
  set_factors (moments, 0, 3, factors->data);
  set_factors (moments, 3, 6, factors->data);
  if (moments->n_channels > 6)
    set_factors (moments, 6, moments->n_channels, factors->data);
  x = ens_graph_apply (features, &ens_op_sub, &binary, x,
                       ens_graph_add_constant (features, "means", means), NULL);
  x = ens_graph_apply (features, &ens_op_mul, &binary, x,
                       ens_graph_add_constant (features, "factors", factors), NULL);
  g_ptr_array_set_size (features->outputs, 0);
  ens_graph_add_output (features, x);
}
