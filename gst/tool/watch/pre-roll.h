/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last seconds of an encoded stream, from a key frame on. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define WATCH_PRE_ROLL_BYTES (64 << 20)

typedef struct {
  GstClockTime length; /* at least this much is kept, if it fits */
  GQueue buffers;      /* GstBuffer; the first is a key frame */
  gsize bytes;
} WatchPreRoll;

void watch_pre_roll_add (WatchPreRoll *pre_roll, GstBuffer *buffer);
void watch_pre_roll_clear (WatchPreRoll *pre_roll);

/* The time by which encoded buffers are in order. */
static inline GstClockTime
watch_buffer_time (GstBuffer *buffer)
{
  return GST_BUFFER_DTS_OR_PTS (buffer);
}

G_END_DECLS
