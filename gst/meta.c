/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/ensemble/meta.h>

#include <math.h>

#define PROBABILITIES "probabilities"

static void
print_result (const GValue *result, GValue *text)
{
  g_value_take_string (text, ens_result_to_json (g_value_get_boxed (result), 0));
}

/* Printing lets GST_DEBUG and gst_structure_to_string () show the result. */
/* clang-format off */
G_DEFINE_BOXED_TYPE_WITH_CODE (EnsResult, gst_ensemble_result, ens_result_ref, ens_result_unref,
  g_value_register_transform_func (g_define_type_id, G_TYPE_STRING, print_result))
/* clang-format on */

/* The copy outlives the result that the name belongs to. */
static EnsClassResult *
copy_class (EnsClassResult *class_result)
{
  EnsClassResult *copy = g_memdup2 (class_result, sizeof *class_result);

  copy->name = g_intern_string (class_result->name);
  return copy;
}

static EnsWindow *
copy_window (EnsWindow *window)
{
  return g_memdup2 (window, sizeof *window);
}

/* clang-format off */
G_DEFINE_BOXED_TYPE (EnsClassResult, gst_ensemble_class_result, copy_class, g_free)
G_DEFINE_BOXED_TYPE (EnsWindow, gst_ensemble_window, copy_window, g_free)
/* clang-format on */

static gboolean
copy_field (GQuark field, const GValue *value, gpointer destination)
{
  gst_structure_id_set_value (destination, field, value);
  return TRUE;
}

static GstEnsembleMeta *
attach (GstBuffer *buffer, const GstMetaInfo *info, const GstStructure *structure)
{
  GstEnsembleMeta *meta = (GstEnsembleMeta *)gst_buffer_add_meta (buffer, info, NULL);

  gst_structure_foreach (structure, copy_field, gst_custom_meta_get_structure (&meta->meta));
  return meta;
}

/* Whatever becomes of the picture, what was found in the frame that was analysed stays true. */
static gboolean
transform_meta (GstBuffer *to, GstCustomMeta *meta, GstBuffer *from, GQuark transformation,
                gpointer data, gpointer user_data)
{
  attach (to, meta->meta.info, gst_custom_meta_get_structure (meta));
  return TRUE;
}

const GstMetaInfo *
gst_ensemble_meta_get_info (void)
{
  static const GstMetaInfo *info;
  static const char *no_tags[] = {NULL};

  if (g_once_init_enter (&info)) {
    const GstMetaInfo *registered = gst_meta_get_info (GST_ENSEMBLE_META_NAME);

    if (registered == NULL)
      registered =
          gst_meta_register_custom (GST_ENSEMBLE_META_NAME, no_tags, transform_meta, NULL, NULL);
    g_once_init_leave (&info, registered);
  }
  return info;
}

static GVariant *
doubles_variant (const float *values, guint n)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("ad"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add (&builder, "d", (double)values[i]);
  return g_variant_builder_end (&builder);
}

static GVariant *
rect_variant (const EnsRect *rect)
{
  return g_variant_new ("(dddd)", rect->x, rect->y, rect->width, rect->height);
}

static GVariant *
probabilities_variant (const EnsResult *result)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{sd}"));
  for (guint c = 0; c < result->n_classes; c++)
    g_variant_builder_add (&builder, "{sd}", result->classes[c].name, result->classes[c].p);
  return g_variant_builder_end (&builder);
}

/* What the gate says of the class, if it has anything to say. */
static void
add_gate (GVariantBuilder *builder, const EnsClassResult *class_result)
{
  g_autofree char *reason = ens_class_result_get_reason (class_result);

  if (isnan (class_result->range_low))
    return;
  g_variant_builder_add (builder, "{sv}", "similarity",
                         g_variant_new_double (class_result->similarity));
  g_variant_builder_add (builder, "{sv}", "range",
                         g_variant_new ("(dd)", class_result->range_low, class_result->range_high));
  g_variant_builder_add (builder, "{sv}", "withheld",
                         g_variant_new_boolean (class_result->withheld));
  if (reason != NULL)
    g_variant_builder_add (builder, "{sv}", "reason", g_variant_new_string (reason));
}

