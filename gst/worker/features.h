/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: jobs that extract features for a training (job.schema.json, "features"). */
#pragma once

#include "base/json-reader.h"
#include "base/json.h"
#include "train/fit.h"

G_BEGIN_DECLS

/* Into how many a job's pictures can be divided. */
#define WORKER_MAX_SHARES 1000000

/* Paths are as the worker's machine opens them. */
typedef struct {
  char *dataset;
  char **networks; /* "FILE.onnx[,KEY=VALUE]…", as train takes them; NULL: none */
  char **lists;    /* FILE.json, likewise; NULL: none */
  char *unrelated; /* NULL: none */
  char *cache;
  guint windows;
  EnsWindowsPreset preset;
  EnsFitShare share;
} WorkerFeatures;

/* Members of where the reader stands; errors are the reader's. (transfer full) */
WorkerFeatures *worker_features_read (EnsJsonReader *reader);
void worker_features_write (const WorkerFeatures *features, EnsJson *json);
void worker_features_free (WorkerFeatures *features);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WorkerFeatures, worker_features_free)

/* Calls `check` with each path; FALSE once that is. */
gboolean worker_features_check_paths (const WorkerFeatures *features,
                                      gboolean (*check) (const char *path, gpointer data,
                                                         GError **error),
                                      gpointer data, GError **error);

G_END_DECLS
