/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Known answers, ranges and moments. Limits are five standard deviations of what is estimated: with
 * fixed seeds a test either always passes or always fails. Long loops count what is wrong and
 * assert once: each of Check's assertions is a system call. */
#include "base/random.h"

#include "check-main.h"

enum { N = 100000 };

static EnsRandom
begin (guint64 seed, guint32 epoch, guint32 item)
{
  EnsRandom random;

  ens_random_init (&random, &(EnsRandomStream) {seed, ENS_RANDOM_AUGMENT, epoch, item});
  return random;
}

static void
assert_mean (double sum, double expected, double deviation)
{
  ck_assert_double_eq_tol (sum / N, expected, 5 * deviation / sqrt (N));
}

/* -- known answers -- */

/* Those that the authors of Philox publish with their code. */
static const struct {
  const char *name;
  guint32 counter[4], key[2], expected[4];
} blocks[] = {
    {"zeros", {0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {"ones",
     {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {"pi",
     {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

START_TEST (test_block)
{
  EnsRandom random = {.key = {blocks[_i].key[0], blocks[_i].key[1]}};

  memcpy (random.counter, blocks[_i].counter, sizeof random.counter);
  for (guint i = 0; i < 4; i++)
    ck_assert_uint_eq (ens_random_next (&random), blocks[_i].expected[i]);
}
END_TEST

/* The name of a stream is the counter and the key. */
START_TEST (test_stream)
{
  EnsRandom random;

  ens_random_init (&random, &(EnsRandomStream) {0x299f31d0a4093822, (EnsRandomPurpose)0x03707344,
                                                0x13198a2e, 0x85a308d3});
  random.counter[0] = 0x243f6a88;
  for (guint i = 0; i < 4; i++)
    ck_assert_uint_eq (ens_random_next (&random), blocks[2].expected[i]);
}
END_TEST

/* To the last bit: trainings are resumed on other machines. */
START_TEST (test_pinned)
{
  EnsRandom random = begin (1, 2, 3);
  guint32 order[8];
  static const guint32 expected[] = {3, 2, 6, 7, 5, 4, 1, 0};

  ck_assert_double_eq (ens_random_uniform (&random), 0x1.d559437ccf5dfp-1);
  ck_assert_double_eq (ens_random_between (&random, -3, 5), -0x1.1c8e610689254p+1);
  ck_assert_double_eq (ens_random_log_between (&random, 0.75, 4 / 3.0), 0x1.014776d58ec9ap+0);
  ck_assert_uint_eq (ens_random_below (&random, 1000003), 795606);
  ck_assert_double_eq (ens_random_normal (&random), 0x1.cc28735c6d066p-2);
  ck_assert_double_eq (ens_random_normal (&random), 0x1.9e7f4d2d190e8p-2);
  ens_random_permutation (&random, order, 8);
  ck_assert_bytes_eq (order, sizeof order, expected, sizeof expected);
}
END_TEST

/* -- distributions -- */

START_TEST (test_uniform)
{
  EnsRandom random = begin (7, 0, 0);
  double sum = 0, squares = 0, neighbours = 0, last = 0;
  guint n_inside = 0;

  for (guint i = 0; i < N; i++) {
    double x = ens_random_uniform (&random);

    n_inside += x >= 0 && x < 1;
    sum += x;
    squares += x * x;
    neighbours += (x - 0.5) * last;
    last = x - 0.5;
  }
  ck_assert_uint_eq (n_inside, N);
  assert_mean (sum, 0.5, sqrt (1 / 12.0));
  assert_mean (squares, 1 / 3.0, sqrt (4 / 45.0));
  assert_mean (neighbours, 0, 1 / 12.0);
}
END_TEST

/* The mean of the n - 1 degrees of freedom of χ² is n - 1, its variance 2 (n - 1). */
static void
assert_even (const guint *counts, guint n, guint n_draws)
{
  double expected = (double)n_draws / n, sum = 0;

  for (guint i = 0; i < n; i++)
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  ck_assert_double_eq_tol (sum, n - 1, 5 * sqrt (2.0 * (n - 1)));
}

START_TEST (test_below)
{
  static const guint32 limits[] = {2, 3, 7, 10, 64, 1000};

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++) {
    EnsRandom random = begin (8, 0, i);
    g_autofree guint *counts = g_new0 (guint, limits[i] + 1);

    for (guint d = 0; d < N; d++)
      counts[MIN (ens_random_below (&random, limits[i]), limits[i])]++;
    ck_assert_uint_eq (counts[limits[i]], 0);
    assert_even (counts, limits[i], N);
  }
}
END_TEST

/* Of 3·2^30 values a third would come twice as often if products were not drawn again. */
START_TEST (test_no_bias)
{
  const guint32 n = 3u << 30;
  EnsRandom random = begin (9, 0, 0);
  guint counts[3] = {0};

  for (guint i = 0; i < N; i++)
    counts[ens_random_below (&random, n) % 3]++;
  assert_even (counts, 3, N);
  ck_assert_uint_eq (ens_random_below (&random, 1), 0);
}
END_TEST

/* Up to the third and fourth moment, and how often deviations are exceeded. */
START_TEST (test_normal)
{
  EnsRandom random = begin (10, 0, 0);
  double moments[4] = {0}, beyond[3] = {0};

  for (guint i = 0; i < N; i++) {
    double x = ens_random_normal (&random), power = 1;

    for (guint m = 0; m < 4; m++)
      moments[m] += power *= x;
    for (guint d = 0; d < 3; d++)
      beyond[d] += fabs (x) > d + 1;
  }
  assert_mean (moments[0], 0, 1);
  assert_mean (moments[1], 1, sqrt (2));
  assert_mean (moments[2], 0, sqrt (15));
  assert_mean (moments[3], 3, sqrt (96));
  for (guint d = 0; d < 3; d++) {
    double p = erfc ((d + 1) / sqrt (2));

    assert_mean (beyond[d], p, sqrt (p * (1 - p)));
  }
}
END_TEST

/* Beside the C library's logarithm. */
START_TEST (test_log_between)
{
  static const double ranges[][2] = {{0.75, 4 / 3.0}, {1e-6, 1}, {2, 1e9}, {3, 3}};

  for (guint r = 0; r < G_N_ELEMENTS (ranges); r++) {
    const double low = ranges[r][0], high = ranges[r][1], span = log (high / low);
    EnsRandom random = begin (11, 0, r), twin = random;
    double sum = 0, worst = 0;
    guint n_inside = 0;

    for (guint i = 0; i < N; i++) {
      double x = ens_random_log_between (&random, low, high), u = ens_random_uniform (&twin);

      n_inside += x >= low && x <= high;
      worst = fmax (worst, fabs (x / (low * exp (u * span)) - 1));
      sum += log (x / low);
    }
    ck_assert_uint_eq (n_inside, N);
    ck_assert_double_lt (worst, 1e-14);
    ck_assert_double_le (fabs (sum / N - span / 2), 5 * span * sqrt (1 / 12.0 / N) + 1e-12);
  }
}
END_TEST

START_TEST (test_between)
{
  EnsRandom random = begin (12, 0, 0);
  double sum = 0;
  guint n_inside = 0;

  for (guint i = 0; i < N; i++) {
    double x = ens_random_between (&random, -45, 45);

    n_inside += x >= -45 && x <= 45;
    sum += x;
  }
  ck_assert_uint_eq (n_inside, N);
  assert_mean (sum, 0, 90 * sqrt (1 / 12.0));
}
END_TEST

START_TEST (test_chance)
{
  static const double probabilities[] = {0, 0.1, 0.25, 0.5, 1};

  for (guint p = 0; p < G_N_ELEMENTS (probabilities); p++) {
    const double probability = probabilities[p];
    EnsRandom random = begin (13, 0, p);
    guint n = 0;

    for (guint i = 0; i < N; i++)
      n += ens_random_chance (&random, probability);
    ck_assert_double_le (fabs (n - N * probability),
                         5 * sqrt (N * probability * (1 - probability)));
  }
}
END_TEST

/* All 24 orders of four values equally often. */
START_TEST (test_permutation)
{
  EnsRandom random = begin (14, 0, 0);
  guint counts[24] = {0}, n_complete = 0;

  for (guint i = 0; i < N; i++) {
    guint32 order[4];
    guint rank = 0, seen = 0;

    ens_random_permutation (&random, order, 4);
    for (guint k = 0; k < 4; k++) {
      guint smaller = 0;

      for (guint later = k + 1; later < 4; later++)
        smaller += order[later] < order[k];
      rank = rank * (4 - k) + smaller;
      seen |= 1u << order[k];
    }
    n_complete += seen == 0xf;
    counts[rank]++;
  }
  ck_assert_uint_eq (n_complete, N);
  assert_even (counts, G_N_ELEMENTS (counts), N);
}
END_TEST

START_TEST (test_shuffle_keeps_values)
{
  EnsRandom random = begin (15, 0, 0);
  guint32 values[] = {5, 5, 9, 1000, 0};
  guint sum = 0;

  ens_random_shuffle (&random, values, G_N_ELEMENTS (values));
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    sum += values[i];
  ck_assert_uint_eq (sum, 1019);
  ens_random_shuffle (&random, values, 1);
  ens_random_shuffle (&random, NULL, 0);
}
END_TEST

/* -- streams -- */

static const struct {
  const char *name;
  EnsRandomStream a, b;
} pairs[] = {
    {"seeds", {1, ENS_RANDOM_AUGMENT, 1, 1}, {2, ENS_RANDOM_AUGMENT, 1, 1}},
    {"high-seeds", {1, ENS_RANDOM_AUGMENT, 1, 1}, {1 | G_GUINT64_CONSTANT (1) << 63, 0, 1, 1}},
    {"purposes", {1, ENS_RANDOM_AUGMENT, 1, 1}, {1, ENS_RANDOM_NOISE, 1, 1}},
    {"epochs", {1, ENS_RANDOM_AUGMENT, 1, 1}, {1, ENS_RANDOM_AUGMENT, 2, 1}},
    {"items", {1, ENS_RANDOM_AUGMENT, 1, 1}, {1, ENS_RANDOM_AUGMENT, 1, 2}},
    {"items-and-epochs", {1, ENS_RANDOM_AUGMENT, 1, 2}, {1, ENS_RANDOM_AUGMENT, 2, 1}},
};

/* Uncorrelated, and half of the bits differ. */
START_TEST (test_independent)
{
  EnsRandom a, b;
  double products = 0;
  guint64 n_differ = 0;

  ens_random_init (&a, &pairs[_i].a);
  ens_random_init (&b, &pairs[_i].b);
  for (guint i = 0; i < N; i++) {
    guint32 x = ens_random_next (&a), y = ens_random_next (&b);

    products += (x * 0x1p-32 - 0.5) * (y * 0x1p-32 - 0.5);
    n_differ += (guint)__builtin_popcount (x ^ y);
  }
  assert_mean (products, 0, 1 / 12.0);
  assert_mean ((double)n_differ, 16, sqrt (8));
}
END_TEST

/* The first numbers of neighbouring items are as random as those of one stream. */
START_TEST (test_across_items)
{
  double sum = 0, neighbours = 0, last = 0;
  guint counts[64] = {0};

  for (guint i = 0; i < N; i++) {
    EnsRandom random = begin (0, 0, i);
    double x = ens_random_uniform (&random);

    sum += x;
    neighbours += (x - 0.5) * last;
    last = x - 0.5;
    counts[(guint)(x * 64)]++;
  }
  assert_mean (sum, 0.5, sqrt (1 / 12.0));
  assert_mean (neighbours, 0, 1 / 12.0);
  assert_even (counts, G_N_ELEMENTS (counts), N);
}
END_TEST

/* What was drawn elsewhere, and a copy, change nothing. */
START_TEST (test_no_state)
{
  EnsRandom random = begin (3, 1, 4), copy, again;

  for (guint i = 0; i < 5; i++)
    ens_random_normal (&random);
  copy = random;
  again = begin (3, 1, 4);
  for (guint i = 0; i < 5; i++)
    ens_random_normal (&again);
  for (guint i = 0; i < 100; i++) {
    double x = ens_random_normal (&random);

    ck_assert_double_eq (ens_random_normal (&copy), x);
    ck_assert_double_eq (ens_random_normal (&again), x);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("base/random");
  TEST_ADD_ROWS ("block", test_block, blocks);
  test_add ("stream", test_stream);
  test_add ("pinned", test_pinned);
  test_add ("uniform", test_uniform);
  test_add ("below", test_below);
  test_add ("no-bias", test_no_bias);
  test_add ("normal", test_normal);
  test_add ("log-between", test_log_between);
  test_add ("between", test_between);
  test_add ("chance", test_chance);
  test_add ("permutation", test_permutation);
  test_add ("shuffle-keeps-values", test_shuffle_keeps_values);
  TEST_ADD_ROWS ("independent", test_independent, pairs);
  test_add ("across-items", test_across_items);
  test_add ("no-state", test_no_state);
  return test_run ();
}
