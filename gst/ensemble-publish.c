/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-ensemblepublish
 * @title: ensemblepublish
 *
 * Sends the results that ensembleclassify has attached to buffers, one line of JSON per result, to
 * a file, standard output, MQTT, Kafka or a webhook: `location` says where. A result that several
 * frames carry is sent once, with the first of them. Events of classes that appear or leave are
 * lines of their own.
 *
 * Video passes untouched and never waits: messages are sent by a thread of the element's own. While
 * their receiver is away they wait in memory (`queue-size`) or on disk (`spool`), and are sent in
 * order when it is back. What does not fit is lost, counted (`stats`), and told in a warning.
 *
 * |[
 * gst-launch-1.0 -q filesrc location=street.mp4 ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble ! ensemblepublish ! fakesink
 * ]| Prints the result of every frame on standard output; -q keeps other lines out of it.
 *
 * |[
 * gst-launch-1.0 rtspsrc location=rtsp://camera ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble ! \
 *     ensemblepublish location=mqtt://broker source=street home-assistant=true ! fakesink
 * ]| Home Assistant finds the camera by itself, with a sensor for each class.
 */
#include "ensemble-publish.h"

#include <gst/ensemble/ensemble.h>

#include "publish/message.h"
#include "publish/queue.h"
#include "state-events.h"

#define GST_CAT_DEFAULT publish_debug

#define PICTURE_PERIOD G_TIME_SPAN_SECOND /* pictures of events are no video */

/* Of an ensemble: what was sent last. */
typedef struct {
  char *present;    /* names, in order, each behind a newline */
  gint64 sent_time; /* monotonic */
} Sent;

struct _GstEnsemblePublish {
  GstBaseTransform parent;

  PublishOptions options; /* guarded by the object lock */
  PublishQueue *queue;    /* guarded by the object lock where others than start and stop look */
  PublishCounts counts;   /* of the last queue, when there is none; guarded by the object lock */

  /* Of the streaming thread. */
  char *stream_id;
  char *source;     /* as the queue knows it */
  GPtrArray *known; /* EnsResult: of each ensemble what was met last */
  GHashTable *sent; /* name of a bundle → Sent */
  PublishWallClock clock;
  gboolean appeared;   /* a class, since the last picture */
  gint64 picture_time; /* monotonic */
};

enum { PROP_0, PROP_STATS, PROP_FIRST_OPTION };

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE (GstEnsemblePublish, gst_ensemble_publish, GST_TYPE_BASE_TRANSFORM)

static void
sent_free (gpointer data)
{
  Sent *sent = data;

  g_free (sent->present);
  g_free (sent);
}

/* ---- Start and stop ---- */

static void
report (GstElement *element, gboolean warning, const char *text)
{
  if (warning)
    GST_ELEMENT_WARNING (element, RESOURCE, WRITE, ("%s", text), (NULL));
  else
    GST_ELEMENT_INFO (element, RESOURCE, WRITE, ("%s", text), (NULL));
}

static PublishQueue *
make_queue (GstEnsemblePublish *self, GError **error)
{
  g_auto (PublishOptions) options = {0};
  PublishDestination *destination;

  GST_OBJECT_LOCK (self);
  publish_options_copy (&self->options, &options);
  GST_OBJECT_UNLOCK (self);
  destination = publish_destination_new (&options, error);
  if (destination == NULL)
    return NULL;
  return publish_queue_new (destination, GST_ELEMENT (self), report);
}

static void
set_queue (GstEnsemblePublish *self, PublishQueue *queue)
{
  GST_OBJECT_LOCK (self);
  if (queue == NULL)
    self->counts = publish_queue_get_counts (self->queue);
  self->queue = queue;
  GST_OBJECT_UNLOCK (self);
}

static void
set_counts (GstEnsemblePublish *self, PublishCounts counts)
{
  GST_OBJECT_LOCK (self);
  self->counts = counts;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
start (GstBaseTransform *trans)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (trans);
  g_autoptr (GError) error = NULL;
  PublishQueue *queue = make_queue (self, &error);

  self->clock = (PublishWallClock) {0};
  if (queue != NULL && publish_queue_check (queue, &error)) {
    set_queue (self, queue);
    return TRUE;
  }
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", error->message), (NULL));
  if (queue != NULL)
    publish_queue_stop (queue, 0);
  return FALSE;
}

