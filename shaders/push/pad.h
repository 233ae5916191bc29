/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_PAD_H
#define ENS_PUSH_PAD_H

#include "push.h"

/* Constant 0 of pad.comp: as EnsPadMode. */
#define ENS_PADDING_CONSTANT 0
#define ENS_PADDING_REFLECT 1
#define ENS_PADDING_EDGE 2
#define ENS_PADDING_WRAP 3

/* Words of an axis in the table, from the last to the first: the output's length, the input's, the
 * pad before it (negative: what is cut off) and the input's stride. */
#define ENS_PADDING_WORDS 4

struct EnsPadPush {
  uint offset[3]; /* x, y, table */
  uint n_axes;
  uint rows, columns; /* of the output; columns are padded nowhere */
  float value;
};
ENS_PUSH (EnsPadPush)

#endif
