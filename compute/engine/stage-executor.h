/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stage of a plan, ready to run: a part of the graph on some images at a time, until the batch is
 * done. With several threads each takes images of its own while there are enough of them, the rest
 * they share layer by layer. */
#pragma once

#include "base/cancel.h"
#include "engine/network.h"
#include "graph/op.h"
#include "passes/stages.h"

typedef struct _EnsStageExecutor EnsStageExecutor;

typedef struct {
  EnsThreadPool *pool;
  EnsPackedWeights *weights;
  GCancellable *cancellable; /* of the planning; may be NULL */
} EnsStageContext;

/* inferred: the graph that was cut, with shapes. (transfer full) */
EnsStageExecutor *ens_stage_executor_new (const EnsStage *stage, const EnsGraph *inferred,
                                          const EnsStageContext *context, GError **error);
void ens_stage_executor_free (EnsStageExecutor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsStageExecutor, ens_stage_executor_free)

gsize ens_stage_executor_get_arena_size (const EnsStageExecutor *self);
/* Executors that the stage has, each with a copy of its graph: at least one. */
guint ens_stage_executor_get_n_copies (const EnsStageExecutor *executor);
guint ens_stage_executor_get_n_steps (const EnsStageExecutor *self);

/* The arrays of the whole batch. */
typedef struct {
  const gconstpointer *inputs; /* of the graph that was cut */
  const gpointer *outputs;
  const gsize *kept; /* by value index of that graph: offset in the arena */
  char *arena;
  GCancellable *cancellable; /* may be NULL */
} EnsStageArrays;

/* times: NULL, or one element for each step, to which times are added, of all threads together. One
 * thread at a time. FALSE if it was cancelled: outputs are undefined then. */
gboolean ens_stage_executor_run (EnsStageExecutor *self, const EnsStageArrays *arrays,
                                 EnsNodeTime *times);
