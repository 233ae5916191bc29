/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/gradient.h"

#include <stdarg.h>

#include "graph/infer.h"
#include "ops/operands.h"
#include "ops/registry.h"

gboolean
ens_gradient_error (const EnsGradient *gradient, GError **error, const char *reason)
{
  g_set_error (
      error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
      "node “%s” (%s) can't be differentiated: %s; freeze “%s”, and train what is behind it",
      gradient->node->name, gradient->node->op->name, reason, gradient->node->outputs[0]->name);
  return FALSE;
}

EnsNode *
ens_gradient_add (EnsGradient *gradient, const EnsOp *op, gconstpointer params,
                  EnsValue *const *inputs, guint n_inputs, guint n_outputs)
{
  g_autofree char *name = g_strdup_printf ("%s:gradient", gradient->node->name);
  g_autofree gpointer zeroes = g_malloc0 (op->params_size);
  g_autoptr (GError) error = NULL;
  EnsNode *node = ens_graph_add_node (gradient->graph, op, name, params != NULL ? params : zeroes,
                                      inputs, n_inputs, n_outputs);

  /* The shapes of a node that was inferred fit those of its gradient. */
  if (!ens_infer_node (node, FALSE, &error))
    g_error ("%s", error->message);
  return node;
}

EnsValue *
ens_gradient_apply (EnsGradient *gradient, const EnsOp *op, gconstpointer params, EnsValue *input,
                    ...)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  va_list list;

  va_start (list, input);
  for (EnsValue *value = input; value != NULL; value = va_arg (list, EnsValue *))
    g_ptr_array_add (inputs, value);
  va_end (list);
  return ens_gradient_add (gradient, op, params, (EnsValue **)inputs->pdata, inputs->len, 1)
      ->outputs[0];
}

