/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GridSample and its gradients share: where positions of a grid are on a map. */
#pragma once

#include "ops/operands.h"

#include "push/grid.h"

typedef struct {
  guint mode, padding; /* ENS_GRID_… of push/grid.h */
  gboolean align_corners;
} EnsGridParams;

/* Inputs of all of them. */
enum { ENS_GRID_X, ENS_GRID_POSITIONS };

#define ENS_GRID_MAX_AXES 3
#define ENS_GRID_MAX_CORNERS 64 /* four along each of three axes */

/* The elements of a map that a position's value is a sum of. */
typedef struct {
  guint n;
  gsize at[ENS_GRID_MAX_CORNERS]; /* as rows of channels of X */
  double weight[ENS_GRID_MAX_CORNERS];
  double slope[ENS_GRID_MAX_CORNERS][ENS_GRID_MAX_AXES]; /* of the weight, along each axis of X */
} EnsGridCorners;

/* Axes of the map, along which positions are given. */
guint ens_grid_axes (const EnsOperands *operands);
/* Checks X and the grid; the shape of what is read, Y's. */
gboolean ens_grid_check (const EnsOperands *operands, EnsShape *y, GError **error);
/* Where in the grid the coordinate along an axis of X is, of a pixel of Y. */
gsize ens_grid_offset (const EnsShape *y, gsize pixel, guint axis);
void ens_grid_find_corners (const EnsOperands *operands, const EnsShape *y, gsize pixel,
                            EnsGridCorners *corners);
/* A grid of each image, or the same one for all. */
gboolean ens_grid_per_image (const EnsNode *node);
gboolean ens_grid_gradient (EnsGradient *gradient, GError **error);
