/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RecurrentGrad: what LSTM, GRU and RNN need for their gradients and that goes step by step. What
 * does not depend on the step before is left to products of all steps at once: input 0 is X W
 * instead of X.
 *
 * Inputs are numbered as those of the operators (of W nothing is read); behind them are the
 * gradients of Y, the last h and the last c. Outputs, as numbered in recurrent-grad.h: the gradient
 * of X W; h before each step, (steps, sequences, directions · hidden), or sequences first; the
 * gradient of the first h; and what the cell has. */
#include "ops/recurrent-grad.h"

#include "graph/infer.h"
#include "ops/gradient.h"
#include "ops/registry.h"

static const EnsAttribute attributes[] = {
    ENS_RECURRENT_ATTRIBUTES (ENS_CELL_RNN),
    {"linear_before_reset", ENS_ATTRIBUTE_FLAG,
     ENS_MEMBER (EnsRecurrentParams, linear_before_reset)},
    {"input_forget", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsRecurrentParams, input_forget)},
    ENS_ATTRIBUTE_END};

static const guint n_outputs[] = {[ENS_CELL_RNN] = 3, [ENS_CELL_GRU] = 4, [ENS_CELL_LSTM] = 6};

/* Shapes */

static gboolean
set_outputs (EnsOperands *operands, const EnsRecurrent *r, GError **error)
{
  const EnsRecurrentParams *params = operands->params;
  const EnsView *xw = operands->inputs[ENS_RECURRENT_X];
  const EnsShape state = ens_recurrent_state_shape (params, r);
  const EnsShape states =
      ENS_SHAPE (xw->shape.dims[0], xw->shape.dims[1], r->directions * r->hidden);
  const EnsShape peepholes = ENS_SHAPE (r->batch, r->directions * 3 * r->hidden);
  const EnsShape *const shapes[] = {
      [ENS_RECURRENT_GRAD_XW] = &xw->shape,
      [ENS_RECURRENT_GRAD_STATES] = &states,
      [ENS_RECURRENT_GRAD_H] = &state,
      [ENS_RECURRENT_GRAD_C] = params->cell == ENS_CELL_LSTM ? &state : &states,
      [ENS_RECURRENT_GRAD_CELLS] = &states,
      [ENS_RECURRENT_GRAD_P] = &peepholes,
  };

  for (guint i = 0; i < operands->n_outputs; i++)
    if (!ens_set_output (operands, i, xw->type, shapes[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
check_shapes (const EnsOperands *operands, EnsRecurrent *r, GError **error)
{
  const EnsRecurrentParams *params = operands->params;
  const EnsShape *x = &operands->inputs[ENS_RECURRENT_X]->shape;
  EnsShape y, state;

  ens_recurrent_find (operands, r);
  r->inputs = operands->inputs[ENS_RECURRENT_W]->shape.dims[2];
  if (!ens_recurrent_check_inputs (operands, r, error))
    return FALSE;
  y = ens_recurrent_output_shape (params, r);
  state = ens_recurrent_state_shape (params, r);
  return ens_recurrent_check_input (
             operands, ENS_RECURRENT_X,
             &ENS_SHAPE (x->dims[0], x->dims[1], r->directions * r->gates * r->hidden), error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_DY, &y, error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_DY_H, &state, error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_DY_C, &state, error);
}

static gboolean
grad_shape (EnsOperands *operands, GError **error)
{
  const EnsRecurrentParams *params = operands->params;
  EnsRecurrent r;

  if (!ens_recurrent_check_types (operands, error)
      || !ens_check_rank (operands, ENS_RECURRENT_W, 3, 3, error)
      || !check_shapes (operands, &r, error))
    return FALSE;
  if (operands->n_outputs != n_outputs[params->cell])
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "there are %u outputs, expected %u",
                         operands->n_outputs, n_outputs[params->cell]);
  return set_outputs (operands, &r, error);
}

static void
multiply_reals (const EnsView *r, gsize first, gsize n, const double *from, double *to)
{
  for (gsize k = 0; k < n; k++)
    for (gsize i = 0; i < n; i++)
      to[k] += ens_view_real (r, first + k * n + i) * from[i];
}

static void
multiply_reals_back (const EnsView *r, gsize first, gsize n, const double *from, double *to)
{
  for (gsize k = 0; k < n; k++)
    for (gsize i = 0; i < n; i++)
      to[i] += ens_view_real (r, first + k * n + i) * from[k];
}

static gsize
count_sequences (const EnsOperands *operands)
{
  EnsRecurrent r;

  ens_recurrent_find (operands, &r);
  return (gsize)r.batch * r.directions;
}

static void
grad_reference (const EnsOperands *operands)
{
  static const EnsRecurrentProducts products = {multiply_reals, multiply_reals_back};

  ens_recurrent_back (operands, 0, count_sequences (operands), &products);
}

/* The fast kernel: the same with floats of R, sequences on all threads. */

ENS_CLONES static double
dot (const float *a, const double *b, gsize n)
{
  double sums[8] = {0}, sum = 0;
  gsize i = 0;

  for (; i + 8 <= n; i += 8)
    for (gsize k = 0; k < 8; k++)
      sums[k] += (double)a[i + k] * b[i + k];
  for (gsize k = 0; k < 8; k++)
    sum += sums[k];
  for (; i < n; i++)
    sum += (double)a[i] * b[i];
  return sum;
}

ENS_CLONES static void
add_scaled (const float *a, double factor, double *to, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] += factor * (double)a[i];
}

static void
multiply_floats (const EnsView *r, gsize first, gsize n, const double *from, double *to)
{
  const float *row = (const float *)r->data + first;

  for (gsize k = 0; k < n; k++)
    to[k] += dot (row + k * n, from, n);
}

static void
multiply_floats_back (const EnsView *r, gsize first, gsize n, const double *from, double *to)
{
  const float *row = (const float *)r->data + first;

  for (gsize k = 0; k < n; k++)
    add_scaled (row + k * n, from[k], to, n);
}

static void
run_floats (gconstpointer data, gsize begin, gsize end)
{
  static const EnsRecurrentProducts products = {multiply_floats, multiply_floats_back};

  ens_recurrent_back (data, begin, end, &products);
}

static double
grad_flops (const EnsOperands *operands)
{
  EnsRecurrent r;

  ens_recurrent_find (operands, &r);
  return 4. * (double)r.steps * (double)r.batch * r.directions * r.gates * (double)r.hidden
         * (double)r.hidden;
}

static void
grad_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  gsize n = count_sequences (operands);

  ens_parallel (context->pool, n, grad_flops (operands) / (double)MAX (n, 1), run_floats, operands);
}

/* Gradients of the operators */

static EnsValue *
multiply (EnsGradient *gradient, EnsValue *a, gboolean trans_a, EnsValue *b, gboolean trans_b)
{
  EnsGemmParams params = {.trans_a = trans_a, .trans_b = trans_b, .alpha = 1, .beta = 1};

  return ens_gradient_apply (gradient, &ens_op_gemm, &params, a, b, NULL);
}

static EnsValue *
concat (EnsGradient *gradient, EnsValue **parts, guint n, gint64 axis)
{
  return n == 1 ? parts[0]
                : ens_gradient_add (gradient, &ens_op_concat, &(EnsAxisParams) {axis}, parts, n, 1)
                      ->outputs[0];
}

/* What the gradients are made of: tensors of a row for each step of each sequence. */
typedef struct {
  EnsGradient *gradient;
  const EnsRecurrentParams *params;
  EnsRecurrent r;
  const EnsNode *node; /* RecurrentGrad */
  EnsValue *x, *dxw;
} Parts;

static EnsValue *
get_rows (const Parts *parts, guint output)
{
  EnsValue *value = parts->node->outputs[output];

  return ens_gradient_reshape (parts->gradient, value,
                               &ENS_SHAPE (parts->r.steps * parts->r.batch, value->shape.dims[2]));
}

/* Of gates [first, first + n) of a direction. */
static EnsValue *
slice_gates (const Parts *parts, guint direction, guint first, guint n)
{
  gint64 hidden = parts->r.hidden;

  return ens_gradient_slice (parts->gradient, parts->dxw, 1,
                             (direction * parts->r.gates + first) * hidden, n * hidden, 1);
}

static EnsValue *
slice_states (const Parts *parts, guint output, guint direction)
{
  gint64 hidden = parts->r.hidden;

  return ens_gradient_slice (parts->gradient, get_rows (parts, output), 1, direction * hidden,
                             hidden, 1);
}

/* R's: what gates get, times the states that R was multiplied with. */
static EnsValue *
add_r (const Parts *parts)
{
  EnsGradient *gradient = parts->gradient;
  gboolean resets = parts->params->cell == ENS_CELL_GRU;
  gboolean late = parts->params->linear_before_reset;
  EnsValue *products[4];
  guint n = 0;

  for (guint d = 0; d < parts->r.directions; d++) {
    EnsValue *states = slice_states (parts, ENS_RECURRENT_GRAD_STATES, d);

    products[n++] = multiply (gradient, slice_gates (parts, d, 0, resets ? 2 : parts->r.gates),
                              TRUE, states, FALSE);
    if (resets) {
      EnsValue *reset = slice_states (parts, ENS_RECURRENT_GRAD_RESET, d);

      products[n++] = late ? multiply (gradient, reset, TRUE, states, FALSE)
                           : multiply (gradient, slice_gates (parts, d, 2, 1), TRUE, reset, FALSE);
    }
  }
  return ens_gradient_reshape (gradient, concat (gradient, products, n, 0),
                               &gradient->node->inputs[ENS_RECURRENT_R]->shape);
}

/* Of a value of rows: (directions, …). */
static EnsValue *
sum_rows (const Parts *parts, EnsValue *value)
{
  gint64 columns = value->shape.dims[1] / parts->r.directions;

  return ens_gradient_reshape (parts->gradient, ens_gradient_sum (parts->gradient, value, 1u << 0),
                               &ENS_SHAPE (parts->r.directions, columns));
}

/* Both biases are added to the same sum, but that of a product which is reset. */
static EnsValue *
add_b (const Parts *parts)
{
  EnsGradient *gradient = parts->gradient;
  EnsValue *sum = sum_rows (parts, parts->dxw), *biases[3] = {sum, sum};
  guint n = 2;

  if (parts->params->cell == ENS_CELL_GRU && parts->params->linear_before_reset) {
    biases[1] = ens_gradient_slice (gradient, sum, 1, 0, 2 * parts->r.hidden, 1);
    biases[n++] = sum_rows (parts, get_rows (parts, ENS_RECURRENT_GRAD_RESET));
  }
  return concat (gradient, biases, n, 1);
}

static EnsValue *
add_p (const Parts *parts)
{
  EnsValue *sum =
      ens_gradient_sum (parts->gradient, parts->node->outputs[ENS_RECURRENT_GRAD_P], 1u << 0);

  return ens_gradient_reshape (parts->gradient, sum,
                               &parts->gradient->node->inputs[ENS_RECURRENT_P]->shape);
}

static void
set_gradients (const Parts *parts, EnsValue *w)
{
  EnsGradient *gradient = parts->gradient;
  const EnsNode *node = gradient->node;
  EnsValue *gradients[ENS_RECURRENT_P + 1] = {NULL};

  if (gradient->wanted[ENS_RECURRENT_X])
    gradients[ENS_RECURRENT_X] =
        ens_gradient_reshape (gradient, multiply (gradient, parts->dxw, FALSE, w, FALSE),
                              &node->inputs[ENS_RECURRENT_X]->shape);
  if (gradient->wanted[ENS_RECURRENT_W])
    gradients[ENS_RECURRENT_W] =
        ens_gradient_reshape (gradient, multiply (gradient, parts->dxw, TRUE, parts->x, FALSE),
                              &node->inputs[ENS_RECURRENT_W]->shape);
  if (gradient->wanted[ENS_RECURRENT_R])
    gradients[ENS_RECURRENT_R] = add_r (parts);
  if (node->n_inputs > ENS_RECURRENT_B && gradient->wanted[ENS_RECURRENT_B])
    gradients[ENS_RECURRENT_B] = add_b (parts);
  if (node->n_inputs > ENS_RECURRENT_H && gradient->wanted[ENS_RECURRENT_H])
    gradients[ENS_RECURRENT_H] = parts->node->outputs[ENS_RECURRENT_GRAD_H];
  if (node->n_inputs > ENS_RECURRENT_C && gradient->wanted[ENS_RECURRENT_C])
    gradients[ENS_RECURRENT_C] = parts->node->outputs[ENS_RECURRENT_GRAD_C];
  if (node->n_inputs > ENS_RECURRENT_P && gradient->wanted[ENS_RECURRENT_P])
    gradients[ENS_RECURRENT_P] = add_p (parts);
  for (guint i = 0; i < node->n_inputs; i++)
    gradient->inputs[i] = gradients[i];
}

gboolean
ens_recurrent_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *inputs[ENS_RECURRENT_GRAD_INPUTS] = {NULL}, *w = node->inputs[ENS_RECURRENT_W];
  const EnsShape *x = &node->inputs[ENS_RECURRENT_X]->shape;
  Parts parts = {.gradient = gradient, .params = node->params};
  g_auto (EnsNodeViews) views;
  gint64 rows = x->dims[0] * x->dims[1], columns;

  ens_node_views_init (&views, node);
  ens_recurrent_find (&views.operands, &parts.r);
  columns = parts.r.directions * parts.r.gates * parts.r.hidden;
  parts.x = ens_gradient_reshape (gradient, node->inputs[ENS_RECURRENT_X],
                                  &ENS_SHAPE (rows, parts.r.inputs));
  w = ens_gradient_reshape (gradient, w, &ENS_SHAPE (columns, parts.r.inputs));
  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = node->inputs[i];
  for (guint i = 0; i < node->n_outputs; i++)
    inputs[ENS_RECURRENT_DY + i] = gradient->outputs[i];
  inputs[ENS_RECURRENT_X] =
      ens_gradient_reshape (gradient, multiply (gradient, parts.x, FALSE, w, TRUE),
                            &ENS_SHAPE (x->dims[0], x->dims[1], columns));
  parts.node = ens_gradient_add (gradient, &ens_op_recurrent_grad, node->params, inputs,
                                 ENS_RECURRENT_GRAD_INPUTS, n_outputs[parts.params->cell]);
  parts.dxw = get_rows (&parts, ENS_RECURRENT_GRAD_XW);
  set_gradients (&parts, w);
  return TRUE;
}

static const EnsOpExample grad_examples[] = {
    {"5x2x12 =1x12x6 =1x12x3 =1x24 =[5,3] 1x2x3 1x2x3 =1x9 5x1x2x3",
     &(const EnsRecurrentParams) {.cell = ENS_CELL_LSTM}, 6},
    {NULL}};

const EnsOp ens_op_recurrent_grad = {.name = "RecurrentGrad",
                                     .min_inputs = 3,
                                     .max_inputs = ENS_RECURRENT_GRAD_INPUTS,
                                     .min_outputs = 3,
                                     .max_outputs = 6,
                                     .layout = ENS_LAYOUT_PLAIN,
                                     .flags = ENS_OP_INTERNAL,
                                     .params_size = sizeof (EnsRecurrentParams),
                                     .attributes = attributes,
                                     .shape = grad_shape,
                                     .flops = grad_flops,
                                     .reference = grad_reference,
                                     .cpu = grad_cpu,
                                     .example = grad_examples};
