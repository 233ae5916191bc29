/* Storing a network's numbers in 16 bits, for devices that move or multiply them faster. */
#pragma once

#include "graph/graph.h"

typedef struct {
  /* Gives the same numbers as FLOAT16, or NULL if one of them does not fit. (transfer full) */
  EnsTensor *(*to_float16) (gpointer data, EnsTensor *constant);
  gpointer data;
  /* Names of values that are not to be stored in 16 bits: a node that reads or writes one computes
   * with 32, and so does one whose constants do not fit. Or NULL. */
  GHashTable *float32_values;
  /* Names of nodes that compute with 32 bits for another reason. Or NULL. */
  GHashTable *float32_nodes;
} EnsFloat16Policy;

/* The last rewrite of a graph with concrete shapes: all of its float32 values become float16, but
 * for those that can't be, with Casts in between. So do inputs; outputs stay what they are. Nodes
 * that compute with 32 bits because of a constant are named in the log. */
void ens_graph_store_float16 (EnsGraph *graph, const EnsFloat16Policy *float16);
