/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "state-events.h"

#include "classify-debug.h"

struct _GstEnsembleStateEvents {
  GMutex lock; /* guards everything below */
  EnsTimeFilter *filter;
  char *bundle, **classes;
  EnsTimeSettings *of_bundle, *settings; /* per class; with the overrides */
  guint n_classes;
  guint stretch;
  GstClockTime pts; /* of the latest frame with a result */
  GQueue waiting;   /* GstStructure */
};

GstEnsembleStateEvents *
gst_ensemble_state_events_new (void)
{
  GstEnsembleStateEvents *events = g_new0 (GstEnsembleStateEvents, 1);

  g_mutex_init (&events->lock);
  events->filter = ens_time_filter_new ();
  events->pts = GST_CLOCK_TIME_NONE;
  g_queue_init (&events->waiting);
  return events;
}

static void
free_structure (gpointer structure)
{
  gst_structure_free (structure);
}

void
gst_ensemble_state_events_free (GstEnsembleStateEvents *events)
{
  g_queue_clear_full (&events->waiting, free_structure);
  ens_time_filter_free (events->filter);
  g_free (events->bundle);
  g_strfreev (events->classes);
  g_free (events->of_bundle);
  g_free (events->settings);
  g_mutex_clear (&events->lock);
  g_free (events);
}

/* Where the object is, if a window shows it. */
static void
add_rect (GstStructure *event, const EnsResult *result, guint class)
{
  const gint window = result->classes[class].window;
  GValue value = G_VALUE_INIT;
  const EnsRect *rect;

  if (window < 0)
    return;
  rect = &result->windows[window].rect;
  g_value_init (&value, G_TYPE_VARIANT);
  g_value_set_variant (&value,
                       g_variant_new ("(dddd)", rect->x, rect->y, rect->width, rect->height));
  gst_structure_take_value (event, "rect", &value);
}

/* Lock held. result: that shows them, or NULL. */
static void
queue_changes (GstEnsembleStateEvents *events, const EnsStateChange *changes, guint n,
               const EnsResult *result, const char *reason)
{
  for (guint i = 0; i < n; i++) {
    const EnsStateChange *change = &changes[i];
    GstStructure *event = gst_structure_new (
        GST_ENSEMBLE_EVENT_NAME, "class", G_TYPE_STRING, change->name, "event", G_TYPE_STRING,
        change->appeared ? "appeared" : "left", "pts", G_TYPE_UINT64, events->pts, "running-time",
        G_TYPE_UINT64, change->time, "probability", G_TYPE_DOUBLE, (double)change->probability,
        "bundle", G_TYPE_STRING, events->bundle, NULL);

    if (!change->appeared)
      gst_structure_set (event, "duration", G_TYPE_UINT64, change->duration, "reason",
                         G_TYPE_STRING, reason, NULL);
    else if (result != NULL)
      add_rect (event, result, change->class_index);
    g_queue_push_tail (&events->waiting, event);
  }
}

void
gst_ensemble_state_events_set_bundle (GstEnsembleStateEvents *events, const EnsBundle *bundle)
{
  const EnsStateChange *changes;
  guint n;

  g_mutex_lock (&events->lock);
  changes = ens_time_filter_set_classes (events->filter, (const char *const *)bundle->classes, &n);
  queue_changes (events, changes, n, NULL, "model");
  g_free (events->bundle);
  events->bundle = g_strdup (bundle->name);
  g_strfreev (events->classes);
  events->classes = g_strdupv (bundle->classes);
  events->n_classes = bundle->n_classes;
  events->of_bundle = g_renew (EnsTimeSettings, events->of_bundle, bundle->n_classes);
  events->settings = g_renew (EnsTimeSettings, events->settings, bundle->n_classes);
  for (guint c = 0; c < bundle->n_classes; c++)
    events->of_bundle[c] = events->settings[c] = ens_bundle_get_time_settings (bundle, c);
  g_mutex_unlock (&events->lock);
}

