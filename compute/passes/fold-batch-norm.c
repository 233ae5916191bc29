/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batch normalisation with fixed statistics is y = scale · x + shift per channel; so are Mul, Add,
 * Sub and Div with one constant per channel. */
#include "passes/passes.h"

#include "ops/params.h"
#include "passes/affine.h"
#include "passes/linear.h"
#include "passes/rewrite.h"

/* Conv or Gemm, then the affine node. */
static gboolean
fold_behind (EnsGraph *graph, EnsNode *node)
{
  if (!ens_node_may_be_affine (node))
    return FALSE;
  for (guint i = 0; i < node->n_inputs && i < 2; i++) {
    EnsNode *producer = node->inputs[i] != NULL ? node->inputs[i]->producer : NULL;
    g_autoptr (EnsLinear) linear = ens_linear_read (producer);
    g_autoptr (EnsAffine) affine = NULL;

    if (linear == NULL || ens_graph_only_reader (graph, node->inputs[i]) != node)
      continue;
    affine = ens_affine_read (node, linear->n_outputs, linear->rank);
    if (affine == NULL || affine->input != node->inputs[i] || !ens_affine_is_finite (affine))
      continue;
    ens_linear_scale_outputs (linear, affine->scale, affine->shift);
    ens_linear_write (linear, graph, producer);
    ens_graph_replace_uses (graph, node->outputs[0], node->inputs[i]);
    return TRUE;
  }
  return FALSE;
}

/* The affine node, then Conv or Gemm. A convolution that pads is left alone: it would have to pad
 * with −shift / scale. */
static gboolean
fold_before (EnsGraph *graph, EnsNode *node)
{
  EnsNode *reader =
      ens_node_may_be_affine (node) ? ens_graph_only_reader (graph, node->outputs[0]) : NULL;
  g_autoptr (EnsLinear) linear = ens_linear_read (reader);
  g_autoptr (EnsAffine) affine = NULL;

  if (linear == NULL || linear->pads || reader->inputs[0] != node->outputs[0])
    return FALSE;
  affine = ens_affine_read (node, linear->n_inputs, linear->rank);
  if (affine == NULL || !ens_affine_is_finite (affine)
      || !ens_shape_equal (&affine->input->shape, &node->outputs[0]->shape))
    return FALSE;
  ens_linear_scale_inputs (linear, affine->scale, affine->shift);
  ens_linear_write (linear, graph, reader);
  ens_node_set_input (graph, reader, 0, affine->input);
  ens_graph_drop_node (graph, node);
  return TRUE;
}

/* A batch normalisation of maps by itself: a convolution that can also take over an activation. */
static gboolean
make_depthwise (EnsGraph *graph, EnsNode *node)
{
  g_autoptr (EnsAffine) affine = NULL;
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT};
  g_autoptr (EnsTensor) weights = NULL;
  EnsNewNode conv = {.op = "Conv", .name = node->name, .params = &params, .n_inputs = 3};

  if (!ens_node_is (node, "BatchNormalization") || node->outputs[0]->shape.rank != 4)
    return FALSE;
  affine = ens_affine_read_batch_norm (node);
  if (affine == NULL || !ens_affine_is_finite (affine))
    return FALSE;
  params.group = affine->n_channels;
  weights = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (affine->n_channels, 1, 1, 1),
                                 affine->scale);
  conv.inputs[0] = affine->input;
  conv.inputs[1] = ens_graph_add_constant (graph, node->inputs[1]->name, weights);
  conv.inputs[2] =
      ens_graph_add_vector (graph, node->inputs[2]->name, affine->shift, affine->n_channels);
  ens_graph_replace_uses (graph, node->outputs[0],
                          ens_graph_insert_node (graph, node, &conv)->outputs[0]);
  return TRUE;
}

/* What could not be folded; the next ones may be folded into it. */
static gboolean
fold_or_replace (EnsGraph *graph, EnsNode *node)
{
  return fold_behind (graph, node) || make_depthwise (graph, node);
}

gboolean
ens_pass_fold_batch_norm (EnsGraph *graph)
{
  gboolean progress = ens_graph_rewrite (graph, fold_behind);

  progress = ens_graph_rewrite_backwards (graph, fold_before) || progress;
  return progress || ens_graph_rewrite (graph, fold_or_replace);
}
