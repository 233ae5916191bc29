/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every convolution algorithm that can compute a row's shape, at every level of this processor,
 * beside the definition in double precision; and the same bits from one, two and three threads. */
#include "kernels/conv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

typedef struct {
  EnsConvShape shape;
  guint input_gap, output_gap; /* pitch beyond the channels */
  gboolean bias, residual;
  EnsActivation activation;
} Row;

/* What is left out is 1: see test_conv_shape (). */
#define SHAPE(n, h, w, c, k, kh, kw, ...)                                                  \
  {                                                                                        \
    .batch = n, .height = h, .width = w, .channels = c, .filters = k, .kernel_height = kh, \
    .kernel_width = kw, __VA_ARGS__                                                        \
  }
#define PAD(p) .pad_top = p, .pad_left = p, .pad_bottom = p, .pad_right = p
#define STRIDE(s) .stride_y = s, .stride_x = s
#define DILATION(d) .dilation_y = d, .dilation_x = d

/* clang-format off */
static const Row rows[] = {
  /* 1×1 */
  {SHAPE (1, 1, 1, 1, 1, 1, 1, )},
  {SHAPE (1, 1, 1, 3, 5, 1, 1, ), .bias = TRUE},
  {SHAPE (2, 5, 7, 17, 19, 1, 1, ), 3, 5, TRUE, TRUE, ENS_ACTIVATION_RELU},
  {SHAPE (1, 13, 11, 64, 96, 1, 1, ), 0, 0, TRUE, FALSE, ENS_ACTIVATION_CLIP},
  {SHAPE (3, 7, 7, 401, 33, 1, 1, ), 15, 1, TRUE, TRUE, ENS_ACTIVATION_LEAKY_RELU},
  {SHAPE (1, 9, 9, 48, 40, 1, 1, STRIDE (2)), 1, 0, TRUE, FALSE, ENS_ACTIVATION_SWISH},
  {SHAPE (1, 10, 9, 20, 130, 1, 1, STRIDE (3)), 0, 2, FALSE, TRUE, ENS_ACTIVATION_TANH},
  {SHAPE (1, 4, 4, 8, 16, 1, 1, PAD (1)), 0, 0, TRUE, FALSE, ENS_ACTIVATION_SIGMOID},
  {SHAPE (1, 6, 6, 36, 24, 1, 1, .groups = 3), 0, 4, TRUE, TRUE, ENS_ACTIVATION_HARD_SWISH},
  /* few channels */
  {SHAPE (1, 23, 31, 3, 64, 7, 7, PAD (3), STRIDE (2)), 0, 0, TRUE, FALSE, ENS_ACTIVATION_RELU},
  {SHAPE (2, 18, 17, 3, 20, 3, 3, STRIDE (2)), 1, 3, TRUE, FALSE, ENS_ACTIVATION_CLIP},
  {SHAPE (1, 12, 15, 1, 8, 5, 3, .pad_top = 2, .pad_left = 1, STRIDE (1)), 0, 0, FALSE, FALSE,
   ENS_ACTIVATION_HARD_SIGMOID},
  {SHAPE (1, 11, 40, 4, 37, 3, 5, .pad_bottom = 1, .pad_right = 4, .stride_y = 3, .dilation_y = 2),
   0, 0, TRUE, TRUE, ENS_ACTIVATION_NONE},
  /* 3×3 stride 1 */
  {SHAPE (1, 4, 4, 16, 16, 3, 3, PAD (1))},
  {SHAPE (1, 1, 1, 5, 7, 3, 3, PAD (1)), 0, 0, TRUE, TRUE, ENS_ACTIVATION_RELU},
  {SHAPE (1, 3, 3, 5, 7, 3, 3, ), 2, 0, TRUE},
  {SHAPE (2, 14, 14, 33, 47, 3, 3, PAD (1)), 1, 5, TRUE, TRUE, ENS_ACTIVATION_RELU},
  {SHAPE (1, 13, 17, 64, 64, 3, 3, PAD (1)), 0, 64, TRUE, FALSE, ENS_ACTIVATION_CLIP},
  {SHAPE (3, 7, 5, 18, 34, 3, 3, .pad_top = 2, .pad_right = 1), 0, 0, TRUE, TRUE,
   ENS_ACTIVATION_SWISH},
  {SHAPE (1, 30, 29, 24, 16, 3, 3, PAD (1)), 0, 0, FALSE, TRUE, ENS_ACTIVATION_TANH},
  {SHAPE (1, 8, 8, 300, 70, 3, 3, PAD (1)), 0, 0, TRUE, FALSE, ENS_ACTIVATION_HARD_SWISH},
  {SHAPE (1, 9, 9, 16, 16, 3, 3, PAD (3))},
  /* general */
  {SHAPE (1, 15, 13, 40, 50, 3, 3, PAD (1), STRIDE (2)), 3, 1, TRUE, TRUE, ENS_ACTIVATION_RELU},
  {SHAPE (1, 16, 16, 16, 32, 3, 3, PAD (2), DILATION (2)), 0, 0, TRUE, FALSE, ENS_ACTIVATION_SIGMOID},
  {SHAPE (1, 17, 9, 9, 12, 2, 5, .pad_left = 3, .stride_y = 2, .stride_x = 3, .dilation_x = 2), 1, 1},
  {SHAPE (2, 6, 6, 200, 12, 3, 3, PAD (1), STRIDE (2)), 0, 0, TRUE, FALSE, ENS_ACTIVATION_LEAKY_RELU},
  {SHAPE (1, 7, 7, 31, 37, 7, 7, )},
  {SHAPE (1, 5, 5, 230, 65, 2, 2, PAD (4), STRIDE (3)), 0, 0, TRUE},
  /* groups */
  {SHAPE (1, 9, 10, 32, 32, 3, 3, PAD (1), .groups = 8), 0, 0, TRUE, TRUE, ENS_ACTIVATION_RELU},
  {SHAPE (2, 8, 7, 30, 42, 3, 3, PAD (1), STRIDE (2), .groups = 6), 2, 3, TRUE, FALSE,
   ENS_ACTIVATION_SWISH},
  {SHAPE (1, 5, 5, 66, 132, 1, 1, .groups = 2), 0, 0, FALSE, TRUE, ENS_ACTIVATION_NONE},
  {SHAPE (1, 11, 10, 40, 40, 3, 3, PAD (1), STRIDE (2), .groups = 20), 1, 0, TRUE, TRUE,
   ENS_ACTIVATION_RELU},
  {SHAPE (2, 7, 13, 36, 36, 3, 3, PAD (1), .groups = 9), 3, 5, TRUE, FALSE, ENS_ACTIVATION_SWISH},
  {SHAPE (1, 9, 12, 56, 56, 3, 3, PAD (1), .groups = 7), 0, 8, FALSE, TRUE, ENS_ACTIVATION_CLIP},
  {SHAPE (1, 9, 8, 24, 24, 5, 2, PAD (2), DILATION (2), STRIDE (3), .groups = 3), 0, 1, TRUE},
  /* depthwise */
  {SHAPE (1, 1, 1, 1, 1, 3, 3, PAD (1))},
  {SHAPE (2, 14, 15, 35, 35, 3, 3, PAD (1), .groups = 35), 1, 2, TRUE, TRUE, ENS_ACTIVATION_CLIP},
  {SHAPE (1, 15, 14, 96, 96, 3, 3, PAD (1), STRIDE (2), .groups = 96), 0, 0, TRUE, FALSE,
   ENS_ACTIVATION_HARD_SWISH},
  {SHAPE (1, 12, 12, 20, 20, 5, 5, PAD (2), .groups = 20), 0, 0, TRUE, FALSE, ENS_ACTIVATION_SWISH},
  {SHAPE (1, 13, 20, 19, 19, 5, 5, PAD (2), STRIDE (2), .groups = 19), 3, 0, FALSE, TRUE},
  {SHAPE (1, 12, 11, 8, 24, 3, 3, PAD (1), .groups = 8), 1, 0, TRUE, FALSE, ENS_ACTIVATION_RELU},
  {SHAPE (2, 9, 9, 7, 14, 4, 2, .pad_top = 3, .pad_right = 2, STRIDE (3), DILATION (2), .groups = 7),
   0, 1, TRUE, TRUE, ENS_ACTIVATION_NONE},
  {SHAPE (1, 4, 5, 16, 16, 3, 3, PAD (5), .groups = 16), 0, 0, TRUE},
  {SHAPE (1, 16, 16, 16, 16, 3, 3, PAD (2), DILATION (2), .groups = 16)},
  {SHAPE (1, 13, 17, 40, 40, 7, 7, PAD (3), .groups = 40), 0, 0, TRUE, TRUE, ENS_ACTIVATION_SWISH},
  {SHAPE (1, 7, 7, 33, 33, 7, 7, PAD (3), .groups = 33), 2, 0, TRUE, FALSE, ENS_ACTIVATION_RELU},
  /* several pixels in a vector */
  {SHAPE (1, 7, 13, 8, 8, 3, 3, PAD (1), .groups = 8), 0, 0, TRUE, TRUE, ENS_ACTIVATION_HARD_SWISH},
  {SHAPE (2, 5, 11, 4, 4, 5, 5, PAD (2), .groups = 4), 0, 0, TRUE, TRUE, ENS_ACTIVATION_CLIP},
  {SHAPE (1, 6, 40, 2, 2, 3, 3, PAD (1), .groups = 2), 0, 0, FALSE, FALSE, ENS_ACTIVATION_SWISH},
  {SHAPE (1, 6, 20, 8, 8, 3, 3, PAD (1), .groups = 8), 0, 3, TRUE, TRUE, ENS_ACTIVATION_RELU},
  {SHAPE (1, 6, 20, 4, 4, 3, 3, PAD (1), STRIDE (2), .groups = 4), 0, 0, TRUE},
};
/* clang-format on */

