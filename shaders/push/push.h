/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Push constants, and the numbers that name a shader's variants, as C and GLSL both read them. A
 * block is a struct whose text is valid in either language:
 *
 *   struct EnsThingPush {
 *     uint offset[2];
 *     uint columns;
 *   };
 *   ENS_PUSH (EnsThingPush)
 *
 * Members are uint, int, float and arrays of them, which C and std430 lay out alike. The first has
 * one element per binding and is filled in while recording (graph/commands.h). Shaders read
 * push.columns. Guards, since GLSL's compiler knows no “#pragma once”. */
#ifndef ENS_PUSH_PUSH_H
#define ENS_PUSH_PUSH_H

/* The binding, beside a shader's own, at which variants with float16 storage report an overflow,
 * and the largest float16. */
#define ENS_OVERFLOW_BINDING 8
#define ENS_FLOAT16_MAX 65504.0

#ifdef VULKAN
#define ENS_PUSH(name)                       \
  layout (push_constant) uniform name##Block \
  {                                          \
    name push;                               \
  };
#else
#include <glib.h>

typedef guint32 uint;

/* 128 bytes are what every device has. */
#define ENS_PUSH(name)      \
  typedef struct name name; \
  G_STATIC_ASSERT (sizeof (name) % 4 == 0 && sizeof (name) <= 128);
#endif

#endif
