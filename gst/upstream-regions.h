/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: regions that elements upstream, such as detectors, have found in a frame. */
#pragma once

#include <gst/gst.h>

#include <ensemble/result.h>

G_BEGIN_DECLS

#define GST_ENSEMBLE_MAX_REGIONS 1000

/* Of one frame; both arrays have as many elements. */
typedef struct {
  GArray *rects;   /* EnsRect, cut to the frame */
  GArray *origins; /* EnsRegionOrigin */
} GstEnsembleRegions;

/* Which regions, and of what frame. */
typedef struct {
  guint width, height;      /* of the frame, in pixels */
  const char *object_class; /* names of types, separated by commas; NULL or empty: all types */
  EnsRect crop;             /* what lies outside is left out; width 0: all of the frame counts */
} GstEnsembleRegionFilter;

/* Regions of a buffer: its GstVideoRegionOfInterestMeta in their order, then, with GStreamer 1.24,
 * what else its GstAnalyticsODMtd have. Those that an ensemble has attached are left out, so that
 * what one found is not taken for what is to be classified; and so is what has no pixel of the
 * frame, and what comes after GST_ENSEMBLE_MAX_REGIONS. (transfer full) */
GstEnsembleRegions *gst_ensemble_regions_read (GstBuffer *buffer,
                                               const GstEnsembleRegionFilter *filter);
/* Shares what it has. (transfer full) (nullable): so is `regions` */
GstEnsembleRegions *gst_ensemble_regions_copy (const GstEnsembleRegions *regions);
/* Whether two frames have the same regions: as many, in their order, of the same types and ids, and
 * where they were but for the wavering of a detector's boxes. NULL is the same as NULL alone. */
gboolean gst_ensemble_regions_match (const GstEnsembleRegions *a, const GstEnsembleRegions *b);
void gst_ensemble_regions_free (GstEnsembleRegions *regions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEnsembleRegions, gst_ensemble_regions_free)

G_END_DECLS
