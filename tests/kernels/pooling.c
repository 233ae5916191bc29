/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pooling beside its definition in double precision. */
#include "kernels/pooling.h"

#include <math.h>

#include "support.h"

/* Left out: strides and dilations of 1; the output rounds down. */
typedef struct {
  EnsPoolingShape shape;
  guint input_gap, output_gap;
  float offset; /* of the input, from -1 … 1 */
} Row;

/* clang-format off */
static const Row rows[] = {
  {{.batch = 1, .height = 4, .width = 4, .channels = 1, .kernel_height = 2, .kernel_width = 2,
    .stride_y = 2, .stride_x = 2}},
  {{.batch = 2, .height = 13, .width = 11, .channels = 67, .kernel_height = 3, .kernel_width = 3,
    .stride_y = 2, .stride_x = 2, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1}, 3, 5},
  /* rounded up: the last windows begin inside and reach beyond the padding */
  {{.batch = 1, .height = 12, .width = 12, .channels = 128, .kernel_height = 3, .kernel_width = 3,
    .stride_y = 2, .stride_x = 2, .output_height = 6, .output_width = 6}, 0, 16},
  {{.batch = 1, .height = 14, .width = 15, .channels = 35, .kernel_height = 3, .kernel_width = 3,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1}},
  {{.batch = 1, .height = 9, .width = 17, .channels = 16, .kernel_height = 2, .kernel_width = 5,
    .stride_y = 1, .stride_x = 3, .dilation_y = 3, .dilation_x = 2, .pad_right = 2}, 1, 1},
  {{.batch = 3, .height = 7, .width = 7, .channels = 50, .kernel_height = 7, .kernel_width = 7}},
  /* all of them below 0, and below -1 */
  {{.batch = 1, .height = 5, .width = 4, .channels = 18, .kernel_height = 2, .kernel_width = 2,
    .pad_top = 1, .pad_right = 1}, 0, 0, -2},
};
/* clang-format on */

typedef enum { MAXIMUM, MEAN, MEAN_COUNTING_PADS } Kind;

static guint
rounded_down (guint size, guint pads, guint kernel, guint dilation, guint stride)
{
  return (size + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

static EnsPoolingShape
complete (const EnsPoolingShape *shape)
{
  EnsPoolingShape s = *shape;

  s.stride_y = MAX (s.stride_y, 1);
  s.stride_x = MAX (s.stride_x, 1);
  s.dilation_y = MAX (s.dilation_y, 1);
  s.dilation_x = MAX (s.dilation_x, 1);
  if (s.output_height == 0) {
    s.output_height = rounded_down (s.height, s.pad_top + s.pad_bottom, s.kernel_height,
                                    s.dilation_y, s.stride_y);
    s.output_width =
        rounded_down (s.width, s.pad_left + s.pad_right, s.kernel_width, s.dilation_x, s.stride_x);
  }
  return s;
}

static double
pool_at (const EnsPoolingShape *s, const float *input, gsize pitch, gsize pixel, Kind kind)
{
  gsize image = pixel / s->output_width / s->output_height;
  gint64 top = (gint64)(pixel / s->output_width % s->output_height) * s->stride_y - s->pad_top;
  gint64 left = (gint64)(pixel % s->output_width) * s->stride_x - s->pad_left;
  double best = -INFINITY, sum = 0;
  guint count = 0;

  for (guint i = 0; i < s->kernel_height; i++)
    for (guint j = 0; j < s->kernel_width; j++) {
      gint64 y = top + (gint64)i * s->dilation_y, x = left + (gint64)j * s->dilation_x;
      gboolean inside = y >= 0 && x >= 0 && y < s->height && x < s->width;
      gboolean padded =
          y < (gint64)s->height + s->pad_bottom && x < (gint64)s->width + s->pad_right;
      float value = inside ? input[((image * s->height + y) * s->width + x) * pitch] : 0;

      if (inside)
        best = MAX (best, value);
      sum += value;
      count += kind == MEAN_COUNTING_PADS ? padded : inside;
    }
  return kind == MAXIMUM ? best : sum / count;
}

static void
run (const EnsKernels *kernels, const EnsPoolingShape *shape, Kind kind,
     const EnsPoolingArguments *arguments, guint threads)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);

  if (kind == MAXIMUM)
    ens_max_pooling_run (kernels, shape, arguments, pool);
  else
    ens_average_pooling_run (kernels, shape, kind == MEAN_COUNTING_PADS, arguments, pool);
}

static void
check (const EnsKernels *kernels, const Row *row, Kind kind, GRand *random)
{
  EnsPoolingShape s = complete (&row->shape);
  gsize pixels = (gsize)s.batch * s.output_height * s.output_width;
  gsize input_pitch = s.channels + row->input_gap, output_pitch = s.channels + row->output_gap;
  g_autofree float *input =
      test_pixels_new (random, (gsize)s.batch * s.height * s.width, s.channels, input_pitch);
  g_autofree float *output = test_output_new (pixels, output_pitch);
  g_autofree float *again = test_output_new (pixels, output_pitch);

  for (gsize p = 0; p < (gsize)s.batch * s.height * s.width; p++)
    for (guint c = 0; c < s.channels; c++)
      input[p * input_pitch + c] += row->offset;
  run (kernels, &s, kind, &(EnsPoolingArguments) {input, input_pitch, output, output_pitch}, 1);
  run (kernels, &s, kind, &(EnsPoolingArguments) {input, input_pitch, again, output_pitch}, 3);
  for (gsize p = 0; p < pixels; p++)
    for (guint c = 0; c < s.channels; c++)
      ck_assert_double_eq_tol (output[p * output_pitch + c],
                               pool_at (&s, input + c, input_pitch, p, kind), 1e-6);
  test_assert_gaps (output, pixels, s.channels, output_pitch);
  ck_assert_bytes_eq (output, pixels * output_pitch * sizeof *output, again,
                      pixels * output_pitch * sizeof *again);
}

START_TEST (test_definition)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    for (Kind kind = MAXIMUM; kind <= MEAN_COUNTING_PADS; kind++)
      check (kernels, &rows[i], kind, random);
}
END_TEST

START_TEST (test_global)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  static const guint sizes[][3] = {{1, 1, 1}, {7, 7, 33}, {13, 5, 1000}, {3, 2, 64}, {7, 7, 128}};
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    EnsPoolingShape s = {
        .batch = 2, .height = sizes[i][0], .width = sizes[i][1], .channels = sizes[i][2]};
    gsize pixels = s.height * s.width, pitch = s.channels + 2;
    g_autofree float *input = test_pixels_new (random, 2 * pixels, s.channels, pitch);
    g_autofree float *output = test_output_new (2, s.channels + 1);

    ens_global_average_run (kernels, &s,
                            &(EnsPoolingArguments) {input, pitch, output, s.channels + 1}, pool);
    for (guint n = 0; n < 2; n++)
      for (guint c = 0; c < s.channels; c++) {
        double sum = 0;

        for (gsize p = 0; p < pixels; p++)
          sum += input[(n * pixels + p) * pitch + c];
        ck_assert_double_eq_tol (output[n * (s.channels + 1) + c], sum / pixels, 1e-6);
      }
    test_assert_gaps (output, 2, s.channels, s.channels + 1);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels");
  test_add_levels ("pooling/definition", test_definition);
  test_add_levels ("pooling/global", test_global);
  return test_run ();
}