/* Everything one row needs, and its result with one thread. */
typedef struct {
  const Row *row;
  EnsConvShape shape;
  TestConv conv;
  gsize pixels, input_pitch, output_pitch;
  float *input, *weights, *bias, *residual;
  EnsEpilogue epilogue;
} Case;

static void
case_init (Case *test, const Row *row, GRand *random)
{
  const EnsConvShape *shape = &test->shape;

  *test = (Case) {.row = row, .shape = test_conv_shape (&row->shape)};
  test->pixels =
      (gsize)shape->batch * ens_conv_output_height (shape) * ens_conv_output_width (shape);
  test->input_pitch = shape->channels + row->input_gap;
  test->output_pitch = shape->filters + row->output_gap;
  test->input = test_pixels_new (random, (gsize)shape->batch * shape->height * shape->width,
                                 shape->channels, test->input_pitch);
  test->weights = test_random (random, (gsize)shape->filters * shape->kernel_height
                                           * shape->kernel_width * shape->channels / shape->groups);
  test->bias = test_random (random, shape->filters);
  test->residual = test_pixels_new (random, test->pixels, shape->filters, shape->filters + 7);
  test->epilogue = (EnsEpilogue) {
      .bias = row->bias ? test->bias : NULL,
      .residual = row->residual ? test->residual : NULL,
      .residual_pitch = shape->filters + 7,
      .activation = row->activation,
      .alpha = row->activation == ENS_ACTIVATION_CLIP ? -.5f : .2f,
      .beta = .6f,
  };
  test->conv = (TestConv) {
      .shape = shape,
      .input = test->input,
      .weights = test->weights,
      .input_pitch = test->input_pitch,
      .epilogue = &test->epilogue,
  };
}

