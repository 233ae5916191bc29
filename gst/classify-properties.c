/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of ensembleclassify. */
#include "ensemble-classify.h"

#include "ensemble/bundle.h"
#include "property-members.h"

enum {
  PROP_0,
  PROP_MODEL,
  PROP_WATCH_MODEL,
  PROP_DEVICE,
  PROP_MAX_MEMORY,
  PROP_MAX_OPERATIONS,
  PROP_ACTIVE_DEVICE,
  PROP_INFERENCE_INTERVAL,
  PROP_INFERENCE_PERIOD,
  PROP_MAX_INFERENCE_PERIOD,
  PROP_MOTION,
  PROP_MODE,
  PROP_CPU_BUDGET,
  PROP_LATENCY_BUDGET,
  PROP_THREADS,
  PROP_BATCH_SIZE,
  PROP_BATCH_TIMEOUT,
  PROP_WINDOWS,
  PROP_SCALES,
  PROP_CROP,
  PROP_INFERENCE_REGION,
  PROP_OBJECT_CLASS,
  PROP_THRESHOLD,
  PROP_SUB_IMAGES,
  PROP_MAX_SUB_IMAGES,
  PROP_TILE_TOLERANCE,
  PROP_GATE,
  PROP_STYLE,
  PROP_EMBEDDING,
  PROP_TOP_K,
  PROP_STATS,
  N_PROPS
};

/* From here on. */
#define EVENTS_PROPS 100
#define COLLECT_PROPS 200

/* More than any machine has. */
#define MAX_THREADS 1024
#define MAX_BATCH_SIZE 64

static GParamSpec *props[N_PROPS];

#define GST_TYPE_ENSEMBLE_MODE (mode_get_type ())

static GType
mode_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_ENSEMBLE_MODE_AUTO, "Async if the source is live, else sync", "auto"},
      {GST_ENSEMBLE_MODE_SYNC, "A sampled frame waits for its own result", "sync"},
      {GST_ENSEMBLE_MODE_ASYNC,
       "Video never waits; later frames carry the latest result and its age", "async"},
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
  static GEnumValue values[] = {
      {ENS_SUB_IMAGES_AUTO, "Divide frames that the bundle counts as large into tiles", NULL},
      {ENS_SUB_IMAGES_OFF, "Classify every frame as a whole", NULL},
      {ENS_SUB_IMAGES_ON, "Divide every frame that is larger than a tile", NULL},
      {ENS_SUB_IMAGES_BOTH, "Classify large frames tiled and whole; the higher probability wins",
       NULL},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type)) {
    for (GEnumValue *value = values; value->value_name != NULL; value++)
      value->value_nick = ens_sub_images_names[value->value];
    g_once_init_leave (&type, g_enum_register_static ("GstEnsembleSubImages", values));
  }
  return type;
}

static GstStructure *
make_stats (GstEnsembleClassify *self)
{
  GstEnsembleAnalyserStats stats;
  guint64 late, unusable, without_regions, still;
  gint64 n;

  gst_ensemble_analyser_get_stats (self->analyser, &stats);
  GST_OBJECT_LOCK (self);
  late = self->late;
  unusable = self->unusable;
  without_regions = self->n_without_regions;
  still = self->motion.n_still;
  GST_OBJECT_UNLOCK (self);
  n = MAX (stats.analysed, 1);
  return gst_structure_new (
      "GstEnsembleClassifyStats", "analysed", G_TYPE_UINT64, stats.analysed, "skipped",
      G_TYPE_UINT64, stats.skipped, "late", G_TYPE_UINT64, late, "failed", G_TYPE_UINT64,
      stats.failed, "unusable", G_TYPE_UINT64, unusable, "without-regions", G_TYPE_UINT64,
      without_regions, "still", G_TYPE_UINT64, still, "reused", G_TYPE_UINT64, stats.reused,
      "batched", G_TYPE_UINT64, stats.batched, "mean-batch", G_TYPE_DOUBLE,
      stats.sum_batch / (double)MAX (stats.ran, 1), "missed", G_TYPE_UINT64, stats.pace.missed,
      "cut", G_TYPE_UINT64, stats.pace.cut, "cut-windows", G_TYPE_UINT64,
      (guint64)stats.pace.now.windows, "cut-sub-images", G_TYPE_UINT64,
      (guint64)stats.pace.now.sub_images, "cut-scales", G_TYPE_UINT64,
      (guint64)stats.pace.now.scales, "cut-frames", G_TYPE_UINT64, (guint64)stats.pace.now.frames,
      "last-cpu", G_TYPE_INT64, stats.last.cpu, "mean-cpu", G_TYPE_INT64, stats.sum.cpu / n,
      "last-windows", G_TYPE_INT64, stats.last.windows, "last-prepare", G_TYPE_INT64,
      stats.last.prepare, "last-networks", G_TYPE_INT64, stats.last.networks, "last-total",
      G_TYPE_INT64, stats.last.total, "last-latency", G_TYPE_INT64, stats.last_latency,
      "mean-windows", G_TYPE_INT64, stats.sum.windows / n, "mean-prepare", G_TYPE_INT64,
      stats.sum.prepare / n, "mean-networks", G_TYPE_INT64, stats.sum.networks / n, "mean-total",
      G_TYPE_INT64, stats.sum.total / n, "mean-latency", G_TYPE_INT64, stats.sum_latency / n, NULL);
}

