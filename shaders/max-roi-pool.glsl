/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which part of a map an element of MaxRoiPool's output covers; see compute/ops/max-roi-pool.c. */

int
read_coordinate (uint at)
{
  const float reach = ENS_MAX_ROI_POOL_REACH;
  float value = regions_load (at) * push.scale, whole;

  if (!(value > -reach))
    return -ENS_MAX_ROI_POOL_REACH;
  if (!(value < reach))
    return ENS_MAX_ROI_POOL_REACH;
  whole = floor (abs (value));
  if (abs (value) - whole >= 0.5)
    whole += 1;
  return int (value < 0 ? -whole : whole);
}

/* -1: there is none. */
int
read_image (uint region)
{
  float image = regions_load (5 * region);

  return image >= 0 && image < push.images ? int (image) : -1;
}

/* First row and column, and those behind the last. */
ivec4
find_bin (uint region, ivec2 place)
{
  ivec2 start = ivec2 (read_coordinate (5 * region + 2), read_coordinate (5 * region + 1));
  ivec2 last = ivec2 (read_coordinate (5 * region + 4), read_coordinate (5 * region + 3));
  ivec2 size = ivec2 (push.y_size[0], push.y_size[1]), length = max (last - start + 1, 1);
  ivec2 side = ivec2 (push.x_size[0], push.x_size[1]);

  return ivec4 (clamp (start + place * length / size, ivec2 (0), side),
                clamp (start + ((place + 1) * length + size - 1) / size, ivec2 (0), side));
}

uint
element_at (int image, ivec2 at, uint channel)
{
  return uint ((image * push.x_size[0] + at.x) * push.x_size[1] + at.y) * push.x_pitch + channel;
}
