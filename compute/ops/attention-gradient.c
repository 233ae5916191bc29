/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gradient of Attention: with scores S = scale · Q · Kᵀ (+ mask) and weights P = softmax (S),
 *
 *   dV = Pᵀ · dY,  dP = dY · Vᵀ,  dS = P · (dP − Σ dP · P),  dQ = scale · dS · K,  dK = scale · dSᵀ
 * · Q.
 *
 * All matrices are (batch, heads of keys, queries' heads that share them, rows, depth) here. */
#include "ops/attention.h"

#include <math.h>

#include "graph/infer.h"
#include "ops/gradient.h"
#include "ops/registry.h"

typedef struct {
  EnsGradient *gradient;
  EnsAttention attention;
  gint64 sharing;
  EnsValue *query, *key, *value, *weights;
  EnsValue *slope; /* of the cap, or NULL */
} Back;

static EnsValue *
multiply (const Back *back, EnsValue *a, EnsValue *b)
{
  return ens_gradient_apply (back->gradient, &ens_op_mul, NULL, a, b, NULL);
}

static EnsValue *
scale (const Back *back, EnsValue *value, double factor)
{
  return multiply (back, value, ens_gradient_number (back->gradient, value->type, factor));
}

static EnsValue *
product (const Back *back, EnsValue *a, EnsValue *b)
{
  return ens_gradient_apply (back->gradient, &ens_op_matmul, NULL, a, b, NULL);
}

/* Exchanges two axes. */
static EnsValue *
exchange (const Back *back, EnsValue *value, guint a, guint b)
{
  EnsTransposeParams params = {.perm = {.present = TRUE, .n = value->shape.rank}};

  for (guint i = 0; i < params.perm.n; i++)
    params.perm.values[i] = i;
  params.perm.values[a] = b;
  params.perm.values[b] = a;
  return ens_gradient_apply (back->gradient, &ens_op_transpose, &params, value, NULL);
}

static EnsValue *
transpose (const Back *back, EnsValue *value)
{
  return exchange (back, value, value->shape.rank - 2, value->shape.rank - 1);
}

/* (batch, heads of keys, sharing, rows, depth), sharing 1 for keys and values. */
static EnsValue *
cut (const Back *back, EnsValue *value, const EnsAttentionMatrices *matrices)
{
  gint64 heads = back->attention.key.heads, sharing = matrices->heads / heads;

  if (value->shape.rank == 3)
    value = exchange (back,
                      ens_gradient_reshape (back->gradient, value,
                                            &ENS_SHAPE (matrices->batch, matrices->rows,
                                                        matrices->heads, matrices->depth)),
                      1, 2);
  return ens_gradient_reshape (
      back->gradient, value,
      &ENS_SHAPE (matrices->batch, heads, sharing, matrices->rows, matrices->depth));
}

/* Back to an input's shape, summed over heads that share. */
static EnsValue *
join (const Back *back, EnsValue *value, const EnsAttentionMatrices *matrices,
      const EnsShape *shape)
{
  gint64 sharing = matrices->heads / back->attention.key.heads;

  if (value->shape.dims[2] != sharing)
    value = ens_gradient_sum (back->gradient, value, 1u << 2);
  if (shape->rank == 3)
    value = exchange (back,
                      ens_gradient_reshape (back->gradient, value,
                                            &ENS_SHAPE (matrices->batch, matrices->heads,
                                                        matrices->rows, matrices->depth)),
                      1, 2);
  return ens_gradient_reshape (back->gradient, value, shape);
}

/* −infinity for each query and key that it does not see. */
static EnsValue *
make_window (const Back *back, EnsType type)
{
  gint64 queries = back->attention.query.rows, keys = back->attention.key.rows;
  g_autofree char *name = g_strdup_printf ("%s:window", back->gradient->node->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new (type, &ENS_SHAPE (queries, keys));
  EnsView view = ens_view_dense (type, &tensor->shape, tensor->data);

  for (gint64 i = 0; i < queries * keys; i++)
    ens_view_set_real (&view, (gsize)i,
                       i % keys > i / keys + back->attention.behind
                               || i % keys < i / keys - back->attention.before
                           ? -INFINITY
                           : 0);
  return ens_graph_add_constant (back->gradient->graph, name, tensor);
}

/* The mask in the scores' axes. */
static EnsShape
mask_shape (const Back *back, const EnsShape *mask)
{
  EnsShape shape = ENS_SHAPE (1, 1, 1, 1, 1);

  for (guint i = 0; i < mask->rank; i++) {
    guint axis = 4 - mask->rank + i; /* of batch, heads, queries, keys */

    if (axis == 1 && mask->dims[i] > 1) {
      shape.dims[1] = back->attention.key.heads;
      shape.dims[2] = back->sharing;
    } else {
      shape.dims[axis <= 1 ? axis : axis + 1] = mask->dims[i];
    }
  }
  return shape;
}

static EnsValue *
add_mask (const Back *back, EnsValue *scores)
{
  EnsGradient *gradient = back->gradient;
  EnsValue *mask = ens_node_input (gradient->node, ENS_ATTENTION_MASK);
  EnsShape shape;

  if (back->attention.behind < back->attention.key.rows
      || back->attention.before < back->attention.query.rows)
    scores = ens_gradient_apply (gradient, &ens_op_add, NULL, scores,
                                 make_window (back, scores->type), NULL);
  if (mask == NULL)
    return scores;
  shape = mask_shape (back, &mask->shape);
  mask = ens_gradient_reshape (gradient, mask, &shape);
  if (mask->type == ENS_TYPE_BOOL)
    return ens_gradient_apply (gradient, &ens_op_where, NULL, mask, scores,
                               ens_gradient_number (gradient, scores->type, -INFINITY), NULL);
  return ens_gradient_apply (gradient, &ens_op_add, NULL, scores, mask, NULL);
}

/* Whether there may be a query that sees no key. */
static gboolean
may_see_nothing (const Back *back)
{
  const EnsAttention *attention = &back->attention;

  return ens_node_input (back->gradient->node, ENS_ATTENTION_MASK) != NULL
         || attention->query.rows - 1 - attention->before >= attention->key.rows;
}

/* The softmax of scores, 0 of a query that sees no key. */
static EnsValue *
normalise (const Back *back, EnsValue *scores)
{
  EnsGradient *gradient = back->gradient;
  const EnsReduceParams last = {.axes = {.present = TRUE, .n = 1, .values = {4}}, .keepdims = TRUE};
  const EnsSoftmaxParams params = {.axis = -1};
  EnsValue *zero, *blind;

  if (!may_see_nothing (back))
    return ens_gradient_apply (gradient, &ens_op_softmax, &params, scores, NULL);
  zero = ens_gradient_number (gradient, scores->type, 0);
  blind =
      ens_gradient_apply (gradient, &ens_op_equal, NULL,
                          ens_gradient_apply (gradient, &ens_op_reduce_max, &last, scores, NULL),
                          ens_gradient_number (gradient, scores->type, -INFINITY), NULL);
  scores = ens_gradient_apply (gradient, &ens_op_where, NULL, blind, zero, scores, NULL);
  return ens_gradient_apply (gradient, &ens_op_where, NULL, blind, zero,
                             ens_gradient_apply (gradient, &ens_op_softmax, &params, scores, NULL),
                             NULL);
}

static EnsValue *
make_weights (Back *back)
{
  const EnsAttentionParams *params = back->gradient->node->params;
  EnsValue *scores =
      scale (back, product (back, back->query, transpose (back, back->key)), back->attention.scale);

  if (params->softcap > 0) {
    EnsValue *capped = ens_gradient_apply (back->gradient, &ens_op_tanh, NULL,
                                           scale (back, scores, 1 / (double)params->softcap), NULL);
    EnsValue *one = ens_gradient_number (back->gradient, scores->type, 1);

    back->slope = ens_gradient_apply (back->gradient, &ens_op_sub, NULL, one,
                                      multiply (back, capped, capped), NULL);
    scores = scale (back, capped, (double)params->softcap);
  }
  return normalise (back, add_mask (back, scores));
}

static void
differentiate_scores (const Back *back, EnsValue *dy)
{
  EnsGradient *gradient = back->gradient;
  const EnsNode *node = gradient->node;
  EnsValue *dp = product (back, dy, transpose (back, back->value)), *ds;
  EnsValue *sum = ens_gradient_sum (gradient, multiply (back, dp, back->weights), 1u << 4);

  ds = multiply (back, back->weights,
                 ens_gradient_apply (gradient, &ens_op_sub, NULL, dp, sum, NULL));
  if (node->n_inputs > ENS_ATTENTION_MASK && gradient->wanted[ENS_ATTENTION_MASK]) {
    const EnsShape *mask = &node->inputs[ENS_ATTENTION_MASK]->shape;
    EnsShape shape = mask_shape (back, mask);

    gradient->inputs[ENS_ATTENTION_MASK] =
        ens_gradient_reshape (gradient, ens_gradient_sum_to (gradient, ds, &shape), mask);
  }
  if (back->slope != NULL)
    ds = multiply (back, ds, back->slope);
  ds = scale (back, ds, back->attention.scale);
  if (gradient->wanted[ENS_ATTENTION_QUERY])
    gradient->inputs[ENS_ATTENTION_QUERY] =
        join (back, product (back, ds, back->key), &back->attention.query,
              &node->inputs[ENS_ATTENTION_QUERY]->shape);
  if (gradient->wanted[ENS_ATTENTION_KEY])
    gradient->inputs[ENS_ATTENTION_KEY] =
        join (back, product (back, transpose (back, ds), back->query), &back->attention.key,
              &node->inputs[ENS_ATTENTION_KEY]->shape);
}

gboolean
ens_attention_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  Back back = {.gradient = gradient};
  g_auto (EnsNodeViews) views;
  EnsAttentionMatrices output;
  EnsValue *dy;

  ens_node_views_init (&views, node);
  ens_attention_find (&views.operands, &back.attention);
  back.sharing = back.attention.query.heads / back.attention.key.heads;
  back.query = cut (&back, node->inputs[ENS_ATTENTION_QUERY], &back.attention.query);
  back.key = cut (&back, node->inputs[ENS_ATTENTION_KEY], &back.attention.key);
  back.value = cut (&back, node->inputs[ENS_ATTENTION_VALUE], &back.attention.value);
  back.weights = make_weights (&back);
  output = back.attention.query;
  output.depth = back.attention.value.depth;
  dy = cut (&back, gradient->outputs[0], &output);
  if (gradient->wanted[ENS_ATTENTION_VALUE])
    gradient->inputs[ENS_ATTENTION_VALUE] =
        join (&back, product (&back, transpose (&back, back.weights), dy), &back.attention.value,
              &node->inputs[ENS_ATTENTION_VALUE]->shape);
  differentiate_scores (&back, dy);
  return TRUE;
}
