/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: training a classifier that sees contours, too (M3.2).
 *
 * A classifier's network, such as one of ImageNet, is cut off behind a map; a contour network that
 * ens_contour_train () wrote looks at the same pictures; a head classifies what both see
 * (networks/fused.h). Head and backbone learn, or one of them (train/classifier.h). The contour
 * network never does: neither weights nor statistics of its batch normalisation change, and before
 * the result is kept its weights are compared, bit for bit.
 *
 * The result is one ONNX file with one input, which `train` takes as it is; NAME.json beside it
 * says its preprocessing and its feature layers: what the fusion made last, and the logits.
 *
 * Source: Neural network training method and device for extracting multi-level image contour
 * information, CN113298092B. */
#pragma once

#include "networks/fused.h"
#include "train/classifier.h"

G_BEGIN_DECLS

typedef enum {
  ENS_FUSED_UPDATE_BOTH,
  ENS_FUSED_UPDATE_HEAD,
  ENS_FUSED_UPDATE_BACKBONE, /* the head stays as it was drawn */
  ENS_N_FUSED_UPDATES,
} EnsFusedUpdate;

/* By value, up to a NULL. */
extern const char *const ens_fused_update_names[];

/* ENS_TRAIN_FUSED_DEFAULTS sets what has a default; the others have to be set. */
typedef struct {
  EnsRecipeParams recipe;
  const char *backbone, *contour; /* ONNX files */
  EnsNormalise normalise;         /* of the backbone's pictures */
  EnsFusedParams network; /* graphs, normalisations, classes and seed are set from the above; size:
                           * 0 for what the backbone's file says */
  EnsFusedUpdate update;
  double backbone_factor; /* the backbone's learning rate is so many times the head's */
  EnsClassifierAugment augment;
} EnsTrainFusedParams;

#define ENS_TRAIN_FUSED_DEFAULTS                              \
  ((EnsTrainFusedParams) {                                    \
      .recipe = {.batch = 16,                                 \
                 .loop = {.optimiser = ENS_RECIPE_SGD (5e-4), \
                          .schedule = {ENS_SCHEDULE_COSINE},  \
                          .rate = 1e-2,                       \
                          .n_epochs = 10,                     \
                          .warm_up_epochs = 0.5,              \
                          .settings = "",                     \
                          .checkpoint_seconds = 300,          \
                          .log_steps = 10,                    \
                          .samples = "pictures"}},            \
      .network = ENS_FUSED_DEFAULTS,                          \
      .backbone_factor = 0.1,                                 \
      .augment = ENS_CLASSIFIER_AUGMENT_FULL,                 \
  })

typedef struct {
  EnsRecipeResult recipe;
  gboolean has_several; /* classes in a picture, or none */
  /* By split; NaN where there are no pictures, and of those for training. */
  EnsClassifierMeasure measures[ENS_N_SPLITS];
  /* The mean over the five exchanges of the pictures' colour channels, of the test split, or of the
   * validation split where there are no pictures for a test. */
  EnsClassifierMeasure exchanged;
  EnsSplit exchanged_split;
} EnsTrainFusedResult;

/* Trains, measures, and writes the files. Errors as those of ens_loop_run (), and those that name
 * the network's node, the data set's file or the option. */
gboolean ens_train_fused (const EnsTrainFusedParams *params, EnsDevice *device,
                          const EnsFrameOpener *opener, const EnsMonitor *monitor,
                          EnsTrainFusedResult *result, GError **error);

G_END_DECLS
