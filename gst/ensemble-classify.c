/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-ensembleclassify
 * @title: ensembleclassify
 *
 * Tags video with an ensemble of networks. It classifies sampled frames as a whole and through
 * windows (region proposals from selective search), and attaches a probability per class as
 * #GstEnsembleMeta, a #GstVideoRegionOfInterestMeta for the best window of each class that is
 * present, and where GStreamer has it (1.24) both as #GstAnalyticsRelationMeta. Pixels pass
 * untouched.
 *
 * In sync mode a sampled frame waits for its own result. In async mode video never waits: a thread
 * analyses the newest sampled frame, and later frames carry the latest result and its age. Frames
 * between samples carry the latest result in both modes. At EOS a frame that still waits is
 * dropped, because no frame follows that could carry its result; a flush drops the frame, the
 * result and the analysis that runs.
 *
 * A frame with at least four times the pixels of the training images, such as a surveillance
 * camera's in 4K, is divided into sub-images (tiles) about as large as those, which overlap by a
 * quarter. A class's probability is then the maximum over the tiles, and the metadata has the map
 * of them all. The bundle has the figures ("sub_images" in its ensemble.json). Each tile costs as
 * much as a whole frame, 32 tiles at most; the number of windows does not grow, the tiles share
 * them. #GstEnsembleClassify:max-sub-images bounds the cost by larger tiles.
 * #GstEnsembleClassify:sub-images is off for cameras whose subject fills the frame, on to tile
 * frames of any size, and both where subjects of both sizes occur: a large frame is then classified
 * tiled and whole, and the higher probability wins. Both properties may change while playing.
 *
 * #GstEnsembleClassify:crop has a part of the frame analysed as if it were the frame. Results keep
 * the whole frame's coordinates.
 *
 * With #GstEnsembleClassify:inference-region=roi-list, regions that elements upstream have
 * attached, such as detectors, are classified in place of region proposals: each
 * #GstVideoRegionOfInterestMeta and, with GStreamer 1.24, each #GstAnalyticsODMtd, of all types or
 * of those that #GstEnsembleClassify:object-class lists. What other ensembles have attached is left
 * out. The result has each region's probabilities, type and id. A sampled frame without regions is
 * not analysed: it, and the frames up to the next sample, carry no result.
 *
 * #GstEnsembleClassify:motion leaves out frames in which too little has changed since the last one
 * that was analysed, whose result they carry; #GstEnsembleClassify:max-inference-period bounds its
 * age.
 *
 * Sub-images that have not changed since the frame that was analysed before keep their windows and
 * probabilities, which are the same bits then; #GstEnsembleClassify:tile-tolerance has those kept
 * that have changed little.
 *
 * A style gives a camera's frames the look of the pictures that the ensemble was trained on, before
 * they are classified: #GstEnsembleClassify:style. Region proposals are searched on the frame as it
 * is. Each element has its own, also where several share a bundle, and it may change while playing:
 * it is loaded in the background, and one that can't be loaded is refused with a warning.
 *
 * The model may change while playing: #GstEnsembleClassify:model is set, or with
 * #GstEnsembleClassify:watch-model its files are replaced. It is opened and tried in the background
 * and takes the old one's place between two frames; no frame is lost. One that can't be used is
 * refused with a warning. The element message ensemble-model-changed names model, name and version.
 *
 * Frames that a person should label are kept in a folder, #GstEnsembleClassify:collect, while its
 * disk has room (#GstEnsembleClassify:collect-reserve). The element message ensemble-collecting,
 * with folder and problem (%NULL: there is none), says at the start, and when that changes, whether
 * they can be kept.
 *
 * What a stream's results together say of a class is its state: smoothed, by consensus, with
 * hysteresis and minimum durations (#GstEnsembleClassify:smoothing and what follows). When a class
 * appears or leaves, element messages class-appeared and class-left are posted, and an event
 * ensemble-event goes downstream before the buffer that shows it.
 *
 * Each analysis of a live stream, or in async mode, has a budget of processor time,
 * #GstEnsembleClassify:cpu-budget: by default half of what the processors have in the time from one
 * due frame to the next, shared among the streams of the process (those of the bundle, if it has
 * #GstEnsembleClassify:threads of its own). That time is #GstEnsembleClassify:inference-period or
 * #GstEnsembleClassify:inference-interval frames, or a second if none of them is set and video
 * does not wait. What the budget does not pay for of windows, sub-images and in the end scales is
 * left out, unless they are set; an info message says so once. A file that is analysed in sync mode
 * gets all that the bundle says. Under load #GstEnsembleClassify:latency-budget leaves out more:
 * windows, sub-images, scales, in the end frames, as long as results are late. Results say what was
 * left out
 * ("cut").
 *
 * Frames in DMABufs are not copied if the device imports them: the element holds their buffers
 * until they have been analysed, two at most, and asks upstream for two more. Elements downstream
 * that write to such a frame meanwhile copy it first.
 *
 * A frame that can't be analysed, because its buffer is too small, memory is short or a network
 * takes no such size, passes without a result; frames with GAP or CORRUPTED flags are not sampled,
 * the next one is. A flush, another stream and stopping cancel the analysis that runs.
 *
 * On the bus it posts errors for a bundle that can't be opened and caps that it can't take;
 * warnings for frames that can't be analysed, with their number (at 1, 10, 100 … and when the
 * reason changes), for a style that is refused, networks that are loaded dequantised and for a GPU
 * that has failed, with what runs in its place; latency messages when sync mode delays video more,
 * or for some seconds much less; an info message if the budget leaves something out; and element
 * messages "ensemble-period-missed", at first and then every ten seconds at most, if results are
 * not ready in the period that was asked for: missed, missed-since-last, analysed (counts), period,
 * latency, cpu (nanoseconds, of the last frame), property (which to change) and text.
 *
 * GST_DEBUG=ensembleclassify:6 logs what becomes of every frame, G_MESSAGES_DEBUG=gst-ensemble
 * which device runs what.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble inference-period=500000000 ! fakesink
 * ]| Tags two frames per second of a file.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! ensembleclassify model=desk.ensemble ! \
 *     videoconvert ! autovideosink
 * ]| A camera is live: frames are analysed in the background, video does not wait.
 * |[
 * gst-launch-1.0 rtspsrc location=rtsp://camera/ ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble max-sub-images=8 ! fakesink
 * ]| Divides large frames into eight tiles at most.
 * |[
 * gst-launch-1.0 v4l2src io-mode=dmabuf ! video/x-raw,format=NV12 ! \
 *     ensembleclassify model=desk.ensemble device=vulkan ! fakesink
 * ]| A GPU reads the camera's buffers without a copy.
 * |[
 * gst-launch-1.0 \
 *     rtspsrc location=rtsp://old-camera/ ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble style=old-camera ! fakesink \
 *     rtspsrc location=rtsp://new-camera/ ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble ! fakesink
 * ]| Two cameras, one of which is adapted, share one bundle.
 */
