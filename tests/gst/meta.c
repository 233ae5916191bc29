/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstharness.h>
#include <gst/ensemble/ensemble.h>
#include <gst/video/video.h>

#include "check-main.h"

static const char *const classes[] = {"cat", "guide dog", "sea"};
static const char *const networks[] = {"small", "large"};

static EnsResult *
make_result (void)
{
  EnsResult *result = ens_result_new (classes, 3, networks, 2, 2);
  static const float p[] = {0.25F, 0.875F, 0.5F};

  for (guint c = 0; c < 3; c++) {
    result->classes[c].p = p[c];
    result->classes[c].threshold = 0.5F;
    result->classes[c].present = p[c] >= 0.5F;
    result->networks[1].probabilities[c] = p[c] / 2;
    result->window_probabilities[3 + c] = p[c] / 4;
  }
  result->classes[1].window = 1;
  result->classes[1].p3 = 0.75F;
  result->windows[1] = (EnsWindow) {.rect = {0.125F, 0.25F, 0.5F, 0.75F}, .score = 2};
  result->pts = 40;
  result->width = 640;
  result->height = 480;
  result->bundle = g_strdup ("street");
  result->version = g_strdup ("3");
  result->timings = (EnsTimings) {1, 2, 3, 6};
  return result;
}

static double
lookup (const GstStructure *structure, const char *class_name)
{
  const GValue *value = gst_structure_get_value (structure, "probabilities");
  double p = -1;

  ck_assert (G_VALUE_HOLDS_VARIANT (value));
  g_variant_lookup (g_value_get_variant (value), class_name, "d", &p);
  return p;
}

static GVariant *
get_variant (const GstStructure *structure, const char *field)
{
  return g_value_get_variant (gst_structure_get_value (structure, field));
}

/* What Python sees. */
START_TEST (test_structure)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstStructure) structure = gst_ensemble_structure_new (result);
  g_autoptr (GVariant) dog = g_variant_get_child_value (get_variant (structure, "classes"), 1);
  g_autoptr (GVariant) sea = g_variant_get_child_value (get_variant (structure, "classes"), 2);
  g_autofree char *text = gst_structure_to_string (structure);
  g_autofree char *windows = g_variant_print (get_variant (structure, "windows"), FALSE);
  g_autofree char *judged = g_variant_print (get_variant (structure, "networks"), FALSE);
  guint64 pts = 0, age = 1;
  guint width = 0;
  double p3 = 0, x, y, w, h;
  gint window = -1;

  ck_assert_pstr_eq (gst_structure_get_string (structure, "schema"), ENS_RESULT_SCHEMA);
  ck_assert_str_eq (gst_structure_get_string (structure, "bundle"), "street");
  ck_assert (gst_structure_get_uint64 (structure, "pts", &pts) && pts == 40);
  ck_assert (gst_structure_get_uint64 (structure, "age", &age) && age == 0);
  ck_assert (gst_structure_get_uint (structure, "width", &width) && width == 640);
  ck_assert_double_eq (lookup (structure, "cat"), 0.25);
  ck_assert_double_eq (lookup (structure, "guide dog"), 0.875);

  ck_assert (g_variant_lookup (dog, "p3", "d", &p3) && p3 == 0.75);
  ck_assert (g_variant_lookup (dog, "window", "i", &window) && window == 1);
  ck_assert (g_variant_lookup (dog, "rect", "(dddd)", &x, &y, &w, &h));
  ck_assert (x == 0.125 && y == 0.25 && w == 0.5 && h == 0.75);
  ck_assert (!g_variant_lookup (sea, "p3", "d", &p3));
  ck_assert_str_eq (judged, "[('small', [0.0, 0.0, 0.0]), ('large', [0.125, 0.4375, 0.25])]");
  ck_assert_contains (windows, "'probabilities': <[0.0625, 0.21875, 0.125]>");
  /* The log shows the result. */
  ck_assert_contains (text, "guide");
}
END_TEST

START_TEST (test_embedding)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstStructure) structure = NULL;
  g_autofree char *embedding = NULL;

  ens_result_add_embedding (result, 1, 2);
  result->embedding->values[1] = -0.5F;
  structure = gst_ensemble_structure_new (result);
  embedding = g_variant_print (get_variant (structure, "embedding"), FALSE);
  ck_assert_str_eq (embedding, "('large', [0.0, -0.5])");
}
END_TEST

