/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LSTM, GRU and RNN on a processor: one product for the inputs of all steps, gates and directions;
 * then tasks, each of which takes some sequences of one direction through all steps, with a product
 * for each. Which sequences share a task does not depend on the number of threads. */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/exponential.h"
#include "ops/recurrent.h"

#define MAX_ROWS 16 /* sequences of a task */

/* Product p of a step gives gates [first, first + n). GRU's last gate waits for the reset. */
typedef struct {
  EnsGemmPlan plan;
  guint first, n;
  gsize at; /* floats, in what is packed of a direction */
} Product;

typedef struct {
  EnsGemmPlan input;
  Product products[2];
  guint n_products, rows, blocks;
  gsize packed_size;                         /* of R, floats of a direction */
  gconstpointer w, r;                        /* packed; NULL: before each run */
  gsize z, bias, w_size, r_size, gemm, task; /* parts of the scratch memory, floats */
} State;

static gsize
align (gsize size)
{
  return (size + 15) / 16 * 16;
}

/* Packing */

typedef struct {
  const State *state;
  const EnsRecurrent *r;
} Packing;

static void
pack_w (gpointer data, const EnsTensor *w, gpointer packed, EnsThreadPool *pool)
{
  const Packing *packing = data;

  ens_gemm_pack (&packing->state->input, ENS_GEMM_COLUMNS_FIRST, w->data, (gsize)packing->r->inputs,
                 packed, pool);
}

static void
pack_r_data (const Packing *packing, const float *from, float *packed, EnsThreadPool *pool)
{
  gsize hidden = (gsize)packing->r->hidden;

  for (guint d = 0; d < packing->r->directions; d++)
    for (guint p = 0; p < packing->state->n_products; p++) {
      const Product *product = &packing->state->products[p];

      ens_gemm_pack (&product->plan, ENS_GEMM_COLUMNS_FIRST,
                     from + (d * packing->r->gates + product->first) * hidden * hidden, hidden,
                     packed + d * packing->state->packed_size + product->at, pool);
    }
}

static void
pack_r (gpointer data, const EnsTensor *r, gpointer packed, EnsThreadPool *pool)
{
  pack_r_data (data, r->data, packed, pool);
}

/* Planning */

static void
plan_products (const EnsRecurrentParams *params, const EnsRecurrent *r, State *state)
{
  gboolean early = params->cell == ENS_CELL_GRU && !params->linear_before_reset;

  state->n_products = early ? 2 : 1;
  state->products[0].n = early ? 2 : r->gates;
  state->products[1].first = 2;
  state->products[1].n = 1;
  for (guint p = 0; p < state->n_products; p++) {
    Product *product = &state->products[p];

    ens_gemm_plan (&product->plan,
                   &(EnsGemmShape) {state->rows, (guint)r->hidden, product->n * (guint)r->hidden},
                   ens_kernels_get (), 1);
    product->at = state->packed_size;
    state->packed_size += align (product->plan.packed_size);
  }
}

static void
plan_memory (const EnsRecurrent *r, State *state)
{
  gsize columns = (gsize)r->directions * r->gates * (gsize)r->hidden;
  gsize row = (gsize)r->hidden * (r->gates + 3), products = 0;

  for (guint p = 0; p < state->n_products; p++)
    products = MAX (products, state->products[p].plan.scratch_size);
  state->z = align ((gsize)(r->steps * r->batch) * columns);
  state->bias = align (columns);
  state->w_size = state->w != NULL ? 0 : align (state->input.packed_size);
  state->r_size = state->r != NULL ? 0 : r->directions * state->packed_size;
  state->gemm = align (state->input.scratch_size);
  state->task = align (state->rows * row) + align (products);
}

static gboolean
fits (const EnsRecurrent *r)
{
  gint64 most = MAX (MAX (r->directions * r->gates * r->hidden, r->inputs), r->batch);

  return r->inputs > 0 && r->hidden > 0 && most <= G_MAXINT32
         && r->steps <= G_MAXINT32 / MAX (r->batch, 1);
}

