/* Convolution by cooperative matrices. */
#version 450
#extension GL_GOOGLE_include_directive : require
#define COOPERATIVE
#include "conv-tile.glsl"
