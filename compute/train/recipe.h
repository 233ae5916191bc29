/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what all recipes have in common.
 *
 * A recipe trains a network of one kind on a data set. It has a graph with a loss, made a step
 * (train/step.h), samples that a loader takes (train/loader.h), a measurement on the validation
 * split, and a result in ONNX. All else is here: settings that every recipe has, the data set, the
 * loop with its log and its checkpoints, and the files beside the result:
 *
 *   NAME.onnx        the network
 *   NAME.json        its preprocessing, role, feature layers and labels, as `train` reads them
 *   NAME.jsonl       the log
 *   NAME.checkpoint  the state of an unfinished training
 */
#pragma once

#include "base/json.h"
#include "base/monitor.h"
#include "dataset/dataset.h"
#include "train/loader.h"
#include "train/loop.h"
#include "train/step.h"

G_BEGIN_DECLS

typedef struct {
  const char *dataset;   /* folder, as dataset/dataset.h describes it */
  const char *one_class; /* NULL: all; otherwise the others' images show none */
  const char *output;    /* ONNX file to write */
  guint batch;           /* samples of a step */
  guint64 seed;
  guint n_workers;          /* threads that load pictures; 0: one per two processors */
  gsize memory_limit;       /* of a step's intermediate values, as EnsStepParams has it; 0: any */
  gboolean keep_checkpoint; /* also once the result is written: nothing is trained again then */
  EnsLoopParams loop; /* checkpoint and log: NULL for those beside the output; settings are set by
                       * ens_recipe_train () */
} EnsRecipeParams;

#define ENS_RECIPE_SGD(weight_decay) \
  ((EnsOptimiserOptions) {           \
      .kind = ENS_OPTIMISER_SGD, .momentum = 0.9, .decay = (weight_decay), .clip = 10})
#define ENS_RECIPE_ADAMW(weight_decay)                \
  ((EnsOptimiserOptions) {.kind = ENS_OPTIMISER_ADAM, \
                          .beta1 = 0.9,               \
                          .beta2 = 0.999,             \
                          .epsilon = 1e-8,            \
                          .decoupled_decay = TRUE,    \
                          .decay = (weight_decay),    \
                          .clip = 10})

typedef struct {
  EnsLoopResult loop;
  guint n_classes, n_images; /* for training */
  guint n_parameters;        /* trained: tensors … */
  gsize n_weights;           /* … and numbers */
} EnsRecipeResult;

/* FALSE with an error that names the output: numbers that have to be larger than 0 are not, or the
 * output is a folder or a device. */
gboolean ens_recipe_check (const EnsRecipeParams *params, GError **error);

/* Loads the data set, passes its notes on, with one more of classes that have few pictures, and
 * asks for training and validation pictures. (transfer full) */
EnsDataset *ens_recipe_load_dataset (const EnsRecipeParams *params, const EnsMonitor *monitor,
                                     GError **error);

/* A loader on the recipe's number of workers. (transfer full) */
EnsLoader *ens_recipe_open_loader (const EnsRecipeParams *params, const EnsLoaderSource *source);

/* One group for each of the step's parameters, all of the same learning rate; weights decay, others
 * do not. (transfer full) */
EnsParameterGroup *ens_recipe_make_groups (const EnsStep *step);

/* Adds the settings that all recipes have to those that a checkpoint must be of, and the pictures'
 * names, labels and boxes, or, where dataset is NULL, the folder's name. */
void ens_recipe_describe (const EnsRecipeParams *params, const EnsDataset *dataset, EnsJson *json);

/* Adds a file that the training depends on, by a hash of its contents. */
gboolean ens_recipe_describe_file (EnsJson *json, const char *name, const char *path,
                                   GError **error);

/* Runs the loop on the step's parameters and statistics. Of the task, groups, n_batches and the
 * callbacks are the caller's. settings: all that the training depends on, as text. Sets the
 * result's loop, n_parameters and n_weights. Errors as those of ens_loop_run (). */
gboolean ens_recipe_train (const EnsRecipeParams *params, EnsStep *step, EnsLoopTask *task,
                           const char *settings, const EnsMonitor *monitor, EnsRecipeResult *result,
                           GError **error);
/* The same of a task that is complete, such as one of several steps; sets the result's loop. */
gboolean ens_recipe_run (const EnsRecipeParams *params, const EnsLoopTask *task,
                         const char *settings, const EnsMonitor *monitor, EnsRecipeResult *result,
                         GError **error);
/* Once the result is written: removes the checkpoint, unless it is to be kept. */
void ens_recipe_finish (const EnsRecipeParams *params);

/* The output's name with another ending, the checkpoint's file and that of the log. (transfer full)
 */
char *ens_recipe_name_beside (const EnsRecipeParams *params, const char *ending);
char *ens_recipe_name_checkpoint (const EnsRecipeParams *params);
char *ens_recipe_name_log (const EnsRecipeParams *params);

/* What NAME.json says of the result; of what is NULL or 0 it says nothing. */
typedef struct {
  const char *role;
  const EnsNormalise *normalise;
  guint size;
  const char *const *taps;    /* up to a NULL */
  const char *const *classes; /* up to a NULL */
} EnsRecipeNetwork;

gboolean ens_recipe_write_network (const EnsRecipeParams *params, const EnsRecipeNetwork *network,
                                   GError **error);

/* Writes the ONNX file. Its metadata say the labels, a JSON array, and by ENS_RECIPE_DATASET the
 * name of the data set whose training pictures the network has learnt. classes: up to a NULL. */
#define ENS_RECIPE_DATASET "trained_on"
gboolean ens_recipe_export (const EnsRecipeParams *params, const EnsGraph *network,
                            const char *const *classes, GError **error);

G_END_DECLS
