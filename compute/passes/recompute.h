/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Less memory for a graph with its gradient, by computing values once more instead of keeping them
 * (Chen, Xu, Zhang and Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016). */
#pragma once

#include "graph/graph.h"

/* Cuts the first n_forward nodes, what was there before ens_graph_backward () appended the others,
 * into about n_segments parts. What nodes of the gradient read of a part is computed again, from
 * what the part read, directly before the first of them; of the last part it is kept. Shapes must
 * have been inferred. Results keep their bits.
 *
 * Intermediate values then take about as much memory as the largest part and what parts leave to
 * each other; computing takes up to one more pass forward. */
void ens_graph_recompute (EnsGraph *graph, guint n_forward, guint n_segments);
