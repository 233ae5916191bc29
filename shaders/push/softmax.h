/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_SOFTMAX_H
#define ENS_PUSH_SOFTMAX_H

#include "lines.h"
#include "push.h"

/* Constant 1 of softmax.comp. */
#define ENS_LINE_SOFTMAX 0
#define ENS_LINE_LOG_SOFTMAX 1
#define ENS_LINE_L1 2
#define ENS_LINE_L2 3

struct EnsSoftmaxPush {
  uint offset[2]; /* x, y */
  ENS_LINES;
};
ENS_PUSH (EnsSoftmaxPush)

#endif
