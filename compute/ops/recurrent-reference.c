/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reference of LSTM, GRU and RNN: equations as in ONNX's documentation, one step of one
 * sequence at a time. */
#include <math.h>
#include <string.h>

#include "ops/recurrent.h"

/* One direction of one sequence. */
typedef struct {
  const EnsOperands *operands;
  const EnsRecurrentParams *params;
  const EnsRecurrent *r;
  const EnsFusedActivation *functions;
  guint direction;
  gint64 sequence;
  double *h, *c, *next, *reset;
} Sequence;

static double
call (const Sequence *s, guint which, double x)
{
  double clip = (double)s->params->clip;

  if (clip > 0)
    x = fmin (fmax (x, -clip), clip);
  return ens_activation_apply (s->functions + which, x);
}

static double
bias (const Sequence *s, gint64 at)
{
  const EnsView *b = ens_operands_input (s->operands, ENS_RECURRENT_B);

  return b != NULL ? ens_view_real (b, (gsize)(2 * s->direction * s->r->gates * s->r->hidden + at))
                   : 0;
}

static gsize
find_row (const Sequence *s, guint gate, gint64 k)
{
  return (gsize)((s->direction * s->r->gates + gate) * s->r->hidden + k);
}

static double
of_input (const Sequence *s, guint gate, gint64 k, gint64 time)
{
  const EnsView *x = s->operands->inputs[ENS_RECURRENT_X];
  const EnsView *w = s->operands->inputs[ENS_RECURRENT_W];
  gsize row = find_row (s, gate, k) * (gsize)s->r->inputs;
  gsize from = (gsize)(time * s->r->x_step + s->sequence * s->r->x_sequence);
  double sum = bias (s, gate * s->r->hidden + k);

  for (gsize i = 0; i < (gsize)s->r->inputs; i++)
    sum += ens_view_real (w, row + i) * ens_view_real (x, from + i);
  return sum;
}

static double
of_state (const Sequence *s, guint gate, gint64 k, const double *h)
{
  const EnsView *r = s->operands->inputs[ENS_RECURRENT_R];
  gsize row = find_row (s, gate, k) * (gsize)s->r->hidden;
  double sum = bias (s, (s->r->gates + gate) * s->r->hidden + k);

  for (gsize i = 0; i < (gsize)s->r->hidden; i++)
    sum += ens_view_real (r, row + i) * h[i];
  return sum;
}

static double
gate (const Sequence *s, guint number, gint64 k, gint64 time)
{
  return of_input (s, number, k, time) + of_state (s, number, k, s->h);
}

/* Of gate 0, 1 or 2: input, output, forget. */
static double
peephole (const Sequence *s, guint number, gint64 k, double c)
{
  const EnsView *p = ens_operands_input (s->operands, ENS_RECURRENT_P);

  return p != NULL ? c * ens_view_real (p, (gsize)((s->direction * 3 + number) * s->r->hidden + k))
                   : 0;
}

static void
step_rnn (const Sequence *s, gint64 time)
{
  for (gint64 k = 0; k < s->r->hidden; k++)
    s->next[k] = call (s, ENS_CELL_F, gate (s, 0, k, time));
}

static void
step_gru (const Sequence *s, gint64 time)
{
  for (gint64 k = 0; k < s->r->hidden; k++)
    s->reset[k] = call (s, ENS_CELL_F, gate (s, 1, k, time)) * s->h[k];
  for (gint64 k = 0; k < s->r->hidden; k++) {
    double z = call (s, ENS_CELL_F, gate (s, 0, k, time)), hidden = of_input (s, 2, k, time);

    if (s->params->linear_before_reset)
      hidden += call (s, ENS_CELL_F, gate (s, 1, k, time)) * of_state (s, 2, k, s->h);
    else
      hidden += of_state (s, 2, k, s->reset);
    s->next[k] = (1 - z) * call (s, ENS_CELL_G, hidden) + z * s->h[k];
  }
}

static void
step_lstm (const Sequence *s, gint64 time)
{
  for (gint64 k = 0; k < s->r->hidden; k++) {
    double i = call (s, ENS_CELL_F, gate (s, 0, k, time) + peephole (s, 0, k, s->c[k]));
    double f = s->params->input_forget
                   ? 1 - i
                   : call (s, ENS_CELL_F, gate (s, 2, k, time) + peephole (s, 2, k, s->c[k]));

    s->c[k] = f * s->c[k] + i * call (s, ENS_CELL_G, gate (s, 3, k, time));
    s->next[k] = call (s, ENS_CELL_F, gate (s, 1, k, time) + peephole (s, 1, k, s->c[k]))
                 * ens_activation_apply (s->functions + ENS_CELL_H, s->c[k]);
  }
}

static void
load_state (const Sequence *s, guint input, double *state)
{
  const EnsView *view = ens_operands_input (s->operands, input);
  gsize from = (gsize)(s->sequence * s->r->state_sequence + s->direction * s->r->state_direction);

  for (gsize k = 0; k < (gsize)s->r->hidden; k++)
    state[k] = view != NULL ? ens_view_real (view, from + k) : 0;
}

static void
store (const Sequence *s, guint output, gint64 to, const double *values)
{
  for (gsize k = 0; output < s->operands->n_outputs && k < (gsize)s->r->hidden; k++)
    ens_view_set_real (s->operands->outputs[output], (gsize)to + k, values != NULL ? values[k] : 0);
}

static void
run_sequence (const Sequence *s)
{
  static void (*const steps[]) (const Sequence *, gint64) = {
      [ENS_CELL_RNN] = step_rnn, [ENS_CELL_GRU] = step_gru, [ENS_CELL_LSTM] = step_lstm};
  gint64 length = ens_recurrent_length (s->operands, s->r, s->sequence);
  gint64 to = s->sequence * s->r->y_sequence + s->direction * s->r->y_direction;
  gint64 state = s->sequence * s->r->state_sequence + s->direction * s->r->state_direction;

  load_state (s, ENS_RECURRENT_H, s->h);
  load_state (s, ENS_RECURRENT_C, s->c);
  for (gint64 step = 0; step < s->r->steps; step++) {
    gint64 time = ens_recurrent_time (s->params, s->direction, step, length);

    if (step >= length) {
      store (s, ENS_RECURRENT_Y, to + step * s->r->y_step, NULL);
      continue;
    }
    steps[s->params->cell](s, time);
    memcpy (s->h, s->next, (gsize)s->r->hidden * sizeof *s->h);
    store (s, ENS_RECURRENT_Y, to + time * s->r->y_step, s->h);
  }
  store (s, ENS_RECURRENT_Y_H, state, s->h);
  store (s, ENS_RECURRENT_Y_C, state, s->c);
}

void
ens_recurrent_reference (const EnsOperands *operands)
{
  g_autofree double *memory = NULL;
  EnsRecurrent r;
  Sequence s = {.operands = operands, .params = operands->params, .r = &r};

  ens_recurrent_find (operands, &r);
  memory = g_new (double, 4 * r.hidden + 1);
  s.h = memory;
  s.c = s.h + r.hidden;
  s.next = s.c + r.hidden;
  s.reset = s.next + r.hidden;
  for (s.direction = 0; s.direction < r.directions; s.direction++) {
    s.functions = ens_recurrent_functions (&r, s.direction);
    for (s.sequence = 0; s.sequence < r.batch; s.sequence++)
      run_sequence (&s);
  }
}
