/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/frame-crop.h"

#include <math.h>

/* Where the pixels from `begin` to `end` (both normalised) lie on a side of `length`. */
static void
find_span (float begin, float end, guint length, guint *first, guint *size)
{
  guint from = (guint)lrint ((double)CLAMP (begin, 0, 1) * length);
  guint to = (guint)lrint ((double)CLAMP (end, 0, 1) * length);

  from = MIN (from, length - 1) / 2 * 2;
  *first = from;
  *size = MAX (to, from + 1) - from;
}

EnsFramePart
ens_frame_crop_find_part (const EnsRect *rect, guint width, guint height)
{
  EnsFramePart part;

  find_span (rect->x, rect->x + rect->width, width, &part.x, &part.width);
  find_span (rect->y, rect->y + rect->height, height, &part.y, &part.height);
  return part;
}

/* FALSE if nothing of the region is in the part. */
static gboolean
move_into (const EnsFrameCrop *crop, const EnsRect *region, EnsRect *moved)
{
  const EnsFramePart *part = &crop->part;
  const float scale_x = (float)crop->width / part->width;
  const float scale_y = (float)crop->height / part->height;
  float left = region->x * scale_x - (float)part->x / part->width;
  float top = region->y * scale_y - (float)part->y / part->height;
  float right = fminf (left + region->width * scale_x, 1);
  float bottom = fminf (top + region->height * scale_y, 1);

  left = fmaxf (left, 0);
  top = fmaxf (top, 0);
  *moved = (EnsRect) {left, top, right - left, bottom - top};
  return moved->width > 0 && moved->height > 0;
}

static void
move_regions (EnsFrameCrop *crop)
{
  EnsAnalyseOptions *options = &crop->options;
  guint n = 0;

  crop->regions = g_new (EnsRect, options->n_regions);
  if (options->origins != NULL)
    crop->origins = g_new (EnsRegionOrigin, options->n_regions);
  for (guint r = 0; r < options->n_regions; r++) {
    if (!move_into (crop, &options->regions[r], &crop->regions[n]))
      continue;
    if (crop->origins != NULL)
      crop->origins[n] = options->origins[r];
    n++;
  }
  options->regions = crop->regions;
  options->origins = crop->origins;
  options->n_regions = n;
}

void
ens_frame_crop_init (EnsFrameCrop *crop, const EnsFrame *frame, const EnsAnalyseOptions *options)
{
  *crop = (EnsFrameCrop) {.frame = *frame,
                          .options = *options,
                          .part = {0, 0, frame->width, frame->height},
                          .width = frame->width,
                          .height = frame->height};
  if (options->crop.width <= 0 || options->crop.height <= 0)
    return;
  crop->part = ens_frame_crop_find_part (&options->crop, frame->width, frame->height);
  crop->frame = ens_frame_cut (frame, &crop->part);
  if (options->n_regions > 0)
    move_regions (crop);
}

void
ens_frame_crop_clear (EnsFrameCrop *crop)
{
  g_clear_pointer (&crop->regions, g_free);
  g_clear_pointer (&crop->origins, g_free);
}

static void
place_map (const EnsFrameCrop *crop, EnsProbabilityMap *map)
{
  const EnsFramePart *part = &crop->part;
  EnsRect placed = {0, 0, map->width, map->height};

  for (guint i = 0; i < map->columns; i++)
    map->x[i] =
        ens_frame_part_place (part, crop->width, crop->height, &(EnsRect) {map->x[i], 0, 0, 0}).x;
  for (guint i = 0; i < map->rows; i++)
    map->y[i] =
        ens_frame_part_place (part, crop->width, crop->height, &(EnsRect) {0, map->y[i], 0, 0}).y;
  placed = ens_frame_part_place (part, crop->width, crop->height, &placed);
  map->width = placed.width;
  map->height = placed.height;
}

void
ens_frame_crop_place_result (const EnsFrameCrop *crop, EnsResult *result)
{
  if (crop->part.width == crop->width && crop->part.height == crop->height)
    return;
  for (guint w = 0; w < result->n_windows; w++)
    result->windows[w].rect =
        ens_frame_part_place (&crop->part, crop->width, crop->height, &result->windows[w].rect);
  if (result->map != NULL)
    place_map (crop, result->map);
  result->width = crop->width;
  result->height = crop->height;
}
