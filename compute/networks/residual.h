/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: residual networks that reduce their maps without skipping inputs.
 *
 * A convolution, stages of bottleneck blocks, the mean of all positions, a classifier. A block adds
 * to its input what its branch computes, each convolution after batch normalisation and ReLU:
 *
 *   1×1 to a quarter of the channels;  3×3, which alone may have a stride;  1×1 to all channels
 *
 * A 1×1 convolution with a stride, as usual networks have it, reads one of four inputs where it
 * reduces; a kernel that is wider than its stride reads all. So in blocks that reduce
 *
 *   first kernel < second kernel,  first stride < second stride < second kernel
 *
 * must hold. The first block of a stage reduces, and has a convolution on its shortcut too, after
 * batch normalisation of its own. Nothing follows the sum.
 *
 * Sources: Wu, Chen, Fan et al., "Tencent ML-Images", IEEE Access 2019, blocks and sizes; He,
 * Zhang, Ren and Sun, "Identity mappings in deep residual networks", ECCV 2016, normalisation
 * before convolution and the plain form. */
#pragma once

#include "base/error.h"
#include "networks/layers.h"

#define ENS_RESIDUAL_MAX_STAGES 8

typedef struct {
  guint n_blocks;
  guint channels; /* a multiple of 4 */
  guint stride;
} EnsResidualStage;

typedef struct {
  guint height, width; /* of pictures, RGB; 0: any */
  guint n_classes;
  EnsConvLayer initial;              /* filters, kernel, stride */
  guint first_kernel, second_kernel; /* of a block's convolutions; odd */
  guint n_stages;
  EnsResidualStage stages[ENS_RESIDUAL_MAX_STAGES];
  gboolean stride_everywhere; /* each block reduces and has a convolution on its shortcut */
  /* To compare with: the first convolution has the stride, and the shortcut's convolution reads
   * what it reads. The conditions above aren't asked for. */
  gboolean plain;
  guint64 seed; /* of the weights */
} EnsResidualParams;

/* Sizes by name: "50", "101", "152", the number of layers, for pictures of 224×224, or "small", of
 * 14 layers, for 128×128. n_classes and seed are left 0. FALSE: there is no such name. */
gboolean ens_residual_find (const char *name, EnsResidualParams *params, GError **error);

/* The network as it is before training, from "image" (N, height, width, 3) to "logits" (N,
 * classes). Values to tap: "initial", "stage1" … as the stages give them, "features", their mean.
 * NULL if numbers don't fit each other, or a stage's map would be 1×1. (transfer full) */
EnsGraph *ens_residual_build (const EnsResidualParams *params, GError **error);
