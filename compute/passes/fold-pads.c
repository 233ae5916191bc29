/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "ops/pad.h"
#include "passes/rewrite.h"

/* Whether zeroes are added, and to the spatial axes of (N, spatial …, C) alone. */
static gboolean
pads_space_with_zeroes (const EnsPadParams *params)
{
  if (params->mode != ENS_PAD_CONSTANT || params->value != 0 || params->rank < 3
      || params->rank > ENS_MAX_SPATIAL + 2)
    return FALSE;
  for (guint i = 0; i < params->rank; i++) {
    gboolean spatial = i > 0 && i < params->rank - 1;

    if (params->begin[i] < 0 || params->end[i] < 0
        || (!spatial && (params->begin[i] > 0 || params->end[i] > 0)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_no_pads (const EnsSliding *sliding)
{
  for (guint i = 0; i < sliding->rank; i++)
    if (sliding->pads_begin[i] != 0 || sliding->pads_end[i] != 0)
      return FALSE;
  return TRUE;
}

/* The sliding of a node that can pad by itself, or NULL. */
static EnsSliding *
get_sliding (EnsNode *node)
{
  EnsSliding *sliding = NULL;

  if (ens_node_is (node, "Conv")) {
    sliding = &((EnsConvParams *)node->params)->sliding;
  } else if (ens_node_is (node, "AveragePool")) {
    EnsPoolParams *params = node->params;

    /* It counts either all of its padding or none. */
    if (!params->ceil_mode && has_no_pads (&params->sliding))
      sliding = &params->sliding;
  }
  if (sliding == NULL
      || (sliding->auto_pad != ENS_AUTO_PAD_NOTSET && sliding->auto_pad != ENS_AUTO_PAD_VALID))
    return NULL;
  return sliding;
}

static gboolean
fold (EnsGraph *graph, EnsNode *pad)
{
  EnsPadParams params;
  EnsNode *reader;
  EnsSliding *sliding;

  if (!ens_node_is (pad, "Pad") || !ens_pad_read (pad, &params)
      || !pads_space_with_zeroes (&params))
    return FALSE;
  reader = ens_graph_only_reader (graph, pad->outputs[0]);
  sliding = reader != NULL ? get_sliding (reader) : NULL;
  if (sliding == NULL || reader->inputs[0] != pad->outputs[0])
    return FALSE;
  if (sliding->auto_pad == ENS_AUTO_PAD_VALID)
    for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
      sliding->pads_begin[i] = sliding->pads_end[i] = 0;
  sliding->auto_pad = ENS_AUTO_PAD_NOTSET;
  sliding->rank = params.rank - 2;
  for (guint i = 0; i < sliding->rank; i++) {
    sliding->pads_begin[i] += params.begin[i + 1];
    sliding->pads_end[i] += params.end[i + 1];
  }
  if (ens_node_is (reader, "AveragePool"))
    ((EnsPoolParams *)reader->params)->count_include_pad = TRUE;
  ens_node_set_input (graph, reader, 0, pad->inputs[0]);
  ens_graph_drop_node (graph, pad);
  return TRUE;
}

gboolean
ens_pass_fold_pads (EnsGraph *graph)
{
  return ens_graph_rewrite_backwards (graph, fold);
}
