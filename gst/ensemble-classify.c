/**
 * SECTION:element-ensembleclassify
 * @title: ensembleclassify
 *
 * Tags video with an ensemble of networks: samples frames, judges them as a whole and through
 * windows that selective search proposes, and attaches a probability per class as #GstEnsembleMeta,
 * a #GstVideoRegionOfInterestMeta for the window of each class that is present, and where GStreamer
 * has it (1.24) both as #GstAnalyticsRelationMeta. Pixels pass untouched.
 *
 * In sync mode a sampled frame waits for its own result. In async mode video never waits: a thread
 * analyses the newest sampled frame, and the latest result rides on the frames that follow, with
 * its age. Frames between samples carry the latest result in both modes. At EOS a frame that still
 * waits is dropped, since no frame follows that could carry its result; a flush drops the frame,
 * the result and what is being analysed.
 *
 * A frame with at least four times the pixels of the training images, such as a surveillance
 * camera's in 4K, is divided into sub-images about as large as those, which overlap by a quarter; a
 * class's probability is then the largest of them all, and the metadata has the map. The bundle
 * says the figures ("sub_images" in its ensemble.json). That costs as many analyses of whole
 * pictures as there are sub-images, 32 at most, while the number of windows stays what it is: they
 * are shared. #GstEnsembleClassify:max-sub-images bounds the cost, at the price of larger
 * sub-images. #GstEnsembleClassify:sub-images turns dividing off, for cameras whose subject fills
 * the frame, or on for frames of any size, or has large frames judged both ways, where some things
 * are small and others larger than a sub-image. Both may be changed while playing.
 *
 * Frames in DMABufs are not copied where the device imports them: their buffers are held until they
 * have been analysed, two at most, and upstream is asked for two more. Elements downstream that
 * write to such a frame meanwhile copy it first.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble inference-period=500000000 ! fakesink
 * ]| Tags two frames per second of a file.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! ensembleclassify model=desk.ensemble ! \
 *     videoconvert ! autovideosink
 * ]| A camera is live: analyses run behind the video.
 * |[
 * gst-launch-1.0 rtspsrc location=rtsp://camera/ ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble max-sub-images=8 ! fakesink
 * ]| Large frames in eight parts at most.
 * |[
 * gst-launch-1.0 v4l2src io-mode=dmabuf ! video/x-raw,format=NV12 ! \
 *     ensembleclassify model=desk.ensemble device=vulkan ! fakesink
 * ]| A GPU reads the camera's own buffers.
 */
#include "ensemble-classify.h"

#include "frame-bridge.h"

GST_DEBUG_CATEGORY (gst_ensemble_classify_debug);

enum {
  PROP_0,
  PROP_MODEL,
  PROP_DEVICE,
  PROP_ACTIVE_DEVICE,
  PROP_INFERENCE_INTERVAL,
  PROP_INFERENCE_PERIOD,
  PROP_MODE,
  PROP_WINDOWS,
  PROP_SCALES,
  PROP_THRESHOLD,
  PROP_SUB_IMAGES,
  PROP_MAX_SUB_IMAGES,
  PROP_TOP_K,
  PROP_STATS,
  N_PROPS
};

#define DEFAULT_DEVICE "auto"
#define MAX_WINDOWS 10000
#define MAX_SUB_IMAGES 1024
#define MIN_SCALE 16
#define MAX_SCALE 4096

static GParamSpec *props[N_PROPS];

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                             GST_STATIC_CAPS (GST_ENSEMBLE_CAPS GST_ENSEMBLE_DMA_BUF_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                             GST_STATIC_CAPS (GST_ENSEMBLE_CAPS GST_ENSEMBLE_DMA_BUF_CAPS));

G_DEFINE_FINAL_TYPE (GstEnsembleClassify, gst_ensemble_classify, GST_TYPE_BASE_TRANSFORM)

#define GST_TYPE_ENSEMBLE_MODE (mode_get_type ())

static GType
mode_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_ENSEMBLE_MODE_AUTO, "Async if the source is live, else sync", "auto"},
      {GST_ENSEMBLE_MODE_SYNC, "A sampled frame waits for its own result", "sync"},
      {GST_ENSEMBLE_MODE_ASYNC, "Video never waits; results ride on later frames", "async"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstEnsembleMode", values));
  return type;
}

#define GST_TYPE_ENSEMBLE_SUB_IMAGES (sub_images_get_type ())

