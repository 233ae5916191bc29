/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A training under way, shared by the files of the loop. */
#pragma once

#include <stdio.h>

#include "train/loop.h"

/* Sums over the steps of an epoch. */
typedef struct {
  double loss, n_correct;
  double terms[ENS_LOOP_MAX_TERMS];
  guint64 n_samples;
} EnsLoopSums;

typedef struct {
  const EnsLoopTask *task;
  const EnsLoopParams *params;
  const EnsMonitor *monitor;
  EnsSchedule schedule;
  EnsOptimiser *optimiser;
  gsize size; /* parameters */
  float *gradients;
  float *average;                /* NULL: none is kept */
  float *best, *best_statistics; /* NULL: nothing is measured */
  EnsLoopPosition position;      /* of the step that comes next */
  EnsLoopSums sums;              /* of the epoch so far */
  EnsLoopResult result;
  guint n_worse; /* epochs since the best */
  FILE *log;
  gint64 epoch_start; /* monotonic; of this epoch, or of where it was resumed */
  guint64 epoch_done; /* samples of this epoch since then */
} EnsLoop;

/* -- loop-state.c -- */

gboolean ens_loop_save (EnsLoop *loop, GError **error);
/* Goes to where the checkpoint is; the log is cut to what it was then. */
gboolean ens_loop_restore (EnsLoop *loop, GError **error);

/* -- loop-log.c -- */

gboolean ens_loop_open_log (EnsLoop *loop, gboolean append, GError **error);
gboolean ens_loop_cut_log (EnsLoop *loop, guint64 size, GError **error);
guint64 ens_loop_tell_log (const EnsLoop *loop);
gboolean ens_loop_log_start (EnsLoop *loop, GError **error);
gboolean ens_loop_log_step (EnsLoop *loop, const EnsLoopStep *step, double rate, double norm,
                            GError **error);
/* measure: NULL if there was none. */
gboolean ens_loop_log_epoch (EnsLoop *loop, const EnsLoopMeasure *measure, GError **error);
gboolean ens_loop_log_end (EnsLoop *loop, GError **error);

/* Since the epoch began or was resumed. */
double ens_loop_get_speed (const EnsLoop *loop);
