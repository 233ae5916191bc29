/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The constants of a graph that training changes. */
#pragma once

#include "graph/op.h"

/* A constant in the place where a node reads it: node->inputs[input]. */
typedef struct {
  EnsNode *node;
  guint input;
  EnsParameterKind kind;
} EnsGraphParameter;

/* All of them, in the order of the nodes (EnsOp.parameters), each constant once. Vectors that
 * several nodes have in common become one each, because exporters and importers merge those that
 * were equal before training; matrices and filters stay shared, as networks share them on purpose,
 * and with them the biases of the same nodes: a network that is embedded twice is trained as one.
 * (element-type EnsGraphParameter) (transfer full) */
GArray *ens_graph_find_parameters (EnsGraph *graph);

/* Makes a constant an input, the graph's last one, of the same name. (transfer full) */
EnsTensor *ens_graph_free_constant (EnsGraph *graph, EnsValue *value);
/* Makes an input a constant again. */
void ens_graph_bind_input (EnsGraph *graph, EnsValue *value, EnsTensor *tensor);

/* Rewrites of a graph for training. Only nodes for which is_chosen () holds are changed. */
typedef gboolean (*EnsNodeFunc) (const EnsNode *node, gpointer data);

/* BatchNormalization → BatchNormalizationTraining. */
void ens_graph_train_batch_norm (EnsGraph *graph, float momentum, EnsNodeFunc is_chosen,
                                 gpointer data);
/* Dropout → Mul by a new input, one for each, that is to be 0 where a number is dropped and
 * 1 / (1 − ratio) where it is kept (Srivastava et al., "Dropout", JMLR 2014). Shapes must have been
 * inferred. Returns the ratios (element-type float). (transfer full) */
GArray *ens_graph_train_dropout (EnsGraph *graph, EnsNodeFunc is_chosen, gpointer data);
