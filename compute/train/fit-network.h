/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One network's classifiers, and what they say of the images that settings are chosen on. */
#pragma once

#include "train/fit-features.h"
#include "train/fit.h"
#include "train/heads.h"

/* The images that settings are chosen on: those of the training split, unless the method leaves
 * them out, and then those of the validation split. */
typedef struct {
  EnsLabels truth; /* its labels are owned */
  guint first_validation;
  guint *fold; /* classify/folds.h */
} EnsFitImages;

void ens_fit_images_init (EnsFitImages *images, const EnsFitFeatures *features,
                          EnsFitMethod method);
void ens_fit_images_clear (EnsFitImages *images);

typedef struct {
  double options[ENS_HEAD_MAX_OPTIONS]; /* of the head; set before fitting */
  EnsHeadGraphs graphs;
  /* Of the images that settings are chosen on, by classifiers that were trained without them. */
  float *decisions;
  /* The same of all windows of the validation split's images, those of image i in rows
   * window_first[i] … window_first[i + 1] - 1. */
  float *window_decisions;
  guint *window_first;
} EnsFittedNetwork;

void ens_fitted_network_clear (EnsFittedNetwork *fitted);

typedef struct {
  EnsFitFeatures *features;
  const EnsFitImages *images;
  const EnsBundle *bundle; /* the same that the features are for */
  guint index;             /* of the network in it */
  EnsFitMethod method;
  const EnsHead *head;
  EnsThreadPool *pool;
  const EnsMonitor *monitor;
} EnsNetworkFit;

/* ENS_FIT_STANDARD: classifiers of whole images are trained on all images, and cross-fitted for
 * their decisions; those of windows on the training split. ENS_FIT_DOCUMENT: one set of classifiers
 * for both, trained on the training split. */
gboolean ens_fit_network (const EnsNetworkFit *fit, EnsFittedNetwork *fitted, GError **error);
