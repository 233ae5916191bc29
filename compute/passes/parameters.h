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
 * were equal before training; matrices and filters stay shared, as networks share them on purpose.
 * (element-type EnsGraphParameter) (transfer full) */
GArray *ens_graph_find_parameters (EnsGraph *graph);

/* Makes a constant an input, the graph's last one, of the same name. (transfer full) */
EnsTensor *ens_graph_free_constant (EnsGraph *graph, EnsValue *value);
/* Makes an input a constant. */
void ens_graph_bind_input (EnsGraph *graph, EnsValue *value, EnsTensor *tensor);