void
ens_recurrent_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsTensor *w = operands->node->inputs[ENS_RECURRENT_W]->constant;
  EnsTensor *recurrence = operands->node->inputs[ENS_RECURRENT_R]->constant;
  EnsRecurrent r;
  State *state;

  ens_recurrent_find (operands, &r);
  plan->kernel = "reference";
  if (ens_view_elements (operands->outputs[ENS_RECURRENT_Y]) == 0 || !fits (&r))
    return;
  state = g_new0 (State, 1);
  plan->state = state;
  plan->free_state = g_free;
  plan->kernel = "gemm";
  state->rows = (guint)MIN (r.batch, MAX_ROWS);
  state->blocks = (guint)((r.batch + state->rows - 1) / state->rows);
  ens_gemm_plan (&state->input,
                 &(EnsGemmShape) {(guint)(r.steps * r.batch), (guint)r.inputs,
                                  r.directions * r.gates * (guint)r.hidden},
                 ens_kernels_get (), plan->n_threads);
  plan_products (operands->params, &r, state);
  if (w != NULL)
    state->w =
        ens_packed_weights_get (plan, w, "recurrent/w", state->input.packed_size * sizeof (float),
                                pack_w, &(Packing) {state, &r});
  if (recurrence != NULL)
    state->r = ens_packed_weights_get (
        plan, recurrence, state->n_products > 1 ? "recurrent/r-reset" : "recurrent/r",
        r.directions * state->packed_size * sizeof (float), pack_r, &(Packing) {state, &r});
  plan_memory (&r, state);
  plan->scratch_size = (state->z + state->bias + state->w_size + state->r_size + state->gemm
                        + state->blocks * r.directions * state->task)
                       * sizeof (float);
}

/* Functions of gates */

ENS_CLONES static void
run_sigmoid (float *x, gsize n)
{
  for (gsize i = 0; i < n; i++)
    x[i] = 1 / (1 + ens_exp (-x[i]));
}

/* (1 − e) / (1 + e), e = exp (−2 |x|); of what is small its series, as the difference cancels. */
ENS_CLONES static void
run_tanh (float *x, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    float e = ens_exp (-2 * fabsf (x[i])), square = x[i] * x[i];
    float large = copysignf ((1 - e) / (1 + e), x[i]);
    float small = x[i] * (1 - square * (0.33333333F - square * 0.13333333F));

    x[i] = square < 0.0025F ? small : large;
  }
}

static void
run_function (const EnsFusedActivation *function, float clip, float *x, gsize n)
{
  for (gsize i = 0; clip > 0 && i < n; i++)
    x[i] = fminf (fmaxf (x[i], -clip), clip);
  if (function->kind == ENS_ACTIVATION_SIGMOID)
    run_sigmoid (x, n);
  else if (function->kind == ENS_ACTIVATION_TANH)
    run_tanh (x, n);
  else
    for (gsize i = 0; i < n; i++)
      x[i] = (float)ens_activation_apply (function, (double)x[i]);
}

ENS_CLONES static void
add (float *x, const float *y, gsize n)
{
  for (gsize i = 0; i < n; i++)
    x[i] += y[i];
}

ENS_CLONES static void
add_product (float *x, const float *a, const float *b, gsize n)
{
  for (gsize i = 0; i < n; i++)
    x[i] += a[i] * b[i];
}

/* Steps */

typedef struct {
  const EnsOperands *operands;
  const State *state;
  const EnsRecurrent *r;
  const float *z, *packed;
  float *tasks;
} Run;

/* One direction of some sequences; rows of h, c, what is reset, and gates. */
typedef struct {
  const Run *run;
  const EnsRecurrentParams *params;
  const EnsFusedActivation *functions;
  guint direction;
  gint64 first, n;
  float *h, *c, *reset, *gates, *scratch;
} Task;

static const float *
find_float (const Task *task, guint input, gsize at)
{
  const EnsView *view = ens_operands_input (task->run->operands, input);

  return view != NULL ? (const float *)view->data + at : NULL;
}

static void
multiply (const Task *task, guint p, const float *h)
{
  const State *state = task->run->state;
  gsize hidden = (gsize)task->run->r->hidden;

  ens_gemm_run (&state->products[p].plan,
                &(EnsConvArguments) {.packed = task->run->packed
                                               + task->direction * state->packed_size
                                               + state->products[p].at,
                                     .input = h,
                                     .input_pitch = hidden,
                                     .output = task->gates + state->products[p].first * hidden,
                                     .output_pitch = task->run->r->gates * hidden,
                                     .scratch = task->scratch},
                NULL);
}

/* What the inputs of a step come to, for all gates. */
static const float *
find_z (const Task *task, gint64 sequence, gint64 time)
{
  const EnsRecurrent *r = task->run->r;
  gint64 row = task->params->batch_first ? sequence * r->steps + time : time * r->batch + sequence;

  return task->run->z
         + ((gsize)row * r->directions + task->direction) * r->gates * (gsize)r->hidden;
}

/* The gates of a row; h and c are its states. */

