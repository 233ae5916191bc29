/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "graph/infer.h"

typedef gboolean (*Pass) (EnsGraph *graph);

/* Activations come before factors: a half of Gelu's is not to be folded into what reads it. */
static const Pass load_passes[] = {
    ens_pass_fold_constants, ens_pass_remove_identities, ens_pass_recognise_activation,
    ens_pass_gather_factors, ens_pass_fold_pads,         ens_pass_fold_batch_norm,
    ens_pass_fold_scale,     ens_pass_pool_early,        NULL};

static const Pass plan_passes[] = {ens_pass_remove_copies,
                                   ens_pass_decompose_einsum,
                                   ens_pass_move_pads,
                                   ens_pass_remove_transposes,
                                   ens_pass_fold_pads,
                                   ens_pass_split_early,
                                   ens_pass_recognise_attention,
                                   ens_pass_recognise_normalization,
                                   ens_pass_recognise_activation,
                                   ens_pass_fuse_bias,
                                   ens_pass_fuse_residual,
                                   ens_pass_fuse_activation,
                                   NULL};

/* Runs the passes in turn until none finds anything. */
static gboolean
run_passes (EnsGraph *graph, const Pass *passes, GError **error)
{
  gboolean progress;

  do {
    progress = FALSE;
    for (guint i = 0; passes[i] != NULL; i++) {
      if (!passes[i](graph))
        continue;
      progress = TRUE;
      ens_graph_remove_unused (graph);
      if (!ens_graph_validate (graph, error))
        return FALSE;
    }
  } while (progress);
  return TRUE;
}

gboolean
ens_passes_load (EnsGraph *graph, GError **error)
{
  if (!ens_graph_validate (graph, error))
    return FALSE;
  ens_graph_remove_unused (graph);
  return run_passes (graph, load_passes, error);
}

gboolean
ens_passes_plan (EnsGraph *graph, const EnsShape *input_shapes, GError **error)
{
  if (!ens_infer_graph (graph, input_shapes, error))
    return FALSE;
  ens_graph_remove_unused (graph);
  return run_passes (graph, plan_passes, error);
}
