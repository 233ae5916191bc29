/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/losses.h"

#include "ops/params.h"
#include "ops/registry.h"

static const EnsBinaryParams binary = {.activation = {ENS_ACTIVATION_NONE}};
static const EnsAxesParams last_axis = {.axes = {.present = TRUE, .n = 1, .values = {-1}}};
static const EnsReduceParams over_last = {.axes = {.present = TRUE, .n = 1, .values = {-1}}};
static const EnsReduceParams over_picture = {.axes = {.present = TRUE, .n = 3, .values = {1, 2, 3}},
                                             .keepdims = TRUE};
static const EnsReduceParams over_all = {.axes = {.present = FALSE}};

static EnsValue *
add_number (EnsGraph *graph, double value)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR);

  *(float *)tensor->data = (float)value;
  return ens_graph_add_constant (graph, "number", tensor);
}

/* Σ weights · terms / Σ weights */
static EnsValue *
weighted_mean (EnsGraph *graph, EnsValue *terms, EnsValue *weights)
{
  EnsValue *sum;

  if (weights == NULL)
    return ens_graph_apply (graph, &ens_op_reduce_mean, &over_all, terms, NULL);
  terms = ens_graph_apply (graph, &ens_op_mul, &binary, terms, weights, NULL);
  terms = ens_graph_apply (graph, &ens_op_reduce_sum, &over_all, terms, NULL);
  sum = ens_graph_apply (graph, &ens_op_reduce_sum, &over_all, weights, NULL);
  sum = ens_graph_apply (graph, &ens_op_max, &binary, sum, add_number (graph, 1e-12), NULL);
  return ens_graph_apply (graph, &ens_op_div, &binary, terms, sum, NULL);
}

/* (…) → (…, K): 1 at each index, 0 elsewhere. */
static EnsValue *
one_hot (EnsGraph *graph, EnsValue *indices, gint64 n_classes)
{
  g_autoptr (EnsTensor) classes = ens_tensor_new (ENS_TYPE_INT64, &ENS_SHAPE (n_classes));
  EnsValue *column = ens_graph_apply (graph, &ens_op_unsqueeze, &last_axis, indices, NULL);

  for (gint64 i = 0; i < n_classes; i++)
    ((gint64 *)classes->data)[i] = i;
  column = ens_graph_apply (graph, &ens_op_equal, NULL, column,
                            ens_graph_add_constant (graph, "classes", classes), NULL);
  return ens_graph_apply (graph, &ens_op_cast, &(EnsCastParams) {ENS_TYPE_FLOAT32}, column, NULL);
}

EnsValue *
ens_loss_cross_entropy (EnsGraph *graph, EnsValue *logits, EnsValue *targets, EnsValue *weights)
{
  const EnsSoftmaxParams along = {.axis = -1};
  gint64 n_classes = logits->shape.dims[logits->shape.rank - 1];
  EnsValue *terms, *present;

  g_return_val_if_fail (n_classes > 0, NULL);

  if (targets->type == ENS_TYPE_INT64)
    targets = one_hot (graph, targets, n_classes);
  terms = ens_graph_apply (graph, &ens_op_log_softmax, &along, logits, NULL);
  terms = ens_graph_apply (graph, &ens_op_mul, &binary, terms, targets, NULL);
  terms = ens_graph_apply (graph, &ens_op_reduce_sum, &over_last, terms, NULL);
  terms = ens_graph_apply (graph, &ens_op_neg, NULL, terms, NULL);
  /* What is left out has a target of zeroes. The terms are weighted already: by that. */
  present = ens_graph_apply (graph, &ens_op_reduce_sum, &over_last, targets, NULL);
  present = ens_graph_apply (graph, &ens_op_sign, NULL, present, NULL);
  if (weights != NULL)
    present = ens_graph_apply (graph, &ens_op_mul, &binary, present, weights, NULL);
  return weighted_mean (graph, terms, present);
}

EnsValue *
ens_loss_binary_cross_entropy (EnsGraph *graph, EnsValue *logits, EnsValue *targets,
                               EnsValue *weights)
{
  EnsValue *terms = ens_graph_apply (graph, &ens_op_softplus, NULL, logits, NULL);
  EnsValue *known = ens_graph_apply (graph, &ens_op_mul, &binary, logits, targets, NULL);

  terms = ens_graph_apply (graph, &ens_op_sub, &binary, terms, known, NULL);
  return weighted_mean (graph, terms, weights);
}

