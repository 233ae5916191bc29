/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analytics.h"

#define GST_USE_UNSTABLE_API
#include <gst/analytics/analytics.h>

#include <gst/ensemble/ensemble.h>

#include "check-main.h"
#include "upstream-regions.h"

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

  ck_assert (gst_analytics_relation_meta_get_cls_mtd (meta, id, &classification));
  ck_assert_uint_eq (gst_analytics_cls_mtd_get_length (&classification), 3);
  for (guint i = 0; i < 3; i++) {
    ck_assert_pstr_eq (g_quark_to_string (gst_analytics_cls_mtd_get_quark (&classification, i)),
                       expected[i].name);
    ck_assert_double_eq (gst_analytics_cls_mtd_get_level (&classification, i), expected[i].p);
  }
}

static void
check_object (GstAnalyticsRelationMeta *meta, guint id)
{
  GstAnalyticsODMtd object;
  gint x, y, width, height;
  float confidence;

  ck_assert (gst_analytics_relation_meta_get_od_mtd (meta, id, &object));
  ck_assert_str_eq (g_quark_to_string (gst_analytics_od_mtd_get_obj_type (&object)), "dog");
  ck_assert (gst_analytics_od_mtd_get_location (&object, &x, &y, &width, &height, &confidence));
  ck_assert_int_eq (x, 80);
  ck_assert_int_eq (y, 120);
  ck_assert_int_eq (width, 320);
  ck_assert_int_eq (height, 360);
  ck_assert_double_eq (confidence, 0.25F);
}

START_TEST (test_relations)
{
  static const Expected frame[] = {{"dog", 0.75F}, {"sea", 0.5F}, {"cat", 0.25F}};
  static const Expected window[] = {{"cat", 0.75F}, {"sea", 0.5F}, {"dog", 0.25F}};
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstAnalyticsRelationMeta *meta;

  /* Somebody else's metadata is added to, not doubled. */
  gst_buffer_add_analytics_relation_meta (buffer);
  gst_ensemble_add_analytics (buffer, result, 640, 480);

  ck_assert_uint_eq (gst_buffer_get_n_meta (buffer, GST_ANALYTICS_RELATION_META_API_TYPE), 1);
  meta = gst_buffer_get_analytics_relation_meta (buffer);
  ck_assert_uint_eq (gst_analytics_relation_get_length (meta), 3);
  check_classes (meta, 0, frame);
  check_object (meta, 1);
  check_classes (meta, 2, window);
  for (guint id = 0; id < 3; id++)
    ck_assert_int_eq (gst_analytics_relation_meta_get_relation (meta, id, 2),
                      id == 1 ? GST_ANALYTICS_REL_TYPE_CONTAIN : GST_ANALYTICS_REL_TYPE_NONE);
}
END_TEST

/* A detector's object is read, those that an ensemble has found are not. */
START_TEST (test_upstream)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstEnsembleRegions) regions = NULL;
  GstAnalyticsODMtd object;
  const EnsRegionOrigin *origin;
  const EnsRect *rect;

  result->bundle = g_strdup ("street");
  result->version = g_strdup ("1");
  gst_buffer_add_ensemble_meta (buffer, result, 0);
  gst_ensemble_add_analytics (buffer, result, 640, 480);
  gst_analytics_relation_meta_add_od_mtd (gst_buffer_get_analytics_relation_meta (buffer),
                                          g_quark_from_string ("dog"), 320, 240, 160, 120, 0.5F,
                                          &object);
  gst_buffer_add_ensemble_meta (buffer, result, 0);
  gst_ensemble_add_analytics (buffer, result, 640, 480);
  regions = gst_ensemble_regions_read (buffer, &(GstEnsembleRegionFilter) {640, 480});
  ck_assert_uint_eq (regions->rects->len, 1);
  origin = &g_array_index (regions->origins, EnsRegionOrigin, 0);
  rect = &g_array_index (regions->rects, EnsRect, 0);
  ck_assert_pstr_eq (origin->type, "dog");
  ck_assert_int_eq (origin->id, (gint)object.id);
  ck_assert_double_eq (rect->x, 0.5F);
  ck_assert_double_eq (rect->y, 0.5F);
  ck_assert_double_eq (rect->width, 0.25F);
  ck_assert_double_eq (rect->height, 0.25F);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/analytics");
  test_add ("relations", test_relations);
  test_add ("upstream", test_upstream);
  return test_run ();
}
