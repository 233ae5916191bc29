/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/extent.h"

/* Fewer windows than this, and numbers of them between its multiples, are not worth their plans. */
#define WINDOW_STEP 8

/* Of so many due frames one is analysed in the end. */
#define MAX_FRAMES 16

/* FALSE if there is nothing left to cut. */
static gboolean
cut_once (EnsExtent *extent)
{
  if (extent->windows > 0)
    extent->windows = extent->windows / 2 / WINDOW_STEP * WINDOW_STEP;
  else if (extent->sub_images > 1)
    extent->sub_images /= 2;
  else if (extent->scales > 1)
    extent->scales--;
  else if (extent->frames < MAX_FRAMES)
    extent->frames *= 2;
  else
    return FALSE;
  return TRUE;
}

guint
ens_extent_count_levels (const EnsExtent *all)
{
  EnsExtent extent = *all;
  guint n = 0;

  while (cut_once (&extent))
    n++;
  return n;
}

EnsExtent
ens_extent_cut (const EnsExtent *all, guint level)
{
  EnsExtent extent = *all;

  for (guint i = 0; i < level && cut_once (&extent); i++)
    continue;
  return extent;
}
