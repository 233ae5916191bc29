/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Edges of pictures and lines of maps, one pixel thin.
 *
 * Planes are height × width floats without gaps; beyond their borders the outermost values go on.
 *
 * Source: J. Canny, A Computational Approach to Edge Detection, PAMI 1986. */
#pragma once

#include <glib.h>

#include "vision/frame.h"

G_BEGIN_DECLS

typedef struct {
  guint width, height;
  float *values;
} EnsPlane;

/* Of zeroes. */
void ens_plane_init (EnsPlane *plane, guint width, guint height);
void ens_plane_clear (EnsPlane *plane);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsPlane, ens_plane_clear)

/* The frame's luma, 0 … 1, at its own size. The plane is made. */
void ens_plane_init_luma (EnsPlane *plane, const EnsFrame *frame);

/* Smooths in place by a Gaussian of this standard deviation in pixels, cut off at 3 of them. */
void ens_plane_blur (EnsPlane *plane, double deviation);
/* A smoothed copy; it is made. */
void ens_plane_copy_blurred (const EnsPlane *plane, double deviation, EnsPlane *copy);

/* Ridges of a map: where the value, after smoothing, is the highest across the direction in which
 * the map bends downwards most; near the plane's border that direction is uncertain. thin: the
 * map's own value there, 0 elsewhere; made. */
void ens_lines_thin (const EnsPlane *map, double deviation, EnsPlane *thin);

/* The gradient's magnitude after smoothing where it is the highest along the gradient, 0 elsewhere.
 * thin: made. */
void ens_gradient_thin (const EnsPlane *picture, double deviation, EnsPlane *thin);

/* Canny's hysteresis for n thresholds at once, i / (n + 1) for i = 1 … n: the highest threshold at
 * which a pixel is found, 0 where none is. It is found if it is connected to one that reaches the
 * threshold by pixels that reach `low` times the threshold. thin: 0 … 1. Made. */
void ens_canny_thresholds (const EnsPlane *thin, double low, guint n, EnsPlane *found);

G_END_DECLS
