/* One network's linear classifiers and their calibration. */
#pragma once

#include "classify/svm.h"
#include "train/fit-features.h"

typedef struct {
  double c; /* weight of errors; 0 before fitting: choose it by cross validation */
  EnsSvm *svm;
  EnsSvm *window_svm; /* NULL if the network takes no windows */
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
  EnsThreadPool *pool;
  const EnsMonitor *monitor;
} EnsNetworkFit;

/* Trains on the training split, calibrates on the validation split. What can't be calibrated stays
 * the plain sigmoid, and is noted. */
gboolean ens_fit_network (const EnsNetworkFit *fit, EnsFittedNetwork *fitted, GError **error);