static void
case_clear (Case *test)
{
  g_free (test->input);
  g_free (test->weights);
  g_free (test->bias);
  g_free (test->residual);
}

static void
pack (const EnsConvPlan *plan, const float *weights, float *packed)
{
  EnsConvWeights of_shape = ens_conv_weights (&plan->shape, weights);

  ens_conv_pack (plan, &of_shape, packed, NULL);
}

static float *
case_run (const Case *test, EnsConvAlgorithm algorithm, const EnsKernels *kernels, guint threads)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
  EnsConvPlan plan;
  EnsConvArguments arguments;
  float *packed, *scratch, *output;

  if (!ens_conv_plan_algorithm (&plan, &test->shape, algorithm, kernels, threads))
    return NULL;
  packed = test_aligned_new (plan.packed_size);
  scratch = test_aligned_new (plan.scratch_size);
  output = test_output_new (test->pixels, test->output_pitch);
  pack (&plan, test->weights, packed);
  arguments = (EnsConvArguments) {
      .packed = packed,
      .input = test->input,
      .input_pitch = test->input_pitch,
      .output = output,
      .output_pitch = test->output_pitch,
      .epilogue = &test->epilogue,
      .scratch = scratch,
  };
  ens_conv_run (&plan, &arguments, pool);
  free (packed);
  free (scratch);
  return output;
}

static double
tolerance (EnsConvAlgorithm algorithm)
{
  switch (algorithm) {
  case ENS_CONV_WINOGRAD_4:
    return 1e-5;
  case ENS_CONV_WINOGRAD_2:
    return 2e-6;
  default:
    return 1e-6;
  }
}

static void
assert_close (const Case *test, EnsConvAlgorithm algorithm, const float *output)
{
  const guint filters = test->shape.filters;

  for (gsize pixel = 0; pixel < test->pixels; pixel++)
    for (guint f = 0; f < filters; f++) {
      TestSum want = test_conv_at (&test->conv, pixel, f);
      float got = output[pixel * test->output_pitch + f];

      if (!(fabs (got - want.value) <= tolerance (algorithm) * (1 + want.magnitude)))
        ck_abort_msg ("row %u, %s: pixel %u filter %u is %g, not %g", (guint)(test->row - rows),
                      ens_conv_algorithm_name (algorithm), (guint)pixel, f, got, want.value);
    }
  test_assert_gaps (output, test->pixels, filters, test->output_pitch);
}

