/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/cholesky.h"

#include <math.h>
#include <string.h>

/* Sums side by side, which the compiler may not make of one by itself. */
static double
multiply (const double *a, const double *b, guint n)
{
  double sums[4] = {0};
  guint i = 0;

  for (; i + 4 <= n; i += 4)
    for (guint j = 0; j < 4; j++)
      sums[j] += a[i + j] * b[i + j];
  for (; i < n; i++)
    sums[0] += a[i] * b[i];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

gboolean
ens_cholesky_decompose (double *matrix, guint n)
{
  for (guint i = 0; i < n; i++) {
    double *row = &matrix[(gsize)i * n];

    for (guint j = 0; j < i; j++) {
      const double *other = &matrix[(gsize)j * n];

      row[j] = (row[j] - multiply (row, other, j)) / other[j];
    }
    row[i] -= multiply (row, row, i);
    if (!(row[i] > 0))
      return FALSE;
    row[i] = sqrt (row[i]);
  }
  return TRUE;
}

gboolean
ens_cholesky_invert (double *matrix, guint n)
{
  g_autofree double *inverse = g_new (double, n);

  if (!ens_cholesky_decompose (matrix, n))
    return FALSE;
  /* Row i of L⁻¹ follows from the rows above it. */
  for (guint i = 0; i < n; i++) {
    double *row = &matrix[(gsize)i * n];

    memset (inverse, 0, n * sizeof *inverse);
    for (guint k = 0; k < i; k++)
      for (guint j = 0; j <= k; j++)
        inverse[j] -= row[k] * matrix[(gsize)k * n + j];
    for (guint j = 0; j < i; j++)
      inverse[j] /= row[i];
    inverse[i] = 1 / row[i];
    memcpy (row, inverse, n * sizeof *row);
  }
  return TRUE;
}
