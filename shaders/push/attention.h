/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_ATTENTION_H
#define ENS_PUSH_ATTENTION_H

#include "push.h"

/* Constant 1 of attention.comp: what the mask holds; 2: whether a query sees no key behind its own
 * position; 3: whether scores have a cap. */
#define ENS_ATTENTION_UNMASKED 0
#define ENS_ATTENTION_ADDEND 1
#define ENS_ATTENTION_SELECTED 2

/* Elements of a query, key or value at most. */
#define ENS_ATTENTION_MAX_DEPTH 512

/* Strides of batch, head and row; of the mask, of columns, too. The mask is bound as floats or as
 * bytes; the other binding, or both, hold another operand. */
struct EnsAttentionPush {
  uint offset[6];                     /* query, key, value, mask of floats, mask of bytes, y */
  uint n;                             /* batch · heads · queries */
  uint heads, sharing, queries, keys; /* sharing: heads of one key */
  uint depth, value_depth;
  float scale, softcap;
  uint query[3], key[3], value[3], mask[4], y[3];
};
ENS_PUSH (EnsAttentionPush)

#endif