static GVariant *
class_variant (const EnsResult *result, const EnsClassResult *class_result)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "name", g_variant_new_string (class_result->name));
  g_variant_builder_add (&builder, "{sv}", "p", g_variant_new_double (class_result->p));
  g_variant_builder_add (&builder, "{sv}", "p1", g_variant_new_double (class_result->p1));
  g_variant_builder_add (&builder, "{sv}", "p2", g_variant_new_double (class_result->p2));
  g_variant_builder_add (&builder, "{sv}", "threshold",
                         g_variant_new_double (class_result->threshold));
  g_variant_builder_add (&builder, "{sv}", "present",
                         g_variant_new_boolean (class_result->present));
  if (class_result->window >= 0) {
    const EnsWindow *window = &result->windows[class_result->window];

    g_variant_builder_add (&builder, "{sv}", "p3", g_variant_new_double (class_result->p3));
    g_variant_builder_add (&builder, "{sv}", "window", g_variant_new_int32 (class_result->window));
    g_variant_builder_add (&builder, "{sv}", "rect", rect_variant (&window->rect));
  }
  if (class_result->state != ENS_CLASS_NO_STATE) {
    g_variant_builder_add (&builder, "{sv}", "smoothed",
                           g_variant_new_double (class_result->smoothed));
    g_variant_builder_add (&builder, "{sv}", "state",
                           g_variant_new_string (ens_class_state_get_name (class_result->state)));
  }
  if (class_result->sub_image >= 0)
    g_variant_builder_add (&builder, "{sv}", "sub_image",
                           g_variant_new_int32 (class_result->sub_image));
  add_gate (&builder, class_result);
  return g_variant_builder_end (&builder);
}

static GVariant *
classes_variant (const EnsResult *result)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint c = 0; c < result->n_classes; c++)
    g_variant_builder_add_value (&builder, class_variant (result, &result->classes[c]));
  return g_variant_builder_end (&builder);
}

static GVariant *
networks_variant (const EnsResult *result)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sad)"));
  for (guint n = 0; n < result->n_networks; n++)
    g_variant_builder_add (&builder, "(s@ad)", result->networks[n].name,
                           doubles_variant (result->networks[n].probabilities, result->n_classes));
  return g_variant_builder_end (&builder);
}

/* Which region of another element a window is. */
static void
add_origin (GVariantBuilder *builder, const EnsRegionOrigin *origin)
{
  if (origin->type != NULL)
    g_variant_builder_add (builder, "{sv}", "type", g_variant_new_string (origin->type));
  if (origin->id >= 0)
    g_variant_builder_add (builder, "{sv}", "id", g_variant_new_int32 (origin->id));
}

static GVariant *
windows_variant (const EnsResult *result)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint w = 0; w < result->n_windows; w++) {
    const EnsWindow *window = &result->windows[w];
    const float *probabilities = result->window_probabilities + (gsize)w * result->n_classes;

    g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
    if (result->regions != NULL)
      add_origin (&builder, &result->regions[w]);
    g_variant_builder_add (&builder, "{sv}", "rect", rect_variant (&window->rect));
    g_variant_builder_add (&builder, "{sv}", "score", g_variant_new_double (window->score));
    g_variant_builder_add (&builder, "{sv}", PROBABILITIES,
                           doubles_variant (probabilities, result->n_classes));
    g_variant_builder_close (&builder);
  }
  return g_variant_builder_end (&builder);
}

/* Each class's probabilities, row by row. */
static GVariant *
map_probabilities_variant (const EnsResult *result)
{
  const EnsProbabilityMap *map = result->map;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{sad}"));
  for (guint c = 0; c < result->n_classes; c++) {
    g_variant_builder_open (&builder, G_VARIANT_TYPE ("{sad}"));
    g_variant_builder_add (&builder, "s", result->classes[c].name);
    g_variant_builder_open (&builder, G_VARIANT_TYPE ("ad"));
    for (gsize s = 0; s < ens_probability_map_get_size (map); s++)
      g_variant_builder_add (&builder, "d", (double)map->probabilities[s * result->n_classes + c]);
    g_variant_builder_close (&builder);
    g_variant_builder_close (&builder);
  }
  return g_variant_builder_end (&builder);
}

