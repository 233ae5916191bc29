/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which sizes of images a network takes, as far as trying tells: a file that declares one size may
 * be sound for all, and one that leaves it open for one alone. */
#pragma once

#include "graph/graph.h"

typedef struct {
  guint height, width; /* the only ones it takes; 0: others, too */
  guint min_side;      /* else: the smallest of both, at least 1 … */
  guint step;          /* … from which on sides may grow by multiples of this */
} EnsMemberGeometry;

/* Of a graph from images to (N, n_features), which takes `nominal`; its first dimension is the
 * batch to try with. */
EnsMemberGeometry ens_member_find_geometry (const EnsGraph *body, const EnsShape *nominal,
                                            guint n_features);

static inline gboolean
ens_member_geometry_is_fixed (const EnsMemberGeometry *geometry)
{
  return geometry->height > 0;
}

/* The nearest height and width (dims[1], dims[2]) that the network takes. */
void ens_member_geometry_fit (const EnsMemberGeometry *geometry, EnsShape *shape);
/* Whether images with this shorter side are taken as they are. If not, *reason says what is wrong,
 * as in “takes images of 224x224 pixels alone”. reason: NULL, or to be freed. */
gboolean ens_member_geometry_takes (const EnsMemberGeometry *geometry, guint side, char **reason);
/* "takes images of …", for people. (transfer full) */
char *ens_member_geometry_describe (const EnsMemberGeometry *geometry);
