/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disjoint sets as a forest: each element names its parent, roots name themselves. */
#pragma once

#include <glib.h>

/* Halves the path on the way (Tarjan, van Leeuwen, 1984). */
static inline guint32
ens_forest_find (guint32 *parents, guint32 i)
{
  while (parents[i] != i) {
    parents[i] = parents[parents[i]];
    i = parents[i];
  }
  return i;
}

static inline void
ens_forest_init (guint32 *parents, guint n)
{
  for (guint i = 0; i < n; i++)
    parents[i] = i;
}
