/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* EnsOp.per_image () of operators that have it in common. */
#pragma once

#include "graph/op.h"

/* The axis, which counts from the end if it is negative, is the batch of input 0. */
gboolean ens_axis_is_batch (const EnsNode *node, gint64 axis);

/* Input 0 is a batch by definition, (N, spatial …, C), or its elements stay in order. Further
 * inputs have to be constants. */
gboolean ens_per_image_with_constants (const EnsNode *node);
/* Expand and Tile: input 0 is a batch, or a constant that is repeated for each image. */
gboolean ens_per_image_repeated (const EnsNode *node);
/* Elementwise operators that broadcast: no constant has images of its own, and what has images has
 * them first. */
gboolean ens_per_image_elementwise (const EnsNode *node);
