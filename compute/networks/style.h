/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the networks that give pictures of one camera the look of another.
 *
 * The generator computes what is to be added to a picture: y = x + G(x). Two of them, one for each
 * direction, learn without pairs against two discriminators, which see features of pictures, not
 * pictures. Kin: Yang, Yang and others, "Residual-CycleGAN based Camera Adaptation for Robust
 * Diabetic Retinopathy Screening", MICCAI 2020; Zhu, Park, Isola and Efros, "Unpaired
 * Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017.
 *
 * Each is a graph of its own. Training embeds a network as often as it is applied
 * (ens_graph_embed): the weights are shared. Pictures are RGB in [−1, 1], (N, H, W, 3), of any
 * size. */
#pragma once

#include "networks/layers.h"

G_BEGIN_DECLS

/* The least side of pictures, and of squares to train on. */
#define ENS_STYLE_LEAST_SIDE 16
#define ENS_STYLE_RANGE 0.5f

/* A change of each channel that needs no training, such as to another camera's mean and variance:
 * x becomes x + factor · x + offset. All 0: none. */
typedef struct {
  float factor[3], offset[3];
} EnsStyleColours;

typedef struct {
  float range;       /* of what the layers add: [−range, range]; 0: ENS_STYLE_RANGE */
  gboolean position; /* it knows where a pixel lies, so that it can learn vignetting; then it has to
                        see whole frames */
  guint64 seed;
  EnsStyleColours colours; /* what is added beside, and stays as it is in training */
} EnsStyleParams;

/* The generator: input "pictures", outputs "adapted" (y, not clipped) and "residual" (G(x), the
 * colours' change included), both of the pictures' size, which is at least 5 × 5.
 *
 * Convolutions on three scales with skips, padded by reflection, without normalisation, which would
 * remove the very colour that differs between cameras. The first one sees the picture and,
 * enlarged, how it differs from its surroundings. Pictures whose sides 4 does not divide are padded
 * and the result is cropped. The last layer begins with zeroes: y = x, bit for bit, or x in the
 * other colours, and what is learnt is the difference alone. (transfer full) */
EnsGraph *ens_style_generator_new (const EnsStyleParams *params);

/* A discriminator: input "features" (N, h, w, channels), output "scores" (N, ⌈h / 4⌉, ⌈w / 4⌉, 1),
 * one for each patch, high for the camera that it knows. (transfer full) */
EnsGraph *ens_style_discriminator_new (guint channels, guint64 seed);

/* What discriminators see of the pictures themselves, whatever other features there are: input
 * "pictures", output "features" (N, ⌊H / stride⌋, ⌊W / stride⌋, 6): averages of the pictures, and
 * of |x − x blurred|, in which noise and sharpness stay visible. (Without the magnitude the average
 * would be nearly nothing.) It has no weights: there is nothing to train. stride ≥ 1. (transfer
 * full) */
EnsGraph *ens_style_features_new (guint stride);

G_END_DECLS