#include "ensemble-classify.h"

#include "classify-debug.h"
#include "frame-bridge.h"

GST_DEBUG_CATEGORY (gst_ensemble_classify_debug);

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                             GST_STATIC_CAPS (GST_ENSEMBLE_CAPS GST_ENSEMBLE_DMA_BUF_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                             GST_STATIC_CAPS (GST_ENSEMBLE_CAPS GST_ENSEMBLE_DMA_BUF_CAPS));

G_DEFINE_FINAL_TYPE (GstEnsembleClassify, gst_ensemble_classify, GST_TYPE_BASE_TRANSFORM)

/* GStreamer's code for an error that has kept the bundle from being opened. */
static gint
resource_error (const GError *error, const char *model)
{
  if (g_error_matches (error, ENS_ERROR, ENS_ERROR_FILE))
    return g_file_test (model, G_FILE_TEST_EXISTS) ? GST_RESOURCE_ERROR_OPEN_READ
                                                   : GST_RESOURCE_ERROR_NOT_FOUND;
  if (g_error_matches (error, ENS_ERROR, ENS_ERROR_FORMAT)
      || g_error_matches (error, ENS_ERROR, ENS_ERROR_SHAPE))
    return GST_RESOURCE_ERROR_READ;
  if (g_error_matches (error, ENS_ERROR, ENS_ERROR_RESOURCE))
    return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  return GST_RESOURCE_ERROR_FAILED;
}

