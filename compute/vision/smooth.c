/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/smooth.h"

#include "base/simd.h"

#define RADIUS 2

/* exp (-x² / 2σ²) for x = 0, 1, 2, in 64ths of their sum. */
enum { WEIGHT_0 = 32, WEIGHT_1 = 15, WEIGHT_2 = 1, SHIFT = 6 };

ENS_INLINE gint16
weigh (gint32 centre, gint32 near, gint32 far)
{
  return (gint16)((WEIGHT_0 * centre + WEIGHT_1 * near + WEIGHT_2 * far + (1 << (SHIFT - 1)))
                  >> SHIFT);
}

/* rows: the five around this one. */
ENS_CLONES static void
smooth_down (const gint16 *const rows[5], guint width, gint16 *restrict out)
{
  const gint16 *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3], *e = rows[4];

  for (gsize x = 0; x < width; x++)
    out[x] = weigh (c[x], b[x] + d[x], a[x] + e[x]);
}

/* in has RADIUS more pixels on each side. */
ENS_CLONES static void
smooth_along (const gint16 *in, guint width, gint16 *restrict out)
{
  for (gsize x = 0; x < width; x++)
    out[x] = weigh (in[x + 2], in[x + 1] + in[x + 3], in[x] + in[x + 4]);
}

void
ens_smooth (const gint16 *plane, guint width, guint height, gint16 *smoothed)
{
  g_autofree gint16 *padded = g_new (gint16, width + 2 * RADIUS);
  gint16 *row = padded + RADIUS;

  for (guint y = 0; y < height; y++) {
    const gint16 *rows[5];

    for (gint i = 0; i < 5; i++)
      rows[i] = plane + (gsize)CLAMP ((gint)y + i - RADIUS, 0, (gint)height - 1) * width;
    smooth_down (rows, width, row);
    for (guint i = 0; i < RADIUS; i++) {
      padded[i] = row[0];
      row[width + i] = row[width - 1];
    }
    smooth_along (padded, width, smoothed + (gsize)y * width);
  }
}
