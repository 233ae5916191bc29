/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the connection to an MQTT broker, for mqtt.c; all that is libmosquitto's is behind
 * it. Used by one thread. */
#pragma once

#include "publish/address.h"
#include "publish/options.h"

G_BEGIN_DECLS

/* A message on its way. */
typedef struct {
  int mid;
  gboolean acknowledged;
  int reason; /* MQTT's reason code */
} PublishInFlight;

typedef struct {
  const PublishOptions *options; /* the destination's */
  PublishAddress address;
  char *client_id;
  struct mosquitto *client;
  gboolean connected;
  char *failure;      /* of the connection */
  GArray *deliveries; /* PublishInFlight: of the messages that were published together */
} PublishConnection;

/* Not yet connected. The options stay the caller's and outlive it. Takes what is in `address`. */
void publish_connection_init (PublishConnection *self, const PublishOptions *options,
                              PublishAddress address);
/* Of one that is closed. */
void publish_connection_clear (PublishConnection *self);

/* Connects; the last will is "offline" at the topic `will`. FALSE: to be closed all the same. */
gboolean publish_connection_open (PublishConnection *self, const char *will,
                                  GCancellable *cancellable, GError **error);
/* Says goodbye, so that there is no last will. */
void publish_connection_disconnect (PublishConnection *self);
/* Without a goodbye the broker publishes the last will. */
void publish_connection_close (PublishConnection *self);

/* Messages that are sent from now on are together. */
void publish_connection_begin (PublishConnection *self);
/* Joins the messages that are on their way. */
gboolean publish_connection_send (PublishConnection *self, const char *topic, gconstpointer payload,
                                  gsize size, gboolean retain, GError **error);
/* Waits until the broker has answered all messages; at most `time` microseconds. */
gboolean publish_connection_wait (PublishConnection *self, gint64 time, GCancellable *cancellable,
                                  GError **error);
/* Why the broker does not take the message, by its index. NULL: it does, or has not answered. */
const char *publish_connection_get_refusal (const PublishConnection *self, guint i);

/* One round: waits until `wake` (or NULL) can be read or for `timeout` milliseconds (-1: any time),
 * reads, writes, keeps the connection alive. FALSE: it is lost. */
gboolean publish_connection_turn (PublishConnection *self, GPollFD *wake, gint timeout,
                                  GCancellable *cancellable);

/* Sets the error to the connection's failure, or `what` if there is none. FALSE. */
gboolean publish_connection_fail (PublishConnection *self, const char *what, GError **error);

G_END_DECLS
