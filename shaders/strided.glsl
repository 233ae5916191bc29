/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that share an index space, each with strides of its own. The last axis is the shader's; the
 * others are in a table, from the last but one to the first (ops/record.c writes it). */
#include "push/strided.h"

#define AXES(i)                                             \
  layout (set = 0, binding = i) readonly buffer AxesBuffer  \
  {                                                         \
    uint axes[];                                            \
  };                                                        \
                                                            \
  uvec4 strided_offsets (uint first, uint n, uint index)    \
  {                                                         \
    uint at = push.offset[i] + first * ENS_AXIS_WORDS;      \
    uvec4 offsets = uvec4 (0);                              \
                                                            \
    for (uint axis = 0; axis < n; axis++) {                 \
      uvec2 step = divide (index, axes[at]);                \
                                                            \
      offsets += step.y                                     \
                 * uvec4 (axes[at + 1], axes[at + 2],       \
                          axes[at + 3], axes[at + 4]);      \
      index = step.x;                                       \
      at += ENS_AXIS_WORDS;                                 \
    }                                                       \
    return offsets;                                         \
  }
