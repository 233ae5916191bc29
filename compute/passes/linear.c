/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/linear.h"

#include <string.h>

#include "ops/params.h"
#include "passes/rewrite.h"

enum { INPUT, WEIGHTS, BIAS, RESIDUAL };

static gsize
count_weights (const EnsLinear *linear)
{
  return (gsize)(linear->n_outputs * linear->n_taps * linear->group_inputs);
}

static gboolean
may_pad (const EnsSliding *sliding)
{
  if (sliding->auto_pad == ENS_AUTO_PAD_VALID)
    return FALSE;
  for (guint i = 0; i < sliding->rank; i++)
    if (sliding->pads_begin[i] != 0 || sliding->pads_end[i] != 0)
      return TRUE;
  return sliding->auto_pad != ENS_AUTO_PAD_NOTSET;
}

static gboolean
read_conv (EnsLinear *linear, const EnsNode *node)
{
  const EnsConvParams *params = node->params;
  const EnsTensor *weights = ens_node_constant (node, WEIGHTS);
  const EnsShape *shape = &weights->shape;

  if (params->activation.kind != ENS_ACTIVATION_NONE || ens_node_input (node, RESIDUAL) != NULL
      || shape->rank < 3 || params->group < 1 || shape->dims[0] % params->group != 0)
    return FALSE;
  linear->rank = shape->rank;
  linear->shape = *shape;
  linear->n_outputs = shape->dims[0];
  linear->n_taps = ens_shape_span (shape, 1, shape->rank - 1);
  linear->group_inputs = ens_shape_run (shape);
  linear->n_inputs = linear->group_inputs * params->group;
  linear->pads = may_pad (&params->sliding);
  linear->weights = g_memdup2 (weights->data, ens_tensor_size (weights));
  return TRUE;
}

/* The matrix B, or the weights that are the same matrix with outputs first, to the other. */
static void
transpose (const float *from, gint64 rows, gint64 columns, float *to)
{
  for (gint64 i = 0; i < rows; i++)
    for (gint64 j = 0; j < columns; j++)
      to[j * rows + i] = from[i * columns + j];
}

/* A product's params, a MatMul's being those of the Gemm that does the same. */
static EnsGemmParams
get_params (const EnsNode *node)
{
  if (ens_node_is (node, "MatMul"))
    return (EnsGemmParams) {
        .alpha = 1, .beta = 1, .activation = ((const EnsMatMulParams *)node->params)->activation};
  return *(const EnsGemmParams *)node->params;
}

/* A Gemm's always are; a MatMul's may have more axes. */
static gboolean
multiplies_matrices (const EnsNode *node)
{
  return node->inputs[WEIGHTS]->shape.rank == 2
         && (!ens_node_is (node, "MatMul") || node->inputs[INPUT]->shape.rank == 2);
}

static gboolean
read_product (EnsLinear *linear, const EnsNode *node)
{
  const EnsGemmParams params = get_params (node);
  const EnsTensor *weights = ens_node_constant (node, WEIGHTS);
  const gint64 *dims = weights->shape.dims;

  if (params.activation.kind != ENS_ACTIVATION_NONE || params.trans_a
      || !multiplies_matrices (node))
    return FALSE;
  linear->rank = 2;
  linear->n_outputs = dims[params.trans_b ? 0 : 1];
  linear->n_inputs = linear->group_inputs = dims[params.trans_b ? 1 : 0];
  linear->n_taps = 1;
  linear->weights = g_new (float, count_weights (linear));
  if (params.trans_b)
    memcpy (linear->weights, weights->data, ens_tensor_size (weights));
  else
    transpose (weights->data, dims[0], dims[1], linear->weights);
  for (gsize i = 0; i < count_weights (linear); i++)
    linear->weights[i] *= params.alpha;
  return TRUE;
}

