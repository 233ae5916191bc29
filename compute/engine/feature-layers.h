/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layers of a network whose outputs can serve as features. */
#pragma once

#include "graph/graph.h"

typedef struct {
  const EnsValue *value; /* of the graph */
  EnsShape shape;        /* at the sizes asked for: (N, h, w, channels) or (N, channels) */
  guint channels;
  guint distance; /* layers from here to an output: 0 is an output, 1 the last but one … */
  /* What the output depends on does not all pass through here, as within a residual block, a gate
   * or the branches of a concatenation. */
  gboolean is_bypassed;
} EnsFeatureLayer;

/* Whether it makes probabilities of what a classifier says of its labels: a softmax, or a sigmoid
 * at the output. */
gboolean ens_node_is_label_function (const EnsGraph *graph, const EnsNode *node);

/* All results of layers that are float32 maps or vectors, in order of computation. A layer is a
 * convolution, a product, a pooling, a sum, a concatenation, a label function; batch normalisation
 * and activation behind it belong to it (the feature is their output) if nothing else reads it, and
 * reshaping is no layer.
 * input_shapes: concrete ones, in order. Returns an array of EnsFeatureLayer. (transfer container)
 */
GArray *ens_graph_list_feature_layers (const EnsGraph *graph, const EnsShape *input_shapes,
                                       GError **error);
