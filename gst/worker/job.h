/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: jobs, and what workers say of them (job.schema.json, worker.schema.json). */
#pragma once

#include "ensemble/ensemble.h"
#include "worker/features.h"
#include "worker/leases.h"

G_BEGIN_DECLS

typedef struct {
  char *id;
  char *uri;                /* of a file to tag; NULL: there is none */
  WorkerFeatures *features; /* to extract; NULL: none */
  char *model;              /* path of the bundle; NULL: the worker's */
  double interval;          /* seconds; 0: all frames */
  guint top;                /* 0: all classes */
  EnsAnalyseOptions analyse;
} WorkerJob;

/* `place` is where the text comes from, for errors; id: what the job has to be called, NULL: any.
 * (transfer full) */
WorkerJob *worker_job_parse (const char *place, const char *id, const char *text, GError **error);
/* The id of a job that can't be read otherwise. NULL: not even that. (transfer full) */
char *worker_job_find_id (const char *text);
void worker_job_free (WorkerJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WorkerJob, worker_job_free)

/* Who says something of which job. */
typedef struct {
  const char *job, *worker;
  guint64 epoch;
} WorkerStamp;

/* (transfer full) */
char *worker_format_lease (const char *job, const WorkerLease *lease);
/* `result` is JSON on one line. (transfer full) */
char *worker_format_result (const WorkerStamp *stamp, guint64 sequence, const char *result);
/* reason: why it failed; NULL: it is done. (transfer full) */
char *worker_format_end (const WorkerStamp *stamp, guint64 n_results, const char *reason);

/* (transfer full) */
char *worker_format_features (const char *id, const WorkerFeatures *features);
/* *reason is why the job failed, or NULL. (transfer full) */
gboolean worker_parse_end (const char *place, const char *text, char **reason, GError **error);

/* *worker is what lease->worker points to. (transfer full) */
gboolean worker_parse_lease (const char *place, const char *text, WorkerLease *lease, char **worker,
                             GError **error);

G_END_DECLS
