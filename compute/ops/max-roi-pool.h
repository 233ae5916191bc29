/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What MaxRoiPool and its gradient share: which part of a map an element of the output covers. */
#pragma once

#include "ops/operands.h"

#include "push/max-roi-pool.h"

typedef struct {
  guint rank; /* of the list of rows and columns: 2 */
  gint64 size[2];
  float scale; /* of the regions' coordinates */
} EnsMaxRoiPoolParams;

#define ENS_MAX_ROI_POOL_ATTRIBUTES                                                          \
  {"pooled_shape",                                                                           \
   ENS_ATTRIBUTE_INTS,                                                                       \
   ENS_ATTRIBUTE_REQUIRED,                                                                   \
   ENS_MEMBER (EnsMaxRoiPoolParams, size[0]),                                                \
   .min = 1,                                                                                 \
   .max = ENS_MAX_ROI_POOL_SIZE,                                                             \
   .count = G_STRUCT_OFFSET (EnsMaxRoiPoolParams, rank),                                     \
   .length = 2},                                                                             \
  {                                                                                          \
    "spatial_scale", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsMaxRoiPoolParams, scale), .real = 1 \
  }

enum { ENS_MAX_ROI_POOL_X, ENS_MAX_ROI_POOL_REGIONS, ENS_MAX_ROI_POOL_OUTPUT_GRADIENT };

/* Whether map and regions are what the operator takes; the shape of its output. */
gboolean ens_max_roi_pool_resolve (const EnsOperands *operands, EnsShape *output, GError **error);

/* visits () of the operator and its gradient. */
double ens_max_roi_pool_visits (const EnsOperands *operands);

/* An element of the output for all channels: its positions in the map are rows [begin, end) and
 * columns. */
typedef struct {
  gint64 image; /* beyond those that there are: the region has no positions */
  gint64 begin[2], end[2];
} EnsMaxRoiPoolBin;

/* bin: its number in the output, region by region. */
EnsMaxRoiPoolBin ens_max_roi_pool_find (const EnsOperands *operands, gsize bin);

/* The offset of the first element of a channel that is the bin's maximum; -1: the bin is empty. */
gssize ens_max_roi_pool_maximum (const EnsView *x, const EnsMaxRoiPoolBin *bin, gsize channel);

/* What both shaders are told but for strides. */
EnsMaxRoiPoolPush ens_max_roi_pool_push (const EnsOperands *operands);
