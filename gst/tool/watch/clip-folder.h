/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clips on disk: FOLDER/CAMERA/TIME-CLASS-NNNNN.mkv, TIME in UTC, so that names sort by time. Which
 * of them go. The newest of a camera stays in any case: it may still be written. Files of other
 * names are somebody else's, and stay.
 *
 * Of the main thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WATCH_CLIP_ENDING ".mkv"

/* Removes the oldest clips of a camera's folder until all are `limit` bytes together. */
void watch_clips_limit (const char *folder, guint64 limit);

typedef struct {
  guint n;
  guint64 bytes; /* of the disk */
} WatchClipsRemoved;

/* Removes the oldest clips of all cameras, whose folders are in `root`, until so many bytes are
 * freed. A file system may count them as free some time later only. */
WatchClipsRemoved watch_clips_remove (const char *root, guint64 bytes);

G_END_DECLS
