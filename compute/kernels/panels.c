/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/conv-method.h"

gsize
ens_panels_size (const EnsKernels *kernels, guint columns, gsize depth)
{
  return ens_round_up (columns, kernels->lanes) * depth;
}

void
ens_panels_pack (const EnsKernels *kernels, const EnsPanelSource *source, float *packed)
{
  const guint panel = 2 * kernels->lanes;

  for (guint first = 0; first < source->columns; first += panel) {
    guint columns = MIN (source->columns - first, panel);
    guint width = columns <= kernels->lanes ? kernels->lanes : panel;
    const float *from = source->from + first * source->column_pitch;

    for (gsize k = 0; k < source->depth; k++, from += source->k_pitch, packed += width)
      for (guint j = 0; j < width; j++)
        packed[j] = j < columns ? from[j * source->column_pitch] : 0;
  }
}
