#include <gst/check/gstharness.h>
#include <gst/ensemble/ensemble.h>
#include <gst/video/video.h>

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

  g_assert_true (G_VALUE_HOLDS_VARIANT (value));
  g_variant_lookup (g_value_get_variant (value), class_name, "d", &p);
  return p;
}

static GVariant *
get_variant (const GstStructure *structure, const char *field)
{
  return g_value_get_variant (gst_structure_get_value (structure, field));
}

/* What Python sees. */
static void
test_structure (void)
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

  g_assert_cmpstr (gst_structure_get_string (structure, "schema"), ==, ENS_RESULT_SCHEMA);
  g_assert_cmpstr (gst_structure_get_string (structure, "bundle"), ==, "street");
  g_assert_true (gst_structure_get_uint64 (structure, "pts", &pts) && pts == 40);
  g_assert_true (gst_structure_get_uint64 (structure, "age", &age) && age == 0);
  g_assert_true (gst_structure_get_uint (structure, "width", &width) && width == 640);
  g_assert_cmpfloat (lookup (structure, "cat"), ==, 0.25);
  g_assert_cmpfloat (lookup (structure, "guide dog"), ==, 0.875);

  g_assert_true (g_variant_lookup (dog, "p3", "d", &p3) && p3 == 0.75);
  g_assert_true (g_variant_lookup (dog, "window", "i", &window) && window == 1);
  g_assert_true (g_variant_lookup (dog, "rect", "(dddd)", &x, &y, &w, &h));
  g_assert_true (x == 0.125 && y == 0.25 && w == 0.5 && h == 0.75);
  g_assert_false (g_variant_lookup (sea, "p3", "d", &p3));
  g_assert_cmpstr (judged, ==, "[('small', [0.0, 0.0, 0.0]), ('large', [0.125, 0.4375, 0.25])]");
  g_assert_nonnull (strstr (windows, "'probabilities': <[0.0625, 0.21875, 0.125]>"));
  /* The log shows the result. */
  g_assert_nonnull (strstr (text, "guide"));
}

static void
test_map (void)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstStructure) plain = gst_ensemble_structure_new (result);
  g_autoptr (GstStructure) structure = NULL;
  g_autoptr (GVariant) dog = NULL;
  g_autofree char *map = NULL;
  gint sub_image = -1;

  g_assert_false (gst_structure_has_field (plain, "map"));
  ens_result_add_map (result, 2, 1);
  result->map->x[1] = 0.5F;
  result->map->width = 0.5F;
  result->map->height = 1;
  result->map->probabilities[3 + 1] = 0.875F;
  result->classes[1].sub_image = 1;
  structure = gst_ensemble_structure_new (result);
  map = g_variant_print (get_variant (structure, "map"), FALSE);
  g_assert_cmpstr (map, ==,
                   "{'columns': <uint32 2>, 'rows': <uint32 1>, 'x': <[0.0, 0.5]>, 'y': <[0.0]>, "
                   "'width': <0.5>, 'height': <1.0>, 'probabilities': <{'cat': [0.0, 0.0], "
                   "'guide dog': [0.0, 0.875], 'sea': [0.0, 0.0]}>}");
  dog = g_variant_get_child_value (get_variant (structure, "classes"), 1);
  g_assert_true (g_variant_lookup (dog, "sub_image", "i", &sub_image));
  g_assert_cmpint (sub_image, ==, 1);
}