static GType
sub_images_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {ENS_SUB_IMAGES_AUTO, "Divide frames that the bundle counts as large", "auto"},
      {ENS_SUB_IMAGES_OFF, "Judge every frame as one", "off"},
      {ENS_SUB_IMAGES_ON, "Divide every frame that is larger than a sub-image", "on"},
      {ENS_SUB_IMAGES_BOTH, "Divide large frames, and judge them as one as well", "both"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstEnsembleSubImages", values));
  return type;
}

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
  EnsEnsemble *ensemble;

  GST_OBJECT_LOCK (self);
  ensemble = g_steal_pointer (&self->ensemble);
  g_clear_pointer (&self->opened_model, g_free);
  g_clear_pointer (&self->opened_device, g_free);
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&ensemble, ens_ensemble_unref);
}

static EnsEnsemble *
open_on_device (const char *model, const char *device_name, GError **error)
{
  g_autoptr (EnsDevice) device = ens_device_open (device_name, 0, error);

  return device != NULL ? ens_ensemble_open (model, device, error) : NULL;
}

/* Opens the bundle unless it is the one that is open. */
static gboolean
open_bundle (GstEnsembleClassify *self)
{
  g_autofree char *model = NULL, *device = NULL;
  g_autoptr (GError) error = NULL;
  EnsEnsemble *ensemble;
  gboolean open;

  GST_OBJECT_LOCK (self);
  model = g_strdup (self->model);
  device = g_strdup (self->device);
  open = self->ensemble != NULL && g_strcmp0 (model, self->opened_model) == 0
         && g_strcmp0 (device, self->opened_device) == 0;
  GST_OBJECT_UNLOCK (self);
  if (open)
    return TRUE;
  close_bundle (self);

  if (model == NULL || *model == '\0') {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
                       ("No model: set the property \"model\" to a bundle's folder"), (NULL));
    return FALSE;
  }
  ensemble = open_on_device (model, device, &error);
  if (ensemble == NULL) {
    gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
                              resource_error (error, model), g_strdup (error->message), NULL,
                              __FILE__, G_STRFUNC, __LINE__);
    return FALSE;
  }
  for (const char *const *note = ens_ensemble_get_notes (ensemble); *note != NULL; note++)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s", *note), (NULL));
  GST_OBJECT_LOCK (self);
  self->ensemble = ensemble;
  self->opened_model = g_steal_pointer (&model);
  self->opened_device = g_steal_pointer (&device);
  GST_OBJECT_UNLOCK (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ACTIVE_DEVICE]);
  return TRUE;
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (element);
  GstStateChangeReturn result;

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
  self->latency = self->late = 0;
  GST_OBJECT_UNLOCK (self);
  gst_ensemble_classify_reset_stream (self);
  gst_ensemble_analyser_start (self->analyser, self->ensemble);
  return TRUE;
}

static gboolean
stop (GstBaseTransform *trans)
{
  gst_ensemble_analyser_stop (GST_ENSEMBLE_CLASSIFY (trans)->analyser);
  return TRUE;
}

static GstStructure *
make_stats (GstEnsembleClassify *self)
{
  GstEnsembleAnalyserStats stats;
  guint64 late;
  gint64 n;

  gst_ensemble_analyser_get_stats (self->analyser, &stats);
  GST_OBJECT_LOCK (self);
  late = self->late;
  GST_OBJECT_UNLOCK (self);
  n = MAX (stats.analysed, 1);
  return gst_structure_new (
      "GstEnsembleClassifyStats", "analysed", G_TYPE_UINT64, stats.analysed, "skipped",
      G_TYPE_UINT64, stats.skipped, "late", G_TYPE_UINT64, late, "last-windows", G_TYPE_INT64,
      stats.last.windows, "last-prepare", G_TYPE_INT64, stats.last.prepare, "last-networks",
      G_TYPE_INT64, stats.last.networks, "last-total", G_TYPE_INT64, stats.last.total,
      "last-latency", G_TYPE_INT64, stats.last_latency, "mean-windows", G_TYPE_INT64,
      stats.sum.windows / n, "mean-prepare", G_TYPE_INT64, stats.sum.prepare / n, "mean-networks",
      G_TYPE_INT64, stats.sum.networks / n, "mean-total", G_TYPE_INT64, stats.sum.total / n,
      "mean-latency", G_TYPE_INT64, stats.sum_latency / n, NULL);
}