/* Members of the gate, where there is one for the class. */
START_TEST (test_gate)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstStructure) structure = NULL;
  g_autoptr (GVariant) dog = NULL, sea = NULL;
  double similarity = 0, low = 0, high = 0;
  gboolean withheld = FALSE;
  double smoothed = 0;
  const char *state = NULL;
  const char *reason = NULL;

  result->classes[1].similarity = 0.5F;
  result->classes[1].range_low = 0.75F;
  result->classes[1].range_high = 1;
  result->classes[1].withheld = TRUE;
  result->classes[1].smoothed = 0.75F;
  result->classes[1].state = ENS_CLASS_PRESENT;
  structure = gst_ensemble_structure_new (result);
  dog = g_variant_get_child_value (get_variant (structure, "classes"), 1);
  sea = g_variant_get_child_value (get_variant (structure, "classes"), 2);
  ck_assert (g_variant_lookup (dog, "similarity", "d", &similarity) && similarity == 0.5);
  ck_assert (g_variant_lookup (dog, "range", "(dd)", &low, &high) && low == 0.75 && high == 1);
  ck_assert (g_variant_lookup (dog, "withheld", "b", &withheld) && withheld);
  ck_assert (g_variant_lookup (dog, "smoothed", "d", &smoothed) && smoothed == 0.75);
  ck_assert (g_variant_lookup (dog, "state", "&s", &state));
  ck_assert_str_eq (state, "present");
  ck_assert (g_variant_lookup (dog, "reason", "&s", &reason));
  ck_assert_contains (reason, "0.75 to 1");
  ck_assert (!g_variant_lookup (sea, "similarity", "d", &similarity));
  ck_assert (!g_variant_lookup (sea, "withheld", "b", &withheld));
  ck_assert (!g_variant_lookup (sea, "state", "&s", &state));
}
END_TEST

START_TEST (test_map)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstStructure) plain = gst_ensemble_structure_new (result);
  g_autoptr (GstStructure) structure = NULL;
  g_autoptr (GVariant) dog = NULL;
  g_autofree char *map = NULL;
  gint sub_image = -1;

  ck_assert (!gst_structure_has_field (plain, "map"));
  ens_result_add_map (result, 2, 1);
  result->map->x[1] = 0.5F;
  result->map->width = 0.5F;
  result->map->height = 1;
  result->map->probabilities[3 + 1] = 0.875F;
  result->classes[1].sub_image = 1;
  structure = gst_ensemble_structure_new (result);
  map = g_variant_print (get_variant (structure, "map"), FALSE);
  ck_assert_str_eq (map,
                    "{'columns': <uint32 2>, 'rows': <uint32 1>, 'x': <[0.0, 0.5]>, 'y': <[0.0]>, "
                    "'width': <0.5>, 'height': <1.0>, 'probabilities': <{'cat': [0.0, 0.0], "
                    "'guide dog': [0.0, 0.875], 'sea': [0.0, 0.0]}>}");
  dog = g_variant_get_child_value (get_variant (structure, "classes"), 1);
  ck_assert (g_variant_lookup (dog, "sub_image", "i", &sub_image));
  ck_assert_int_eq (sub_image, 1);
}
END_TEST

