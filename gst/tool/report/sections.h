/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sections of a report. */
#pragma once

#include "base/thread-pool.h"
#include "classify/metrics.h"
#include "retraining.h"
#include "train/evaluate.h"

/* Bins of calibration curves. */
#define REPORT_BINS 10

/* Of larger sets no more classes than this are drawn or fill a matrix. */
#define REPORT_MAX_CLASSES 36

typedef struct {
  const EnsEvaluation *evaluation;
  const EnsEvaluationRow *best; /* the last row: the whole ensemble */
  EnsLabels truth;
  gboolean multi_label;
  char **classes, **row_names;      /* as shown: of classes, of rows */
  const ToolRetraining *retraining; /* NULL: none */
  const EnsFrameOpener *opener;
  EnsThreadPool *pool;
  GString *html;
} Report;

/* The CSS class of a row's curves. */
const char *report_row_style (const Report *report, guint row);
/* The thresholds of a row. (transfer full) */
float *report_thresholds (const Report *report, const EnsEvaluationRow *row);
/* How far the probabilities of a row are off. NaN if there are none. */
double report_calibration_error (const Report *report, const EnsEvaluationRow *row);
/* The classes to be drawn where not all can be: at most REPORT_MAX_CLASSES, those with the lowest
 * average precision, in the bundle's order. (transfer full) */
guint *report_weak_classes (const Report *report, guint *n);

/* A picture of at most `side` pixels; window: drawn on it, may be NULL. */
void report_add_picture (Report *report, const char *path, guint side, const EnsRect *window);

void report_add_summary (Report *report);
/* Whether there is anything to say of the data set. */
gboolean report_has_findings (const Report *report);
void report_add_findings (Report *report);
void report_add_classes (Report *report);
/* Whether there is anything to say of a gate. */
gboolean report_has_gate (const Report *report);
void report_add_gate (Report *report);
void report_add_curves (Report *report);
void report_add_confusion (Report *report);
void report_add_calibration (Report *report);
void report_add_mistakes (Report *report);
void report_add_windows (Report *report);
