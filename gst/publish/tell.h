/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what a publisher tells the application: soon, but not all the time. One thread at a
 * time. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Tells what happens, on the queue's thread. warning FALSE: for information. */
typedef void (*PublishReport) (GstElement *element, gboolean warning, const char *text);

/* Warnings of one kind come every 30 s at most. */
typedef enum {
  PUBLISH_TELL_AWAY,
  PUBLISH_TELL_LOSSES,
  PUBLISH_TELL_SPOOL,
  PUBLISH_TELL_NOTICE,
  PUBLISH_N_TELLS,
} PublishTell;

typedef struct {
  GWeakRef element;
  PublishReport report;
  const char *location;
  gint64 next[PUBLISH_N_TELLS]; /* monotonic; 0: at once */
  guint64 reported;             /* of what is lost or refused */
  char *reason;                 /* why messages don't arrive */
  gboolean told_away;
} PublishTeller;

/* `location` belongs to the caller. */
void publish_teller_init (PublishTeller *self, GstElement *element, PublishReport report,
                          const char *location);
void publish_teller_clear (PublishTeller *self);

/* For the log: "WHAT LOCATION". */
void publish_tell_log (PublishTeller *self, const char *what);
void publish_tell_warning (PublishTeller *self, PublishTell kind, const char *text);
/* quiet: it is no fault. */
void publish_tell_away (PublishTeller *self, const GError *error, gboolean quiet);
/* That messages arrive again, if it was told that they don't. */
void publish_tell_back (PublishTeller *self);
void publish_tell_refused (PublishTeller *self, const GError *reason);
/* total: messages that are lost or refused so far; `last`: no other opportunity will come. */
void publish_tell_losses (PublishTeller *self, guint64 total, gboolean last);
/* When it will be told; G_MAXINT64: it was. */
gint64 publish_tell_losses_time (const PublishTeller *self, guint64 total);

G_END_DECLS
