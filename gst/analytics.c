/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analytics.h"

/* The analytics library calls itself unstable. */
#define GST_USE_UNSTABLE_API
#include <gst/analytics/analytics.h>

#include "pixels.h"

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

static void
add_window (GstAnalyticsRelationMeta *meta, const EnsResult *result, const EnsClassResult *found,
            const GstVideoRectangle *place)
{
  const float *probabilities =
      result->window_probabilities + (gsize)found->window * result->n_classes;
  g_autofree Class *classes = g_new (Class, result->n_classes);
  GstAnalyticsODMtd object;
  GstAnalyticsClsMtd contained;

  for (guint c = 0; c < result->n_classes; c++)
    classes[c] = (Class) {g_quark_from_string (result->classes[c].name), probabilities[c]};
  if (gst_analytics_relation_meta_add_od_mtd (meta, g_quark_from_string (found->name), place->x,
                                              place->y, place->w, place->h, found->p3, &object)
      && add_classes (meta, classes, result->n_classes, &contained))
    gst_analytics_relation_meta_set_relation (meta, GST_ANALYTICS_REL_TYPE_CONTAIN, object.id,
                                              contained.id);
}

void
gst_ensemble_add_analytics (GstBuffer *buffer, const EnsResult *result, guint width, guint height)
{
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);

  if (meta == NULL)
    meta = gst_buffer_add_analytics_relation_meta (buffer);
  add_frame (meta, result);
  for (guint c = 0; c < result->n_classes; c++) {
    const EnsClassResult *found = &result->classes[c];

    if (found->present && found->window >= 0) {
      GstVideoRectangle place =
          gst_ensemble_rect_to_pixels (&result->windows[found->window].rect, width, height);

      add_window (meta, result, found, &place);
    }
  }
}
