/* Convolution by cooperative matrices, of subgroups or of workgroups. */
#version 450
#extension GL_GOOGLE_include_directive : require
#define COOPERATIVE
#include "conv-tile.glsl"