static guint64
get_drain_timeout (GstEnsemblePublish *self)
{
  guint64 timeout;

  GST_OBJECT_LOCK (self);
  timeout = self->options.drain_timeout;
  GST_OBJECT_UNLOCK (self);
  return timeout;
}

/* Any thread: a flush and stopping don't wait for the end of a stream to be drained. */
static void
set_flushing (GstEnsemblePublish *self, gboolean flushing)
{
  GST_OBJECT_LOCK (self);
  if (self->queue != NULL)
    publish_queue_set_flushing (self->queue, flushing);
  GST_OBJECT_UNLOCK (self);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    set_flushing (GST_ENSEMBLE_PUBLISH (element), TRUE);
  return GST_ELEMENT_CLASS (gst_ensemble_publish_parent_class)->change_state (element, transition);
}

static gboolean
stop (GstBaseTransform *trans)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (trans);
  PublishQueue *queue = self->queue;

  set_queue (self, NULL);
  set_counts (self, publish_queue_stop (queue, get_drain_timeout (self)));
  g_ptr_array_set_size (self->known, 0);
  g_hash_table_remove_all (self->sent);
  g_clear_pointer (&self->source, g_free);
  g_clear_pointer (&self->stream_id, g_free);
  return TRUE;
}

/* ---- What is sent ---- */

/* What messages need of the options. */
typedef struct {
  PublishSend send;
  PublishForm form;
  gboolean only_present;
  guint64 heartbeat; /* 0: never */
} MessageOptions;

/* Options as they are now; the queue hears of another source. */
static MessageOptions
look_at_options (GstEnsemblePublish *self)
{
  g_autofree char *source = NULL;
  MessageOptions options;

  GST_OBJECT_LOCK (self);
  options = (MessageOptions) {(PublishSend)self->options.send, (PublishForm)self->options.form,
                              self->options.only_present, self->options.heartbeat};
  source = g_strdup (self->options.source != NULL ? self->options.source
                     : self->stream_id != NULL    ? self->stream_id
                                                  : GST_OBJECT_NAME (self));
  GST_OBJECT_UNLOCK (self);
  if (g_strcmp0 (source, self->source) != 0) {
    g_free (self->source);
    self->source = g_steal_pointer (&source);
    publish_queue_set_source (self->queue, self->source);
  }
  return options;
}

static void
push (GstEnsemblePublish *self, PublishKind kind, char *line)
{
  GST_LOG_OBJECT (self, "publishing %s", line);
  publish_queue_push (self->queue, publish_record_new (kind, self->source, line));
}

static char *
list_present (const EnsResult *result)
{
  GString *present = g_string_new (NULL);

  for (guint c = 0; c < result->n_classes; c++)
    if (publish_is_present (&result->classes[c]))
      g_string_append_printf (present, "\n%s\n", result->classes[c].name);
  return g_string_free (present, FALSE);
}

static gboolean
has_appeared (const EnsResult *result, const char *before)
{
  for (guint c = 0; c < result->n_classes; c++) {
    g_autofree char *name = g_strdup_printf ("\n%s\n", result->classes[c].name);

    if (publish_is_present (&result->classes[c])
        && (before == NULL || strstr (before, name) == NULL))
      return TRUE;
  }
  return FALSE;
}

static const char *
get_bundle (const EnsResult *result)
{
  return result->bundle != NULL ? result->bundle : "";
}

/* Whether the result is due, and remembers that it is sent. */
static gboolean
is_due (GstEnsemblePublish *self, const EnsResult *result, const MessageOptions *options)
{
  const char *bundle = get_bundle (result);
  Sent *sent = g_hash_table_lookup (self->sent, bundle);
  g_autofree char *present = list_present (result);
  gint64 now = g_get_monotonic_time ();

  self->appeared |= has_appeared (result, sent != NULL ? sent->present : NULL);
  if (options->send == PUBLISH_CHANGES && sent != NULL && g_str_equal (sent->present, present)
      && (options->heartbeat == 0 || (guint64)(now - sent->sent_time) < options->heartbeat / 1000))
    return FALSE;
  sent = g_new (Sent, 1);
  *sent = (Sent) {g_steal_pointer (&present), now};
  g_hash_table_replace (self->sent, g_strdup (bundle), sent);
  return TRUE;
}

