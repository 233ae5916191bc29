/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What LIBLINEAR gets: standardised rows of features, and one machine trained on some of them. */
#pragma once

#include <linear.h>

#include "classify/svm.h"

/* x' = (x - mean) · scale; the scale of a constant feature is 0. Rows end with the bias's 1.
 *
 * Fewer examples than features lie in a space of as many dimensions as there are examples. With
 * X·Xᵀ = L·Lᵀ, X the rows, the rows of L stand to each other as those of X do, are shorter, and
 * half of them are zeroes: machines trained on L have the same decision values, w = Xᵀ·L⁻ᵀ·v. */
typedef struct {
  guint n_features;
  guint n_columns; /* of a row: features, or of L; without the bias */
  guint n_rows;
  gboolean root; /* x is the signed square root */
  double *mean, *scale;
  gsize pitch;                /* nodes in a row */
  struct feature_node *nodes; /* of all examples */
  double *factor;             /* L; NULL: the rows are of features */
  float *standardised;        /* X, if they are not */
} EnsSvmRows;

/* Standardises by these examples. */
void ens_svm_rows_init (EnsSvmRows *rows, const EnsExamples *examples);
/* The same with L's rows where that is worth it: for examples alone, no row can be added. */
void ens_svm_rows_init_reduced (EnsSvmRows *rows, const EnsExamples *examples, EnsThreadPool *pool);
void ens_svm_rows_clear (EnsSvmRows *rows);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsSvmRows, ens_svm_rows_clear)

/* Another row of features, standardised like the examples: rows->pitch nodes. */
void ens_svm_rows_fill (const EnsSvmRows *rows, const float *features, struct feature_node *row);

/* Rows from anywhere that one machine is trained on. */
typedef struct {
  guint n_rows;
  struct feature_node **rows;
  double *sides; /* 1 or -1 */
} EnsSvmProblem;

/* The weights of standardised features and last the bias; NULL if one side is empty. Any thread.
 * (transfer full) */
double *ens_svm_solve (const EnsSvmProblem *problem, const EnsSvmRows *rows, double c);

/* Stores them, NULL as zeroes, as the weights and the bias of features as they are. */
void ens_svm_set (EnsLinearClassifier *linear, guint class, const EnsSvmRows *rows,
                  const double *weights);
