/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_RECURRENT_H
#define ENS_PUSH_RECURRENT_H

#include "push.h"

/* Constants of recurrent.comp: the cell, as EnsCell; whether GRU resets after the product; whether
 * there are biases, a first h and a first c; whether the last c is wanted. Bindings of absent
 * operands hold others. */
#define ENS_RECURRENT_RNN 0
#define ENS_RECURRENT_GRU 1
#define ENS_RECURRENT_LSTM 2

/* Invocations of a workgroup, and elements of a state at most. */
#define ENS_RECURRENT_GROUP 128
#define ENS_RECURRENT_MAX_HIDDEN 1024

/* Strides of X over steps and sequences; of Y the same and over directions; of states over
 * sequences and directions. */
struct EnsRecurrentPush {
  uint offset[8]; /* x, w, r, b, first h, first c, y, last c */
  uint n;         /* sequences · directions */
  uint steps, inputs, hidden, directions;
  uint backward; /* whether the only direction runs backward; of two, the second does */
  uint x[2], y[3], state[2];
};
ENS_PUSH (EnsRecurrentPush)

#endif