START_TEST (test_accessors)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstEnsembleMeta *meta;
  g_autofree char *json = NULL;
  gboolean present = TRUE;
  float p = 0;

  ck_assert_ptr_null (gst_buffer_get_ensemble_meta (buffer));
  meta = gst_buffer_add_ensemble_meta (buffer, result, 20);
  ck_assert (gst_buffer_get_ensemble_meta (buffer) == meta);
  /* Elements and languages without this library find it by name. */
  ck_assert (gst_buffer_get_custom_meta (buffer, GST_ENSEMBLE_META_NAME) == &meta->meta);

  ck_assert (gst_ensemble_meta_get_result (meta) == result);
  ck_assert_uint_eq (gst_ensemble_meta_get_pts (meta), 40);
  ck_assert_uint_eq (gst_ensemble_meta_get_age (meta), 20);
  ck_assert_uint_eq (gst_ensemble_meta_get_n_classes (meta), 3);
  ck_assert_str_eq (gst_ensemble_meta_get_class_name (meta, 2), "sea");
  ck_assert (gst_ensemble_meta_get_probability (meta, "cat", &p, &present));
  ck_assert_double_eq (p, 0.25F);
  ck_assert (!present);
  ck_assert (gst_ensemble_meta_get_probability (meta, "sea", &p, NULL));
  ck_assert (!gst_ensemble_meta_get_probability (meta, "lion", &p, NULL));
  json = gst_ensemble_meta_to_json (meta);
  ck_assert (g_str_has_prefix (json, "{\"schema\": \"" ENS_RESULT_SCHEMA "\""));
}
END_TEST

START_TEST (test_two_ensembles)
{
  g_autoptr (EnsResult) first = make_result ();
  g_autoptr (EnsResult) second = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstEnsembleMeta *a, *b;
  gpointer state = NULL;

  a = gst_buffer_add_ensemble_meta (buffer, first, 0);
  b = gst_buffer_add_ensemble_meta (buffer, second, 0);
  ck_assert (gst_buffer_iterate_ensemble_meta (buffer, &state) == a);
  ck_assert (gst_buffer_iterate_ensemble_meta (buffer, &state) == b);
  ck_assert_ptr_null (gst_buffer_iterate_ensemble_meta (buffer, &state));
  ck_assert (gst_ensemble_meta_get_result (b) == second);
}
END_TEST

static const struct {
  EnsRect rect;
  guint width, height, x, y, w, h;
} regions_rows[] = {
    {{0, 0, 1, 1}, 640, 480, 0, 0, 640, 480},
    {{0.125F, 0.25F, 0.5F, 0.75F}, 640, 480, 80, 120, 320, 360},
    {{0.5F, 0.5F, 0.5F, 0.5F}, 3, 5, 2, 3, 1, 2},
    {{-0.25F, 0.5F, 1.5F, 1}, 100, 10, 0, 5, 100, 5}, /* cut to the frame */
};

START_TEST (test_regions)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstVideoRegionOfInterestMeta *region;
  GstStructure *detection;
  gdouble confidence;

  result->windows[1].rect = regions_rows[_i].rect;
  /* "sea" is present but has no window. */
  ck_assert_uint_eq (gst_buffer_add_ensemble_regions (buffer, result, regions_rows[_i].width,
                                                      regions_rows[_i].height),
                     1);
  region = gst_buffer_get_video_region_of_interest_meta_id (buffer, 1);
  ck_assert_ptr_nonnull (region);
  ck_assert_int_eq (region->parent_id, 0);
  ck_assert_str_eq (g_quark_to_string (region->roi_type), "guide dog");
  ck_assert_uint_eq (region->x, regions_rows[_i].x);
  ck_assert_uint_eq (region->y, regions_rows[_i].y);
  ck_assert_uint_eq (region->w, regions_rows[_i].w);
  ck_assert_uint_eq (region->h, regions_rows[_i].h);
  detection = gst_video_region_of_interest_meta_get_param (region, "detection");
  ck_assert (gst_structure_get_double (detection, "confidence", &confidence));
  ck_assert_double_eq (confidence, 0.75);
  ck_assert_str_eq (gst_structure_get_string (detection, "label"), "guide dog");
}
END_TEST

/* Regions of others, and of another ensemble, keep their own ids. */
START_TEST (test_region_ids)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  gst_buffer_add_video_region_of_interest_meta (buffer, "face", 0, 0, 8, 8);
  gst_buffer_add_video_region_of_interest_meta (buffer, "face", 8, 8, 8, 8)->id = 7;
  result->classes[2].window = 0;
  gst_buffer_add_ensemble_regions (buffer, result, 64, 48);
  gst_buffer_add_ensemble_regions (buffer, result, 64, 48);
  for (gint id = 8; id < 12; id++) {
    GstVideoRegionOfInterestMeta *region =
        gst_buffer_get_video_region_of_interest_meta_id (buffer, id);

    ck_assert_ptr_nonnull (region);
    ck_assert_pstr_eq (g_quark_to_string (region->roi_type), id % 2 == 0 ? "guide dog" : "sea");
  }
}
END_TEST

