/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that ensembleclassify has collected, and what becomes of them: labelled, that is moved
 * into the folder of their class in the data set, or discarded.
 *
 * Names come from requests: a name is a file's alone, never a path. */
#pragma once

#include <glib.h>

#include "base/json.h"

G_BEGIN_DECLS

/* The class of pictures that show none. */
#define WATCH_NO_CLASS "none"

typedef struct {
  const char *collected; /* folder of one camera */
  const char *dataset;
} WatchLabels;

/* Elements of an open array: {"picture", "reason", "class", "time"}, the newest first, `most` of
 * them. Returns how many pictures there are. */
guint watch_labels_write (const WatchLabels *labels, guint most, EnsJson *json);

/* The picture's path, if there is such a picture. (transfer full) */
char *watch_labels_find (const WatchLabels *labels, const char *picture, GError **error);

/* Class names of the data set's folders, added to those in `classes`, sorted, up to a NULL.
 * (transfer full) */
char **watch_labels_list_classes (const WatchLabels *labels, const char *const *classes);

/* class_name: one of those of watch_labels_list_classes (), or WATCH_NO_CLASS. */
gboolean watch_labels_set (const WatchLabels *labels, const char *picture, const char *class_name,
                           GError **error);
/* Takes that back. */
gboolean watch_labels_unset (const WatchLabels *labels, const char *picture, const char *class_name,
                             GError **error);
gboolean watch_labels_discard (const WatchLabels *labels, const char *picture, GError **error);

G_END_DECLS
