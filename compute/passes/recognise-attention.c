/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention that files spell out,
 *
 *   softmax (Q · Kᵀ · scale + mask) · V,
 *
 * with any part of the scale in Q, in Kᵀ or in the scores, a scale of each head, up to two masks
 * (window attention adds positions and borders), also one of each window of an image (Liu et al.,
 * "Swin Transformer", 2021), and rows without a number set to 0. Q, K and V are
 * (batch, heads, rows, depth) or (batch, rows, depth). Heads that a Transpose has moved out of the
 * rows are read where they were. */
#include "passes/passes.h"

#include <string.h>

#include "graph/infer.h"
#include "ops/operands.h"
#include "passes/rewrite.h"
#include "push/attention.h"

enum { MAX_MASKS = 2, MAX_STEPS = 4 };

typedef struct {
  const EnsNode *product; /* Q · Kᵀ */
  EnsValue *query, *key, *value;
  gint64 perm[ENS_MAX_RANK]; /* which makes `key` K */
  EnsValue *masks[MAX_MASKS];
  guint n_masks;
  EnsValue *window_mask; /* added to scores of this shape: (images, windows, heads, rows, rows) */
  EnsShape windows;
  EnsValue *head_scale;
  double scale;
} Spelling;

static gboolean
is_product (const EnsNode *node)
{
  return ens_node_is (node, "MatMul") && node->n_inputs == 2
         && ((const EnsMatMulParams *)node->params)->activation.kind == ENS_ACTIVATION_NONE;
}

/* Whether the value broadcasts to the shape without changing it. */
static gboolean
spreads_over (const EnsValue *value, const EnsShape *shape)
{
  EnsShape wide = *shape;

  return value->type == ENS_TYPE_FLOAT32 && value->shape.rank <= shape->rank
         && ens_broadcast (&wide, &value->shape) && ens_shape_equal (&wide, shape);
}

/* One number for each matrix. */
static gboolean
is_head_scale (const EnsValue *value, const EnsShape *scores)
{
  const EnsShape *shape = &value->shape;

  return value->constant != NULL && spreads_over (value, scores) && shape->rank > 2
         && shape->dims[shape->rank - 1] == 1 && shape->dims[shape->rank - 2] == 1;
}

/* Scales, and what they scale: the product. */
static gboolean
read_scaled_product (const EnsGraph *graph, const EnsValue *value, const EnsNode *reader,
                     Spelling *spelling)
{
  while (ens_graph_only_reader (graph, value) == reader) {
    const EnsNode *node = value->producer;
    EnsScaled scaled;

    spelling->product = reader = node;
    if (is_product (node))
      return TRUE;
    if (ens_value_read_scaled (value, &scaled)) {
      spelling->scale *= scaled.number;
      value = scaled.input;
    } else if (ens_node_is_plain (node, ENS_KIND_MULTIPLY) && spelling->head_scale == NULL) {
      guint i = is_head_scale (node->inputs[0], &value->shape) ? 0 : 1;

      spelling->head_scale = node->inputs[i];
      if (!is_head_scale (node->inputs[i], &value->shape)
          || !ens_shape_equal (&node->inputs[1 - i]->shape, &value->shape))
        return FALSE;
      value = node->inputs[1 - i];
    } else
      return FALSE;
  }
  return FALSE;
}

static gboolean read_scores (const EnsGraph *graph, const EnsValue *value, const EnsNode *reader,
                             Spelling *spelling);

/* Reads past a view that nothing else reads; NULL: it is none. */
static EnsValue *
read_view (const EnsGraph *graph, const EnsValue *value, const EnsNode *reader)
{
  const EnsNode *node = value->producer;

  return node != NULL && node->op->kind == ENS_KIND_VIEW && node->n_outputs == 1
                 && ens_graph_only_reader (graph, value) == reader
             ? node->inputs[0]
             : NULL;
}

/* Whether the scores are those of images and windows together. */
static gboolean
joins_windows (const EnsShape *scores, const EnsShape *windows)
{
  return scores->rank == 4 && windows->rank == 5
         && scores->dims[0] == windows->dims[0] * windows->dims[1]
         && memcmp (scores->dims + 1, windows->dims + 2, 3 * sizeof *scores->dims) == 0;
}

