/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: where jobs come from and results go. One file per kind of broker implements
 * WorkerQueueClass. One thread. */
#pragma once

#include "publish/options.h"
#include "worker/analysis.h"

G_BEGIN_DECLS

typedef struct {
  PublishOptions *publish; /* location, user, secret, tls-…, timeout, client-id, topic */
  const char *group;
  gint64 lease, keep; /* microseconds */
} WorkerQueueParams;

typedef enum {
  WORKER_ORDER_NONE,
  WORKER_ORDER_START,
  WORKER_ORDER_STOP, /* the job is another worker's, or not wanted any more */
} WorkerOrderKind;

/* Valid until the queue's next call. */
typedef struct {
  WorkerOrderKind kind;
  const char *id;   /* what the job has to be called; NULL: any */
  const char *text; /* of the job */
  guint64 done;     /* results that there are already */
} WorkerOrder;

typedef struct _WorkerQueue WorkerQueue;

/* Whatever returns FALSE, unless it says otherwise: the broker is away; the queue is closed, and
 * opened later, with the job that is being done. */
typedef struct {
  gboolean (*open) (WorkerQueue *self, GCancellable *cancellable, GError **error);
  /* Waits for the broker, `wake`, or `timeout` milliseconds. */
  gboolean (*wait) (WorkerQueue *self, GPollFD *wake, gint timeout, GCancellable *cancellable,
                    GError **error);
  /* What to do, and leases meanwhile. */
  gboolean (*next) (WorkerQueue *self, WorkerOrder *order, GError **error);
  /* Publishes results, in order, and waits until the broker has them. FALSE with
   * ENS_ERROR_UNSUPPORTED: the broker is there, and refuses them. */
  gboolean (*send) (WorkerQueue *self, WorkerResult *const *results, guint n, GError **error);
  /* The job has ended: n results. reason: why it failed, or NULL. */
  gboolean (*end) (WorkerQueue *self, guint64 n, const char *reason, GError **error);
  /* The job is for others. No further one comes. */
  gboolean (*hand_back) (WorkerQueue *self, GError **error);
  void (*close) (WorkerQueue *self);
  void (*free) (WorkerQueue *self);
} WorkerQueueClass;

struct _WorkerQueue {
  const WorkerQueueClass *klass;
};

/* By the location's scheme. NULL: there can't be one. (transfer full) */
WorkerQueue *worker_queue_new (const WorkerQueueParams *params, GError **error);

/* One for each kind of broker. NULL: its library is missing, or the location is wrong. (transfer
 * full) */
WorkerQueue *worker_mqtt_queue_new (const WorkerQueueParams *params, GError **error);
WorkerQueue *worker_kafka_queue_new (const WorkerQueueParams *params, GError **error);

G_END_DECLS
