/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: losses, as nodes that are appended to a graph.
 *
 * Each returns one number, a mean weighted by `weights`: the sum of all weighted terms over the sum
 * of the weights, 0 where all weights are 0. Without weights (NULL) all count alike. Those on
 * logits are made of operators that stay exact for logits of any size, and so are their gradients:
 * log softmax, and log (1 + eˣ) as max (x, 0) + log (1 + e⁻|x|). Shapes need not have been
 * inferred; the number of classes has to be known. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/* Softmax cross-entropy of logits (…, K). targets: a distribution for each, (…, K), or an index,
 * (…) of int64, where a negative one is left out. weights: (…). */
EnsValue *ens_loss_cross_entropy (EnsGraph *graph, EnsValue *logits, EnsValue *targets,
                                  EnsValue *weights);
/* Binary cross-entropy of logits; targets in [0, 1] and weights of the same shape. */
EnsValue *ens_loss_binary_cross_entropy (EnsGraph *graph, EnsValue *logits, EnsValue *targets,
                                         EnsValue *weights);
/* Of a contour network's logits (N, H, W, 1). truth, of the same shape: how many of those who drew
 * contours did so at this pixel, from 0 to 1. Pixels of 0.3 and more are contours, those of 0 are
 * not; those between, and negative ones (borders), do not count. balance: in each picture with n⁺
 * pixels of contours and n⁻ others, the former weigh n⁻ / (n⁺ + n⁻), the latter 1.1 n⁺ / (n⁺ + n⁻),
 * so that a picture without contours weighs nothing: Xie and Tu, "Holistically-Nested Edge
 * Detection", ICCV 2015; the factor 1.1 and what is left out: Liu, Cheng, Hu, Wang and Bai, "Richer
 * Convolutional Features for Edge Detection", CVPR 2017. FALSE: all weigh alike. */
EnsValue *ens_loss_contour (EnsGraph *graph, EnsValue *logits, EnsValue *truth, gboolean balance);
/* (x − target)² and |x − target|, all of one shape; target NULL: 0. */
EnsValue *ens_loss_squared_error (EnsGraph *graph, EnsValue *x, EnsValue *targets,
                                  EnsValue *weights);
EnsValue *ens_loss_absolute_error (EnsGraph *graph, EnsValue *x, EnsValue *targets,
                                   EnsValue *weights);

/* Adversarial losses of a discriminator's scores, of which high ones mean “real”: what makes it
 * call all of them real, or all of them made up. */
typedef enum {
  ENS_ADVERSARIAL_LEAST_SQUARES, /* (score − 1)², score²: Mao et al., "Least Squares Generative
                                    Adversarial Networks", ICCV 2017 */
  ENS_ADVERSARIAL_LOGISTIC, /* log (1 + e⁻ˢᶜᵒʳᵉ), log (1 + eˢᶜᵒʳᵉ): Goodfellow et al.,
                               "Generative Adversarial Nets", NIPS 2014 */
} EnsAdversarial;

EnsValue *ens_loss_adversarial (EnsGraph *graph, EnsAdversarial kind, EnsValue *scores,
                                gboolean real);

/* The sum of both, the second times `factor`; one of them alone if the other is NULL. */
EnsValue *ens_loss_add (EnsGraph *graph, EnsValue *loss, double factor, EnsValue *term);

G_END_DECLS
