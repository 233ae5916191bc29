/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of ensembleclassify. */
#include "ensemble-classify.h"

#include <gst/ensemble/ensemble.h>

#include "analytics.h"
#include "classify-debug.h"
#include "frame-bridge.h"

void
gst_ensemble_classify_reset_stream (GstEnsembleClassify *self)
{
  self->frame_gate = (GstEnsembleFrameGate) {0};
  gst_ensemble_classify_reset_motion (self);
  GST_OBJECT_LOCK (self);
  self->earliest = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_ensemble_classify_is_async (const GstEnsembleClassify *self)
{
  return self->mode == GST_ENSEMBLE_MODE_ASYNC
         || (self->mode == GST_ENSEMBLE_MODE_AUTO && self->live);
}

/* What the properties say at the time of one frame. */
typedef struct {
  guint interval;
  GstClockTime period;
  GstEnsembleSettings settings;
  guint revision;
  gboolean async;
  GstClockTime earliest;
} Properties;

/* In async mode nobody has said how often results are wanted, if neither property is set. */
#define USUAL_PERIOD GST_SECOND

/* Object lock held. How much time there is for a frame. */
static GstEnsemblePaceSettings
get_pace (const GstEnsembleClassify *self)
{
  const GstVideoInfo *info = &self->info;
  GstEnsemblePaceSettings pace = {
      .cpu_budget = self->cpu_budget, .latency_budget = self->latency_budget, .strict = TRUE};

  if (!self->live && !gst_ensemble_classify_is_async (self))
    return pace;
  if (info->fps_n > 0)
    pace.period =
        gst_util_uint64_scale (self->interval * GST_SECOND, (guint)info->fps_d, (guint)info->fps_n);
  pace.period = MAX (pace.period, self->period);
  if (gst_ensemble_classify_is_async (self) && self->interval == 1 && self->period == 0
      && pace.period < USUAL_PERIOD) {
    pace.period = USUAL_PERIOD;
    pace.strict = FALSE;
  }
  return pace;
}

/* Under load fewer frames are due. */
static void
stretch (Properties *now, guint frames)
{
  now->interval = now->interval > G_MAXUINT / frames ? G_MAXUINT : now->interval * frames;
  now->period *= frames;
  now->settings.pace.frames = frames;
}

static Properties
read_properties (GstEnsembleClassify *self)
{
  gboolean qos = gst_base_transform_is_qos_enabled (GST_BASE_TRANSFORM (self));
  Properties now;

  GST_OBJECT_LOCK (self);
  now = (Properties) {.interval = self->interval,
                      .period = self->period,
                      .settings = self->settings,
                      .revision = self->revision,
                      .async = gst_ensemble_classify_is_async (self),
                      .earliest = qos ? self->earliest : GST_CLOCK_TIME_NONE};
  now.settings.pace = get_pace (self);
  GST_OBJECT_UNLOCK (self);
  stretch (&now, gst_ensemble_analyser_get_frames (self->analyser));
  return now;
}

static GstClockTime
running_time_of (GstBaseTransform *trans, GstBuffer *buffer)
{
  if (trans->segment.format != GST_FORMAT_TIME || !GST_BUFFER_PTS_IS_VALID (buffer))
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (&trans->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
}

/* Frames that would come too late anyway are passed on without an analysis of their own. */
static gboolean
too_late (GstEnsembleClassify *self, const Properties *now, GstClockTime running_time)
{
  if (now->async || !GST_CLOCK_TIME_IS_VALID (now->earliest)
      || !GST_CLOCK_TIME_IS_VALID (running_time) || running_time > now->earliest)
    return FALSE;
  GST_DEBUG_OBJECT (self, "not analysing %" GST_TIME_FORMAT ": downstream is at %" GST_TIME_FORMAT,
                    GST_TIME_ARGS (running_time), GST_TIME_ARGS (now->earliest));
  GST_OBJECT_LOCK (self);
  self->late++;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* Whether a frame that is due is one to analyse: nobody says that its pixels are none, or not those
 * of the camera. */
static gboolean
is_usable (GstEnsembleClassify *self, GstBuffer *buffer)
{
  if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP)
      && !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_CORRUPTED))
    return TRUE;
  GST_OBJECT_LOCK (self);
  self->unusable++;
  GST_OBJECT_UNLOCK (self);
  return FALSE;
}

/* Buffers that are too small to hold a frame carry nothing either. */
static gboolean
has_pixels (GstEnsembleClassify *self, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);

  return size > 0 && (gst_buffer_get_video_meta (buffer) != NULL || size >= self->info.size);
}

/* What went wrong on the device without stopping the analysis. */
static void
pass_warning_on (GstEnsembleClassify *self)
{
  g_autoptr (EnsDevice) device = gst_ensemble_classify_get_device (self);
  g_autofree char *warning = ens_device_take_warning (device);

  if (warning != NULL)
    GST_ELEMENT_WARNING (self, RESOURCE, FAILED, ("%s", warning), (NULL));
}