static void
test_accessors (void)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstEnsembleMeta *meta;
  g_autofree char *json = NULL;
  gboolean present = TRUE;
  float p = 0;

  g_assert_null (gst_buffer_get_ensemble_meta (buffer));
  meta = gst_buffer_add_ensemble_meta (buffer, result, 20);
  g_assert_true (gst_buffer_get_ensemble_meta (buffer) == meta);
  /* Elements and languages without this library find it by name. */
  g_assert_true (gst_buffer_get_custom_meta (buffer, GST_ENSEMBLE_META_NAME) == &meta->meta);

  g_assert_true (gst_ensemble_meta_get_result (meta) == result);
  g_assert_cmpuint (gst_ensemble_meta_get_pts (meta), ==, 40);
  g_assert_cmpuint (gst_ensemble_meta_get_age (meta), ==, 20);
  g_assert_cmpuint (gst_ensemble_meta_get_n_classes (meta), ==, 3);
  g_assert_cmpstr (gst_ensemble_meta_get_class_name (meta, 2), ==, "sea");
  g_assert_true (gst_ensemble_meta_get_probability (meta, "cat", &p, &present));
  g_assert_cmpfloat (p, ==, 0.25F);
  g_assert_false (present);
  g_assert_true (gst_ensemble_meta_get_probability (meta, "sea", &p, NULL));
  g_assert_false (gst_ensemble_meta_get_probability (meta, "lion", &p, NULL));
  json = gst_ensemble_meta_to_json (meta);
  g_assert_true (g_str_has_prefix (json, "{\"schema\": \"" ENS_RESULT_SCHEMA "\""));
}

static void
test_two_ensembles (void)
{
  g_autoptr (EnsResult) first = make_result ();
  g_autoptr (EnsResult) second = make_result ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstEnsembleMeta *a, *b;
  gpointer state = NULL;

  a = gst_buffer_add_ensemble_meta (buffer, first, 0);
  b = gst_buffer_add_ensemble_meta (buffer, second, 0);
  g_assert_true (gst_buffer_iterate_ensemble_meta (buffer, &state) == a);
  g_assert_true (gst_buffer_iterate_ensemble_meta (buffer, &state) == b);
  g_assert_null (gst_buffer_iterate_ensemble_meta (buffer, &state));
  g_assert_true (gst_ensemble_meta_get_result (b) == second);
}

static void
test_regions (void)
{
  static const struct {
    EnsRect rect;
    guint width, height, x, y, w, h;
  } rows[] = {
      {{0, 0, 1, 1}, 640, 480, 0, 0, 640, 480},
      {{0.125F, 0.25F, 0.5F, 0.75F}, 640, 480, 80, 120, 320, 360},
      {{0.5F, 0.5F, 0.5F, 0.5F}, 3, 5, 2, 3, 1, 2},
      {{-0.25F, 0.5F, 1.5F, 1}, 100, 10, 0, 5, 100, 5}, /* cut to the frame */
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsResult) result = make_result ();
    g_autoptr (GstBuffer) buffer = gst_buffer_new ();
    GstVideoRegionOfInterestMeta *region;
    GstStructure *detection;
    gdouble confidence;

    result->windows[1].rect = rows[i].rect;
    /* "sea" is present but has no window. */
    g_assert_cmpuint (
        gst_buffer_add_ensemble_regions (buffer, result, rows[i].width, rows[i].height), ==, 1);
    region = gst_buffer_get_video_region_of_interest_meta_id (buffer, 1);
    g_assert_nonnull (region);
    g_assert_cmpint (region->parent_id, ==, 0);
    g_assert_cmpstr (g_quark_to_string (region->roi_type), ==, "guide dog");
    g_assert_cmpuint (region->x, ==, rows[i].x);
    g_assert_cmpuint (region->y, ==, rows[i].y);
    g_assert_cmpuint (region->w, ==, rows[i].w);
    g_assert_cmpuint (region->h, ==, rows[i].h);
    detection = gst_video_region_of_interest_meta_get_param (region, "detection");
    g_assert_true (gst_structure_get_double (detection, "confidence", &confidence));
    g_assert_cmpfloat (confidence, ==, 0.75);
    g_assert_cmpstr (gst_structure_get_string (detection, "label"), ==, "guide dog");
  }
}

/* Regions of others, and of another ensemble, keep their own ids. */
static void
test_region_ids (void)
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

    g_assert_nonnull (region);
    g_assert_cmpstr (g_quark_to_string (region->roi_type), ==, id % 2 == 0 ? "guide dog" : "sea");
  }
}

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

  g_assert_nonnull (meta);
  g_assert_true (gst_ensemble_meta_get_result (meta) == result);
  g_assert_cmpuint (gst_ensemble_meta_get_age (meta), ==, 20);
  g_assert_cmpfloat (lookup (gst_ensemble_meta_get_structure (meta), "guide dog"), ==, 0.875);
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
    g_assert_null (region);
    return;
  }
  g_assert_nonnull (region);
  g_assert_cmpstr (g_quark_to_string (region->roi_type), ==, "guide dog");
  g_assert_cmpuint (region->x, ==, row->region.x);
  g_assert_cmpuint (region->y, ==, row->region.y);
  g_assert_cmpuint (region->w, ==, row->region.w);
  g_assert_cmpuint (region->h, ==, row->region.h);
  g_assert_true ((gst_video_region_of_interest_meta_get_param (region, "detection") != NULL)
                 == ((row->arrives & PARAMETERS) != 0));
}

