/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matrix products beside their definition in double precision, B packed from either order. */
#include "kernels/gemm.h"

#include <math.h>
#include <stdlib.h>

#include "support.h"

static const EnsGemmShape shapes[] = {
    {1, 1, 1},     {1, 300, 70},  {2, 17, 33},  {3, 1000, 10},   {13, 7, 64},
    {14, 192, 32}, {15, 193, 31}, {49, 64, 96}, {16, 1025, 130}, {200, 40, 5},
};

typedef struct {
  EnsGemmShape shape;
  EnsGemmOrder order;
  float *a, *b, *bias;
  gsize a_pitch, b_pitch, c_pitch;
} Case;

static float *
multiply (const Case *test, const EnsKernels *kernels, guint threads)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
  EnsEpilogue epilogue = {.bias = test->bias, .activation = ENS_ACTIVATION_SIGMOID};
  EnsGemmPlan plan;
  EnsConvArguments arguments = {
      .input = test->a,
      .input_pitch = test->a_pitch,
      .output = test_output_new (test->shape.rows, test->c_pitch),
      .output_pitch = test->c_pitch,
      .epilogue = &epilogue,
  };
  float *packed;

  ens_gemm_plan (&plan, &test->shape, kernels, threads);
  arguments.packed = packed = test_aligned_new (plan.packed_size);
  arguments.scratch = test_aligned_new (plan.scratch_size);
  ens_gemm_pack (&plan, test->order, test->b, test->b_pitch, packed, NULL);
  ens_gemm_run (&plan, &arguments, pool);
  free (packed);
  free (arguments.scratch);
  return arguments.output;
}

static void
check (const Case *test, const EnsKernels *kernels)
{
  const EnsGemmShape *shape = &test->shape;
  g_autofree float *c = multiply (test, kernels, 1);
  g_autofree float *again = multiply (test, kernels, 3);
  gboolean inner_first = test->order == ENS_GEMM_INNER_FIRST;

  for (gsize i = 0; i < shape->rows; i++)
    for (gsize j = 0; j < shape->columns; j++) {
      double sum = test->bias[j], magnitude = 1;

      for (gsize k = 0; k < shape->inner; k++) {
        double product = (double)test->a[i * test->a_pitch + k]
                         * test->b[inner_first ? k * test->b_pitch + j : j * test->b_pitch + k];

        sum += product;
        magnitude += fabs (product);
      }
      ck_assert_double_eq_tol (c[i * test->c_pitch + j], 1 / (1 + exp (-sum)), 1e-7 * magnitude);
    }
  test_assert_gaps (c, shape->rows, shape->columns, test->c_pitch);
  ck_assert_bytes_eq (c, shape->rows * test->c_pitch * sizeof *c, again,
                      shape->rows * test->c_pitch * sizeof *again);
}

START_TEST (test_definition)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    for (EnsGemmOrder order = ENS_GEMM_INNER_FIRST; order <= ENS_GEMM_COLUMNS_FIRST; order++) {
      guint rows = order == ENS_GEMM_INNER_FIRST ? shapes[i].inner : shapes[i].columns;
      guint columns = order == ENS_GEMM_INNER_FIRST ? shapes[i].columns : shapes[i].inner;
      Case test = {
          .shape = shapes[i],
          .order = order,
          .a_pitch = shapes[i].inner + 3,
          .b_pitch = columns + 2,
          .c_pitch = shapes[i].columns + 1,
          .bias = test_random (random, shapes[i].columns),
      };

      test.a = test_pixels_new (random, shapes[i].rows, shapes[i].inner, test.a_pitch);
      test.b = test_pixels_new (random, rows, columns, test.b_pitch);
      check (&test, kernels);
      g_free (test.a);
      g_free (test.b);
      g_free (test.bias);
    }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels");
  test_add_levels ("gemm/definition", test_definition);
  return test_run ();
}
