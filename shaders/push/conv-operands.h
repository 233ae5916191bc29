/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CONV_OPERANDS_H
#define ENS_PUSH_CONV_OPERANDS_H

#include "functions.h"
#include "push.h"

/* Constant 1 of the shaders of convolutions: which optional operands there are. */
#define ENS_CONV_BIAS 1
#define ENS_CONV_RESIDUAL 2

#endif
