/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of tensors of any rank with a matrix, and a bias, times one factor per column (Touvron
 * et al., "Going deeper with Image Transformers", 2021, call it LayerScale): the matrix and the
 * bias take the factors. */
#include "passes/passes.h"

#include "graph/infer.h"
#include "passes/affine.h"
#include "passes/linear.h"
#include "passes/rewrite.h"

/* The product that a value is, or, where `add` is set to it, a vector added to one. */
static EnsNode *
find_product (const EnsGraph *graph, const EnsValue *value, const EnsNode *reader, EnsNode **add)
{
  EnsNode *node = value->producer;

  *add = NULL;
  if (node == NULL || ens_graph_only_reader (graph, value) != reader)
    return NULL;
  if (ens_node_is_plain (node, ENS_KIND_ADD)) {
    *add = node;
    for (guint i = 0; i < 2; i++)
      if (node->inputs[1 - i]->constant != NULL && node->inputs[i]->producer != NULL
          && ens_graph_only_reader (graph, node->inputs[i]) == node)
        node = node->inputs[i]->producer;
  }
  return ens_node_is (node, "MatMul") && node->n_inputs == 2 ? node : NULL;
}

/* The constant with its columns, which are its last axis, times the factors. */
static EnsValue *
scale_columns (EnsGraph *graph, const EnsValue *value, const float *factors, gint64 n)
{
  g_autoptr (EnsTensor) tensor =
      ens_tensor_new_copy (value->type, &value->shape, value->constant->data);
  float *data = tensor->data;

  for (gint64 i = 0; i < ens_shape_elements (&tensor->shape); i++)
    data[i] *= factors[i % n];
  return ens_graph_add_constant (graph, value->name, tensor);
}

static gboolean
is_float_vector (const EnsValue *value, gint64 n)
{
  return value->constant != NULL && value->type == ENS_TYPE_FLOAT32 && value->shape.rank == 1
         && value->shape.dims[0] == n;
}

/* Matrix and bias with the factors. FALSE: they are not constants of these columns. */
static gboolean
fold_factors (EnsGraph *graph, EnsNode *product, EnsNode *add, const EnsAffine *affine)
{
  EnsValue *matrix = product->inputs[1];
  guint bias = add != NULL && add->inputs[0]->constant != NULL ? 0 : 1;

  if (add != NULL && !is_float_vector (add->inputs[bias], affine->n_channels))
    return FALSE;
  ens_node_set_input (graph, product, 1,
                      scale_columns (graph, matrix, affine->scale, affine->n_channels));
  if (add != NULL)
    ens_node_set_input (
        graph, add, bias,
        scale_columns (graph, add->inputs[bias], affine->scale, affine->n_channels));
  return TRUE;
}

static gboolean
fold (EnsGraph *graph, EnsNode *node)
{
  for (guint i = 0; ens_node_is_plain (node, ENS_KIND_MULTIPLY) && i < 2; i++) {
    EnsNode *add, *product = find_product (graph, node->inputs[i], node, &add);
    const EnsValue *matrix = product != NULL ? product->inputs[1] : NULL;
    g_autoptr (EnsAffine) affine = NULL;

    if (matrix == NULL || matrix->constant == NULL || matrix->type != ENS_TYPE_FLOAT32
        || matrix->shape.rank != 2)
      continue;
    affine = ens_affine_read (node, matrix->shape.dims[1], node->inputs[i]->shape.rank);
    if (affine == NULL || affine->input != node->inputs[i] || !ens_affine_is_finite (affine)
        || !fold_factors (graph, product, add, affine))
      continue;
    ens_graph_replace_uses (graph, node->outputs[0], node->inputs[i]);
    return TRUE;
  }
  return FALSE;
}

gboolean
ens_pass_fold_scale (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fold);
}
