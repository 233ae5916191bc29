/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What augmentation does to the pixels of a picture of its final size. */
#pragma once

#include "vision/augment.h"

/* RGB or gray, row after row, 0 … 255. */
typedef struct {
  guint width, height;
  guint n_channels; /* 3 or 1 */
  float *values;
} EnsPixelValues;

/* Applies noise, sharpening and changes of colour. Values are then in 0 … 255 again. */
void ens_augmentation_change_pixels (const EnsAugmentation *augmentation, EnsPixelValues *pixels);
