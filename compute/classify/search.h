/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fusion weights chosen on a validation set among prepared combinations (M1.6, M1.8).
 *
 * The accuracy that chooses is mean average precision: it needs no thresholds and holds for images
 * of several classes or none. */
#pragma once

#include "classify/examples.h"

/* Weights of networks whose values, probabilities or log odds, are averaged; values[n] being
 * n_samples × n_classes: on the grid of tenths that sum to 1 (coarser where that would be more than
 * a thousand combinations), and equal weights. Of equally good combinations the one nearest to
 * equal weights, then the first in lexicographic order. Returns the mean average precision. */
double ens_search_network_weights (const EnsLabels *truth, const float *const *values,
                                   guint n_networks, float *weights);

/* w of P = w·P1 + (1 - w)·max (P2, P3) among 0.1, 0.2 … 0.9; of equally good ones that nearest 0.5,
 * then the smaller. P3 is NULL without windows. Returns the mean average precision. */
double ens_search_fusion_weight (const EnsLabels *truth, const float *p1, const float *p2,
                                 const float *p3, float *w);
