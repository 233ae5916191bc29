/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Split along an axis that a Transpose has moved to the front, as of queries, keys and values
 * that one product gives: before the Transpose the parts are columns, of which no copy is made. */
#include "passes/passes.h"

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/rewrite.h"

typedef struct {
  EnsGraph *graph;
  EnsNode *split;
  EnsValue *input; /* of the Transpose */
  gint64 perm[ENS_MAX_RANK];
  guint axis; /* of the input, along which it is split */
} Early;

static gboolean
has_parts_of_one (const EnsNode *split)
{
  for (guint i = 0; i < split->n_outputs; i++)
    if (split->outputs[i]->shape.dims[0] != 1)
      return FALSE;
  return TRUE;
}

static gboolean
find_early (EnsGraph *graph, EnsNode *split, Early *early)
{
  const EnsSplitParams *params = split->params;
  const EnsNode *transpose = ens_node_is (split, "Split") ? split->inputs[0]->producer : NULL;
  const EnsShape *shape;

  if (transpose == NULL || transpose->op->kind != ENS_KIND_TRANSPOSE
      || ens_graph_only_reader (graph, split->inputs[0]) != split)
    return FALSE;
  shape = &split->inputs[0]->shape;
  *early = (Early) {graph, split, transpose->inputs[0]};
  ens_node_get_perm (transpose, early->perm);
  early->axis = (guint)early->perm[0];
  return (params->axis == 0 || params->axis == -(gint64)shape->rank) && early->axis > 0
         && early->axis + 1 < shape->rank && ens_shape_elements (shape) > 0
         && has_parts_of_one (split);
}

/* The input with its axes from the split one on as one: parts are columns. */
static EnsValue *
split_columns (const Early *early)
{
  EnsShape shape = early->input->shape;
  const EnsSplitParams params = {.axis = early->axis};
  EnsValue *rows;
  EnsNode *split;

  shape.dims[early->axis] = ens_shape_span (&shape, early->axis, shape.rank);
  shape.rank = early->axis + 1;
  rows = ens_value_find_view (early->input, &shape);
  if (rows == NULL)
    rows = ens_graph_insert_reshape (early->graph, early->split, early->input, &shape);
  split = ens_graph_insert_node (
      early->graph, early->split,
      &(EnsNewNode) {.op = "Split", .params = &params, .inputs = {rows}, .n_inputs = 1});
  ens_graph_change_node (early->graph, split, split->op, &params, early->split->n_outputs);
  ens_infer_node (split, TRUE, NULL);
  return split->outputs[0];
}

/* A part in the order that the Transpose gave it. */
static EnsValue *
transpose_part (const Early *early, EnsValue *part)
{
  EnsShape shape = early->input->shape;
  gint64 perm[ENS_MAX_RANK] = {0};

  for (guint i = early->axis; i + 1 < shape.rank; i++)
    shape.dims[i] = shape.dims[i + 1];
  shape.rank--;
  for (guint i = 0; i < shape.rank; i++)
    perm[i] = early->perm[i + 1] - (early->perm[i + 1] > early->axis ? 1 : 0);
  part = ens_graph_insert_reshape (early->graph, early->split, part, &shape);
  return ens_graph_insert_transpose (early->graph, early->split, part, perm);
}

/* Also of what only takes away the axis of length 1. */
static void
replace_part (const Early *early, guint i, EnsValue *part)
{
  EnsValue *old = early->split->outputs[i];
  const EnsNode *reader = ens_graph_only_reader (early->graph, old);

  if (reader != NULL && reader->op->kind == ENS_KIND_VIEW
      && ens_shape_equal (&reader->outputs[0]->shape, &part->shape))
    ens_graph_replace_uses (early->graph, reader->outputs[0], part);
  else
    ens_graph_replace_uses (
        early->graph, old,
        ens_graph_insert_reshape (early->graph, early->split, part, &old->shape));
}

static gboolean
split_early (EnsGraph *graph, EnsNode *node)
{
  const EnsNode *split;
  Early early;

  if (!find_early (graph, node, &early))
    return FALSE;
  split = split_columns (&early)->producer;
  for (guint i = 0; i < node->n_outputs; i++)
    replace_part (&early, i, transpose_part (&early, split->outputs[i]));
  return TRUE;
}

gboolean
ens_pass_split_early (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, split_early);
}
