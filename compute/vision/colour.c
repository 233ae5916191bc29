/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sources: ITU-R BT.601-7 and BT.709-6 (luma weights, quantisation of limited range); JPEG File
 * Interchange Format 1.02 (full range). */
#include "vision/colour.h"

#include <string.h>

#include "vision/pixel-layout.h"

static const double luma_weights[][3] = {
    [ENS_COLOR_MATRIX_BT601] = {0.299, 0.587, 0.114},
    [ENS_COLOR_MATRIX_BT709] = {0.2126, 0.7152, 0.0722},
};

typedef double Affine[3][4];

static void
init_identity (Affine map)
{
  memset (map, 0, sizeof (Affine));
  for (guint c = 0; c < 3; c++)
    map[c][c] = 1;
}

/* Stored Y'CbCr to full range, chroma still around 128. */
static void
init_full_range (Affine map, EnsRange range)
{
  init_identity (map);
  if (range == ENS_RANGE_FULL)
    return;
  map[0][0] = 255.0 / 219;
  map[0][3] = -16 * map[0][0];
  for (guint c = 1; c < 3; c++) {
    map[c][c] = 255.0 / 224;
    map[c][3] = 128 - 128 * map[c][c];
  }
}

static void
init_ycbcr_to_rgb (Affine map, EnsColorMatrix matrix)
{
  double kr = luma_weights[matrix][0], kg = luma_weights[matrix][1], kb = luma_weights[matrix][2];
  const double chroma[3][2] = {
      {0, 2 * (1 - kr)},
      {-2 * (1 - kb) * kb / kg, -2 * (1 - kr) * kr / kg},
      {2 * (1 - kb), 0},
  };

  for (guint c = 0; c < 3; c++) {
    map[c][0] = 1;
    map[c][1] = chroma[c][0];
    map[c][2] = chroma[c][1];
    map[c][3] = -128 * (chroma[c][0] + chroma[c][1]);
  }
}

static void
init_rgb_to_ycbcr (Affine map)
{
  const double *k = luma_weights[ENS_COLOR_MATRIX_BT601];

  for (guint c = 0; c < 3; c++) {
    map[0][c] = k[c];
    map[1][c] = ((c == 2) - k[c]) / (2 * (1 - k[2]));
    map[2][c] = ((c == 0) - k[c]) / (2 * (1 - k[0]));
  }
  map[0][3] = 0;
  map[1][3] = map[2][3] = 128;
}

/* first, then second */
static void
compose (Affine result, Affine second, Affine first)
{
  for (guint r = 0; r < 3; r++)
    for (guint c = 0; c < 4; c++) {
      result[r][c] = c == 3 ? second[r][3] : 0;
      for (guint k = 0; k < 3; k++)
        result[r][c] += second[r][k] * first[k][c];
    }
}

/* A gray frame is all luma: its components are three times the same byte, of which the maps read
 * the first. */
static void
init_stored_to_ycbcr (Affine map, const EnsFrame *frame)
{
  switch (ens_pixels_layouts[frame->pixels].model) {
  case ENS_MODEL_RGB:
    init_rgb_to_ycbcr (map);
    break;
  case ENS_MODEL_YCBCR:
    init_full_range (map, frame->range);
    break;
  case ENS_MODEL_GRAY:
    init_full_range (map, frame->range);
    for (guint c = 1; c < 3; c++) {
      map[c][c] = 0;
      map[c][3] = 128;
    }
    break;
  }
}

static void
init_stored_to_rgb (Affine map, const EnsFrame *frame)
{
  Affine ycbcr, rgb;

  if (ens_pixels_layouts[frame->pixels].model == ENS_MODEL_RGB) {
    init_identity (map);
    return;
  }
  init_stored_to_ycbcr (ycbcr, frame);
  init_ycbcr_to_rgb (rgb, frame->matrix);
  compose (map, rgb, ycbcr);
}

static void
set_row (EnsColourMap *map, guint output, const double row[4])
{
  for (guint c = 0; c < 4; c++)
    map->matrix[output][c] = (float)row[c];
}

void
ens_colour_map_init (EnsColourMap *map, const EnsFrame *frame, const EnsNormalise *normalise)
{
  Affine affine;

  if (normalise->order == ENS_ORDER_GRAY)
    init_stored_to_ycbcr (affine, frame);
  else
    init_stored_to_rgb (affine, frame);
  map->n_outputs = ens_order_channels (normalise->order);
  for (guint c = 0; c < map->n_outputs; c++) {
    set_row (map, c, affine[normalise->order == ENS_ORDER_BGR ? 2 - c : c]);
    map->mean[c] = normalise->mean[c];
    map->scale[c] = normalise->scale[c];
  }
}

void
ens_colour_map_init_ycbcr (EnsColourMap *map, const EnsFrame *frame)
{
  Affine affine;

  init_stored_to_ycbcr (affine, frame);
  map->n_outputs = 3;
  for (guint c = 0; c < 3; c++) {
    set_row (map, c, affine[c]);
    map->mean[c] = 0;
    map->scale[c] = 1;
  }
}

/* The inverse of the linear part, by minors. */
static void
invert (Affine map, float inverse[3][3])
{
  double determinant = 0;

  for (guint r = 0; r < 3; r++)
    for (guint c = 0; c < 3; c++) {
      guint r1 = (c + 1) % 3, r2 = (c + 2) % 3, c1 = (r + 1) % 3, c2 = (r + 2) % 3;
      double minor = map[r1][c1] * map[r2][c2] - map[r1][c2] * map[r2][c1];

      inverse[r][c] = (float)minor;
      determinant += r == 0 ? map[c][0] * minor : 0;
    }
  for (guint i = 0; i < 9; i++)
    inverse[i / 3][i % 3] = (float)(inverse[i / 3][i % 3] / determinant);
}

void
ens_colour_get_changes (const EnsFrame *frame, float matrix[3][3])
{
  const double *luma = luma_weights[ENS_COLOR_MATRIX_BT601];
  Affine map;

  if (ens_pixels_layouts[frame->pixels].model == ENS_MODEL_GRAY) {
    init_full_range (map, frame->range);
    memset (matrix, 0, 9 * sizeof matrix[0][0]);
    for (guint c = 0; c < 3; c++)
      matrix[0][c] = (float)(luma[c] / map[0][0]);
    return;
  }
  init_stored_to_rgb (map, frame);
  invert (map, matrix);
}
