/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a training went, as its log says. */
#pragma once

#include "train/loop.h"

G_BEGIN_DECLS

/* An epoch; numbers that the log does not have are NaN. */
typedef struct {
  guint epoch; /* from 1 */
  double loss, accuracy;
  double validation_loss, validation_accuracy;
  double rate;                      /* of its last step */
  double terms[ENS_LOOP_MAX_TERMS]; /* as the task names them */
} EnsLoopEpoch;

/* Reads the epochs of a log, EnsLoopEpoch, in the order of training. A log that was continued after
 * an interruption has each of them once. A line that was cut off at the end, as by a full disk, is
 * left out; others that are no JSON objects are errors that name file and line. (transfer full) */
GArray *ens_loop_read_history (const char *path, GError **error);

G_END_DECLS
