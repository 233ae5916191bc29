/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: what softmax is made of. */
#pragma once

#include <glib.h>

#include "kernels/level.h"

G_BEGIN_DECLS

/* y[i] = exp (z[i] − max z), z[i] = scale · x[i] + addend[i]. Where that is below e⁻⁸⁰ it is 0. */
typedef struct {
  const float *x;
  const float *addend; /* or NULL */
  float scale;
  gsize n;            /* ≥ 1 */
  float *y;           /* may be x */
  gboolean normalise; /* y is divided by its sum */
} EnsSoftmaxRow;

/* Returns one over the sum of y: infinity if all z are −infinity. */
float ens_softmax_exponentials (const EnsKernels *kernels, const EnsSoftmaxRow *row);

G_END_DECLS
