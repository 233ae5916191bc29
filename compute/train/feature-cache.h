/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The folder that feature stores are kept in, with its parts (train/features.h), pruned by size. */
#pragma once

#include "base/error.h"

/* What a cache may hold, in bytes, where nobody has set it. */
#define ENS_FEATURE_CACHE_LIMIT ((gint64)8 << 30)

typedef struct {
  guint n;      /* files */
  guint64 size; /* bytes */
} EnsFeatureCachePruned;

/* Removes stores until all that are left have at most `limit` bytes, those first that were opened
 * the longest ago. A store that is open, in this process or another one, stays and counts, and so
 * does a file that can't be removed. A folder that doesn't exist holds nothing. Other files are
 * ignored. */
EnsFeatureCachePruned ens_feature_cache_prune (const char *folder, guint64 limit);