static GVariant *
map_variant (const EnsResult *result)
{
  const EnsProbabilityMap *map = result->map;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "columns", g_variant_new_uint32 (map->columns));
  g_variant_builder_add (&builder, "{sv}", "rows", g_variant_new_uint32 (map->rows));
  g_variant_builder_add (&builder, "{sv}", "x", doubles_variant (map->x, map->columns));
  g_variant_builder_add (&builder, "{sv}", "y", doubles_variant (map->y, map->rows));
  g_variant_builder_add (&builder, "{sv}", "width", g_variant_new_double (map->width));
  g_variant_builder_add (&builder, "{sv}", "height", g_variant_new_double (map->height));
  g_variant_builder_add (&builder, "{sv}", PROBABILITIES, map_probabilities_variant (result));
  return g_variant_builder_end (&builder);
}

static GVariant *
embedding_variant (const EnsEmbedding *embedding)
{
  return g_variant_new ("(s@ad)", embedding->network,
                        doubles_variant (embedding->values, embedding->n_values));
}

static GVariant *
cut_variant (const EnsCut *cut)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{su}"));
  g_variant_builder_add (&builder, "{su}", "windows", cut->windows);
  g_variant_builder_add (&builder, "{su}", "sub_images", cut->sub_images);
  g_variant_builder_add (&builder, "{su}", "scales", cut->scales);
  g_variant_builder_add (&builder, "{su}", "frames", cut->frames);
  return g_variant_builder_end (&builder);
}

static GVariant *
timings_variant (const EnsTimings *timings)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{sx}"));
  g_variant_builder_add (&builder, "{sx}", "windows", timings->windows);
  g_variant_builder_add (&builder, "{sx}", "prepare", timings->prepare);
  g_variant_builder_add (&builder, "{sx}", "networks", timings->networks);
  g_variant_builder_add (&builder, "{sx}", "total", timings->total);
  g_variant_builder_add (&builder, "{sx}", "cpu", timings->cpu);
  return g_variant_builder_end (&builder);
}

static void
take_variant (GstStructure *structure, const char *field, GVariant *variant)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_VARIANT);
  g_value_take_variant (&value, variant);
  gst_structure_take_value (structure, field, &value);
}

GstStructure *
gst_ensemble_structure_new (EnsResult *result)
{
  GstStructure *structure;

  g_return_val_if_fail (result != NULL, NULL);
  structure = gst_structure_new (GST_ENSEMBLE_META_NAME, "schema", G_TYPE_STRING, ENS_RESULT_SCHEMA,
                                 "bundle", G_TYPE_STRING, result->bundle, "version", G_TYPE_STRING,
                                 result->version, "pts", G_TYPE_UINT64, result->pts, "age",
                                 G_TYPE_UINT64, G_GUINT64_CONSTANT (0), "width", G_TYPE_UINT,
                                 result->width, "height", G_TYPE_UINT, result->height, NULL);
  if (result->style != NULL)
    gst_structure_set (structure, "style", G_TYPE_STRING, result->style, NULL);
  if (result->reused > 0)
    gst_structure_set (structure, "reused", G_TYPE_UINT, result->reused, NULL);
  if (result->cut != NULL)
    take_variant (structure, "cut", cut_variant (result->cut));
  take_variant (structure, PROBABILITIES, probabilities_variant (result));
  take_variant (structure, "classes", classes_variant (result));
  take_variant (structure, "networks", networks_variant (result));
  take_variant (structure, "windows", windows_variant (result));
  if (result->map != NULL)
    take_variant (structure, "map", map_variant (result));
  if (result->embedding != NULL)
    take_variant (structure, "embedding", embedding_variant (result->embedding));
  take_variant (structure, "timings", timings_variant (&result->timings));
  gst_structure_set (structure, "result", GST_TYPE_ENSEMBLE_RESULT, result, NULL);
  return structure;
}

