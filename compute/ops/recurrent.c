/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LSTM (Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; with peepholes: Gers and
 * Schmidhuber, 2000), GRU (Cho et al., "Learning Phrase Representations using RNN
 * Encoder–Decoder", 2014) and RNN (Elman, "Finding Structure in Time", 1990) over sequences,
 * forward, backward, or both. Inputs X (steps, sequences, inputs), W (directions, gates · hidden,
 * inputs), R (directions, gates · hidden, hidden); optional B (directions, 2 · gates · hidden),
 * lengths of the sequences, the first h and, of LSTM, c (directions, sequences, hidden) and
 * peepholes (directions, 3 · hidden). Outputs Y (steps, directions, sequences, hidden), the last h
 * and c. With batch_first, sequences are the first axis of all that has them. */
#include "ops/recurrent.h"

#include <math.h>
#include <string.h>

#include "ops/record.h"
#include "ops/registry.h"

#include "push/recurrent.h"

const char *const ens_recurrent_directions[] = {"forward", "reverse", "bidirectional", NULL};

static const EnsAttribute lstm_attributes[] = {
    ENS_RECURRENT_ATTRIBUTES (ENS_CELL_LSTM),
    {"input_forget", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsRecurrentParams, input_forget)},
    ENS_ATTRIBUTE_END};

static const EnsAttribute gru_attributes[] = {ENS_RECURRENT_ATTRIBUTES (ENS_CELL_GRU),
                                              {"linear_before_reset", ENS_ATTRIBUTE_FLAG,
                                               ENS_MEMBER (EnsRecurrentParams, linear_before_reset),
                                               .since = 3},
                                              ENS_ATTRIBUTE_END};

static const EnsAttribute rnn_attributes[] = {ENS_RECURRENT_ATTRIBUTES (ENS_CELL_RNN),
                                              ENS_ATTRIBUTE_END};

static const guint n_gates[] = {[ENS_CELL_RNN] = 1, [ENS_CELL_GRU] = 3, [ENS_CELL_LSTM] = 4};
static const guint n_functions[] = {[ENS_CELL_RNN] = 1, [ENS_CELL_GRU] = 2, [ENS_CELL_LSTM] = 3};

/* Functions of cells */

/* Names as ONNX has them, in any case of letters, and what they have for want of attributes. */
static const struct {
  const char *name;
  EnsActivation kind;
  gboolean takes_alpha, takes_beta;
  float alpha, beta;
} known_functions[] = {
    {"Sigmoid", ENS_ACTIVATION_SIGMOID},
    {"Tanh", ENS_ACTIVATION_TANH},
    {"Relu", ENS_ACTIVATION_RELU},
    {"LeakyRelu", ENS_ACTIVATION_LEAKY_RELU, TRUE, FALSE, 0.01F},
    {"HardSigmoid", ENS_ACTIVATION_HARD_SIGMOID, TRUE, TRUE, 0.2F, 0.5F},
};

static const char *const usual_functions[] = {[ENS_CELL_RNN] = "Tanh",
                                              [ENS_CELL_GRU] = "Sigmoid,Tanh",
                                              [ENS_CELL_LSTM] = "Sigmoid,Tanh,Tanh"};

/* Which alphas and betas have been taken. */
typedef struct {
  guint alpha, beta;
} Taken;

static gboolean
find_function (const EnsRecurrentParams *params, const char *name, Taken *taken,
               EnsFusedActivation *function)
{
  for (guint i = 0; i < G_N_ELEMENTS (known_functions); i++) {
    if (g_ascii_strcasecmp (name, known_functions[i].name) != 0)
      continue;
    *function = (EnsFusedActivation) {known_functions[i].kind, known_functions[i].alpha,
                                      known_functions[i].beta};
    if (known_functions[i].takes_alpha && taken->alpha < params->alphas.n)
      function->alpha = params->alphas.values[taken->alpha++];
    if (known_functions[i].takes_beta && taken->beta < params->betas.n)
      function->beta = params->betas.values[taken->beta++];
    return TRUE;
  }
  return FALSE;
}

/* The name of what is not known, or "" of a wrong number of names; NULL: all is well.
 * (transfer full) */
static char *
find_functions (const EnsRecurrentParams *params, EnsRecurrent *recurrent)
{
  const char *names =
      *params->activations != '\0' ? params->activations : usual_functions[params->cell];
  g_auto (GStrv) parts = g_strsplit (names, ",", -1);
  guint n = n_functions[params->cell], given = g_strv_length (parts);
  Taken taken = {0};

  if (*params->activations != '\0' && given != n * recurrent->directions)
    return g_strdup ("");
  for (guint i = 0; i < n * recurrent->directions; i++)
    if (!find_function (params, parts[i % given], &taken, &recurrent->functions[i / n * 3 + i % n]))
      return g_strdup (parts[i % given]);
  return NULL;
}

