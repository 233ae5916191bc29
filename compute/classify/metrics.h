/* How well scores agree with labels.
 *
 * Source of average precision: M. Everingham et al., The Pascal Visual Object Classes Challenge,
 * IJCV 2010, in the form used since 2010: the area under the precision-recall curve after precision
 * has been made to fall monotonically. Examples with equal scores enter the curve together, so that
 * their order can't matter. */
#pragma once

#include "classify/examples.h"

/* NaN if no example has the class. */
double ens_average_precision (const EnsTruth *truth, const float *scores, guint class);
/* Over the classes that some example has; NaN if there are none. */
double ens_mean_average_precision (const EnsTruth *truth, const float *scores);

/* Examples of one class counted by what score >= threshold says of them. */
typedef struct {
  guint true_positives, false_positives, false_negatives;
} EnsCounts;

EnsCounts ens_count (const EnsTruth *truth, const float *scores, guint class, float threshold);
/* 1 where nothing was said to be, or was, present: there was nothing to get wrong. */
double ens_precision (const EnsCounts *counts);
double ens_recall (const EnsCounts *counts);
/* Harmonic mean of the two: 2·TP / (2·TP + FP + FN). */
double ens_f1 (const EnsCounts *counts);

/* The threshold with the highest F1 among the middles between neighbouring probabilities and 0; of
 * equal ones that nearest 0.5, then the lower one. 0.5 if no example has the class. */
float ens_best_threshold (const EnsTruth *truth, const float *scores, guint class);

/* Of the examples that have exactly one class, how often the highest score is that class's (of
 * equal scores the first counts). confusion: n_classes × n_classes, rows the true class, columns
 * the highest score; may be NULL. NaN if there are no such examples. */
double ens_accuracy (const EnsTruth *truth, const float *scores, guint *confusion);
