/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: training of a style, which gives pictures of camera A the look of camera B (M5).
 *
 * Pictures of both cameras are all that is needed: no pairs, no labels. Two generators, A to B and
 * B to A, learn against two discriminators (networks/style.h), which see features of pictures: the
 * pictures and their high frequencies, pooled, and the first layers of a classifier, none of them
 * trained. With G a generator's residual, y = x + G (x), and D a discriminator's scores of features
 * F, their losses are
 *
 *   generators      E (D_B (F (y_a)) − 1)² + E (D_A (F (y_b)) − 1)²
 *                   + cycle · (mean |G_ab (a) + G_ba (y_a)| + mean |G_ba (b) + G_ab (y_b)|)
 *                   + identity · (mean |G_ab (b)| + mean |G_ba (a)|)
 *   discriminators  ½ E (D_B (F (b)) − 1)² + ½ E D_B (F (y_a))², and the same of A
 *
 * or logistic ones in place of squares. G begins with nothing, or with the change of each channel
 * that gives it the other camera's mean and variance, so that what is learnt is the rest. A step of
 * the generators, then one of the discriminators, which see y of earlier steps half of the time.
 * What is written is the moving average of G_ab, as an ONNX file from pictures of 0 … 255 to
 * adapted ones.
 *
 * Sources: Image processing method and device based on camera style adaptation, CN111753908A;
 * Yang, Yang and others, "Residual-CycleGAN based Camera Adaptation for Robust Diabetic Retinopathy
 * Screening", MICCAI 2020; the buffer of earlier pictures: Shrivastava, Pfister and others,
 * "Learning from Simulated and Unsupervised Images through Adversarial Training", CVPR 2017. */
#pragma once

#include "base/monitor.h"
#include "engine/device.h"
#include "train/losses.h"
#include "train/recipe.h"
#include "vision/frame-source.h"

G_BEGIN_DECLS

/* By value of EnsAdversarial, up to a NULL. */
extern const char *const ens_adversarial_names[];

/* What generators add before they have learnt anything. */
typedef enum {
  ENS_STYLE_START_NOTHING,
  ENS_STYLE_START_MEANS, /* what brings each channel to the other camera's mean and variance; it
                            stays in the style, and what is learnt comes on top */
} EnsStyleStart;

/* By value, up to a NULL. */
extern const char *const ens_style_start_names[];

/* ENS_STYLE_TRAINING_DEFAULTS sets what has a default. */
typedef struct {
  EnsRecipeParams recipe;   /* dataset: a folder of pictures of camera A */
  const char *to;           /* a folder of pictures of camera B */
  guint from_size, to_size; /* shorter sides that pictures are scaled to */
  guint crop;               /* side of the squares that are cut out of them */
  guint crops;              /* of each picture in an epoch */
  /* The generators know where a pixel lies, for vignetting. Then whole pictures are seen, their
   * shorter side as long as `crop`, and all of one shape. */
  gboolean position;
  const char *network;    /* ONNX file of the classifier whose first layers are features; or NULL */
  EnsNormalise normalise; /* its input */
  EnsStyleStart start;
  EnsAdversarial adversarial;
  /* Weights of terms. identity > 0 asks that pictures of the other camera stay as they are: against
   * a start, which changes these, too. 0: it is not computed, and 0 in the log. */
  double cycle, identity;
} EnsStyleTraining;

#define ENS_STYLE_TRAINING_DEFAULTS                                       \
  ((EnsStyleTraining) {                                                   \
      .recipe = {.batch = 4,                                              \
                 .loop = {.optimiser = {.kind = ENS_OPTIMISER_ADAM,       \
                                        .beta1 = 0.5,                     \
                                        .beta2 = 0.999,                   \
                                        .epsilon = 1e-8},                 \
                          .schedule = {ENS_SCHEDULE_LINEAR, .hold = 0.5}, \
                          .rate = 2e-4,                                   \
                          .n_epochs = 10,                                 \
                          .average = 0.999,                               \
                          .settings = "",                                 \
                          .checkpoint_seconds = 300,                      \
                          .log_steps = 10,                                \
                          .samples = "pictures"}},                        \
      .from_size = 256,                                                   \
      .to_size = 256,                                                     \
      .crop = 40,                                                         \
      .crops = 4,                                                         \
      .start = ENS_STYLE_START_MEANS,                                     \
      .cycle = 10,                                                        \
  })

/* Names of the terms of the loss in the log, in the order of EnsLoopEpoch.terms, up to a NULL. */
extern const char *const ens_style_terms[];

typedef struct {
  EnsRecipeResult recipe; /* n_images: of camera A */
  guint n_images;         /* of camera B */
  guint n_features;       /* channels that discriminators see */
  const char *layer;      /* of the classifier, that they come from; NULL: none */
  guint n_halvings;       /* of the discriminators' rate, because the generators collapsed */
} EnsStyleResult;

/* Trains and writes the style. Errors as those of ens_loop_run (), and those that name a folder, a
 * picture or the classifier's node. */
gboolean ens_train_style (const EnsStyleTraining *params, EnsDevice *device,
                          const EnsFrameOpener *opener, const EnsMonitor *monitor,
                          EnsStyleResult *result, GError **error);

G_END_DECLS