static GstBuffer *
pass_through (GstHarness *harness, const Survival *row, GstBuffer *in)
{
  GstBuffer *out;

  gst_harness_set_src_caps_str (harness, IN_CAPS);
  gst_harness_set_sink_caps_str (harness, row->out);
  g_assert_cmpint (gst_harness_push (harness, in), ==, GST_FLOW_OK);
  gst_harness_push_event (harness, gst_event_new_eos ());
  out = gst_harness_pull (harness);
  gst_harness_teardown (harness);
  return out;
}

/* What stands between the element and whoever reads the tags. The frame has 64×48 pixels, and the
 * dog's window is 8, 12, 32×36. Elements that make another picture and don't say how its places
 * come from the old one's leave no region rather than a wrong one. */
static void
test_survival (void)
{
  static const Survival rows[] = {
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
      {"videocrop left=0", "video/x-raw", ALL, {8, 12, 32, 36}},
      {"videocrop left=4 top=2", "video/x-raw, width=60, height=46", TAGS},
      {"videoflip video-direction=horiz", "video/x-raw", TAGS},
      {"videoflip video-direction=90r", "video/x-raw, width=48, height=64", TAGS},
      {"jpegenc ! jpegdec", "video/x-raw", ALL, {8, 12, 32, 36}},
      {"identity ! compositor", "video/x-raw", NOTHING},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsResult) result = make_result ();
    g_autoptr (GstBuffer) out = NULL;

    g_test_message ("%s", rows[i].chain);
    out = pass_through (g_str_equal (rows[i].chain, "tee")
                            ? gst_harness_new_with_padnames ("tee", "sink", "src_%u")
                            : gst_harness_new_parse (rows[i].chain),
                        &rows[i], make_frame (result));
    if (rows[i].arrives & TAGS)
      check_tags (out, result);
    else
      g_assert_null (gst_buffer_get_ensemble_meta (out));
    check_region (out, &rows[i]);
  }
}

/* Elements may ask the metadata itself, and in ways that are not yet known. */
static void
test_transformations (void)
{
  const GQuark transformations[] = {_gst_meta_transform_copy,
                                    gst_video_meta_transform_scale_get_quark (),
                                    g_quark_from_static_string ("gst-video-matrix")};

  for (guint i = 0; i < G_N_ELEMENTS (transformations); i++) {
    g_autoptr (EnsResult) result = make_result ();
    g_autoptr (GstBuffer) from = make_frame (result), to = gst_buffer_new ();
    GstMeta *meta = &gst_buffer_get_ensemble_meta (from)->meta.meta;

    g_assert_true (meta->info->transform_func (to, meta, from, transformations[i], NULL));
    check_tags (to, result);
  }
}

static void
test_copies (void)
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
    g_assert_true (get_variant (gst_ensemble_meta_get_structure (meta), "windows")
                   == get_variant (structure, "windows"));
    gst_buffer_unref (copies[i]);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/meta/map", test_map);
  g_test_add_func ("/gst/meta/structure", test_structure);
  g_test_add_func ("/gst/meta/accessors", test_accessors);
  g_test_add_func ("/gst/meta/two-ensembles", test_two_ensembles);
  g_test_add_func ("/gst/meta/regions", test_regions);
  g_test_add_func ("/gst/meta/region-ids", test_region_ids);
  g_test_add_func ("/gst/meta/survival", test_survival);
  g_test_add_func ("/gst/meta/transformations", test_transformations);
  g_test_add_func ("/gst/meta/copies", test_copies);
  return g_test_run ();
}
