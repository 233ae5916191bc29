/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the pixels of an augmented picture come from. */
#pragma once

#include "vision/augment.h"
#include "vision/warp.h"

/* Is the output a rectangle of the picture, if perhaps a flipped one? */
gboolean ens_augmentation_is_upright (const EnsAugmentation *augmentation);
/* From coordinates of the output to those of the picture, both 0 … 1. */
EnsAffine ens_augmentation_get_affine (const EnsAugmentation *augmentation);
