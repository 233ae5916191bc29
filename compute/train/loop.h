/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the training loop.
 *
 * Goes through epochs of steps: loss and gradients from the task, a step of the optimiser, at the
 * end of an epoch a measurement on the validation split. It keeps the best parameters, ends early
 * when they no longer get better, tells its monitor and a log how it goes, and writes checkpoints
 * from which a training that was cancelled or killed goes on to the same bits, as long as the
 * task's own random choices depend on epoch and batch alone (base/random.h). */
#pragma once

#include "base/monitor.h"
#include "train/optimiser.h"
#include "train/schedule.h"

G_BEGIN_DECLS

/* Where a training is. */
typedef struct {
  guint epoch;  /* from 0 */
  guint batch;  /* of the epoch, from 0 */
  guint64 step; /* of the training, from 0 */
} EnsLoopPosition;

/* How many terms of a loss are told of by themselves, at most. */
#define ENS_LOOP_MAX_TERMS 8

/* What one batch gave. */
typedef struct {
  double loss;                      /* mean over the batch */
  double terms[ENS_LOOP_MAX_TERMS]; /* the same of each that the task names */
  guint n_samples;
  double n_correct; /* NaN: accuracy means nothing here */
} EnsLoopStep;

/* What the parameters are worth on pictures that they were not trained on. NaN: not measured. */
typedef struct {
  double loss, accuracy;
  double score; /* by which the best is chosen: the larger the better */
} EnsLoopMeasure;

/* What is trained. All is called from the thread of ens_loop_run (). */
typedef struct {
  const EnsParameterGroup *groups; /* their rate factors may change from step to step */
  guint n_groups;
  const char *const *terms; /* names of the loss's terms, up to a NULL, for the log; or NULL */
  float *parameters;        /* of all groups, one behind the other; the loop changes them */
  float *statistics; /* what steps change besides, such as running means; kept like parameters */
  gsize n_statistics;
  guint n_batches; /* of an epoch */
  /* Sets *result and the gradients, in the parameters' order. */
  gboolean (*step) (gpointer data, const EnsLoopPosition *position, float *gradients,
                    EnsLoopStep *result, GError **error);
  /* Measures the parameters as they are. NULL: nothing to measure on; the last ones are best. */
  gboolean (*validate) (gpointer data, EnsLoopMeasure *measure, GError **error);
  gpointer data;
} EnsLoopTask;

typedef struct {
  EnsOptimiserOptions optimiser;
  EnsSchedule schedule; /* n_steps and n_warm_up follow from the epochs */
  double rate;          /* the largest learning rate */
  guint n_epochs;
  double warm_up_epochs;
  double average;           /* of the parameters' exponential moving average, in [0, 1); 0: none */
  guint patience;           /* epochs without a better score; 0: all are done */
  const char *checkpoint;   /* file; NULL: none */
  const char *settings;     /* what a checkpoint must be of to be used (train/checkpoint.h) */
  gboolean resume;          /* go on from the checkpoint, if there is one */
  guint checkpoint_seconds; /* between two checkpoints in an epoch; one is written after each */
  const char *log;          /* JSON Lines; NULL: none */
  guint log_steps;          /* between two lines in an epoch; 0: none */
  const char *samples;      /* what monitors call them, such as "pictures" */
  const char *score;        /* what they call the score of an epoch; NULL: they are not told it */
} EnsLoopParams;

#define ENS_LOOP_DEFAULTS                                    \
  ((EnsLoopParams) {.optimiser = ENS_OPTIMISER_SGD_DEFAULTS, \
                    .schedule = {ENS_SCHEDULE_COSINE},       \
                    .rate = 0.01,                            \
                    .n_epochs = 20,                          \
                    .settings = "",                          \
                    .checkpoint_seconds = 300,               \
                    .log_steps = 10,                         \
                    .samples = "pictures"})

typedef struct {
  guint n_epochs; /* done */
  gboolean early; /* ended before the last epoch, because nothing got better */
  guint best_epoch;
  EnsLoopMeasure best; /* on the validation split, of the parameters that are left */
} EnsLoopResult;

/* Trains. Afterwards the task has the best parameters and their statistics; with an average they
 * are averages. The checkpoint is left for the caller to remove once the result is written.
 *
 * FALSE with ENS_ERROR_CANCELLED after a checkpoint, if the monitor's cancellable asks for it; with
 * ENS_ERROR_DATA, naming step and layer, where loss or gradients are not finite; with
 * ENS_ERROR_FILE where checkpoint or log can't be written: what was written before stays. */
gboolean ens_loop_run (const EnsLoopTask *task, const EnsLoopParams *params,
                       const EnsMonitor *monitor, EnsLoopResult *result, GError **error);

G_END_DECLS