static void
close_bundle (GstEnsembleClassify *self)
{
  g_autoptr (EnsStyle) style = NULL;
  EnsEnsemble *ensemble;

  GST_OBJECT_LOCK (self);
  ensemble = g_steal_pointer (&self->ensemble);
  g_clear_pointer (&self->opened_model, g_free);
  g_clear_pointer (&self->opened_device, g_free);
  g_clear_pointer (&self->opened_style, g_free);
  self->style_request++;
  GST_OBJECT_UNLOCK (self);
  style = gst_ensemble_analyser_set_style (self->analyser, NULL);
  if (ensemble != NULL)
    GST_INFO_OBJECT (self, "closing the bundle");
  g_clear_pointer (&ensemble, ens_ensemble_unref);
}

static EnsEnsemble *
open_on_device (GstEnsembleClassify *self, const char *model, const char *device_name,
                GError **error)
{
  const GstEnsembleOpening opening = {model, device_name, self->opened_threads,
                                      self->opened_limits};
  g_autoptr (EnsEnsemble) ensemble = gst_ensemble_classify_open_model (&opening, error);

  if (ensemble == NULL || !gst_ensemble_classify_open_style (self, ensemble, error))
    return NULL;
  return g_steal_pointer (&ensemble);
}

void
gst_ensemble_classify_post_notes (GstEnsembleClassify *self, EnsEnsemble *ensemble)
{
  for (const char *const *note = ens_ensemble_get_notes (ensemble); *note != NULL; note++)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s", *note), (NULL));
}

EnsDevice *
gst_ensemble_classify_get_device (GstEnsembleClassify *self)
{
  EnsDevice *device = NULL;

  GST_OBJECT_LOCK (self);
  if (self->ensemble != NULL)
    device = ens_device_ref (ens_ensemble_get_device (self->ensemble));
  GST_OBJECT_UNLOCK (self);
  return device;
}

/* The bundle on its device, or NULL and an error message on the bus. (transfer full) */
static EnsEnsemble *
open_or_report (GstEnsembleClassify *self, const char *model, const char *device)
{
  g_autoptr (GError) error = NULL;
  EnsEnsemble *ensemble;

  if (model == NULL || *model == '\0') {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
                       ("No model: set the property \"model\" to a bundle's folder"), (NULL));
    return NULL;
  }
  ensemble = open_on_device (self, model, device, &error);
  if (ensemble == NULL) {
    gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
                              resource_error (error, model), g_strdup (error->message), NULL,
                              __FILE__, G_STRFUNC, __LINE__);
    return NULL;
  }
  GST_INFO_OBJECT (self, "opened %s on %s", model,
                   ens_device_get_name (ens_ensemble_get_device (ensemble)));
  gst_ensemble_classify_post_notes (self, ensemble);
  return ensemble;
}

