/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: training a network that finds contours (M3.1).
 *
 * The network (networks/contour.h) learns from crops of photographs whose contours people have
 * drawn (dataset/contours.h); scale, position and angle of a crop are random. The loss is the
 * balanced cross-entropy of a single-channel map (train/losses.h); what lies beyond the photograph
 * or on its border does not count. The best epoch on the validation photographs is kept.
 *
 * The results are two ONNX files with open height and width: the contour feature of many channels,
 * without the layer that made a map of it, whose levels at the common size are values, too; and,
 * beside it, NAME-map.onnx with the map. Beside both, a file .json says their preprocessing.
 *
 * Source: Neural network training method and device for extracting multi-level image contour
 * information, CN113298092B. */
#pragma once

#include "networks/contour.h"
#include "train/recipe.h"
#include "vision/frame-source.h"

G_BEGIN_DECLS

/* ENS_CONTOUR_TRAINING_DEFAULTS sets what has a default; the others have to be set. */
typedef struct {
  EnsRecipeParams recipe;   /* its data set is as dataset/contours.h describes it */
  EnsContourParams network; /* its seed is the recipe's */
  gboolean balance;         /* as ens_loss_contour () has it */
  guint crop;               /* side in pixels */
  guint crops;              /* of each photograph in an epoch */
} EnsContourTraining;

#define ENS_CONTOUR_TRAINING_DEFAULTS                                      \
  ((EnsContourTraining) {                                                  \
      .recipe = {.batch = 4,                                               \
                 .loop = {.optimiser = ENS_RECIPE_ADAMW (1e-4),            \
                          .schedule = {ENS_SCHEDULE_COSINE, .last = 0.01}, \
                          .rate = 1e-3,                                    \
                          .n_epochs = 30,                                  \
                          .warm_up_epochs = 0.5,                           \
                          .settings = "",                                  \
                          .checkpoint_seconds = 300,                       \
                          .log_steps = 10,                                 \
                          .samples = "crops"}},                            \
      .network = ENS_CONTOUR_DEFAULT,                                      \
      .balance = TRUE,                                                     \
      .crop = 320,                                                         \
      .crops = 8,                                                          \
  })

/* Trains and writes the files. While it trains, NAME.checkpoint keeps its state and NAME.jsonl the
 * log; with loop.resume it goes on from the former, which is removed at the end. The result's score
 * is the negative loss. Errors as those of ens_loop_run (), and those that name the data set's file
 * or the option. */
gboolean ens_contour_train (const EnsContourTraining *params, EnsDevice *device,
                            const EnsFrameOpener *opener, const EnsMonitor *monitor,
                            EnsRecipeResult *result, GError **error);
/* The file of the single-channel map. (transfer full) */
char *ens_contour_name_map (const EnsContourTraining *params);

G_END_DECLS
