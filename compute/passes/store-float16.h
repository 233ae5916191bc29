/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* float16 storage of a network's values, for devices that move or multiply them faster. */
#pragma once

#include "graph/graph.h"

typedef struct {
  /* Converts a constant to float16; NULL if a number overflows. (transfer full) */
  EnsTensor *(*to_float16) (gpointer data, EnsTensor *constant);
  gpointer data;
  /* Names of values that stay float32: a node that reads or writes one computes in float32, and so
   * does a node whose constants overflow. Or NULL. */
  GHashTable *float32_values;
  /* Names of nodes that compute in float32 for another reason. Or NULL. */
  GHashTable *float32_nodes;
} EnsFloat16Policy;

/* The last rewrite of a graph with concrete shapes: its float32 values and inputs become float16,
 * except those that can't, with Casts in between; outputs keep their types. The log names nodes
 * that compute in float32 because of a constant. */
void ens_graph_store_float16 (EnsGraph *graph, const EnsFloat16Policy *float16);
