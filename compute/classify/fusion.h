/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The method's arithmetic on probabilities (M1.6–M1.8).
 *
 * Probabilities are rows of n_classes; "rows" below may stand for images or windows. */
#pragma once

#include <glib.h>

/* Weighted average over networks (M1.6): average[i] = Σ weights[n] · probabilities[n][i], n_values
 * each. Weights sum to 1. No networks: zeroes. */
void ens_fusion_average (const float *const *probabilities, const float *weights, guint n_networks,
                         gsize n_values, float *average);

/* P3 (M1.7): each class's largest probability over the windows, n_windows × n_classes, and the
 * first window that has it. No windows: 0 and -1. `windows` may be NULL then. */
void ens_fusion_maximum (const float *windows, guint n_windows, guint n_classes, float *maximum,
                         gint *window);

/* P (M1.8): w·P1 + (1 - w)·max (P2, P3). Without windows P3 is 0 and this is the weighted average
 * of M1.6. */
static inline float
ens_fusion_combine (float p1, float p2, float p3, float w)
{
  return w * p1 + (1 - w) * MAX (p2, p3);
}
