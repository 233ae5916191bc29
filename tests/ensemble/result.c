/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ensemble/result.h>

#include <math.h>

#include "check-main.h"

static const char *const classes[] = {"car", "dog", "sky"};
static const char *const networks[] = {"small", "large"};

static EnsResult *
make_result (guint n_windows)
{
  EnsResult *result = ens_result_new (classes, 3, networks, 2, n_windows);
  static const EnsClassResult values[] = {
      {.p = 0.25F, .p1 = 0.5F, .p2 = 0.125F, .threshold = 0.5F},
      {.p = 0.9F, .p1 = 0.8F, .p2 = 0.75F, .threshold = 0.4F, .present = TRUE},
      {.p = 0.25F, .p1 = 0.1F, .p2 = 0.3F, .threshold = 0.5F},
  };

  for (guint c = 0; c < 3; c++) {
    const char *name = result->classes[c].name;

    result->classes[c] = values[c];
    result->classes[c].name = name;
    result->classes[c].window = result->classes[c].sub_image = -1;
    result->classes[c].similarity = NAN;
    result->classes[c].range_low = result->classes[c].range_high = NAN;
    result->networks[0].probabilities[c] = values[c].p1;
    result->networks[1].probabilities[c] = values[c].p2;
  }
  for (guint w = 0; w < n_windows; w++)
    result->windows[w].rect = (EnsRect) {0.125F * w, 0.25F, 0.5F, 0.75F};
  result->bundle = g_strdup ("street");
  result->version = g_strdup ("3");
  result->width = 640;
  result->height = 480;
  result->timings = (EnsTimings) {1, 2, 3, 6, 9};
  return result;
}

/* Golden lines, which tests/gst/result-schema.py holds against the schema too. */
static void
check_json (const EnsResult *result, guint top_k, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".json", NULL);
  g_autofree char *path = g_build_filename (SOURCE_FOLDER, "results", file, NULL);
  g_autofree char *json = ens_result_to_json (result, top_k);
  g_autofree char *expected = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &expected, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_pstr_eq (json, g_strchomp (expected));
}

START_TEST (test_without_windows)
{
  g_autoptr (EnsResult) result = make_result (0);

  check_json (result, 0, "without-windows");
}
END_TEST

/* Two classes share a window, one is cut off by top_k, and most windows are nobody's best. */
START_TEST (test_with_windows)
{
  g_autoptr (EnsResult) result = make_result (5);

  result->pts = 40000000;
  result->source = g_strdup ("a \"clip\".mp4");
  result->classes[0].window = 3;
  result->classes[0].p3 = 0.625F;
  result->classes[1].window = 3;
  result->classes[1].p3 = 1;
  result->classes[2].window = 4;
  result->window_probabilities[3 * 3 + 0] = 0.625F;
  result->window_probabilities[3 * 3 + 1] = 1;
  check_json (result, 2, "with-windows");
}
END_TEST

/* Names that need escapes, a network that gave no number, a frame without a network's opinion. */
START_TEST (test_odd)
{
  static const char *const names[] = {"tab\there", "Hüte \\ \"A\"", "sea"};
  g_autoptr (EnsResult) result = ens_result_new (names, 3, NULL, 0, 0);

  result->classes[0].p = 1e-7F;
  result->classes[1].p = result->classes[1].p1 = NAN;
  result->classes[2].p = 0.5F;
  result->bundle = g_strdup ("");
  result->version = g_strdup ("1 β");
  result->width = result->height = 1;
  result->pts = G_MAXUINT64 - 1;
  check_json (result, 0, "odd");
}
END_TEST

