/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hierarchical grouping of regions: the two most similar neighbours become one, again and again. */
#pragma once

#include "vision/regions.h"

/* What makes regions similar. Size and fill together count how small their common box is. */
typedef enum {
  ENS_SIMILARITY_SIZE_FILL,
  ENS_SIMILARITY_COLOUR_SIZE_FILL,
} EnsSimilarity;

/* One region or union of regions of a hierarchy. */
typedef struct {
  EnsBox box;
  guint32 size;     /* pixels */
  guint32 height;   /* merges on the longest path down to a region; 0 for regions themselves */
  float similarity; /* to what it merged with, 0 ... 1; the root's is 0 */
} EnsGroup;

/* A hierarchy, and the memory to make the next one. */
typedef struct _EnsGrouping EnsGrouping;

EnsGrouping *ens_grouping_new (void);
void ens_grouping_free (EnsGrouping *grouping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsGrouping, ens_grouping_free)

/* Groups the regions of an image of `area` pixels. Deterministic: of equally similar pairs the
 * younger merge first. */
void ens_grouping_run (EnsGrouping *grouping, const EnsRegions *regions, guint32 area,
                       EnsSimilarity similarity);

/* The regions first, then the unions in the order they came about, the root last. */
const EnsGroup *ens_grouping_get_groups (const EnsGrouping *grouping, guint *n_groups);
