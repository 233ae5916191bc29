/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maximum and mean of windows. With TEXELS, channels and pitch are multiples of four. */
#include "common.glsl"
#include "push/pool.h"
#include "math.glsl"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint KIND = ENS_POOL_MAX;

#ifdef TEXELS
layout (set = 0, binding = 0) uniform textureBuffer x;
#define x_load4(at, n, step) texelFetch (x, int(push.offset[0] + (at) / 4))
#else
READS (0, x)
#endif
WRITES (1, y)

/* Taps of a window along an axis: where the k-th lies, and how many are counted. */
int
place (int axis, int position, int k)
{
  return position * push.stride[axis] - push.pad[axis] + k * push.dilation[axis];
}

int
count (int axis, int position)
{
  int low = KIND == ENS_POOL_MEAN ? 0 : -push.pad[axis];
  int high = KIND == ENS_POOL_MEAN ? push.x_size[axis] : push.padded[axis] - push.pad[axis];
  int n = 0;

  for (int k = 0; k < push.kernel[axis]; k++) {
    int at = place (axis, position, k);

    n += at >= low && at < high ? 1 : 0;
  }
  return n;
}

/* The maximum or the sum of what lies inside the input. Taps outside read the nearest pixel and
 * leave it out: cheaper than to find out which taps to visit, which takes divisions. */
vec4
visit (uint image, ivec3 position, uint channel, uint n)
{
  vec4 value = vec4 (KIND == ENS_POOL_MAX ? -INFINITE : 0);
  ivec3 size = ivec3 (push.x_size[0], push.x_size[1], push.x_size[2]);

  for (int kz = 0; kz < push.kernel[0]; kz++)
    for (int ky = 0; ky < push.kernel[1]; ky++)
      for (int kx = 0; kx < push.kernel[2]; kx++) {
        ivec3 at = ivec3 (place (0, position.x, kz), place (1, position.y, ky),
                          place (2, position.z, kx));
        ivec3 near = clamp (at, ivec3 (0), size - 1);
        int pixel = ((int(image) * size.x + near.x) * size.y + near.y) * size.z + near.z;
        vec4 next = x_load4 (uint (pixel) * push.x_pitch + channel, n, 1);
        vec4 taken = KIND == ENS_POOL_MAX ? max (value, next) : value + next;

        value = at == near ? taken : value;
      }
  return value;
}

/* A row of the output is spread over workgroups along x, rows along y, and planes of all images
 * along z. Each invocation computes up to four channels of a pixel. */
void
main ()
{
  uvec2 at = divide (gl_GlobalInvocationID.x, (push.channels + 3) / 4);
  uvec2 plane = divide (gl_WorkGroupID.z, uint (push.y_size[0]));
  uint row = gl_WorkGroupID.z * push.y_size[1] + gl_WorkGroupID.y;
  uint channel = at.y * 4, n = push.channels - channel;
  ivec3 position = ivec3 (plane.y, gl_WorkGroupID.y, at.x); /* z, y, x */
  vec4 value;

  if (position.z >= push.y_size[2])
    return;
  value = visit (plane.x, position, channel, n);
  if (KIND != ENS_POOL_MAX)
    value /= count (0, position.x) * count (1, position.y) * count (2, position.z);
  y_store4 ((row * push.y_size[2] + at.x) * push.y_pitch + channel, n, 1, value);
}
