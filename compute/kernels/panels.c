/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kernels/conv-method.h"

/* Values of a column that are taken at once: a cache line. */
#define BLOCK 16

gsize
ens_panels_size (const EnsKernels *kernels, guint columns, gsize depth)
{
  return ens_round_up (columns, kernels->lanes) * depth;
}

guint
ens_panel_width (const EnsKernels *kernels, guint columns)
{
  return columns <= kernels->lanes ? kernels->lanes : 2 * kernels->lanes;
}

/* A row's columns lie side by side. */
static void
pack_rows (const EnsPanelSource *source, guint width, float *packed)
{
  const float *from = source->from;

  for (gsize k = 0; k < source->depth; k++, from += source->k_pitch, packed += width) {
    memcpy (packed, from, source->columns * sizeof *packed);
    memset (packed + source->columns, 0, (width - source->columns) * sizeof *packed);
  }
}

static void
pack_block (const EnsPanelSource *source, gsize first, gsize n, guint width, float *packed)
{
  const float *block = source->from + (gssize)first * source->k_pitch;

  packed += first * width;
  for (guint j = 0; j < source->columns; j++) {
    const float *from = block + j * source->column_pitch;

    for (gsize k = 0; k < n; k++)
      packed[k * width + j] = from[(gssize)k * source->k_pitch];
  }
  for (gsize k = 0; k < n && source->columns < width; k++)
    memset (packed + k * width + source->columns, 0, (width - source->columns) * sizeof *packed);
}

void
ens_panel_pack (const EnsPanelSource *source, guint width, float *packed)
{
  if (source->column_pitch == 1) {
    pack_rows (source, width, packed);
    return;
  }
  for (gsize k = 0; k < source->depth; k += BLOCK)
    pack_block (source, k, MIN (source->depth - k, BLOCK), width, packed);
}
