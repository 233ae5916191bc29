/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a graph with concrete shapes on the CPU.
 *
 * Everything is decided when the executor is made: which kernel runs each node, where each value
 * lies, how much scratch memory the kernels get. Running can't fail. */
#pragma once

#include "graph/node-time.h"
#include "graph/op.h"

typedef struct _EnsExecutor EnsExecutor;

/* Takes the graph over; its shapes must have been inferred. NULL if there is no memory for packed
 * weights, or it was cancelled, which is looked at for each node. (transfer full) */
EnsExecutor *ens_executor_new (EnsGraph *graph, EnsThreadPool *pool, EnsPackedWeights *weights,
                               GCancellable *cancellable, GError **error);
void ens_executor_free (EnsExecutor *executor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsExecutor, ens_executor_free)

const EnsGraph *ens_executor_get_graph (const EnsExecutor *executor);
/* Bytes that running needs, 64-byte aligned. */
gsize ens_executor_get_arena_size (const EnsExecutor *executor);
/* Nodes that do something. */
guint ens_executor_get_n_steps (const EnsExecutor *executor);

/* Dense arrays of the graph's input and output shapes; outputs must overlap nothing else. times:
 * NULL, or one element for each step, to which its time is added. FALSE if it was cancelled, which
 * is looked at between nodes and between the tasks of each: outputs are undefined then. One thread
 * at a time. */
gboolean ens_executor_run (EnsExecutor *executor, const gconstpointer *inputs,
                           const gpointer *outputs, gpointer arena, EnsNodeTime *times,
                           GCancellable *cancellable);