static gint
compare_scales (gconstpointer a, gconstpointer b)
{
  return *(const guint *)a < *(const guint *)b ? -1 : *(const guint *)a > *(const guint *)b;
}

/* Object lock held. Elements beyond the last that fits are left out. */
static void
set_scales (GstEnsembleSettings *settings, const GValue *array)
{
  guint n = MIN (gst_value_array_get_size (array), GST_ENSEMBLE_MAX_SCALES);

  for (guint i = 0; i < n; i++)
    settings->scales[i] = g_value_get_uint (gst_value_array_get_value (array, i));
  settings->n_scales = n;
  qsort (settings->scales, n, sizeof settings->scales[0], compare_scales);
}

/* Object lock held. */
static void
get_scales (const GstEnsembleSettings *settings, GValue *array)
{
  for (guint i = 0; i < settings->n_scales; i++) {
    GValue scale = G_VALUE_INIT;

    g_value_init (&scale, G_TYPE_UINT);
    g_value_set_uint (&scale, settings->scales[i]);
    gst_value_array_append_and_take_value (array, &scale);
  }
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_MODEL:
    g_free (self->model);
    self->model = g_value_dup_string (value);
    break;
  case PROP_DEVICE:
    g_free (self->device);
    self->device =
        g_strdup (g_value_get_string (value) ? g_value_get_string (value) : DEFAULT_DEVICE);
    break;
  case PROP_INFERENCE_INTERVAL:
    self->interval = g_value_get_uint (value);
    break;
  case PROP_INFERENCE_PERIOD:
    self->period = g_value_get_uint64 (value);
    break;
  case PROP_MODE:
    self->mode = g_value_get_enum (value);
    break;
  case PROP_WINDOWS:
    self->settings.windows = g_value_get_int (value);
    break;
  case PROP_SCALES:
    set_scales (&self->settings, value);
    break;
  case PROP_THRESHOLD:
    self->settings.threshold = g_value_get_float (value);
    break;
  case PROP_SUB_IMAGES:
    self->settings.sub_images = g_value_get_enum (value);
    break;
  case PROP_MAX_SUB_IMAGES:
    self->settings.max_sub_images = g_value_get_uint (value);
    break;
  case PROP_TOP_K:
    self->settings.top_k = g_value_get_uint (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
  if (id == PROP_MODE)
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (object);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, make_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_MODEL:
    g_value_set_string (value, self->model);
    break;
  case PROP_DEVICE:
    g_value_set_string (value, self->device);
    break;
  case PROP_ACTIVE_DEVICE:
    if (self->ensemble != NULL)
      g_value_set_string (value, ens_device_get_name (ens_ensemble_get_device (self->ensemble)));
    break;
  case PROP_INFERENCE_INTERVAL:
    g_value_set_uint (value, self->interval);
    break;
  case PROP_INFERENCE_PERIOD:
    g_value_set_uint64 (value, self->period);
    break;
  case PROP_MODE:
    g_value_set_enum (value, self->mode);
    break;
  case PROP_WINDOWS:
    g_value_set_int (value, self->settings.windows);
    break;
  case PROP_SCALES:
    get_scales (&self->settings, value);
    break;
  case PROP_THRESHOLD:
    g_value_set_float (value, self->settings.threshold);
    break;
  case PROP_SUB_IMAGES:
    g_value_set_enum (value, self->settings.sub_images);
    break;
  case PROP_MAX_SUB_IMAGES:
    g_value_set_uint (value, self->settings.max_sub_images);
    break;
  case PROP_TOP_K:
    g_value_set_uint (value, self->settings.top_k);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
finalize (GObject *object)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (object);

  gst_ensemble_analyser_free (self->analyser);
  g_free (self->model);
  g_free (self->device);
  G_OBJECT_CLASS (gst_ensemble_classify_parent_class)->finalize (object);
}

#define READY (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)
#define READ_ONLY (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
make_bundle_properties (void)
{
  props[PROP_MODEL] = g_param_spec_string (
      "model", "Model", "Folder of the bundle, NAME.ensemble (required)", NULL, READY);
  props[PROP_DEVICE] =
      g_param_spec_string ("device", "Device",
                           "Where networks run: auto (a GPU if there is one, else the CPU), cpu, "
                           "vulkan or vulkan:N",
                           DEFAULT_DEVICE, READY);
  props[PROP_ACTIVE_DEVICE] =
      g_param_spec_string ("active-device", "Active device",
                           "The device that the bundle was opened on", NULL, READ_ONLY);
}

static void
make_sampling_properties (void)
{
  props[PROP_INFERENCE_INTERVAL] = g_param_spec_uint (
      "inference-interval", "Inference interval", "Analyse one frame of this many (1: every frame)",
      1, G_MAXUINT, 1, PLAYING);
  props[PROP_INFERENCE_PERIOD] = g_param_spec_uint64 (
      "inference-period", "Inference period",
      "Nanoseconds of running time between analysed frames; the interval holds too (0: any)", 0,
      G_MAXINT64, 0, PLAYING);
  props[PROP_MODE] =
      g_param_spec_enum ("mode", "Mode", "Whether a sampled frame waits for its result",
                         GST_TYPE_ENSEMBLE_MODE, GST_ENSEMBLE_MODE_AUTO, PLAYING);
}

static void
make_sub_image_properties (void)
{
  props[PROP_SUB_IMAGES] = g_param_spec_enum (
      "sub-images", "Sub-images",
      "Whether frames are divided into overlapping sub-images that are judged one by one",
      GST_TYPE_ENSEMBLE_SUB_IMAGES, ENS_SUB_IMAGES_AUTO, PLAYING);
  props[PROP_MAX_SUB_IMAGES] = g_param_spec_uint (
      "max-sub-images", "Maximum of sub-images",
      "Sub-images per frame at most: of larger frames they are larger (0: the bundle's number)", 0,
      MAX_SUB_IMAGES, 0, PLAYING);
}

static void
make_analysis_properties (void)
{
  props[PROP_WINDOWS] = g_param_spec_int (
      "windows", "Windows",
      "Windows judged per frame at most, shared among its sub-images, at least one for each (-1: "
      "the bundle's number, 0: none)",
      -1, MAX_WINDOWS, -1, PLAYING);
  props[PROP_SCALES] = gst_param_spec_array (
      "scales", "Scales",
      "Shorter sides the whole frame is scaled to, for instance <256, 384>, at most 8 (empty: the "
      "bundle's)",
      g_param_spec_uint ("scale", "Scale", "Pixels", MIN_SCALE, MAX_SCALE, 256,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS),
      PLAYING);
  props[PROP_THRESHOLD] = g_param_spec_float (
      "threshold", "Threshold",
      "Probability from which a class counts as present (-1: the bundle's, one per class)", -1, 1,
      -1, PLAYING);
  props[PROP_TOP_K] = g_param_spec_uint (
      "top-k", "Top k", "Keep only the most probable classes in the metadata (0: all)", 0,
      G_MAXUINT, 0, PLAYING);
  props[PROP_STATS] = g_param_spec_boxed (
      "stats", "Statistics",
      "Since the start: frames analysed, skipped (a newer one took their place or a flush came) "
      "and "
      "late (not analysed because downstream reported lateness); last and mean nanoseconds of the "
      "stages windows, prepare, networks and of their total; latency from frame to result",
      GST_TYPE_STRUCTURE, READ_ONLY);
}

static void
gst_ensemble_classify_class_init (GstEnsembleClassifyClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ensemble_classify_debug, "ensembleclassify", 0,
                           "tagging video with an ensemble of networks");
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  make_bundle_properties ();
  make_sampling_properties ();
  make_analysis_properties ();
  make_sub_image_properties ();
  g_object_class_install_properties (object, N_PROPS, props);

  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (
      element, "Ensemble classifier", "Filter/Analyzer/Video",
      "Tags video with the class probabilities of an ensemble of networks",
      "The gst-ensemble authors");
  gst_type_mark_as_plugin_api (GST_TYPE_ENSEMBLE_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ENSEMBLE_SUB_IMAGES, 0);
  element->change_state = change_state;

  transform->start = start;
  transform->stop = stop;
  gst_ensemble_classify_init_stream (transform);
}

static void
gst_ensemble_classify_init (GstEnsembleClassify *self)
{
  self->device = g_strdup (DEFAULT_DEVICE);
  self->interval = 1;
  self->settings = (GstEnsembleSettings) {.windows = -1, .threshold = -1};
  self->earliest = GST_CLOCK_TIME_NONE;
  self->analyser = gst_ensemble_analyser_new ();
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), TRUE);
  gst_ensemble_classify_explain_caps (self);
}
