/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LayerNormalization and RMSNormalization over the last axis that files spell out:
 *
 *   d / √(mean (d²) + ε) · scale + bias,  d = x − mean (x), or x itself,
 *
 * with a quotient, or a product with the reciprocal; scale and bias may be missing. */
#include "passes/passes.h"

#include "graph/infer.h"
#include "ops/operands.h"
#include "passes/rewrite.h"

/* What the value is the mean of, along the last axis, which stays. */
static EnsValue *
read_mean (const EnsValue *value)
{
  const EnsNode *node = value->producer;
  const EnsReduceParams *params;
  gint64 rank;

  if (!ens_node_is (node, "ReduceMean") || node->n_inputs != 1)
    return NULL;
  params = node->params;
  rank = node->inputs[0]->shape.rank;
  return params->keepdims && params->axes.n == 1
                 && (params->axes.values[0] == -1 || params->axes.values[0] == rank - 1)
             ? node->inputs[0]
             : NULL;
}

/* What the value is the square of. */
static EnsValue *
read_square (const EnsValue *value)
{
  const EnsNode *node = value->producer;
  double power;

  if (ens_node_is_plain (node, ENS_KIND_MULTIPLY) && node->inputs[0] == node->inputs[1])
    return node->inputs[0];
  if (ens_node_is (node, "Pow")
      && ens_value_read_number (node->inputs[1], node->inputs[0]->shape.rank, &power) && power == 2)
    return node->inputs[0];
  return NULL;
}

/* d of √(mean (d²) + ε). */
static EnsValue *
read_deviation (const EnsNode *root, double *epsilon)
{
  const EnsNode *sum = root->inputs[0]->producer;
  EnsValue *square;

  for (guint i = 0; i < 2 && ens_node_is_plain (sum, ENS_KIND_ADD); i++)
    if (ens_value_read_number (sum->inputs[1 - i], sum->inputs[i]->shape.rank, epsilon)) {
      square = read_mean (sum->inputs[i]);
      return square != NULL ? read_square (square) : NULL;
    }
  return NULL;
}

/* The node that divides d by the root. */
static EnsNode *
find_quotient (const EnsGraph *graph, const EnsNode *root, const EnsValue *d)
{
  EnsNode *node = ens_graph_only_reader (graph, root->outputs[0]);
  const EnsValue *inverse;
  double one;

  if (ens_node_is_plain (node, ENS_KIND_DIVIDE) && node->inputs[0] == d)
    return node;
  if (!ens_node_is (node, "Reciprocal")
      && !(ens_node_is_plain (node, ENS_KIND_DIVIDE)
           && ens_value_read_number (node->inputs[0], root->outputs[0]->shape.rank, &one)
           && one == 1))
    return NULL;
  inverse = node->outputs[0];
  node = ens_graph_only_reader (graph, inverse);
  return ens_node_is_plain (node, ENS_KIND_MULTIPLY)
                 && ((node->inputs[0] == d && node->inputs[1] == inverse)
                     || (node->inputs[1] == d && node->inputs[0] == inverse))
             ? node
             : NULL;
}

/* The node's other input as a vector along the last axis, or NULL. (transfer none) */
static EnsValue *
read_vector (EnsGraph *graph, const EnsNode *node, const EnsValue *value)
{
  EnsValue *other = node->inputs[node->inputs[0] == value ? 1 : 0];
  gint64 n = ens_shape_run (&value->shape);
  g_autofree float *data = g_new (float, n);

  if (other->constant == NULL
      || !ens_constant_as_channels (other->constant, value->shape.rank, n, data))
    return NULL;
  return ens_graph_add_vector (graph, other->name, data, n);
}

/* The only reader of the node, if it is of this kind and takes a vector. */
static EnsNode *
find_affine (EnsGraph *graph, const EnsNode *node, EnsOpKind kind, EnsValue **vector)
{
  EnsNode *reader = ens_graph_only_reader (graph, node->outputs[0]);

  *vector = NULL;
  if (!ens_node_is_plain (reader, kind))
    return NULL;
  *vector = read_vector (graph, reader, node->outputs[0]);
  return *vector != NULL ? reader : NULL;
}

static EnsValue *
add_ones (EnsGraph *graph, gint64 n)
{
  g_autofree float *ones = g_new (float, n);

  for (gint64 i = 0; i < n; i++)
    ones[i] = 1;
  return ens_graph_add_vector (graph, "scale", ones, n);
}

/* Replaces what ends with `node`. */
static void
replace (EnsGraph *graph, EnsNode *node, EnsValue *x, gboolean centred, double epsilon)
{
  const EnsLayerNormalizationParams params = {-1, (float)epsilon};
  EnsValue *scale, *bias = NULL;
  EnsNode *next = find_affine (graph, node, ENS_KIND_MULTIPLY, &scale), *new_node;

  node = next != NULL ? next : node;
  next = centred ? find_affine (graph, node, ENS_KIND_ADD, &bias) : NULL;
  node = next != NULL ? next : node;
  if (scale == NULL)
    scale = add_ones (graph, ens_shape_run (&x->shape));
  new_node = ens_graph_insert_node (
      graph, node,
      &(EnsNewNode) {.op = centred ? "LayerNormalization" : "RMSNormalization",
                     .params = &params,
                     .inputs = {x, scale, bias},
                     .n_inputs = bias != NULL ? 3 : 2});
  ens_infer_node (new_node, FALSE, NULL);
  ens_graph_replace_uses (graph, node->outputs[0], new_node->outputs[0]);
}

static gboolean
recognise (EnsGraph *graph, EnsNode *root)
{
  double epsilon = 0;
  EnsValue *d = ens_node_is (root, "Sqrt") ? read_deviation (root, &epsilon) : NULL, *x;
  EnsNode *quotient = d != NULL ? find_quotient (graph, root, d) : NULL;
  gboolean centred;

  if (quotient == NULL || d->type != ENS_TYPE_FLOAT32)
    return FALSE;
  x = d->producer != NULL && ens_node_is_plain (d->producer, ENS_KIND_SUBTRACT)
          ? d->producer->inputs[0]
          : NULL;
  centred = x != NULL && read_mean (d->producer->inputs[1]) == x;
  x = centred ? x : d;
  if (!ens_shape_equal (&x->shape, &quotient->outputs[0]->shape))
    return FALSE;
  replace (graph, quotient, x, centred, epsilon);
  return TRUE;
}

gboolean
ens_pass_recognise_normalization (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, recognise);
}
