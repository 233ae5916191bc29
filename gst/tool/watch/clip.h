/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One clip that is being written. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _WatchClip WatchClip;

/* location: as splitmuxsink takes it, with %05d; longest: seconds of a file. FALSE with an error if
 * there is no element that this video needs. (transfer full) */
WatchClip *watch_clip_new (const char *location, guint longest, GstCaps *caps, GError **error);
/* The first buffer is a key frame. Never waits; what doesn't fit is left out. */
void watch_clip_push (WatchClip *clip, GstBuffer *buffer);
/* No more comes. `done` is called by the main context when all is written, or can't be; it may free
 * the clip. */
void watch_clip_finish (WatchClip *clip, void (*done) (WatchClip *clip, gpointer data),
                        gpointer data);
/* What is not written by then is lost. */
void watch_clip_free (WatchClip *clip);
/* What went wrong while it was written, since it was asked last. (transfer full) (nullable) */
char *watch_clip_take_problem (WatchClip *clip);

G_END_DECLS
