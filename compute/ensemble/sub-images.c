/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/sub-images.h"

#include <math.h>

const char *const ens_sub_images_names[] = {"auto", "off", "on", "both", NULL};

/* How many sub-images of `side` pixels cover `length` pixels. */
static guint
count_along (guint length, guint side, double overlap)
{
  if (length <= side)
    return 1;
  return 1 + (guint)ceil ((length - side) / (side * (1 - overlap)));
}

/* The smallest side from `side` on of which no more than `count` sub-images are needed. */
static guint
choose_side (guint side, double overlap, guint count, guint width, guint height)
{
  guint too_small = side - 1, large_enough = MAX (side, MAX (width, height));

  while (large_enough - too_small > 1) {
    guint middle = too_small + (large_enough - too_small) / 2;
    guint64 n =
        (guint64)count_along (width, middle, overlap) * count_along (height, middle, overlap);

    if (n > count)
      too_small = middle;
    else
      large_enough = middle;
  }
  return large_enough;
}

static guint
largest_scale (const EnsBundle *bundle)
{
  guint largest = 1;

  for (guint n = 0; n < bundle->n_networks; n++)
    largest = MAX (largest, bundle->networks[n].scales[bundle->networks[n].n_scales - 1]);
  return largest;
}

static gboolean
is_large (const EnsSubImageSettings *settings, guint width, guint height)
{
  double side = (double)settings->size * settings->large_from;

  return settings->size > 0 && (double)width * height >= side * side;
}

/* `n` parts of `part` pixels, spread over `length` pixels from edge to edge. (transfer full) */
static guint *
spread (guint n, guint part, guint length)
{
  guint *begin = g_new0 (guint, n);

  for (guint i = 1; i < n; i++)
    begin[i] = (guint)(((guint64)(length - part) * i + (n - 1) / 2) / (n - 1));
  return begin;
}

static EnsSubImages *
divide (guint width, guint height, guint side, double overlap)
{
  EnsSubImages *sub_images = g_new0 (EnsSubImages, 1);
  guint n;

  sub_images->columns = count_along (width, side, overlap);
  sub_images->rows = count_along (height, side, overlap);
  sub_images->width = MIN (side, width);
  sub_images->height = MIN (side, height);
  sub_images->x = spread (sub_images->columns, sub_images->width, width);
  sub_images->y = spread (sub_images->rows, sub_images->height, height);
  n = ens_sub_images_get_map_size (sub_images);
  sub_images->rects = g_new (EnsRect, n + 1);
  for (guint s = 0; s < n; s++)
    sub_images->rects[s] = (EnsRect) {
        (float)sub_images->x[s % sub_images->columns] / width,
        (float)sub_images->y[s / sub_images->columns] / height,
        (float)sub_images->width / width,
        (float)sub_images->height / height,
    };
  sub_images->rects[n] = ENS_RECT_WHOLE;
  return sub_images;
}

EnsSubImages *
ens_sub_images_new (const EnsBundle *bundle, const EnsAnalyseOptions *options, guint width,
                    guint height)
{
  const EnsSubImageSettings *settings = &bundle->sub_images;
  guint side = settings->size > 0 ? settings->size : largest_scale (bundle);
  guint count = options->max_sub_images > 0 ? options->max_sub_images : settings->count;
  EnsSubImages *sub_images;

  if (options->sub_images == ENS_SUB_IMAGES_OFF
      || (options->sub_images != ENS_SUB_IMAGES_ON && !is_large (settings, width, height)))
    side = MAX (width, height);
  else
    side = choose_side (side, settings->overlap, count, width, height);
  sub_images = divide (width, height, side, settings->overlap);
  sub_images->with_whole =
      options->sub_images == ENS_SUB_IMAGES_BOTH && ens_sub_images_get_map_size (sub_images) > 1;
  return sub_images;
}

void
ens_sub_images_free (EnsSubImages *sub_images)
{
  if (sub_images == NULL)
    return;
  g_free (sub_images->x);
  g_free (sub_images->y);
  g_free (sub_images->rects);
  g_free (sub_images);
}

double
ens_sub_images_count_pixels (const EnsSubImages *sub_images, EnsWindowsPreset preset,
                             const gboolean *still)
{
  /* The last sub-images end where the frame does. */
  const guint width = sub_images->x[sub_images->columns - 1] + sub_images->width;
  const guint height = sub_images->y[sub_images->rows - 1] + sub_images->height;
  const guint n_map = ens_sub_images_get_map_size (sub_images);
  double pixels = 0;

  for (guint s = 0; s < ens_sub_images_get_size (sub_images); s++)
    if (still == NULL || !still[s])
      pixels += ens_windows_preset_count_pixels (preset, s < n_map ? sub_images->width : width,
                                                 s < n_map ? sub_images->height : height);
  return pixels;
}

/* Parts of one size lie in order: the first whose distance from `centre` no later one beats. */
static guint
find_nearest (const guint *begin, guint n, guint part, double centre)
{
  guint nearest = 0;

  for (guint i = 1; i < n; i++)
    if (fabs (begin[i] + part / 2.0 - centre) < fabs (begin[nearest] + part / 2.0 - centre))
      nearest = i;
  return nearest;
}

guint
ens_sub_images_find (const EnsSubImages *sub_images, const EnsRect *region)
{
  /* The last sub-images end where the frame does. */
  double width = sub_images->x[sub_images->columns - 1] + sub_images->width;
  double height = sub_images->y[sub_images->rows - 1] + sub_images->height;
  guint column = find_nearest (sub_images->x, sub_images->columns, sub_images->width,
                               (region->x + region->width / 2.0) * width);
  guint row = find_nearest (sub_images->y, sub_images->rows, sub_images->height,
                            (region->y + region->height / 2.0) * height);

  return row * sub_images->columns + column;
}
