/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of graphs share. */
#pragma once

#include "graph/graph.h"

/* As ens_graph_add_node (), but the node is not among the graph's nodes yet. */
EnsNode *ens_graph_make_node (EnsGraph *graph, const EnsOp *op, const char *name,
                              gconstpointer params, EnsValue *const *inputs, guint n_inputs,
                              guint n_outputs);
/* Tells an edit in progress of a node that has been added. */
void ens_graph_note_node (EnsGraph *graph, EnsNode *node);
void ens_node_free (gpointer node);
