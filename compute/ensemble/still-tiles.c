/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/still-tiles.h"

#include <string.h>

#include "vision/block-means.h"
#include "vision/picture.h"
#include "vision/pixel-layout.h"

#define MAX_PLANES 3

/* Sub-images and their windows are placed by floats: pixels next to them may just be touched. */
#define MARGIN 2

/* What has to be the same for anything to be reused. Compared as bytes. */
typedef struct {
  EnsFrame frame; /* without its pixels */
  guint n_scales, scales[ENS_MAX_SCALES];
  gint windows;
  gboolean given;
  EnsSubImagesMode sub_images;
  guint max_sub_images, max_scales;
  const EnsStyle *style;
  float tolerance;
  guint stretch;
} Key;

/* Means of all planes of one sub-image, of the frame that its values come from. */
typedef struct {
  EnsBlockMeans planes[MAX_PLANES];
} TileMeans;

struct _EnsStillTiles {
  Key key, wanted; /* of what is kept, and of the frame that is being analysed */
  EnsStyle *style; /* kept, so that no other one has its address */
  gboolean valid, reuse;
  guint n; /* sub-images */
  gboolean *still;
  EnsFramePart *parts;
  EnsTileValues values;
  EnsPicture *pixels;        /* where unchanged pixels count */
  TileMeans *kept, *current; /* where a tolerance does; n_kept, n_current of them */
  guint n_kept, n_current;
};

void
ens_tile_values_clear (EnsTileValues *values)
{
  g_clear_pointer (&values->windows, ens_frame_windows_free);
  g_clear_pointer (&values->probabilities, g_free);
  g_clear_pointer (&values->window_values, g_free);
  g_clear_pointer (&values->similarities, g_free);
  g_clear_pointer (&values->window_similarities, g_free);
}

EnsStillTiles *
ens_still_tiles_new (void)
{
  return g_new0 (EnsStillTiles, 1);
}

static void
clear_means (TileMeans **means, guint *n)
{
  for (guint i = 0; i < *n; i++)
    for (guint p = 0; p < MAX_PLANES; p++)
      ens_block_means_clear (&(*means)[i].planes[p]);
  g_clear_pointer (means, g_free);
  *n = 0;
}

void
ens_still_tiles_free (EnsStillTiles *tiles)
{
  if (tiles == NULL)
    return;
  ens_tile_values_clear (&tiles->values);
  clear_means (&tiles->kept, &tiles->n_kept);
  clear_means (&tiles->current, &tiles->n_current);
  g_clear_pointer (&tiles->pixels, ens_picture_unref);
  g_clear_pointer (&tiles->style, ens_style_unref);
  g_free (tiles->still);
  g_free (tiles->parts);
  g_free (tiles);
}

/* ---- Where ---- */

static void
make_key (Key *key, const EnsFrame *frame, const EnsAnalyseOptions *options)
{
  memset (key, 0, sizeof *key);
  key->frame.pixels = frame->pixels;
  key->frame.width = frame->width;
  key->frame.height = frame->height;
  key->frame.matrix = frame->matrix;
  key->frame.range = frame->range;
  key->n_scales = options->n_scales;
  if (options->n_scales > 0)
    memcpy (key->scales, options->scales, options->n_scales * sizeof *key->scales);
  key->windows = options->windows;
  key->given = options->regions != NULL;
  key->sub_images = options->sub_images;
  key->max_sub_images = options->max_sub_images;
  key->max_scales = options->max_scales;
  key->style = options->style;
  key->tolerance = options->tile_tolerance;
  key->stretch = options->stretch;
}

/* A sub-image with its margin, from an even pixel on. */
static EnsFramePart
find_part (const EnsFrame *frame, const EnsSubImages *sub_images, guint s)
{
  guint left, top, right, bottom;

  if (s == ens_sub_images_get_map_size (sub_images))
    return (EnsFramePart) {0, 0, frame->width, frame->height};
  left = sub_images->x[s % sub_images->columns];
  top = sub_images->y[s / sub_images->columns];
  right = MIN (left + sub_images->width + MARGIN, frame->width);
  bottom = MIN (top + sub_images->height + MARGIN, frame->height);
  left = left > MARGIN ? (left - MARGIN) / 2 * 2 : 0;
  top = top > MARGIN ? (top - MARGIN) / 2 * 2 : 0;
  return (EnsFramePart) {left, top, right - left, bottom - top};
}