static gboolean
check_functions (const EnsOperands *operands, EnsRecurrent *recurrent, GError **error)
{
  const EnsRecurrentParams *params = operands->params;
  g_autofree char *fault = find_functions (params, recurrent);

  if (fault == NULL)
    return TRUE;
  if (*fault == '\0')
    return ens_op_error (operands, error, ENS_ERROR_FORMAT,
                         "“activations” are %s, expected %u for each of %u directions",
                         params->activations, n_functions[params->cell], recurrent->directions);
  return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                       "attribute “activations” has “%s”, supported are Sigmoid, Tanh, Relu, "
                       "LeakyRelu and HardSigmoid",
                       fault);
}

/* Shapes */

static void
find_strides (const EnsRecurrentParams *params, EnsRecurrent *r)
{
  gint64 directions = r->directions;

  if (params->batch_first) {
    r->x_step = r->inputs;
    r->x_sequence = r->steps * r->inputs;
    r->y_direction = r->state_direction = r->hidden;
    r->y_step = r->state_sequence = directions * r->hidden;
    r->y_sequence = r->steps * r->y_step;
  } else {
    r->x_sequence = r->inputs;
    r->x_step = r->batch * r->inputs;
    r->y_sequence = r->state_sequence = r->hidden;
    r->y_direction = r->state_direction = r->batch * r->hidden;
    r->y_step = directions * r->y_direction;
  }
}

void
ens_recurrent_find (const EnsOperands *operands, EnsRecurrent *recurrent)
{
  const EnsRecurrentParams *params = operands->params;
  const gint64 *x = operands->inputs[ENS_RECURRENT_X]->shape.dims;
  const EnsShape *r = &operands->inputs[ENS_RECURRENT_R]->shape;

  *recurrent = (EnsRecurrent) {
      .steps = x[params->batch_first ? 1 : 0],
      .batch = x[params->batch_first ? 0 : 1],
      .inputs = x[2],
      .hidden = params->hidden != 0 ? params->hidden : r->dims[r->rank - 1],
      .gates = n_gates[params->cell],
      .directions = params->direction == ENS_DIRECTION_BIDIRECTIONAL ? 2 : 1,
  };
  find_strides (params, recurrent);
  g_free (find_functions (params, recurrent));
}

gint64
ens_recurrent_length (const EnsOperands *operands, const EnsRecurrent *recurrent, gint64 sequence)
{
  const EnsView *lengths = ens_operands_input (operands, ENS_RECURRENT_LENGTHS);

  return lengths != NULL ? CLAMP (ens_view_integer (lengths, (gsize)sequence), 0, recurrent->steps)
                         : recurrent->steps;
}

gboolean
ens_recurrent_check_input (const EnsOperands *operands, guint input, const EnsShape *expected,
                           GError **error)
{
  const EnsView *view = ens_operands_input (operands, input);
  g_autofree char *found = NULL, *text = NULL;

  if (view == NULL || ens_shape_equal (&view->shape, expected))
    return TRUE;
  found = ens_shape_to_string (&view->shape);
  text = ens_shape_to_string (expected);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u is %s, expected %s", input,
                       found, text);
}

EnsShape
ens_recurrent_state_shape (const EnsRecurrentParams *params, const EnsRecurrent *r)
{
  return params->batch_first ? ENS_SHAPE (r->batch, r->directions, r->hidden)
                             : ENS_SHAPE (r->directions, r->batch, r->hidden);
}

EnsShape
ens_recurrent_output_shape (const EnsRecurrentParams *params, const EnsRecurrent *r)
{
  return params->batch_first ? ENS_SHAPE (r->batch, r->steps, r->directions, r->hidden)
                             : ENS_SHAPE (r->steps, r->directions, r->batch, r->hidden);
}

gboolean
ens_recurrent_check_inputs (const EnsOperands *operands, EnsRecurrent *r, GError **error)
{
  const EnsRecurrentParams *params = operands->params;
  gint64 rows = r->gates * r->hidden;
  const EnsShape state = ens_recurrent_state_shape (params, r);

  return check_functions (operands, r, error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_W,
                                       &ENS_SHAPE (r->directions, rows, r->inputs), error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_R,
                                       &ENS_SHAPE (r->directions, rows, r->hidden), error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_B,
                                       &ENS_SHAPE (r->directions, 2 * rows), error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_LENGTHS, &ENS_SHAPE (r->batch),
                                       error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_H, &state, error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_C, &state, error)
         && ens_recurrent_check_input (operands, ENS_RECURRENT_P,
                                       &ENS_SHAPE (r->directions, 3 * r->hidden), error);
}

