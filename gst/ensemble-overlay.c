/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-ensembleoverlay
 * @title: ensembleoverlay
 *
 * Draws the results that ensembleclassify has attached to buffers onto the video: the classes that
 * are present with bars of their probabilities, the windows (region proposals) that show them, what
 * the gate withholds, and how old the result is. Text grows with the frame.
 *
 * Sinks that compose overlays themselves get a GstVideoOverlayCompositionMeta, and the video passes
 * untouched; else the overlay is blended into the frames.
 *
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble ! ensembleoverlay ! videoconvert ! autovideosink
 * ]| Shows a video with its tags.
 */
#include "ensemble-overlay.h"

#include <gst/ensemble/ensemble.h>

#include "overlay-scene.h"
#include "property-members.h"

GST_DEBUG_CATEGORY_STATIC (gst_ensemble_overlay_debug);
#define GST_CAT_DEFAULT gst_ensemble_overlay_debug

#define DEFAULT_FONT "Sans Bold"
#define DEFAULT_TEXT 0xFFFFFFFFu
#define DEFAULT_BACKGROUND 0xB0000000u

#define COMPOSITION GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION

/* Blended in memory of these formats; in any memory where downstream composes. */
#define CAPS                                                        \
  GST_VIDEO_CAPS_MAKE (GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS) \
  ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES ("ANY", GST_VIDEO_FORMATS_ALL)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

struct _GstEnsembleOverlay {
  GstBaseTransform parent;

  /* Guarded by the object lock. */
  OverlayOptions options;
  gboolean changed; /* since the overlay was drawn */

  /* Of the streaming thread. */
  GstVideoInfo info;
  gboolean asked, attach; /* downstream composes */
  GPtrArray *drawn;       /* EnsResult: what the overlay shows */
  GPtrArray *ages;        /* and their ages in words, "" for none */
  GstVideoOverlayComposition *overlay;
};

enum {
  PROP_0,
  PROP_LABELS,
  PROP_BARS,
  PROP_WINDOWS,
  PROP_WITHHELD,
  PROP_AGE,
  PROP_THRESHOLD,
  PROP_MAX_LABELS,
  PROP_POSITION,
  PROP_FONT,
  PROP_TEXT_SCALE,
  PROP_COLOR,
  PROP_BACKGROUND,
  N_PROPS,
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (GstEnsembleOverlay, gst_ensemble_overlay, GST_TYPE_BASE_TRANSFORM)

#define GST_TYPE_ENSEMBLE_OVERLAY_POSITION (gst_ensemble_overlay_position_get_type ())
static GType
gst_ensemble_overlay_position_get_type (void)
{
  static const GEnumValue values[] = {
      {OVERLAY_TOP_LEFT, "Upper left corner", "top-left"},
      {OVERLAY_TOP_RIGHT, "Upper right corner", "top-right"},
      {OVERLAY_BOTTOM_LEFT, "Lower left corner", "bottom-left"},
      {OVERLAY_BOTTOM_RIGHT, "Lower right corner", "bottom-right"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstEnsembleOverlayPosition", values));
  return type;
}

/* A structure of caps with the overlay's feature, or without it. (transfer full) */
static GstCaps *
with_feature (const GstStructure *structure, const GstCapsFeatures *features, gboolean with)
{
  GstCaps *caps = gst_caps_new_empty ();
  GstCapsFeatures *changed = gst_caps_features_copy (features);

  gst_caps_features_remove (changed, COMPOSITION);
  if (with)
    gst_caps_features_add (changed, COMPOSITION);
  gst_caps_append_structure_full (caps, gst_structure_copy (structure), changed);
  return caps;
}

/* What of it an overlay can be blended into. (transfer full) */
static GstCaps *
list_blendable (const GstStructure *structure, const GstCapsFeatures *features)
{
  static GstStaticCaps blendable =
      GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS));
  g_autoptr (GstCaps) plain = with_feature (structure, features, FALSE);
  g_autoptr (GstCaps) allowed = gst_static_caps_get (&blendable);

  return gst_caps_intersect_full (plain, allowed, GST_CAPS_INTERSECT_FIRST);
}

/* What becomes of one structure. Towards the sink frames gain the feature, so that downstream
 * composes; or they are blended into, unless an element upstream left overlays on them. Towards the
 * source the other way round. (transfer full) */
static GstCaps *
transform_structure (GstPadDirection direction, const GstStructure *structure,
                     const GstCapsFeatures *features)
{
  gboolean composed = gst_caps_features_contains (features, COMPOSITION);
  GstCaps *caps = gst_caps_new_empty ();

  if (direction == GST_PAD_SINK || composed)
    gst_caps_append (caps, with_feature (structure, features, TRUE));
  if (!composed)
    gst_caps_append (caps, list_blendable (structure, features));
  else if (direction == GST_PAD_SRC)
    gst_caps_append (caps, with_feature (structure, features, FALSE));
  return caps;
}

static GstCaps *
transform_caps (GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *structure = gst_caps_get_structure (caps, i);
    GstCapsFeatures *features = gst_caps_get_features (caps, i);

    if (gst_caps_features_is_any (features))
      gst_caps_append_structure_full (result, gst_structure_copy (structure),
                                      gst_caps_features_new_any ());
    else
      gst_caps_append (result, transform_structure (direction, structure, features));
  }
  if (filter != NULL)
    gst_caps_take (&result, gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST));
  return result;
}

