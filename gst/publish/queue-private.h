/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what queue.c, for any thread, and sender.c, the queue's own thread, share. */
#pragma once

#include "publish/queue.h"
#include "publish/spool.h"

G_BEGIN_DECLS

struct _PublishQueue {
  gatomicrefcount references; /* the owner's and the thread's */
  PublishDestination *destination;
  int wake; /* an eventfd: there is something to do */

  GMutex lock;
  GCond changed;
  /* With the lock held. */
  GCancellable *cancellable; /* of the call that the destination is in, or was last */
  GQueue memory;             /* PublishRecord */
  guint64 memory_size;
  PublishState *state;
  char *source;
  PublishCounts counts; /* waiting: outside memory */
  gboolean stopping, expired, finished, idle, away;
  gboolean flushing;
  gint64 drained;              /* how long it has been waited for since the last message came */
  gboolean spool_tried, tried; /* to open */
  gboolean hurries; /* the destination is called, and given up when memory is half full */
  GError *unusable;

  /* Of the queue's thread. */
  PublishTeller teller;
  GPtrArray *batch; /* PublishRecord: from memory, under way */
  PublishSpool *spool;
  gboolean spool_pending; /* its messages come first */
  gboolean spool_fails;   /* to keep messages */
  gint64 spool_at, spool_patience;
  gboolean open, stalled;
  gint64 retry_at;
  guint retry_wait; /* milliseconds */
};

/* The queue's thread. `data`: a reference to the queue, which it takes. */
gpointer publish_sender_run (gpointer data);
void publish_queue_unref (PublishQueue *self);

G_END_DECLS
