/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the positions of a network's dense map lie in its input, and how pictures are divided into
 * training sub-images (M1.10).
 *
 * A network made for inputs of size S gives, applied convolutionally to a larger input, a map whose
 * position (row, column) stands for the square of size S at (column · s, row · s). */
#pragma once

#include <ensemble/rect.h>

#include "base/error.h"
#include "graph/graph.h"

G_BEGIN_DECLS

typedef struct {
  guint size;          /* S: what the network was made for, and a position stands for; the input's
                        * where the map never grows */
  guint input;         /* height and width of the input */
  guint rows, columns; /* of the map */
  double spacing;      /* s, in pixels of the input */
  gboolean is_linear;  /* the map grows by one position every s pixels; else positions are taken to
                        * lie evenly */
} EnsDenseMap;

/* Finds the map of a network's first output for square inputs of size `input` ≥ size, by inferring
 * shapes alone. FALSE with ENS_ERROR_SHAPE if the network does not take such inputs. */
gboolean ens_dense_map_find (const EnsGraph *graph, guint size, guint input, EnsDenseMap *map,
                             GError **error);
/* What a position stands for, in coordinates 0 … 1 of the input. */
EnsRect ens_dense_map_get_rect (const EnsDenseMap *map, guint row, guint column);

/* A side that is meant for networks of 224 × 224 in proportion for one of size S, to the nearest
 * multiple of 32, at least that. */
guint ens_scale_side (guint side, guint size);

/* The size of training sub-images for a network of size S: 256 in proportion, or S where that is
 * smaller. */
guint ens_sub_image_size (guint size);
/* Squares along the longer side of a picture whose shorter one they are as large as, `step` pixels
 * apart, the last one at the end: how many, and where the i-th begins. */
guint ens_sub_image_count (guint longer, guint size, guint step);
guint ens_sub_image_offset (guint longer, guint size, guint step, guint i);

G_END_DECLS
