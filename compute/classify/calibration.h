/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From decision values to probabilities (M1.5): S(a·t + b), (a, b) fitted on held-out examples.
 *
 * Source: J. C. Platt, Probabilistic Outputs for Support Vector Machines and Comparisons to
 * Regularized Likelihood Methods, 1999, with the Newton method of H.-T. Lin, C.-J. Lin, R. C. Weng,
 * A Note on Platt's Probabilistic Outputs for Support Vector Machines, Machine Learning 2007. Their
 * A and B are -a and -b here. */
#pragma once

#include "classify/examples.h"

/* Probability = 1 / (1 + exp (-(a·t + b))) for the classifier's decision value t; a > 0. */
typedef struct {
  float a, b;
} EnsCalibration;

/* Fits (a, b) of one class by maximum likelihood with Platt's targets (N₊ + 1) / (N₊ + 2) and
 * 1 / (N₋ + 2). `decisions` are of examples that the classifier was not trained on. FALSE, and the
 * plain sigmoid a = 1, b = 0, if no increasing map can be fitted: one side has no examples, or
 * decision values fall where they ought to rise. */
gboolean ens_calibration_fit (const EnsLabels *truth, const float *decisions, guint class,
                              EnsCalibration *calibration);

/* The same for classes that exclude each other: P = exp (a·t + b) / (1 + Σ exp (a·t + b)), t the
 * log odds of each class by itself, the sum over classes, and 1 for none of them. One (a, b) for
 * all classes, fitted by maximum likelihood to the examples of which all labels are known.
 *
 * Where no example shows none of the classes, likelihood alone would have it that there always is
 * one. So each example counts once more, for 1 / n_classes, as what it would be without its class:
 * that class's log odds become their mean over the other examples. */
gboolean ens_softmax_fit (const EnsLabels *truth, const float *log_odds,
                          EnsCalibration *calibration);

float ens_calibration_apply (const EnsCalibration *calibration, float decision);
