/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare.h"

#include "ops/operands.h"

#include <math.h>

#define DEFAULT_TOLERANCE 2e-6

double
test_row_tolerance (const TestRow *row)
{
  return row->tolerance > 0 ? row->tolerance : DEFAULT_TOLERANCE;
}

static double
largest (const EnsView *view)
{
  gsize n = ens_view_elements (view);
  double max = 0;

  for (gsize i = 0; i < n; i++) {
    double x = fabs (ens_view_real (view, i));

    if (isfinite (x))
      max = fmax (max, x);
  }
  return max;
}

static gboolean
is_near (double a, double b, double tolerance)
{
  return a == b || (isnan (a) && isnan (b)) || fabs (a - b) <= tolerance;
}

char *
test_compare (const EnsTensor *found, const EnsTensor *expected, double tolerance, gboolean each)
{
  EnsView a = ens_view_dense (found->type, &found->shape, found->data);
  EnsView b = ens_view_dense (expected->type, &expected->shape, expected->data);
  double magnitude = ens_type_is_real (b.type) ? largest (&b) : 0;
  gsize n = ens_view_elements (&b);

  for (gsize i = 0; i < n; i++) {
    double x = ens_view_real (&a, i), y = ens_view_real (&b, i);

    if (!is_near (x, y, tolerance * (each ? fabs (y) : magnitude)))
      return g_strdup_printf ("[%" G_GSIZE_FORMAT "] is %.9g, expected %.9g", i, x, y);
  }
  return NULL;
}
