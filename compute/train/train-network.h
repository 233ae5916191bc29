/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: training a residual network from the beginning (M4).
 *
 * A network of networks/residual.h, with random weights to begin with, is trained on a data set's
 * classes as train/classifier.h does, with the regulariser of batch normalisations
 * (train/regulariser.h). The result is an ONNX file that `train` takes as it is; NAME.json beside
 * it says its preprocessing.
 *
 * Source: Wu, Chen, Fan et al., "Tencent ML-Images: A Large-Scale Multi-Label Image Database for
 * Visual Representation Learning", IEEE Access 2019. */
#pragma once

#include "networks/residual.h"
#include "train/classifier.h"
#include "train/regulariser.h"

G_BEGIN_DECLS

/* What batch normalisations' parameters cost, λ_b being `regulariser_share` of the decay. */
typedef enum {
  ENS_NETWORK_REGULARISER_SUM,             /* ½ λ_b Σ θ² */
  ENS_NETWORK_REGULARISER_MEAN,            /* the same effect as a mean: ½ P λ_b · 1/P Σ θ² */
  ENS_NETWORK_REGULARISER_MEAN_AS_WRITTEN, /* λ_b · 1/P Σ θ², which does next to nothing */
  ENS_NETWORK_REGULARISER_OFF,
  ENS_N_NETWORK_REGULARISERS,
} EnsNetworkRegulariser;

/* By value, up to a NULL. */
extern const char *const ens_network_regulariser_names[];

typedef struct {
  EnsRecipeParams recipe;
  EnsResidualParams network; /* n_classes and seed are set from the data set and the recipe */
  EnsNetworkRegulariser regulariser;
  double regulariser_share;
  EnsClassifierAugment augment;
} EnsTrainNetworkParams;

/* The learning rates and decays that the optimisers begin with. */
#define ENS_TRAIN_NETWORK_ADAMW_RATE 3e-3
#define ENS_TRAIN_NETWORK_ADAMW_DECAY 0.02
#define ENS_TRAIN_NETWORK_SGD_RATE 0.025
#define ENS_TRAIN_NETWORK_SGD_DECAY 1e-4

/* All but the network, which ens_residual_find () sets. */
#define ENS_TRAIN_NETWORK_DEFAULTS                                                       \
  ((EnsTrainNetworkParams) {                                                             \
      .recipe = {.batch = 64,                                                            \
                 .loop = {.optimiser = ENS_RECIPE_ADAMW (ENS_TRAIN_NETWORK_ADAMW_DECAY), \
                          .schedule = {ENS_SCHEDULE_COSINE},                             \
                          .rate = ENS_TRAIN_NETWORK_ADAMW_RATE,                          \
                          .n_epochs = 60,                                                \
                          .warm_up_epochs = 3,                                           \
                          .settings = "",                                                \
                          .checkpoint_seconds = 300,                                     \
                          .log_steps = 10,                                               \
                          .samples = "pictures"}},                                       \
      .regulariser_share = 0.1,                                                          \
      .augment = ENS_CLASSIFIER_AUGMENT_NORMAL,                                          \
  })

typedef struct {
  EnsRecipeResult recipe;
  gboolean has_several;                        /* pictures can show several classes */
  EnsClassifierMeasure measures[ENS_N_SPLITS]; /* of validation and test; NaN: not measured */
  gsize n_normalisation;                       /* P, scales and shifts of batch normalisations */
  double regulariser;                          /* λ_b in the regulariser's own form … */
  double regulariser_as_sum;                   /* … and that of the sum with the same effect */
  double scale_norm, shift_norm;               /* root mean squares of scales and of shifts */
} EnsTrainNetworkResult;

/* Trains. Files are as in train/recipe.h. */
gboolean ens_train_network (const EnsTrainNetworkParams *params, EnsDevice *device,
                            const EnsFrameOpener *opener, const EnsMonitor *monitor,
                            EnsTrainNetworkResult *result, GError **error);

G_END_DECLS
