/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory planning: the address of every value of a graph with concrete shapes.
 *
 * Values that live at the same time get different places in one arena. Values that hold the same
 * elements share a place: views, what an operator computes in place, the parts of a concatenation
 * (which their producers write straight into the whole) and of a split.
 *
 * Offsets: greedy by size, Pisarchyk and Lee, “Efficient Memory Management for Deep Neural Net
 * Inference”, 2020, https://arxiv.org/abs/2001.03288 */
#pragma once

#include "graph/op.h"

typedef enum {
  ENS_PLACE_ARENA,    /* index: private */
  ENS_PLACE_INPUT,    /* the caller's array for the graph's input `index` */
  ENS_PLACE_OUTPUT,   /* the caller's array for the graph's output `index` */
  ENS_PLACE_CONSTANT, /* the data of the constant whose value has this index */
} EnsPlaceKind;

typedef struct {
  EnsPlaceKind kind;
  guint index;
  gsize offset; /* bytes */
  gint64 pitch; /* elements from one run of the last dimension to the next */
} EnsPlace;

typedef struct {
  guint n_values, n_nodes;
  EnsPlace *places; /* by value index */
  gboolean *skip;   /* by node position: the outputs are in place already, nothing is to be run */
  gsize *scratch;   /* by node position: offset in the arena, bytes */
  gsize arena_size; /* bytes */
  /*< private >*/
  struct _EnsMemoryClass *classes;
  guint *times; /* by node position: when it runs */
} EnsMemoryPlan;

/* Decides what shares memory and with which pitch; the graph's shapes must have been inferred. A
 * graph output whose place is not its own array (because it is an input, a constant or another
 * output too) has to be copied there after the last node; it is dense. (transfer full) */
EnsMemoryPlan *ens_memory_plan_new (const EnsGraph *graph);
/* The same where nodes of one level run side by side: none of them gets memory that another one
 * still uses. levels: by node position, never falling; NULL: each node by itself. */
EnsMemoryPlan *ens_memory_plan_new_by_level (const EnsGraph *graph, const guint *levels);
void ens_memory_plan_free (EnsMemoryPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsMemoryPlan, ens_memory_plan_free)

/* Gives everything in the arena its offset, and each node scratch_sizes[position] bytes of scratch
 * memory while it runs. Offsets are multiples of 64. Called once. */
void ens_memory_plan_lay_out (EnsMemoryPlan *plan, const gsize *scratch_sizes);

/* Goes through the laid-out plan node by node, independently of how it was made: FALSE, with names,
 * if something would be overwritten before its last use or lies outside the arena. */
gboolean ens_memory_plan_check (const EnsMemoryPlan *plan, const EnsGraph *graph,
                                const gsize *scratch_sizes, GError **error);
