/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: hands jobs out to workers by MQTT, and waits until all have ended. */
#pragma once

#include "base/monitor.h"
#include "publish/options.h"

G_BEGIN_DECLS

typedef struct {
  char *id, *text;
  gboolean ended;
  char *reason; /* why it failed, or NULL */
} WorkerSubmission;

/* publish: location, user, secret, topic …. jobs: WorkerSubmission; those that fail are told by
 * their reasons. A broker that is lost is connected again. FALSE: it can't be reached at all, or
 * the monitor was cancelled, which cancels the jobs. */
gboolean worker_submit (const PublishOptions *publish, GPtrArray *jobs, const EnsMonitor *monitor,
                        GError **error);

G_END_DECLS
