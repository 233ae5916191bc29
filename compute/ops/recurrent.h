/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of LSTM, GRU and RNN share. */
#pragma once

#include "ops/operands.h"

typedef enum {
  ENS_CELL_RNN,  /* h = f (x W + h R + b) */
  ENS_CELL_GRU,  /* gates z (update), r (reset), h (hidden) */
  ENS_CELL_LSTM, /* gates i (input), o (output), f (forget), c (cell) */
} EnsCell;

typedef enum {
  ENS_DIRECTION_FORWARD,
  ENS_DIRECTION_REVERSE,
  ENS_DIRECTION_BIDIRECTIONAL,
} EnsDirection;

#define ENS_MAX_CELL_FUNCTIONS 6 /* three in each direction */

typedef struct {
  gint64 cell; /* an EnsCell */
  EnsDirection direction;
  gint64 hidden;                /* elements of a state; 0: as R says */
  gint64 batch_first;           /* ONNX's layout 1 */
  gboolean linear_before_reset; /* GRU: the reset gate comes after the product */
  gboolean input_forget;        /* LSTM: f = 1 − i */
  float clip;                   /* what gates' functions get is between −clip and clip; 0: all */
  char activations[128];        /* names, joined by commas; empty: the usual ones */
  EnsFloats alphas, betas;
} EnsRecurrentParams;

extern const char *const ens_recurrent_directions[];

/* Those of all cells; which one it is, is a number. */
#define ENS_RECURRENT_ATTRIBUTES(number)                                                    \
  {"cell",                                                                                  \
   ENS_ATTRIBUTE_INT,                                                                       \
   ENS_ATTRIBUTE_INTERNAL,                                                                  \
   ENS_MEMBER (EnsRecurrentParams, cell),                                                   \
   .integer = number,                                                                       \
   .max = ENS_CELL_LSTM},                                                                   \
      {"activations", ENS_ATTRIBUTE_STRINGS, ENS_MEMBER (EnsRecurrentParams, activations),  \
       .length = G_N_ELEMENTS (((EnsRecurrentParams *)NULL)->activations)},                 \
      {"activation_alpha", ENS_FLOATS_MEMBER (EnsRecurrentParams, alphas)},                 \
      {"activation_beta", ENS_FLOATS_MEMBER (EnsRecurrentParams, betas)},                   \
      {"clip", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsRecurrentParams, clip)},                 \
      {"direction", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsRecurrentParams, direction),         \
       .names = ens_recurrent_directions},                                                  \
      {"hidden_size", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsRecurrentParams, hidden), .min = 0, \
       .max = G_MAXINT32},                                                                  \
      {"layout", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsRecurrentParams, batch_first),           \
       .min = 0, .max = 1,          .since = 14},                                           \
  {                                                                                         \
    "output_sequence", ENS_ATTRIBUTE_IGNORED, .until = 6                                    \
  }

enum {
  ENS_RECURRENT_X,
  ENS_RECURRENT_W,
  ENS_RECURRENT_R,
  ENS_RECURRENT_B,
  ENS_RECURRENT_LENGTHS,
  ENS_RECURRENT_H,
  ENS_RECURRENT_C,
  ENS_RECURRENT_P,
};

enum { ENS_RECURRENT_Y, ENS_RECURRENT_Y_H, ENS_RECURRENT_Y_C };

/* What a node's operands come to. Strides are in elements: of X and Y over time, of X, Y and states
 * over sequences, of Y and states over directions. */
typedef struct {
  gint64 steps, batch, inputs, hidden;
  guint gates, directions;
  gint64 x_step, x_sequence;
  gint64 y_step, y_sequence, y_direction;
  gint64 state_sequence, state_direction;
  EnsFusedActivation functions[ENS_MAX_CELL_FUNCTIONS];
} EnsRecurrent;

/* Of operands that have been checked. */
void ens_recurrent_find (const EnsOperands *operands, EnsRecurrent *recurrent);

/* Functions of a direction, and what they are in the equations of ONNX's documentation. */
enum { ENS_CELL_F, ENS_CELL_G, ENS_CELL_H };

static inline const EnsFusedActivation *
ens_recurrent_functions (const EnsRecurrent *recurrent, guint direction)
{
  return recurrent->functions + 3 * direction;
}

/* The step of X that a sequence of `length` steps is at after `step` steps. */
static inline gint64
ens_recurrent_time (const EnsRecurrentParams *params, guint direction, gint64 step, gint64 length)
{
  return params->direction == ENS_DIRECTION_REVERSE || direction == 1 ? length - 1 - step : step;
}

/* Checks. All return FALSE with an error set by ens_op_error (). */

gboolean ens_recurrent_check_types (const EnsOperands *operands, GError **error);
/* Finds the functions, checks the shapes of all inputs but X. */
gboolean ens_recurrent_check_inputs (const EnsOperands *operands, EnsRecurrent *r, GError **error);
gboolean ens_recurrent_check_input (const EnsOperands *operands, guint input,
                                    const EnsShape *expected, GError **error);

EnsShape ens_recurrent_state_shape (const EnsRecurrentParams *params, const EnsRecurrent *r);
EnsShape ens_recurrent_output_shape (const EnsRecurrentParams *params, const EnsRecurrent *r);

/* Steps of a sequence. */
gint64 ens_recurrent_length (const EnsOperands *operands, const EnsRecurrent *recurrent,
                             gint64 sequence);

void ens_recurrent_reference (const EnsOperands *operands);
void ens_recurrent_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan);
void ens_recurrent_cpu (const EnsOperands *operands, const EnsCpuContext *context);
gboolean ens_recurrent_gradient (EnsGradient *gradient, GError **error);
