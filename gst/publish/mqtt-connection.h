/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a connection to an MQTT 5 broker, for what publishes and for workers; all that is
 * libmosquitto's is behind it. Used by one thread. */
#pragma once

#include "publish/address.h"
#include "publish/options.h"

G_BEGIN_DECLS

typedef struct {
  const char *topic;
  gconstpointer payload; /* what begins with a brace is said to be JSON */
  gsize size;
  gboolean retain;
  guint32 expiry; /* the broker forgets it after so many seconds; 0: never */
} PublishMessage;

/* Called while the broker is waited for. `subscriptions` has a bit (1 << identifier) for each that
 * the message comes by. */
typedef void (*PublishReceive) (const PublishMessage *message, guint32 subscriptions,
                                gpointer data);

/* A message or subscription on its way. */
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
  gint64 answered;    /* monotonic: the latest time that the broker has acknowledged something */
  GArray *deliveries; /* PublishInFlight: of what was sent together */
  PublishReceive receive; /* set by who subscribes, before connecting */
  gpointer receive_data;
} PublishConnection;

/* Not yet connected. The options stay the caller's and outlive it. Takes what is in `address`. */
void publish_connection_init (PublishConnection *self, const PublishOptions *options,
                              PublishAddress address);
/* Of one that is closed. */
void publish_connection_clear (PublishConnection *self);

/* Connects; the last will is "offline" at the topic `will`. FALSE: to be closed all the same. */
gboolean publish_connection_open (PublishConnection *self, const char *will, gboolean retain_will,
                                  GCancellable *cancellable, GError **error);
/* Says goodbye, so that there is no last will. */
void publish_connection_disconnect (PublishConnection *self);
/* Without a goodbye the broker publishes the last will. */
void publish_connection_close (PublishConnection *self);

/* What is sent from now on is together. */
void publish_connection_begin (PublishConnection *self);
/* Joins what is on its way. */
gboolean publish_connection_send (PublishConnection *self, const PublishMessage *message,
                                  GError **error);
/* The same; QoS 1. identifier: 1 to 31. The broker sends what it retains. */
gboolean publish_connection_subscribe (PublishConnection *self, const char *filter,
                                       guint identifier, GError **error);
/* Waits until the broker has answered all; at most `time` microseconds for the next answer: how
 * many there are to come, and how slow the line is, does not matter. */
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
