/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Differentiation as a graph rewrite: the gradient of a graph is made of the same operators, so
 * that it is planned and run as every graph, on every device. */
#pragma once

#include "graph/graph.h"

/* Appends nodes that compute the gradient of a loss, a value of one element, with respect to
 * `values`: gradients[i] has the type and shape of values[i]; it is NULL if the loss does not
 * depend on values[i] by anything that is differentiable. Only what they need is appended.
 *
 * Shapes must have been inferred, and nothing been fused. FALSE: an operator on the way has no
 * gradient, which the error names with its node; nodes that were appended by then stay. */
gboolean ens_graph_backward (EnsGraph *graph, EnsValue *loss, EnsValue *const *values,
                             guint n_values, EnsValue **gradients, GError **error);