static void
set_geometry (EnsStillTiles *tiles, const EnsFrame *frame, const EnsSubImages *sub_images)
{
  tiles->n = ens_sub_images_get_size (sub_images);
  tiles->still = g_renew (gboolean, tiles->still, tiles->n);
  tiles->parts = g_renew (EnsFramePart, tiles->parts, tiles->n);
  for (guint s = 0; s < tiles->n; s++) {
    tiles->still[s] = FALSE;
    tiles->parts[s] = find_part (frame, sub_images, s);
  }
}

/* ---- Unchanged pixels ---- */

static gboolean
has_same_pixels (const EnsFrame *a, const EnsFrame *b)
{
  for (guint p = 0; p < ens_pixels_planes (a->pixels); p++) {
    const gsize n = ens_pixels_row_bytes (a->pixels, p, a->width);

    for (guint y = 0; y < ens_pixels_rows (a->pixels, p, a->height); y++)
      if (memcmp (a->planes[p] + y * a->strides[p], b->planes[p] + y * b->strides[p], n) != 0)
        return FALSE;
  }
  return TRUE;
}

static void
keep_pixels (EnsStillTiles *tiles, const EnsFrame *frame)
{
  EnsPicture *kept = tiles->pixels;

  if (kept == NULL || kept->frame.pixels != frame->pixels || kept->frame.width != frame->width
      || kept->frame.height != frame->height) {
    g_clear_pointer (&tiles->pixels, ens_picture_unref);
    kept = tiles->pixels = ens_picture_new (frame->pixels, frame->width, frame->height);
  }
  for (guint p = 0; p < ens_pixels_planes (frame->pixels); p++) {
    const gsize n = ens_pixels_row_bytes (frame->pixels, p, frame->width);
    guint8 *to = ens_picture_get_pixels (kept, p);

    for (guint y = 0; y < ens_pixels_rows (frame->pixels, p, frame->height); y++)
      memcpy (to + y * kept->frame.strides[p], frame->planes[p] + y * frame->strides[p], n);
  }
}

/* ---- Pixels that have changed little ---- */

static void
measure_tiles (EnsStillTiles *tiles, const EnsFrame *frame)
{
  if (tiles->n_current != tiles->n) {
    clear_means (&tiles->current, &tiles->n_current);
    tiles->current = g_new0 (TileMeans, tiles->n);
    tiles->n_current = tiles->n;
  }
  for (guint s = 0; s < tiles->n; s++) {
    const EnsFrame cut = ens_frame_cut (frame, &tiles->parts[s]);

    for (guint p = 0; p < ens_pixels_planes (frame->pixels); p++)
      ens_block_means_run (&cut, p, &tiles->current[s].planes[p]);
  }
}

static gboolean
have_changed_little (const TileMeans *a, const TileMeans *b, guint n_planes, float tolerance)
{
  for (guint p = 0; p < n_planes; p++) {
    const gsize n = (gsize)a->planes[p].columns * a->planes[p].rows;

    for (gsize i = 0; i < n; i++)
      if ((float)ens_block_means_difference (&a->planes[p], &b->planes[p], i)
          > tolerance * ENS_BLOCK_UNIT)
        return FALSE;
  }
  return TRUE;
}

/* Means of sub-images that were still stay those of the frame that their values are of, so that
 * slow changes add up. */
static void
keep_means (EnsStillTiles *tiles)
{
  if (tiles->n_kept != tiles->n) {
    clear_means (&tiles->kept, &tiles->n_kept);
    tiles->kept = g_new0 (TileMeans, tiles->n);
    tiles->n_kept = tiles->n;
  }
  for (guint s = 0; s < tiles->n; s++) {
    const TileMeans kept = tiles->kept[s];

    if (tiles->still[s])
      continue;
    tiles->kept[s] = tiles->current[s];
    tiles->current[s] = kept;
  }
}

/* ---- Which are still ---- */

