/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What “retrain” has done, as a page to look at. */
#pragma once

#include "train/evaluate.h"
#include "train/loop-history.h"
#include "train/retrain-maps.h"
#include "train/retrain.h"

typedef struct {
  const EnsRetrainParams *params;
  const EnsRetrainResult *result;
  GArray *history; /* EnsLoopEpoch */
  GPtrArray *maps; /* EnsRetrainMap */
} ToolRetraining;

/* Writes one HTML file that needs no other; pictures are read again through `opener`. */
gboolean tool_retraining_write (const ToolRetraining *retraining, const EnsFrameOpener *opener,
                                const char *path, GError **error);
