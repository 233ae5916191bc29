/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of RecurrentGrad share. */
#pragma once

#include "ops/recurrent.h"

/* Inputs behind those of the operators. */
enum {
  ENS_RECURRENT_DY = ENS_RECURRENT_P + 1,
  ENS_RECURRENT_DY_H,
  ENS_RECURRENT_DY_C,
  ENS_RECURRENT_GRAD_INPUTS,
};

enum {
  ENS_RECURRENT_GRAD_XW,
  ENS_RECURRENT_GRAD_STATES, /* h before each step */
  ENS_RECURRENT_GRAD_H,
  /* GRU: the state that has been reset; with linear_before_reset the gradient of what the reset
   * gate is multiplied with. Both are as h before each step. */
  ENS_RECURRENT_GRAD_RESET,
  ENS_RECURRENT_GRAD_C = ENS_RECURRENT_GRAD_RESET, /* LSTM */
  ENS_RECURRENT_GRAD_CELLS,                        /* LSTM: c before each step */
  ENS_RECURRENT_GRAD_P, /* LSTM: of the peepholes, (sequences, directions · 3 · hidden) */
};

/* With n rows of R, which begin at an element. */
typedef void (*EnsRecurrentProductFunc) (const EnsView *r, gsize first, gsize n, const double *from,
                                         double *to);

typedef struct {
  EnsRecurrentProductFunc multiply; /* to[k] += Σ R[k, i] from[i] */
  EnsRecurrentProductFunc back;     /* to[i] += Σ R[k, i] from[k] */
} EnsRecurrentProducts;

/* Sequences [begin, end), each direction counted as one. */
void ens_recurrent_back (const EnsOperands *operands, gsize begin, gsize end,
                         const EnsRecurrentProducts *products);
