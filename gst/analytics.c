#include "analytics.h"

/* The analytics library calls itself unstable. */
#define GST_USE_UNSTABLE_API
#include <gst/analytics/analytics.h>

static gint
compare_probability (gconstpointer a, gconstpointer b)
{
  const EnsClassResult *const *first = a, *const *second = b;

  return ((*first)->p < (*second)->p) - ((*first)->p > (*second)->p);
}

void
gst_ensemble_add_analytics (GstBuffer *buffer, const EnsResult *result)
{
  g_autofree const EnsClassResult **ranked = g_new (const EnsClassResult *, result->n_classes);
  g_autofree float *probabilities = g_new (float, result->n_classes);
  g_autofree GQuark *names = g_new (GQuark, result->n_classes);
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsClsMtd classification;

  if (meta == NULL)
    meta = gst_buffer_add_analytics_relation_meta (buffer);
  for (guint c = 0; c < result->n_classes; c++)
    ranked[c] = &result->classes[c];
  qsort (ranked, result->n_classes, sizeof ranked[0], compare_probability);
  for (guint c = 0; c < result->n_classes; c++) {
    probabilities[c] = ranked[c]->p;
    names[c] = g_quark_from_string (ranked[c]->name);
  }
  gst_analytics_relation_meta_add_cls_mtd (meta, result->n_classes, probabilities, names,
                                           &classification);
}