gboolean
ens_recurrent_check_types (const EnsOperands *operands, GError **error)
{
  EnsType type = operands->inputs[ENS_RECURRENT_X]->type;

  if (!ens_check_type (operands, ENS_RECURRENT_X, ENS_TYPES_REAL, error)
      || !ens_check_rank (operands, ENS_RECURRENT_X, 3, 3, error)
      || !ens_check_rank (operands, ENS_RECURRENT_R, 3, 3, error))
    return FALSE;
  for (guint i = ENS_RECURRENT_W; i < operands->n_inputs; i++)
    if (ens_operands_input (operands, i) != NULL
        && !ens_check_type (
            operands, i, i == ENS_RECURRENT_LENGTHS ? ENS_TYPES_INTEGER : ENS_TYPES (type), error))
      return FALSE;
  return TRUE;
}

static gboolean
recurrent_shape (EnsOperands *operands, GError **error)
{
  const EnsRecurrentParams *params = operands->params;
  EnsType type = operands->inputs[ENS_RECURRENT_X]->type;
  EnsRecurrent r;
  EnsShape shape;

  if (!ens_recurrent_check_types (operands, error))
    return FALSE;
  ens_recurrent_find (operands, &r);
  if (!ens_recurrent_check_inputs (operands, &r, error))
    return FALSE;
  shape = ens_recurrent_output_shape (params, &r);
  if (!ens_set_output (operands, ENS_RECURRENT_Y, type, &shape, error))
    return FALSE;
  shape = ens_recurrent_state_shape (params, &r);
  for (guint i = ENS_RECURRENT_Y_H; i < operands->n_outputs; i++)
    if (!ens_set_output (operands, i, type, &shape, error))
      return FALSE;
  return TRUE;
}

static double
recurrent_flops (const EnsOperands *operands)
{
  EnsRecurrent r;

  ens_recurrent_find (operands, &r);
  return 2. * (double)r.steps * (double)r.batch * r.directions * r.gates * (double)r.hidden
         * (double)(r.inputs + r.hidden);
}

/* The shader: the usual functions, all sequences of the same length, no clipping. An invocation
 * goes through all steps; drivers reset devices that take seconds for it. */

#define MAX_PRODUCTS (1 << 24) /* of an invocation */

static gboolean
is_short (const EnsRecurrent *r)
{
  double rounds = ceil ((double)r->hidden / ENS_RECURRENT_GROUP);

  return (double)r->steps * (double)r->gates * (double)(r->inputs + r->hidden) * rounds
         <= MAX_PRODUCTS;
}

static gboolean
is_plain (const EnsOperands *operands, const EnsRecurrent *r)
{
  const EnsRecurrentParams *params = operands->params;

  return ens_operands_input (operands, ENS_RECURRENT_LENGTHS) == NULL && params->clip <= 0
         && !params->input_forget && ens_operands_input (operands, ENS_RECURRENT_P) == NULL
         && (*params->activations == '\0'
             || g_ascii_strcasecmp (params->activations, usual_functions[params->cell]) == 0)
         && r->hidden <= ENS_RECURRENT_MAX_HIDDEN && is_short (r);
}

static EnsRecurrentPush
make_push (const EnsRecurrentParams *params, const EnsRecurrent *r)
{
  return (EnsRecurrentPush) {
      .n = (guint32)(r->batch * r->directions),
      .steps = (guint32)r->steps,
      .inputs = (guint32)r->inputs,
      .hidden = (guint32)r->hidden,
      .directions = r->directions,
      .backward = params->direction == ENS_DIRECTION_REVERSE,
      .x = {(guint32)r->x_step, (guint32)r->x_sequence},
      .y = {(guint32)r->y_step, (guint32)r->y_sequence, (guint32)r->y_direction},
      .state = {(guint32)r->state_sequence, (guint32)r->state_direction},
  };
}

/* The last h of each direction is where Y ends. */
static void
record_last (const EnsOperands *operands, const EnsRecurrent *r, EnsCommands *commands)
{
  const EnsRecurrentParams *params = operands->params;

  for (guint d = 0; d < r->directions; d++) {
    gint64 last = ens_recurrent_time (params, d, r->steps - 1, r->steps);
    EnsCopy copy = {.x = operands->outputs[ENS_RECURRENT_Y],
                    .y = operands->outputs[ENS_RECURRENT_Y_H],
                    .x_start = last * r->y_step + d * r->y_direction,
                    .y_start = d * r->state_direction,
                    .strided = {.n = 2,
                                .rank = 2,
                                .dims = {r->batch, r->hidden},
                                .strides = {{r->state_sequence, 1}, {r->y_sequence, 1}}}};

    ens_record_copy (commands, &copy);
  }
}

