/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: how good a contour network is, beside Canny's edges and the gradient's magnitude.
 *
 * All are measured alike (classify/contour-score.h) on whole photographs of the test split or,
 * where there is none, of the validation split. What lies within 4 pixels of a photograph's border
 * does not count. For the two that learn nothing the smoothing is taken with which they do best on
 * these very photographs. */
#pragma once

#include "base/monitor.h"
#include "classify/contour-score.h"
#include "dataset/split.h"
#include "engine/device.h"
#include "vision/frame-source.h"

G_BEGIN_DECLS

typedef enum {
  ENS_CONTOUR_BY_NETWORK,
  ENS_CONTOUR_BY_CANNY,    /* hysteresis down to 0.4 of the threshold */
  ENS_CONTOUR_BY_GRADIENT, /* of luma */
  ENS_N_CONTOUR_METHODS,
} EnsContourMethod;

typedef struct {
  double deviation; /* of the smoothing in pixels; NaN for the network */
  EnsContourCounts counts;
  EnsContourScore score;
} EnsContourFigures;

typedef struct {
  char *path;
  EnsPlane truth;       /* share of those who drew */
  EnsPlane probability; /* the network's map */
} EnsContourPicture;

typedef struct {
  EnsSplit split;
  GPtrArray *pictures; /* EnsContourPicture */
  EnsContourFigures methods[ENS_N_CONTOUR_METHODS];
} EnsContourEvaluation;

/* network: the file of the single-channel map. dataset: as dataset/contours.h describes it.
 * (transfer full) */
EnsContourEvaluation *ens_contour_evaluate (const char *network, const char *dataset,
                                            EnsDevice *device, const EnsFrameOpener *opener,
                                            const EnsMonitor *monitor, GError **error);
void ens_contour_evaluation_free (EnsContourEvaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsContourEvaluation, ens_contour_evaluation_free)

G_END_DECLS
