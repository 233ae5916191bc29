/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tiles of pixels: sums over all pixels, by channel, are made of sums over so many of them as fit a
 * cache, and these put together in order, so that bits do not depend on the number of threads. */
#pragma once

#include "ops/operands.h"

/* Elements of a tile. */
#define ENS_PIXEL_TILE 16384

typedef struct {
  gsize pixels, channels;
  gsize tile_pixels, n_tiles; /* the last tile may be smaller */
} EnsPixelTiles;

static inline EnsPixelTiles
ens_pixel_tiles (const EnsView *x)
{
  EnsPixelTiles tiles = {.pixels = ens_view_rows (x), .channels = ens_view_columns (x)};

  tiles.tile_pixels = MAX (ENS_PIXEL_TILE / MAX (tiles.channels, 1), 1);
  tiles.n_tiles = (tiles.pixels + tiles.tile_pixels - 1) / tiles.tile_pixels;
  return tiles;
}

static inline gsize
ens_pixel_tile_size (const EnsPixelTiles *tiles, gsize tile)
{
  return MIN (tiles->tile_pixels, tiles->pixels - tile * tiles->tile_pixels);
}

/* The first pixel of a tile of float32. */
static inline float *
ens_pixel_tile_start (const EnsView *view, const EnsPixelTiles *tiles, gsize tile)
{
  return (float *)view->data + tile * tiles->tile_pixels * (gsize)view->pitch;
}
