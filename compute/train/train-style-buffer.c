/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "train/train-style-private.h"

gsize
ens_style_buffer_count_values (gsize size)
{
  return 1 + ENS_STYLE_BUFFER * size;
}

static float *
get_picture (const EnsStyleBuffer *buffer, guint i)
{
  return buffer->values + 1 + i * buffer->size;
}

static void
copy (const EnsStyleBuffer *buffer, float *to, const float *from)
{
  memcpy (to, from, buffer->size * sizeof *to);
}

void
ens_style_buffer_exchange (EnsStyleBuffer *buffer, const EnsRandomStream *stream,
                           const float *pictures, guint n, float *out)
{
  EnsRandom random;

  ens_random_init (&random, stream);
  for (guint i = 0; i < n; i++, pictures += buffer->size, out += buffer->size) {
    guint n_kept = (guint)buffer->values[0];
    guint place = n_kept < ENS_STYLE_BUFFER ? n_kept : ens_random_below (&random, ENS_STYLE_BUFFER);
    gboolean keep = n_kept < ENS_STYLE_BUFFER || ens_random_chance (&random, 0.5);

    copy (buffer, out, n_kept == ENS_STYLE_BUFFER && keep ? get_picture (buffer, place) : pictures);
    if (keep)
      copy (buffer, get_picture (buffer, place), pictures);
    if (n_kept < ENS_STYLE_BUFFER)
      buffer->values[0] = (float)(n_kept + 1);
  }
}
