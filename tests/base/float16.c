/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conversion to and from float16, compared with the operators' reference. */
#include "base/float16.h"

#include <math.h>
#include <string.h>

#include "check-main.h"
#include "ops/operands.h"

static guint16
convert (float number)
{
  guint16 half;

  ens_float16_from_floats (&number, &half, 1);
  return half;
}

static float
to_float (guint16 half)
{
  const EnsView view = {.type = ENS_TYPE_FLOAT16, .data = &half};

  return (float)ens_view_real (&view, 0);
}

static guint16
from_reference (float number)
{
  guint16 half = 0;
  const EnsView view = {.type = ENS_TYPE_FLOAT16, .data = &half};

  ens_view_set_real (&view, 0, number);
  return half;
}

/* Every one there is comes back as it was; all that are no numbers become one. */
START_TEST (test_exact)
{
  for (guint i = 0; i <= G_MAXUINT16; i++) {
    guint16 half = (guint16)i, back = convert (to_float (half));

    if (isnan (to_float (half))) {
      ck_assert (isnan (to_float (back)));
      ck_assert (isnan (ens_float16_to_float (half)));
    } else {
      ck_assert_uint_eq (back, half);
      ck_assert_double_eq (ens_float16_to_float (half), to_float (half));
    }
    ck_assert (ens_float16_is_finite (half) == isfinite (to_float (half)));
  }
}
END_TEST

/* Between neighbours: in the middle, and the nearest floats on both sides of it. */
START_TEST (test_rounded)
{
  for (guint i = 0; i < 0x7c00; i++) {
    float low = to_float ((guint16)i), high = i < 0x7bff ? to_float ((guint16)(i + 1)) : 65536;
    float middle = low + (high - low) / 2;
    const float numbers[] = {middle, nextafterf (middle, 0), nextafterf (middle, INFINITY), -middle,
                             nextafterf (low, INFINITY)};

    for (guint k = 0; k < G_N_ELEMENTS (numbers); k++)
      ck_assert_uint_eq (convert (numbers[k]), from_reference (numbers[k]));
  }
}
END_TEST

START_TEST (test_many)
{
  enum { N = 1021 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  float numbers[N];
  guint16 halves[N];

  for (guint i = 0; i < N; i++) {
    guint32 bits = g_rand_int (rand);

    memcpy (&numbers[i], &bits, sizeof bits);
  }
  ck_assert (!ens_float16_from_floats (numbers, halves, N));
  for (guint i = 0; i < N; i++)
    if (!isnan (numbers[i]))
      ck_assert_uint_eq (halves[i], from_reference (numbers[i]));
}
END_TEST

/* Wherever the one that does not fit stands. */
START_TEST (test_finite)
{
  enum { N = 37 };
  static const float others[] = {65520, -1e9F, INFINITY, NAN};
  float numbers[N];
  guint16 halves[N];

  for (guint i = 0; i < N; i++)
    numbers[i] = i % 2 == 0 ? 65504 : -65519;
  ck_assert (ens_float16_from_floats (numbers, halves, N));
  for (guint i = 0; i < N; i++) {
    float kept = numbers[i];

    numbers[i] = others[i % G_N_ELEMENTS (others)];
    ck_assert (!ens_float16_from_floats (numbers, halves, N));
    numbers[i] = kept;
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("base/half");
  test_add ("exact", test_exact);
  test_add ("rounded", test_rounded);
  test_add ("many", test_many);
  test_add ("finite", test_finite);
  return test_run ();
}
