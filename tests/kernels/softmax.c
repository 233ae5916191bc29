/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of exponentials beside their definition in double precision. */
#include "kernels/softmax.h"

#include <math.h>

#include "support.h"

/* Around whole vectors of every level. */
static const gsize sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 1000};

#define SCALE 3.f
/* Below this, exponentials are 0. */
#define LEAST_EXPONENT (-80.)
#define TOLERANCE 2e-6

typedef struct {
  const char *name;
  gboolean addend, normalise, in_place;
  guint hidden; /* of each so many, one is −infinity and one far below; 0: none */
} Variant;

static const Variant variants[] = {
    {"plain", FALSE, FALSE, FALSE, 0},  {"normalised", FALSE, TRUE, FALSE, 0},
    {"in place", FALSE, TRUE, TRUE, 0}, {"addend", TRUE, FALSE, TRUE, 0},
    {"hidden", TRUE, TRUE, FALSE, 5},   {"all hidden", TRUE, FALSE, FALSE, 1},
};

static double
find_argument (const EnsSoftmaxRow *row, gsize i)
{
  return (double)row->scale * row->x[i] + (row->addend != NULL ? (double)row->addend[i] : 0);
}

/* Sets y; returns one over the sum. */
static double
expect (const EnsSoftmaxRow *row, double *y)
{
  double max = -INFINITY, sum = 0;

  for (gsize i = 0; i < row->n; i++)
    max = fmax (max, find_argument (row, i));
  for (gsize i = 0; i < row->n; i++) {
    double exponent = max > -INFINITY ? find_argument (row, i) - max : -INFINITY;

    y[i] = exponent < LEAST_EXPONENT ? 0 : exp (exponent);
    sum += y[i];
  }
  for (gsize i = 0; i < row->n && row->normalise; i++)
    y[i] /= sum;
  return 1 / sum;
}

static void
compare (const Variant *variant, gsize n, const char *what, double found, double expected)
{
  if (found != expected && !(fabs (found - expected) <= TOLERANCE * fabs (expected)))
    ck_abort_msg ("%s, %" G_GSIZE_FORMAT " elements: %s is %.9g, expected %.9g", variant->name, n,
                  what, found, expected);
}

static void
check (const Variant *variant, gsize n, const EnsKernels *kernels, GRand *random)
{
  g_autofree float *x = test_random (random, n), *addend = test_random (random, n);
  g_autofree float *y = test_output_new (1, n + 1);
  g_autofree double *expected = g_new (double, n);
  EnsSoftmaxRow row = {x, variant->addend ? addend : NULL, SCALE, n, y, variant->normalise};
  double factor;

  for (gsize i = 0; i < n && variant->hidden > 0; i += variant->hidden)
    addend[i] = -INFINITY;
  for (gsize i = 1; i < n && variant->hidden > 1; i += variant->hidden)
    addend[i] = -100;
  factor = expect (&row, expected);
  if (variant->in_place)
    row.y = x;
  compare (variant, n, "the factor", (double)ens_softmax_exponentials (kernels, &row), factor);
  for (gsize i = 0; i < n && !(variant->normalise && isinf (factor)); i++)
    compare (variant, n, "an exponential", (double)row.y[i], expected[i]);
  test_assert_gaps (y, 1, (guint)n, n + 1);
}

START_TEST (test_definition)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint k = 0; k < G_N_ELEMENTS (variants); k++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
      check (&variants[k], sizes[i], kernels, random);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels");
  test_add_levels ("softmax/definition", test_definition);
  return test_run ();
}