static gboolean
recurrent_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsRecurrentParams *params = operands->params;
  const EnsView *x = operands->inputs[ENS_RECURRENT_X], *y = operands->outputs[ENS_RECURRENT_Y];
  const EnsView *b = ens_operands_input (operands, ENS_RECURRENT_B);
  const EnsView *h = ens_operands_input (operands, ENS_RECURRENT_H);
  const EnsView *c = ens_operands_input (operands, ENS_RECURRENT_C);
  guint n = operands->n_outputs;
  EnsRecurrentPush push;
  EnsDispatch dispatch = {
      .shader = "recurrent",
      .bindings = {{x, ENS_ACCESS_READ},
                   {operands->inputs[ENS_RECURRENT_W], ENS_ACCESS_READ},
                   {operands->inputs[ENS_RECURRENT_R], ENS_ACCESS_READ},
                   {b != NULL ? b : x, ENS_ACCESS_READ},
                   {h != NULL ? h : x, ENS_ACCESS_READ},
                   {c != NULL ? c : x, ENS_ACCESS_READ},
                   {y, ENS_ACCESS_WRITE},
                   {n > ENS_RECURRENT_Y_C ? operands->outputs[ENS_RECURRENT_Y_C] : y,
                    ENS_ACCESS_WRITE}},
      .n_bindings = 8,
      .constants = {params->cell, params->linear_before_reset, b != NULL, h != NULL, c != NULL,
                    n > ENS_RECURRENT_Y_C},
      .n_constants = 6,
      .push = &push,
      .push_size = sizeof push};
  EnsRecurrent r;

  ens_recurrent_find (operands, &r);
  if (!is_plain (operands, &r) || ens_view_elements (y) == 0
      || !ens_record_storage (operands, ENS_RECURRENT_X, operands->n_inputs, &dispatch.storage))
    return FALSE;
  push = make_push (params, &r);
  ens_commands_cover (commands, &dispatch, push.n, 1);
  ens_commands_dispatch (commands, &dispatch);
  if (n > ENS_RECURRENT_Y_H)
    record_last (operands, &r, commands);
  return TRUE;
}

/* Operators */

#define RECURRENT_OP(stem, title, inputs, outputs, the_examples)                        \
  const EnsOp ens_op_##stem = {.name = title,                                           \
                               .min_inputs = 3,                                         \
                               .max_inputs = inputs,                                    \
                               .min_outputs = 1,                                        \
                               .max_outputs = outputs,                                  \
                               .layout = ENS_LAYOUT_PLAIN,                              \
                               .params_size = sizeof (EnsRecurrentParams),              \
                               .attributes = stem##_attributes,                         \
                               .parameters = {[ENS_RECURRENT_W] = ENS_PARAMETER_WEIGHT, \
                                              [ENS_RECURRENT_R] = ENS_PARAMETER_WEIGHT, \
                                              [ENS_RECURRENT_B] = ENS_PARAMETER_BIAS},  \
                               .shape = recurrent_shape,                                \
                               .flops = recurrent_flops,                                \
                               .reference = ens_recurrent_reference,                    \
                               .cpu = ens_recurrent_cpu,                                \
                               .cpu_plan = ens_recurrent_cpu_plan,                      \
                               .gpu = recurrent_gpu,                                    \
                               .gradient = ens_recurrent_gradient,                      \
                               .example = the_examples};

static const EnsOpExample lstm_examples[] = {
    {"5x2x6 =1x12x6 =1x12x3 =1x24", &(const EnsRecurrentParams) {.cell = ENS_CELL_LSTM}, 2},
    {"5x2x6 =2x12x6 =2x12x3",
     &(const EnsRecurrentParams) {.cell = ENS_CELL_LSTM, .direction = ENS_DIRECTION_BIDIRECTIONAL}},
    {NULL}};

static const EnsOpExample gru_examples[] = {
    {"5x2x6 =1x9x6 =1x9x3 =1x18", &(const EnsRecurrentParams) {.cell = ENS_CELL_GRU}, 2},
    {"5x2x6 =1x9x6 =1x9x3 =1x18",
     &(const EnsRecurrentParams) {.cell = ENS_CELL_GRU, .linear_before_reset = TRUE}},
    {NULL}};

static const EnsOpExample rnn_examples[] = {
    {"5x2x6 =1x3x6 =1x3x3 =1x6",
     &(const EnsRecurrentParams) {.cell = ENS_CELL_RNN, .direction = ENS_DIRECTION_REVERSE}, 2},
    {NULL}};

RECURRENT_OP (lstm, "LSTM", 8, 3, lstm_examples)
RECURRENT_OP (gru, "GRU", 6, 2, gru_examples)
RECURRENT_OP (rnn, "RNN", 6, 2, rnn_examples)