static void
forget_overlay (GstEnsembleOverlay *self)
{
  g_ptr_array_set_size (self->drawn, 0);
  g_ptr_array_set_size (self->ages, 0);
  g_clear_pointer (&self->overlay, gst_video_overlay_composition_unref);
}

static gboolean
set_caps (GstBaseTransform *trans, GstCaps *in, GstCaps *out)
{
  GstEnsembleOverlay *self = GST_ENSEMBLE_OVERLAY (trans);

  forget_overlay (self);
  self->asked = FALSE;
  return gst_video_info_from_caps (&self->info, in);
}

/* Whether downstream composes, which caps alone don't tell: sinks that take anything accept them,
 * too. An element that works in place is not told of the answer to upstream's query, so it asks. */
static void
ask_downstream (GstEnsembleOverlay *self)
{
  GstPad *pad = GST_BASE_TRANSFORM_SRC_PAD (self);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstQuery) query = NULL;

  /* The pad was deactivated while this frame was on its way. */
  if (caps == NULL)
    return;
  query = gst_query_new_allocation (caps, FALSE);
  self->asked = TRUE;
  self->attach =
      gst_caps_features_contains (gst_caps_get_features (caps, 0), COMPOSITION)
      && gst_pad_peer_query (pad, query)
      && gst_query_find_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  GST_INFO_OBJECT (self, "overlays are %s", self->attach ? "composed downstream" : "blended");
}

/* What a buffer carries: results, borrowed from it; and their ages in words, "" where none is
 * shown. */
static GArray *
read_results (GstBuffer *buffer, gboolean with_age, GPtrArray *ages)
{
  GArray *results = g_array_new (FALSE, FALSE, sizeof (OverlayResult));
  gpointer state = NULL;
  GstEnsembleMeta *meta;

  while ((meta = gst_buffer_iterate_ensemble_meta (buffer, &state)) != NULL) {
    OverlayResult one = {gst_ensemble_meta_get_result (meta), gst_ensemble_meta_get_age (meta)};
    char *age = with_age ? overlay_age_text (one.age) : NULL;

    if (one.result != NULL) {
      g_ptr_array_add (ages, age != NULL ? age : g_strdup (""));
      g_array_append_val (results, one);
    }
  }
  return results;
}

static gboolean
is_drawn (const GstEnsembleOverlay *self, const GArray *results, const GPtrArray *ages)
{
  if (results->len != self->drawn->len)
    return FALSE;
  for (guint i = 0; i < results->len; i++) {
    if (g_array_index (results, OverlayResult, i).result != g_ptr_array_index (self->drawn, i)
        || !g_str_equal (g_ptr_array_index (ages, i), g_ptr_array_index (self->ages, i)))
      return FALSE;
  }
  return TRUE;
}

/* ages: (transfer full) */
static void
draw (GstEnsembleOverlay *self, const OverlayOptions *options, const GArray *results,
      GPtrArray *ages)
{
  forget_overlay (self);
  g_ptr_array_unref (self->ages);
  self->ages = ages;
  for (guint i = 0; i < results->len; i++)
    g_ptr_array_add (self->drawn, g_boxed_copy (GST_TYPE_ENSEMBLE_RESULT,
                                                g_array_index (results, OverlayResult, i).result));
  self->overlay = overlay_scene_new (options, (const OverlayResult *)(gpointer)results->data,
                                     results->len, (guint)GST_VIDEO_INFO_WIDTH (&self->info),
                                     (guint)GST_VIDEO_INFO_HEIGHT (&self->info));
}

