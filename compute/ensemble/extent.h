/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of a frame is looked at: what a budget bounds and what load cuts. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint windows;    /* region proposals; 0: none */
  guint sub_images; /* tiles; 1: the frame is not divided */
  guint scales;     /* of each network at most, the smallest ones; at least 1 */
  guint frames;     /* one of so many due frames is analysed; at least 1 */
} EnsExtent;

/* Under load windows are halved until there are none, then sub-images until the frame is one, then
 * scales go one by one, then every other frame: level by level. */
EnsExtent ens_extent_cut (const EnsExtent *all, guint level);
/* The level from which on nothing more is cut. */
guint ens_extent_count_levels (const EnsExtent *all);

G_END_DECLS