/* A mask of windows, between views that tell windows from images and back. */
static gboolean
read_windows (const EnsGraph *graph, const EnsValue *value, const EnsNode *reader,
              Spelling *spelling)
{
  const EnsValue *wide = read_view (graph, value, reader);
  const EnsNode *node = wide != NULL ? wide->producer : NULL;

  if (node == NULL || spelling->window_mask != NULL || !joins_windows (&value->shape, &wide->shape)
      || ens_graph_only_reader (graph, wide) != value->producer
      || !ens_node_is_plain (node, ENS_KIND_ADD))
    return FALSE;
  for (guint i = 0; i < 2; i++) {
    const EnsValue *scores = read_view (graph, node->inputs[i], node);
    EnsValue *mask = node->inputs[1 - i];

    if (scores == NULL || !ens_shape_equal (&scores->shape, &value->shape)
        || !ens_shape_equal (&node->inputs[i]->shape, &wide->shape)
        || !spreads_over (mask, &wide->shape)
        || (mask->shape.rank == 5 && mask->shape.dims[0] != 1))
      continue;
    spelling->window_mask = mask;
    spelling->windows = wide->shape;
    return read_scores (graph, scores, node->inputs[i]->producer, spelling);
  }
  return FALSE;
}

/* Masks, and what they are added to. */
static gboolean
read_scores (const EnsGraph *graph, const EnsValue *value, const EnsNode *reader,
             Spelling *spelling)
{
  const EnsNode *node = value->producer;
  Spelling before = *spelling;

  for (guint i = 0;
       i < 2 && spelling->n_masks < MAX_MASKS && ens_graph_only_reader (graph, value) == reader
       && ens_node_is_plain (node, ENS_KIND_ADD);
       i++) {
    if (spreads_over (node->inputs[1 - i], &value->shape)
        && ens_shape_equal (&node->inputs[i]->shape, &value->shape)) {
      spelling->masks[spelling->n_masks++] = node->inputs[1 - i];
      if (read_scores (graph, node->inputs[i], node, spelling))
        return TRUE;
    }
    *spelling = before;
  }
  if (read_windows (graph, value, reader, spelling))
    return TRUE;
  *spelling = before;
  return read_scaled_product (graph, value, reader, spelling);
}

/* The Softmax of the last axis that the value is, or the value where that is a number and 0 where
 * it is not. */
static const EnsNode *
read_probabilities (const EnsGraph *graph, const EnsValue *value, const EnsNode *reader)
{
  const EnsNode *node = value->producer, *test;
  const EnsSoftmaxParams *params;
  double zero;

  if (ens_graph_only_reader (graph, value) != reader && ens_node_is (node, "Softmax"))
    return NULL;
  if (ens_node_is (node, "Where")) {
    test = node->inputs[0]->producer;
    value = node->inputs[2];
    if (!ens_node_is (test, "IsNaN") || test->inputs[0] != value
        || !ens_value_read_number (node->inputs[1], value->shape.rank, &zero) || zero != 0
        || !ens_graph_is_read_by (graph, value, test, node))
      return NULL;
    node = value->producer;
  }
  if (!ens_node_is (node, "Softmax"))
    return NULL;
  params = node->params;
  return params->axis == -1 || params->axis == (gint64)value->shape.rank - 1 ? node : NULL;
}

static void
read_query (Spelling *spelling)
{
  EnsScaled scaled;

  spelling->query = spelling->product->inputs[0];
  for (guint i = 0; i < MAX_STEPS && ens_value_read_scaled (spelling->query, &scaled); i++) {
    spelling->scale *= scaled.number;
    spelling->query = scaled.input;
  }
}

/* Reads past scales and the Transpose, perhaps also one that had moved the heads. */
static void
read_key (Spelling *spelling)
{
  EnsValue *key = spelling->product->inputs[1];
  guint rank = key->shape.rank;
  gint64 perm[ENS_MAX_RANK] = {0};
  EnsScaled scaled;

  for (guint i = 0; i < rank; i++)
    spelling->perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
  for (guint step = 0; step < MAX_STEPS; step++)
    if (ens_value_read_scaled (key, &scaled)) {
      spelling->scale *= scaled.number;
      key = scaled.input;
    } else if (key->producer != NULL && key->producer->op->kind == ENS_KIND_TRANSPOSE) {
      ens_node_get_perm (key->producer, perm);
      for (guint i = 0; i < rank; i++)
        spelling->perm[i] = perm[spelling->perm[i]];
      key = key->producer->inputs[0];
    }
  spelling->key = key;
}

