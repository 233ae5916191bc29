/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: exponentials of a row, for softmax. */

/* Beyond this the quotient may not be a normal number, and the products that follow would be slow:
 * 0 then, as of −infinity. */
#define LEAST_EXPONENT (-80.f)

ENS_INLINE Vector
vector_exp_or_zero (Vector x)
{
  return vector_select (x < LEAST_EXPONENT, (Vector) {0}, vector_exp (x));
}

ENS_INLINE Vector
vector_keep (Vector x, guint n)
{
  return vector_select (vector_lanes () < (VectorInt) {0} + (gint32)n, x, (Vector) {0});
}

/* row->y = scale · x + addend; returns the largest, or 0 if all are −infinity. */
static float
store_arguments (const EnsSoftmaxRow *row)
{
  const Vector scale = vector_set (row->scale);
  Vector max = vector_set (-INFINITY);
  float top = -INFINITY;
  gsize i = 0;

  for (; i + LANES <= row->n; i += LANES) {
    Vector x = vector_load (row->x + i) * scale;

    if (row->addend != NULL)
      x += vector_load (row->addend + i);
    max = vector_max (x, max);
    vector_store (row->y + i, x);
  }
  for (guint lane = 0; lane < LANES; lane++)
    top = MAX (top, max[lane]);
  for (; i < row->n; i++) {
    row->y[i] = row->x[i] * row->scale + (row->addend != NULL ? row->addend[i] : 0);
    top = MAX (top, row->y[i]);
  }
  return top > -INFINITY || top != top ? top : 0;
}

static float
softmax_exponentials (const EnsSoftmaxRow *row)
{
  const Vector top = vector_set (store_arguments (row));
  Vector sums = {0};
  float sum = 0;
  gsize i = 0;

  for (; i + LANES <= row->n; i += LANES) {
    Vector y = vector_exp_or_zero (vector_load (row->y + i) - top);

    sums += y;
    vector_store (row->y + i, y);
  }
  if (i < row->n) {
    guint rest = (guint)(row->n - i);
    Vector y = vector_exp_or_zero (vector_load_some (row->y + i, rest) - top);

    sums += vector_keep (y, rest);
    vector_store_some (row->y + i, y, rest);
  }
  for (guint lane = 0; lane < LANES; lane++)
    sum += sums[lane];
  return 1 / sum;
}
