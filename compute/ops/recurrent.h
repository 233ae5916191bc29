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
  EnsCell cell;
  EnsDirection direction;
  gint64 hidden;                /* elements of a state; 0: as R says */
  gint64 batch_first;           /* ONNX's layout 1 */
  gboolean linear_before_reset; /* GRU: the reset gate comes after the product */
  gboolean input_forget;        /* LSTM: f = 1 − i */
  float clip;                   /* what gates' functions get is between −clip and clip; 0: all */
  char activations[128];        /* names, joined by commas; empty: the usual ones */
  EnsFloats alphas, betas;
} EnsRecurrentParams;

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

/* Steps of a sequence. */
gint64 ens_recurrent_length (const EnsOperands *operands, const EnsRecurrent *recurrent,
                             gint64 sequence);

void ens_recurrent_reference (const EnsOperands *operands);
void ens_recurrent_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan);
void ens_recurrent_cpu (const EnsOperands *operands, const EnsCpuContext *context);
