/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LSTM, GRU and RNN: a workgroup for each sequence and direction, which goes through its steps. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/recurrent.h"
#include "math.glsl"

layout (local_size_x = ENS_RECURRENT_GROUP) in;
layout (constant_id = 0) const uint CELL = ENS_RECURRENT_RNN;
layout (constant_id = 1) const bool LATE_RESET = false;
layout (constant_id = 2) const bool BIAS = false;
layout (constant_id = 3) const bool FIRST_H = false;
layout (constant_id = 4) const bool FIRST_C = false;
layout (constant_id = 5) const bool LAST_C = false;

READS (0, x)
READS (1, w)
READS (2, r)
READS (3, b)
READS (4, h)
READS (5, c)
WRITES (6, y)
WRITES (7, last)

const uint GROUP = ENS_RECURRENT_GROUP;
const uint PARTS = ENS_RECURRENT_MAX_HIDDEN / GROUP;
const uint GATES = CELL == ENS_RECURRENT_LSTM ? 4 : CELL == ENS_RECURRENT_GRU ? 3 : 1;

shared float state[ENS_RECURRENT_MAX_HIDDEN];
shared float reset[ENS_RECURRENT_MAX_HIDDEN];

uint direction, sequence;

float
logistic (float x)
{
  return 1 / (1 + exponential (-x));
}

float
tangent (float x)
{
  return hyperbolic_tangent (vec4 (x)).x;
}

/* A row of W times the inputs of a step, and its bias. */
float
of_input (uint gate, uint k, uint from)
{
  uint row = (direction * GATES + gate) * push.hidden + k;
  float sum = 0;

  if (BIAS)
    sum = b_load ((2 * direction * GATES + gate) * push.hidden + k);
  for (uint i = 0; i < push.inputs; i++)
    sum += w_load (row * push.inputs + i) * x_load (from + i);
  return sum;
}

/* A row of R times h, or times h as it has been reset, and its bias. */
float
of_state (uint gate, uint k, bool is_reset)
{
  uint row = (direction * GATES + gate) * push.hidden + k;
  float sum = 0;

  if (BIAS)
    sum = b_load (((2 * direction + 1) * GATES + gate) * push.hidden + k);
  for (uint i = 0; i < push.hidden; i++)
    sum += r_load (row * push.hidden + i) * (is_reset ? reset[i] : state[i]);
  return sum;
}

void
main ()
{
  uint me = gl_LocalInvocationID.x, line = min (linear_group (), push.n - 1);
  float cells[PARTS], next[PARTS];

  sequence = line / push.directions;
  direction = line - sequence * push.directions;
  bool backward = push.directions == 1 ? push.backward == 1 : direction == 1;
  uint at = sequence * push.state[0] + direction * push.state[1];

  for (uint part = 0, k = me; k < push.hidden; part++, k += GROUP) {
    state[k] = FIRST_H ? h_load (at + k) : 0;
    cells[part] = FIRST_C ? c_load (at + k) : 0;
  }
  barrier ();
  for (uint step = 0; step < push.steps; step++) {
    uint time = backward ? push.steps - 1 - step : step;
    uint from = time * push.x[0] + sequence * push.x[1];
    uint to = time * push.y[0] + sequence * push.y[1] + direction * push.y[2];

    if (CELL == ENS_RECURRENT_GRU && !LATE_RESET) {
      for (uint k = me; k < push.hidden; k += GROUP)
        reset[k] = logistic (of_input (1, k, from) + of_state (1, k, false)) * state[k];
      barrier ();
    }
    for (uint part = 0, k = me; k < push.hidden; part++, k += GROUP) {
      if (CELL == ENS_RECURRENT_RNN)
        next[part] = tangent (of_input (0, k, from) + of_state (0, k, false));
      if (CELL == ENS_RECURRENT_GRU) {
        float z = logistic (of_input (0, k, from) + of_state (0, k, false));
        float hidden = of_input (2, k, from);

        if (LATE_RESET)
          hidden += logistic (of_input (1, k, from) + of_state (1, k, false))
                    * of_state (2, k, false);
        else
          hidden += of_state (2, k, true);
        next[part] = (1 - z) * tangent (hidden) + z * state[k];
      }
      if (CELL == ENS_RECURRENT_LSTM) {
        float i = logistic (of_input (0, k, from) + of_state (0, k, false));
        float o = logistic (of_input (1, k, from) + of_state (1, k, false));
        float f = logistic (of_input (2, k, from) + of_state (2, k, false));

        cells[part] = f * cells[part]
                      + i * tangent (of_input (3, k, from) + of_state (3, k, false));
        next[part] = o * tangent (cells[part]);
      }
    }
    barrier ();
    for (uint part = 0, k = me; k < push.hidden; part++, k += GROUP) {
      state[k] = next[part];
      if (linear_group () < push.n)
        y_store (to + k, next[part]);
    }
    barrier ();
  }
  if (LAST_C && linear_group () < push.n)
    for (uint part = 0, k = me; k < push.hidden; part++, k += GROUP)
      last_store (at + k, cells[part]);
}
