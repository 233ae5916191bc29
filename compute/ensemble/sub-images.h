/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dividing large frames into sub-images that overlap (M1.9). */
#pragma once

#include "ensemble/ensemble.h"

/* columns × rows sub-images of one size, counted row by row: all of the frame is covered, edges
 * included, and neighbours overlap by the same share of their side to within a pixel. One column
 * and one row are the frame as it is. */
typedef struct {
  guint columns, rows;
  guint width, height; /* of every sub-image, pixels */
  guint *x, *y;        /* where columns and rows begin, pixels, ascending */
  gboolean with_whole; /* the whole frame is classified too, after the sub-images */
  EnsRect *rects;      /* of all that is classified, normalised */
} EnsSubImages;

/* Divides a width × height frame as the bundle and the options say. (transfer full) */
EnsSubImages *ens_sub_images_new (const EnsBundle *bundle, const EnsAnalyseOptions *options,
                                  guint width, guint height);
void ens_sub_images_free (EnsSubImages *sub_images);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsSubImages, ens_sub_images_free)

static inline guint
ens_sub_images_get_map_size (const EnsSubImages *sub_images)
{
  return sub_images->columns * sub_images->rows;
}

/* All that is classified: the map's sub-images, and perhaps the whole frame. */
static inline guint
ens_sub_images_get_size (const EnsSubImages *sub_images)
{
  return ens_sub_images_get_map_size (sub_images) + (sub_images->with_whole ? 1 : 0);
}

/* Pixels that selective search segments in all of them but those that are still (a flag each; NULL:
 * none is): ens_windows_preset_count_pixels (). */
double ens_sub_images_count_pixels (const EnsSubImages *sub_images, EnsWindowsPreset preset,
                                    const gboolean *still);

/* The sub-image whose centre is nearest to that of a region of the frame. */
guint ens_sub_images_find (const EnsSubImages *sub_images, const EnsRect *region);