/* Elements of a mask that is repeated for each image, at most. */
#define MAX_SPREAD (1 << 22)

/* Beside a mask of windows the other one is the same for all of them. */
static gboolean
can_spread (const Spelling *spelling)
{
  const EnsShape *mask = spelling->n_masks > 0 ? &spelling->masks[0]->shape : NULL;

  return spelling->window_mask == NULL
         || (spelling->n_masks < 2 && ens_shape_elements (&spelling->windows) <= MAX_SPREAD
             && (mask == NULL || mask->rank < 4 || mask->dims[0] == 1));
}

/* Images and heads are the same in all factors, and rows are not too long for the shader. */
static gboolean
fits (const Spelling *spelling)
{
  const EnsShape *query = &spelling->product->inputs[0]->shape;
  const EnsShape *key = &spelling->product->inputs[1]->shape, *value = &spelling->value->shape;
  gboolean same = query->rank == key->rank && query->rank == value->rank
                  && (query->rank == 3 || query->rank == 4)
                  && spelling->query->type == ENS_TYPE_FLOAT32 && (float)spelling->scale != 0
                  && ens_shape_elements (query) > 0 && ens_shape_elements (value) > 0;

  for (guint i = 0; same && i < query->rank - 2; i++)
    same = query->dims[i] == key->dims[i] && query->dims[i] == value->dims[i];
  return same && can_spread (spelling) && ens_shape_run (query) <= ENS_ATTENTION_MAX_DEPTH
         && ens_shape_run (value) <= ENS_ATTENTION_MAX_DEPTH;
}

/* Insertion */

typedef struct {
  EnsGraph *graph;
  const EnsNode *before;
} Place;

static EnsValue *
add (const Place *place, const char *op, gconstpointer params, EnsValue *a, EnsValue *b)
{
  EnsNode *node = ens_graph_insert_node (
      place->graph, place->before,
      &(EnsNewNode) {.op = op, .params = params, .inputs = {a, b}, .n_inputs = 2});

  ens_infer_node (node, TRUE, NULL);
  return node->outputs[0];
}

static EnsValue *
expand (const Place *place, EnsValue *value, const EnsShape *shape)
{
  g_autoptr (EnsTensor) list =
      ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (shape->rank), shape->dims);

  return add (place, "Expand", NULL, value, ens_graph_add_constant (place->graph, "shape", list));
}

/* (batch, rows, heads · depth) of the value in the order of these axes if all that they do is to
 * move the heads, else the value in this order. */
static EnsValue *
gather_heads (const Place *place, EnsValue *value, const gint64 *perm)
{
  static const gint64 moves_heads[] = {0, 2, 1, 3};
  const gint64 *dims = value->shape.dims;

  if (value->shape.rank == 4 && memcmp (perm, moves_heads, sizeof moves_heads) == 0) {
    const EnsShape rows = ENS_SHAPE (dims[0], dims[1], dims[2] * dims[3]);
    EnsValue *before = ens_value_find_view (value, &rows);

    return before != NULL ? before
                          : ens_graph_insert_reshape (place->graph, place->before, value, &rows);
  }
  return ens_graph_insert_transpose (place->graph, place->before, value, perm);
}

static EnsValue *
gather_heads_of (const Place *place, EnsValue *value)
{
  gint64 perm[ENS_MAX_RANK] = {0};

  if (value->producer == NULL || value->producer->op->kind != ENS_KIND_TRANSPOSE)
    return value;
  ens_node_get_perm (value->producer, perm);
  return gather_heads (place, value->producer->inputs[0], perm);
}

