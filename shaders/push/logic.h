/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_LOGIC_H
#define ENS_PUSH_LOGIC_H

#include "push.h"

/* Constant 0 of compare.comp and of logic.comp. None: there is no such function. */
#define ENS_COMPARE_EQUAL 0
#define ENS_COMPARE_GREATER 1
#define ENS_COMPARE_GREATER_OR_EQUAL 2
#define ENS_COMPARE_LESS 3
#define ENS_COMPARE_LESS_OR_EQUAL 4
#define ENS_COMPARE_NONE 5
/* Of a alone. */
#define ENS_COMPARE_NAN 6
#define ENS_COMPARE_INFINITE 7
#define ENS_COMPARE_POSITIVE_INFINITE 8
#define ENS_COMPARE_NEGATIVE_INFINITE 9
#define ENS_LOGIC_EQUAL 0
#define ENS_LOGIC_AND 1
#define ENS_LOGIC_OR 2
#define ENS_LOGIC_XOR 3
#define ENS_LOGIC_NOT 4 /* of a */
#define ENS_LOGIC_NONE 5

/* Truth values are bytes. */
struct EnsLogicPush {
  uint offset[4]; /* a, b, y, table of axes [y, a, b] */
  uint n_axes;
  uint rows, columns;
  uint a_step, b_step; /* along the last axis; y has its elements side by side */
};
ENS_PUSH (EnsLogicPush)

#endif
