/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: takes jobs from a queue and does them, until it is stopped. */
#pragma once

#include "worker/queue.h"

G_BEGIN_DECLS

typedef struct {
  WorkerQueue *queue;
  WorkerTools tools;
  const char *const *allow; /* what URIs and paths of jobs have to begin with, up to a NULL; NULL:
                             * anything */
  guint n_jobs;             /* ends after so many; 0: never */
  gint64 lease;             /* microseconds: a broker that is away is tried three times in it */
  void (*note) (const char *text, gpointer data);
  gpointer data;
} WorkerParams;

/* Until it is cancelled or has done n_jobs: the job that it has then is handed back. FALSE: that
 * could not be told to the broker, so that the job's lease has to run out. */
gboolean worker_run (const WorkerParams *params, GCancellable *cancellable, GError **error);

G_END_DECLS
