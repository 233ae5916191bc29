#include "analytics.h"

#define GST_USE_UNSTABLE_API
#include <gst/analytics/analytics.h>

static void
test_classes (void)
{
  static const char *const classes[] = {"cat", "dog", "sea"}, *const networks[] = {"small"};
  static const struct {
    const char *name;
    float p;
  } expected[] = {{"dog", 0.75F}, {"sea", 0.5F}, {"cat", 0.25F}};
  g_autoptr (EnsResult) result = ens_result_new (classes, 3, networks, 1, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstAnalyticsRelationMeta *meta;
  GstAnalyticsClsMtd classification;

  result->classes[0].p = 0.25F;
  result->classes[1].p = 0.75F;
  result->classes[2].p = 0.5F;
  /* Somebody else's metadata is added to, not doubled. */
  gst_buffer_add_analytics_relation_meta (buffer);
  gst_ensemble_add_analytics (buffer, result);

  g_assert_cmpuint (gst_buffer_get_n_meta (buffer, GST_ANALYTICS_RELATION_META_API_TYPE), ==, 1);
  meta = gst_buffer_get_analytics_relation_meta (buffer);
  g_assert_cmpuint (gst_analytics_relation_get_length (meta), ==, 1);
  g_assert_true (gst_analytics_relation_meta_get_cls_mtd (meta, 0, &classification));
  g_assert_cmpuint (gst_analytics_cls_mtd_get_length (&classification), ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpstr (g_quark_to_string (gst_analytics_cls_mtd_get_quark (&classification, i)), ==,
                     expected[i].name);
    g_assert_cmpfloat (gst_analytics_cls_mtd_get_level (&classification, i), ==, expected[i].p);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/analytics/classes", test_classes);
  return g_test_run ();
}
