/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing how networks and windows are fused. */
#pragma once

#include "train/fit-private.h"

/* What the bundle's settings, as they are at the moment, say of the images that settings are chosen
 * on: n_samples × n_classes each. */
typedef struct {
  EnsFit *fit;
  const EnsMonitor *monitor; /* what is told what; NULL while cross-fitting */
  gsize n_values;
  float *probabilities[ENS_MAX_NETWORKS];
  float *p1, *p2, *p3;   /* P3 of images of the validation split alone … */
  float *without, *with; /* … of the others, `with` is P without windows */
} EnsFitScores;

/* Fill in `probabilities`; p1, p2 and p3, which follow from these; without and with. */
void ens_fit_score_networks (EnsFitScores *scores);
void ens_fit_score_roles (EnsFitScores *scores);
void ens_fit_score_fusion (EnsFitScores *scores);

/* Set all of the bundle's settings that are chosen, by the labels that are known in `seen`, and
 * score. */
void ens_fit_choose_standard (EnsFitScores *scores, const EnsLabels *seen);
void ens_fit_choose_document (EnsFitScores *scores, const EnsLabels *seen);
