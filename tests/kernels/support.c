/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#define MARK 12345.678f

EnsConvShape
test_conv_shape (const EnsConvShape *shape)
{
  EnsConvShape complete = *shape;

  complete.stride_y = MAX (shape->stride_y, 1);
  complete.stride_x = MAX (shape->stride_x, 1);
  complete.dilation_y = MAX (shape->dilation_y, 1);
  complete.dilation_x = MAX (shape->dilation_x, 1);
  complete.groups = MAX (shape->groups, 1);
  return complete;
}

float *
test_random (GRand *random, gsize n)
{
  float *values = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    values[i] = g_rand_double_range (random, -1, 1);
  return values;
}

static gsize
pixels_size (gsize pixels, guint channels, gsize pitch)
{
  return (pixels - 1) * pitch + channels;
}

float *
test_pixels_new (GRand *random, gsize pixels, guint channels, gsize pitch)
{
  gsize n = pixels_size (pixels, channels, pitch);
  float *values = test_random (random, n);

  for (gsize i = 0; i < n; i++)
    if (i % pitch >= channels)
      values[i] = NAN;
  return values;
}

float *
test_output_new (gsize pixels, gsize pitch)
{
  float *values = g_new (float, pixels *pitch);

  for (gsize i = 0; i < pixels * pitch; i++)
    values[i] = MARK;
  return values;
}

void
test_assert_gaps (const float *output, gsize pixels, guint channels, gsize pitch)
{
  for (gsize i = 0; i < pixels * pitch; i++)
    if (i % pitch >= channels)
      ck_assert_double_eq (output[i], MARK);
}

float *
test_aligned_new (gsize n)
{
  void *memory = NULL;

  if (posix_memalign (&memory, 64, MAX (n, 1) * sizeof (float)) != 0)
    ck_abort_msg ("no memory");
  for (gsize i = 0; i < n; i++)
    ((float *)memory)[i] = NAN;
  return memory;
}

double
test_activation (const EnsEpilogue *epilogue, double x)
{
  return ens_activation_value (epilogue->activation, x, epilogue->alpha, epilogue->beta);
}

/* The product of one tap's channels, which are zeroes outside the image. */
static void
add_tap (const TestConv *conv, gsize image, gint64 y, gint64 x, guint group, const float *weights,
         TestSum *sum)
{
  const EnsConvShape *shape = conv->shape;
  const guint channels = shape->channels / shape->groups;
  const float *pixel;

  if (y < 0 || y >= shape->height || x < 0 || x >= shape->width)
    return;
  pixel = conv->input + ((image * shape->height + y) * shape->width + x) * conv->input_pitch
          + group * channels;
  for (guint c = 0; c < channels; c++) {
    double product = (double)pixel[c] * weights[c];

    sum->value += product;
    sum->magnitude += fabs (product);
  }
}

TestSum
test_conv_at (const TestConv *conv, gsize pixel, guint f)
{
  const EnsConvShape *shape = conv->shape;
  const EnsEpilogue *epilogue = conv->epilogue;
  const guint width = ens_conv_output_width (shape), height = ens_conv_output_height (shape);
  const guint group = f / (shape->filters / shape->groups),
              channels = shape->channels / shape->groups;
  gint64 y = (gint64)(pixel / width % height) * shape->stride_y - shape->pad_top;
  gint64 x = (gint64)(pixel % width) * shape->stride_x - shape->pad_left;
  const float *weights =
      conv->weights + (gsize)f * shape->kernel_height * shape->kernel_width * channels;
  TestSum sum = {0};

  for (guint i = 0; i < shape->kernel_height; i++)
    for (guint j = 0; j < shape->kernel_width; j++, weights += channels)
      add_tap (conv, pixel / width / height, y + (gint64)i * shape->dilation_y,
               x + (gint64)j * shape->dilation_x, group, weights, &sum);
  if (epilogue->bias != NULL)
    sum.value += epilogue->bias[f];
  if (epilogue->residual != NULL)
    sum.value += epilogue->residual[pixel * epilogue->residual_pitch + f];
  sum.value = test_activation (epilogue, sum.value);
  return sum;
}

void
test_add_levels (const char *name, TestFunction test)
{
  const EnsKernels *kernels;

  for (guint i = 0; (kernels = ens_kernels_get_level (i)) != NULL; i++)
    test_add_row (name, ens_kernels_name (kernels), test, i);
}
