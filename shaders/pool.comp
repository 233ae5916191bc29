/* Maximum and mean of windows. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/pool.h"
#include "mathematics.glsl"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint KIND = ENS_POOL_MAX;

READS (0, x)
WRITES (1, y)

/* The window's taps along an axis that lie inside the input (.x to .y), and where its tap 0 lies
 * (.z). */
ivec3
taps_inside (int axis, int position)
{
  int start = position * push.stride[axis] - push.pad[axis];
  int first = start < 0 ? (push.dilation[axis] - 1 - start) / push.dilation[axis] : 0;
  int last = (push.x_size[axis] - 1 - start) / push.dilation[axis];

  return ivec3 (first, min (last, push.kernel[axis] - 1), start);
}

/* Taps inside the padded input along an axis. */
int
count_padded (int axis, int position)
{
  int reach = push.padded[axis] - 1 - position * push.stride[axis];

  return min (reach / push.dilation[axis] + 1, push.kernel[axis]);
}

/* Each invocation computes up to four channels of a pixel. */
void
main ()
{
  uint fours = (push.channels + 3) / 4, index = linear_index ();
  uint pixel = index / fours, channel = index % fours * 4, n = push.channels - channel;
  int rest = int (pixel), px, py, pz;
  vec4 value = vec4 (KIND == ENS_POOL_MAX ? -INFINITE : 0);
  ivec3 tx, ty, tz;

  if (pixel >= push.pixels)
    return;
  px = rest % push.y_size[2];
  rest /= push.y_size[2];
  py = rest % push.y_size[1];
  rest /= push.y_size[1];
  pz = rest % push.y_size[0];
  rest /= push.y_size[0]; /* the image */
  tz = taps_inside (0, pz);
  ty = taps_inside (1, py);
  tx = taps_inside (2, px);
  for (int kz = tz.x; kz <= tz.y; kz++)
    for (int ky = ty.x; ky <= ty.y; ky++)
      for (int kx = tx.x; kx <= tx.y; kx++) {
        int plane = rest * push.x_size[0] + tz.z + kz * push.dilation[0];
        int line = plane * push.x_size[1] + ty.z + ky * push.dilation[1];
        int at = line * push.x_size[2] + tx.z + kx * push.dilation[2];
        vec4 x = x_load4 (uint (at) * push.x_pitch + channel, n, 1);

        value = KIND == ENS_POOL_MAX ? max (value, x) : value + x;
      }
  if (KIND == ENS_POOL_MEAN)
    value /= (tz.y - tz.x + 1) * (ty.y - ty.x + 1) * (tx.y - tx.x + 1);
  else if (KIND == ENS_POOL_MEAN_WITH_PADS)
    value /= count_padded (0, pz) * count_padded (1, py) * count_padded (2, px);
  y_store4 (pixel * push.y_pitch + channel, n, 1, value);
}
