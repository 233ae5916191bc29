/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From groups of several hierarchies to a list of windows, the likeliest objects first. */
#pragma once

#include "vision/grouping.h"
#include "vision/selective-search.h"

/* The windows of one image, and the memory for the next one's. */
typedef struct _EnsRanking EnsRanking;

EnsRanking *ens_ranking_new (void);
void ens_ranking_free (EnsRanking *ranking);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsRanking, ens_ranking_free)

/* Forgets the groups added so far. */
void ens_ranking_clear (EnsRanking *ranking);
/* Adds one hierarchy. The order of hierarchies decides between equals. */
void ens_ranking_add (EnsRanking *ranking, const EnsGroup *groups, guint n_groups);
/* Ranks what was added; boxes lie in an image of width × height pixels. At most max_windows
 * windows, no two of which overlap by more than 0.8 (intersection over union), best first; they
 * belong to the ranking. */
const EnsWindow *ens_ranking_run (EnsRanking *ranking, guint width, guint height, guint max_windows,
                                  EnsThreadPool *pool, guint *n_windows);
