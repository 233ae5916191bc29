/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv, Gemm and MatMul as one: weights of so many outputs over so many inputs, and a bias. */
#pragma once

#include "graph/op.h"

typedef struct {
  guint rank;          /* of the tensors it maps */
  gint64 n_outputs;    /* filters, columns */
  gint64 n_inputs;     /* channels, of all groups together */
  gint64 group_inputs; /* channels that one output sees */
  gint64 n_taps;       /* kernel positions; 1 for products */
  gboolean pads;       /* the input is, or may be, padded */
  EnsShape shape;      /* of the Conv's weights */
  float *weights;      /* [n_outputs][n_taps][group_inputs] */
  float *bias;         /* [n_outputs] */
} EnsLinear;

/* A copy of what the node multiplies with. NULL if its weights or bias are not constant, if
 * something follows within the node (activation, residual), or if it is something else.
 * (transfer full) */
EnsLinear *ens_linear_read (const EnsNode *node);
void ens_linear_free (EnsLinear *linear);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsLinear, ens_linear_free)

/* output o → scale[o] · output o + shift[o] */
void ens_linear_scale_outputs (EnsLinear *linear, const float *scale, const float *shift);
/* input i → scale[i] · input i + shift[i] */
void ens_linear_scale_inputs (EnsLinear *linear, const float *scale, const float *shift);

/* Gives the node, the one it was read from, new constants; a MatMul becomes a Gemm, which has a
 * bias. */
void ens_linear_write (const EnsLinear *linear, EnsGraph *graph, EnsNode *node);
