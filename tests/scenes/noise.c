/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "noise.h"

#include <math.h>

/* C. Wellons' "lowbias32" integer hash. */
static guint32
scramble (guint32 x)
{
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

double
noise_hash (guint32 seed, int x, int y)
{
  return scramble (seed + scramble ((guint32)x + scramble ((guint32)y))) / 4294967296.0;
}

double
noise_value (guint32 seed, double x, double y)
{
  int column = (int)floor (x), row = (int)floor (y);
  double fx = x - column, fy = y - row, top, bottom;

  fx *= fx * (3 - 2 * fx);
  fy *= fy * (3 - 2 * fy);
  top = noise_hash (seed, column, row) * (1 - fx) + noise_hash (seed, column + 1, row) * fx;
  bottom =
      noise_hash (seed, column, row + 1) * (1 - fx) + noise_hash (seed, column + 1, row + 1) * fx;
  return top * (1 - fy) + bottom * fy;
}

double
noise_fractal (guint32 seed, double x, double y, guint octaves)
{
  double sum = 0, strength = 1, total = 0;

  for (guint i = 0; i < octaves; i++) {
    sum += strength * noise_value (seed + i, x, y);
    total += strength;
    strength *= 0.5;
    x *= 2;
    y *= 2;
  }
  return sum / total;
}

NoiseCell
noise_cell (guint32 seed, double x, double y)
{
  int column = (int)floor (x), row = (int)floor (y);
  double first = 9, second = 9;
  NoiseCell cell = {0};

  for (int j = row - 1; j <= row + 1; j++) {
    for (int i = column - 1; i <= column + 1; i++) {
      double dx = i + noise_hash (seed, i, j) - x, dy = j + noise_hash (seed + 1, i, j) - y;
      double distance = dx * dx + dy * dy;

      if (distance < first) {
        second = first;
        first = distance;
        cell.id = noise_hash (seed + 2, i, j);
      } else if (distance < second) {
        second = distance;
      }
    }
  }
  cell.edge = sqrt (second) - sqrt (first);
  return cell;
}

double
noise_step (double from, double to, double value)
{
  double t = CLAMP ((value - from) / (to - from), 0, 1);

  return t * t * (3 - 2 * t);
}
