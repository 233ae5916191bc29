/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Noise functions of the plane, without state: a seed and a point give a value.
 * Value noise and its fractal sum after K. Perlin, "An Image Synthesizer", SIGGRAPH 1985; cells
 * after S. Worley, "A Cellular Texture Basis Function", SIGGRAPH 1996. */
#pragma once

#include <glib.h>

/* White noise of the integer grid, in [0, 1). */
double noise_hash (guint32 seed, int x, int y);
/* Smooth noise with features about 1 unit wide, in [0, 1). */
double noise_value (guint32 seed, double x, double y);
/* Sum of `octaves` noises, each twice as fine and half as strong as the one before, in [0, 1). */
double noise_fractal (guint32 seed, double x, double y, guint octaves);

typedef struct {
  double id;   /* white noise of the nearest cell */
  double edge; /* 0 on the border between two cells, growing inwards */
} NoiseCell;

/* One scattered cell per unit square. */
NoiseCell noise_cell (guint32 seed, double x, double y);
/* 0 below `from`, 1 above `to`, smooth between them. */
double noise_step (double from, double to, double value);
