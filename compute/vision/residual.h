/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A change of colours that is added to a frame. */
#pragma once

#include "vision/picture.h"

G_BEGIN_DECLS

/* What is added all over the frame, whatever its size: height × width × 3 floats, RGB of 0 … 255,
 * each in the middle of its share of the frame. */
typedef struct {
  guint width, height;
  const float *values;
} EnsResidual;

/* The frame with the residual, interpolated linearly (where there is less of the frame than of the
 * residual: averaged), in the frame's own format, rounded to bytes. Of a gray frame the luma
 * changes. A residual of zeroes leaves every byte as it is. into: a picture to use again, which
 * nobody else holds, or NULL; taken over. The same bits for any number of threads. (transfer full)
 */
EnsPicture *ens_frame_add_residual (const EnsFrame *frame, const EnsResidual *residual,
                                    EnsPicture *into, EnsThreadPool *pool);

G_END_DECLS