/* Two sub-images side by side and two below: the car is in the last, the dog in the first. */
static void
add_map (EnsResult *result)
{
  static const float cars[] = {0, 0.125F, 0.0625F, 0.25F}, dogs[] = {0.9F, 0.5F, 0, 0.25F};

  ens_result_add_map (result, 2, 2);
  result->map->x[1] = 0.375F;
  result->map->y[1] = 0.5F;
  result->map->width = 0.625F;
  result->map->height = 0.5F;
  for (guint s = 0; s < 4; s++) {
    result->map->probabilities[s * 3] = cars[s];
    result->map->probabilities[s * 3 + 1] = dogs[s];
  }
  result->classes[0].sub_image = 3;
  result->classes[1].sub_image = 0;
  result->classes[2].sub_image = 1;
}

START_TEST (test_with_map)
{
  g_autoptr (EnsResult) result = make_result (0);
  EnsRect rect;

  add_map (result);
  rect = ens_probability_map_get_rect (result->map, 3);
  ck_assert_double_eq (rect.x, 0.375F);
  ck_assert_double_eq (rect.y, 0.5F);
  ck_assert_double_eq (rect.width, 0.625F);
  check_json (result, 2, "with-map");
}
END_TEST

/* Windows that are regions of other elements are all there. */
START_TEST (test_with_regions)
{
  g_autoptr (EnsResult) result = make_result (3);

  result->regions = g_new0 (EnsRegionOrigin, 3);
  result->regions[0] = (EnsRegionOrigin) {.type = "vehicle", .id = 7};
  result->regions[1] = (EnsRegionOrigin) {.type = "person", .id = -1};
  result->regions[2] = (EnsRegionOrigin) {.id = 0};
  result->classes[1].window = 2;
  result->classes[1].p3 = 0.5F;
  result->window_probabilities[7] = 0.5F;
  result->reused = 2;
  ens_result_add_cut (result, &(EnsCut) {52, 4, 1, 3});
  check_json (result, 1, "with-regions");
}
END_TEST

/* A class within its range, one below and one that has no similarity; the frame is withheld from
 * both. */
START_TEST (test_with_gate)
{
  g_autoptr (EnsResult) result = make_result (0);

  for (guint c = 0; c < 3; c++) {
    result->classes[c].similarity = 0.5F;
    result->classes[c].range_low = 0.25F * (float)(c + 1);
    result->classes[c].range_high = 1;
  }
  result->classes[1].range_low = 0.625F;
  result->classes[2].similarity = NAN;
  for (guint c = 1; c < 3; c++) {
    result->classes[c].withheld = TRUE;
    result->classes[c].present = FALSE;
  }
  check_json (result, 0, "with-gate");
}
END_TEST

/* Of a stream: what is there now, what was too long ago, and a class that never had a number. */
START_TEST (test_in_stream)
{
  g_autoptr (EnsResult) result = make_result (0);

  result->classes[0].smoothed = 0.625F;
  result->classes[0].state = ENS_CLASS_PRESENT;
  result->classes[1].smoothed = 0.125F;
  result->classes[1].state = ENS_CLASS_UNKNOWN;
  check_json (result, 0, "in-stream");
}
END_TEST

static const struct {
  EnsClassResult result;
  const char *reason;
} reason_rows[] = {
    {{.similarity = 0.5F, .range_low = 0.25F, .range_high = 1}, NULL},
    {{.similarity = -1, .range_low = 0.25F, .range_high = 1, .withheld = TRUE},
     "its similarity to the class's training images, -1, is below the accepted range, 0.25 to 1"},
    {{.similarity = 1, .range_low = 0.25F, .range_high = 0.9995F, .withheld = TRUE},
     "its similarity to the class's training images, 1, is above the accepted range, 0.25 to "
     "0.999"},
    {{.similarity = NAN, .range_low = 0.25F, .range_high = 1, .withheld = TRUE},
     "its similarity to the class's training images is not a number"},
};

START_TEST (test_reason)
{
  g_autofree char *reason = ens_class_result_get_reason (&reason_rows[_i].result);

  ck_assert_pstr_eq (reason, reason_rows[_i].reason);
}
END_TEST

