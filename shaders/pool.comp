/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pooling. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "pool.glsl"
