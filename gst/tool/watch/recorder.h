/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clips of a camera: the stream as the camera encodes it, from some seconds before a class appears
 * until some after the last one has left, in FOLDER/CAMERA/TIME-CLASS-NNNNN.mkv (TIME in UTC).
 * A longer clip continues in the next file. Once a minute the oldest files go if all are larger
 * together than they may be (clip-folder.h). A clip that fails is begun again after a minute.
 *
 * A clip has a pipeline of its own, so that a slow or full disk costs the clip, not the stream. It
 * begins with a key frame: up to one group of pictures earlier than asked for. */
#pragma once

#include "ensemble/result.h"
#include "watch/config.h"

G_BEGIN_DECLS

typedef struct _WatchRecorder WatchRecorder;

/* classes: start clips; copied. `failed` is called in the main thread. */
WatchRecorder *watch_recorder_new (const WatchConfig *config, const char *camera,
                                   const char *const *classes,
                                   void (*failed) (const char *what, gpointer data), gpointer data);
/* The clip ends; its end is written while the main context runs. */
void watch_recorder_stop (WatchRecorder *recorder);
/* Whether ends of clips are still being written. */
gboolean watch_recorder_is_writing (const WatchRecorder *recorder);
/* Once nobody pushes. Ends that are not written are lost. */
void watch_recorder_free (WatchRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WatchRecorder, watch_recorder_free)

/* Encoded video, in order; from one streaming thread at a time. */
void watch_recorder_push (WatchRecorder *recorder, GstCaps *caps, GstBuffer *buffer);

/* Main thread. With each result: what it says is present, not what has appeared, so that a class
 * that is there when a camera comes back is recorded. */
void watch_recorder_update (WatchRecorder *recorder, const EnsResult *result);
/* The camera is gone: the clip ends, and what was kept of the stream is forgotten. */
void watch_recorder_interrupt (WatchRecorder *recorder);
/* While it is, the clip that was written ends, and none begins: the disk has no room. */
void watch_recorder_set_paused (WatchRecorder *recorder, gboolean paused);
/* To be called once a second. */
void watch_recorder_tick (WatchRecorder *recorder, gint64 now);

gboolean watch_recorder_is_recording (WatchRecorder *recorder);
guint watch_recorder_get_n_clips (const WatchRecorder *recorder); /* begun since the start */
guint watch_recorder_get_n_failed (const WatchRecorder *recorder);
/* Why the last clip failed; NULL: it did not. */
const char *watch_recorder_get_problem (const WatchRecorder *recorder);
/* Where the camera's clips are. */
const char *watch_recorder_get_folder (const WatchRecorder *recorder);

G_END_DECLS
