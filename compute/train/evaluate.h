/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well a bundle does on labelled images: each network alone, the ensemble without and with
 * windows. */
#pragma once

#include "base/monitor.h"
#include "classify/examples.h"
#include "dataset/dataset.h"
#include "ensemble/ensemble.h"
#include "train/diagnosis.h"
#include "train/gate.h"
#include "vision/frame-source.h"

#define ENS_EVALUATION_SCHEMA "gst-ensemble/evaluation/1"

/* Names of rows. */
#define ENS_EVALUATION_WITHOUT_WINDOWS "without windows"
#define ENS_EVALUATION_WITH_WINDOWS "with windows"

/* One class; NaN where no image has it. */
typedef struct {
  double average_precision;
  float threshold;
  double precision, recall, f1; /* of what scores at least `threshold` */
} EnsClassEvaluation;

/* A network, or the ensemble. The means are over the classes that some image has. */
typedef struct {
  char *name;
  double mean_average_precision;
  double precision, recall, f1;
  double accuracy;             /* highest score against the class, images of exactly one class */
  EnsClassEvaluation *classes; /* n_classes */
  guint *confusion; /* n_classes × n_classes: rows the class, columns the highest score */
  float *scores;    /* n_images × n_classes */
} EnsEvaluationRow;

/* Labels whose P reaches the threshold, and those of them that the gate (M2) withholds. */
typedef struct {
  guint correct, correct_withheld, wrong, wrong_withheld;
  guint false_alarms; /* images of none of the classes that are reported as one all the same */
} EnsGateCounts;

typedef struct {
  char *bundle, *split;
  char *style;    /* that images were adapted by; NULL: none */
  char **classes; /* NULL-terminated */
  guint n_classes;
  guint n_images;        /* classified */
  guint n_skipped;       /* could not be read */
  gboolean cross_fitted; /* by settings that were chosen on other images (classify/folds.h) */
  guint *n_positive;     /* per class: images that have it */
  EnsEvaluationRow *rows;
  guint n_rows;
  guint8 *labels; /* n_images × n_classes */
  /* Of evaluations made by ens_evaluate () or ens_fit (), else NULL: */
  char **paths;        /* of the images */
  GPtrArray *notes;    /* char *: what of the data set was left out, or had to be decided */
  GPtrArray *findings; /* EnsFinding: on the data set; ens_evaluate () knows its own split alone */
  /* Of evaluations made by ens_evaluate (), else NULL: */
  float *window_scores; /* n_images × n_classes: P3 … */
  EnsRect *windows;     /* … and the class's window. NULL if the bundle has none */
  EnsGateCounts *gate;  /* NULL if the bundle has none */
  /* Of evaluations made by ens_fit (), if it made a gate: */
  char *gate_kind;             /* the one chosen */
  EnsGateFigure *gate_figures; /* of all kinds */
  guint n_gate_figures, n_unrelated;
} EnsEvaluation;

void ens_evaluation_free (EnsEvaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsEvaluation, ens_evaluation_free)

/* Analyses every image of a split, as a stream would. Rows: the networks, by name, at a threshold
 * of 0.5; the ensemble without windows and, if the bundle has windows (region proposals), with
 * windows, at the bundle's thresholds. An image that counts as large is divided into sub-images
 * (tiles); the rows of the networks and without windows then have what the sub-image with the
 * largest P has. The data set's classes must be the bundle's (ens_dataset_load () with them).
 * Broken images are skipped with a note; more than one in ten is an error. What had to be decided
 * about the data set is noted too. A zero-shot class that no picture of the data set shows, in any
 * split, is none of the evaluation's classes, and a note says so: that pictures are not said to
 * show it does not mean that they don't. options: of the analyses, such as a style; NULL: the
 * bundle's. (transfer full) */
EnsEvaluation *ens_evaluate (EnsEnsemble *ensemble, const EnsDataset *dataset, EnsSplit split,
                             const EnsAnalyseOptions *options, const EnsFrameOpener *opener,
                             const EnsMonitor *monitor, GError **error);

/* What was measured against; it belongs to the evaluation. */
EnsLabels ens_evaluation_get_truth (const EnsEvaluation *evaluation);

/* How many of the images that show none of the classes, *n_none, a row reports as one, without a
 * gate. */
guint ens_evaluation_count_false_alarms (const EnsEvaluation *evaluation,
                                         const EnsEvaluationRow *row, guint *n_none);

/* A JSON object, "schema": ENS_EVALUATION_SCHEMA; NaN becomes null. (transfer full) */
char *ens_evaluation_to_json (const EnsEvaluation *evaluation);

/* For those that compute scores themselves: an evaluation without rows; the row that follows from
 * scores, n_samples × n_classes each. */
typedef struct {
  const float *p;
  const float *thresholds; /* per class; NULL: 0.5 */
  /* Where P of different images is by different settings, or NULL: what images are ranked by; and P
   * less the threshold, from 0 on a class is present. */
  const float *ranks, *margins;
} EnsScores;

EnsEvaluation *ens_evaluation_new (const char *bundle, const char *split,
                                   const char *const *classes, const EnsLabels *truth,
                                   guint n_skipped);
void ens_evaluation_add (EnsEvaluation *evaluation, const char *name, const EnsLabels *truth,
                         const EnsScores *scores);
