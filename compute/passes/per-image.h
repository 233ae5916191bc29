/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which nodes treat the images of a batch one by one. */
#pragma once

#include "graph/op.h"

/* The first dimension of the inputs of a graph with concrete shapes: images in the batch. 0 if
 * inputs differ. */
gint64 ens_graph_get_batch (const EnsGraph *graph);

/* For such a graph: by node position, whether each image of the node's outputs depends on the same
 * image of the graph's inputs alone, so that the node may be run on parts of the batch. Images may
 * be several rows, such as their windows, and not along the first axis. Nodes whose outputs are
 * known (arithmetic of shapes) count as such; those that compute with how many images there are
 * don't. batches (NULL: not asked for): set by value index, whether the value's first axis is that
 * of images. (transfer full) */
gboolean *ens_graph_find_per_image (const EnsGraph *graph, gint64 batch, gboolean *batches);

/* Whether that holds for all nodes, and all outputs are batches of images. */
gboolean ens_graph_is_per_image (const EnsGraph *graph, gint64 batch);

/* How many images at a time a graph has to be given for inputs of these shapes: 0 for all of them,
 * or as many as its inputs declare where it has that number written into it (a token that is
 * repeated once for each image, a Reshape to so many), and would fail with another number, or mix
 * images. */
guint ens_graph_find_group (const EnsGraph *graph, const EnsShape *input_shapes);
