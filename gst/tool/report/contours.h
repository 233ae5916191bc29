/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How good a contour network is, as a page to look at. */
#pragma once

#include "train/contour-evaluate.h"
#include "train/train-contour.h"

typedef struct {
  const EnsContourTraining *params;
  const EnsRecipeResult *result; /* NULL, and history too: it was trained before */
  const GArray *history;         /* EnsLoopEpoch */
  const EnsContourEvaluation *evaluation;
} ToolContours;

/* “network”, “Canny” …, by method. */
extern const char *const tool_contour_method_names[ENS_N_CONTOUR_METHODS];

/* Writes one HTML file that needs no other; photographs are read again through `opener`. */
gboolean tool_contours_write (const ToolContours *contours, const EnsFrameOpener *opener,
                              const char *path, GError **error);