#define CONTOUR_LEAST 0.3
#define CONTOUR_OTHERS 1.1

/* 1 where the comparison holds, 0 elsewhere. */
static EnsValue *
compare (EnsGraph *graph, const EnsOp *op, EnsValue *x, double value)
{
  x = ens_graph_apply (graph, op, NULL, x, add_number (graph, value), NULL);
  return ens_graph_apply (graph, &ens_op_cast, &(EnsCastParams) {ENS_TYPE_FLOAT32}, x, NULL);
}

/* factor · the share of the pixels that `counted` is 1 at among those of both, where `weighted` is
 * 1. */
static EnsValue *
weigh_by_share (EnsGraph *graph, EnsValue *weighted, EnsValue *counted, EnsValue *both,
                double factor)
{
  EnsValue *n = ens_graph_apply (graph, &ens_op_reduce_sum, &over_picture, counted, NULL);
  EnsValue *n_both = ens_graph_apply (graph, &ens_op_reduce_sum, &over_picture, both, NULL);
  EnsValue *share;

  n_both = ens_graph_apply (graph, &ens_op_max, &binary, n_both, add_number (graph, 1), NULL);
  share = ens_graph_apply (graph, &ens_op_div, &binary, n, n_both, NULL);
  share = ens_graph_apply (graph, &ens_op_mul, &binary, share, add_number (graph, factor), NULL);
  return ens_graph_apply (graph, &ens_op_mul, &binary, weighted, share, NULL);
}

EnsValue *
ens_loss_contour (EnsGraph *graph, EnsValue *logits, EnsValue *truth, gboolean balance)
{
  EnsValue *contour = compare (graph, &ens_op_greater_or_equal, truth, CONTOUR_LEAST);
  EnsValue *other = compare (graph, &ens_op_equal, truth, 0), *weights;
  EnsValue *both = ens_graph_apply (graph, &ens_op_add, &binary, contour, other, NULL);

  weights = both;
  if (balance)
    weights = ens_graph_apply (graph, &ens_op_add, &binary,
                               weigh_by_share (graph, contour, other, both, 1),
                               weigh_by_share (graph, other, contour, both, CONTOUR_OTHERS), NULL);
  return ens_loss_binary_cross_entropy (graph, logits, contour, weights);
}

static EnsValue *
subtract (EnsGraph *graph, EnsValue *x, EnsValue *targets)
{
  return targets != NULL ? ens_graph_apply (graph, &ens_op_sub, &binary, x, targets, NULL) : x;
}

EnsValue *
ens_loss_squared_error (EnsGraph *graph, EnsValue *x, EnsValue *targets, EnsValue *weights)
{
  EnsValue *difference = subtract (graph, x, targets);

  difference = ens_graph_apply (graph, &ens_op_mul, &binary, difference, difference, NULL);
  return weighted_mean (graph, difference, weights);
}

EnsValue *
ens_loss_absolute_error (EnsGraph *graph, EnsValue *x, EnsValue *targets, EnsValue *weights)
{
  EnsValue *difference = subtract (graph, x, targets);

  difference = ens_graph_apply (graph, &ens_op_abs, NULL, difference, NULL);
  return weighted_mean (graph, difference, weights);
}

EnsValue *
ens_loss_adversarial (EnsGraph *graph, EnsAdversarial kind, EnsValue *scores, gboolean real)
{
  if (kind == ENS_ADVERSARIAL_LEAST_SQUARES)
    return ens_loss_squared_error (graph, scores, real ? add_number (graph, 1) : NULL, NULL);
  if (real)
    scores = ens_graph_apply (graph, &ens_op_neg, NULL, scores, NULL);
  return weighted_mean (graph, ens_graph_apply (graph, &ens_op_softplus, NULL, scores, NULL), NULL);
}

EnsValue *
ens_loss_add (EnsGraph *graph, EnsValue *loss, double factor, EnsValue *term)
{
  if (term == NULL)
    return loss;
  term = ens_graph_apply (graph, &ens_op_mul, &binary, term, add_number (graph, factor), NULL);
  return loss != NULL ? ens_graph_apply (graph, &ens_op_add, &binary, loss, term, NULL) : term;
}
