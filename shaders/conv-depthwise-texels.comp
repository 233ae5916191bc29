/* Depthwise convolution from texel buffers. */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_samplerless_texture_functions : require
#include "conv.glsl"

layout (set = 0, binding = 0) uniform textureBuffer x;
layout (set = 0, binding = 1) uniform textureBuffer weights;

#define X(at, n) texelFetch (x, int(push.offset[0] + (at) / 4))
#define WEIGHTS(at) texelFetch (weights, int(push.offset[1] + (at) / 4))
#include "depthwise.glsl"
