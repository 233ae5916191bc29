/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cross-fitted classifiers on features of images: what is said of an image by those that were
 * trained without it, and whether more images would help.
 *
 * For each fold of the images (classify/folds.h) support vector machines (classify/svm.h) are
 * trained on the others, on a quarter, half, three quarters and all of them. */
#pragma once

#include "base/monitor.h"
#include "base/thread-pool.h"
#include "classify/examples.h"

#define ENS_LEARNING_POINTS 4

typedef struct {
  guint n_images; /* that each image's classifiers were trained on, about */
  /* Over all images: accuracy where each shows one class, else mean average precision. */
  double score;
} EnsLearningPoint;

/* points: ENS_LEARNING_POINTS, the fewest images first. probabilities: n_samples × n_classes, by
 * the classifiers of the last point, calibrated on all folds; may be NULL. c: as of ens_svm_train
 * (). FALSE with an error if it was cancelled. */
gboolean ens_learning_curve (const EnsExamples *examples, double c, EnsThreadPool *pool,
                             const EnsMonitor *monitor, EnsLearningPoint *points,
                             float *probabilities, GError **error);
