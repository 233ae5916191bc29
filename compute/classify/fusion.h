/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From networks' and windows' probabilities to P (M1.6–M1.8), in one of two forms.
 *
 * The method's source averages probabilities: P1 and P2 are weighted averages over the networks of
 * a role, P = w·P1 + (1 - w)·max (P2, P3).
 *
 * Averages of log odds l (p) = log (p / (1 - p)) let a network that is certain count for more than
 * one that is not: l (P1) and l (P2) are weighted averages of networks' log odds, and
 *
 *   z = (1 - s)·(w·l (P1) + (1 - w)·l (P2)) + s·l (P3),   s the windows' share,
 *
 * is calibrated again, u = a·z + b, because the average of calibrated probabilities is not
 * calibrated. P = S (u) where an image may show several classes; where it shows one at most,
 * classes exclude each other: P = exp (v) / (1 + Σ exp (v)), v = a'·u + b' with (a', b') of all
 * classes, and 1 for none of them (classify/calibration.h).
 *
 * Source: R. Ranjan, T. Gneiting, Combining Probability Forecasts, Journal of the Royal Statistical
 * Society B 2010; G. E. Hinton, Products of Experts, ICANN 1999.
 *
 * Probabilities are rows of n_classes; "rows" below may stand for images or windows. */
#pragma once

#include "classify/calibration.h"

typedef enum { ENS_FUSION_PROBABILITIES, ENS_FUSION_LOG_ODDS } EnsFusionKind;

/* By value, up to a NULL. */
extern const char *const ens_fusion_kind_names[];

/* Log odds, of a probability that is kept 1e-4 from 0 and from 1: beyond that float32 and devices
 * differ. */
float ens_log_odds (float probability);

/* Probabilities of several networks, n_values each, and the networks' weights, which sum to 1. */
typedef struct {
  EnsFusionKind kind;
  guint n_networks;
  const float *const *probabilities;
  const float *weights;
} EnsFusionInputs;

/* P1 or P2 (M1.6): the weighted average over networks, of probabilities or of log odds. No
 * networks: zeroes. */
void ens_fusion_average (const EnsFusionInputs *inputs, gsize n_values, float *average);

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

/* How P1, P2 and P3 become P. What follows `weight` is for log odds. */
typedef struct {
  EnsFusionKind kind;
  float weight;                      /* w */
  float share;                       /* s */
  const EnsCalibration *calibration; /* per class */
  const EnsCalibration *softmax;     /* (a', b'); NULL: an image may show several classes */
} EnsFusion;

/* P of one row; p3 NULL without windows. */
void ens_fusion_run (const EnsFusion *fusion, const float *p1, const float *p2, const float *p3,
                     guint n_classes, float *p);

/* z of one row, for log odds. */
void ens_fusion_mix (const EnsFusion *fusion, const float *p1, const float *p2, const float *p3,
                     guint n_classes, float *z);
