/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preprocessing: rectangles of a frame, resized by a triangle filter and normalised, as
 * compute/vision/crop-resize.c does, with the same filter positions. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/preprocess.h"

layout (local_size_x = 64) in;

/* Bytes, four to a word. */
layout (set = 0, binding = 0) readonly restrict buffer Frame
{
  uint frame[];
};
layout (set = 0, binding = 1) readonly restrict buffer Table
{
  uint table[];
};
WRITES (2, y)

/* The samples that one output takes along one axis. */
struct Taps {
  uint n, first;
  float distance; /* of the first one's centre from the output's */
  float slope;    /* of the triangle */
  float total;    /* of all weights */
};

uint
word (uint at)
{
  return table[push.offset[1] + at];
}

float
number (uint at)
{
  return uintBitsToFloat (word (at));
}

float
weigh (Taps taps, uint tap)
{
  return max (0, 1 - abs (taps.distance + float(tap)) * taps.slope);
}

Taps
get_taps (uint axis, uint number_of_output)
{
  uint place = axis + ENS_PREPROCESS_AXIS_WORDS + number_of_output * ENS_PREPROCESS_OUTPUT_WORDS;
  Taps taps = Taps (word (axis), word (place), number (place + 1), number (axis + 1), 0);

  for (uint tap = 0; tap < taps.n; tap++)
    taps.total += weigh (taps, tap);
  return taps;
}

float
load_sample (uint component, uint x, uint y)
{
  uint place = component * ENS_PREPROCESS_COMPONENT_WORDS;
  uint at = push.offset[0] + word (place) + x * word (place + 1) + y * word (place + 2);

  return float(bitfieldExtract (frame[at / 4], int(at % 4) * 8, 8));
}

/* Components [first, end) at one output; the others are 0. */
vec3
filter_components (Taps x, Taps y, uint first, uint end)
{
  vec3 sum = vec3 (0);

  for (uint j = 0; j < y.n; j++) {
    float row = weigh (y, j);

    for (uint i = 0; i < x.n; i++) {
      float weight = row * weigh (x, i);

      for (uint c = first; c < end; c++)
        sum[c] += weight * load_sample (c, x.first + i, y.first + j);
    }
  }
  return sum / (x.total * y.total);
}

float
map (uint channel, vec3 components)
{
  uint at = ENS_PREPROCESS_CHANNELS + channel * ENS_PREPROCESS_CHANNEL_WORDS;
  vec3 weights = vec3 (number (at), number (at + 1), number (at + 2));
  float value = clamp (dot (weights, components) + number (at + 3), 0, 255);

  return (value - number (at + 4)) * number (at + 5);
}

/* Each invocation computes a pixel of the picture that its workgroup's y says. */
void
main ()
{
  uint pixel = gl_GlobalInvocationID.x, picture = gl_WorkGroupID.y;
  uint n_pixels = push.width * push.height;
  uvec2 at = divide (pixel, push.width); /* y, x */
  uint x_words = ENS_PREPROCESS_AXIS_WORDS + push.width * ENS_PREPROCESS_OUTPUT_WORDS;
  uint y_words = ENS_PREPROCESS_AXIS_WORDS + push.height * ENS_PREPROCESS_OUTPUT_WORDS;
  uint n_grids = push.components[1] > 0 ? 2 : 1, first = 0;
  vec3 components = vec3 (0);

  if (pixel >= n_pixels)
    return;
  for (uint grid = 0; grid < n_grids; grid++) {
    uint axes = ENS_PREPROCESS_AXES + (picture * n_grids + grid) * (x_words + y_words);
    Taps x = get_taps (axes, at.y), y = get_taps (axes + x_words, at.x);

    components += filter_components (x, y, first, first + push.components[grid]);
    first += push.components[grid];
  }
  for (uint channel = 0; channel < push.channels; channel++)
    y_store ((picture * n_pixels + pixel) * push.channels + channel, map (channel, components));
}
