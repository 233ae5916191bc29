/* Storing a network's numbers in 16 bits, for devices that move or multiply them faster. */
#pragma once

#include "graph/graph.h"

/* The same numbers as FLOAT16, or NULL if one of them does not fit. (transfer full) */
typedef EnsTensor *(*EnsHalveFunc) (gpointer data, EnsTensor *constant);

/* Lets a graph whose load-time passes have run, and whose shapes have not been inferred, compute on
 * float16 throughout: float32 constants are halved by halve (data, …), inputs and outputs
 * converted. sample: a copy of it with types and shapes inferred. FALSE if a constant does not fit;
 * then the graph is of no use any more. */
gboolean ens_graph_store_half (EnsGraph *graph, const EnsGraph *sample, EnsHalveFunc halve,
                               gpointer data);
