/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the classes of a camera as a receiver knows them that keeps the last state. */
#pragma once

#include <ensemble/result.h>

G_BEGIN_DECLS

typedef struct {
  char *id;            /* publish_make_id () of its name */
  EnsClassState state; /* never ENS_CLASS_NO_STATE */
  float p;
  gboolean listed; /* by the last results */
  gboolean announced;
  /* What the receiver has. */
  EnsClassState sent_state;
  float sent_p;
  gint64 sent_time; /* monotonic; 0: nothing, or it may have forgotten */
} PublishClass;

/* (transfer full) (element-type utf8 PublishClass) */
GHashTable *publish_classes_new (void);
/* The results of one frame, by several ensembles. A class that none of them has any more is no
 * longer listed. */
void publish_classes_merge (GHashTable *classes, const GPtrArray *results);

/* Whether the receiver has to be told: a state at once, a probability that has changed once a
 * second, everything after `heartbeat` nanoseconds (0: never). */
gboolean publish_class_is_due (const PublishClass *self, guint64 heartbeat);
/* What it is told, and that it is. (transfer full) */
char *publish_class_send (PublishClass *self, const char *name);

G_END_DECLS
