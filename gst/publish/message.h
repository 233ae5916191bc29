/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what is published, as lines of JSON (result.schema.json, message.schema.json). */
#pragma once

#include <ensemble/result.h>
#include <gst/gst.h>

#include "publish/options.h"
#include "publish/wall-clock.h"

G_BEGIN_DECLS

/* Whether a class is present: what the stream's results together say, where they do. */
gboolean publish_is_present (const EnsClassResult *result);

/* A line with its newline. (transfer full) */
char *publish_message_result (EnsResult *result, const char *source, PublishTime time,
                              PublishForm form, gboolean only_present);
/* Of a class that appeared or left (GST_ENSEMBLE_EVENT_NAME). NULL: the structure has no class or
 * event. (transfer full) (nullable) */
char *publish_message_event (const GstStructure *event, const char *source, PublishTime time);

/* Time of day as ISO 8601 has it, in UTC, with milliseconds. (transfer full) */
char *publish_message_time (PublishTime time);

G_END_DECLS
