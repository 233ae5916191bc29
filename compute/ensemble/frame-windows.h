/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The windows of a frame (M1.7): proposed by selective search in each of its sub-images, or
 * given. */
#pragma once

#include "ensemble/sub-images.h"

typedef struct {
  EnsWindow *windows; /* on the frame; by sub-image, the best of each first */
  guint *first;       /* of each sub-image, and behind the last one how many there are */
  guint n_sub_images;
  guint *given; /* of windows that were given, which region each is; NULL: they were searched */
} EnsFrameWindows;

typedef struct {
  const EnsFrame *frame;
  const EnsSubImages *sub_images;
  guint count; /* for all sub-images; if not 0, each has one at least */
  EnsWindowSearch *search;
  EnsThreadPool *pool;
  /* Sub-images that have the windows of the frame before, a flag each; NULL: none. */
  const gboolean *still;
  const EnsFrameWindows *before;
} EnsFrameWindowsSource;

/* (transfer full) */
EnsFrameWindows *ens_frame_windows_search (const EnsFrameWindowsSource *source);
/* Every region belongs to one sub-image, the nearest. (transfer full) */
EnsFrameWindows *ens_frame_windows_given (const EnsSubImages *sub_images, const EnsRect *regions,
                                          guint n_regions);
/* No windows. (transfer full) */
EnsFrameWindows *ens_frame_windows_none (const EnsSubImages *sub_images);
void ens_frame_windows_free (EnsFrameWindows *windows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsFrameWindows, ens_frame_windows_free)

/* The window that shows an object: of those whose probability is near the highest, the one that
 * overlaps most with all windows, as far as these are likely to show the object. The highest itself
 * often is not it: classifiers like context, and of many windows one is the highest by chance.
 * One that shows all of `within`, the sub-image, is taken where there is no other.
 * probabilities: of the first window, the next one's `pitch` values further. n_windows ≥ 1. */
guint ens_windows_find_object (const EnsWindow *windows, guint n_windows, const EnsRect *within,
                               const float *probabilities, gsize pitch);

static inline guint
ens_frame_windows_get_size (const EnsFrameWindows *windows)
{
  return windows->first[windows->n_sub_images];
}
