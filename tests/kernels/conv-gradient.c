/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A convolution is linear in its input and in its weights, and gradients are the adjoints: for any
 * X, W and dY, dY · (W * X) = dX · X = dW · W, and db · 1 = dY · 1. */
#include "kernels/conv-gradient.h"

#include <stdlib.h>

#include "kernels/conv-transpose.h"
#include "support.h"

#define PAD(n) .pad_top = n, .pad_left = n, .pad_bottom = n, .pad_right = n

static const EnsConvShape shapes[] = {
    {1, 1, 1, 1, 1, 1, 1},
    {3, 7, 5, 17, 33, 1, 1},
    {2, 9, 8, 24, 40, 1, 1, .stride_y = 2, .stride_x = 2},
    {2, 13, 11, 19, 23, 3, 3, PAD (1)},
    {5, 16, 16, 20, 18, 3, 3, PAD (1)},
    {2, 24, 24, 32, 32, 3, 3, PAD (1)},
    {1, 4, 4, 64, 70, 3, 3, PAD (1)},
    {2, 21, 19, 3, 16, 7, 7, PAD (3), .stride_y = 2, .stride_x = 2},
    {2, 10, 11, 5, 130, 3, 3, .stride_y = 2, .stride_x = 3, .pad_bottom = 1},
    {1, 9, 9, 4, 6, 3, 3, PAD (3), .dilation_y = 2, .dilation_x = 3},
    {2, 6, 5, 12, 9, 3, 3, PAD (1), .groups = 3},
    {2, 9, 7, 35, 35, 3, 3, PAD (1), .groups = 35},
    {2, 11, 8, 32, 32, 3, 3, PAD (1), .stride_y = 2, .stride_x = 2, .groups = 32},
    {1, 12, 9, 20, 20, 5, 4, PAD (2), .stride_y = 3, .stride_x = 2, .groups = 20},
    {1, 6, 6, 5, 10, 3, 3, PAD (1), .groups = 5},
};

typedef struct {
  EnsConvShape shape;
  gsize inputs, outputs, weights; /* elements */
  float *x, *w, *dy;
  const EnsKernels *kernels;
  EnsThreadPool *pool;
} Case;

static double
dot (const float *a, const float *b, gsize n, double *magnitude)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++) {
    sum += (double)a[i] * (double)b[i];
    *magnitude += fabs ((double)a[i] * (double)b[i]);
  }
  return sum;
}

static double
forward (const Case *test, double *magnitude)
{
  EnsConvPlan plan;
  EnsConvWeights weights = ens_conv_weights (&test->shape, test->w);
  g_autofree float *y = g_new (float, test->outputs);
  float *packed, *scratch;

  ens_conv_plan (&plan, &test->shape, test->kernels, 2);
  packed = test_aligned_new (plan.packed_size);
  scratch = test_aligned_new (plan.scratch_size);
  ens_conv_pack (&plan, &weights, packed, test->pool);
  ens_conv_run (&plan,
                &(EnsConvArguments) {packed, test->x, test->shape.channels, y, test->shape.filters,
                                     NULL, scratch},
                test->pool);
  free (packed);
  free (scratch);
  return dot (y, test->dy, test->outputs, magnitude);
}

static double
through_input (const Case *test, double *magnitude)
{
  EnsConvTransposePlan plan;
  g_autofree float *dx = g_new (float, test->inputs);
  float *packed, *scratch;

  ens_conv_transpose_plan (&plan, &test->shape, ens_conv_output_height (&test->shape),
                           ens_conv_output_width (&test->shape), test->kernels, 2);
  packed = test_aligned_new (plan.packed_size);
  scratch = test_aligned_new (plan.scratch_size);
  ens_conv_transpose_pack (&plan, test->w, packed, test->pool);
  ens_conv_transpose_run (&plan,
                          &(EnsConvTransposeArguments) {packed, test->dy, test->shape.filters, dx,
                                                        test->shape.channels, NULL, scratch},
                          test->pool);
  free (packed);
  free (scratch);
  return dot (dx, test->x, test->inputs, magnitude);
}

static double
through_weights (const Case *test, float *bias, double *magnitude)
{
  EnsConvGradientPlan plan;
  g_autofree float *dw = g_new (float, test->weights);
  float *scratch;

  ens_conv_gradient_plan (&plan, &test->shape, test->kernels, 2);
  scratch = test_aligned_new (plan.scratch_size);
  ens_conv_gradient_run (&plan,
                         &(EnsConvGradientArguments) {test->x, test->shape.channels, test->dy,
                                                      test->shape.filters, dw, bias, scratch},
                         test->pool);
  free (scratch);
  return dot (dw, test->w, test->weights, magnitude);
}

static void
case_init (Case *test, const EnsConvShape *shape, GRand *random)
{
  test->shape = test_conv_shape (shape);
  shape = &test->shape;
  test->inputs = (gsize)shape->batch * shape->height * shape->width * shape->channels;
  test->outputs = (gsize)shape->batch * ens_conv_output_height (shape)
                  * ens_conv_output_width (shape) * shape->filters;
  test->weights = (gsize)shape->filters * shape->kernel_height * shape->kernel_width
                  * shape->channels / shape->groups;
  test->x = test_random (random, test->inputs);
  test->w = test_random (random, test->weights);
  test->dy = test_random (random, test->outputs);
}

static void
check (const Case *test)
{
  g_autofree float *bias = g_new (float, test->shape.filters);
  double magnitude = 0, expected = forward (test, &magnitude), bias_sum = 0, sum = 0;

  ck_assert_double_eq_tol (through_input (test, &magnitude), expected, 1e-5 * magnitude);
  ck_assert_double_eq_tol (through_weights (test, bias, &magnitude), expected, 1e-5 * magnitude);
  for (guint i = 0; i < test->shape.filters; i++)
    bias_sum += (double)bias[i];
  for (gsize i = 0; i < test->outputs; i++)
    sum += (double)test->dy[i];
  ck_assert_double_eq_tol (bias_sum, sum, 1e-6 * (double)test->outputs);
}

START_TEST (test_adjoint)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    Case test = {.kernels = ens_kernels_get_level ((guint)_i), .pool = pool};

    case_init (&test, &shapes[i], random);
    check (&test);
    g_free (test.x);
    g_free (test.w);
    g_free (test.dy);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels");
  test_add_levels ("adjoint", test_adjoint);
  return test_run ();
}
