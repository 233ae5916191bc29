/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a style does to pictures, as a page to look at. */
#pragma once

#include "train/style-measure.h"

typedef struct {
  const EnsStyleTraining *params;
  const EnsStyleResult *result;
  const GArray *history; /* EnsLoopEpoch */
  const EnsStyleMeasure *measure;
} ToolStyle;

/* Whether something simpler does as well, in one sentence. (transfer full) */
char *tool_style_judge (const EnsStyleMeasure *measure);

/* Writes one HTML file that needs no other. */
gboolean tool_style_write (const ToolStyle *style, const char *path, GError **error);
