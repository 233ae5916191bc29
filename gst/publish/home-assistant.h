/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what Home Assistant has to know to show a camera by itself (MQTT discovery). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A camera, a device there. Strings belong to the caller. */
typedef struct {
  const char *prefix; /* of discovery topics */
  const char *source; /* its name */
  const char *id;     /* the same of letters, digits, - and _, unique */
  const char *topic;  /* where its topics begin */
  const char *bundle, *version;
  guint qos;
  guint64 expire_after; /* seconds; 0: never */
} PublishDevice;

typedef enum {
  PUBLISH_PRESENCE,    /* binary sensor of a class */
  PUBLISH_PROBABILITY, /* sensor of a class */
  PUBLISH_PICTURE,     /* image of the last event */
} PublishEntity;

/* Topic and payload of the message that makes an entity known. class_name and class_id are NULL for
 * a picture. (transfer full) */
char *publish_discovery_topic (const PublishDevice *device, PublishEntity entity,
                               const char *class_id);
char *publish_discovery_payload (const PublishDevice *device, PublishEntity entity,
                                 const char *class_name, const char *class_id);

/* A name as a part of topics and ids: letters, digits, - and _; another name gives another id.
 * (transfer full) */
char *publish_make_id (const char *name);

G_END_DECLS
