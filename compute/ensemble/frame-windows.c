/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/frame-windows.h"

#include <math.h>

#include "classify/fusion.h"
#include "ensemble/frame-crop.h"
#include "vision/recall.h"

/* Windows are appended sub-image by sub-image. */
typedef struct {
  GArray *windows; /* EnsWindow */
  GArray *first;   /* guint */
  GArray *given;   /* guint */
} Collection;

static Collection
collection_begin (void)
{
  return (Collection) {g_array_new (FALSE, FALSE, sizeof (EnsWindow)),
                       g_array_new (FALSE, TRUE, sizeof (guint)),
                       g_array_new (FALSE, FALSE, sizeof (guint))};
}

static void
collection_next (Collection *collection)
{
  g_array_append_val (collection->first, collection->windows->len);
}

static EnsFrameWindows *
collection_end (Collection *collection)
{
  EnsFrameWindows *windows = g_new0 (EnsFrameWindows, 1);

  windows->n_sub_images = collection->first->len;
  g_array_append_val (collection->first, collection->windows->len);
  windows->first = (guint *)g_array_free (collection->first, FALSE);
  windows->windows = (EnsWindow *)g_array_free (collection->windows, FALSE);
  windows->given = (guint *)g_array_free (collection->given, FALSE);
  return windows;
}

/* A sub-image that begins on an odd pixel is searched from the even one before it, which chroma
 * planes of half the frame's size have a sample for. */
static EnsFramePart
get_part (const EnsFrame *frame, const EnsSubImages *sub_images, guint s)
{
  guint x, y;

  if (s == ens_sub_images_get_map_size (sub_images))
    return (EnsFramePart) {0, 0, frame->width, frame->height};
  x = sub_images->x[s % sub_images->columns];
  y = sub_images->y[s / sub_images->columns];
  return (EnsFramePart) {x - x % 2, y - y % 2, sub_images->width + x % 2,
                         sub_images->height + y % 2};
}

/* Appends the windows that a sub-image had in the frame before. */
static void
append_before (Collection *collection, const EnsFrameWindows *before, guint s)
{
  const guint first = before->first[s], n = before->first[s + 1] - first;

  if (n > 0)
    g_array_append_vals (collection->windows, &before->windows[first], n);
}

EnsFrameWindows *
ens_frame_windows_search (const EnsFrameWindowsSource *source)
{
  const guint n_sub_images = ens_sub_images_get_size (source->sub_images);
  const guint share = source->count > 0 ? MAX (source->count / n_sub_images, 1) : 0;
  Collection collection = collection_begin ();

  for (guint s = 0; s < n_sub_images; s++) {
    EnsFramePart part = get_part (source->frame, source->sub_images, s);
    EnsFrame cut = ens_frame_cut (source->frame, &part);
    const EnsWindow *found;
    guint n = 0;

    collection_next (&collection);
    if (source->still != NULL && source->still[s]) {
      append_before (&collection, source->before, s);
      continue;
    }
    if (share > 0 && !ens_thread_pool_is_cancelled (source->pool))
      n = ens_window_search_run (source->search, &cut, share, source->pool, &found);
    for (guint w = 0; w < n; w++) {
      EnsWindow window = found[w];

      window.rect =
          ens_frame_part_place (&part, source->frame->width, source->frame->height, &found[w].rect);
      g_array_append_val (collection.windows, window);
    }
  }
  return collection_end (&collection);
}

EnsFrameWindows *
ens_frame_windows_given (const EnsSubImages *sub_images, const EnsRect *regions, guint n_regions)
{
  Collection collection = collection_begin ();

  for (guint s = 0; s < ens_sub_images_get_size (sub_images); s++) {
    collection_next (&collection);
    for (guint r = 0; r < n_regions; r++) {
      EnsWindow window = {.rect = regions[r]};

      if (ens_sub_images_find (sub_images, &regions[r]) != s)
        continue;
      g_array_append_val (collection.windows, window);
      g_array_append_val (collection.given, r);
    }
  }
  return collection_end (&collection);
}

EnsFrameWindows *
ens_frame_windows_none (const EnsSubImages *sub_images)
{
  return ens_frame_windows_given (sub_images, NULL, 0);
}

/* ---- The object's window ---- */

/* Log odds below the highest that are near. */
#define NEAR 2.0F

/* Windows count by the square root of their odds: neighbours share most of their pixels, so that
 * theirs are not independent opinions. */
#define TRUST 0.5F

/* Windows that weigh less next to the highest change nothing. */
#define NEGLIGIBLE 1e-3F

/* Windows of this share of what was searched show all of it, and only stand for an object where
 * nothing else does. */
#define WHOLE 0.9F
#define RELUCTANCE 1e-6F

guint
ens_windows_find_object (const EnsWindow *windows, guint n_windows, const EnsRect *within,
                         const float *probabilities, gsize pitch)
{
  g_autofree float *below = g_new (float, n_windows); /* the highest, in log odds */
  const float widest = WHOLE * within->width * within->height;
  float highest = -G_MAXFLOAT, best_overlap = -1;
  guint best = 0;

  for (guint w = 0; w < n_windows; w++) {
    below[w] = ens_log_odds (probabilities[w * pitch]);
    highest = MAX (highest, below[w]);
  }
  for (guint w = 0; w < n_windows; w++)
    below[w] = highest - below[w];
  for (guint w = 0; w < n_windows; w++) {
    float overlap = 0;

    for (guint v = 0; below[w] <= NEAR && v < n_windows; v++) {
      const float weight = expf (-TRUST * below[v]);

      if (weight > NEGLIGIBLE)
        overlap += weight * ens_rect_overlap (&windows[w].rect, &windows[v].rect);
    }
    if (windows[w].rect.width * windows[w].rect.height >= widest)
      overlap *= RELUCTANCE;
    if (below[w] > NEAR || !(overlap > best_overlap))
      continue;
    best_overlap = overlap;
    best = w;
  }
  return best;
}

void
ens_frame_windows_free (EnsFrameWindows *windows)
{
  if (windows == NULL)
    return;
  g_free (windows->windows);
  g_free (windows->first);
  g_free (windows->given);
  g_free (windows);
}
