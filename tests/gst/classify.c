/* What ensembleclassify takes, says and can be told. */
#include "classify-fixture.h"

#include <glib/gstdio.h>

#define RED 0xff0000
#define GREEN 0x00ff00

/* ---- Caps ---- */

static void
check_format (Classify *classify, const char *format, guint width, guint height)
{
  g_autofree char *caps = g_strdup_printf (
      "video/x-raw, format=%s, width=%u, height=%u, framerate=25/1", format, width, height);
  GstBuffer *in, *out;
  GstMapInfo a, b;

  g_test_message ("%s", caps);
  classify_play (classify, caps);
  in = classify_make_frame (classify, 0xff4020, 0);
  /* A second reference: the element must leave this buffer alone, and may not copy its pixels. */
  gst_buffer_ref (in);
  g_assert_cmpint (gst_harness_push (classify->harness, in), ==, GST_FLOW_OK);
  out = gst_harness_pull (classify->harness);
  g_assert_null (gst_buffer_get_ensemble_meta (in));
  g_assert_cmpuint (classify_get_result (out)->width, ==, width);
  g_assert_cmpuint (classify_get_result (out)->height, ==, height);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 0);
  gst_buffer_map (in, &a, GST_MAP_READ);
  gst_buffer_map (out, &b, GST_MAP_READ);
  g_assert_true (a.data == b.data && a.size == b.size);
  gst_buffer_unmap (in, &a);
  gst_buffer_unmap (out, &b);
  if (!g_str_equal (format, "GRAY8")) {
    g_assert_cmpfloat (classify_get_probability (out, "red"), >, 0.5F);
    g_assert_cmpfloat (classify_get_probability (out, "blue"), <, 0.5F);
  }
  gst_buffer_unref (in);
  gst_buffer_unref (out);
}

/* Caps change while the stream goes on. */
static void
test_formats (Classify *classify, gconstpointer data)
{
  static const char *const formats[] = {"NV12", "I420", "YV12", "RGB",  "BGR",  "RGBx", "RGBA",
                                        "BGRx", "BGRA", "xRGB", "ARGB", "xBGR", "ABGR", "GRAY8"};
  static const guint sizes[][2] = {{32, 24}, {17, 31}, {101, 2}, {1, 1}};

  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
      check_format (classify, formats[f], sizes[s][0], sizes[s][1]);
}

static void
test_bad_caps (Classify *classify, gconstpointer data)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (classify->element, "sink");
  g_autoptr (GstBus) bus = gst_bus_new ();
  static const struct {
    const char *caps, *remedy;
  } rows[] = {
      {"video/x-raw, format=UYVY, width=32, height=24, framerate=25/1",
       "; put videoconvert before it"},
      {"video/x-raw, format=RGB, width=40000, height=24, framerate=25/1",
       "; put videoscale before it"},
      {"video/x-raw(memory:GLMemory), format=RGBA, width=32, height=24, framerate=25/1",
       "; put an element before it that brings frames into system memory, such as gldownload"},
      {"video/x-raw(memory:DMABuf), format=NV12, width=32, height=24, framerate=25/1",
       "; put an element before it that brings frames into system memory, such as vapostproc"},
      {"video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12:0x0100000000000002, width=32, "
       "height=24, framerate=25/1",
       "; its pixels are tiled, put an element before it that lays them out in rows, such as "
       "vapostproc"},
      {"audio/x-raw", "; put decodebin before it"},
      {"video/x-h264", "; put decodebin before it"},
  };

  gst_element_set_bus (classify->element, bus);
  gst_element_set_state (classify->element, GST_STATE_PAUSED);
  gst_pad_send_event (pad, gst_event_new_stream_start ("test"));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (rows[i].caps);
    g_autofree char *text = gst_caps_to_string (caps);
    g_autofree char *expected = g_strdup_printf ("Can't take %s%s", text, rows[i].remedy);
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_false (gst_pad_query_accept_caps (pad, caps));
    g_assert_false (gst_pad_send_event (pad, gst_event_new_caps (caps)));
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    gst_message_parse_error (message, &error, NULL);
    g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
    g_assert_cmpstr (error->message, ==, expected);
  }
  gst_element_set_bus (classify->element, NULL);
}

