/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operators' gradient () functions share: nodes that are appended to a graph with their
 * shapes inferred, and the ways of broadcasting back. Appended nodes are named after the one whose
 * gradient they compute. */
#pragma once

#include "graph/op.h"

/* Sets an ENS_ERROR_UNSUPPORTED error "node “NAME” (Op) can't be differentiated: REASON; freeze
 * “VALUE”, and train what is behind it" and returns FALSE. */
gboolean ens_gradient_error (const EnsGradient *gradient, GError **error, const char *reason);

/* A node of one output, of inputs up to a NULL. params: NULL for zeroes. Returns its output. */
EnsValue *ens_gradient_apply (EnsGradient *gradient, const EnsOp *op, gconstpointer params,
                              EnsValue *input, ...) G_GNUC_NULL_TERMINATED;
/* A node of any number of inputs, which may be absent, and outputs. */
EnsNode *ens_gradient_add (EnsGradient *gradient, const EnsOp *op, gconstpointer params,
                           EnsValue *const *inputs, guint n_inputs, guint n_outputs);

/* A constant of one element, that broadcasts to all shapes. */
EnsValue *ens_gradient_number (EnsGradient *gradient, EnsType type, double value);

/* The value as another type. */
EnsValue *ens_gradient_cast (EnsGradient *gradient, EnsValue *value, EnsType type);
/* The same elements in another shape. */
EnsValue *ens_gradient_reshape (EnsGradient *gradient, EnsValue *value, const EnsShape *shape);
/* a / b, and 0 where b is 0; the shapes broadcast. */
EnsValue *ens_gradient_quotient (EnsGradient *gradient, EnsValue *a, EnsValue *b);
/* Zeroes. */
EnsValue *ens_gradient_zeroes (EnsGradient *gradient, const EnsValue *like);
/* Part of a value along one axis: `n` elements from `start` on, in steps of 1 or −1. */
EnsValue *ens_gradient_slice (EnsGradient *gradient, EnsValue *value, guint axis, gint64 start,
                              gint64 n, gint64 step);
/* Zeroes before and behind along one axis; negative numbers take away. */
EnsValue *ens_gradient_pad (EnsGradient *gradient, EnsValue *value, guint axis, gint64 begin,
                            gint64 end);
/* Repeats a value along the axes where the shape, of the same rank, is longer. */
EnsValue *ens_gradient_expand (EnsGradient *gradient, EnsValue *value, const EnsShape *shape);
/* Sums over some axes, as bits; they stay, with length 1. */
EnsValue *ens_gradient_sum (EnsGradient *gradient, EnsValue *value, guint axes);
/* Normalisation to mean 0 and variance 1 over some axes, as bits: x̂ = (x − mean) / √(variance + ε),
 * with the gradient of x̂ given; what each operator adds to it is its own. */
typedef struct {
  guint axes;
  double epsilon;
  gboolean uncentred; /* the mean stays, and mean (x²) takes the variance's place */
} EnsGradientNormal;

/* x̂ and, which has the reduced axes with length 1, 1 / √(variance + ε). */
EnsValue *ens_gradient_normalise (EnsGradient *gradient, EnsValue *x,
                                  const EnsGradientNormal *normal, EnsValue **inverse);
/* dx = (dx̂ − mean (dx̂) − x̂ · mean (dx̂ · x̂)) / √(variance + ε); uncentred, without mean (dx̂). */
EnsValue *ens_gradient_of_normal (EnsGradient *gradient, EnsValue *dy, EnsValue *normalised,
                                  EnsValue *inverse, const EnsGradientNormal *normal);
/* What follows normalisation: y = scale · x̂ + bias, both inputs of the node. `shape`: in which they
 * broadcast to dy, elements in the same order. Sets their gradients, as far as they are wanted, and
 * returns that of x̂. */
typedef struct {
  guint scale, bias; /* numbers of the inputs; of the same shape; there may be no bias */
  const EnsShape *shape;
} EnsGradientAffine;

EnsValue *ens_gradient_affine (EnsGradient *gradient, EnsValue *dy, EnsValue *normalised,
                               const EnsGradientAffine *affine);
/* The sum over all that one element of a broadcast input stood for, in the input's shape. */
EnsValue *ens_gradient_sum_to (EnsGradient *gradient, EnsValue *value, const EnsShape *shape);
