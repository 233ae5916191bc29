/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backpropagation through time (Werbos, "Backpropagation through time: what it does and how to do
 * it", Proceedings of the IEEE 78, 1990): a sequence goes through its steps once more, and back. */
#include <math.h>
#include <string.h>

#include "ops/recurrent-grad.h"

/* One direction of one sequence. */
typedef struct {
  const EnsOperands *operands;
  const EnsRecurrentParams *params;
  const EnsRecurrent *r;
  const EnsFusedActivation *functions;
  const EnsRecurrentProducts *products;
  guint direction;
  gint64 sequence;
  double *h, *c, *dh, *dc; /* before the step; gradients: behind it */
  double *gates, *slopes;  /* what functions get, then what they give; their gradients */
  double *more;            /* as many as h has */
} Pass;

/* A gate's rows of R. */
static gsize
find_r (const Pass *pass, guint gate)
{
  gsize n = (gsize)pass->r->hidden;

  return (pass->direction * pass->r->gates + gate) * n * n;
}

static void
multiply (const Pass *pass, guint gate, const double *from, double *to)
{
  pass->products->multiply (pass->operands->inputs[ENS_RECURRENT_R], find_r (pass, gate),
                            (gsize)pass->r->hidden, from, to);
}

static void
multiply_back (const Pass *pass, guint gate, const double *from, double *to)
{
  pass->products->back (pass->operands->inputs[ENS_RECURRENT_R], find_r (pass, gate),
                        (gsize)pass->r->hidden, from, to);
}

static double
call (const Pass *pass, guint which, double x)
{
  double clip = (double)pass->params->clip;

  if (clip > 0)
    x = fmin (fmax (x, -clip), clip);
  return ens_activation_apply (pass->functions + which, x);
}

static double
differentiate (const EnsFusedActivation *function, double x)
{
  double y = ens_activation_apply (function, x);

  switch (function->kind) {
  case ENS_ACTIVATION_SIGMOID:
    return y * (1 - y);
  case ENS_ACTIVATION_TANH:
    return 1 - y * y;
  case ENS_ACTIVATION_HARD_SIGMOID:
    return y > 0 && y < 1 ? (double)function->alpha : 0;
  case ENS_ACTIVATION_LEAKY_RELU:
    return x > 0 ? 1 : (double)function->alpha;
  default: /* Relu */
    return x > 0 ? 1 : 0;
  }
}

/* Of call (). */
static double
slope (const Pass *pass, guint which, double x)
{
  double clip = (double)pass->params->clip;

  return clip > 0 && fabs (x) > clip ? 0 : differentiate (pass->functions + which, x);
}

/* Where a step's states are in arrays of all steps; its gates are `gates` times as far. */
static gsize
find_row (const Pass *pass, gint64 time)
{
  const EnsRecurrent *r = pass->r;
  gint64 row = pass->params->batch_first ? pass->sequence * r->steps + time
                                         : time * r->batch + pass->sequence;

  return ((gsize)row * r->directions + pass->direction) * (gsize)r->hidden;
}

static gsize
find_state (const Pass *pass)
{
  return (gsize)(pass->sequence * pass->r->state_sequence
                 + pass->direction * pass->r->state_direction);
}

static void
load (const Pass *pass, const EnsView *view, gsize at, double *to)
{
  for (gsize k = 0; k < (gsize)pass->r->hidden; k++)
    to[k] = view != NULL ? ens_view_real (view, at + k) : 0;
}

static void
store (const Pass *pass, guint output, gsize at, const double *from)
{
  for (gsize k = 0; k < (gsize)pass->r->hidden; k++)
    ens_view_set_real (pass->operands->outputs[output], at + k, from != NULL ? from[k] : 0);
}

static double
bias (const Pass *pass, gboolean of_state, guint gate, gsize k)
{
  const EnsView *b = ens_operands_input (pass->operands, ENS_RECURRENT_B);
  const EnsRecurrent *r = pass->r;

  return b != NULL ? ens_view_real (
             b,
             ((2 * pass->direction + (of_state ? 1 : 0)) * r->gates + gate) * (gsize)r->hidden + k)
                   : 0;
}

static double
peephole (const Pass *pass, guint number, gsize k)
{
  const EnsView *p = ens_operands_input (pass->operands, ENS_RECURRENT_P);

  return p != NULL ? ens_view_real (p, (pass->direction * 3 + number) * (gsize)pass->r->hidden + k)
                   : 0;
}

/* Forward: what the functions get is kept where its gradient will be. */

/* Whether the gate's product is finished by the cell. */
static gboolean
is_late (const Pass *pass, guint gate)
{
  return pass->params->cell == ENS_CELL_GRU && gate == 2;
}

static void
start_gates (const Pass *pass, gsize row)
{
  const EnsView *xw = pass->operands->inputs[ENS_RECURRENT_X];
  gsize n = (gsize)pass->r->hidden;

  for (guint gate = 0; gate < pass->r->gates; gate++) {
    double *to = pass->gates + gate * n;

    for (gsize k = 0; k < n; k++)
      to[k] = ens_view_real (xw, pass->r->gates * row + gate * n + k) + bias (pass, FALSE, gate, k)
              + (is_late (pass, gate) ? 0 : bias (pass, TRUE, gate, k));
    if (!is_late (pass, gate))
      multiply (pass, gate, pass->h, to);
  }
}

static void
step_rnn (const Pass *pass, gsize row)
{
  for (gsize k = 0; k < (gsize)pass->r->hidden; k++)
    pass->h[k] = call (pass, ENS_CELL_F, pass->gates[k]);
}

/* Kept beside: what the last gate's product is of or, where the reset comes after it, what it is.
 */
static void
step_gru (const Pass *pass, gsize row)
{
  gsize n = (gsize)pass->r->hidden;
  double *hidden = pass->gates + 2 * n;

  for (gsize k = 0; k < n; k++)
    pass->more[k] = pass->params->linear_before_reset
                        ? bias (pass, TRUE, 2, k)
                        : call (pass, ENS_CELL_F, pass->gates[n + k]) * pass->h[k];
  if (pass->params->linear_before_reset)
    multiply (pass, 2, pass->h, pass->more);
  store (pass, ENS_RECURRENT_GRAD_RESET, row, pass->more);
  for (gsize k = 0; k < n; k++)
    hidden[k] += pass->params->linear_before_reset
                     ? call (pass, ENS_CELL_F, pass->gates[n + k]) * pass->more[k]
                     : bias (pass, TRUE, 2, k);
  if (!pass->params->linear_before_reset)
    multiply (pass, 2, pass->more, hidden);
  for (gsize k = 0; k < n; k++) {
    double z = call (pass, ENS_CELL_F, pass->gates[k]);

    pass->h[k] = (1 - z) * call (pass, ENS_CELL_G, hidden[k]) + z * pass->h[k];
  }
}

static void
step_lstm (const Pass *pass, gsize row)
{
  gsize n = (gsize)pass->r->hidden;
  double *gates = pass->gates;

  store (pass, ENS_RECURRENT_GRAD_CELLS, row, pass->c);
  for (gsize k = 0; k < n; k++) {
    double i, f;

    gates[k] += peephole (pass, 0, k) * pass->c[k];
    gates[2 * n + k] += peephole (pass, 2, k) * pass->c[k];
    i = call (pass, ENS_CELL_F, gates[k]);
    f = pass->params->input_forget ? 1 - i : call (pass, ENS_CELL_F, gates[2 * n + k]);
    pass->c[k] = f * pass->c[k] + i * call (pass, ENS_CELL_G, gates[3 * n + k]);
    gates[n + k] += peephole (pass, 1, k) * pass->c[k];
    pass->h[k] = call (pass, ENS_CELL_F, gates[n + k])
                 * ens_activation_apply (pass->functions + ENS_CELL_H, pass->c[k]);
  }
}

/* Back: from the gradient of h, and of c, behind a step to those before it. */

static void
back_through_gates (const Pass *pass, guint end)
{
  gsize n = (gsize)pass->r->hidden;

  for (guint gate = 0; gate < end; gate++)
    multiply_back (pass, gate, pass->slopes + gate * n, pass->dh);
}

static void
back_rnn (const Pass *pass, gsize row)
{
  for (gsize k = 0; k < (gsize)pass->r->hidden; k++) {
    pass->slopes[k] = pass->dh[k] * slope (pass, ENS_CELL_F, pass->gates[k]);
    pass->dh[k] = 0;
  }
  back_through_gates (pass, 1);
}

/* y = n (x + r (R h)): `more` is R h, of which the gradient takes the place. */
static void
back_late_reset (const Pass *pass, gsize row)
{
  gsize n = (gsize)pass->r->hidden;

  for (gsize k = 0; k < n; k++) {
    double reset = call (pass, ENS_CELL_F, pass->gates[n + k]), dn = pass->slopes[2 * n + k];

    pass->slopes[n + k] = dn * pass->more[k] * slope (pass, ENS_CELL_F, pass->gates[n + k]);
    pass->more[k] = dn * reset;
  }
  store (pass, ENS_RECURRENT_GRAD_RESET, row, pass->more);
  multiply_back (pass, 2, pass->more, pass->dh);
}

/* y = n (x + R (r h)) */
static void
back_early_reset (const Pass *pass)
{
  gsize n = (gsize)pass->r->hidden;

  memset (pass->more, 0, n * sizeof *pass->more);
  multiply_back (pass, 2, pass->slopes + 2 * n, pass->more);
  for (gsize k = 0; k < n; k++) {
    pass->slopes[n + k] = pass->more[k] * pass->h[k] * slope (pass, ENS_CELL_F, pass->gates[n + k]);
    pass->dh[k] += pass->more[k] * call (pass, ENS_CELL_F, pass->gates[n + k]);
  }
}

static void
back_gru (const Pass *pass, gsize row)
{
  gsize n = (gsize)pass->r->hidden;

  for (gsize k = 0; k < n; k++) {
    double z = call (pass, ENS_CELL_F, pass->gates[k]), dh = pass->dh[k];
    double hidden = call (pass, ENS_CELL_G, pass->gates[2 * n + k]);

    pass->slopes[k] = dh * (pass->h[k] - hidden) * slope (pass, ENS_CELL_F, pass->gates[k]);
    pass->slopes[2 * n + k] = dh * (1 - z) * slope (pass, ENS_CELL_G, pass->gates[2 * n + k]);
    pass->dh[k] = dh * z;
  }
  if (pass->params->linear_before_reset)
    back_late_reset (pass, row);
  else
    back_early_reset (pass);
  back_through_gates (pass, 2);
}

static void
add_to_peephole (const Pass *pass, guint number, gsize k, double value)
{
  const EnsView *dp = pass->operands->outputs[ENS_RECURRENT_GRAD_P];
  const EnsRecurrent *r = pass->r;
  gsize row = ((gsize)pass->sequence * r->directions + pass->direction) * 3 + number;
  gsize at = row * (gsize)r->hidden + k;

  ens_view_set_real (dp, at, ens_view_real (dp, at) + value);
}

static void
back_lstm_element (const Pass *pass, gsize k)
{
  gsize n = (gsize)pass->r->hidden;
  const double *gates = pass->gates;
  double *slopes = pass->slopes, before = pass->c[k], dh = pass->dh[k], dc = pass->dc[k];
  double i = call (pass, ENS_CELL_F, gates[k]), o = call (pass, ENS_CELL_F, gates[n + k]);
  double f = pass->params->input_forget ? 1 - i : call (pass, ENS_CELL_F, gates[2 * n + k]);
  double g = call (pass, ENS_CELL_G, gates[3 * n + k]), c = f * before + i * g;
  const EnsFusedActivation *last = pass->functions + ENS_CELL_H;

  slopes[n + k] = dh * ens_activation_apply (last, c) * slope (pass, ENS_CELL_F, gates[n + k]);
  dc += dh * o * differentiate (last, c) + slopes[n + k] * peephole (pass, 1, k);
  slopes[k] =
      dc * (pass->params->input_forget ? g - before : g) * slope (pass, ENS_CELL_F, gates[k]);
  slopes[2 * n + k] =
      pass->params->input_forget ? 0 : dc * before * slope (pass, ENS_CELL_F, gates[2 * n + k]);
  slopes[3 * n + k] = dc * i * slope (pass, ENS_CELL_G, gates[3 * n + k]);
  pass->dc[k] =
      dc * f + slopes[k] * peephole (pass, 0, k) + slopes[2 * n + k] * peephole (pass, 2, k);
  pass->dh[k] = 0;
  add_to_peephole (pass, 0, k, slopes[k] * before);
  add_to_peephole (pass, 1, k, slopes[n + k] * c);
  add_to_peephole (pass, 2, k, slopes[2 * n + k] * before);
}

static void
back_lstm (const Pass *pass, gsize row)
{
  load (pass, pass->operands->outputs[ENS_RECURRENT_GRAD_CELLS], row, pass->c);
  for (gsize k = 0; k < (gsize)pass->r->hidden; k++)
    back_lstm_element (pass, k);
  back_through_gates (pass, 4);
}

/* A sequence */

static void
run_forward (const Pass *pass, gint64 length)
{
  static void (*const steps[]) (const Pass *, gsize) = {
      [ENS_CELL_RNN] = step_rnn, [ENS_CELL_GRU] = step_gru, [ENS_CELL_LSTM] = step_lstm};
  const EnsView *kept = pass->operands->outputs[ENS_RECURRENT_GRAD_XW];
  guint gates = pass->r->gates;
  gsize n = (gsize)pass->r->hidden;

  for (gint64 step = 0; step < length; step++) {
    gsize row = find_row (pass, ens_recurrent_time (pass->params, pass->direction, step, length));

    store (pass, ENS_RECURRENT_GRAD_STATES, row, pass->h);
    start_gates (pass, row);
    steps[pass->params->cell](pass, row);
    for (gsize k = 0; k < gates * n; k++)
      ens_view_set_real (kept, gates * row + k, pass->gates[k]);
  }
}

static void
run_back (const Pass *pass, gint64 length)
{
  static void (*const steps[]) (const Pass *, gsize) = {
      [ENS_CELL_RNN] = back_rnn, [ENS_CELL_GRU] = back_gru, [ENS_CELL_LSTM] = back_lstm};
  const EnsView *kept = pass->operands->outputs[ENS_RECURRENT_GRAD_XW];
  const EnsView *dy = ens_operands_input (pass->operands, ENS_RECURRENT_DY);
  const EnsRecurrent *r = pass->r;
  gsize n = (gsize)r->hidden;

  for (gint64 step = length; step-- > 0;) {
    gint64 time = ens_recurrent_time (pass->params, pass->direction, step, length);
    gint64 from = pass->sequence * r->y_sequence + pass->direction * r->y_direction;
    gsize row = find_row (pass, time);

    load (pass, dy, (gsize)(from + time * r->y_step), pass->more);
    for (gsize k = 0; k < n; k++)
      pass->dh[k] += pass->more[k];
    for (gsize k = 0; k < r->gates * n; k++)
      pass->gates[k] = ens_view_real (kept, r->gates * row + k);
    load (pass, pass->operands->outputs[ENS_RECURRENT_GRAD_STATES], row, pass->h);
    if (pass->params->cell == ENS_CELL_GRU)
      load (pass, pass->operands->outputs[ENS_RECURRENT_GRAD_RESET], row, pass->more);
    steps[pass->params->cell](pass, row);
    for (gsize k = 0; k < r->gates * n; k++)
      ens_view_set_real (kept, r->gates * row + k, pass->slopes[k]);
  }
}

/* Steps that the sequence does not have. */
static void
clear_rest (const Pass *pass, gint64 length)
{
  const EnsRecurrent *r = pass->r;

  for (gint64 time = length; time < r->steps; time++) {
    gsize row = find_row (pass, time);

    for (guint gate = 0; gate < r->gates; gate++)
      store (pass, ENS_RECURRENT_GRAD_XW, r->gates * row + gate * (gsize)r->hidden, NULL);
    store (pass, ENS_RECURRENT_GRAD_STATES, row, NULL);
    if (pass->params->cell == ENS_CELL_GRU)
      store (pass, ENS_RECURRENT_GRAD_RESET, row, NULL);
    if (pass->params->cell == ENS_CELL_LSTM)
      store (pass, ENS_RECURRENT_GRAD_CELLS, row, NULL);
  }
}

static void
clear_peepholes (const Pass *pass)
{
  gsize row = (gsize)pass->sequence * pass->r->directions + pass->direction;

  for (guint i = 0; i < 3; i++)
    store (pass, ENS_RECURRENT_GRAD_P, (row * 3 + i) * (gsize)pass->r->hidden, NULL);
}

static void
run_sequence (const Pass *pass)
{
  gint64 length = ens_recurrent_length (pass->operands, pass->r, pass->sequence);
  gboolean has_cells = pass->params->cell == ENS_CELL_LSTM;
  gsize state = find_state (pass);

  load (pass, ens_operands_input (pass->operands, ENS_RECURRENT_H), state, pass->h);
  load (pass, ens_operands_input (pass->operands, ENS_RECURRENT_C), state, pass->c);
  load (pass, ens_operands_input (pass->operands, ENS_RECURRENT_DY_H), state, pass->dh);
  load (pass, ens_operands_input (pass->operands, ENS_RECURRENT_DY_C), state, pass->dc);
  if (has_cells)
    clear_peepholes (pass);
  run_forward (pass, length);
  run_back (pass, length);
  clear_rest (pass, length);
  store (pass, ENS_RECURRENT_GRAD_H, state, pass->dh);
  if (has_cells)
    store (pass, ENS_RECURRENT_GRAD_C, state, pass->dc);
}

void
ens_recurrent_back (const EnsOperands *operands, gsize begin, gsize end,
                    const EnsRecurrentProducts *products)
{
  g_autofree double *memory = NULL;
  EnsRecurrent r;
  Pass pass = {.operands = operands, .params = operands->params, .r = &r, .products = products};
  gsize n;

  ens_recurrent_find (operands, &r);
  n = (gsize)r.hidden;
  memory = g_new (double, (5 + 2 * r.gates) * n + 1);
  pass.h = memory;
  pass.c = pass.h + n;
  pass.dh = pass.c + n;
  pass.dc = pass.dh + n;
  pass.more = pass.dc + n;
  pass.gates = pass.more + n;
  pass.slopes = pass.gates + r.gates * n;
  for (gsize i = begin; i < end; i++) {
    pass.sequence = (gint64)(i / r.directions);
    pass.direction = (guint)(i % r.directions);
    pass.functions = ens_recurrent_functions (&r, pass.direction);
    run_sequence (&pass);
  }
}
