/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Training from the page: the tool's own `train` in a child process, at a lower priority, on the
 * data set that labelled frames are moved into. The child replaces the bundle as a whole when it is
 * done; elements notice that by themselves (watch-model=true). The child dies with its parent. Of
 * the main thread. */
#pragma once

#include "base/json.h"
#include "watch/config.h"

G_BEGIN_DECLS

typedef enum {
  WATCH_TRAINING_IDLE,
  WATCH_TRAINING_RUNNING,
  WATCH_TRAINING_DONE,
  WATCH_TRAINING_FAILED,
  WATCH_TRAINING_STOPPED,
} WatchTrainingState;

typedef struct _WatchTraining WatchTraining;

/* program: the tool; changed: called when there is a new line or state. The configuration is kept
 * by the caller. */
WatchTraining *watch_training_new (const WatchConfig *config, const char *program,
                                   void (*changed) (gpointer data), gpointer data);
/* Stops the child, if one runs. */
void watch_training_free (WatchTraining *training);

gboolean watch_training_start (WatchTraining *training, GError **error);
/* As Ctrl-C does: what was learnt is kept for the next time. */
void watch_training_stop (WatchTraining *training);

WatchTrainingState watch_training_get_state (const WatchTraining *training);
/* Members of an open object: state, seconds, status (of what has failed), output (the last lines).
 */
void watch_training_write (const WatchTraining *training, EnsJson *json);

G_END_DECLS