GstEnsembleMeta *
gst_buffer_add_ensemble_structure (GstBuffer *buffer, const GstStructure *structure,
                                   GstClockTime age)
{
  GstEnsembleMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer) && gst_buffer_is_writable (buffer), NULL);
  g_return_val_if_fail (gst_structure_has_name (structure, GST_ENSEMBLE_META_NAME), NULL);
  /* Goes through the registry entry rather than the name: gst_buffer_add_custom_meta () would warn
   * if nobody had registered it yet. */
  meta = attach (buffer, gst_ensemble_meta_get_info (), structure);
  gst_structure_set (gst_custom_meta_get_structure (&meta->meta), "age", G_TYPE_UINT64, age, NULL);
  return meta;
}

GstEnsembleMeta *
gst_buffer_add_ensemble_meta (GstBuffer *buffer, EnsResult *result, GstClockTime age)
{
  g_autoptr (GstStructure) structure = gst_ensemble_structure_new (result);

  return structure != NULL ? gst_buffer_add_ensemble_structure (buffer, structure, age) : NULL;
}

GstEnsembleMeta *
gst_buffer_get_ensemble_meta (GstBuffer *buffer)
{
  gpointer state = NULL;

  return gst_buffer_iterate_ensemble_meta (buffer, &state);
}

GstEnsembleMeta *
gst_buffer_iterate_ensemble_meta (GstBuffer *buffer, gpointer *state)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer) && state != NULL, NULL);
  return (GstEnsembleMeta *)gst_buffer_iterate_meta_filtered (buffer, state,
                                                              gst_ensemble_meta_get_info ()->api);
}

const GstStructure *
gst_ensemble_meta_get_structure (GstEnsembleMeta *meta)
{
  g_return_val_if_fail (meta != NULL, NULL);
  return gst_custom_meta_get_structure (&meta->meta);
}

EnsResult *
gst_ensemble_meta_get_result (GstEnsembleMeta *meta)
{
  const GValue *value;

  g_return_val_if_fail (meta != NULL, NULL);
  value = gst_structure_get_value (gst_ensemble_meta_get_structure (meta), "result");
  return value != NULL ? g_value_get_boxed (value) : NULL;
}

GstClockTime
gst_ensemble_meta_get_pts (GstEnsembleMeta *meta)
{
  guint64 pts = GST_CLOCK_TIME_NONE;

  g_return_val_if_fail (meta != NULL, GST_CLOCK_TIME_NONE);
  gst_structure_get_uint64 (gst_ensemble_meta_get_structure (meta), "pts", &pts);
  return pts;
}

GstClockTime
gst_ensemble_meta_get_age (GstEnsembleMeta *meta)
{
  guint64 age = GST_CLOCK_TIME_NONE;

  g_return_val_if_fail (meta != NULL, GST_CLOCK_TIME_NONE);
  gst_structure_get_uint64 (gst_ensemble_meta_get_structure (meta), "age", &age);
  return age;
}

guint
gst_ensemble_meta_get_n_classes (GstEnsembleMeta *meta)
{
  const EnsResult *result = gst_ensemble_meta_get_result (meta);

  return result != NULL ? result->n_classes : 0;
}

const char *
gst_ensemble_meta_get_class_name (GstEnsembleMeta *meta, guint class_index)
{
  const EnsResult *result = gst_ensemble_meta_get_result (meta);

  g_return_val_if_fail (result != NULL && class_index < result->n_classes, NULL);
  return result->classes[class_index].name;
}

gboolean
gst_ensemble_meta_get_probability (GstEnsembleMeta *meta, const char *class_name,
                                   float *probability, gboolean *present)
{
  const EnsResult *result = gst_ensemble_meta_get_result (meta);

  g_return_val_if_fail (class_name != NULL && probability != NULL, FALSE);
  if (result == NULL)
    return FALSE;
  for (guint c = 0; c < result->n_classes; c++)
    if (g_str_equal (result->classes[c].name, class_name)) {
      *probability = result->classes[c].p;
      if (present != NULL)
        *present = result->classes[c].present;
      return TRUE;
    }
  return FALSE;
}

char *
gst_ensemble_meta_to_json (GstEnsembleMeta *meta)
{
  const EnsResult *result = gst_ensemble_meta_get_result (meta);

  return result != NULL ? ens_result_to_json (result, 0) : NULL;
}
