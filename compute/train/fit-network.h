/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One network's head and its calibration. */
#pragma once

#include "train/fit-features.h"
#include "train/heads.h"

typedef struct {
  double options[ENS_HEAD_MAX_OPTIONS]; /* of the head; set before fitting */
  EnsHeadGraphs graphs;
  /* On the validation split: probabilities of whole images, and decision values of all their
   * windows, those of image i in rows window_first[i] … window_first[i + 1] - 1. */
  float *probabilities;
  float *window_decisions;
  guint *window_first;
} EnsFittedNetwork;

void ens_fitted_network_clear (EnsFittedNetwork *fitted);

typedef struct {
  EnsFitFeatures *features;
  EnsBundle *bundle; /* the same that the features are for */
  guint index;       /* of the network in it, whose calibrations are set */
  const EnsHead *head;
  EnsThreadPool *pool;
  const EnsMonitor *monitor;
} EnsNetworkFit;

/* Trains on the training split, calibrates on the validation split. What can't be calibrated stays
 * the plain sigmoid, and is noted. */
gboolean ens_fit_network (const EnsNetworkFit *fit, EnsFittedNetwork *fitted, GError **error);