/* Strides that no default layout has. */
static void
test_strides (Classify *classify, gconstpointer data)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = {7, 4000, 6000};
  gint strides[GST_VIDEO_MAX_PLANES] = {101, 61, 59};
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *buffer;
  GstVideoFrame video;
  GstVideoInfo info;

  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  classify_play (classify, "video/x-raw, format=I420, width=33, height=25, framerate=25/1");
  buffer = gst_buffer_new_allocate (NULL, 8000, NULL);
  gst_buffer_memset (buffer, 0, 0xee, 8000);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 33, 25,
                                  3, offsets, strides);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 33, 25);
  g_assert_true (gst_video_frame_map (&video, &info, buffer, GST_MAP_WRITE));
  for (guint c = 0; c < 3; c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&video, c); y++)
      memset ((guint8 *)GST_VIDEO_FRAME_COMP_DATA (&video, c) + y * strides[c],
              ((guint8[]) {82, 90, 240})[c], GST_VIDEO_FRAME_COMP_WIDTH (&video, c));
  gst_video_frame_unmap (&video);

  g_assert_cmpint (gst_harness_push (classify->harness, buffer), ==, GST_FLOW_OK);
  out = gst_harness_pull (classify->harness);
  g_assert_cmpfloat (classify_get_probability (out, "red"), >, 0.5F);
  g_assert_cmpfloat (classify_get_probability (out, "green"), <, 0.5F);
}

/* Allocation goes by the element: what downstream proposes reaches upstream. */
static void
test_allocation (Classify *classify, gconstpointer data)
{
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstQuery) query = NULL;

  classify_play_mode (classify, "sync");
  gst_harness_add_propose_allocation_meta (classify->harness, GST_VIDEO_META_API_TYPE, NULL);
  caps = gst_pad_get_current_caps (classify->harness->srcpad);
  query = gst_query_new_allocation (caps, TRUE);
  g_assert_true (gst_pad_peer_query (classify->harness->srcpad, query));
  g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
}

/* ---- Properties ---- */

static void
test_defaults (Classify *classify, gconstpointer data)
{
  g_autofree char *device = NULL, *active = NULL;
  guint interval, top_k;
  guint64 period;
  gint windows;
  float threshold;

  g_object_set (classify->element, "device", NULL, NULL);
  g_object_get (classify->element, "device", &device, "active-device", &active,
                "inference-interval", &interval, "inference-period", &period, "windows", &windows,
                "threshold", &threshold, "top-k", &top_k, NULL);
  g_assert_cmpstr (device, ==, "auto");
  g_assert_null (active);
  g_assert_cmpuint (interval, ==, 1);
  g_assert_cmpuint (period, ==, 0);
  g_assert_cmpint (windows, ==, -1);
  g_assert_cmpfloat (threshold, ==, -1);
  g_assert_cmpuint (top_k, ==, 0);
}

static void
test_scales (Classify *classify, gconstpointer data)
{
  GValue value = G_VALUE_INIT;
  g_autofree char *text = NULL;

  gst_util_set_object_arg (G_OBJECT (classify->element), "scales", "<48, 32>");
  g_value_init (&value, GST_TYPE_ARRAY);
  g_object_get_property (G_OBJECT (classify->element), "scales", &value);
  text = gst_value_serialize (&value);
  g_assert_cmpstr (text, ==, "< (uint)32, (uint)48 >");
  g_value_unset (&value);
}

static void
test_active_device (Classify *classify, gconstpointer data)
{
  g_autofree char *open = NULL, *closed = NULL;

  g_object_set (classify->element, "device", "auto", NULL);
  g_assert_cmpint (gst_element_set_state (classify->element, GST_STATE_READY), ==,
                   GST_STATE_CHANGE_SUCCESS);
  g_object_get (classify->element, "active-device", &open, NULL);
  g_assert_nonnull (open);
  g_assert_cmpstr (open, !=, "auto");
  gst_element_set_state (classify->element, GST_STATE_NULL);
  g_object_get (classify->element, "active-device", &closed, NULL);
  g_assert_null (closed);
}

/* Each takes effect with the next frame. */
static void
test_changes_while_playing (Classify *classify, gconstpointer data)
{
  GstBuffer *out;

  classify_play_mode (classify, "sync");
  out = classify_push (classify, RED, 0);
  g_assert_cmpuint (classify_get_result (out)->n_classes, ==, 3);
  g_assert_true (classify_get_result (out)->classes[0].present);
  g_assert_cmpfloat (classify_get_result (out)->classes[0].threshold, ==, 0.5F);
  gst_buffer_unref (out);

  g_object_set (classify->element, "threshold", 1.0F, NULL);
  out = classify_push (classify, RED, FRAME);
  g_assert_false (classify_get_result (out)->classes[0].present);
  g_assert_cmpfloat (classify_get_result (out)->classes[0].threshold, ==, 1);
  gst_buffer_unref (out);

  g_object_set (classify->element, "threshold", -1.0F, "top-k", 1, NULL);
  out = classify_push (classify, GREEN, 2 * FRAME);
  g_assert_cmpuint (classify_get_result (out)->n_classes, ==, 1);
  g_assert_cmpstr (classify_get_result (out)->classes[0].name, ==, "green");
  gst_buffer_unref (out);

  g_object_set (classify->element, "inference-interval", 2, NULL);
  gst_buffer_unref (classify_push (classify, RED, 3 * FRAME));
  g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, 3);
}