/* Of a network that was asked for, with a value that is no number. */
START_TEST (test_with_embedding)
{
  g_autoptr (EnsResult) result = make_result (0);

  ens_result_add_embedding (result, 1, 3);
  result->embedding->values[0] = 0.5F;
  result->embedding->values[1] = NAN;
  result->embedding->values[2] = -2;
  check_json (result, 0, "with-embedding");
}
END_TEST

/* Columns follow their classes; what belongs to the frame stays. */
START_TEST (test_top)
{
  g_autoptr (EnsResult) result = make_result (2);
  g_autoptr (EnsResult) top = NULL;
  EnsResult *all;

  result->pts = 40000000;
  result->classes[1].window = 1;
  add_map (result);
  for (guint i = 0; i < 6; i++)
    result->window_probabilities[i] = (float)i;
  result->regions = g_new0 (EnsRegionOrigin, 2);
  result->regions[1].id = 5;
  result->reused = 3;
  ens_result_add_cut (result, &(EnsCut) {.scales = 2});
  ens_result_add_embedding (result, 1, 2);
  result->embedding->values[1] = 5;

  top = ens_result_top (result, 2);
  ck_assert_uint_eq (top->n_classes, 2);
  ck_assert_str_eq (top->classes[0].name, "dog");
  ck_assert_str_eq (top->classes[1].name, "car");
  ck_assert (top->classes[0].present);
  ck_assert_int_eq (top->classes[0].window, 1);
  ck_assert_double_eq (top->networks[1].probabilities[0], 0.75F);
  ck_assert_double_eq (top->networks[1].probabilities[1], 0.125F);
  ck_assert_double_eq (top->window_probabilities[2], 4);
  ck_assert_double_eq (top->window_probabilities[3], 3);
  ck_assert_double_eq (top->windows[1].rect.x, 0.125F);
  ck_assert_int_eq (top->classes[1].sub_image, 3);
  ck_assert_uint_eq (top->map->columns, 2);
  ck_assert_double_eq (top->map->x[1], 0.375F);
  ck_assert_double_eq (top->map->y[1], 0.5F);
  ck_assert_double_eq (top->map->width, 0.625F);
  ck_assert_double_eq (top->map->height, 0.5F);
  ck_assert_double_eq (top->map->probabilities[1 * 2 + 0], 0.5F);
  ck_assert_double_eq (top->map->probabilities[3 * 2 + 1], 0.25F);
  ck_assert_uint_eq (top->pts, 40000000);
  ck_assert_int_eq (top->regions[1].id, 5);
  ck_assert_uint_eq (top->reused, 3);
  ck_assert_uint_eq (top->cut->scales, 2);
  ck_assert_str_eq (top->embedding->network, "large");
  ck_assert_uint_eq (top->embedding->n_values, 2);
  ck_assert_float_eq (top->embedding->values[1], 5);
  ck_assert_str_eq (top->bundle, "street");
  ck_assert_int_eq (top->timings.total, 6);

  for (guint top_k = 0; top_k < 6; top_k += 3) {
    all = ens_result_top (result, top_k);
    ck_assert (all == result);
    ens_result_unref (all);
  }
}
END_TEST

START_TEST (test_references)
{
  EnsResult *result = make_result (2);
  EnsResult *other = ens_result_ref (result);

  ens_result_unref (result);
  ck_assert_str_eq (other->classes[2].name, "sky");
  ck_assert_str_eq (other->networks[1].name, "large");
  ck_assert_uint_eq (other->pts, G_MAXUINT64);
  ens_result_unref (other);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/result");
  test_add ("without-windows", test_without_windows);
  test_add ("with-windows", test_with_windows);
  test_add ("odd", test_odd);
  test_add ("with-map", test_with_map);
  test_add ("with-gate", test_with_gate);
  test_add ("with-regions", test_with_regions);
  test_add ("in-stream", test_in_stream);
  test_add ("with-embedding", test_with_embedding);
  TEST_ADD_LOOP ("reason", test_reason, reason_rows);
  test_add ("top", test_top);
  test_add ("references", test_references);
  return test_run ();
}
