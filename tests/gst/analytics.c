#include "analytics.h"

#define GST_USE_UNSTABLE_API
#include <gst/analytics/analytics.h>

typedef struct {
  const char *name;
  float p;
} Expected;

static EnsResult *
make_result (void)
{
  static const char *const classes[] = {"cat", "dog", "sea"}, *const networks[] = {"small"};
  static const float p[] = {0.25F, 0.75F, 0.5F};
  EnsResult *result = ens_result_new (classes, 3, networks, 1, 2);

  for (guint c = 0; c < 3; c++) {
    result->classes[c].p = p[c];
    result->classes[c].present = p[c] >= 0.5F;
    result->window_probabilities[3 + c] = 1 - p[c];
  }
  /* The cat's window does not count: it is not present. The sea is, but has none. */
  result->classes[0].window = 0;
  result->classes[1].window = 1;
  result->classes[1].p3 = 0.25F;
  result->windows[1].rect = (EnsRect) {0.125F, 0.25F, 0.5F, 0.75F};
  return result;
}

static void
check_classes (GstAnalyticsRelationMeta *meta, guint id, const Expected *expected)
{
  GstAnalyticsClsMtd classification;

  g_assert_true (gst_analytics_relation_meta_get_cls_mtd (meta, id, &classification));
  g_assert_cmpuint (gst_analytics_cls_mtd_get_length (&classification), ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpstr (g_quark_to_string (gst_analytics_cls_mtd_get_quark (&classification, i)), ==,
                     expected[i].name);
    g_assert_cmpfloat (gst_analytics_cls_mtd_get_level (&classification, i), ==, expected[i].p);
  }
}

static void
check_object (GstAnalyticsRelationMeta *meta, guint id)
{
  GstAnalyticsODMtd object;
  gint x, y, width, height;
  float confidence;

  g_assert_true (gst_analytics_relation_meta_get_od_mtd (meta, id, &object));
  g_assert_cmpstr (g_quark_to_string (gst_analytics_od_mtd_get_obj_type (&object)), ==, "dog");
  g_assert_true (gst_analytics_od_mtd_get_location (&object, &x, &y, &width, &height, &confidence));
  g_assert_cmpint (x, ==, 80);
  g_assert_cmpint (y, ==, 120);
  g_assert_cmpint (width, ==, 320);
  g_assert_cmpint (height, ==, 360);
  g_assert_cmpfloat (confidence, ==, 0.25F);
}

static void
test_relations (void)
{
  static const Expected frame[] = {{"dog", 0.75F}, {"sea", 0.5F}, {"cat", 0.25F}};
  static const Expected window[] = {{"cat", 0.75F}, {"sea", 0.5F}, {"dog", 0.25F}};
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstAnalyticsRelationMeta *meta;

  /* Somebody else's metadata is added to, not doubled. */
  gst_buffer_add_analytics_relation_meta (buffer);
  gst_ensemble_add_analytics (buffer, result, 640, 480);

  g_assert_cmpuint (gst_buffer_get_n_meta (buffer, GST_ANALYTICS_RELATION_META_API_TYPE), ==, 1);
  meta = gst_buffer_get_analytics_relation_meta (buffer);
  g_assert_cmpuint (gst_analytics_relation_get_length (meta), ==, 3);
  check_classes (meta, 0, frame);
  check_object (meta, 1);
  check_classes (meta, 2, window);
  for (guint id = 0; id < 3; id++)
    g_assert_cmpint (gst_analytics_relation_meta_get_relation (meta, id, 2), ==,
                     id == 1 ? GST_ANALYTICS_REL_TYPE_CONTAIN : GST_ANALYTICS_REL_TYPE_NONE);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/analytics/relations", test_relations);
  return g_test_run ();
}
