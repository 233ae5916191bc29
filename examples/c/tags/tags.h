/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an ensemble said of a clip, and what is truly to be seen in it. */
#pragma once

#include <glib.h>

typedef struct {
  double x, y, width, height; /* shares of the frame, in [0, 1] */
} TagWindow;

/* One class in one frame. */
typedef struct {
  char *name;
  double p, threshold;
  gboolean present;
  gboolean has_window;
  TagWindow window;
} Tag;

typedef struct {
  double seconds;
  GArray *tags; /* Tag, every class, sorted by name */
} TaggedFrame;

/* Reads results as JSON Lines, schema gst-ensemble/result/1; events between them are left out.
 * (transfer full, TaggedFrame) */
GPtrArray *tags_read (const char *path, GError **error);

/* A thing from this share on is there to be tagged; under the other nobody would see it. Tags of
 * what lies between are neither right nor wrong. */
#define CLEARLY_VISIBLE 0.3
#define HARDLY_VISIBLE 0.05

typedef struct _Labels Labels;

/* Reads the table that draw-scenes writes beside a clip. */
Labels *labels_read (const char *path, GError **error);
void labels_free (Labels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Labels, labels_free)

/* Seconds of the clip that the table knows of. */
guint labels_get_seconds (const Labels *labels);
/* The largest visible share of a thing of the class, at that time. */
double labels_visible_at (const Labels *labels, const char *name, double seconds);
/* The share of that second's frames in which a thing of the class is visible at least so much. */
double labels_visible_in (const Labels *labels, const char *name, guint second, double visible);

/* Prints second by second what is to be seen and what was tagged. */
void table_print (GPtrArray *frames, const Labels *labels);

/* Writes a PNG picture of the clip's frame where most tags are right: its windows and, beside it,
 * the probabilities of all classes. */
gboolean picture_write (const char *path, const char *clip, GPtrArray *frames, const Labels *labels,
                        GError **error);
