/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: from the time of a stream to the time of day. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Zero-initialise, and again when a stream begins. */
typedef struct {
  gboolean camera; /* the camera's own clock is known */
  gint64 offset;   /* from running time to the camera's, in nanoseconds */
} PublishWallClock;

typedef enum {
  PUBLISH_CLOCK_CAMERA,   /* the camera's own, by RTCP or what else the source knows */
  PUBLISH_CLOCK_PIPELINE, /* when the frame is due, by the pipeline's clock */
  PUBLISH_CLOCK_SYSTEM,   /* when the message was made */
} PublishClock;

typedef struct {
  gint64 time; /* nanoseconds since 1970, UTC */
  PublishClock clock;
} PublishTime;

/* Looks for the camera's time (GstReferenceTimestampMeta: timestamp/x-ntp, timestamp/x-unix) on a
 * buffer that is due at this running time. */
void publish_wall_clock_observe (PublishWallClock *self, GstBuffer *buffer,
                                 GstClockTime running_time);
/* running_time: GST_CLOCK_TIME_NONE if it is not known. */
PublishTime publish_wall_clock_get (const PublishWallClock *self, GstElement *element,
                                    GstClockTime running_time);

G_END_DECLS
