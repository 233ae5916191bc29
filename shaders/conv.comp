/* Convolution, without cooperative matrices. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "conv-tile.glsl"
