/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/augment-geometry.h"
#include "vision/augment-pixels.h"
#include "vision/pixel-layout.h"

#include <math.h>

static void
flip_rows (float *values, guint width, guint height, guint n_channels)
{
  for (guint y = 0; y < height; y++, values += (gsize)width * n_channels)
    for (guint left = 0, right = width - 1; left < right; left++, right--)
      for (guint c = 0; c < n_channels; c++) {
        float *a = values + (gsize)left * n_channels + c, value = *a;
        float *b = values + (gsize)right * n_channels + c;

        *a = *b;
        *b = value;
      }
}

static void
warp (const EnsAugmentation *augmentation, const EnsWarp *warp, float *out)
{
  if (ens_augmentation_is_upright (augmentation)) {
    ens_warp_rect (warp, &augmentation->view, out);
    if (ens_augmentation_has (augmentation, ENS_AUGMENT_FLIP))
      flip_rows (out, warp->width, warp->height, ens_order_channels (warp->normalise->order));
  } else {
    EnsAffine affine = ens_augmentation_get_affine (augmentation);

    ens_warp_affine (warp, &affine, out);
  }
}

/* Where channel c of a network's order lies among RGB or gray. */
static guint
find_channel (EnsOrder order, guint c)
{
  return order == ENS_ORDER_BGR ? 2 - c : c;
}

static void
normalise_pixels (const EnsNormalise *normalise, EnsPixelValues *pixels)
{
  const gsize n = (gsize)pixels->width * pixels->height;

  for (gsize i = 0; i < n; i++) {
    float *pixel = pixels->values + i * pixels->n_channels;
    const float in[3] = {pixel[0], pixel[1 % pixels->n_channels], pixel[2 % pixels->n_channels]};

    for (guint c = 0; c < pixels->n_channels; c++)
      pixel[c] =
          (in[find_channel (normalise->order, c)] - normalise->mean[c]) * normalise->scale[c];
  }
}

void
ens_augment_frame (const EnsAugmentation *augmentation, const EnsFrame *frame, guint width,
                   guint height, const EnsNormalise *normalise, float *out)
{
  const gboolean gray = normalise->order == ENS_ORDER_GRAY;
  const EnsNormalise plain = {gray ? ENS_ORDER_GRAY : ENS_ORDER_RGB, {0}, {1, 1, 1}};
  EnsPixelValues pixels = {width, height, ens_order_channels (plain.order), out};
  float mean[3];

  g_return_if_fail (ens_frame_validate (frame, NULL));
  g_return_if_fail (width > 0 && height > 0);
  for (guint c = 0; c < pixels.n_channels; c++)
    mean[find_channel (normalise->order, c)] = normalise->mean[c];
  warp (augmentation, &(EnsWarp) {frame, width, height, &plain, mean}, out);
  ens_augmentation_change_pixels (augmentation, &pixels);
  normalise_pixels (normalise, &pixels);
}

void
ens_augment_intensities (const EnsAugmentation *augmentation, const EnsFrame *map, guint width,
                         guint height, float *out)
{
  static const EnsNormalise normalise = {ENS_ORDER_GRAY, {0}, {1 / 255.0F}};
  static const float beyond = 0;
  EnsFrame full = *map;

  g_return_if_fail (ens_frame_validate (map, NULL) && map->pixels == ENS_PIXELS_GRAY8);
  g_return_if_fail (width > 0 && height > 0);
  full.range = ENS_RANGE_FULL;
  warp (augmentation, &(EnsWarp) {&full, width, height, &normalise, &beyond}, out);
}

void
ens_augment_labels (const EnsAugmentation *augmentation, const EnsFrame *map, guint width,
                    guint height, guint8 beyond, guint8 *out)
{
  const EnsAffine affine = ens_augmentation_get_affine (augmentation);

  g_return_if_fail (ens_frame_validate (map, NULL) && map->pixels == ENS_PIXELS_GRAY8);
  g_return_if_fail (width > 0 && height > 0);
  for (guint row = 0; row < height; row++)
    for (guint column = 0; column < width; column++) {
      const double u = (column + 0.5) / width, v = (row + 0.5) / height;
      const double x = floor ((affine.x[0] * u + affine.x[1] * v + affine.x[2]) * map->width);
      const double y = floor ((affine.y[0] * u + affine.y[1] * v + affine.y[2]) * map->height);

      *out++ = x >= 0 && x < map->width && y >= 0 && y < map->height
                   ? map->planes[0][(gsize)y * map->strides[0] + (gsize)x]
                   : beyond;
    }
}