/* A copy: the buffer's memory belongs to a pool that may be small. */
static GstSample *
take_picture (GstEnsemblePublish *self, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (GST_BASE_TRANSFORM_SINK_PAD (self));
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GstBuffer) copy = NULL;

  if (!self->appeared || !self->options.home_assistant || caps == NULL
      || (self->picture_time != 0 && now - self->picture_time < PICTURE_PERIOD))
    return NULL;
  self->appeared = FALSE;
  self->picture_time = now;
  copy = gst_buffer_copy_deep (buffer);
  return copy != NULL ? gst_sample_new (copy, caps, NULL, NULL) : NULL;
}

static GstClockTime
get_running_time (GstEnsemblePublish *self, GstBuffer *buffer)
{
  GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;

  return segment->format == GST_FORMAT_TIME
             ? gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer))
             : GST_CLOCK_TIME_NONE;
}

/* The time of the frame that was classified, which is older than the one that carries the result.
 */
static PublishTime
get_time (GstEnsemblePublish *self, GstEnsembleMeta *meta, GstClockTime running_time)
{
  GstClockTime age = gst_ensemble_meta_get_age (meta);

  if (GST_CLOCK_TIME_IS_VALID (running_time) && GST_CLOCK_TIME_IS_VALID (age))
    running_time = running_time > age ? running_time - age : 0;
  return publish_wall_clock_get (&self->clock, GST_ELEMENT (self), running_time);
}

static void
publish (GstEnsemblePublish *self, GstEnsembleMeta *meta, PublishTime time,
         const MessageOptions *options)
{
  EnsResult *result = gst_ensemble_meta_get_result (meta);

  if (is_due (self, result, options))
    push (
        self, PUBLISH_RESULT,
        publish_message_result (result, self->source, time, options->form, options->only_present));
}

static gboolean
has_bundle (const GPtrArray *results, guint n, const char *bundle)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (get_bundle (results->pdata[i]), bundle))
      return TRUE;
  return FALSE;
}

/* Takes what a buffer carries. Buffers carry a result until its ensemble has another one, also
 * after some without. */
static void
remember (GstEnsemblePublish *self, GPtrArray *carried)
{
  guint n = carried->len;

  for (guint i = 0; i < self->known->len; i++) {
    EnsResult *result = self->known->pdata[i];

    if (!has_bundle (carried, n, get_bundle (result)))
      g_ptr_array_add (carried, ens_result_ref (result));
  }
  g_ptr_array_unref (self->known);
  self->known = carried;
}

static GstFlowReturn
transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (trans);
  GPtrArray *carried = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_result_unref);
  g_autoptr (GPtrArray) news = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_result_unref);
  GstClockTime running_time = get_running_time (self, buffer);
  MessageOptions options = look_at_options (self);
  gpointer state = NULL;
  GstEnsembleMeta *meta;

  publish_wall_clock_observe (&self->clock, buffer, running_time);
  while ((meta = gst_buffer_iterate_ensemble_meta (buffer, &state)) != NULL) {
    EnsResult *result = gst_ensemble_meta_get_result (meta);

    if (result == NULL)
      continue;
    g_ptr_array_add (carried, ens_result_ref (result));
    if (g_ptr_array_find (self->known, result, NULL))
      continue;
    publish (self, meta, get_time (self, meta, running_time), &options);
    g_ptr_array_add (news, ens_result_ref (result));
  }
  remember (self, carried);
  if (news->len > 0 && publish_queue_wants_state (self->queue))
    publish_queue_set_state (self->queue,
                             publish_state_new (self->source, g_steal_pointer (&news),
                                                take_picture (self, buffer), options.heartbeat));
  return GST_FLOW_OK;
}

/* ---- Events ---- */

