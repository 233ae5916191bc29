/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: which taps of a kernel's line fall inside a line of the input. Internal to
 * compute/kernels. */
#pragma once

#include "kernels/conv.h"

G_BEGIN_DECLS

/* One axis of a convolution. */
typedef struct {
  guint size; /* of the input */
  guint kernel, stride, dilation;
  gint pad;
} EnsConvAxis;

static inline EnsConvAxis
ens_conv_rows_axis (const EnsConvShape *shape)
{
  return (EnsConvAxis) {shape->height, shape->kernel_height, shape->stride_y, shape->dilation_y,
                        (gint)shape->pad_top};
}

static inline EnsConvAxis
ens_conv_columns_axis (const EnsConvShape *shape)
{
  return (EnsConvAxis) {shape->width, shape->kernel_width, shape->stride_x, shape->dilation_x,
                        (gint)shape->pad_left};
}

/* Output positions [first, first + n), all of which see taps [tap, tap + taps) inside the input;
 * the first tap of the first position sees input position `input`, if there is any. */
typedef struct {
  guint first, n;
  guint tap, taps;
  guint input;
} EnsConvSpan;

static inline EnsConvSpan
ens_conv_span_at (const EnsConvAxis *axis, guint position)
{
  const gint64 start = (gint64)position * axis->stride - axis->pad;
  guint from = 0, to = axis->kernel;

  while (from < axis->kernel && start + (gint64)from * axis->dilation < 0)
    from++;
  while (to > from && start + (gint64)(to - 1) * axis->dilation >= axis->size)
    to--;
  return (EnsConvSpan) {.first = position,
                        .n = 1,
                        .tap = from,
                        .taps = to - from,
                        .input = to > from ? start + (gint64)from * axis->dilation : 0};
}

/* The longest span that begins at `position`, of an output of `length`. */
static inline EnsConvSpan
ens_conv_span_next (const EnsConvAxis *axis, guint length, guint position)
{
  EnsConvSpan span = ens_conv_span_at (axis, position);

  while (position + span.n < length) {
    EnsConvSpan next = ens_conv_span_at (axis, position + span.n);

    if (next.tap != span.tap || next.taps != span.taps)
      break;
    span.n++;
  }
  return span;
}

G_END_DECLS