EnsValue *
ens_gradient_number (EnsGradient *gradient, EnsType type, double value)
{
  g_autofree char *name = g_strdup_printf ("%s:number", gradient->node->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new (type, &ENS_SHAPE_SCALAR);
  EnsView view = ens_view_dense (type, &tensor->shape, tensor->data);

  ens_view_set_real (&view, 0, value);
  return ens_graph_add_constant (gradient->graph, name, tensor);
}

static EnsValue *
add_list (EnsGradient *gradient, const gint64 *list, guint n)
{
  g_autofree char *name = g_strdup_printf ("%s:shape", gradient->node->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (n), list);

  return ens_graph_add_constant (gradient->graph, name, tensor);
}

EnsValue *
ens_gradient_cast (EnsGradient *gradient, EnsValue *value, EnsType type)
{
  if (value->type == type)
    return value;
  return ens_gradient_apply (gradient, &ens_op_cast, &(EnsCastParams) {.to = type}, value, NULL);
}

EnsValue *
ens_gradient_reshape (EnsGradient *gradient, EnsValue *value, const EnsShape *shape)
{
  if (ens_shape_equal (&value->shape, shape))
    return value;
  return ens_gradient_apply (gradient, &ens_op_reshape, &(EnsReshapeParams) {.allow_zero = TRUE},
                             value, add_list (gradient, shape->dims, shape->rank), NULL);
}

EnsValue *
ens_gradient_quotient (EnsGradient *gradient, EnsValue *a, EnsValue *b)
{
  EnsValue *zero = ens_gradient_number (gradient, b->type, 0);
  EnsValue *is_zero = ens_gradient_apply (gradient, &ens_op_equal, NULL, b, zero, NULL);
  EnsValue *quotient = ens_gradient_apply (gradient, &ens_op_div, NULL, a, b, NULL);

  return ens_gradient_apply (gradient, &ens_op_where, NULL, is_zero, zero, quotient, NULL);
}

EnsValue *
ens_gradient_zeroes (EnsGradient *gradient, const EnsValue *like)
{
  EnsValue *zero = ens_gradient_number (gradient, like->type, 0);

  return ens_gradient_apply (gradient, &ens_op_expand, NULL, zero,
                             add_list (gradient, like->shape.dims, like->shape.rank), NULL);
}

EnsValue *
ens_gradient_slice (EnsGradient *gradient, EnsValue *value, guint axis, gint64 start, gint64 n,
                    gint64 step)
{
  gint64 end = start + n * step;
  EnsSliceParams params = {.starts = {1, TRUE, {start}},
                           .ends = {1, TRUE, {end < 0 ? G_MININT64 : end}},
                           .axes = {1, TRUE, {axis}},
                           .steps = {1, TRUE, {step}}};

  return ens_gradient_apply (gradient, &ens_op_slice, &params, value, NULL);
}

EnsValue *
ens_gradient_pad (EnsGradient *gradient, EnsValue *value, guint axis, gint64 begin, gint64 end)
{
  EnsPadParams params = {.has_pads = TRUE, .rank = value->shape.rank};

  if (begin == 0 && end == 0)
    return value;
  params.begin[axis] = begin;
  params.end[axis] = end;
  return ens_gradient_apply (gradient, &ens_op_pad, &params, value, NULL);
}

EnsValue *
ens_gradient_expand (EnsGradient *gradient, EnsValue *value, const EnsShape *shape)
{
  if (ens_shape_equal (&value->shape, shape))
    return value;
  return ens_gradient_apply (gradient, &ens_op_expand, NULL, value,
                             add_list (gradient, shape->dims, shape->rank), NULL);
}

EnsValue *
ens_gradient_sum (EnsGradient *gradient, EnsValue *value, guint axes)
{
  EnsReduceParams params = {.axes = {.present = TRUE}, .keepdims = TRUE};

  if (axes == 0)
    return value;
  for (guint i = 0; i < value->shape.rank; i++)
    if (axes & 1u << i)
      params.axes.values[params.axes.n++] = i;
  return ens_gradient_apply (gradient, &ens_op_reduce_sum, &params, value, NULL);
}

EnsValue *
ens_gradient_sum_to (EnsGradient *gradient, EnsValue *value, const EnsShape *shape)
{
  guint more = value->shape.rank - shape->rank, axes = 0;

  for (guint i = 0; i < value->shape.rank; i++)
    if (value->shape.dims[i] != 1 && (i < more || shape->dims[i - more] == 1))
      axes |= 1u << i;
  return ens_gradient_reshape (gradient, ens_gradient_sum (gradient, value, axes), shape);
}

/* The mean over the axes, which stay with length 1. */
static EnsValue *
mean_over (EnsGradient *gradient, EnsValue *value, guint axes)
{
  EnsReduceParams params = {.axes = {.present = TRUE}, .keepdims = TRUE};

  for (guint i = 0; i < value->shape.rank; i++)
    if (axes & 1u << i)
      params.axes.values[params.axes.n++] = i;
  return ens_gradient_apply (gradient, &ens_op_reduce_mean, &params, value, NULL);
}

static EnsValue *
centre (EnsGradient *gradient, EnsValue *value, const EnsGradientNormal *normal)
{
  return normal->uncentred ? value
                           : ens_gradient_apply (gradient, &ens_op_sub, NULL, value,
                                                 mean_over (gradient, value, normal->axes), NULL);
}

EnsValue *
ens_gradient_normalise (EnsGradient *gradient, EnsValue *x, const EnsGradientNormal *normal,
                        EnsValue **inverse)
{
  EnsValue *centred = centre (gradient, x, normal);
  EnsValue *variance = ens_gradient_apply (gradient, &ens_op_mul, NULL, centred, centred, NULL);
  EnsValue *epsilon = ens_gradient_number (gradient, x->type, normal->epsilon);

  variance = mean_over (gradient, variance, normal->axes);
  variance = ens_gradient_apply (gradient, &ens_op_add, NULL, variance, epsilon, NULL);
  *inverse = ens_gradient_apply (gradient, &ens_op_sqrt, NULL, variance, NULL);
  *inverse = ens_gradient_apply (gradient, &ens_op_reciprocal, NULL, *inverse, NULL);
  return ens_gradient_apply (gradient, &ens_op_mul, NULL, centred, *inverse, NULL);
}

EnsValue *
ens_gradient_of_normal (EnsGradient *gradient, EnsValue *dy, EnsValue *normalised,
                        EnsValue *inverse, const EnsGradientNormal *normal)
{
  EnsValue *centred = centre (gradient, dy, normal);
  EnsValue *product = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, normalised, NULL);

  product = mean_over (gradient, product, normal->axes);
  product = ens_gradient_apply (gradient, &ens_op_mul, NULL, normalised, product, NULL);
  dy = ens_gradient_apply (gradient, &ens_op_sub, NULL, centred, product, NULL);
  return ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, inverse, NULL);
}

/* The sum of one of the inputs' gradients, in its own shape. */
static void
set_summed (EnsGradient *gradient, guint input, EnsValue *value, const EnsShape *shape)
{
  gradient->inputs[input] =
      ens_gradient_reshape (gradient, ens_gradient_sum_to (gradient, value, shape),
                            &gradient->node->inputs[input]->shape);
}

EnsValue *
ens_gradient_affine (EnsGradient *gradient, EnsValue *dy, EnsValue *normalised,
                     const EnsGradientAffine *affine)
{
  const EnsNode *node = gradient->node;
  EnsValue *scale = ens_gradient_reshape (gradient, node->inputs[affine->scale], affine->shape);

  if (affine->bias < node->n_inputs && gradient->wanted[affine->bias])
    set_summed (gradient, affine->bias, dy, affine->shape);
  if (gradient->wanted[affine->scale])
    set_summed (gradient, affine->scale,
                ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, normalised, NULL),
                affine->shape);
  return ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, scale, NULL);
}
