/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well scores agree with labels.
 *
 * Source of average precision: M. Everingham et al., The Pascal Visual Object Classes Challenge,
 * IJCV 2010, in the form used since 2010: the area under the precision-recall curve after precision
 * has been made to fall monotonically. Examples with equal scores enter the curve together, so that
 * their order can't matter.
 *
 * Source of reliability and its error: M. P. Naeini et al., Obtaining Well Calibrated Probabilities
 * Using Bayesian Binning, AAAI 2015; of intervals: E. B. Wilson, Probable Inference, the Law of
 * Succession, and Statistical Inference, JASA 1927. */
#pragma once

#include "classify/examples.h"

/* What holds of the examples that score at least `threshold`. */
typedef struct {
  double recall, precision;
  float threshold;
} EnsCurvePoint;

/* The precision-recall curve of a class as it is, not made to fall: a point for every score that
 * occurs, the highest first. NULL and 0 if no example has the class. (transfer full) */
EnsCurvePoint *ens_precision_recall (const EnsLabels *truth, const float *scores, guint class,
                                     guint *n_points);

/* Raises precision to the highest that any lower threshold reaches, so that it falls monotonically:
 * the curve that average precision is the area under. */
void ens_curve_make_monotone (EnsCurvePoint *curve, guint n_points);

/* NaN if no example has the class. */
double ens_average_precision (const EnsLabels *truth, const float *scores, guint class);
/* Over the classes that some example has; NaN if there are none. */
double ens_mean_average_precision (const EnsLabels *truth, const float *scores);

/* Examples of one class counted by what score >= threshold says of them. */
typedef struct {
  guint true_positives, false_positives, false_negatives;
} EnsCounts;

EnsCounts ens_count (const EnsLabels *truth, const float *scores, guint class, float threshold);
/* 1 where nothing was said to be, or was, present: there was nothing to get wrong. */
double ens_precision (const EnsCounts *counts);
double ens_recall (const EnsCounts *counts);
/* Harmonic mean of the two: 2·TP / (2·TP + FP + FN). */
double ens_f1 (const EnsCounts *counts);

/* The threshold with the highest F1 among the middles between neighbouring probabilities and 0; of
 * equal ones that nearest 0.5, then the lower one. 0.5 if no example has the class. */
float ens_best_threshold (const EnsLabels *truth, const float *scores, guint class);

/* Of the examples that have exactly one class, how often the highest score is that class's (of
 * equal scores the first counts). confusion: n_classes × n_classes, rows the true class, columns
 * the highest score; may be NULL. NaN if there are no such examples. */
double ens_accuracy (const EnsLabels *truth, const float *scores, guint *confusion);

/* The area under the curve of receiver operating characteristics: how often one of the positives
 * scores higher than one of the negatives, equal scores counting half. NaN scores are lowest. NaN
 * if there are none of either. */
double ens_auroc (const float *positives, guint n_positives, const float *negatives,
                  guint n_negatives);

/* Whether some example has more than one class. */
gboolean ens_labels_is_multi_label (const EnsLabels *truth);
/* Whether an example is known to have none of the classes. */
gboolean ens_labels_has_none (const EnsLabels *truth, guint sample);

/* What goes wrong where, for examples of several classes. errors: (n_classes + 1) × n_classes. The
 * row of class c counts examples that have it, the last row those that have none; in the column of
 * class d those of them that scored at least thresholds[d] without having d, and, where d is c
 * itself, those that have it and scored less. */
void ens_count_errors (const EnsLabels *truth, const float *scores, const float *thresholds,
                       guint *errors);

/* Probabilities from one range, and how many of what they are of were so. */
typedef struct {
  guint n, n_positive;
  double mean;      /* of the probabilities */
  double share;     /* n_positive / n: what the mean should be */
  double low, high; /* where the share is to be expected with 95 % confidence */
} EnsReliability;

/* Bin i of n_bins counts the probabilities of all classes from i / n_bins up to, but not with,
 * (i + 1) / n_bins; the last one has 1 too. Of an empty bin all but the counts is NaN. */
void ens_reliability (const EnsLabels *truth, const float *scores, EnsReliability *bins,
                      guint n_bins);
/* The expected calibration error: |mean - share|, averaged over the bins by their counts. NaN if
 * nothing has been counted. */
double ens_calibration_error (const EnsReliability *bins, guint n_bins);

typedef enum { ENS_TRUE_POSITIVE, ENS_FALSE_POSITIVE, ENS_FALSE_NEGATIVE } EnsOutcome;

/* One score. */
typedef struct {
  guint sample, class;
  float score;
} EnsPrediction;

typedef struct {
  EnsOutcome outcome;
  const float *thresholds; /* n_classes */
  guint max, max_per_class;
} EnsSelection;

/* Scores with that outcome, the most confident first: of positives the highest, of false negatives
 * the lowest; of equal ones that of the earlier example, then of the earlier class. At most `max`
 * in all and `max_per_class` of a class. (transfer full) */
EnsPrediction *ens_select_predictions (const EnsLabels *truth, const float *scores,
                                       const EnsSelection *selection, guint *n);
