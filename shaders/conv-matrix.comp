/* Convolution by cooperative matrices.
 *
 * Not run so far: neither the project's own machines nor software devices have such matrices. What
 * its tests see of it is its SPIR-V (tests/shaders) and everything around the matrices: tiling, loads
 * and what follows the product are conv.comp's, which runs everywhere. */
#version 450
#extension GL_GOOGLE_include_directive : require
#define COOPERATIVE
#include "conv-tile.glsl"
