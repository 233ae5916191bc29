/* Which nodes treat the images of a batch one by one. */
#pragma once

#include "graph/op.h"

/* For a graph with concrete shapes whose inputs are batches of as many images (first dimension):
 * by node position, whether each image of the node's outputs depends on the same image of its
 * inputs alone, so that the node may be run on parts of the batch. Nodes whose outputs are known
 * (arithmetic of shapes) count as such. (transfer full) */
gboolean *ens_graph_find_per_image (const EnsGraph *graph, gint64 batch);
