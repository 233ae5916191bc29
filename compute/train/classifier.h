/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: training a classifier's graph on labelled pictures, for the recipes that build one.
 *
 * Where every picture shows one class the loss is the cross entropy of the logits' softmax; where
 * pictures can show several classes or none, the mean binary cross entropy of their sigmoids, and a
 * class's target in data sets with boxes is the share of its object that the sample shows
 * (train/coverage.h). Samples of training pictures are drawn at random (vision/augment.h): a region
 * of random area and aspect ratio, resized to the network's size, and what the options have
 * besides. Where there are boxes half of the samples show an object and a little of what is around
 * it, as region proposals do. Pictures are measured on the square of 0.875 of the shorter side in
 * their middle, those with boxes as a whole.
 *
 * Source of the sampling: Wu, Chen, Fan et al., "Tencent ML-Images", IEEE Access 2019. */
#pragma once

#include "engine/device.h"
#include "train/recipe.h"
#include "vision/augment.h"
#include "vision/frame-source.h"

G_BEGIN_DECLS

/* Ready-made sets of random changes. */
typedef enum {
  ENS_CLASSIFIER_AUGMENT_NONE,   /* what pictures are measured on */
  ENS_CLASSIFIER_AUGMENT_CROP,   /* regions, flip */
  ENS_CLASSIFIER_AUGMENT_NORMAL, /* those, rotation, colours */
  ENS_CLASSIFIER_AUGMENT_FULL,   /* all of ENS_AUGMENT_DEFAULTS */
  ENS_N_CLASSIFIER_AUGMENTS,
} EnsClassifierAugment;

/* By value, up to a NULL. */
extern const char *const ens_classifier_augment_names[];

typedef struct {
  const EnsRecipeParams *recipe;
  /* One input, of images (N, height, width, channels), as it was built. It stays as it is. */
  const EnsGraph *graph;
  const char *logits; /* its value (N, classes), of which the number of classes is known */
  EnsNormalise normalise;
  guint size; /* height and width of samples */
  EnsClassifierAugment augment;
  /* As EnsStepParams has them; NULL: nothing is frozen, all is trained. */
  const char *const *frozen;
  gboolean (*is_trained) (gpointer data, const char *name, EnsParameterKind kind);
  /* Changes learning rates and decays from those of ens_recipe_make_groups (); may be NULL. */
  void (*set_groups) (gpointer data, const EnsStep *step, EnsParameterGroup *groups);
  gpointer data;
} EnsClassifierParams;

typedef struct _EnsClassifier EnsClassifier;

/* Everything that it is given has to live as long as it does. (transfer full) */
EnsClassifier *ens_classifier_new (const EnsClassifierParams *params, const EnsDataset *dataset,
                                   EnsDevice *device, const EnsFrameOpener *opener, GError **error);
void ens_classifier_free (EnsClassifier *classifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsClassifier, ens_classifier_free)

EnsStep *ens_classifier_get_step (EnsClassifier *classifier);
/* Whether a picture can show several classes, or none. */
gboolean ens_classifier_has_several (const EnsClassifier *classifier);

/* Trains as ens_recipe_train () does, and sets the whole result. The score of an epoch is the
 * accuracy on the validation split; with several classes, the mean average precision. */
gboolean ens_classifier_train (EnsClassifier *classifier, const char *settings,
                               const EnsMonitor *monitor, EnsRecipeResult *result, GError **error);

typedef struct {
  double loss;
  double accuracy;  /* of pictures with one class; NaN: there are none */
  double precision; /* mean average precision */
} EnsClassifierMeasure;

/* Measures the parameters as they are on all splits but the training's; NaN: a split has no
 * pictures. */
gboolean ens_classifier_measure (EnsClassifier *classifier, const EnsMonitor *monitor,
                                 EnsClassifierMeasure measures[ENS_N_SPLITS], GError **error);

/* On a split that has pictures, with their colour channels exchanged, the mean over the five ways
 * to do it: what is left where colours can't be relied on. */
gboolean ens_classifier_measure_exchanged (EnsClassifier *classifier, EnsSplit split,
                                           const EnsMonitor *monitor, EnsClassifierMeasure *measure,
                                           GError **error);

/* Writes the network: the graph with its parameters as they are and “probabilities”, of the logits;
 * height and width are open, the labels in its metadata. */
gboolean ens_classifier_export (EnsClassifier *classifier, GError **error);

G_END_DECLS