static void
finish_rnn (const Task *task, float *gates, const float *z, gsize row)
{
  gsize n = (gsize)task->run->r->hidden;

  add (gates, z, n);
  run_function (task->functions + ENS_CELL_F, task->params->clip, gates, n);
  memcpy (task->h + row * n, gates, n * sizeof *gates);
}

static void
reset_row (const Task *task, float *gates, const float *z, gsize row)
{
  gsize n = (gsize)task->run->r->hidden;

  add (gates + n, z + n, n);
  run_function (task->functions + ENS_CELL_F, task->params->clip, gates + n, n);
  for (gsize k = 0; k < n; k++)
    task->reset[row * n + k] = gates[n + k] * task->h[row * n + k];
}

static void
finish_gru (const Task *task, float *gates, const float *z, gsize row)
{
  gsize n = (gsize)task->run->r->hidden;
  float *update = gates, *hidden = gates + 2 * n, *h = task->h + row * n;
  const float *bias = find_float (task, ENS_RECURRENT_B, (6 * task->direction + 5) * n);

  add (update, z, n);
  run_function (task->functions + ENS_CELL_F, task->params->clip, update, n);
  if (task->params->linear_before_reset) {
    reset_row (task, gates, z, row);
    if (bias != NULL)
      add (hidden, bias, n);
    for (gsize k = 0; k < n; k++)
      hidden[k] *= gates[n + k];
  }
  add (hidden, z + 2 * n, n);
  run_function (task->functions + ENS_CELL_G, task->params->clip, hidden, n);
  for (gsize k = 0; k < n; k++)
    h[k] = (1 - update[k]) * hidden[k] + update[k] * h[k];
}

/* Gates lie as input, output, forget, cell. */
static void
finish_lstm (const Task *task, float *gates, const float *z, gsize row)
{
  gsize n = (gsize)task->run->r->hidden;
  float clip = task->params->clip, *input = gates, *output = gates + n, *forget = gates + 2 * n;
  float *cell = gates + 3 * n, *c = task->c + row * n, *h = task->h + row * n;
  const float *peep = find_float (task, ENS_RECURRENT_P, 3 * task->direction * n);

  add (gates, z, 4 * n);
  if (peep != NULL) {
    add_product (input, peep, c, n);
    add_product (forget, peep + 2 * n, c, n);
  }
  run_function (task->functions + ENS_CELL_F, clip, input, n);
  run_function (task->functions + ENS_CELL_F, clip, forget, n);
  run_function (task->functions + ENS_CELL_G, clip, cell, n);
  for (gsize k = 0; k < n; k++)
    c[k] = (task->params->input_forget ? 1 - input[k] : forget[k]) * c[k] + input[k] * cell[k];
  if (peep != NULL)
    add_product (output, peep + n, c, n);
  run_function (task->functions + ENS_CELL_F, clip, output, n);
  memcpy (cell, c, n * sizeof *cell);
  run_function (task->functions + ENS_CELL_H, 0, cell, n);
  for (gsize k = 0; k < n; k++)
    h[k] = output[k] * cell[k];
}

static void
run_step (const Task *task, gint64 step)
{
  static void (*const finish[]) (const Task *, float *, const float *, gsize) = {
      [ENS_CELL_RNN] = finish_rnn, [ENS_CELL_GRU] = finish_gru, [ENS_CELL_LSTM] = finish_lstm};
  const EnsRecurrent *r = task->run->r;
  float *y = task->run->operands->outputs[ENS_RECURRENT_Y]->data;
  gsize hidden = (gsize)r->hidden;

  multiply (task, 0, task->h);
  for (guint pass = task->run->state->n_products > 1 ? 0 : 1; pass < 2; pass++) {
    for (gint64 i = 0; i < task->n; i++) {
      gint64 sequence = task->first + i;
      gint64 length = ens_recurrent_length (task->run->operands, r, sequence);
      gint64 time = ens_recurrent_time (task->params, task->direction, step, length);
      float *gates = task->gates + (gsize)i * r->gates * hidden;
      float *to = y + sequence * r->y_sequence + task->direction * r->y_direction;

      if (step >= length)
        memset (to + step * r->y_step, 0, hidden * sizeof *to);
      else if (pass == 0)
        reset_row (task, gates, find_z (task, sequence, time), (gsize)i);
      else {
        finish[task->params->cell](task, gates, find_z (task, sequence, time), (gsize)i);
        memcpy (to + time * r->y_step, task->h + (gsize)i * hidden, hidden * sizeof *to);
      }
    }
    if (pass == 0)
      multiply (task, 1, task->reset);
  }
}

