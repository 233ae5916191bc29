/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/pre-roll.h"

static gboolean
is_key (GstBuffer *buffer)
{
  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

void
watch_pre_roll_clear (WatchPreRoll *pre_roll)
{
  g_queue_clear_full (&pre_roll->buffers, (GDestroyNotify)gst_buffer_unref);
  pre_roll->bytes = 0;
}

static void
drop_first (WatchPreRoll *pre_roll)
{
  GstBuffer *buffer = g_queue_pop_head (&pre_roll->buffers);

  pre_roll->bytes -= gst_buffer_get_size (buffer);
  gst_buffer_unref (buffer);
}

/* The second key frame, with which the stream could begin as well; NULL: there is one only. */
static GList *
find_second_key (const WatchPreRoll *pre_roll)
{
  GList *link = pre_roll->buffers.head != NULL ? pre_roll->buffers.head->next : NULL;

  while (link != NULL && !is_key (link->data))
    link = link->next;
  return link;
}

static gboolean
is_enough (const WatchPreRoll *pre_roll, GstBuffer *first, GstClockTime now)
{
  const GstClockTime time = watch_buffer_time (first);

  return pre_roll->bytes > WATCH_PRE_ROLL_BYTES
         || (GST_CLOCK_TIME_IS_VALID (time) && now >= time && now - time >= pre_roll->length);
}

static void
drop_old (WatchPreRoll *pre_roll, GstClockTime now)
{
  GList *second;

  while ((second = find_second_key (pre_roll)) != NULL && is_enough (pre_roll, second->data, now))
    while (pre_roll->buffers.head != second)
      drop_first (pre_roll);
}

void
watch_pre_roll_add (WatchPreRoll *pre_roll, GstBuffer *buffer)
{
  const GstClockTime time = watch_buffer_time (buffer);

  if (g_queue_is_empty (&pre_roll->buffers) && !is_key (buffer))
    return;
  g_queue_push_tail (&pre_roll->buffers, gst_buffer_ref (buffer));
  pre_roll->bytes += gst_buffer_get_size (buffer);
  if (GST_CLOCK_TIME_IS_VALID (time))
    drop_old (pre_roll, time);
  /* A group of pictures that is too large by itself. */
  if (pre_roll->bytes > WATCH_PRE_ROLL_BYTES)
    watch_pre_roll_clear (pre_roll);
}
