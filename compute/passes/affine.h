/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batch normalisation and arithmetic with constants as one: y = scale · x + shift. */
#pragma once

#include "graph/op.h"

typedef struct {
  EnsValue *input; /* x */
  gint64 n_channels;
  float *scale, *shift; /* per channel */
} EnsAffine;

/* A quick check, before constants are copied. */
gboolean ens_node_may_be_affine (const EnsNode *node);
/* The node as scale and shift of tensors with this rank and number of channels, or NULL if it is
 * something else. (transfer full) */
EnsAffine *ens_affine_read (const EnsNode *node, gint64 n_channels, guint rank);
/* Of a BatchNormalization, with as many channels as it has. (transfer full) */
EnsAffine *ens_affine_read_batch_norm (const EnsNode *node);
void ens_affine_free (EnsAffine *affine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsAffine, ens_affine_free)

/* Whether all numbers are finite: a file may contain a variance of −epsilon. */
gboolean ens_affine_is_finite (const EnsAffine *affine);
