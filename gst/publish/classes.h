/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the classes of a camera as a receiver knows them that keeps the last state. */
#pragma once

#include <ensemble/result.h>

G_BEGIN_DECLS

typedef struct {
  char *id;            /* publish_make_id () of its name */
  GArray *views;       /* what each bundle says of it; none: it is no more */
  EnsClassState state; /* never ENS_CLASS_NO_STATE */
  float p;
  gboolean fresh; /* the last results are of a bundle that has it */
  gboolean announced;
  /* What the receiver has. */
  EnsClassState sent_state;
  float sent_p;
  gint64 sent_time; /* monotonic; 0: nothing, or it may have forgotten */
} PublishClass;

/* (transfer full) (element-type utf8 PublishClass) */
GHashTable *publish_classes_new (void);
/* New results, of one ensemble or several. A class that is not among the most probable ones of a
 * result is absent; it is no more when another version of its bundle does not list it. */
void publish_classes_merge (GHashTable *classes, const GPtrArray *results);

/* Whether the receiver has to be told: a state at once, a probability that has changed once a
 * second, everything after `heartbeat` nanoseconds (0: never). */
gboolean publish_class_is_due (const PublishClass *self, guint64 heartbeat);
/* What it is told, and that it is. (transfer full) */
char *publish_class_send (PublishClass *self, const char *name);

G_END_DECLS
