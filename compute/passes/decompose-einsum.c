/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum, two inputs at a time: with each one's axes in the order of indices that both keep, that
 * it alone has, and that are summed over, the sum is a batch of matrix products. */
#include "passes/passes.h"

#include <string.h>

#include "graph/infer.h"
#include "ops/einsum.h"
#include "passes/rewrite.h"

typedef struct {
  EnsGraph *graph;
  EnsNode *node; /* before which nodes are inserted */
  EnsEinsum einsum;
} Decomposition;

/* A value, and the indices of its axes. */
typedef struct {
  EnsValue *value;
  EnsEinsumTerm term;
} Factor;

static EnsValue *
add (const Decomposition *d, const EnsNewNode *new_node)
{
  EnsNode *node = ens_graph_insert_node (d->graph, d->node, new_node);

  ens_infer_node (node, TRUE, NULL);
  return node->outputs[0];
}

static EnsValue *
reshape (const Decomposition *d, EnsValue *value, const EnsShape *shape)
{
  if (ens_shape_equal (&value->shape, shape))
    return value;
  return ens_graph_insert_reshape (d->graph, d->node, value, shape);
}

/* The axes in the order of these indices, which are the factor's. */
static EnsValue *
order (const Decomposition *d, const Factor *factor, const guint8 *indices)
{
  gint64 perm[ENS_MAX_RANK] = {0};

  for (guint i = 0; i < factor->term.rank; i++)
    for (guint axis = 0; axis < factor->term.rank; axis++)
      if (factor->term.indices[axis] == indices[i])
        perm[i] = axis;
  return ens_graph_insert_transpose (d->graph, d->node, factor->value, perm);
}

/* Whether the result, or an input from `next` on, has the index. */
static gboolean
is_needed (const Decomposition *d, guint index, guint next)
{
  gboolean needed = ens_einsum_has (&d->einsum.output, index);

  for (guint i = next; i < d->einsum.n_inputs; i++)
    needed |= ens_einsum_has (&d->einsum.inputs[i], index);
  return needed;
}

/* Without axes of length 1 whose index is longer elsewhere: they are broadcast. */
static Factor
drop_broadcast (const Decomposition *d, Factor factor)
{
  EnsShape shape = {0};
  EnsEinsumTerm term = {0};

  for (guint axis = 0; axis < factor.term.rank; axis++) {
    guint8 index = factor.term.indices[axis];

    if (factor.value->shape.dims[axis] != d->einsum.sizes[index])
      continue;
    shape.dims[shape.rank++] = d->einsum.sizes[index];
    term.indices[term.rank++] = index;
  }
  return (Factor) {reshape (d, factor.value, &shape), term};
}

/* Summed over indices that nothing else has. */
static Factor
drop_alone (const Decomposition *d, Factor factor, const EnsEinsumTerm *other, guint next)
{
  EnsReduceParams params = {.axes = {.present = TRUE}};
  EnsEinsumTerm term = {0};

  for (guint axis = 0; axis < factor.term.rank; axis++) {
    guint8 index = factor.term.indices[axis];

    if (is_needed (d, index, next) || (other != NULL && ens_einsum_has (other, index)))
      term.indices[term.rank++] = index;
    else
      params.axes.values[params.axes.n++] = axis;
  }
  if (params.axes.n == 0)
    return factor;
  return (Factor) {add (d, &(EnsNewNode) {.op = "ReduceSum",
                                          .params = &params,
                                          .inputs = {factor.value},
                                          .n_inputs = 1}),
                   term};
}

/* Indices by what becomes of them. */
typedef struct {
  EnsEinsumTerm batch, a, b, inner;
} Classes;

static void
append (EnsEinsumTerm *term, guint8 index)
{
  term->indices[term->rank++] = index;
}

static Classes
classify (const Decomposition *d, const EnsEinsumTerm *a, const EnsEinsumTerm *b, guint next)
{
  Classes classes = {0};

  for (guint axis = 0; axis < a->rank; axis++) {
    guint8 index = a->indices[axis];

    if (!ens_einsum_has (b, index))
      append (&classes.a, index);
    else if (is_needed (d, index, next))
      append (&classes.batch, index);
    else
      append (&classes.inner, index);
  }
  for (guint axis = 0; axis < b->rank; axis++)
    if (!ens_einsum_has (a, b->indices[axis]))
      append (&classes.b, b->indices[axis]);
  return classes;
}