static gint
compare_scales (gconstpointer a, gconstpointer b)
{
  return *(const guint *)a < *(const guint *)b ? -1 : *(const guint *)a > *(const guint *)b;
}

/* Elements beyond the last that fits are left out. */
static void
read_scales (GstEnsembleSettings *settings, const GValue *array)
{
  guint n = MIN (gst_value_array_get_size (array), ENS_MAX_SCALES);

  for (guint i = 0; i < n; i++)
    settings->scales[i] = g_value_get_uint (gst_value_array_get_value (array, i));
  settings->n_scales = n;
  qsort (settings->scales, n, sizeof settings->scales[0], compare_scales);
}

static void
set_scales (GstEnsembleClassify *self, const GValue *array)
{
  GstEnsembleSettings wanted;

  read_scales (&wanted, array);
  if (!gst_ensemble_classify_check_scales (self, &wanted))
    return;
  GST_OBJECT_LOCK (self);
  read_scales (&self->settings, array);
  GST_OBJECT_UNLOCK (self);
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

#define MEMBER(member) G_STRUCT_OFFSET (GstEnsembleClassify, member)

/* Where properties are kept, guarded by the object lock; 0: not in one member. */
static const gsize members[N_PROPS] = {
    [PROP_MODEL] = MEMBER (model),
    [PROP_WATCH_MODEL] = MEMBER (watch_model),
    [PROP_DEVICE] = MEMBER (device),
    [PROP_MAX_MEMORY] = MEMBER (limits.memory),
    [PROP_MAX_OPERATIONS] = MEMBER (limits.operations),
    [PROP_INFERENCE_INTERVAL] = MEMBER (interval),
    [PROP_INFERENCE_PERIOD] = MEMBER (period),
    [PROP_MAX_INFERENCE_PERIOD] = MEMBER (motion.period),
    [PROP_MOTION] = MEMBER (motion.least),
    [PROP_MODE] = MEMBER (mode),
    [PROP_CPU_BUDGET] = MEMBER (cpu_budget),
    [PROP_LATENCY_BUDGET] = MEMBER (latency_budget),
    [PROP_THREADS] = MEMBER (threads),
    [PROP_BATCH_SIZE] = MEMBER (settings.batch_size),
    [PROP_BATCH_TIMEOUT] = MEMBER (settings.batch_timeout),
    [PROP_WINDOWS] = MEMBER (settings.windows),
    [PROP_INFERENCE_REGION] = MEMBER (inference_region),
    [PROP_OBJECT_CLASS] = MEMBER (object_class),
    [PROP_THRESHOLD] = MEMBER (settings.threshold),
    [PROP_SUB_IMAGES] = MEMBER (settings.sub_images),
    [PROP_MAX_SUB_IMAGES] = MEMBER (settings.max_sub_images),
    [PROP_TILE_TOLERANCE] = MEMBER (settings.tile_tolerance),
    [PROP_GATE] = MEMBER (settings.gate),
    [PROP_STYLE] = MEMBER (style),
    [PROP_EMBEDDING] = MEMBER (settings.embedding),
    [PROP_TOP_K] = MEMBER (settings.top_k),
};

static void
write_member (GstEnsembleClassify *self, guint id, const GValue *value)
{
  GST_OBJECT_LOCK (self);
  gst_ensemble_member_set ((char *)self + members[id], value);
  if (id == PROP_DEVICE && self->device == NULL)
    self->device = g_strdup (GST_ENSEMBLE_DEFAULT_DEVICE);
  GST_OBJECT_UNLOCK (self);
  if (id == PROP_INFERENCE_REGION)
    gst_ensemble_classify_check_regions (self);
  if (id == PROP_WATCH_MODEL)
    gst_ensemble_classify_update_watch (self);
  if (id == PROP_MODE)
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
}

static void
write_property (GstEnsembleClassify *self, guint id, const GValue *value, GParamSpec *spec)
{
  if (id >= COLLECT_PROPS)
    gst_ensemble_classify_set_collect_property (self, id - COLLECT_PROPS, value);
  else if (id >= EVENTS_PROPS)
    gst_ensemble_classify_set_events_property (self, id - EVENTS_PROPS, value);
  else if (id == PROP_MODEL)
    gst_ensemble_classify_set_model (self, g_value_get_string (value));
  else if (id == PROP_STYLE)
    gst_ensemble_classify_set_style (self, g_value_get_string (value));
  else if (id == PROP_EMBEDDING)
    gst_ensemble_classify_set_embedding (self, g_value_get_string (value));
  else if (id == PROP_SCALES)
    set_scales (self, value);
  else if (id == PROP_CROP)
    gst_ensemble_classify_set_crop (self, value);
  else if (id < N_PROPS && members[id] != 0)
    write_member (self, id, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (self, id, spec);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (object);

  write_property (self, id, value, spec);
  /* Not before: a frame between would have the old value under the new revision. */
  GST_OBJECT_LOCK (self);
  self->revision++;
  GST_OBJECT_UNLOCK (self);
}

static void
read_property (GstEnsembleClassify *self, guint id, GValue *value, GParamSpec *spec)
{
  if (id == PROP_SCALES)
    get_scales (&self->settings, value);
  else if (id == PROP_CROP)
    gst_ensemble_classify_get_crop (&self->settings.crop, value);
  else if (id == PROP_ACTIVE_DEVICE && self->ensemble != NULL)
    g_value_set_string (value, ens_device_get_name (ens_ensemble_get_device (self->ensemble)));
  else if (id < N_PROPS && members[id] != 0)
    gst_ensemble_member_get ((char *)self + members[id], value);
  else if (id != PROP_ACTIVE_DEVICE)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (self, id, spec);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (object);

  if (id >= COLLECT_PROPS) {
    gst_ensemble_classify_get_collect_property (self, id - COLLECT_PROPS, value);
  } else if (id >= EVENTS_PROPS) {
    gst_ensemble_classify_get_events_property (self, id - EVENTS_PROPS, value);
  } else if (id == PROP_STATS) {
    g_value_take_boxed (value, make_stats (self));
  } else {
    GST_OBJECT_LOCK (self);
    read_property (self, id, value, spec);
    GST_OBJECT_UNLOCK (self);
  }
}

#define READY (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)
#define READ_ONLY (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
make_bundle_properties (void)
{
  props[PROP_MODEL] = g_param_spec_string (
      "model", "Model",
      "Folder of the bundle, NAME.ensemble (required). While playing it is opened in the "
      "background; one that can't be used is refused, and the one before stays",
      NULL, PLAYING);
  props[PROP_WATCH_MODEL] = g_param_spec_boolean (
      "watch-model", "Watch model",
      "Open the bundle again when its files are replaced, once they are complete", FALSE, PLAYING);
  props[PROP_DEVICE] =
      g_param_spec_string ("device", "Device",
                           "Where networks run: auto (a GPU if there is one, else the CPU), cpu, "
                           "vulkan, vulkan:N or vulkan:TEXT (part of a name or UUID); "
                           "vulkan+float16 for float16 storage",
                           GST_ENSEMBLE_DEFAULT_DEVICE, READY);
  props[PROP_MAX_MEMORY] = g_param_spec_uint64 (
      "max-memory", "Maximum memory",
      "Bytes that a network may take while it runs, without its weights (0: what the machine, the "
      "container and the process's limits leave)",
      0, G_MAXUINT64, 0, READY);
  props[PROP_MAX_OPERATIONS] = g_param_spec_uint64 (
      "max-operations", "Maximum of operations",
      "Multiplications and additions that a network may take for one image (a frame, sub-image or "
      "window); more is an error when it is planned (0: 4000000000000)",
      0, G_MAXUINT64, 0, READY);
  props[PROP_ACTIVE_DEVICE] =
      g_param_spec_string ("active-device", "Active device",
                           "The device that the bundle was opened on", NULL, READ_ONLY);
}

static void
make_frame_gate_properties (void)
{
  props[PROP_INFERENCE_INTERVAL] = g_param_spec_uint (
      "inference-interval", "Inference interval", "Analyse one frame of this many (1: every frame)",
      1, G_MAXUINT, 1, PLAYING);
  props[PROP_INFERENCE_PERIOD] = g_param_spec_uint64 (
      "inference-period", "Inference period",
      "Minimum running time between analysed frames in nanoseconds, beside the interval (0: none)",
      0, G_MAXINT64, 0, PLAYING);
  props[PROP_MOTION] = g_param_spec_double (
      "motion", "Motion",
      "Analyse a frame that is due only if at least this share of its blocks of 8x8 pixels has "
      "changed since the last one that was analysed, noise left aside; 0.002 suits most cameras "
      "(0: analyse still frames too)",
      0, 1, 0, PLAYING);
  props[PROP_MAX_INFERENCE_PERIOD] = g_param_spec_uint64 (
      "max-inference-period", "Maximum inference period",
      "Running time in nanoseconds after which a frame is analysed however still it is (0: none)",
      0, G_MAXINT64, 0, PLAYING);
  props[PROP_MODE] =
      g_param_spec_enum ("mode", "Mode", "Whether an analysed frame waits for its own result",
                         GST_TYPE_ENSEMBLE_MODE, GST_ENSEMBLE_MODE_AUTO, PLAYING);
}

static void
make_region_properties (void)
{
  props[PROP_CROP] = gst_param_spec_array (
      "crop", "Crop",
      "The part of the frame that is analysed, as if it were the frame: x, y, width and height as "
      "shares of the frame, for instance <0.25, 0.5, 0.5, 0.5>; results keep the whole frame's "
      "coordinates (empty: all of it)",
      g_param_spec_double ("number", "Number", "A share of the frame", -G_MAXFLOAT, G_MAXFLOAT, 0,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS),
      PLAYING);
  props[PROP_INFERENCE_REGION] = g_param_spec_enum (
      "inference-region", "Inference region",
      "What is classified beside the whole frame: region proposals (windows), or regions that "
      "elements upstream have attached; a frame without such regions is not analysed",
      GST_TYPE_ENSEMBLE_INFERENCE_REGION, GST_ENSEMBLE_INFERENCE_REGION_FULL_FRAME, PLAYING);
  props[PROP_OBJECT_CLASS] = g_param_spec_string (
      "object-class", "Object class",
      "Types of the regions that inference-region=roi-list classifies, separated by commas, for "
      "instance car,truck (empty: all)",
      NULL, PLAYING);
}

static void
make_pace_properties (void)
{
  props[PROP_CPU_BUDGET] = g_param_spec_int64 (
      "cpu-budget", "CPU budget",
      "Processor time for an analysed frame in nanoseconds: windows, sub-images and in the end "
      "scales that it does not pay for are left out, unless they are set (0: no limit; -1: of live "
      "streams and in "
      "async mode half of what processors have until the next frame, shared among all streams)",
      GST_ENSEMBLE_CPU_BUDGET_AUTO, G_MAXINT64, GST_ENSEMBLE_CPU_BUDGET_AUTO, PLAYING);
  props[PROP_LATENCY_BUDGET] = g_param_spec_uint64 (
      "latency-budget", "Latency budget",
      "Nanoseconds from an analysed frame to its result; while it takes longer, windows, then "
      "sub-images, scales and frames are left out (0: none)",
      0, G_MAXINT64, 0, PLAYING);
  props[PROP_THREADS] = g_param_spec_uint (
      "threads", "Threads",
      "Processors that analyses may use (0: all). Elements with the same bundle, device, limits "
      "and threads share these threads, and weights",
      0, MAX_THREADS, 0, READY);
  props[PROP_BATCH_SIZE] = g_param_spec_uint (
      "batch-size", "Batch size",
      "Elements with the same bundle, device, limits and threads whose frames may go through a "
      "network together, at most (1: each by itself). Results then differ by less than 0.00001",
      1, MAX_BATCH_SIZE, 1, PLAYING);
  props[PROP_BATCH_TIMEOUT] = g_param_spec_uint64 (
      "batch-timeout", "Batch timeout",
      "Nanoseconds that a frame waits for frames of other elements until a batch is full, in all "
      "(0: it goes with those that wait already)",
      0, G_MAXINT64, 0, PLAYING);
}

static void
make_sub_image_properties (void)
{
  props[PROP_SUB_IMAGES] =
      g_param_spec_enum ("sub-images", "Sub-images",
                         "Whether frames are divided into overlapping sub-images (tiles) that are "
                         "classified one by one",
                         GST_TYPE_ENSEMBLE_SUB_IMAGES, ENS_SUB_IMAGES_AUTO, PLAYING);
  props[PROP_MAX_SUB_IMAGES] = g_param_spec_uint (
      "max-sub-images", "Maximum of sub-images",
      "Maximum number of sub-images (tiles) per frame; larger frames get larger ones (0: the "
      "bundle's number)",
      0, ENS_MAX_SUB_IMAGES, 0, PLAYING);
  props[PROP_TILE_TOLERANCE] = g_param_spec_float (
      "tile-tolerance", "Tile tolerance",
      "Sub-images (tiles; the frame, if it is not divided) keep their probabilities while no mean "
      "of "
      "a block of 8x8 pixels changes by more than this many grey levels (0: while no byte changes, "
      "which gives the same result; -1: never)",
      -1, 255, 0, PLAYING);
}

static void
make_analysis_properties (void)
{
  props[PROP_WINDOWS] = g_param_spec_int (
      "windows", "Windows",
      "Maximum number of windows (region proposals) classified per frame, shared among its "
      "sub-images, at least one for each (-1: the bundle's number, 0: none)",
      -1, ENS_MAX_WINDOWS, -1, PLAYING);
  props[PROP_SCALES] = gst_param_spec_array (
      "scales", "Scales",
      "Input scales: shorter sides that the whole frame is resized to, for instance <256, 384>, at "
      "most 8 (empty: the bundle's)",
      g_param_spec_uint ("scale", "Scale", "Pixels", ENS_MIN_SCALE, ENS_MAX_SIDE, 256,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS),
      PLAYING);
  props[PROP_THRESHOLD] = g_param_spec_float (
      "threshold", "Threshold",
      "Probability from which a class is present (-1: the bundle's, tuned per class)", -1, 1, -1,
      PLAYING);
  props[PROP_GATE] = g_param_spec_boolean (
      "gate", "Gate",
      "Withhold classes from frames that resemble none of their training images, if the bundle has "
      "a gate",
      TRUE, PLAYING);
  props[PROP_STYLE] = g_param_spec_string (
      "style", "Style",
      "What gives frames of this camera the look of the training pictures: a style of the bundle, "
      "or an ONNX file made by gst-ensemble-1.0 train-style (none). One that can't be loaded is "
      "refused, and the one before stays",
      NULL, PLAYING);
  props[PROP_EMBEDDING] = g_param_spec_string (
      "embedding", "Embedding",
      "Name of a network of the bundle whose features of the whole frame go with each result, for "
      "search by similarity (none). A frame that is divided costs one more run of it",
      NULL, PLAYING);
  props[PROP_TOP_K] = g_param_spec_uint (
      "top-k", "Top k", "Keep only the most probable classes in the metadata (0: all)", 0,
      G_MAXUINT, 0, PLAYING);
  props[PROP_STATS] = g_param_spec_boxed (
      "stats", "Statistics",
      "Counted since the start. Frames: analysed, skipped (replaced by a newer one, or flushed), "
      "late (not analysed because downstream reported lateness), failed (could not be analysed), "
      "unusable (flagged as a gap or corrupted when one was due), without-regions (not analysed "
      "because inference-region=roi-list found none), still (not analysed because of motion), "
      "missed (results that were not ready in their period), cut (results for which something "
      "was left out; cut-windows, cut-sub-images, cut-scales, cut-frames: what, at present). "
      "batched (shared a run of a network with other elements' frames; mean-batch: frames in a "
      "run, on average). Sub-images: reused, because they had not changed. "
      "Nanoseconds, last and mean: "
      "windows (region proposals), prepare (preprocessing), networks, total, latency from "
      "frame to result, and cpu (processor time)",
      GST_TYPE_STRUCTURE, READ_ONLY);
}

void
gst_ensemble_classify_install_properties (GObjectClass *object)
{
  object->set_property = set_property;
  object->get_property = get_property;
  make_bundle_properties ();
  make_frame_gate_properties ();
  make_analysis_properties ();
  make_pace_properties ();
  make_region_properties ();
  make_sub_image_properties ();
  g_object_class_install_properties (object, N_PROPS, props);
  gst_ensemble_classify_install_events_properties (object, EVENTS_PROPS);
  gst_ensemble_classify_install_collect_properties (object, COLLECT_PROPS);
  gst_type_mark_as_plugin_api (GST_TYPE_ENSEMBLE_INFERENCE_REGION, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ENSEMBLE_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ENSEMBLE_SUB_IMAGES, 0);
}
