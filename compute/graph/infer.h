/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Types, shapes and, where all inputs are known, contents of a node's outputs. */
#pragma once

#include "graph/op.h"

/* A node's operands as shape () sees them, beside its values. */
typedef struct {
  EnsOperands operands;
  /*< private >*/
  EnsView *views; /* inputs, then outputs */
  const EnsView **inputs;
  EnsView **outputs;
} EnsNodeViews;

void ens_node_views_init (EnsNodeViews *node_views, const EnsNode *node);
void ens_node_views_clear (EnsNodeViews *node_views);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsNodeViews, ens_node_views_clear)

/* Floating-point operations of a node whose shapes are known; 0: nothing worth counting. */
double ens_node_count_flops (const EnsNode *node);
/* ens_op_count_steps () of such a node. */
double ens_node_count_steps (const EnsNode *node);

/* Infers one node from its inputs' shapes and constants. Afterwards each output has its type and
 * shape, and `constant` if `fold` is set and the contents can be known (all inputs constant, or an
 * operator that reads shapes alone). */
gboolean ens_infer_node (EnsNode *node, gboolean fold, GError **error);

/* Sets the shapes of the graph's inputs (in order) and infers every node in turn, folding. Outputs
 * of folded nodes become constants; the nodes themselves are left for ens_graph_remove_unused ().
 */
gboolean ens_infer_graph (EnsGraph *graph, const EnsShape *input_shapes, GError **error);

/* Whether each node's outputs have the types and shapes that its inputs give them. Executors ask
 * before they trust a graph: what a pass changed wrongly is an error there, and is never run. */
gboolean ens_graph_check_inferred (const EnsGraph *graph, GError **error);