/* Draws again only what looks different from what the last frame had. */
static void
update_overlay (GstEnsembleOverlay *self, GstBuffer *buffer)
{
  GPtrArray *ages = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) results = NULL;
  g_autofree char *font = NULL;
  OverlayOptions options;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  options = self->options;
  font = options.font = g_strdup (options.font);
  changed = self->changed;
  self->changed = FALSE;
  GST_OBJECT_UNLOCK (self);
  results = read_results (buffer, options.age, ages);
  if (changed || !is_drawn (self, results, ages))
    draw (self, &options, results, ages);
  else
    g_ptr_array_unref (ages);
}

/* Adds to what elements upstream left there for the sink to compose. */
static void
attach_overlay (const GstEnsembleOverlay *self, GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);
  GstVideoOverlayComposition *both;

  if (meta == NULL) {
    gst_buffer_add_video_overlay_composition_meta (buffer, self->overlay);
    return;
  }
  both = gst_video_overlay_composition_copy (meta->overlay);
  for (guint i = 0; i < gst_video_overlay_composition_n_rectangles (self->overlay); i++)
    gst_video_overlay_composition_add_rectangle (
        both, gst_video_overlay_composition_get_rectangle (self->overlay, i));
  gst_video_overlay_composition_unref (meta->overlay);
  meta->overlay = both;
}

static GstFlowReturn
blend_overlay (GstEnsembleOverlay *self, GstBuffer *buffer)
{
  GstVideoFrame frame;

  if (!gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_READWRITE)) {
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
                         ("A frame could not be mapped; it passes without its tags."), (NULL));
    return GST_FLOW_OK;
  }
  gst_video_overlay_composition_blend (self->overlay, &frame);
  gst_video_frame_unmap (&frame);
  return GST_FLOW_OK;
}

static GstFlowReturn
transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstEnsembleOverlay *self = GST_ENSEMBLE_OVERLAY (trans);

  if (GST_CLOCK_TIME_IS_VALID (GST_BUFFER_PTS (buffer)))
    gst_object_sync_values (GST_OBJECT (self), GST_BUFFER_PTS (buffer));
  update_overlay (self, buffer);
  if (self->overlay == NULL)
    return GST_FLOW_OK;
  if (!self->asked)
    ask_downstream (self);
  if (!self->attach)
    return blend_overlay (self, buffer);
  attach_overlay (self, buffer);
  return GST_FLOW_OK;
}

static gboolean
stop (GstBaseTransform *trans)
{
  forget_overlay (GST_ENSEMBLE_OVERLAY (trans));
  return TRUE;
}

static const gsize members[N_PROPS] = {
    [PROP_LABELS] = G_STRUCT_OFFSET (OverlayOptions, labels),
    [PROP_BARS] = G_STRUCT_OFFSET (OverlayOptions, bars),
    [PROP_WINDOWS] = G_STRUCT_OFFSET (OverlayOptions, windows),
    [PROP_WITHHELD] = G_STRUCT_OFFSET (OverlayOptions, withheld),
    [PROP_AGE] = G_STRUCT_OFFSET (OverlayOptions, age),
    [PROP_THRESHOLD] = G_STRUCT_OFFSET (OverlayOptions, threshold),
    [PROP_MAX_LABELS] = G_STRUCT_OFFSET (OverlayOptions, max_labels),
    [PROP_POSITION] = G_STRUCT_OFFSET (OverlayOptions, corner),
    [PROP_TEXT_SCALE] = G_STRUCT_OFFSET (OverlayOptions, text_scale),
    [PROP_COLOR] = G_STRUCT_OFFSET (OverlayOptions, text),
    [PROP_BACKGROUND] = G_STRUCT_OFFSET (OverlayOptions, background),
    [PROP_FONT] = G_STRUCT_OFFSET (OverlayOptions, font),
};

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstEnsembleOverlay *self = GST_ENSEMBLE_OVERLAY (object);

  if (id == PROP_0 || id >= N_PROPS) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    return;
  }
  GST_OBJECT_LOCK (self);
  gst_ensemble_member_set ((char *)&self->options + members[id], value);
  if (self->options.font == NULL)
    self->options.font = g_strdup (DEFAULT_FONT);
  self->changed = TRUE;
  GST_OBJECT_UNLOCK (self);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstEnsembleOverlay *self = GST_ENSEMBLE_OVERLAY (object);

  if (id == PROP_0 || id >= N_PROPS) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    return;
  }
  GST_OBJECT_LOCK (self);
  gst_ensemble_member_get ((char *)&self->options + members[id], value);
  GST_OBJECT_UNLOCK (self);
}

