/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the network that finds contours.
 *
 * Levels follow each other, each half as large as the one before: a 3×3 convolution and a residual
 * module. A unifying layer brings each level's map to few channels and all to one size; side by
 * side they are the contour feature. For training alone a head follows, a convolution to one
 * channel: the probability that a pixel lies on a contour.
 *
 *   pictures → level1 → level2 → … → levelN           ⌈H / 2^(i − 1)⌉ × ⌈W / 2^(i − 1)⌉
 *                ↓        ↓            ↓
 *            unified1 unified2 … unifiedN → feature    all of level 1's size, or another one
 *                                              ↓
 *                                           logits → probability
 *
 * These are the values' names, for taps as well. Convolutions of levels are followed by batch
 * normalisation and ReLU. */
#pragma once

#include "base/error.h"
#include "networks/layers.h"

G_BEGIN_DECLS

#define ENS_CONTOUR_MAX_LEVELS 6

typedef enum {
  ENS_CONTOUR_RESNET,   /* two 3×3 convolutions, added to what they read: He, Zhang, Ren and Sun,
                           "Deep Residual Learning for Image Recognition", CVPR 2016 */
  ENS_CONTOUR_DENSENET, /* two of 16 channels, each reading all before it, and a 1×1: Huang, Liu,
                           van der Maaten and Weinberger, "Densely Connected Convolutional
                           Networks", CVPR 2017 */
  ENS_CONTOUR_SENET, /* RESNET's, its channels weighted: Hu, Shen and Sun, "Squeeze-and-Excitation
                        Networks", CVPR 2018; a quarter of the channels between the gate's layers */
} EnsContourModule;

/* How a level's map becomes larger. */
typedef enum {
  ENS_CONTOUR_LINEAR, /* pixels' centres are where they are in the picture (half_pixel) */
  ENS_CONTOUR_NEAREST,
  ENS_CONTOUR_TRANSPOSED, /* a transposed convolution per channel, twice as wide as it enlarges,
                             that begins as linear interpolation; cropped to the size */
} EnsContourUnify;

typedef struct {
  guint n_levels;
  guint channels[ENS_CONTOUR_MAX_LEVELS]; /* of each level */
  EnsContourModule module;
  EnsContourUnify unify[ENS_CONTOUR_MAX_LEVELS]; /* of each level */
  guint n_unified;                               /* channels of each level in the feature */
  guint64 seed;                                  /* of the weights */
} EnsContourParams;

/* The usual five levels, ResNet's module, linear interpolation: 0.75 million parameters and a
 * feature of 80 channels. */
#define ENS_CONTOUR_DEFAULT \
  ((EnsContourParams) {.n_levels = 5, .channels = {16, 32, 64, 96, 128}, .n_unified = 16})

/* The size that all levels are brought to. */
typedef struct {
  EnsValue *like; /* that of this map (N, H, W, C) */
  guint stride;   /* pixels of the picture from one of its positions to the next; a power of two */
} EnsContourSize;

/* FALSE, with an error that says what was expected, where no network can be built. */
gboolean ens_contour_check (const EnsContourParams *params, GError **error);

/* Appends levels and unifying layers. pictures: (N, H, W, 3) of any size. size NULL: level 1's,
 * which is the pictures'. Levels that are larger are averaged first; those that a transposed
 * convolution enlarges become as large as level 1 and are averaged then. Weights of the same seed
 * and name do not depend on the size. params have been checked. Returns "feature", (N, h, w,
 * n_levels · n_unified). */
EnsMap ens_contour_append (EnsLayers *layers, EnsValue *pictures, const EnsContourParams *params,
                           const EnsContourSize *size);

/* The network for training: one input "pictures", one output "probability", (N, H, W, 1).
 * (transfer full) */
EnsGraph *ens_contour_new (const EnsContourParams *params, GError **error);
/* A copy of it without the head, whose output is "feature". (transfer full) */
EnsGraph *ens_contour_drop_head (const EnsGraph *graph);

/* Finds what a contour network, such as an imported file, was built with. Its seed stays 0, and
 * level 1, which is not resized, linear. FALSE: the graph is none. */
gboolean ens_contour_find_params (const EnsGraph *graph, EnsContourParams *params, GError **error);
/* Gives a contour network that has just been built with these params the weights of a trained one.
 */
gboolean ens_contour_take_weights (EnsGraph *graph, const EnsGraph *trained, GError **error);
/* FALSE, with an error that names the layer, unless each layer of the graph that is called
 * PREFIXlevel… has the trained network's weights, bit for bit. */
gboolean ens_contour_compare_weights (const EnsGraph *graph, const char *prefix,
                                      const EnsGraph *trained, GError **error);

G_END_DECLS