/* Sync mode delays video by the time of an analysis. Sinks must know, or they would drop frames.
 * The first analysis, and planning, say nothing of the others. */
static void
report_latency (GstEnsembleClassify *self)
{
  GstEnsembleAnalyserStats stats;
  gboolean changed;

  gst_ensemble_analyser_get_stats (self->analyser, &stats);
  GST_OBJECT_LOCK (self);
  changed = self->live && stats.analysed > 1
            && gst_ensemble_latency_window_add (
                &self->latency, (GstClockTime)(stats.last_latency - stats.last_planning),
                g_get_monotonic_time ());
  GST_OBJECT_UNLOCK (self);
  if (changed)
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
}

static GError *
new_frame_error (GstEnsembleClassify *self, GstBuffer *buffer)
{
  return g_error_new (
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "a buffer of %" G_GSIZE_FORMAT
      " bytes can't be read as a video frame of %s %dx%d, which takes %" G_GSIZE_FORMAT "%s",
      gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (&self->info),
      GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info), self->info.size,
      gst_buffer_get_video_meta (buffer) != NULL ? " or what its GstVideoMeta says of planes" : "");
}

/* NULL on error, which is counted. (transfer full) */
static EnsPicture *
copy_frame (GstEnsembleClassify *self, GstBuffer *buffer)
{
  GstVideoFrame video;
  EnsPicture *picture;

  if (!has_pixels (self, buffer) || !gst_ensemble_map_frame (&video, buffer, &self->info)) {
    gst_ensemble_analyser_add_failure (self->analyser, new_frame_error (self, buffer));
    return NULL;
  }
  picture = gst_ensemble_copy_frame (&video, gst_ensemble_analyser_take_spare (self->analyser));
  gst_video_frame_unmap (&video);
  picture->pts = GST_BUFFER_PTS (buffer);
  return picture;
}

/* The picture for the thread. A frame in a DMABuf that the device imports is held, not copied:
 * elements downstream that write to it copy it first. Any other frame is copied, so that no buffer
 * is held that a decoder or camera waits for.
 * NULL on error. (transfer full) */
static EnsPicture *
take_frame (GstEnsembleClassify *self, GstBuffer *buffer)
{
  g_autoptr (EnsDevice) device = gst_ensemble_classify_get_device (self);
  EnsPicture *picture = NULL;

  if (ens_device_imports_dma_bufs (device))
    picture = gst_ensemble_wrap_dma_buf (buffer, &self->info);
  GST_TRACE_OBJECT (self, "the frame is %s", picture != NULL ? "held" : "copied");
  return picture != NULL ? picture : copy_frame (self, buffer);
}

/* A frame on its way. */
typedef struct {
  GstBuffer *buffer;
  GstClockTime running_time;
  GstEnsembleRegions *regions; /* of other elements; NULL: not asked for */
} Frame;