/* The mask of windows with the other one, for each window of each image. */
static EnsValue *
spread_mask (const Place *place, const Spelling *spelling, EnsValue *mask)
{
  EnsValue *sum = spelling->window_mask;
  EnsShape shape = ENS_SHAPE (1, 1, 1, 1, 1);

  if (mask != NULL) {
    for (guint i = 0; i < MIN (mask->shape.rank, 3); i++)
      shape.dims[4 - i] = mask->shape.dims[mask->shape.rank - 1 - i];
    mask = ens_graph_insert_reshape (place->graph, place->before, mask, &shape);
    sum = add (place, "Add", &(const EnsBinaryParams) {0}, sum, mask);
  }
  for (guint i = 0; i < 5; i++)
    shape.dims[i] = i + sum->shape.rank < 5 ? 1 : sum->shape.dims[i + sum->shape.rank - 5];
  sum = ens_graph_insert_reshape (place->graph, place->before, sum, &shape);
  shape.dims[0] = spelling->windows.dims[0];
  shape.dims[1] = spelling->windows.dims[1];
  if (!ens_shape_equal (&shape, &sum->shape))
    sum = expand (place, sum, &shape);
  return ens_graph_insert_reshape (
      place->graph, place->before, sum,
      &ENS_SHAPE (shape.dims[0] * shape.dims[1], shape.dims[2], shape.dims[3], shape.dims[4]));
}

/* One mask for (batch, heads, queries, keys). */
static EnsValue *
make_mask (const Place *place, const Spelling *spelling)
{
  EnsValue *mask = spelling->masks[0];
  const gint64 *dims;

  if (spelling->n_masks == 2)
    mask = add (place, "Add", &(const EnsBinaryParams) {0}, mask, spelling->masks[1]);
  if (spelling->window_mask != NULL)
    return spread_mask (place, spelling, mask);
  dims = mask != NULL ? mask->shape.dims : NULL;
  if (mask != NULL && mask->shape.rank == 3 && spelling->product->inputs[0]->shape.rank == 3)
    mask = ens_graph_insert_reshape (place->graph, place->before, mask,
                                     &ENS_SHAPE (dims[0], 1, dims[1], dims[2]));
  return mask;
}

static EnsValue *
attend (const Place *place, const Spelling *spelling)
{
  const EnsShape *shape = &spelling->product->inputs[0]->shape;
  gint64 heads = shape->rank == 4 ? shape->dims[1] : 1;
  const EnsAttentionParams params = {.before = -1,
                                     .behind = -1,
                                     .heads = heads,
                                     .key_heads = heads,
                                     .scale = (float)spelling->scale};
  EnsValue *mask = make_mask (place, spelling), *query = spelling->query;
  EnsNode *node;

  if (spelling->head_scale != NULL)
    query = add (place, "Mul", &(const EnsBinaryParams) {0}, query, spelling->head_scale);
  else
    query = gather_heads_of (place, query);
  node = ens_graph_insert_node (
      place->graph, place->before,
      &(EnsNewNode) {.op = "Attention",
                     .params = &params,
                     .inputs = {query, gather_heads (place, spelling->key, spelling->perm),
                                gather_heads_of (place, spelling->value), mask},
                     .n_inputs = mask != NULL ? 4 : 3});
  ens_infer_node (node, FALSE, NULL);
  return node->outputs[0];
}

/* As the product gave it. */
static EnsValue *
separate_heads (const Place *place, EnsValue *value, const EnsShape *shape)
{
  const gint64 *dims = shape->dims;

  if (value->shape.rank == shape->rank)
    return value;
  value = ens_graph_insert_reshape (place->graph, place->before, value,
                                    &ENS_SHAPE (dims[0], dims[2], dims[1], dims[3]));
  return ens_graph_insert_transpose (place->graph, place->before, value,
                                     (const gint64[]) {0, 2, 1, 3});
}

static gboolean
recognise (EnsGraph *graph, EnsNode *node)
{
  const Place place = {graph, node};
  const EnsNode *softmax =
      is_product (node) ? read_probabilities (graph, node->inputs[0], node) : NULL;
  Spelling spelling = {.scale = 1};
  EnsValue *output;

  if (softmax == NULL || !read_scores (graph, softmax->inputs[0], softmax, &spelling))
    return FALSE;
  spelling.value = node->inputs[1];
  read_query (&spelling);
  read_key (&spelling);
  if (!fits (&spelling))
    return FALSE;
  output = separate_heads (&place, attend (&place, &spelling), &node->outputs[0]->shape);
  ens_graph_replace_uses (graph, node->outputs[0], output);
  return TRUE;
}

gboolean
ens_pass_recognise_attention (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, recognise);
}
