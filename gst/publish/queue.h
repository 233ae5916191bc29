/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: messages wait for their receiver.
 *
 * The streaming thread puts messages into a queue that is bounded by bytes, and never waits. A
 * thread of the queue's own sends them. While the receiver is away they go to the spool, if there
 * is one, and are sent in order when it is back; what does not fit is lost, the oldest first, and
 * counted. Functions are for any thread unless it says otherwise. */
#pragma once

#include "publish/destination.h"
#include "publish/tell.h"

G_BEGIN_DECLS

typedef struct _PublishQueue PublishQueue;

typedef struct {
  guint64 sent;    /* taken by the receiver */
  guint64 lost;    /* did not fit into queue and spool, or were left over at the end */
  guint64 refused; /* the receiver does not take them */
  guint64 waiting; /* in memory and on disk */
} PublishCounts;

/* Starts sending. `element` is referenced weakly. (transfer full) */
PublishQueue *publish_queue_new (PublishDestination *destination, GstElement *element,
                                 PublishReport report);
/* Waits a moment for the first attempts to open spool and destination. FALSE: they never will be,
 * as they are set up wrong: no such folder, no permission. */
gboolean publish_queue_check (PublishQueue *self, GError **error);
/* Sends what there is for `timeout` nanoseconds at most, not at all if the receiver is away, keeps
 * the rest in the spool, and frees the queue. What hangs, goes on without the caller. Returns what
 * has become of messages. */
PublishCounts publish_queue_stop (PublishQueue *self, guint64 timeout);
/* Waits until all is sent, `timeout` nanoseconds at most, and not while the receiver is away. */
void publish_queue_drain (PublishQueue *self, guint64 timeout);
/* While it is set, draining returns at once, also where it has begun. */
void publish_queue_set_flushing (PublishQueue *self, gboolean flushing);

/* What the camera is called, for receivers that have to know before the first message. */
void publish_queue_set_source (PublishQueue *self, const char *source);
void publish_queue_push (PublishQueue *self, PublishRecord *record); /* (transfer full) */
/* A state that still waits gives the results of other ensembles to this one. (transfer full) */
void publish_queue_set_state (PublishQueue *self, PublishState *state);
/* Whether the receiver has a use for states. */
gboolean publish_queue_wants_state (PublishQueue *self);
PublishCounts publish_queue_get_counts (PublishQueue *self);

G_END_DECLS
