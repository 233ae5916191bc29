/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of Attention share. */
#pragma once

#include "ops/operands.h"

enum { ENS_ATTENTION_QUERY, ENS_ATTENTION_KEY, ENS_ATTENTION_VALUE, ENS_ATTENTION_MASK };

/* Matrices of each image and head, rows × depth, and where they are, in elements. */
typedef struct {
  gint64 batch, heads, rows, depth;
  gint64 batch_stride, head_stride, row_stride;
} EnsAttentionMatrices;

typedef struct {
  EnsAttentionMatrices query, key, value;
  gint64 before, behind; /* query i sees keys from i − before to i + behind */
  double scale;
} EnsAttention;

/* Of operands that have been checked. */
void ens_attention_find (const EnsOperands *operands, EnsAttention *attention);

/* gradient () */
gboolean ens_attention_gradient (EnsGradient *gradient, GError **error);
