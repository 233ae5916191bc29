/* Depthwise convolution from storage buffers. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "conv.glsl"

READS (0, x)
READS (1, weights)

#define X(at, n) x_load4 (at, n, 1)
#define WEIGHTS(at) weights_load4 (at, 4, 1)
#include "depthwise.glsl"
