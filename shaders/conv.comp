/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution, without cooperative matrices. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "conv-tile.glsl"