/* Opens the bundle unless it is the one that is open. */
static gboolean
open_bundle (GstEnsembleClassify *self)
{
  g_autofree char *model = NULL, *device = NULL;
  EnsEnsemble *ensemble;
  gboolean open;

  GST_OBJECT_LOCK (self);
  model = g_strdup (self->model);
  device = g_strdup (self->device);
  open = self->ensemble != NULL && g_strcmp0 (model, self->opened_model) == 0
         && g_strcmp0 (device, self->opened_device) == 0 && self->threads == self->opened_threads
         && memcmp (&self->limits, &self->opened_limits, sizeof self->limits) == 0;
  self->opened_limits = self->limits;
  self->opened_threads = self->threads;
  GST_OBJECT_UNLOCK (self);
  if (open)
    return TRUE;
  close_bundle (self);

  ensemble = open_or_report (self, model, device);
  if (ensemble == NULL)
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->ensemble = ensemble;
  self->opened_model = g_steal_pointer (&model);
  self->opened_device = g_steal_pointer (&device);
  GST_OBJECT_UNLOCK (self);
  gst_ensemble_classify_check_style (self);
  gst_ensemble_classify_check_early_scales (self);
  gst_ensemble_classify_check_regions (self);
  gst_ensemble_classify_check_embedding (self);
  g_object_notify (G_OBJECT (self), "active-device");
  return TRUE;
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (element);
  GstStateChangeReturn result;

  GST_DEBUG_OBJECT (self, "%s", gst_state_change_get_name (transition));
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_bundle (self))
    return GST_STATE_CHANGE_FAILURE;
  /* The streaming thread may wait for an analysis: it must not keep pads from being deactivated. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_ensemble_analyser_set_flushing (self->analyser, TRUE);

  result =
      GST_ELEMENT_CLASS (gst_ensemble_classify_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL
      || (transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE))
    close_bundle (self);
  return result;
}

static gboolean
start (GstBaseTransform *trans)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (trans);

  /* Model and device may have been changed in READY. */
  if (!open_bundle (self))
    return FALSE;
  gst_video_info_init (&self->info);
  self->info.finfo = NULL;
  GST_OBJECT_LOCK (self);
  self->latency = (GstEnsembleLatencyWindow) {0};
  self->late = self->unusable = self->n_without_regions = self->motion.n_still = 0;
  GST_OBJECT_UNLOCK (self);
  gst_ensemble_failure_log_clear (&self->failures);
  gst_ensemble_known_streams_clear (&self->streams);
  gst_ensemble_classify_reset_stream (self);
  gst_ensemble_analyser_start (self->analyser, self->ensemble);
  gst_ensemble_classify_set_running (self, TRUE);
  return TRUE;
}

static gboolean
stop (GstBaseTransform *trans)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (trans);

  gst_ensemble_classify_set_running (self, FALSE);
  gst_ensemble_analyser_stop (self->analyser);
  gst_ensemble_classify_end_states (self, "end");
  gst_ensemble_classify_send_events (self, FALSE);
  return TRUE;
}

static void
finalize (GObject *object)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (object);

  gst_ensemble_analyser_free (self->analyser);
  gst_ensemble_state_events_free (self->state_events);
  gst_ensemble_failure_log_clear (&self->failures);
  gst_ensemble_known_streams_clear (&self->streams);
  g_free (self->model);
  g_free (self->device);
  g_free (self->style);
  g_free (self->collect.folder);
  g_free (self->object_class);
  ens_motion_free (self->motion.state);
  gst_ensemble_regions_free (self->motion.regions);
  G_OBJECT_CLASS (gst_ensemble_classify_parent_class)->finalize (object);
}

static void
gst_ensemble_classify_class_init (GstEnsembleClassifyClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ensemble_classify_debug, "ensembleclassify", 0,
                           "classification of video by an ensemble of networks");
  object->finalize = finalize;
  gst_ensemble_classify_install_properties (object);

  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (
      element, "Ensemble classifier", "Filter/Analyzer/Video",
      "Classifies video frames with an ensemble of ONNX networks and attaches the probabilities",
      "The gst-ensemble authors");
  element->change_state = change_state;

  transform->start = start;
  transform->stop = stop;
  gst_ensemble_classify_init_stream (transform);
  gst_ensemble_classify_init_pads (transform);
}

static void
gst_ensemble_classify_init (GstEnsembleClassify *self)
{
  self->device = g_strdup (GST_ENSEMBLE_DEFAULT_DEVICE);
  self->interval = 1;
  self->settings = (GstEnsembleSettings) {
      .windows = -1, .threshold = -1, .gate = TRUE, .batch_size = 1, .time = ENS_TIME_NO_OVERRIDES};
  self->post_messages = TRUE;
  self->collect = (GstEnsembleCollectSettings) {.limit = GST_ENSEMBLE_COLLECT_LIMIT,
                                                .bytes = GST_ENSEMBLE_COLLECT_BYTES,
                                                .reserve = GST_ENSEMBLE_COLLECT_RESERVE};
  self->state_events = gst_ensemble_state_events_new ();
  self->cpu_budget = GST_ENSEMBLE_CPU_BUDGET_AUTO;
  self->earliest = GST_CLOCK_TIME_NONE;
  self->motion.state = ens_motion_new ();
  self->analyser = gst_ensemble_analyser_new (GST_OBJECT (self), self->state_events);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), TRUE);
  gst_ensemble_classify_explain_caps (self);
}
