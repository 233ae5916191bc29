/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: where messages go. One file per kind of receiver implements
 * PublishDestinationClass.
 *
 * The writer's thread alone calls a destination, with SIGPIPE and SIGXFSZ blocked. Every call
 * returns soon after `cancellable` is cancelled. */
#pragma once

#include <ensemble/result.h>
#include <gio/gio.h>
#include <gst/gst.h>

#include "publish/options.h"
#include "publish/record.h"

G_BEGIN_DECLS

/* The latest that is known of a camera; nobody waits for older ones. */
typedef struct {
  char *source;
  GPtrArray *results; /* EnsResult: of each ensemble that has a new one */
  GstSample *event;   /* a frame on which a class appeared; NULL: none since the last state */
  guint64 heartbeat;  /* the option as it is now */
} PublishState;

/* Takes the array and the sample. (transfer full) */
PublishState *publish_state_new (const char *source, GPtrArray *results, GstSample *event,
                                 guint64 heartbeat);
void publish_state_free (PublishState *state);

/* What became of messages. */
typedef struct {
  guint done;     /* from the first on, these need not be sent again */
  guint refused;  /* of those: the receiver never takes them */
  GError *reason; /* of the last refusal */
} PublishDelivery;

typedef struct _PublishDestination PublishDestination;

typedef struct {
  /* FALSE: the receiver is away. */
  gboolean (*open) (PublishDestination *self, const char *source, GCancellable *cancellable,
                    GError **error);
  /* Sends messages in order. FALSE: not all were, the receiver is away; it is closed, and opened
   * later, unless the error is G_FILE_ERROR_AGAIN. */
  gboolean (*send) (PublishDestination *self, PublishRecord *const *records, guint n,
                    PublishDelivery *delivery, GCancellable *cancellable, GError **error);
  /* NULL: the receiver has no use for states. FALSE as above. */
  gboolean (*set_state) (PublishDestination *self, const PublishState *state,
                         GCancellable *cancellable, GError **error);
  /* Waits until `wake` can be read or `timeout` milliseconds (-1: any time) have gone by, and keeps
   * the connection up meanwhile. FALSE as above. NULL: poll () does. */
  gboolean (*wait) (PublishDestination *self, GPollFD *wake, gint timeout, GError **error);
  void (*close) (PublishDestination *self, GCancellable *cancellable);
  void (*free) (PublishDestination *self);
  /* The first and the longest wait before trying again, in milliseconds. */
  guint retry_min, retry_max;
  gboolean needs_source; /* before it is opened */
} PublishDestinationClass;

struct _PublishDestination {
  const PublishDestinationClass *klass;
  PublishOptions options;
  gint64 not_before; /* monotonic: the receiver asked not to be tried again until then */
  gboolean quiet;    /* it is no fault that the receiver is away: a pipe's reader comes and goes */
  char *notice;      /* what doesn't arrive though the receiver is there; who tells it, frees it */
};

/* The destination that the options' location names. NULL: there can't be one. (transfer full) */
PublishDestination *publish_destination_new (const PublishOptions *options, GError **error);
void publish_destination_free (PublishDestination *self);

/* One for each kind of receiver. NULL: its library is missing, or the location is wrong. (transfer
 * full) */
PublishDestination *publish_file_new (const PublishOptions *options, GError **error);
PublishDestination *publish_mqtt_new (const PublishOptions *options, GError **error);
PublishDestination *publish_kafka_new (const PublishOptions *options, GError **error);
PublishDestination *publish_webhook_new (const PublishOptions *options, GError **error);

/* For these: allocates `size` bytes. */
gpointer publish_destination_alloc (gsize size, const PublishDestinationClass *klass,
                                    const PublishOptions *options);

GST_DEBUG_CATEGORY_EXTERN (publish_debug);

G_END_DECLS
