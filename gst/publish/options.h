/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the settings of a publisher, as properties of its element. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  PUBLISH_ALL,
  PUBLISH_CHANGES,
} PublishSend;

typedef enum {
  PUBLISH_FULL,
  PUBLISH_COMPACT,
} PublishForm;

/* Strings may be NULL; times are in nanoseconds, sizes in bytes. What each means is said in the
 * property of its name (options.c). */
typedef struct {
  char *location, *source;
  gint send, form; /* PublishSend, PublishForm */
  gboolean only_present;
  guint64 heartbeat;

  guint64 queue_size, spool_size, drain_timeout;
  char *spool;

  guint64 rotate_size, rotate_time;
  guint rotate_keep;

  guint64 timeout;
  char *user, *secret, *tls_ca, *tls_cert, *tls_key;

  guint qos;
  char *client_id, *topic;
  gboolean home_assistant;
  char *discovery_prefix;
} PublishOptions;

void publish_options_init (PublishOptions *self);
void publish_options_clear (PublishOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PublishOptions, publish_options_clear)
/* `copy` is uninitialised. */
void publish_options_copy (const PublishOptions *self, PublishOptions *copy);

/* Property ids count from `first`. */
void publish_options_install (GObjectClass *klass, guint first);
/* FALSE: no property of this id. */
gboolean publish_options_set (PublishOptions *self, guint index, const GValue *value);
gboolean publish_options_get (const PublishOptions *self, guint index, GValue *value);

/* What `secret` names, "file:PATH" or "env:NAME", without the line's end; *secret is NULL if it
 * names nothing. Errors tell where the secret was looked for, never what it is. */
gboolean publish_options_read_secret (const PublishOptions *self, char **secret, GError **error);
/* Whether `secret` and the location can be what they have to be, before anything is opened. */
gboolean publish_options_check (const PublishOptions *self, GError **error);

G_END_DECLS
