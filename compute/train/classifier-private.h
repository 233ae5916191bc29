/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples of a classifier's training. */
#pragma once

#include "train/classifier.h"
#include "train/dense-map.h"

/* The order of a sample's tensors and of the training graph's inputs. */
enum {
  ENS_CLASSIFIER_PIXELS,
  ENS_CLASSIFIER_TARGETS,
  ENS_CLASSIFIER_WEIGHTS,
  ENS_CLASSIFIER_N_INPUTS
};

/* Of one split. Its address stays what it is while a loader reads it. */
typedef struct {
  const EnsClassifierParams *params;
  const EnsFrameOpener *opener;
  const GPtrArray *images; /* EnsDatasetItem */
  guint n_classes, batch;
  gboolean is_training; /* else nothing is random */
  gboolean has_boxes;
  guint exchange;  /* of colour channels, one of ENS_N_EXCHANGES, from 1; 0: at random */
  EnsDenseMap map; /* of one position, which is the whole sample */
} EnsClassifierSamples;

void ens_classifier_samples_init (EnsClassifierSamples *samples, const EnsClassifierParams *params,
                                  const EnsDataset *dataset, EnsSplit split,
                                  const EnsFrameOpener *opener, guint batch);
/* Of samples that are not for training the last batch is filled with the first ones again. */
EnsLoaderSource ens_classifier_samples_get_source (EnsClassifierSamples *samples);
