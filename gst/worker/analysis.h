/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a thread that does one job at a time. All functions are for one other thread. */
#pragma once

#include "vision/frame-source.h"
#include "worker/job.h"

G_BEGIN_DECLS

/* What it found in one frame. */
typedef struct {
  guint64 sequence; /* counts the file's analysed frames */
  double position;  /* seconds */
  char *result;     /* JSON on one line */
} WorkerResult;

void worker_result_free (WorkerResult *result);

typedef struct _WorkerAnalysis WorkerAnalysis;

/* What it works with; all live longer. */
typedef struct {
  EnsDevice *device;
  EnsEnsemble *ensemble; /* for jobs that don't name a bundle; NULL: they fail */
  const EnsFrameOpener *opener;
  /* Puts features into a part of the cache that is called so. */
  gboolean (*extract) (const WorkerFeatures *features, const char *part, EnsDevice *device,
                       const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error);
} WorkerTools;

/* (transfer full) */
WorkerAnalysis *worker_analysis_new (const WorkerTools *tools);
/* Stops it. */
void worker_analysis_free (WorkerAnalysis *self);

/* Begins with a job, whose first `skip` results are not needed. Takes the job. */
void worker_analysis_start (WorkerAnalysis *self, WorkerJob *job, guint64 skip);
/* Stops; what it found is dropped. Waits for the frame that is being decoded at most. */
void worker_analysis_stop (WorkerAnalysis *self);

/* Can be read when there is something to take. */
int worker_analysis_get_fd (const WorkerAnalysis *self);
/* Appends what was found since to `results` (WorkerResult), which is to hold 64 at most. TRUE: the
 * job has ended with these; *reason (transfer full) tells why it failed, NULL if it did not. */
gboolean worker_analysis_take (WorkerAnalysis *self, GPtrArray *results, char **reason);

G_END_DECLS
