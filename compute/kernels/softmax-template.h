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

/* The first n lanes, and others. */
ENS_INLINE Vector
vector_keep (Vector x, guint n, float others)
{
  return vector_select (vector_lanes () < (VectorInt) {0} + (gint32)n, x, vector_set (others));
}

/* Of all lanes, by halves: in every lane. */
ENS_INLINE Vector
vector_across_max (Vector x)
{
  ENS_UNROLLED (i, ENS_MAX_LANES)
    if (i > 0 && i < LANES && (i & (i - 1)) == 0)
      x = vector_max (vector_permute (x, vector_lanes () ^ (gint32)i), x);
  return x;
}

ENS_INLINE Vector
vector_across_sum (Vector x)
{
  ENS_UNROLLED (i, ENS_MAX_LANES)
    if (i > 0 && i < LANES && (i & (i - 1)) == 0)
      x += vector_permute (x, vector_lanes () ^ (gint32)i);
  return x;
}

/* scale · x + addend of up to LANES elements. */
ENS_INLINE Vector
softmax_argument (const EnsSoftmaxRow *row, gsize i, guint n)
{
  gboolean whole = n == LANES;
  Vector x = (whole ? vector_load (row->x + i) : vector_load_some (row->x + i, n)) * row->scale;

  if (row->addend != NULL)
    x += whole ? vector_load (row->addend + i) : vector_load_some (row->addend + i, n);
  return x;
}

/* row->y = scale · x + addend; returns the largest, or 0 if all are −infinity. */
static float
store_arguments (const EnsSoftmaxRow *row)
{
  Vector max = vector_set (-INFINITY), x;
  gsize i = 0;
  float top;

  for (; i + LANES <= row->n; i += LANES) {
    x = softmax_argument (row, i, LANES);
    max = vector_max (x, max);
    vector_store (row->y + i, x);
  }
  if (i < row->n) {
    guint rest = (guint)(row->n - i);

    x = softmax_argument (row, i, rest);
    max = vector_max (vector_keep (x, rest, -INFINITY), max);
    vector_store_some (row->y + i, x, rest);
  }
  top = vector_across_max (max)[0];
  return top > -INFINITY || top != top ? top : 0;
}

static void
scale_row (float *y, gsize n, float factor)
{
  gsize i = 0;

  for (; i + LANES <= n; i += LANES)
    vector_store (y + i, vector_load (y + i) * factor);
  if (i < n)
    vector_store_some (y + i, vector_load_some (y + i, (guint)(n - i)) * factor, (guint)(n - i));
}

static float
softmax_exponentials (const EnsSoftmaxRow *row)
{
  const Vector top = vector_set (store_arguments (row));
  Vector sums = {0};
  gsize i = 0;
  float factor;

  for (; i + LANES <= row->n; i += LANES) {
    Vector y = vector_exp_or_zero (vector_load (row->y + i) - top);

    sums += y;
    vector_store (row->y + i, y);
  }
  if (i < row->n) {
    guint rest = (guint)(row->n - i);
    Vector y = vector_exp_or_zero (vector_load_some (row->y + i, rest) - top);

    sums += vector_keep (y, rest, 0);
    vector_store_some (row->y + i, y, rest);
  }
  factor = 1 / vector_across_sum (sums)[0];
  if (row->normalise)
    scale_row (row->y, row->n, factor);
  return factor;
}
