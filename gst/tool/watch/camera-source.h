/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a camera's video comes from: a uridecodebin in the camera's pipeline, replaced whenever it
 * fails, ends or falls silent. A stream that isn't live, such as a file, plays at its own speed.
 * What decoders are fed with goes to the recorder. Functions are of the main thread. */
#pragma once

#include "watch/camera-pipeline.h"
#include "watch/recorder.h"

G_BEGIN_DECLS

typedef enum {
  WATCH_SOURCE_CONNECTING,
  WATCH_SOURCE_PLAYING,
  WATCH_SOURCE_REPEATING, /* a file has ended, which is no failure */
  WATCH_SOURCE_FAILED,
} WatchSourceState;

typedef struct {
  /* Not owned. */
  const char *uri;
  const WatchPipeline *pipeline;
  WatchRecorder *recorder; /* NULL: nothing is recorded */

  GstElement *element; /* in the pipeline; NULL: none */
  gint64 since;        /* when it was made */

  GMutex lock; /* guards what follows, of streaming threads too */
  guint64 frames;
  gint64 last_frame; /* monotonic; 0: none came */
  gboolean ended;    /* it has no more */
  gboolean live;     /* it is a camera, not a file */
  gboolean encoded;  /* decoders are fed, so that there is what to record */
  guint n_elements;  /* made so far: which of them is in use */
} WatchSource;

/* What is given stays the caller's, and has to stay. */
void watch_source_init (WatchSource *source, const char *uri, const WatchPipeline *pipeline,
                        WatchRecorder *recorder);
void watch_source_clear (WatchSource *source);

/* Starts it, and the pipeline if that was stopped. What goes wrong later is said by messages on the
 * bus; FALSE: there is no element for it. */
gboolean watch_source_connect (WatchSource *source);
/* Takes it out of the pipeline. An element may take long to stop, so nobody waits for it: its
 * streaming threads use `source` until `stopped (data)` is called, in another thread; at once if
 * there was none. */
void watch_source_disconnect (WatchSource *source, GDestroyNotify stopped, gpointer data);

/* How it is at `now` (monotonic); `problem` says why it failed. */
WatchSourceState watch_source_check (WatchSource *source, gint64 now, const char **problem);
/* Whether `origin`, of a message, is the source or inside it. */
gboolean watch_source_contains (const WatchSource *source, GstObject *origin);
guint64 watch_source_get_n_frames (WatchSource *source); /* since the start */
/* Any thread. */
gboolean watch_source_is_encoded (WatchSource *source);

G_END_DECLS
