/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sources: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Philox);
 * Lemire, "Fast random integer generation in an interval", TOMACS 29 (2019) (no bias);
 * Marsaglia and Bray, "A convenient method for generating normal variables", SIAM Review 6 (1964);
 * Durstenfeld, "Algorithm 235: random permutation", CACM 7 (1964).
 *
 * Logarithm and exponential function are written down here because the last bits of the C
 * library's differ between processors. Additions, multiplications, divisions and square roots are
 * exactly IEEE 754's everywhere as long as none are fused. */
#include "base/random.h"

#include <math.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum { N_ROUNDS = 10 };

static const guint32 multipliers[2] = {0xD2511F53, 0xCD9E8D57};
static const guint32 key_steps[2] = {0x9E3779B9, 0xBB67AE85};

/* One block of the generator. */
static void
compute_words (EnsRandom *random)
{
  guint32 *x = random->words;
  guint32 key[2] = {random->key[0], random->key[1]};

  for (guint i = 0; i < 4; i++)
    x[i] = random->counter[i];
  for (guint round = 0; round < N_ROUNDS; round++) {
    guint64 a = (guint64)multipliers[0] * x[0], b = (guint64)multipliers[1] * x[2];

    x[0] = (guint32)(b >> 32) ^ x[1] ^ key[0];
    x[1] = (guint32)b;
    x[2] = (guint32)(a >> 32) ^ x[3] ^ key[1];
    x[3] = (guint32)a;
    key[0] += key_steps[0];
    key[1] += key_steps[1];
  }
  random->n_words = 4;
}

void
ens_random_init (EnsRandom *random, const EnsRandomStream *stream)
{
  *random = (EnsRandom) {.key = {(guint32)stream->seed, (guint32)(stream->seed >> 32)},
                         .counter = {0, stream->item, stream->epoch, stream->purpose},
                         .normal = NAN};
}

guint32
ens_random_next (EnsRandom *random)
{
  if (random->n_words == 0) {
    compute_words (random);
    random->counter[0]++;
  }
  return random->words[4 - random->n_words--];
}

double
ens_random_uniform (EnsRandom *random)
{
  guint64 high = ens_random_next (random), low = ens_random_next (random);

  return (double)((high << 32 | low) >> 11) * 0x1p-53;
}

double
ens_random_between (EnsRandom *random, double low, double high)
{
  return low + (high - low) * ens_random_uniform (random);
}

/* x > 0, finite and not subnormal. m is x without its power of two, in [√½, √2):
 * log (m) = 2 artanh ((m - 1) / (m + 1)). */
static double
logarithm (double x)
{
  int exponent;
  double m = frexp (x, &exponent), z, square, sum = 0;

  if (m < 0x1.6a09e667f3bcdp-1) {
    m *= 2;
    exponent--;
  }
  z = (m - 1) / (m + 1);
  square = z * z;
  for (int k = 23; k > 0; k -= 2)
    sum = sum * square + 1.0 / k;
  return exponent * 0x1.62e42fefa39efp-1 + 2 * z * sum;
}

/* For |x| that is not large. The remainder of a division by log (2) goes into the power series. */
static double
exponential (double x)
{
  double n = rint (x * 0x1.71547652b82fep+0), r = x - n * 0x1.62e42fefa39efp-1, sum = 1;

  for (int k = 14; k > 0; k--)
    sum = 1 + sum * r / k;
  return ldexp (sum, (int)n);
}

double
ens_random_log_between (EnsRandom *random, double low, double high)
{
  double value = low * exponential (ens_random_uniform (random) * logarithm (high / low));

  return fmin (fmax (value, low), high);
}

/* The upper half of a product with n. Of the 2^32 lower halves those below 2^32 mod n would make
 * some results more frequent. */
guint32
ens_random_below (EnsRandom *random, guint32 n)
{
  const guint32 excess = (guint32)-n % n;
  guint64 product;

  do
    product = (guint64)ens_random_next (random) * n;
  while ((guint32)product < excess);
  return (guint32)(product >> 32);
}

gboolean
ens_random_chance (EnsRandom *random, double probability)
{
  return ens_random_uniform (random) < probability;
}

/* A point in the unit disc gives two numbers. */
double
ens_random_normal (EnsRandom *random)
{
  double x, y, square, factor, kept = random->normal;

  if (!isnan (kept)) {
    random->normal = NAN;
    return kept;
  }
  do {
    x = ens_random_between (random, -1, 1);
    y = ens_random_between (random, -1, 1);
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  factor = sqrt (-2 * logarithm (square) / square);
  random->normal = y * factor;
  return x * factor;
}

void
ens_random_shuffle (EnsRandom *random, guint32 *values, guint32 n)
{
  for (guint32 i = n; i > 1; i--) {
    guint32 k = ens_random_below (random, i), value = values[k];

    values[k] = values[i - 1];
    values[i - 1] = value;
  }
}

void
ens_random_permutation (EnsRandom *random, guint32 *order, guint32 n)
{
  for (guint32 i = 0; i < n; i++)
    order[i] = i;
  ens_random_shuffle (random, order, n);
}
