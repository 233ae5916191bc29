/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linear classifiers, one a class: decision value = weights · features + bias.
 *
 * Features may be replaced by their signed square roots first: few large values, which the average
 * over a map's positions has many of, then no longer decide alone.
 *
 * Source: F. Perronnin, J. Sánchez, T. Mensink, Improving the Fisher Kernel for Large-Scale Image
 * Classification, ECCV 2010 (power normalisation). */
#pragma once

#include <math.h>

#include "base/thread-pool.h"
#include "graph/graph.h"

typedef struct {
  guint n_features, n_classes;
  gboolean root;  /* of the features' signed square roots */
  float *weights; /* n_classes × n_features */
  float *biases;  /* n_classes */
} EnsLinearClassifier;

static inline float
ens_signed_root (float value)
{
  return copysignf (sqrtf (fabsf (value)), value);
}

/* Weights and biases of 0, of features as they are. (transfer full) */
EnsLinearClassifier *ens_linear_classifier_new (guint n_features, guint n_classes);
EnsLinearClassifier *ens_linear_classifier_copy (const EnsLinearClassifier *linear);
void ens_linear_classifier_free (EnsLinearClassifier *linear);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsLinearClassifier, ens_linear_classifier_free)

/* That of one class alone. (transfer full) */
EnsLinearClassifier *ens_linear_classifier_copy_class (const EnsLinearClassifier *linear,
                                                       guint class);

/* Decision values of n_samples rows of features: n_samples × n_classes; above 0 speaks for the
 * class. Summed in float64. */
void ens_linear_classifier_decide (const EnsLinearClassifier *linear, const float *features,
                                   guint n_samples, float *decisions, EnsThreadPool *pool);

/* A graph of one Gemm, from "features" (N, n_features) to "decisions" (N, n_classes); before it,
 * where they are wanted, the signed square roots. (transfer full) */
EnsGraph *ens_linear_classifier_to_graph (const EnsLinearClassifier *linear);

/* The classifiers in a graph as ens_linear_classifier_to_graph () makes it; NULL for any other
 * graph. (transfer full) */
EnsLinearClassifier *ens_linear_classifier_from_graph (const EnsGraph *graph);
