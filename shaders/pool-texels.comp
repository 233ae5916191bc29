/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pooling from texel buffers. */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_samplerless_texture_functions : require
#define TEXELS
#include "pool.glsl"
