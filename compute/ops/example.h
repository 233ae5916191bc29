/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing down examples of operators (EnsOp.example). */
#pragma once

#include "ops/params.h"

/* An EnsList. */
#define ENS_EXAMPLE_LIST(count, ...)                       \
  {                                                        \
    .present = TRUE, .n = count, .values = { __VA_ARGS__ } \
  }

/* An EnsSliding: a square window. */
#define ENS_EXAMPLE_WINDOW(size, stride, pad)                                                  \
  {                                                                                            \
    .rank = 2, .kernel = {size, size}, .strides = {stride, stride, 1}, .dilations = {1, 1, 1}, \
    .pads_begin = {pad, pad}, .pads_end = {                                                    \
      pad,                                                                                     \
      pad                                                                                      \
    }                                                                                          \
  }