static gboolean
is_still (const EnsStillTiles *tiles, const EnsFrame *frame, guint s)
{
  if (tiles->wanted.tolerance > 0) {
    return have_changed_little (&tiles->kept[s], &tiles->current[s],
                                ens_pixels_planes (frame->pixels), tiles->wanted.tolerance);
  } else {
    const EnsFrame now = ens_frame_cut (frame, &tiles->parts[s]);
    const EnsFrame before = ens_frame_cut (&tiles->pixels->frame, &tiles->parts[s]);

    return has_same_pixels (&now, &before);
  }
}

/* Together they cover the frame. */
static void
require_all (EnsStillTiles *tiles)
{
  gboolean all = TRUE;

  for (guint s = 0; s < tiles->n; s++)
    all = all && tiles->still[s];
  for (guint s = 0; s < tiles->n; s++)
    tiles->still[s] = all;
}

const gboolean *
ens_still_tiles_find (EnsStillTiles *tiles, const EnsFrame *frame, const EnsSubImages *sub_images,
                      const EnsAnalyseOptions *options)
{
  /* Pixels that a GPU reads where they are would have to be read here only for this. */
  tiles->reuse = options->reuse && frame->n_dma_bufs == 0;
  set_geometry (tiles, frame, sub_images);
  if (!tiles->reuse) {
    tiles->valid = FALSE;
    return tiles->still;
  }
  make_key (&tiles->wanted, frame, options);
  if (options->tile_tolerance > 0)
    measure_tiles (tiles, frame);
  if (!tiles->valid || memcmp (&tiles->key, &tiles->wanted, sizeof tiles->key) != 0)
    return tiles->still;
  for (guint s = 0; s < tiles->n; s++)
    tiles->still[s] = is_still (tiles, frame, s);
  if (options->style != NULL)
    require_all (tiles);
  return tiles->still;
}

/* ---- What they have ---- */

const EnsFrameWindows *
ens_still_tiles_get_windows (const EnsStillTiles *tiles)
{
  return tiles->values.windows;
}

/* From one matrix of `rows` rows of n_classes to another one. */
static void
copy_rows (const float *from, guint from_first, float *to, guint to_first, guint rows,
           guint n_classes)
{
  if (from != NULL && to != NULL && rows > 0)
    memcpy (&to[(gsize)to_first * n_classes], &from[(gsize)from_first * n_classes],
            (gsize)rows * n_classes * sizeof *to);
}

static void
restore_windows (const EnsTileValues *before, EnsTileValues *values, guint s)
{
  const guint n_before = ens_frame_windows_get_size (before->windows);
  const guint n = ens_frame_windows_get_size (values->windows);
  const guint from = before->windows->first[s], to = values->windows->first[s];
  const guint rows = values->windows->first[s + 1] - to;

  for (guint i = 0; i < values->n_window_networks; i++)
    copy_rows (before->window_values, i * n_before + from, values->window_values, i * n + to, rows,
               values->n_classes);
  copy_rows (before->window_similarities, from, values->window_similarities, to, rows,
             values->n_classes);
}

void
ens_still_tiles_restore (const EnsStillTiles *tiles, EnsTileValues *values, gboolean with_windows)
{
  const EnsTileValues *before = &tiles->values;

  for (guint s = 0; s < tiles->n; s++) {
    if (!tiles->still[s])
      continue;
    for (guint n = 0; n < values->n_networks; n++)
      copy_rows (before->probabilities, n * tiles->n + s, values->probabilities, n * tiles->n + s,
                 1, values->n_classes);
    copy_rows (before->similarities, s, values->similarities, s, 1, values->n_classes);
    if (with_windows)
      restore_windows (before, values, s);
  }
}

void
ens_still_tiles_keep (EnsStillTiles *tiles, const EnsFrame *frame, EnsTileValues *values)
{
  ens_tile_values_clear (&tiles->values);
  tiles->values = *values;
  *values = (EnsTileValues) {0};
  if (!tiles->reuse) {
    ens_tile_values_clear (&tiles->values);
    return;
  }
  if (tiles->wanted.tolerance > 0)
    keep_means (tiles);
  else
    keep_pixels (tiles, frame);
  if (tiles->wanted.style != tiles->style) {
    g_clear_pointer (&tiles->style, ens_style_unref);
    if (tiles->wanted.style != NULL)
      tiles->style = ens_style_ref ((EnsStyle *)tiles->wanted.style);
  }
  tiles->key = tiles->wanted;
  tiles->valid = TRUE;
}
