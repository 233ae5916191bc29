/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analytics.h"

/* The analytics library calls itself unstable. */
#define GST_USE_UNSTABLE_API
#include <gst/analytics/analytics.h>
#include "pixels.h"
#include "region-ids.h"

typedef struct {
  GQuark name;
  float p;
} Class;

static gint
compare_probability (gconstpointer a, gconstpointer b, gpointer data)
{
  const Class *first = a, *second = b;

  return (first->p < second->p) - (first->p > second->p);
}

/* Sorts `classes`; those of equal probability stay in the bundle's order. */
static gboolean
add_classes (GstAnalyticsRelationMeta *meta, Class *classes, guint n, GstAnalyticsClsMtd *added)
{
  g_autofree float *probabilities = g_new (float, n);
  g_autofree GQuark *names = g_new (GQuark, n);

  g_qsort_with_data (classes, (gint)n, sizeof classes[0], compare_probability, NULL);
  for (guint c = 0; c < n; c++) {
    probabilities[c] = classes[c].p;
    names[c] = classes[c].name;
  }
  return gst_analytics_relation_meta_add_cls_mtd (meta, n, probabilities, names, added);
}

static void
add_frame (GstAnalyticsRelationMeta *meta, const EnsResult *result)
{
  g_autofree Class *classes = g_new (Class, result->n_classes);
  GstAnalyticsClsMtd added;

  for (guint c = 0; c < result->n_classes; c++)
    classes[c] = (Class) {g_quark_from_string (result->classes[c].name), result->classes[c].p};
  add_classes (meta, classes, result->n_classes, &added);
}

/* Returns whether an object was added, and which. */
static gboolean
add_window (GstAnalyticsRelationMeta *meta, const EnsResult *result, const EnsClassResult *found,
            const GstVideoRectangle *place, gint *id)
{
  const float *probabilities =
      result->window_probabilities + (gsize)found->window * result->n_classes;
  g_autofree Class *classes = g_new (Class, result->n_classes);
  GstAnalyticsODMtd object;
  GstAnalyticsClsMtd contained;

  for (guint c = 0; c < result->n_classes; c++)
    classes[c] = (Class) {g_quark_from_string (result->classes[c].name), probabilities[c]};
  if (!gst_analytics_relation_meta_add_od_mtd (meta, g_quark_from_string (found->name), place->x,
                                               place->y, place->w, place->h, found->p3, &object))
    return FALSE;
  if (add_classes (meta, classes, result->n_classes, &contained))
    gst_analytics_relation_meta_set_relation (meta, GST_ANALYTICS_REL_TYPE_CONTAIN, object.id,
                                              contained.id);
  *id = (gint)object.id;
  return TRUE;
}

void
gst_ensemble_add_analytics (GstBuffer *buffer, const EnsResult *result, guint width, guint height)
{
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint));

  if (meta == NULL)
    meta = gst_buffer_add_analytics_relation_meta (buffer);
  add_frame (meta, result);
  for (guint c = 0; c < result->n_classes; c++) {
    const EnsClassResult *found = &result->classes[c];

    if (found->present && found->window >= 0) {
      GstVideoRectangle place =
          gst_ensemble_rect_to_pixels (&result->windows[found->window].rect, width, height);
      gint id;

      if (add_window (meta, result, found, &place, &id))
        g_array_append_val (ids, id);
    }
  }
  gst_ensemble_note_ids (buffer, result, GST_ENSEMBLE_OBJECT_IDS, (const gint *)ids->data,
                         ids->len);
}

/* ---- Objects of others ---- */

static void
take_object (GstAnalyticsODMtd *object, GstEnsembleTakeRegion take, gpointer data)
{
  GQuark type = gst_analytics_od_mtd_get_obj_type (object);
  gint x, y, width, height;
  GstEnsembleUpstreamRegion region;
  float confidence;

  if (!gst_analytics_od_mtd_get_location (object, &x, &y, &width, &height, &confidence))
    return;
  region =
      (GstEnsembleUpstreamRegion) {x, y, width, height, g_quark_to_string (type), (gint)object->id};
  take (&region, data);
}

static gboolean
is_an_ensembles (GstBuffer *buffer, const GstAnalyticsODMtd *object)
{
  gpointer state = NULL;
  GstEnsembleMeta *meta;

  while ((meta = gst_buffer_iterate_ensemble_meta (buffer, &state)) != NULL) {
    gsize n_ids;
    const gint *ids = gst_ensemble_get_noted_ids (meta, GST_ENSEMBLE_OBJECT_IDS, &n_ids);

    for (gsize i = 0; i < n_ids; i++)
      if (ids[i] == (gint)object->id)
        return TRUE;
  }
  return FALSE;
}

void
gst_ensemble_read_analytics (GstBuffer *buffer, GstEnsembleTakeRegion take, gpointer data)
{
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsODMtd object;
  gpointer state = NULL;

  while (meta != NULL
         && gst_analytics_relation_meta_iterate (meta, &state, gst_analytics_od_mtd_get_mtd_type (),
                                                 &object))
    if (!is_an_ensembles (buffer, &object))
      take_object (&object, take, data);
}
