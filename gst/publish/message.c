/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/message.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "ensemble/result-select.h"

#define COMPACT_SCHEMA "gst-ensemble/compact/1"
#define EVENT_SCHEMA "gst-ensemble/event/1"

char *
publish_message_time (PublishTime time)
{
  gint64 seconds = time.time / G_GINT64_CONSTANT (1000000000);
  gint64 milliseconds = time.time / 1000000 % 1000;
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (seconds);
  g_autofree char *text = date != NULL ? g_date_time_format (date, "%Y-%m-%dT%H:%M:%S")
                                       : g_strdup ("1970-01-01T00:00:00");

  return g_strdup_printf ("%s.%03dZ", text, (int)MAX (milliseconds, 0));
}

/* Of every message, behind its schema. */
static void
write_head (EnsJson *json, const char *source, PublishTime time)
{
  static const char *const clocks[] = {"camera", "pipeline", "system"};
  g_autofree char *text = publish_message_time (time);

  ens_json_string (json, "source", source);
  ens_json_string (json, "time", text);
  ens_json_string (json, "clock", clocks[time.clock]);
}

static char *
finish_line (EnsJson *json)
{
  g_autofree char *text = ens_json_finish (json);

  return g_strconcat (text, "\n", NULL);
}

/* Four digits tell all that a probability is good for. */
static float
round_probability (float p)
{
  return roundf (p * 1e4F) / 1e4F;
}

/* ---- Results ---- */

gboolean
publish_is_present (const EnsClassResult *result)
{
  return result->state == ENS_CLASS_NO_STATE ? result->present : result->state == ENS_CLASS_PRESENT;
}

/* Indices of the classes that are listed. (transfer full) */
static guint *
list_classes (const EnsResult *result, gboolean only_present, guint *n)
{
  guint *classes = g_new (guint, result->n_classes + 1);

  *n = 0;
  for (guint c = 0; c < result->n_classes; c++)
    if (!only_present || publish_is_present (&result->classes[c]))
      classes[(*n)++] = c;
  return classes;
}

static char *
format_compact (const EnsResult *result, const char *source, PublishTime time)
{
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "schema", COMPACT_SCHEMA);
  write_head (&json, source, time);
  if (result->pts != G_MAXUINT64)
    ens_json_unsigned (&json, "pts", result->pts);
  ens_json_string (&json, "bundle", result->bundle);
  ens_json_open_object (&json, "probabilities", ENS_JSON_FLAT);
  for (guint c = 0; c < result->n_classes; c++)
    ens_json_float (&json, result->classes[c].name, round_probability (result->classes[c].p));
  ens_json_close (&json);
  ens_json_open_array (&json, "present", ENS_JSON_FLAT);
  for (guint c = 0; c < result->n_classes; c++)
    if (publish_is_present (&result->classes[c]))
      ens_json_string (&json, NULL, result->classes[c].name);
  ens_json_close (&json);
  ens_json_close (&json);
  return finish_line (&json);
}

/* The result's own text, with the head's members behind its schema. */
static char *
format_full (const EnsResult *result, const char *source, PublishTime time)
{
  g_autofree char *text = ens_result_to_json (result, 0), *head = NULL;
  const char *rest = strchr (text, ',');
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "schema", ENS_RESULT_SCHEMA);
  write_head (&json, source, time);
  ens_json_close (&json);
  head = ens_json_finish (&json);
  head[strlen (head) - 1] = '\0';
  return g_strconcat (head, rest, "\n", NULL);
}

char *
publish_message_result (EnsResult *result, const char *source, PublishTime time, PublishForm form,
                        gboolean only_present)
{
  guint n;
  g_autofree guint *classes = list_classes (result, only_present, &n);
  g_autoptr (EnsResult) listed = ens_result_select (result, classes, n);

  /* The source is the head's. */
  g_clear_pointer (&listed->source, g_free);
  return form == PUBLISH_COMPACT ? format_compact (listed, source, time)
                                 : format_full (listed, source, time);
}

/* ---- Events ---- */

static void
write_time (EnsJson *json, const GstStructure *event, const char *field, const char *name)
{
  guint64 value;

  if (gst_structure_get_uint64 (event, field, &value) && GST_CLOCK_TIME_IS_VALID (value))
    ens_json_unsigned (json, name, value);
}

/* Where the object is, in the frame that was classified. */
static void
write_rect (EnsJson *json, const GstStructure *event)
{
  const GValue *value = gst_structure_get_value (event, "rect");
  GVariant *rect =
      value != NULL && G_VALUE_HOLDS_VARIANT (value) ? g_value_get_variant (value) : NULL;
  double x, y, width, height;

  if (rect == NULL || !g_variant_is_of_type (rect, G_VARIANT_TYPE ("(dddd)")))
    return;
  g_variant_get (rect, "(dddd)", &x, &y, &width, &height);
  ens_json_floats (json, "rect", (float[]) {(float)x, (float)y, (float)width, (float)height}, 4, 1);
}

static void
write_text (EnsJson *json, const GstStructure *event, const char *field)
{
  const char *text = gst_structure_get_string (event, field);

  if (text != NULL)
    ens_json_string (json, field, text);
}

char *
publish_message_event (const GstStructure *event, const char *source, PublishTime time)
{
  const char *class_name = gst_structure_get_string (event, "class");
  const char *what = gst_structure_get_string (event, "event");
  double probability;
  EnsJson json;

  if (class_name == NULL || what == NULL)
    return NULL;
  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "schema", EVENT_SCHEMA);
  write_head (&json, source, time);
  ens_json_string (&json, "event", what);
  ens_json_string (&json, "class", class_name);
  if (gst_structure_get_double (event, "probability", &probability))
    ens_json_float (&json, "probability", round_probability ((float)probability));
  write_time (&json, event, "pts", "pts");
  write_time (&json, event, "duration", "duration");
  write_text (&json, event, "reason");
  write_text (&json, event, "bundle");
  write_rect (&json, event);
  ens_json_close (&json);
  return finish_line (&json);
}
