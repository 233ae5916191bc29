/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_ROI_ALIGN_H
#define ENS_PUSH_ROI_ALIGN_H

#include "push.h"

/* Samples of an element along an axis. Fewer than one for each pixel are taken of regions that
 * reach far beyond any map; as only those within the map are looked at, the map bounds the work. */
#define ENS_ROI_ALIGN_SAMPLES 4096

struct EnsRoiAlignPush {
  uint offset[4]; /* x, regions, images, y */
  uint n;         /* elements of y */
  uint channels, x_pitch;
  int n_images;
  int x_size[2], y_size[2]; /* rows, columns */
  int samples;              /* 0: as many as there are pixels */
  float scale, shift;       /* of coordinates: times, minus */
};
ENS_PUSH (EnsRoiAlignPush)

#endif