static void
finalize (GObject *object)
{
  GstEnsembleOverlay *self = GST_ENSEMBLE_OVERLAY (object);

  forget_overlay (self);
  g_ptr_array_unref (self->drawn);
  g_ptr_array_unref (self->ages);
  g_free (self->options.font);
  G_OBJECT_CLASS (gst_ensemble_overlay_parent_class)->finalize (object);
}

#define FLAGS                                                                                 \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_CONSTRUCT | GST_PARAM_MUTABLE_PLAYING \
   | GST_PARAM_CONTROLLABLE)

static void
describe_content (void)
{
  props[PROP_LABELS] = g_param_spec_boolean (
      "labels", "Labels", "Draw the names of classes and their probabilities", TRUE, FLAGS);
  props[PROP_BARS] =
      g_param_spec_boolean ("bars", "Bars", "Draw a bar of each probability", TRUE, FLAGS);
  props[PROP_WINDOWS] = g_param_spec_boolean (
      "windows", "Windows", "Draw the windows (region proposals) that show the classes", TRUE,
      FLAGS);
  props[PROP_WITHHELD] = g_param_spec_boolean (
      "withheld", "Withheld", "Draw classes that the bundle's gate withholds, dimmed", TRUE, FLAGS);
  props[PROP_AGE] =
      g_param_spec_boolean ("age", "Age", "Draw how old the result is, from 0.1 s on", TRUE, FLAGS);
  props[PROP_THRESHOLD] = g_param_spec_float (
      "threshold", "Threshold",
      "Draw classes of this probability or a higher one (-1: those that are present)", -1, 1, -1,
      FLAGS);
  props[PROP_MAX_LABELS] = g_param_spec_uint (
      "max-labels", "Maximum of labels", "Draw so many labels at most (0: what there is room for)",
      0, G_MAXUINT, 0, FLAGS);
}

static void
describe_style (void)
{
  props[PROP_POSITION] =
      g_param_spec_enum ("position", "Position", "Corner of the frame where labels are drawn",
                         GST_TYPE_ENSEMBLE_OVERLAY_POSITION, OVERLAY_TOP_LEFT, FLAGS);
  props[PROP_FONT] = g_param_spec_string (
      "font", "Font", "Font family and style, as Pango describes them, without a size",
      DEFAULT_FONT, FLAGS);
  props[PROP_TEXT_SCALE] = g_param_spec_double (
      "text-scale", "Scale of text",
      "Size of text as a multiple of 3.6 % of the frame's shorter side, 12 pixels at least", 0.25,
      8, 1, FLAGS);
  props[PROP_COLOR] = g_param_spec_uint ("color", "Colour of text", "Colour of text, as 0xAARRGGBB",
                                         0, G_MAXUINT32, DEFAULT_TEXT, FLAGS);
  props[PROP_BACKGROUND] =
      g_param_spec_uint ("background", "Background", "Colour behind text, as 0xAARRGGBB", 0,
                         G_MAXUINT32, DEFAULT_BACKGROUND, FLAGS);
}

static void
gst_ensemble_overlay_class_init (GstEnsembleOverlayClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ensemble_overlay_debug, "ensembleoverlay", 0,
                           "drawing results onto video");
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  describe_content ();
  describe_style ();
  g_object_class_install_properties (object, N_PROPS, props);
  gst_type_mark_as_plugin_api (GST_TYPE_ENSEMBLE_OVERLAY_POSITION, 0);

  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (element, "Ensemble result overlay", "Filter/Editor/Video",
                                         "Draws classification results onto video",
                                         "The gst-ensemble authors");
  transform->transform_caps = transform_caps;
  transform->set_caps = set_caps;
  transform->transform_ip = transform_ip;
  transform->stop = stop;
}

static void
gst_ensemble_overlay_init (GstEnsembleOverlay *self)
{
  self->drawn = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_result_unref);
  self->ages = g_ptr_array_new_with_free_func (g_free);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}
