/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_ROTARY_EMBEDDING_H
#define ENS_PUSH_ROTARY_EMBEDDING_H

#include "push.h"

/* Constant 0 of rotary-embedding.comp: whether pairs are neighbours; else halves are pairs. */
struct EnsRotaryEmbeddingPush {
  uint offset[5]; /* x, cosines, sines, rows of cosines and sines, y */
  uint rows, depth;
  uint pairs; /* of the first elements of a row */
};
ENS_PUSH (EnsRotaryEmbeddingPush)

#endif
