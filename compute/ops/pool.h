/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What pooling and its gradients share. */
#pragma once

#include "kernels/pooling.h"
#include "ops/sliding.h"

/* For operators that pool input 0, with an EnsPoolParams. */
gboolean ens_pool_resolve (const EnsOperands *operands, EnsGeometry *geometry, GError **error);

/* visits () of operators of such windows: all of their positions, also those in the padding. */
double ens_pool_visits (const EnsOperands *operands);

/* A window without any input has no maximum and no mean. */
gboolean ens_pool_check_windows (const EnsOperands *operands, const EnsGeometry *geometry,
                                 GError **error);

/* The positions of a window that lie inside the padded input. */
gint64 ens_pool_count_padded (const EnsGeometry *geometry, const gint64 *position);

EnsPoolingShape ens_pool_kernel_shape (const EnsGeometry *geometry);

/* gradient () of the pooling operators. */
gboolean ens_max_pool_gradient (EnsGradient *gradient, GError **error);
gboolean ens_average_pool_gradient (EnsGradient *gradient, GError **error);
gboolean ens_global_max_pool_gradient (EnsGradient *gradient, GError **error);
gboolean ens_global_average_pool_gradient (EnsGradient *gradient, GError **error);