static void
frame_clear (Frame *frame)
{
  g_clear_pointer (&frame->regions, gst_ensemble_regions_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Frame, frame_clear)

/* FALSE if the frame can't be read. Takes its regions. *ticket: to wait with. */
static gboolean
submit (GstEnsembleClassify *self, Frame *frame, const Properties *now, guint64 *ticket)
{
  EnsPicture *picture = take_frame (self, frame->buffer);

  if (picture == NULL)
    return FALSE;
  *ticket =
      gst_ensemble_analyser_submit (self->analyser, picture, g_steal_pointer (&frame->regions),
                                    frame->running_time, &now->settings);
  return TRUE;
}

static void
attach (GstEnsembleClassify *self, GstBuffer *buffer, const GstEnsembleTags *tags, GstClockTime age)
{
  guint width = GST_VIDEO_INFO_WIDTH (&self->info), height = GST_VIDEO_INFO_HEIGHT (&self->info);

  GST_LOG_OBJECT (self, "attaching the result of %" GST_TIME_FORMAT ", %" GST_TIME_FORMAT " old",
                  GST_TIME_ARGS (tags->running_time), GST_TIME_ARGS (age));
  gst_buffer_add_ensemble_structure (buffer, tags->structure, age);
  gst_buffer_add_ensemble_regions (buffer, tags->result, width, height);
  gst_ensemble_add_analytics (buffer, tags->result, width, height);
}

/* In running time; where that is not known, or has jumped back since, in the time that has passed.
 */
static GstClockTime
age_of (const GstEnsembleTags *tags, GstClockTime running_time)
{
  if (GST_CLOCK_TIME_IS_VALID (running_time) && GST_CLOCK_TIME_IS_VALID (tags->running_time)
      && running_time >= tags->running_time)
    return running_time - tags->running_time;
  return (GstClockTime)(g_get_monotonic_time () - tags->submitted) * 1000;
}

/* What results have changed. */
static void
send_states (GstEnsembleClassify *self, const Frame *frame)
{
  gst_ensemble_state_events_advance (self->state_events, frame->running_time);
  gst_ensemble_classify_send_events (self, TRUE);
}

static void
attach_latest (GstEnsembleClassify *self, const Frame *frame, gboolean own)
{
  g_autoptr (GstEnsembleTags) tags = gst_ensemble_analyser_get_latest (self->analyser);

  /* What the result has changed goes before the buffer that shows it. */
  send_states (self, frame);
  if (tags == NULL || tags->ticket <= self->retired || !has_pixels (self, frame->buffer))
    return;
  self->attached = tags->ticket;
  attach (self, frame->buffer, tags, own ? 0 : age_of (tags, frame->running_time));
}

/* Waits for the frame's result, when its buffer is no longer held. A frame that can't be analysed
 * goes on without. */
static GstFlowReturn
analyse_sync (GstEnsembleClassify *self, Frame *frame, const Properties *now)
{
  guint64 ticket;

  if (!submit (self, frame, now, &ticket))
    return GST_FLOW_OK;
  switch (gst_ensemble_analyser_wait (self->analyser, ticket)) {
  case GST_ENSEMBLE_ANALYSED:
    report_latency (self);
    attach_latest (self, frame, TRUE);
    return GST_FLOW_OK;
  case GST_ENSEMBLE_FAILED:
    send_states (self, frame);
    return GST_FLOW_OK;
  case GST_ENSEMBLE_DROPPED:
    break;
  }
  return GST_FLOW_FLUSHING;
}

/* Nothing can be attached to a buffer that is held. */
static void
analyse_async (GstEnsembleClassify *self, Frame *frame, const Properties *now)
{
  guint64 ticket;

  attach_latest (self, frame, FALSE);
  submit (self, frame, now, &ticket);
}

static gboolean
has_moved (GstEnsembleClassify *self, const Frame *frame, const Properties *now)
{
  const GstEnsembleDueFrame due = {.buffer = frame->buffer,
                                   .running_time = frame->running_time,
                                   .regions = frame->regions,
                                   .settings = &now->settings,
                                   .revision = now->revision};

  return gst_ensemble_classify_has_moved (self, &due);
}

/* Frames without a time of their own are sampled by the time at which they come. One that is due
 * but can't be analysed leaves that to the next one. */
static gboolean
take_sample (GstEnsembleClassify *self, Frame *frame, const Properties *now)
{
  GstClockTime time = GST_CLOCK_TIME_IS_VALID (frame->running_time)
                          ? frame->running_time
                          : (GstClockTime)g_get_monotonic_time () * 1000;

  if (!gst_ensemble_frame_gate_due (&self->frame_gate, time, now->interval, now->period)
      || !is_usable (self, frame->buffer)
      || !gst_ensemble_classify_find_regions (self, frame->buffer, &now->settings, &frame->regions))
    return FALSE;
  gst_ensemble_frame_gate_take (&self->frame_gate);
  return TRUE;
}

static gboolean
is_due (GstEnsembleClassify *self, Frame *frame, const Properties *now)
{
  gboolean due = take_sample (self, frame, now) && !too_late (self, now, frame->running_time)
                 && has_moved (self, frame, now);

  GST_TRACE_OBJECT (self, "the frame at %" GST_TIME_FORMAT " is %s",
                    GST_TIME_ARGS (frame->running_time), due ? "analysed" : "passed on");
  return due;
}

static GstFlowReturn
transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (trans);
  const Properties now = read_properties (self);
  g_auto (Frame) frame = {buffer, running_time_of (trans, buffer)};
  GstFlowReturn flow = GST_FLOW_OK;

  if (self->info.finfo == NULL)
    return GST_FLOW_NOT_NEGOTIATED;
  if (!is_due (self, &frame, &now)) {
    attach_latest (self, &frame, FALSE);
  } else if (now.async) {
    analyse_async (self, &frame, &now);
  } else {
    flow = analyse_sync (self, &frame, &now);
  }
  gst_ensemble_classify_report_failures (self);
  pass_warning_on (self);
  return flow;
}

/* The element is always in passthrough, so that buffer pools and allocation go by it. All it needs
 * is a buffer to hang metadata on: a copy shares the pixels. */
static GstFlowReturn
prepare_output_buffer (GstBaseTransform *trans, GstBuffer *input, GstBuffer **output)
{
  *output = gst_buffer_is_writable (input) ? input : gst_buffer_copy (input);
  return GST_FLOW_OK;
}

static gboolean
set_caps (GstBaseTransform *trans, GstCaps *input, GstCaps *output)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (trans);

  GST_INFO_OBJECT (self, "caps are %" GST_PTR_FORMAT, input);
  if (gst_ensemble_video_info_from_caps (&self->info, input))
    return TRUE;
  GST_ERROR_OBJECT (self, "expected caps of video frames, got %" GST_PTR_FORMAT, input);
  return FALSE;
}

void
gst_ensemble_classify_init_stream (GstBaseTransformClass *klass)
{
  klass->set_caps = set_caps;
  klass->prepare_output_buffer = prepare_output_buffer;
  klass->transform_ip = transform_ip;
}
