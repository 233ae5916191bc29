/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One-dimensional resampling weights of the triangle filter. */
#pragma once

#include <glib.h>

/* Where the outputs lie among the inputs: input i covers [i, i + 1), the outputs divide [from, to)
 * evenly. Only inputs in [low, high) may be read. */
typedef struct {
  double from, to;
  guint low, high;
} EnsFilterSpan;

/* Output o is the sum over t of weights[o * taps + t] * input[first[o] + t]. */
typedef struct {
  guint taps;
  guint *first;
  float *weights;
} EnsFilter;

/* The inputs that n outputs take: as many for each, in a triangle whose half width is one output or
 * one input, whichever is wider. */
typedef struct {
  guint taps;
  double half_width;
} EnsFilterTaps;

EnsFilterTaps ens_filter_get_taps (const EnsFilterSpan *span, guint n);
/* The first input that output o takes; *distance: of its centre from the output's. */
guint ens_filter_place (const EnsFilterSpan *span, guint n, guint o, double *distance);

/* Weights of the outputs [begin, end) of n, stored from index 0 on. */
void ens_filter_init (EnsFilter *filter, const EnsFilterSpan *span, guint n, guint begin,
                      guint end);
void ens_filter_clear (EnsFilter *filter);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsFilter, ens_filter_clear)