static void
load_states (const Task *task, guint input, float *states)
{
  const EnsRecurrent *r = task->run->r;
  gsize hidden = (gsize)r->hidden, rows = task->run->state->rows;

  memset (states, 0, rows * hidden * sizeof *states);
  for (gint64 i = 0; i < task->n; i++) {
    const float *from = find_float (
        task, input,
        (gsize)((task->first + i) * r->state_sequence + task->direction * r->state_direction));

    if (from != NULL)
      memcpy (states + (gsize)i * hidden, from, hidden * sizeof *states);
  }
}

static void
store_states (const Task *task, guint output, const float *states)
{
  const EnsRecurrent *r = task->run->r;
  gsize hidden = (gsize)r->hidden;

  if (output >= task->run->operands->n_outputs)
    return;
  for (gint64 i = 0; i < task->n; i++)
    memcpy ((float *)task->run->operands->outputs[output]->data
                + (task->first + i) * r->state_sequence + task->direction * r->state_direction,
            states + (gsize)i * hidden, hidden * sizeof *states);
}

static void
run_task (gpointer data, guint number, guint worker)
{
  const Run *run = data;
  const EnsRecurrent *r = run->r;
  gsize block = number / r->directions, states = run->state->rows * (gsize)r->hidden;
  float *memory = run->tasks + number * run->state->task;
  Task task = {.run = run,
               .params = run->operands->params,
               .direction = number % r->directions,
               .first = (gint64)(block * run->state->rows),
               .h = memory,
               .c = memory + states,
               .reset = memory + 2 * states,
               .gates = memory + 3 * states,
               .scratch = memory + align (states * (r->gates + 3))};

  task.n = MIN (r->batch - task.first, (gint64)run->state->rows);
  task.functions = ens_recurrent_functions (r, task.direction);
  load_states (&task, ENS_RECURRENT_H, task.h);
  load_states (&task, ENS_RECURRENT_C, task.c);
  memset (task.reset, 0, states * sizeof *task.reset);
  for (gint64 step = 0; step < r->steps; step++)
    run_step (&task, step);
  store_states (&task, ENS_RECURRENT_Y_H, task.h);
  store_states (&task, ENS_RECURRENT_Y_C, task.c);
}

/* What is added to the product of the inputs: both biases, but that of R where GRU resets it. */
static void
sum_biases (const EnsOperands *operands, const EnsRecurrent *r, float *sums)
{
  const EnsRecurrentParams *params = operands->params;
  const EnsView *view = ens_operands_input (operands, ENS_RECURRENT_B);
  gsize n = r->gates * (gsize)r->hidden;
  gsize both =
      params->cell == ENS_CELL_GRU && params->linear_before_reset ? 2 * (gsize)r->hidden : n;

  for (guint d = 0; d < r->directions; d++) {
    const float *b = view != NULL ? (const float *)view->data + 2 * d * n : NULL;

    for (gsize i = 0; i < n; i++)
      sums[d * n + i] = b == NULL ? 0 : i < both ? b[i] + b[n + i] : b[i];
  }
}

/* The scratch memory's parts, in this order: z, biases, packed W and R, the product's own, and that
 * of each task. */
void
ens_recurrent_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const State *state = context->state;
  float *z = context->scratch, *bias, *packed;
  EnsRecurrent r;
  Run run = {.operands = operands, .state = state, .r = &r, .z = z};

  if (state == NULL) {
    ens_recurrent_reference (operands);
    return;
  }
  ens_recurrent_find (operands, &r);
  bias = z + state->z;
  packed = bias + state->bias;
  run.packed = state->r != NULL ? state->r : packed + state->w_size;
  run.tasks = packed + state->w_size + state->r_size + state->gemm;
  sum_biases (operands, &r, bias);
  if (state->w == NULL)
    ens_gemm_pack (&state->input, ENS_GEMM_COLUMNS_FIRST, operands->inputs[ENS_RECURRENT_W]->data,
                   (gsize)r.inputs, packed, context->pool);
  if (state->r == NULL)
    pack_r_data (&(Packing) {state, &r}, operands->inputs[ENS_RECURRENT_R]->data,
                 packed + state->w_size, context->pool);
  ens_gemm_run (&state->input,
                &(EnsConvArguments) {.packed = state->w != NULL ? state->w : packed,
                                     .input = operands->inputs[ENS_RECURRENT_X]->data,
                                     .input_pitch = (gsize)r.inputs,
                                     .output = z,
                                     .output_pitch = r.directions * r.gates * (gsize)r.hidden,
                                     .epilogue = &(EnsEpilogue) {.bias = bias},
                                     .scratch = packed + state->w_size + state->r_size},
                context->pool);
  ens_thread_pool_run (context->pool, state->blocks * r.directions, run_task, &run);
}
