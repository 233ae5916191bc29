/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of elementwise operators of several inputs share: gradient (). */
#pragma once

#include "graph/op.h"

/* Add and Sum */
gboolean ens_sum_gradient (EnsGradient *gradient, GError **error);
gboolean ens_mean_gradient (EnsGradient *gradient, GError **error);
gboolean ens_sub_gradient (EnsGradient *gradient, GError **error);
gboolean ens_mul_gradient (EnsGradient *gradient, GError **error);
gboolean ens_div_gradient (EnsGradient *gradient, GError **error);
gboolean ens_pow_gradient (EnsGradient *gradient, GError **error);
/* Min and Max */
gboolean ens_extreme_gradient (EnsGradient *gradient, GError **error);
gboolean ens_prelu_gradient (EnsGradient *gradient, GError **error);
