/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: retraining a network on a data set's classes (M1.10).
 *
 * The label layer is cleared and gets the data set's classes (passes/label-layer.h), and the
 * network is trained on square sub-images of the pictures as it is applied convolutionally: at each
 * position of its map y, the sigmoid of the logits, the target y' is the share of the class's
 * object that lies in the position's part of the sub-image (train/coverage.h); without boxes it is
 * the picture's label. The loss is E = Σ m (y - y')² / Σ m, m the targets' weights. Batch
 * normalisation keeps the statistics that it has.
 *
 * The result is an ONNX file of the same network for other classes: its values keep their names,
 * height and width are open, its output are probabilities, the labels are in its metadata. Beside
 * it, NAME.json says its preprocessing and role as training reads them.
 *
 * Source: US 2018/0012107 A1, paragraphs 48 to 57; Oquab, Bottou, Laptev and Sivic, "Learning and
 * transferring mid-level image representations using convolutional neural networks", CVPR 2014. */
#pragma once

#include "engine/device.h"
#include "train/coverage.h"
#include "train/recipe.h"
#include "vision/frame-source.h"

G_BEGIN_DECLS

/* What happens to training pictures besides being divided. */
typedef enum {
  ENS_RETRAIN_AUGMENT_NONE,
  ENS_RETRAIN_AUGMENT_FLIP,
  ENS_RETRAIN_AUGMENT_NORMAL, /* flip, colours, scale and shift; crops where there are boxes */
  ENS_RETRAIN_AUGMENT_FULL,   /* all of ENS_AUGMENT_DEFAULTS */
  ENS_N_RETRAIN_AUGMENTS,
} EnsRetrainAugment;

/* By value, up to a NULL. */
extern const char *const ens_retrain_augment_names[];

/* ENS_RETRAIN_DEFAULTS sets what has a default; the others have to be set. */
typedef struct {
  EnsRecipeParams recipe; /* samples of a batch are sub-images */
  const char *network;    /* ONNX file of a classifier */
  EnsNormalise normalise;
  guint size;              /* that the network was made for; 0: what the file says */
  const char *const *taps; /* for NAME.json, up to a NULL; NULL: it names none */
  const char *freeze;   /* a value: what is computed before it stays as it is; NULL: nothing does */
  guint sub_images;     /* of each picture in an epoch, chosen at random; 0: all of them */
  guint sub_image_step; /* pixels between two of them, for sub-images of 256 */
  guint sub_image_size; /* their side, to which pictures' shorter one is scaled; 0:
                         * ens_sub_image_size () */
  EnsCoverage coverage;
  double positive_weight; /* as EnsTargetParams has it */
  EnsRetrainAugment augment;
  double label_factor; /* the label layer's learning rate is so many times that of others */
  gboolean train_normalisation; /* scale and shift of batch normalisation, too */
} EnsRetrainParams;

/* E is a mean over classes: SGD's rate is multiplied by their number, so that a class's gradient
 * does not become smaller where there are more of them. AdamW's steps don't depend on it. */
#define ENS_RETRAIN_SGD ENS_RECIPE_SGD (5e-4)
#define ENS_RETRAIN_ADAMW ENS_RECIPE_ADAMW (5e-4)
/* The learning rate of either. */
#define ENS_RETRAIN_RATE 1e-4

#define ENS_RETRAIN_DEFAULTS                                 \
  ((EnsRetrainParams) {                                      \
      .recipe = {.batch = 16,                                \
                 .loop = {.optimiser = ENS_RETRAIN_SGD,      \
                          .schedule = {ENS_SCHEDULE_COSINE}, \
                          .rate = ENS_RETRAIN_RATE,          \
                          .n_epochs = 20,                    \
                          .warm_up_epochs = 1,               \
                          .settings = "",                    \
                          .checkpoint_seconds = 300,         \
                          .log_steps = 10,                   \
                          .samples = "pictures"}},           \
      .sub_images = 2,                                       \
      .sub_image_step = 16,                                  \
      .positive_weight = 1,                                  \
      .augment = ENS_RETRAIN_AUGMENT_NORMAL,                 \
      .label_factor = 10,                                    \
  })

typedef struct {
  EnsRecipeResult recipe; /* score: -E; accuracy: of pictures with one label */
  EnsDenseMap map;
} EnsRetrainResult;

/* Retrains. While it trains, OUTPUT.checkpoint keeps its state and OUTPUT.jsonl the log; with
 * recipe.loop.resume it goes on from the former, which is removed at the end. Errors as those of
 * ens_loop_run (), and those that name the network's node, the data set's file or the option. */
gboolean ens_retrain (const EnsRetrainParams *params, EnsDevice *device,
                      const EnsFrameOpener *opener, const EnsMonitor *monitor,
                      EnsRetrainResult *result, GError **error);

G_END_DECLS