/* Counts for each algorithm whether it could compute the row. */
static void
check_row (const Row *row, const EnsKernels *kernels, GRand *random, guint *computed)
{
  Case test;

  case_init (&test, row, random);
  for (EnsConvAlgorithm algorithm = 0; algorithm < ENS_N_CONV_ALGORITHMS; algorithm++) {
    g_autofree float *output = case_run (&test, algorithm, kernels, 1);

    if (output == NULL)
      continue;
    computed[algorithm]++;
    assert_close (&test, algorithm, output);
    for (guint threads = 2; threads <= 3; threads++) {
      g_autofree float *again = case_run (&test, algorithm, kernels, threads);

      ck_assert_bytes_eq (again, test.pixels * test.output_pitch * sizeof *again, output,
                          test.pixels * test.output_pitch * sizeof *output);
    }
  }
  case_clear (&test);
}

START_TEST (test_definition)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  guint computed[ENS_N_CONV_ALGORITHMS] = {0};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    check_row (&rows[i], kernels, random, computed);
  ck_assert_uint_eq (computed[ENS_CONV_INDIRECT], G_N_ELEMENTS (rows));
  for (EnsConvAlgorithm a = 0; a < ENS_N_CONV_ALGORITHMS; a++)
    if (a != ENS_CONV_GROUPED || kernels != ens_kernels_get_level (0))
      ck_assert_uint_ge (computed[a], 2);
}
END_TEST

/* The residual may be the output itself. */
START_TEST (test_in_place_residual)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  const EnsConvShape shapes[] = {
      SHAPE (1, 9, 9, 40, 33, 1, 1, ),
      SHAPE (1, 12, 9, 20, 40, 3, 3, PAD (1)),
      SHAPE (1, 9, 9, 24, 24, 3, 3, PAD (1), .groups = 24),
      SHAPE (1, 9, 9, 24, 24, 3, 3, PAD (1), STRIDE (2)),
  };

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    Row row = {
        .shape = shapes[i], .bias = TRUE, .residual = TRUE, .activation = ENS_ACTIVATION_SWISH};
    EnsConvPlan plan;
    Case test;

    case_init (&test, &row, random);
    ens_conv_plan (&plan, &test.shape, kernels, 2);
    g_autofree float *apart = case_run (&test, plan.algorithm, kernels, 2);
    float *packed = test_aligned_new (plan.packed_size);
    float *scratch = test_aligned_new (plan.scratch_size);
    EnsConvArguments arguments = {
        packed,         test.input, test.input_pitch, test.residual, row.shape.filters + 7,
        &test.epilogue, scratch};

    pack (&plan, test.weights, packed);
    ens_conv_run (&plan, &arguments, pool);
    for (gsize p = 0; p < test.pixels; p++)
      ck_assert_bytes_eq (test.residual + p * (row.shape.filters + 7),
                          row.shape.filters * sizeof (float), apart + p * row.shape.filters,
                          row.shape.filters * sizeof (float));
    free (packed);
    free (scratch);
    case_clear (&test);
  }
}
END_TEST

/* Packed weights may be shared by plans of another batch, size and number of threads. */
START_TEST (test_packed_is_shared)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (GRand) random = g_rand_new_with_seed (3);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    for (EnsConvAlgorithm a = 0; a < ENS_N_CONV_ALGORITHMS; a++) {
      EnsConvShape shape = test_conv_shape (&rows[i].shape), other = shape;
      EnsConvPlan plan, other_plan;

      other.batch += 3;
      other.height += 28;
      other.width += 11;
      if (!ens_conv_plan_algorithm (&plan, &shape, a, kernels, 1)
          || !ens_conv_plan_algorithm (&other_plan, &other, a, kernels, 2))
        continue;
      ck_assert_uint_eq (plan.packed_size, other_plan.packed_size);
      float *weights =
          test_random (random, (gsize)other.filters * other.kernel_height * other.kernel_width
                                   * other.channels / other.groups);
      float *packed = test_aligned_new (plan.packed_size);
      float *other_packed = test_aligned_new (plan.packed_size);

      pack (&plan, weights, packed);
      pack (&other_plan, weights, other_packed);
      ck_assert_bytes_eq (packed, plan.packed_size * sizeof (float), other_packed,
                          plan.packed_size * sizeof (float));
      g_free (weights);
      free (packed);
      free (other_packed);
    }
}
END_TEST

/* The algorithm must not depend on the threads, or results would. */
START_TEST (test_choice)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    EnsConvShape shape = test_conv_shape (&rows[i].shape);
    EnsConvPlan one, many;

    ens_conv_plan (&one, &shape, ens_kernels_get (), 1);
    ens_conv_plan (&many, &shape, ens_kernels_get (), 16);
    ck_assert_int_eq (one.algorithm, many.algorithm);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels");
  test_add_levels ("conv/definition", test_definition);
  test_add_levels ("conv/in-place-residual", test_in_place_residual);
  test_add_levels ("conv/packed-is-shared", test_packed_is_shared);
  test_add ("conv/choice", test_choice);
  return test_run ();
}
