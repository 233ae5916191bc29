/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What selective search knows of the regions of a segmentation. */
#pragma once

#include "vision/segmentation.h"

#define ENS_HISTOGRAM_BINS 25 /* of each colour channel */
#define ENS_HISTOGRAM_SIZE                                              \
  (3 * ENS_HISTOGRAM_BINS + 5) /* the last five stay 0: whole registers \
                                */

/* One channel of a histogram sums to this at most, three to less than 2^16. */
#define ENS_HISTOGRAM_CHANNEL 21844

/* In pixels of the segmented image: [x0, x1) × [y0, y1). */
typedef struct {
  guint16 x0, y0, x1, y1;
} EnsBox;

typedef struct {
  guint32 size; /* pixels */
  EnsBox box;
  guint32 counts[ENS_HISTOGRAM_SIZE];    /* pixels of each colour */
  guint16 histogram[ENS_HISTOGRAM_SIZE]; /* the same as shares of the region */
} EnsRegion;

/* Regions and which of them touch. */
typedef struct {
  guint n_regions;
  EnsRegion *regions;
  guint n_edges;
  EnsComponentEdge *edges; /* of any weight */
} EnsRegions;

static inline EnsBox
ens_box_unite (EnsBox a, EnsBox b)
{
  return (EnsBox) {MIN (a.x0, b.x0), MIN (a.y0, b.y0), MAX (a.x1, b.x1), MAX (a.y1, b.y1)};
}

static inline guint32
ens_box_area (EnsBox box)
{
  return (guint32)(box.x1 - box.x0) * (guint32)(box.y1 - box.y0);
}

void ens_region_unite (const EnsRegion *a, const EnsRegion *b, EnsRegion *result);
/* How much the histograms overlap, 0 ... 3 * ENS_HISTOGRAM_CHANNEL. */
guint32 ens_region_intersect (const EnsRegion *a, const EnsRegion *b);

/* Measures the regions of a segmentation. `bins` are three planes of bin numbers, 0 ...
 * ENS_HISTOGRAM_BINS - 1. Memory of an earlier measurement is used again. */
void ens_regions_measure (EnsRegions *regions, const EnsSegmentation *segmentation, guint width,
                          guint height, const guint8 *const bins[3]);
void ens_regions_clear (EnsRegions *regions);
