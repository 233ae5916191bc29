/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Pad between two Transposes goes before both, which then join or cancel: networks whose padding
 * depends on the size of the image (“same” as TensorFlow counts it) pad between convolutions in the
 * file's order of axes, and only when the size is known do the pads, too. */
#include "passes/passes.h"

#include "graph/infer.h"
#include "ops/pad.h"
#include "passes/rewrite.h"

static gboolean
is_transpose (const EnsNode *node)
{
  return node != NULL && node->op->kind == ENS_KIND_TRANSPOSE;
}

/* The pads of what the Transpose reads. */
static EnsPadParams
permute (const EnsPadParams *pads, const gint64 *perm)
{
  EnsPadParams before = *pads;

  for (guint i = 0; i < pads->rank; i++) {
    before.begin[perm[i]] = pads->begin[i];
    before.end[perm[i]] = pads->end[i];
  }
  return before;
}

static gboolean
move (EnsGraph *graph, EnsNode *pad)
{
  const EnsNode *transpose = pad->inputs[0]->producer;
  gint64 perm[ENS_MAX_RANK] = {0};
  EnsPadParams params;
  EnsNode *moved;

  if (!ens_node_is (pad, "Pad") || !is_transpose (transpose)
      || !is_transpose (ens_graph_only_reader (graph, pad->outputs[0]))
      || !ens_type_fuses (pad->inputs[0]->type) || !ens_pad_read (pad, &params))
    return FALSE;
  ens_node_get_perm (transpose, perm);
  params = permute (&params, perm);
  moved = ens_graph_insert_node (
      graph, pad,
      &(EnsNewNode) {
          .op = "Pad", .params = &params, .inputs = {transpose->inputs[0]}, .n_inputs = 1});
  ens_infer_node (moved, TRUE, NULL);
  ens_graph_rename_node (graph, moved, pad->name);
  ens_graph_replace_uses (graph, pad->outputs[0],
                          ens_graph_insert_transpose (graph, pad, moved->outputs[0], perm));
  return TRUE;
}

gboolean
ens_pass_move_pads (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, move);
}