static gboolean
read_bias (EnsLinear *linear, const EnsNode *node)
{
  float beta = linear->rank == 2 ? get_params (node).beta : 1;

  linear->bias = g_new0 (float, linear->n_outputs);
  if (ens_node_input (node, BIAS) == NULL)
    return TRUE;
  if (!ens_constant_as_channels (ens_node_constant (node, BIAS), 2, linear->n_outputs,
                                 linear->bias))
    return FALSE;
  for (gint64 i = 0; i < linear->n_outputs; i++)
    linear->bias[i] *= beta;
  return TRUE;
}

EnsLinear *
ens_linear_read (const EnsNode *node)
{
  g_autoptr (EnsLinear) linear = g_new0 (EnsLinear, 1);
  const EnsTensor *weights = node != NULL ? ens_node_constant (node, WEIGHTS) : NULL;
  gboolean sound = FALSE;

  if (weights == NULL || weights->type != ENS_TYPE_FLOAT32 || ens_tensor_size (weights) == 0)
    return NULL;
  if (ens_node_is (node, "Conv"))
    sound = read_conv (linear, node);
  else if (node->op->kind == ENS_KIND_PRODUCT)
    sound = read_product (linear, node);
  return sound && read_bias (linear, node) ? g_steal_pointer (&linear) : NULL;
}

void
ens_linear_free (EnsLinear *linear)
{
  g_free (linear->weights);
  g_free (linear->bias);
  g_free (linear);
}

void
ens_linear_scale_outputs (EnsLinear *linear, const float *scale, const float *shift)
{
  gint64 row = linear->n_taps * linear->group_inputs;

  for (gint64 o = 0; o < linear->n_outputs; o++) {
    for (gint64 i = 0; i < row; i++)
      linear->weights[o * row + i] *= scale[o];
    linear->bias[o] = linear->bias[o] * scale[o] + shift[o];
  }
}

void
ens_linear_scale_inputs (EnsLinear *linear, const float *scale, const float *shift)
{
  gint64 n_groups = linear->n_inputs / linear->group_inputs;
  gint64 group_outputs = linear->n_outputs / n_groups;

  for (gint64 o = 0; o < linear->n_outputs; o++) {
    gint64 first = o / group_outputs * linear->group_inputs;
    double sum = 0;

    for (gint64 i = 0; i < linear->n_taps * linear->group_inputs; i++) {
      float *weight = &linear->weights[o * linear->n_taps * linear->group_inputs + i];

      sum += (double)*weight * shift[first + i % linear->group_inputs];
      *weight *= scale[first + i % linear->group_inputs];
    }
    linear->bias[o] = (float)(linear->bias[o] + sum);
  }
}

/* Makes a product one of rows that are an output's weights each. */
static void
make_gemm (EnsNode *node)
{
  const EnsGemmParams params = {.trans_b = TRUE, .alpha = 1, .beta = 1};

  node->op = ens_op_find ("Gemm");
  g_free (node->params);
  node->params = g_memdup2 (&params, sizeof params);
}

void
ens_linear_write (const EnsLinear *linear, EnsGraph *graph, EnsNode *node)
{
  const char *name = node->inputs[WEIGHTS]->name;
  g_autofree char *bias_name = g_strdup_printf ("%s:bias", name);
  EnsShape shape = linear->shape;
  g_autoptr (EnsTensor) weights = NULL;

  if (linear->rank == 2) {
    shape = ENS_SHAPE (linear->n_outputs, linear->n_inputs);
    make_gemm (node);
  }
  weights = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &shape, linear->weights);
  ens_node_set_input (graph, node, WEIGHTS, ens_graph_add_constant (graph, name, weights));
  if (ens_node_input (node, BIAS) != NULL)
    bias_name = (g_free (bias_name), g_strdup (node->inputs[BIAS]->name));
  ens_node_set_input (graph, node, BIAS,
                      ens_graph_add_vector (graph, bias_name, linear->bias, linear->n_outputs));
}
