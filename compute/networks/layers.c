/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "networks/layers.h"

#include <math.h>

#include "base/random.h"
#include "ops/registry.h"

#define EPSILON 1e-5f

static EnsValue *
add_constant (EnsLayers *layers, const char *layer, const char *part, EnsTensor *tensor)
{
  g_autofree char *name = g_strconcat (layer, ".", part, NULL);

  return ens_graph_add_constant (layers->graph, name, tensor);
}

static EnsValue *
add_filled (EnsLayers *layers, const char *layer, const char *part, guint n, float value)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (n));

  for (guint i = 0; i < n; i++)
    ((float *)tensor->data)[i] = value;
  return add_constant (layers, layer, part, tensor);
}

/* Outputs are the first dimension. */
static EnsValue *
add_weights (EnsLayers *layers, const char *layer, const EnsShape *shape, gboolean zero)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_FLOAT32, shape);
  double deviation = sqrt (2.0 / (double)ens_shape_span (shape, 1, shape->rank));
  EnsRandom random;

  if (!zero) {
    ens_random_init (&random,
                     &(EnsRandomStream) {layers->seed, ENS_RANDOM_WEIGHTS, 0, layers->n_drawn++});
    for (gint64 i = 0; i < ens_shape_elements (shape); i++)
      ((float *)tensor->data)[i] = (float)(deviation * ens_random_normal (&random));
  }
  return add_constant (layers, layer, "weight", tensor);
}

static EnsMap
add_node (EnsLayers *layers, const EnsOp *op, const char *name, gconstpointer params,
          EnsValue *const *inputs, guint n_inputs, guint channels)
{
  const EnsNode *node = ens_graph_add_node (layers->graph, op, name, params, inputs, n_inputs, 1);

  return (EnsMap) {node->outputs[0], channels};
}

EnsMap
ens_layers_conv (EnsLayers *layers, const char *name, EnsMap input, const EnsConvLayer *conv)
{
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  const EnsShape filters = ENS_SHAPE (conv->filters, conv->kernel, conv->kernel, input.channels);
  EnsValue *inputs[3] = {input.value, add_weights (layers, name, &filters, conv->zero)};

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    params.sliding.kernel[i] = conv->kernel;
    params.sliding.strides[i] = MAX (conv->stride, 1);
    params.sliding.pads_begin[i] = params.sliding.pads_end[i] =
        conv->unpadded ? 0 : conv->kernel / 2;
  }
  if (conv->bias)
    inputs[2] = add_filled (layers, name, "bias", conv->filters, 0);
  return add_node (layers, &ens_op_conv, name, &params, inputs, conv->bias ? 3 : 2, conv->filters);
}

EnsMap
ens_layers_batch_norm (EnsLayers *layers, const char *name, EnsMap input)
{
  static const struct {
    const char *name;
    float value;
  } parts[] = {{"scale", 1}, {"bias", 0}, {"mean", 0}, {"variance", 1}};
  EnsValue *inputs[5] = {input.value};

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    inputs[i + 1] = add_filled (layers, name, parts[i].name, input.channels, parts[i].value);
  return add_node (layers, &ens_op_batch_normalization, name, &(EnsNormalizationParams) {EPSILON},
                   inputs, 5, input.channels);
}

EnsMap
ens_layers_activate (EnsLayers *layers, const char *name, const EnsOp *op, float alpha,
                     EnsMap input)
{
  return add_node (layers, op, name, &(EnsUnaryParams) {.alpha = alpha}, &input.value, 1,
                   input.channels);
}

EnsMap
ens_layers_combine (EnsLayers *layers, const char *name, const EnsOp *op, EnsMap a, EnsMap b)
{
  EnsValue *inputs[] = {a.value, b.value};
  const EnsBinaryParams params = {.activation = {ENS_ACTIVATION_NONE}};

  return add_node (layers, op, name, &params, inputs, 2, a.channels);
}

EnsMap
ens_layers_concat (EnsLayers *layers, const char *name, const EnsMap *maps, guint n)
{
  g_autofree EnsValue **values = g_new (EnsValue *, n);
  guint channels = 0;

  for (guint i = 0; i < n; i++) {
    values[i] = maps[i].value;
    channels += maps[i].channels;
  }
  return add_node (layers, &ens_op_concat, name, &(EnsAxisParams) {3}, values, n, channels);
}

/* As other exporters write it, so that what reads networks finds the map before the mean. */
EnsMap
ens_layers_average (EnsLayers *layers, const char *name, EnsMap input)
{
  const EnsTransposeParams channels_first = {
      .perm = {.present = TRUE, .n = 4, .values = {0, 3, 1, 2}}};
  g_autofree char *mean = g_strdup_printf ("%s/mean", name);
  g_autofree char *order = g_strdup_printf ("%s/order", name);
  EnsMap y =
      add_node (layers, &ens_op_global_average_pool, mean, NULL, &input.value, 1, input.channels);

  y = add_node (layers, &ens_op_transpose, order, &channels_first, &y.value, 1, y.channels);
  return add_node (layers, &ens_op_flatten, name, &(EnsAxisParams) {1}, &y.value, 1, y.channels);
}

EnsMap
ens_layers_fully_connected (EnsLayers *layers, const char *name, EnsMap input, guint n)
{
  const EnsGemmParams params = {.trans_b = TRUE, .alpha = 1, .beta = 1};
  EnsValue *inputs[] = {input.value,
                        add_weights (layers, name, &ENS_SHAPE (n, input.channels), FALSE),
                        add_filled (layers, name, "bias", n, 0)};
  EnsMap result = add_node (layers, &ens_op_gemm, name, &params, inputs, 3, n);

  result.value->shape = ENS_SHAPE (-1, n);
  return result;
}
