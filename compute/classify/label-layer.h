/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The label layer (M2.2): v = W·f + b, one value for each class, from the features f of a network
 * all of whose layers are frozen.
 *
 * W and b are adjusted round by round until the loss lies in a given range. With no fewer features
 * than examples the loss could always be driven to 0; the range's lower end is what stops
 * over-fitting.
 *
 * Source: CN111626353A. A round is a step of L-BFGS: D. C. Liu, J. Nocedal, On the Limited Memory
 * BFGS Method for Large Scale Optimization, Mathematical Programming 1989. */
#pragma once

#include "base/thread-pool.h"
#include "classify/examples.h"
#include "classify/linear-classifier.h"

/* Nats. */
typedef struct {
  double low, high;
} EnsLossRange;

#define ENS_LABEL_LOSS_RANGE ((EnsLossRange) {0.05, 0.2})

/* Rounds at most; and fewer if so many together gain less than ENS_LABEL_MIN_GAIN. */
#define ENS_LABEL_MAX_ROUNDS 1000
#define ENS_LABEL_PATIENCE 20
#define ENS_LABEL_MIN_GAIN 1e-6

typedef struct {
  double loss;      /* with the weights that are kept */
  guint rounds;     /* 0: the layer is as it was */
  gboolean reached; /* the loss lies in the range */
} EnsLabelLayerFit;

/* Whether examples can have several classes or none: then every value is a class's logit by itself
 * (binary cross entropy, averaged over what is known), else all together are those of a softmax. */
gboolean ens_label_layer_is_multi_label (const EnsLabels *truth);

/* Trains from the weights that the layer has; zeroes are a good start, as the loss is convex. The
 * loss: mean cross entropy plus 1e-4·‖W‖². A layer whose loss lies in the range, or below it, stays
 * as it is. The same examples give the same bits whatever the number of threads. */
EnsLabelLayerFit ens_label_layer_train (EnsLinearClassifier *layer, const EnsExamples *examples,
                                        const EnsLossRange *range, EnsThreadPool *pool);

/* Probabilities of n_samples rows of v, in place: softmax, or of several labels the sigmoid. */
void ens_label_layer_normalise (float *v, guint n_samples, guint n_classes, gboolean multi_label);
