/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events and queries of ensembleclassify. */
#include "ensemble-classify.h"

#include "classify-debug.h"
#include "frame-bridge.h"

static GstBaseTransformClass *
parent_of (GstBaseTransform *trans)
{
  return g_type_class_peek_parent (GST_BASE_TRANSFORM_GET_CLASS (trans));
}

static void
find_out_if_live (GstEnsembleClassify *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (self), query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  GST_OBJECT_LOCK (self);
  self->live = live;
  GST_DEBUG_OBJECT (self, "upstream is %slive: %s", live ? "" : "not ",
                    gst_ensemble_classify_is_async (self) ? "async" : "sync");
  GST_OBJECT_UNLOCK (self);
}

/* Another file or camera: what the last one showed does not belong on it. Sources that take turns
 * announce themselves each time, and go on. */
static void
begin_stream (GstEnsembleClassify *self, GstEvent *event)
{
  const char *id = NULL;

  gst_event_parse_stream_start (event, &id);
  if (gst_ensemble_known_streams_add (&self->streams, id))
    return;
  gst_ensemble_classify_reset_stream (self);
  gst_ensemble_analyser_discard (self->analyser);
  gst_ensemble_classify_end_states (self, "end");
  gst_ensemble_classify_send_events (self, TRUE);
}

/* The later end in running time, whatever the rate. */
static GstClockTime
find_gap_end (GstBaseTransform *trans, GstEvent *event)
{
  const GstSegment *segment = &trans->segment;
  GstClockTime start, duration, first, last;

  gst_event_parse_gap (event, &start, &duration);
  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (start))
    return GST_CLOCK_TIME_NONE;
  first = gst_segment_to_running_time (segment, GST_FORMAT_TIME, start);
  if (!GST_CLOCK_TIME_IS_VALID (duration))
    return first;
  last = gst_segment_to_running_time (segment, GST_FORMAT_TIME, start + duration);
  if (!GST_CLOCK_TIME_IS_VALID (first) || !GST_CLOCK_TIME_IS_VALID (last))
    return GST_CLOCK_TIME_IS_VALID (first) ? first : last;
  return MAX (first, last);
}

/* Where no frames come, such as while a camera has nothing new, time still passes for states. */
static void
pass_gap (GstEnsembleClassify *self, GstEvent *event)
{
  const GstClockTime end = find_gap_end (GST_BASE_TRANSFORM (self), event);

  gst_ensemble_state_events_advance (self->state_events, end);
  gst_ensemble_classify_send_events (self, TRUE);
}

static gboolean
sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (trans);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
    gst_ensemble_analyser_set_flushing (self->analyser, TRUE);
    gst_ensemble_classify_end_states (self, "flush");
    break;
  case GST_EVENT_FLUSH_STOP:
    gst_ensemble_classify_reset_stream (self);
    gst_ensemble_analyser_set_flushing (self->analyser, FALSE);
    break;
  case GST_EVENT_STREAM_START:
    begin_stream (self, event);
    break;
  case GST_EVENT_SEGMENT:
    find_out_if_live (self);
    break;
  case GST_EVENT_GAP:
    pass_gap (self, event);
    break;
  case GST_EVENT_EOS:
    /* No frame follows that could carry another result. */
    gst_ensemble_known_streams_clear (&self->streams);
    gst_ensemble_analyser_cancel (self->analyser);
    gst_ensemble_classify_end_states (self, "end");
    gst_ensemble_classify_send_events (self, TRUE);
    gst_ensemble_classify_report_failures (self);
    break;
  default:
    break;
  }
  return parent_of (trans)->sink_event (trans, event);
}

static void
note_lateness (GstEnsembleClassify *self, GstEvent *event)
{
  GstClockTimeDiff difference;
  GstClockTime timestamp;

  gst_event_parse_qos (event, NULL, NULL, &difference, &timestamp);
  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    return;
  GST_OBJECT_LOCK (self);
  self->earliest =
      difference > 0 || timestamp > (GstClockTime)-difference ? timestamp + difference : 0;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
src_event (GstBaseTransform *trans, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_QOS)
    return parent_of (trans)->src_event (trans, event);
  /* The parent would drop late frames; passing them on untagged costs nothing. */
  note_lateness (GST_ENSEMBLE_CLASSIFY (trans), event);
  return gst_pad_push_event (GST_BASE_TRANSFORM_SINK_PAD (trans), event);
}

static void
add_latency (GstEnsembleClassify *self, GstQuery *query)
{
  GstClockTime minimum, maximum, own;
  gboolean live;

  gst_query_parse_latency (query, &live, &minimum, &maximum);
  GST_OBJECT_LOCK (self);
  own = live && !gst_ensemble_classify_is_async (self) ? self->latency.reported : 0;
  GST_OBJECT_UNLOCK (self);
  if (GST_CLOCK_TIME_IS_VALID (maximum))
    maximum += own;
  gst_query_set_latency (query, live, minimum + own, maximum);
}

static gboolean
handle_query (GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  if (!parent_of (trans)->query (trans, direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    add_latency (GST_ENSEMBLE_CLASSIFY (trans), query);
  return TRUE;
}

/* A frame is held while it is analysed, and one that waits. */
#define N_HELD 2

/* Asks for more buffers of what downstream proposes. */
static void
raise_pools (GstQuery *query)
{
  for (guint i = 0; i < gst_query_get_n_allocation_pools (query); i++) {
    g_autoptr (GstBufferPool) pool = NULL;
    guint size, min, max;

    gst_query_parse_nth_allocation_pool (query, i, &pool, &size, &min, &max);
    min += N_HELD;
    gst_query_set_nth_allocation_pool (query, i, pool, size, min, max == 0 ? 0 : MAX (max, min));
  }
}

/* What goes by the element, and room for what it holds: else a camera would run out of buffers. */
static gboolean
propose_allocation (GstBaseTransform *trans, GstQuery *decided, GstQuery *query)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (trans);
  g_autoptr (EnsDevice) device = gst_ensemble_classify_get_device (self);
  gboolean answered;
  GstCaps *caps = NULL;
  GstVideoInfo info;

  if (device == NULL) /* in NULL, or opening the bundle has failed */
    return FALSE;
  answered = parent_of (trans)->propose_allocation (trans, decided, query);
  if (!ens_device_imports_dma_bufs (device))
    return answered;
  raise_pools (query);
  gst_query_parse_allocation (query, &caps, NULL);
  if (gst_query_get_n_allocation_pools (query) > 0 || caps == NULL
      || !gst_ensemble_video_info_from_caps (&info, caps))
    return answered;
  gst_query_add_allocation_pool (query, NULL, (guint)info.size, N_HELD, 0);
  return TRUE;
}

void
gst_ensemble_classify_init_pads (GstBaseTransformClass *klass)
{
  klass->sink_event = sink_event;
  klass->src_event = src_event;
  klass->query = handle_query;
  klass->propose_allocation = propose_allocation;
}
