/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/wall-clock.h"

/* From 1900, NTP's beginning, to 1970 (RFC 5905). */
#define NTP_TO_UNIX (G_GUINT64_CONSTANT (2208988800) * GST_SECOND)

static const struct {
  const char *caps;
  guint64 epoch; /* subtracted */
} references[] = {{"timestamp/x-ntp", NTP_TO_UNIX}, {"timestamp/x-unix", 0}};

void
publish_wall_clock_observe (PublishWallClock *self, GstBuffer *buffer, GstClockTime running_time)
{
  if (!GST_CLOCK_TIME_IS_VALID (running_time))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (references); i++) {
    g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (references[i].caps);
    GstReferenceTimestampMeta *meta = gst_buffer_get_reference_timestamp_meta (buffer, caps);

    if (meta == NULL || meta->timestamp < references[i].epoch)
      continue;
    self->camera = TRUE;
    self->offset = (gint64)(meta->timestamp - references[i].epoch) - (gint64)running_time;
    return;
  }
}

/* What the pipeline's clock shows at the running time, against what it shows now. */
static gboolean
map_clock (GstElement *element, GstClockTime running_time, gint64 *time)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);
  GstClockTime base = gst_element_get_base_time (element);

  if (clock == NULL || !GST_CLOCK_TIME_IS_VALID (base))
    return FALSE;
  *time += (gint64)(base + running_time) - (gint64)gst_clock_get_time (clock);
  return TRUE;
}

PublishTime
publish_wall_clock_get (const PublishWallClock *self, GstElement *element,
                        GstClockTime running_time)
{
  PublishTime now = {g_get_real_time () * 1000, PUBLISH_CLOCK_SYSTEM};

  if (!GST_CLOCK_TIME_IS_VALID (running_time))
    return now;
  if (self->camera)
    return (PublishTime) {(gint64)running_time + self->offset, PUBLISH_CLOCK_CAMERA};
  if (map_clock (element, running_time, &now.time))
    now.clock = PUBLISH_CLOCK_PIPELINE;
  return now;
}