static void
publish_event (GstEnsemblePublish *self, const GstStructure *structure)
{
  guint64 running_time = GST_CLOCK_TIME_NONE;
  PublishTime time;
  char *line;

  look_at_options (self);
  gst_structure_get_uint64 (structure, "running-time", &running_time);
  time = publish_wall_clock_get (&self->clock, GST_ELEMENT (self), running_time);
  line = publish_message_event (structure, self->source, time);
  if (line == NULL)
    GST_WARNING_OBJECT (self, "an event without class and event: %" GST_PTR_FORMAT, structure);
  else
    push (self, PUBLISH_EVENT, line);
  self->appeared |= g_strcmp0 (gst_structure_get_string (structure, "event"), "appeared") == 0;
}

static void
begin_stream (GstEnsemblePublish *self, GstEvent *event)
{
  const char *id;

  gst_event_parse_stream_start (event, &id);
  g_free (self->stream_id);
  self->stream_id = g_strdup (id);
  self->clock = (PublishWallClock) {0};
  look_at_options (self);
}

static gboolean
sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (trans);
  const GstStructure *structure = gst_event_get_structure (event);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_STREAM_START:
    begin_stream (self, event);
    break;
  case GST_EVENT_FLUSH_START:
    set_flushing (self, TRUE);
    break;
  case GST_EVENT_FLUSH_STOP:
    set_flushing (self, FALSE);
    self->clock = (PublishWallClock) {0};
    break;
  case GST_EVENT_CUSTOM_DOWNSTREAM:
    if (structure != NULL && gst_structure_has_name (structure, GST_ENSEMBLE_EVENT_NAME))
      publish_event (self, structure);
    break;
  case GST_EVENT_EOS:
    publish_queue_drain (self->queue, get_drain_timeout (self));
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_ensemble_publish_parent_class)->sink_event (trans, event);
}

/* ---- Properties ---- */

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (object);
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = id >= PROP_FIRST_OPTION
          && publish_options_set (&self->options, id - PROP_FIRST_OPTION, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

/* With the object lock held. (transfer full) */
static GstStructure *
make_stats (GstEnsemblePublish *self)
{
  const PublishCounts counts =
      self->queue != NULL ? publish_queue_get_counts (self->queue) : self->counts;

  return gst_structure_new ("ensemble-publish-stats", "sent", G_TYPE_UINT64, counts.sent, "lost",
                            G_TYPE_UINT64, counts.lost, "refused", G_TYPE_UINT64, counts.refused,
                            "waiting", G_TYPE_UINT64, counts.waiting, NULL);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (object);
  gboolean known = TRUE;

  GST_OBJECT_LOCK (self);
  if (id == PROP_STATS)
    g_value_take_boxed (value, make_stats (self));
  else
    known = publish_options_get (&self->options, id - PROP_FIRST_OPTION, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
finalize (GObject *object)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (object);

  publish_options_clear (&self->options);
  g_ptr_array_unref (self->known);
  g_hash_table_unref (self->sent);
  g_free (self->source);
  g_free (self->stream_id);
  G_OBJECT_CLASS (gst_ensemble_publish_parent_class)->finalize (object);
}

static void
gst_ensemble_publish_class_init (GstEnsemblePublishClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (publish_debug, "ensemblepublish", 0, "sending results as JSON");
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  g_object_class_install_property (
      object, PROP_STATS,
      g_param_spec_boxed (
          "stats", "stats",
          "Messages since the last start: sent; lost, as they did not fit into queue and "
          "spool; refused by the receiver; waiting in memory and on disk",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  publish_options_install (object, PROP_FIRST_OPTION);

  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (
      element, "Ensemble result publisher", "Filter/Metadata/Video",
      "Sends classification results to files, MQTT, Kafka and webhooks",
      "The gst-ensemble authors");
  element->change_state = change_state;
  transform->start = start;
  transform->stop = stop;
  transform->sink_event = sink_event;
  transform->transform_ip = transform_ip;
}

static void
gst_ensemble_publish_init (GstEnsemblePublish *self)
{
  publish_options_init (&self->options);
  self->known = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_result_unref);
  self->sent = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, sent_free);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}
