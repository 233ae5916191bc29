/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Means, or maxima, of samples of regions; see compute/ops/roi-align.c. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/roi-align.h"
#include "math.glsl"

layout (local_size_x = 128) in;
layout (constant_id = 0) const bool MAXIMUM = false;
layout (constant_id = 1) const bool AT_LEAST_ONE = false; /* pixel of a region, as opset 10 has it */

READS (0, x)
READS (1, regions)
layout (set = 0, binding = 2) readonly buffer Images
{
  int images[];
};
WRITES (3, y)

/* One axis of an element. */
struct Span {
  float start, step; /* of the element; of its samples */
  int samples, side;
};

/* Regions without end have no samples. */
Span
find_span (uint region, uint axis, int element)
{
  int n = push.y_size[axis];
  float start = regions_load (4 * region + 1 - axis) * push.scale - push.shift;
  float extent = regions_load (4 * region + 3 - axis) * push.scale - push.shift - start, step;
  Span span;

  if (AT_LEAST_ONE)
    extent = max (extent, 1);
  step = extent / float (n);
  span.side = push.x_size[axis];
  span.samples = push.samples;
  if (span.samples == 0)
    span.samples = int (clamp (ceil (step), 0, ENS_ROI_ALIGN_SAMPLES));
  if (!(abs (step) < 1e38) || !(abs (start) < 1e38))
    span.samples = 0;
  span.start = start + float (element) * step;
  span.step = step / float (max (span.samples, 1));
  return span;
}

float
locate (Span span, int i)
{
  return span.start + (float (i) + 0.5) * span.step;
}

bool
is_inside (Span span, float at)
{
  return at >= -1 && at <= float (span.side);
}

/* The first sample that may lie within the map, and the one behind the last. */
ivec2
find_range (Span span)
{
  float ends[2] = float[] ((-1 - span.start) / span.step - 0.5,
                           (float (span.side) - span.start) / span.step - 0.5);
  float limit = float (span.samples);

  if (span.step == 0)
    return ivec2 (0, span.samples);
  return ivec2 (clamp (min (ends[0], ends[1]) - 2, 0, limit),
                clamp (max (ends[0], ends[1]) + 3, 0, limit));
}

/* The neighbour before, and how far behind it the sample lies. */
float
split (Span span, float at, out ivec2 neighbours)
{
  at = clamp (at, 0, float (span.side - 1));
  neighbours.x = int (at);
  neighbours.y = min (neighbours.x + 1, span.side - 1);
  return at - float (neighbours.x);
}

float
load (int image, int row, int column, uint channel)
{
  return x_load (uint ((image * push.x_size[0] + row) * push.x_size[1] + column) * push.x_pitch
                 + channel);
}

float
take_sample (int image, Span down, float row, Span across, float column, uint channel)
{
  ivec2 rows, columns;
  float v = split (down, row, rows), u = split (across, column, columns);
  vec4 values = vec4 (load (image, rows.x, columns.x, channel) * ((1 - v) * (1 - u)),
                      load (image, rows.x, columns.y, channel) * ((1 - v) * u),
                      load (image, rows.y, columns.x, channel) * (v * (1 - u)),
                      load (image, rows.y, columns.y, channel) * (v * u));

  if (MAXIMUM)
    return max (max (values.x, values.y), max (values.z, values.w));
  return values.x + values.y + (values.z + values.w);
}

float
pool_element (int image, Span down, Span across, uint channel)
{
  ivec2 rows = find_range (down), columns = find_range (across);
  float sum = 0, largest = -INFINITE, all = float (down.samples) * float (across.samples);
  int n = 0;

  for (int i = rows.x; i < rows.y; i++) {
    float row = locate (down, i);

    for (int j = columns.x; j < columns.y; j++) {
      float column = locate (across, j);

      if (is_inside (down, row) && is_inside (across, column)) {
        float value = take_sample (image, down, row, across, column, channel);

        sum += value;
        largest = max (largest, value);
        n++;
      }
    }
  }
  if (!MAXIMUM)
    return sum / max (all, 1);
  return n > 0 && float (n) == all ? largest : max (largest, 0);
}

void
main ()
{
  uint i = linear_index ();
  uvec2 pixel = divide (i, push.channels), line = divide (pixel.x, uint (push.y_size[1]));
  uvec2 region = divide (line.x, uint (push.y_size[0]));

  if (i < push.n) {
    int image = images[push.offset[2] + region.x];
    float value = 0;

    if (image >= 0 && image < push.n_images)
      value = pool_element (image, find_span (region.x, 0, int (region.y)),
                            find_span (region.x, 1, int (line.y)), pixel.y);
    y_store (i, value);
  }
}
