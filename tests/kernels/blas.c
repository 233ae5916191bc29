/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenBLAS's products beside their definition, and the same bits whatever the number of threads,
 * ours or OpenBLAS's. */
#include "kernels/blas.h"

#include <cblas.h>
#include <math.h>

#include "support.h"

typedef struct {
  guint rows, inner, columns;
  guint gap; /* between rows, of all matrices */
} Row;

static const Row rows[] = {
    {1, 1, 1, 0},    {1, 300, 70, 3},   {2, 17, 33, 1},    {63, 64, 65, 2},  {64, 64, 64, 0},
    {65, 63, 64, 5}, {130, 129, 10, 1}, {100, 1000, 5, 0}, {200, 2, 128, 0}, {1, 500, 1, 4},
};

typedef struct {
  EnsBlasProduct product;
  float *a, *b, *bias;
} Case;

static void
case_init (Case *test, const Row *row, GRand *random)
{
  test->a = test_pixels_new (random, row->rows, row->inner, row->inner + row->gap);
  test->b = test_pixels_new (random, row->columns, row->inner, row->inner + row->gap);
  test->bias = test_random (random, row->columns);
  test->product = (EnsBlasProduct) {
      .rows = row->rows,
      .inner = row->inner,
      .columns = row->columns,
      .a = test->a,
      .a_pitch = row->inner + row->gap,
      .b = test->b,
      .b_pitch = row->inner + row->gap,
      .c_pitch = row->columns + row->gap,
  };
}

static void
case_clear (Case *test)
{
  g_free (test->a);
  g_free (test->b);
  g_free (test->bias);
}

/* Compares c with the definition; rounded once, or as float32 sums round. */
static void
check (const Case *test, const float *c, const float *bias, double tolerance)
{
  const EnsBlasProduct *product = &test->product;

  for (gsize i = 0; i < product->rows; i++)
    for (gsize j = 0; j < product->columns; j++) {
      double sum = bias != NULL ? bias[j] : 0, magnitude = fabs (sum);

      for (gsize k = 0; k < product->inner; k++) {
        double term = (double)test->a[i * product->a_pitch + k] * test->b[j * product->b_pitch + k];

        sum += term;
        magnitude += fabs (term);
      }
      ck_assert_double_eq_tol (c[i * product->c_pitch + j], sum,
                               tolerance * magnitude + 6e-8 * fabs (sum));
    }
  test_assert_gaps (c, product->rows, product->columns, product->c_pitch);
}

static float *
multiply (const Case *test, guint threads, int blas_threads)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
  EnsBlasProduct product = test->product;

  openblas_set_num_threads (blas_threads);
  product.c = test_output_new (product.rows, product.c_pitch);
  ens_blas_multiply_float64 (&product, test->bias, pool);
  return product.c;
}

START_TEST (test_float64)
{
  static const guint threads[][2] = {{3, 1}, {1, 4}, {2, 3}};
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autofree float *c = NULL;
  Case test;

  case_init (&test, &rows[_i], random);
  c = multiply (&test, 1, 1);
  check (&test, c, test.bias, 1e-15);
  for (guint t = 0; t < G_N_ELEMENTS (threads); t++) {
    g_autofree float *again = multiply (&test, threads[t][0], (int)threads[t][1]);

    ck_assert_bytes_eq (c, test.product.rows * test.product.c_pitch * sizeof *c, again,
                        test.product.rows * test.product.c_pitch * sizeof *c);
  }
  case_clear (&test);
}
END_TEST

/* So many products at the same time that some would meet in a buffer that has no lock. */
START_TEST (test_many)
{
  const Row row = {24, 36, 2560, 0};
  const gsize size = sizeof (float) * row.rows * row.columns;
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  g_autofree float *c = NULL;
  Case test;

  case_init (&test, &row, random);
  c = multiply (&test, 1, 1);
  for (guint i = 0; i < 1000; i++) {
    g_autofree float *again = multiply (&test, 4, 1);

    ck_assert_bytes_eq (c, size, again, size);
  }
  case_clear (&test);
}
END_TEST

START_TEST (test_tile)
{
  const Row *row = &rows[_i];
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  g_autofree float *c = NULL;
  Case test;

  if (row->rows > ENS_BLAS_TILE || row->columns > ENS_BLAS_TILE)
    return;
  case_init (&test, row, random);
  test.product.c = c = test_output_new (row->rows, test.product.c_pitch);
  ens_blas_multiply_tile (&test.product);
  check (&test, c, NULL, 1e-6);
  case_clear (&test);
}
END_TEST

START_TEST (test_one_thread)
{
  openblas_set_num_threads (2);
  ens_blas_use_one_thread ();
  ck_assert_int_eq (openblas_get_num_threads (), 1);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels/blas");
  TEST_ADD_LOOP ("float64", test_float64, rows);
  test_add ("many", test_many);
  TEST_ADD_LOOP ("tile", test_tile, rows);
  test_add ("one-thread", test_one_thread);
  return test_run ();
}