/* A red square on black: the frame as a whole is not red, the window is. */
static void
test_windows (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBuffer) with = NULL;
  g_autoptr (GstBuffer) without = NULL;
  GstVideoRegionOfInterestMeta *region;

  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  classify_play (classify, "video/x-raw, format=RGB, width=160, height=120, framerate=25/1");
  for (guint i = 0; i < 2; i++) {
    GstBuffer *buffer = classify_make_frame (classify, 0, i * FRAME);
    GstBuffer **out = i == 0 ? &with : &without;

    for (guint y = 40; y < 80; y++)
      for (guint x = 60; x < 100; x++)
        gst_buffer_fill (buffer, 3 * (160 * y + x), "\xff\0\0", 3);
    g_object_set (classify->element, "windows", i == 0 ? -1 : 0, NULL);
    g_assert_cmpint (gst_harness_push (classify->harness, buffer), ==, GST_FLOW_OK);
    *out = gst_harness_pull (classify->harness);
  }
  g_assert_cmpuint (classify_get_result (with)->n_windows, >, 0);
  g_assert_true (classify_get_result (with)->classes[0].present);
  g_assert_cmpfloat (classify_get_result (with)->classes[0].p3, >, 0.5F);
  region = gst_buffer_get_video_region_of_interest_meta_id (with, 1);
  g_assert_nonnull (region);
  g_assert_cmpstr (g_quark_to_string (region->roi_type), ==, "red");
  g_assert_cmpuint (region->x, >=, 55);
  g_assert_cmpuint (region->x + region->w, <=, 105);

  g_assert_cmpuint (classify_get_result (without)->n_windows, ==, 0);
  g_assert_false (classify_get_result (without)->classes[0].present);
  g_assert_null (gst_buffer_get_video_region_of_interest_meta_id (without, 1));
}

/* A large frame with a blue square in its lower right corner. */
static GstBuffer *
make_large_frame (Classify *classify, GstClockTime pts)
{
  GstBuffer *buffer = classify_make_frame (classify, 0, pts);

  for (guint y = 180; y < 300; y++)
    for (guint x = 340; x < 460; x++)
      gst_buffer_fill (buffer, 3 * (480 * y + x), "\0\0\xff", 3);
  return buffer;
}

/* Whether large frames are divided, and into how many sub-images, can be changed at any time. */
static void
test_sub_images (Classify *classify, gconstpointer data)
{
  static const struct {
    const char *sub_images;
    guint max, columns, rows; /* 0: no map */
  } rows[] = {{"auto", 0, 4, 3}, {"off", 0, 0, 0},  {"on", 0, 4, 3},
              {"auto", 4, 2, 2}, {"auto", 1, 0, 0}, {"on", 1, 1, 1}};

  g_object_set (classify->element, "windows", 0, NULL);
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  classify_play (classify, "video/x-raw, format=RGB, width=480, height=320, framerate=25/1");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstBuffer) out = NULL;
    const EnsResult *result;

    gst_util_set_object_arg (G_OBJECT (classify->element), "sub-images", rows[i].sub_images);
    g_object_set (classify->element, "max-sub-images", rows[i].max, NULL);
    g_assert_cmpint (gst_harness_push (classify->harness, make_large_frame (classify, i * FRAME)),
                     ==, GST_FLOW_OK);
    out = gst_harness_pull (classify->harness);
    result = classify_get_result (out);
    g_assert_cmpuint (result->map != NULL ? result->map->columns : 0, ==, rows[i].columns);
    g_assert_cmpuint (result->map != NULL ? result->map->rows : 0, ==, rows[i].rows);
    g_assert_cmpint (result->classes[2].present, ==, rows[i].columns == 4);
    if (rows[i].columns == 4)
      g_assert_cmpint (result->classes[2].sub_image, ==, 11);
  }
}

/* ---- Bundles that can't be opened ---- */

/* Tries to open the model: it must fail with an error that holds all these words. */
static void
check_refused (Classify *classify, const char *model, gint code, const char *const *words)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (classify->element, bus);
  g_object_set (classify->element, "model", model, NULL);
  g_assert_cmpint (gst_element_set_state (classify->element, GST_STATE_READY), ==,
                   GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_error (error, GST_RESOURCE_ERROR, code);
  for (; *words != NULL; words++)
    g_assert_nonnull (strstr (error->message, *words));
  gst_element_set_bus (classify->element, NULL);
}

