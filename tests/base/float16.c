/* Numbers of 16 bits, beside the operators' reference. */
#include "base/float16.h"

#include <math.h>
#include <string.h>

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
static void
test_exact (void)
{
  for (guint i = 0; i <= G_MAXUINT16; i++) {
    guint16 half = (guint16)i, back = convert (to_float (half));

    if (isnan (to_float (half))) {
      g_assert_true (isnan (to_float (back)));
      g_assert_true (isnan (ens_float16_to_float (half)));
    } else {
      g_assert_cmphex (back, ==, half);
      g_assert_cmpfloat (ens_float16_to_float (half), ==, to_float (half));
    }
    g_assert_true (ens_float16_is_finite (half) == isfinite (to_float (half)));
  }
}

/* Between neighbours: in the middle, and the nearest floats on both sides of it. */
static void
test_rounded (void)
{
  for (guint i = 0; i < 0x7c00; i++) {
    float low = to_float ((guint16)i), high = i < 0x7bff ? to_float ((guint16)(i + 1)) : 65536;
    float middle = low + (high - low) / 2;
    const float numbers[] = {middle, nextafterf (middle, 0), nextafterf (middle, INFINITY), -middle,
                             nextafterf (low, INFINITY)};

    for (guint k = 0; k < G_N_ELEMENTS (numbers); k++)
      g_assert_cmphex (convert (numbers[k]), ==, from_reference (numbers[k]));
  }
}

static void
test_many (void)
{
  enum { N = 1021 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  float numbers[N];
  guint16 halves[N];

  for (guint i = 0; i < N; i++) {
    guint32 bits = g_rand_int (rand);

    memcpy (&numbers[i], &bits, sizeof bits);
  }
  g_assert_false (ens_float16_from_floats (numbers, halves, N));
  for (guint i = 0; i < N; i++)
    if (!isnan (numbers[i]))
      g_assert_cmphex (halves[i], ==, from_reference (numbers[i]));
}

/* Wherever the one that does not fit stands. */
static void
test_finite (void)
{
  enum { N = 37 };
  static const float others[] = {65520, -1e9F, INFINITY, NAN};
  float numbers[N];
  guint16 halves[N];

  for (guint i = 0; i < N; i++)
    numbers[i] = i % 2 == 0 ? 65504 : -65519;
  g_assert_true (ens_float16_from_floats (numbers, halves, N));
  for (guint i = 0; i < N; i++) {
    float kept = numbers[i];

    numbers[i] = others[i % G_N_ELEMENTS (others)];
    g_assert_false (ens_float16_from_floats (numbers, halves, N));
    numbers[i] = kept;
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/half/exact", test_exact);
  g_test_add_func ("/base/half/rounded", test_rounded);
  g_test_add_func ("/base/half/many", test_many);
  g_test_add_func ("/base/half/finite", test_finite);
  return g_test_run ();
}
