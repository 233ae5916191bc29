/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* x + (x · a · b … + c), with small a, b and c that broadcast to a large x, such as one number for
 * each channel, becomes x · (1 + a · b …) + c: global response normalisation (Woo et al., "ConvNeXt
 * V2", 2023) then reads the map once. */
#include "passes/passes.h"

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/rewrite.h"

/* Small tensors have so many times fewer elements at least. */
#define MIN_RATIO 8

/* What is left of a sum of products: factor · x + summand; NULL: 1 and 0. */
typedef struct {
  EnsValue *factor, *summand;
} Linear;

static gboolean
is_small (const EnsValue *value, const EnsValue *x)
{
  guint missing = x->shape.rank - MIN (value->shape.rank, x->shape.rank);
  gint64 ratio = 1;

  if (value->type != ENS_TYPE_FLOAT32 || value->shape.rank > x->shape.rank)
    return FALSE;
  for (guint i = 0; i < x->shape.rank; i++) {
    gint64 whole = x->shape.dims[i], part = i < missing ? 1 : value->shape.dims[i - missing];

    if (part != 1 && part != whole)
      return FALSE;
    if (part == 1 && whole > 0 && ratio < MIN_RATIO)
      ratio *= whole;
  }
  return ratio >= MIN_RATIO;
}

/* Counts the nodes between x and a value that nothing but `reader` reads. FALSE: it is not made of
 * x and what is small. */
static gboolean
read_linear (const EnsGraph *graph, const EnsValue *value, const EnsNode *reader, const EnsValue *x,
             guint *n)
{
  const EnsNode *node = value->producer;

  if (value == x)
    return TRUE;
  if (ens_graph_only_reader (graph, value) != reader
      || !(ens_node_is_plain (node, ENS_KIND_MULTIPLY) || ens_node_is_plain (node, ENS_KIND_ADD))
      || !ens_shape_equal (&value->shape, &x->shape))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (is_small (node->inputs[1 - i], x) && read_linear (graph, node->inputs[i], node, x, n)) {
      (*n)++;
      return TRUE;
    }
  return FALSE;
}

typedef struct {
  EnsGraph *graph;
  const EnsNode *before;
  const EnsValue *x;
} Place;

static EnsValue *
combine (const Place *place, const char *op, EnsValue *a, EnsValue *b)
{
  const EnsBinaryParams params = {0};
  EnsNode *node = ens_graph_insert_node (
      place->graph, place->before,
      &(EnsNewNode) {.op = op, .params = &params, .inputs = {a, b}, .n_inputs = 2});

  ens_infer_node (node, TRUE, NULL);
  return node->outputs[0];
}

/* Of a value that has been read. */
static Linear
make_linear (const Place *place, const EnsValue *value)
{
  const EnsNode *node = value->producer;
  EnsValue *other;
  Linear linear;
  guint n = 0, i;

  if (value == place->x)
    return (Linear) {0};
  i = is_small (node->inputs[1], place->x)
              && read_linear (place->graph, node->inputs[0], node, place->x, &n)
          ? 0
          : 1;
  other = node->inputs[1 - i];
  linear = make_linear (place, node->inputs[i]);
  if (node->op->kind == ENS_KIND_ADD) {
    linear.summand = linear.summand != NULL ? combine (place, "Add", linear.summand, other) : other;
    return linear;
  }
  linear.factor = linear.factor != NULL ? combine (place, "Mul", linear.factor, other) : other;
  if (linear.summand != NULL)
    linear.summand = combine (place, "Mul", linear.summand, other);
  return linear;
}

static gboolean
gather (EnsGraph *graph, EnsNode *node)
{
  const float one = 1;

  for (guint i = 0; ens_node_is_plain (node, ENS_KIND_ADD) && i < 2; i++) {
    EnsValue *x = node->inputs[i], *y;
    const Place place = {graph, node, x};
    Linear linear;
    guint n = 0;

    if (x->type != ENS_TYPE_FLOAT32 || x == node->inputs[1 - i]
        || !read_linear (graph, node->inputs[1 - i], node, x, &n) || n < 2)
      continue;
    linear = make_linear (&place, node->inputs[1 - i]);
    if (linear.factor == NULL)
      continue;
    y = combine (&place, "Add", linear.factor, ens_graph_add_vector (graph, "one", &one, 1));
    y = combine (&place, "Mul", x, y);
    if (linear.summand != NULL)
      y = combine (&place, "Add", y, linear.summand);
    ens_graph_replace_uses (graph, node->outputs[0], y);
    return TRUE;
  }
  return FALSE;
}

gboolean
ens_pass_gather_factors (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, gather);
}