static void
test_bad_models (Classify *classify, gconstpointer data)
{
  g_autofree char *missing = g_build_filename (classify->folder, "missing.ensemble", NULL);
  g_autofree char *file = g_build_filename (classify->bundle, "ensemble.json", NULL);
  g_autofree char *empty = g_build_filename (classify->folder, "empty.ensemble", NULL);
  g_autofree char *json = NULL;
  gsize size;

  g_mkdir (empty, 0700);
  check_refused (classify, NULL, GST_RESOURCE_ERROR_SETTINGS, (const char *[]) {"model", NULL});
  check_refused (classify, missing, GST_RESOURCE_ERROR_NOT_FOUND,
                 (const char *[]) {"missing.ensemble", "there is nothing of this name", NULL});
  check_refused (classify, file, GST_RESOURCE_ERROR_OPEN_READ,
                 (const char *[]) {"ensemble.json", NULL});
  check_refused (classify, empty, GST_RESOURCE_ERROR_OPEN_READ,
                 (const char *[]) {"empty.ensemble", "ensemble.json", NULL});

  g_assert_true (g_file_get_contents (file, &json, &size, NULL));
  g_assert_true (g_file_set_contents (file, json, size / 2, NULL));
  check_refused (classify, classify->bundle, GST_RESOURCE_ERROR_READ,
                 (const char *[]) {"ensemble.json", NULL});
  g_assert_true (g_file_set_contents (file, json, size, NULL));
  /* A file put right opens without further ado. */
  g_object_set (classify->element, "model", classify->bundle, NULL);
  g_assert_cmpint (gst_element_set_state (classify->element, GST_STATE_READY), ==,
                   GST_STATE_CHANGE_SUCCESS);
}

static void
test_bad_network (Classify *classify, gconstpointer data)
{
  g_autofree char *network = g_build_filename (classify->bundle, "average.onnx", NULL);

  g_assert_true (g_file_set_contents (network, "not a network", -1, NULL));
  check_refused (classify, classify->bundle, GST_RESOURCE_ERROR_READ,
                 (const char *[]) {"average.onnx", NULL});
  g_remove (network);
  check_refused (classify, classify->bundle, GST_RESOURCE_ERROR_OPEN_READ,
                 (const char *[]) {"average.onnx", NULL});
}

static void
test_bad_device (Classify *classify, gconstpointer data)
{
  g_object_set (classify->element, "device", "abacus", NULL);
  check_refused (classify, classify->bundle, GST_RESOURCE_ERROR_FAILED,
                 (const char *[]) {"abacus", NULL});
}

/* The model may be changed in READY, and is opened when the stream starts. */
static void
test_model_changed_in_ready (Classify *classify, gconstpointer data)
{
  g_autofree char *missing = g_build_filename (classify->folder, "missing.ensemble", NULL);

  g_assert_cmpint (gst_element_set_state (classify->element, GST_STATE_READY), ==,
                   GST_STATE_CHANGE_SUCCESS);
  g_object_set (classify->element, "model", missing, NULL);
  g_assert_cmpint (gst_element_set_state (classify->element, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_FAILURE);
  g_object_set (classify->element, "model", classify->bundle, NULL);
  g_assert_cmpint (gst_element_set_state (classify->element, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_SUCCESS);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  CLASSIFY_ADD ("/gst/classify/formats", test_formats);
  CLASSIFY_ADD ("/gst/classify/bad-caps", test_bad_caps);
  CLASSIFY_ADD ("/gst/classify/strides", test_strides);
  CLASSIFY_ADD ("/gst/classify/allocation", test_allocation);
  CLASSIFY_ADD ("/gst/classify/defaults", test_defaults);
  CLASSIFY_ADD ("/gst/classify/scales", test_scales);
  CLASSIFY_ADD ("/gst/classify/active-device", test_active_device);
  CLASSIFY_ADD ("/gst/classify/changes-while-playing", test_changes_while_playing);
  CLASSIFY_ADD ("/gst/classify/windows", test_windows);
  CLASSIFY_ADD ("/gst/classify/sub-images", test_sub_images);
  CLASSIFY_ADD ("/gst/classify/bad-models", test_bad_models);
  CLASSIFY_ADD ("/gst/classify/bad-network", test_bad_network);
  CLASSIFY_ADD ("/gst/classify/bad-device", test_bad_device);
  CLASSIFY_ADD ("/gst/classify/model-changed-in-ready", test_model_changed_in_ready);
  return g_test_run ();
}