static gint64
count (const Decomposition *d, const EnsEinsumTerm *term)
{
  gint64 n = 1;

  for (guint i = 0; i < term->rank; i++)
    n *= d->einsum.sizes[term->indices[i]];
  return n;
}

/* The factor as a batch of matrices, (batch, rows, columns), or one matrix without a batch. */
static EnsValue *
as_matrices (const Decomposition *d, const Factor *factor, const EnsEinsumTerm *batch,
             const EnsEinsumTerm *rows, const EnsEinsumTerm *columns)
{
  guint8 indices[3 * ENS_MAX_RANK];
  EnsShape shape = ENS_SHAPE (count (d, batch), count (d, rows), count (d, columns));

  memcpy (indices, batch->indices, batch->rank);
  memcpy (indices + batch->rank, rows->indices, rows->rank);
  memcpy (indices + batch->rank + rows->rank, columns->indices, columns->rank);
  if (batch->rank == 0)
    shape = ENS_SHAPE (shape.dims[1], shape.dims[2]);
  return reshape (d, order (d, factor, indices), &shape);
}

static Factor
multiply (const Decomposition *d, const Factor *a, const Factor *b, guint next)
{
  Classes classes = classify (d, &a->term, &b->term, next);
  const EnsBinaryParams mul = {0};
  const EnsMatMulParams matmul = {0};
  gboolean sums = classes.inner.rank > 0;
  Factor product = {.term = classes.batch};
  EnsValue *left, *right;
  EnsShape shape = {0};

  for (guint i = 0; i < classes.a.rank; i++)
    append (&product.term, classes.a.indices[i]);
  for (guint i = 0; i < classes.b.rank; i++)
    append (&product.term, classes.b.indices[i]);
  for (guint i = 0; i < product.term.rank; i++)
    shape.dims[shape.rank++] = d->einsum.sizes[product.term.indices[i]];
  left = as_matrices (d, a, &classes.batch, &classes.a, &classes.inner);
  right = as_matrices (d, b, &classes.batch, &classes.inner, &classes.b);
  product.value = add (d, &(EnsNewNode) {.op = sums ? "MatMul" : "Mul",
                                         .params = sums ? (gconstpointer)&matmul : &mul,
                                         .inputs = {left, right},
                                         .n_inputs = 2});
  product.value = reshape (d, product.value, &shape);
  return product;
}

/* No input takes a diagonal, and no product has too many axes. */
static gboolean
can_decompose (const Decomposition *d)
{
  guint n = 0;

  for (guint i = 0; i < d->einsum.n_inputs; i++)
    if (ens_einsum_repeats (&d->einsum.inputs[i]))
      return FALSE;
  for (guint i = 0; i < ENS_EINSUM_MAX_INDICES; i++)
    n += d->einsum.used[i];
  return n <= ENS_MAX_RANK && ens_shape_elements (&d->node->outputs[0]->shape) > 0;
}

static gboolean
decompose (EnsGraph *graph, EnsNode *node)
{
  Decomposition d = {graph, node};
  g_auto (EnsNodeViews) views = {0};
  Factor factor;

  if (!ens_node_is (node, "Einsum") || node->outputs[0]->constant != NULL)
    return FALSE;
  ens_node_views_init (&views, node);
  if (!ens_einsum_read (&views.operands, &d.einsum, NULL) || !can_decompose (&d))
    return FALSE;
  factor = drop_broadcast (&d, (Factor) {node->inputs[0], d.einsum.inputs[0]});
  factor = drop_alone (&d, factor, NULL, 1);
  for (guint i = 1; i < d.einsum.n_inputs; i++) {
    Factor other = drop_broadcast (&d, (Factor) {node->inputs[i], d.einsum.inputs[i]});

    other = drop_alone (&d, other, &factor.term, i + 1);
    factor = multiply (&d, &factor, &other, i + 1);
    factor = drop_alone (&d, factor, NULL, i + 1);
  }
  ens_graph_replace_uses (graph, node->outputs[0], order (&d, &factor, d.einsum.output.indices));
  return TRUE;
}

gboolean
ens_pass_decompose_einsum (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, decompose);
}
