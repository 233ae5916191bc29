/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The label layer (M2.2): v = W·f + b, one value for each class or more, from the features f of a
 * network all of whose layers are frozen. The first values are the classes' logits; what there is
 * beyond them (the layer's “classes” beyond the examples') takes no part in the loss and stays what
 * it began as, but for the decay: projections of the features.
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

/* Random weights to begin with, N (0, 0.01), always the same ones. */
void ens_label_layer_begin (EnsLinearClassifier *layer);

/* Trains from the weights that the layer has. The loss, which is convex: mean cross entropy plus
 * 1e-4·‖W‖². A layer whose loss lies in the range, or below it, stays as it is. The same examples
 * give the same bits whatever the number of threads. */
EnsLabelLayerFit ens_label_layer_train (EnsLinearClassifier *layer, const EnsExamples *examples,
                                        const EnsLossRange *range, EnsThreadPool *pool);
