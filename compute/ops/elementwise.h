/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loops shared by elementwise operators. */
#pragma once

#include "ops/operands.h"

/* Shapes of several inputs. */

/* None of the inputs is absent. */
gboolean ens_check_present (const EnsOperands *operands, GError **error);
/* Output 0 has the shape that all inputs broadcast to. */
gboolean ens_set_broadcast_output (EnsOperands *operands, EnsType type, GError **error);

/* Functions of one input. */

/* One value, in double precision. */
typedef double (*EnsUnaryFunc) (double x, const EnsUnaryParams *params);
/* n contiguous values; y may be x. */
typedef void (*EnsUnaryLoop) (const float *x, float *y, gsize n, const EnsUnaryParams *params);

/* output 0 = func (input 0), any type. */
void ens_unary_reference (const EnsOperands *operands, EnsUnaryFunc func);
/* output 0 = loop (input 0), float32. */
void ens_unary_run (const EnsOperands *operands, const EnsCpuContext *context, EnsUnaryLoop loop);

/* output = activation (input) with the kernels that fused activations use; the views are float32,
 * of the same shape, and may be the same memory. */
void ens_activation_run (const EnsView *input, const EnsView *output,
                         const EnsFusedActivation *activation, EnsThreadPool *pool);

/* Clip: whether the bound that an input is, is the same in all runs; *bound stays if the input is
 * absent. */
gboolean ens_clip_find_bound (const EnsNode *node, guint input, float *bound);
gboolean ens_clip_gradient (EnsGradient *gradient, GError **error);
