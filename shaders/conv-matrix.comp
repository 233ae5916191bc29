/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution by cooperative matrices, of subgroups or of workgroups. */
#version 450
#extension GL_GOOGLE_include_directive : require
#define COOPERATIVE
#include "conv-tile.glsl"
