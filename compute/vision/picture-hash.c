/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/picture-hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE ENS_PICTURE_HASH_SIDE
#define PIXELS ENS_PICTURE_HASH_PIXELS

/* Frequencies along each axis that the hash takes. */
#define FREQUENCIES 8

void
ens_picture_hash_shrink (const EnsFrame *frame, EnsThreadPool *pool, float *pixels)
{
  static const EnsNormalise luma = {ENS_ORDER_GRAY, {0}, {1}};
  const EnsRect whole = ENS_RECT_WHOLE;

  ens_frame_resize (frame, &whole, 1, SIDE, SIDE, &luma, pool, pixels);
}

/* The lowest frequencies of the discrete cosine transform (type II), without its scale: columns by
 * rows. */
static void
transform (const float *pixels, float *out)
{
  float cosines[FREQUENCIES][SIDE], rows[SIDE][FREQUENCIES] = {{0}};

  for (guint f = 0; f < FREQUENCIES; f++)
    for (guint i = 0; i < SIDE; i++)
      cosines[f][i] = (float)cos (G_PI * f * (2 * i + 1) / (2 * SIDE));
  for (guint y = 0; y < SIDE; y++)
    for (guint f = 0; f < FREQUENCIES; f++)
      for (guint x = 0; x < SIDE; x++)
        rows[y][f] += cosines[f][x] * pixels[y * SIDE + x];
  for (guint v = 0; v < FREQUENCIES; v++)
    for (guint u = 0; u < FREQUENCIES; u++) {
      out[v * FREQUENCIES + u] = 0;
      for (guint y = 0; y < SIDE; y++)
        out[v * FREQUENCIES + u] += cosines[v][y] * rows[y][u];
    }
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  return *(const float *)a < *(const float *)b ? -1 : *(const float *)a > *(const float *)b;
}

/* A bit for each frequency above the median; the mean brightness, frequency 0, is none of them. */
static guint64
binarise (const float *spectrum)
{
  const guint n = FREQUENCIES * FREQUENCIES - 1;
  float sorted[FREQUENCIES * FREQUENCIES - 1];
  guint64 bits = 0;

  memcpy (sorted, spectrum + 1, sizeof sorted);
  qsort (sorted, n, sizeof *sorted, compare_floats);
  for (guint i = 1; i <= n; i++)
    bits |= (guint64)(spectrum[i] > sorted[n / 2]) << i;
  return bits;
}

void
ens_picture_hash_init (EnsPictureHash *hash, const float *pixels)
{
  float spectrum[FREQUENCIES * FREQUENCIES];
  double mean = 0, square = 0;
  float scale;

  transform (pixels, spectrum);
  hash->bits = binarise (spectrum);
  for (guint i = 1; i < G_N_ELEMENTS (spectrum); i += 2)
    spectrum[i] = -spectrum[i]; /* odd waves along x change their sign in a mirror */
  hash->mirrored = binarise (spectrum);

  for (guint i = 0; i < PIXELS; i++)
    mean += (double)pixels[i] / PIXELS;
  for (guint i = 0; i < PIXELS; i++)
    square += (pixels[i] - mean) * (pixels[i] - mean);
  scale = square > PIXELS ? (float)(1 / sqrt (square)) : 0; /* less than a grey level is noise */
  for (guint i = 0; i < PIXELS; i++)
    hash->pixels[i] = scale * (float)(pixels[i] - mean);
}

static guint
count_bits (guint64 bits)
{
  return (guint)__builtin_popcountll (bits);
}

static gboolean
correlate (const EnsPictureHash *a, const EnsPictureHash *b, gboolean mirrored)
{
  float sum = 0;

  for (guint y = 0; y < SIDE; y++)
    for (guint x = 0; x < SIDE; x++)
      sum += a->pixels[y * SIDE + x] * b->pixels[y * SIDE + (mirrored ? SIDE - 1 - x : x)];
  return sum >= ENS_NEAR_COPY_CORRELATION;
}

gboolean
ens_picture_hash_match (const EnsPictureHash *a, const EnsPictureHash *b)
{
  return (count_bits (a->bits ^ b->bits) <= ENS_NEAR_COPY_BITS && correlate (a, b, FALSE))
         || (count_bits (a->mirrored ^ b->bits) <= ENS_NEAR_COPY_BITS && correlate (a, b, TRUE));
}