/* ---- What arrives behind other elements ---- */

#define WIDTH 64
#define HEIGHT 48
#define IN_CAPS "video/x-raw, format=I420, width=64, height=48, framerate=30/1"

static GstBuffer *
make_frame (EnsResult *result)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 128, info.size);
  GST_BUFFER_PTS (buffer) = 0;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  gst_buffer_add_ensemble_meta (buffer, result, 20);
  gst_buffer_add_ensemble_regions (buffer, result, WIDTH, HEIGHT);
  return buffer;
}

static void
check_tags (GstBuffer *buffer, EnsResult *result)
{
  GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (buffer);

  ck_assert_ptr_nonnull (meta);
  ck_assert (gst_ensemble_meta_get_result (meta) == result);
  ck_assert_uint_eq (gst_ensemble_meta_get_age (meta), 20);
  ck_assert_double_eq (lookup (gst_ensemble_meta_get_structure (meta), "guide dog"), 0.875);
}

typedef enum {
  NOTHING = 0,
  TAGS = 1,
  REGION = 2,     /* where it now is */
  PARAMETERS = 4, /* of the region */
  ALL = TAGS | REGION | PARAMETERS
} Arrival;

typedef struct {
  const char *chain, *out; /* caps */
  Arrival arrives;
  GstVideoRectangle region;
} Survival;

static void
check_region (GstBuffer *buffer, const Survival *row)
{
  GstVideoRegionOfInterestMeta *region =
      gst_buffer_get_video_region_of_interest_meta_id (buffer, 1);

  if ((row->arrives & REGION) == 0) {
    ck_assert_ptr_null (region);
    return;
  }
  ck_assert_ptr_nonnull (region);
  ck_assert_str_eq (g_quark_to_string (region->roi_type), "guide dog");
  ck_assert_uint_eq (region->x, row->region.x);
  ck_assert_uint_eq (region->y, row->region.y);
  ck_assert_uint_eq (region->w, row->region.w);
  ck_assert_uint_eq (region->h, row->region.h);
  ck_assert ((gst_video_region_of_interest_meta_get_param (region, "detection") != NULL)
             == ((row->arrives & PARAMETERS) != 0));
}

static GstBuffer *
pass_through (GstHarness *harness, const Survival *row, GstBuffer *in)
{
  GstBuffer *out;

  gst_harness_set_src_caps_str (harness, IN_CAPS);
  gst_harness_set_sink_caps_str (harness, row->out);
  ck_assert_int_eq (gst_harness_push (harness, in), GST_FLOW_OK);
  gst_harness_push_event (harness, gst_event_new_eos ());
  out = gst_harness_pull (harness);
  gst_harness_teardown (harness);
  return out;
}

/* Elements between ensembleclassify and the application that reads the tags. The frame has 64×48
 * pixels, and the dog's window is 8, 12, 32×36. Elements that make another picture and don't say
 * how its places come from the old one's leave no region rather than a wrong one. */