guint
gst_ensemble_state_events_get_stretch (GstEnsembleStateEvents *events)
{
  guint stretch;

  g_mutex_lock (&events->lock);
  stretch = events->stretch;
  g_mutex_unlock (&events->lock);
  return stretch;
}

/* Lock held. */
static void
settle (GstEnsembleStateEvents *events, const EnsTimeOverrides *overrides)
{
  for (guint c = 0; c < events->n_classes; c++)
    events->settings[c] = ens_time_settings_override (&events->of_bundle[c], overrides);
}

/* Lock held. An older bundle's results may come once more, repeated. */
static gboolean
is_of_bundle (const GstEnsembleStateEvents *events, const EnsResult *result)
{
  if (result->n_classes != events->n_classes)
    return FALSE;
  for (guint c = 0; c < result->n_classes; c++)
    if (!g_str_equal (result->classes[c].name, events->classes[c]))
      return FALSE;
  return TRUE;
}

/* Lock held. What is too old by then. */
static void
advance (GstEnsembleStateEvents *events, GstClockTime running_time)
{
  const EnsStateChange *changes;
  guint n;

  changes = ens_time_filter_advance (events->filter, events->settings, running_time, &n);
  queue_changes (events, changes, n, NULL, "gap");
}

void
gst_ensemble_state_events_take_result (GstEnsembleStateEvents *events, guint stretch,
                                       const EnsTimeOverrides *overrides, GstClockTime running_time,
                                       GstClockTime pts, EnsResult *result)
{
  const EnsStateChange *changes;
  guint n;

  g_mutex_lock (&events->lock);
  if (stretch == events->stretch && is_of_bundle (events, result)) {
    settle (events, overrides);
    advance (events, running_time);
    events->pts = pts;
    changes = ens_time_filter_update (events->filter, events->settings, running_time,
                                      result->classes, &n);
    queue_changes (events, changes, n, result, "absent");
  }
  g_mutex_unlock (&events->lock);
}

void
gst_ensemble_state_events_advance (GstEnsembleStateEvents *events, GstClockTime running_time)
{
  const EnsStateChange *changes;
  guint n;

  g_mutex_lock (&events->lock);
  advance (events, running_time);
  changes = ens_time_filter_settle (events->filter, events->settings, running_time, &n);
  queue_changes (events, changes, n, NULL, "absent");
  g_mutex_unlock (&events->lock);
}

void
gst_ensemble_state_events_hold (GstEnsembleStateEvents *events, GstClockTime running_time)
{
  g_mutex_lock (&events->lock);
  ens_time_filter_hold (events->filter, running_time);
  g_mutex_unlock (&events->lock);
}

void
gst_ensemble_state_events_end (GstEnsembleStateEvents *events, const char *reason)
{
  const EnsStateChange *changes;
  guint n;

  g_mutex_lock (&events->lock);
  events->stretch++;
  changes = ens_time_filter_end (events->filter, &n);
  queue_changes (events, changes, n, NULL, reason);
  events->pts = GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&events->lock);
}

static GstStructure *
take_waiting (GstEnsembleStateEvents *events)
{
  GstStructure *event;

  g_mutex_lock (&events->lock);
  event = g_queue_pop_head (&events->waiting);
  g_mutex_unlock (&events->lock);
  return event;
}

static void
post_message (GstElement *element, const GstStructure *event)
{
  const gboolean appeared = g_str_equal (gst_structure_get_string (event, "event"), "appeared");
  GstStructure *fields = gst_structure_copy (event);

  gst_structure_set_name (fields, appeared ? "class-appeared" : "class-left");
  gst_element_post_message (element, gst_message_new_element (GST_OBJECT (element), fields));
}

void
gst_ensemble_state_events_send (GstEnsembleStateEvents *events, GstElement *element, gboolean post,
                                GstPad *pad)
{
  GstStructure *event;

  while ((event = take_waiting (events)) != NULL) {
    GST_INFO_OBJECT (element, "%" GST_PTR_FORMAT, event);
    if (post)
      post_message (element, event);
    if (pad != NULL)
      gst_pad_push_event (pad, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, event));
    else
      gst_structure_free (event);
  }
}
