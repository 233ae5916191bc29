/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers with guards, and a convolution in double precision written as its definition says. */
#pragma once

#include "check-main.h"
#include "kernels/conv.h"

/* The shape with 1 wherever a stride, dilation or number of groups was left out. */
EnsConvShape test_conv_shape (const EnsConvShape *shape);

/* Floats on the heap, exactly as long as asked for, so that the address sanitizer sees the first
 * one beyond; the addresses are not aligned to vectors. (transfer full: g_free) */
float *test_random (GRand *random, gsize n);

/* `pixels` pixels of `channels` random floats, NaN between them and the next: reading a gap shows
 * in the result. */
float *test_pixels_new (GRand *random, gsize pixels, guint channels, gsize pitch);

/* An output of that shape, full of a mark … */
float *test_output_new (gsize pixels, gsize pitch);
/* … which must still be there in the gaps. */
void test_assert_gaps (const float *output, gsize pixels, guint channels, gsize pitch);

/* 64-byte aligned memory of exactly n floats, NaN. free () it. */
float *test_aligned_new (gsize n);

/* The value and, for tolerances, the sum of the magnitudes that went into it before activation. */
typedef struct {
  double value, magnitude;
} TestSum;

typedef struct {
  const EnsConvShape *shape;
  const float *input, *weights;
  gsize input_pitch;
  const EnsEpilogue *epilogue;
} TestConv;

/* Output pixel (image, y, x), filter f. */
TestSum test_conv_at (const TestConv *conv, gsize pixel, guint f);

double test_activation (const EnsEpilogue *epilogue, double x);

/* Adds a case of that name for every level of this processor: /kernels/NAME/LEVEL. */
void test_add_levels (const char *name, TestFunction test);