static const Survival survival_rows[] = {
    {"identity", "video/x-raw, format=I420", ALL, {8, 12, 32, 36}},
    {"queue", "video/x-raw, format=I420", ALL, {8, 12, 32, 36}},
    {"tee", "video/x-raw, format=I420", ALL, {8, 12, 32, 36}},
    {"videorate", "video/x-raw, framerate=30/1", ALL, {8, 12, 32, 36}},
    {"videobalance saturation=0", "video/x-raw", ALL, {8, 12, 32, 36}},
    {"videoconvert", "video/x-raw, format=BGRx", TAGS | REGION, {8, 12, 32, 36}},
    {"videoscale", "video/x-raw, width=32, height=96", TAGS | REGION, {4, 24, 16, 72}},
    {"videoconvertscale",
     "video/x-raw, format=RGB, width=128, height=96",
     TAGS | REGION,
     {16, 24, 64, 72}},
    {"videoconvert ! queue ! videoscale ! videoconvert",
     "video/x-raw, format=NV12, width=32, height=24",
     TAGS | REGION,
     {4, 6, 16, 18}},
    {"tee ! queue ! videoscale ! videoconvert",
     "video/x-raw, format=RGB, width=32, height=24",
     TAGS | REGION,
     {4, 6, 16, 18}},
    {"deinterlace ! gamma gamma=2 ! videorate", "video/x-raw", ALL, {8, 12, 32, 36}},
    {"videocrop left=0", "video/x-raw", ALL, {8, 12, 32, 36}},
    {"videobox left=4 top=2", "video/x-raw, width=60, height=46", TAGS},
    /* Between borders, of which GStreamer does not tell: the picture is 64×48 still. */
    {"videoscale",
     "video/x-raw, width=64, height=96, pixel-aspect-ratio=1/1",
     TAGS | REGION,
     {8, 24, 32, 72}},
    {"videocrop left=4 ! videoscale", "video/x-raw, width=64, height=48", TAGS},
    {"vp8enc deadline=1 ! vp8dec", "video/x-raw", ALL, {8, 12, 32, 36}},
    {"videocrop left=4 top=2", "video/x-raw, width=60, height=46", TAGS},
    {"videoflip video-direction=horiz", "video/x-raw", TAGS},
    {"videoflip video-direction=90r", "video/x-raw, width=48, height=64", TAGS},
    {"jpegenc ! jpegdec", "video/x-raw", ALL, {8, 12, 32, 36}},
    {"identity ! compositor", "video/x-raw", NOTHING},
};

START_TEST (test_survival)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) out = NULL;

  out = pass_through (g_str_equal (survival_rows[_i].chain, "tee")
                          ? gst_harness_new_with_padnames ("tee", "sink", "src_%u")
                          : gst_harness_new_parse (survival_rows[_i].chain),
                      &survival_rows[_i], make_frame (result));
  if (survival_rows[_i].arrives & TAGS)
    check_tags (out, result);
  else
    ck_assert_ptr_null (gst_buffer_get_ensemble_meta (out));
  check_region (out, &survival_rows[_i]);
}
END_TEST

/* Elements may ask the metadata itself, and in ways that are not yet known. */
START_TEST (test_transformations)
{
  const GQuark transformations[] = {_gst_meta_transform_copy,
                                    gst_video_meta_transform_scale_get_quark (),
                                    g_quark_from_static_string ("gst-video-matrix")};

  for (guint i = 0; i < G_N_ELEMENTS (transformations); i++) {
    g_autoptr (EnsResult) result = make_result ();
    g_autoptr (GstBuffer) from = make_frame (result), to = gst_buffer_new ();
    GstMeta *meta = &gst_buffer_get_ensemble_meta (from)->meta.meta;

    ck_assert (meta->info->transform_func (to, meta, from, transformations[i], NULL));
    check_tags (to, result);
  }
}
END_TEST

START_TEST (test_copies)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) buffer = make_frame (result);
  GstBuffer *copies[] = {gst_buffer_copy (buffer), gst_buffer_copy_deep (buffer),
                         gst_buffer_copy_region (buffer, GST_BUFFER_COPY_ALL, 0, 8)};
  const GstStructure *structure =
      gst_ensemble_meta_get_structure (gst_buffer_get_ensemble_meta (buffer));

  for (guint i = 0; i < G_N_ELEMENTS (copies); i++) {
    GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (copies[i]);

    check_tags (copies[i], result);
    /* Vectors are shared, not copied. */
    ck_assert (get_variant (gst_ensemble_meta_get_structure (meta), "windows")
               == get_variant (structure, "windows"));
    gst_buffer_unref (copies[i]);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/meta");
  test_add ("gate", test_gate);
  test_add ("embedding", test_embedding);
  test_add ("map", test_map);
  test_add ("structure", test_structure);
  test_add ("accessors", test_accessors);
  test_add ("two-ensembles", test_two_ensembles);
  TEST_ADD_LOOP ("regions", test_regions, regions_rows);
  test_add ("region-ids", test_region_ids);
  TEST_ADD_LOOP ("survival", test_survival, survival_rows);
  test_add ("transformations", test_transformations);
  test_add ("copies", test_copies);
  return test_run ();
}
