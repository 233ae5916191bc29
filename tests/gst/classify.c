/* SPDX-License-Identifier: LGPL-2.1-or-later */
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

  test_message ("%s", caps);
  classify_play (classify, caps);
  in = classify_make_frame (classify, 0xff4020, 0);
  /* A second reference: the element must leave this buffer alone, and may not copy its pixels. */
  gst_buffer_ref (in);
  ck_assert_int_eq (gst_harness_push (classify->harness, in), GST_FLOW_OK);
  out = gst_harness_pull (classify->harness);
  ck_assert_ptr_null (gst_buffer_get_ensemble_meta (in));
  ck_assert_uint_eq (classify_get_result (out)->width, width);
  ck_assert_uint_eq (classify_get_result (out)->height, height);
  ck_assert_uint_eq (GST_BUFFER_PTS (out), 0);
  gst_buffer_map (in, &a, GST_MAP_READ);
  gst_buffer_map (out, &b, GST_MAP_READ);
  ck_assert (a.data == b.data && a.size == b.size);
  gst_buffer_unmap (in, &a);
  gst_buffer_unmap (out, &b);
  if (!g_str_equal (format, "GRAY8")) {
    ck_assert_double_gt (classify_get_probability (out, "red"), 0.5F);
    ck_assert_double_lt (classify_get_probability (out, "blue"), 0.5F);
  }
  gst_buffer_unref (in);
  gst_buffer_unref (out);
}

/* Caps change while the stream goes on. */
START_TEST (test_formats)
{
  static const char *const formats[] = {"NV12", "I420", "YV12", "RGB",  "BGR",  "RGBx", "RGBA",
                                        "BGRx", "BGRA", "xRGB", "ARGB", "xBGR", "ABGR", "GRAY8"};
  static const guint sizes[][2] = {{32, 24}, {17, 31}, {101, 2}, {1, 1}};

  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
      check_format (classify, formats[f], sizes[s][0], sizes[s][1]);
}
END_TEST

START_TEST (test_bad_caps)
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

    ck_assert (!gst_pad_query_accept_caps (pad, caps));
    ck_assert (!gst_pad_send_event (pad, gst_event_new_caps (caps)));
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    ck_assert_ptr_nonnull (message);
    gst_message_parse_error (message, &error, NULL);
    ck_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
    ck_assert_pstr_eq (error->message, expected);
  }
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* Strides that no default layout has. */
START_TEST (test_strides)
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
  ck_assert (gst_video_frame_map (&video, &info, buffer, GST_MAP_WRITE));
  for (guint c = 0; c < 3; c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&video, c); y++)
      memset ((guint8 *)GST_VIDEO_FRAME_COMP_DATA (&video, c) + y * strides[c],
              ((guint8[]) {82, 90, 240})[c], GST_VIDEO_FRAME_COMP_WIDTH (&video, c));
  gst_video_frame_unmap (&video);

  ck_assert_int_eq (gst_harness_push (classify->harness, buffer), GST_FLOW_OK);
  out = gst_harness_pull (classify->harness);
  ck_assert_double_gt (classify_get_probability (out, "red"), 0.5F);
  ck_assert_double_lt (classify_get_probability (out, "green"), 0.5F);
}
END_TEST

/* Allocation goes by the element: what downstream proposes reaches upstream. */
START_TEST (test_allocation)
{
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstQuery) query = NULL;

  classify_play_mode (classify, "sync");
  gst_harness_add_propose_allocation_meta (classify->harness, GST_VIDEO_META_API_TYPE, NULL);
  caps = gst_pad_get_current_caps (classify->harness->srcpad);
  query = gst_query_new_allocation (caps, TRUE);
  ck_assert (gst_pad_peer_query (classify->harness->srcpad, query));
  ck_assert (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
}
END_TEST

/* ---- Properties ---- */

START_TEST (test_defaults)
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
  ck_assert_str_eq (device, "auto");
  ck_assert_ptr_null (active);
  ck_assert_uint_eq (interval, 1);
  ck_assert_uint_eq (period, 0);
  ck_assert_int_eq (windows, -1);
  ck_assert_double_eq (threshold, -1);
  ck_assert_uint_eq (top_k, 0);
}
END_TEST

START_TEST (test_scales)
{
  GValue value = G_VALUE_INIT;
  g_autofree char *text = NULL;

  gst_util_set_object_arg (G_OBJECT (classify->element), "scales", "<48, 32>");
  g_value_init (&value, GST_TYPE_ARRAY);
  g_object_get_property (G_OBJECT (classify->element), "scales", &value);
  text = gst_value_serialize (&value);
  ck_assert_str_eq (text, "< (uint)32, (uint)48 >");
  g_value_unset (&value);
}
END_TEST

/* Scales that don't fit are told of, and those of the bundle stay. */
static const struct {
  gboolean playing; /* when they are set; else before */
  const char *message;
} refused_rows[] = {
    {FALSE, "The property \"scales\" does not count, the bundle's do: "},
    {TRUE, "The property \"scales\" is not changed: "},
};

START_TEST (test_refused_scales)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  GValue value = G_VALUE_INIT;

  gst_element_set_bus (classify->element, bus);
  g_object_set (classify->element, "max-memory", (guint64)1 << 20, NULL);
  if (refused_rows[_i].playing)
    classify_play_mode (classify, "sync");
  gst_util_set_object_arg (G_OBJECT (classify->element), "scales", "<4096>");
  classify_play_mode (classify, "sync");
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  ck_assert_ptr_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  ck_assert (g_str_has_prefix (error->message, refused_rows[_i].message));
  g_value_init (&value, GST_TYPE_ARRAY);
  g_object_get_property (G_OBJECT (classify->element), "scales", &value);
  ck_assert_uint_eq (gst_value_array_get_size (&value), 0);
  g_value_unset (&value);
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

START_TEST (test_active_device)
{
  g_autofree char *open = NULL, *closed = NULL;

  g_object_set (classify->element, "device", "auto", NULL);
  ck_assert_int_eq (gst_element_set_state (classify->element, GST_STATE_READY),
                    GST_STATE_CHANGE_SUCCESS);
  g_object_get (classify->element, "active-device", &open, NULL);
  ck_assert_ptr_nonnull (open);
  ck_assert_str_ne (open, "auto");
  gst_element_set_state (classify->element, GST_STATE_NULL);
  g_object_get (classify->element, "active-device", &closed, NULL);
  ck_assert_ptr_null (closed);
}
END_TEST

/* Each takes effect with the next frame. */
START_TEST (test_changes_while_playing)
{
  GstBuffer *out;

  classify_play_mode (classify, "sync");
  out = classify_push (classify, RED, 0);
  ck_assert_uint_eq (classify_get_result (out)->n_classes, 3);
  ck_assert (classify_get_result (out)->classes[0].present);
  ck_assert_double_eq (classify_get_result (out)->classes[0].threshold, 0.5F);
  gst_buffer_unref (out);

  g_object_set (classify->element, "threshold", 1.0F, NULL);
  out = classify_push (classify, RED, FRAME);
  ck_assert (!(classify_get_result (out)->classes[0].present));
  ck_assert_double_eq (classify_get_result (out)->classes[0].threshold, 1);
  gst_buffer_unref (out);

  g_object_set (classify->element, "threshold", -1.0F, "top-k", 1, NULL);
  out = classify_push (classify, GREEN, 2 * FRAME);
  ck_assert_uint_eq (classify_get_result (out)->n_classes, 1);
  ck_assert_str_eq (classify_get_result (out)->classes[0].name, "green");
  gst_buffer_unref (out);

  g_object_set (classify->element, "inference-interval", 2, NULL);
  gst_buffer_unref (classify_push (classify, RED, 3 * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 3);
}
END_TEST

/* Gives the bundle a gate that finds nothing red similar enough. */
static void
add_gate (const char *bundle)
{
  g_autofree char *path = g_build_filename (bundle, "ensemble.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GString) edited = NULL;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  edited = g_string_new (text);
  ck_assert_uint_eq (
      g_string_replace (edited, "\"networks\": [",
                        "\"gate\": {\"network\": \"original\", \"file\": \"classifier.onnx\", "
                        "\"kind\": \"decision\", \"keep\": 0.95, "
                        "\"ranges\": {\"red\": [100, 200], \"green\": [-100, 200]}}, "
                        "\"networks\": [",
                        1),
      1);
  ck_assert (g_file_set_contents (path, edited->str, -1, NULL));
}

/* The gate can be switched off and on at any time. */
START_TEST (test_gate)
{
  add_gate (classify->bundle);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 4; i++) {
    gboolean gate = i % 2 == 0;
    g_autoptr (GstBuffer) red = NULL, green = NULL;

    g_object_set (classify->element, "gate", gate, NULL);
    red = classify_push (classify, RED, 2 * i * FRAME);
    ck_assert_int_eq (classify_get_result (red)->classes[0].present, !gate);
    ck_assert_int_eq (classify_get_result (red)->classes[0].withheld, gate);
    ck_assert_double_gt (classify_get_result (red)->classes[0].p, 0.5);
    ck_assert_double_lt (classify_get_result (red)->classes[0].similarity, 100);
    green = classify_push (classify, GREEN, (2 * i + 1) * FRAME);
    ck_assert (classify_get_result (green)->classes[1].present);
  }
}
END_TEST

/* A red square on black: the frame as a whole is not red, the window is. */
START_TEST (test_windows)
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
    ck_assert_int_eq (gst_harness_push (classify->harness, buffer), GST_FLOW_OK);
    *out = gst_harness_pull (classify->harness);
  }
  ck_assert_uint_gt (classify_get_result (with)->n_windows, 0);
  ck_assert (classify_get_result (with)->classes[0].present);
  ck_assert_double_gt (classify_get_result (with)->classes[0].p3, 0.5F);
  region = gst_buffer_get_video_region_of_interest_meta_id (with, 1);
  ck_assert_ptr_nonnull (region);
  ck_assert_str_eq (g_quark_to_string (region->roi_type), "red");
  ck_assert_uint_ge (region->x, 55);
  ck_assert_uint_le (region->x + region->w, 105);

  ck_assert_uint_eq (classify_get_result (without)->n_windows, 0);
  ck_assert (!(classify_get_result (without)->classes[0].present));
  ck_assert_ptr_null (gst_buffer_get_video_region_of_interest_meta_id (without, 1));
}
END_TEST

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
static const struct {
  const char *sub_images;
  guint max, columns, rows; /* 0: no map */
} sub_images_rows[] = {{"auto", 0, 4, 3}, {"off", 0, 0, 0},  {"on", 0, 4, 3},
                       {"auto", 4, 2, 2}, {"auto", 1, 0, 0}, {"on", 1, 1, 1}};

START_TEST (test_sub_images)
{
  g_object_set (classify->element, "windows", 0, NULL);
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  classify_play (classify, "video/x-raw, format=RGB, width=480, height=320, framerate=25/1");
  g_autoptr (GstBuffer) out = NULL;
  const EnsResult *result;

  gst_util_set_object_arg (G_OBJECT (classify->element), "sub-images",
                           sub_images_rows[_i].sub_images);
  g_object_set (classify->element, "max-sub-images", sub_images_rows[_i].max, NULL);
  ck_assert_int_eq (gst_harness_push (classify->harness, make_large_frame (classify, _i * FRAME)),
                    GST_FLOW_OK);
  out = gst_harness_pull (classify->harness);
  result = classify_get_result (out);
  ck_assert_uint_eq (result->map != NULL ? result->map->columns : 0, sub_images_rows[_i].columns);
  ck_assert_uint_eq (result->map != NULL ? result->map->rows : 0, sub_images_rows[_i].rows);
  ck_assert_int_eq (result->classes[2].present, sub_images_rows[_i].columns == 4);
  if (sub_images_rows[_i].columns == 4)
    ck_assert_int_eq (result->classes[2].sub_image, 11);
}
END_TEST

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
  ck_assert_int_eq (gst_element_set_state (classify->element, GST_STATE_READY),
                    GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  ck_assert_ptr_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  test_message ("%s", error->message);
  ck_assert_error (error, GST_RESOURCE_ERROR, code);
  for (; *words != NULL; words++)
    ck_assert_contains (error->message, *words);
  gst_element_set_bus (classify->element, NULL);
}

START_TEST (test_bad_models)
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

  ck_assert (g_file_get_contents (file, &json, &size, NULL));
  ck_assert (g_file_set_contents (file, json, size / 2, NULL));
  check_refused (classify, classify->bundle, GST_RESOURCE_ERROR_READ,
                 (const char *[]) {"ensemble.json", NULL});
  ck_assert (g_file_set_contents (file, json, size, NULL));
  /* A file put right opens without further ado. */
  g_object_set (classify->element, "model", classify->bundle, NULL);
  ck_assert_int_eq (gst_element_set_state (classify->element, GST_STATE_READY),
                    GST_STATE_CHANGE_SUCCESS);
}
END_TEST

START_TEST (test_bad_network)
{
  g_autofree char *network = g_build_filename (classify->bundle, "average.onnx", NULL);

  ck_assert (g_file_set_contents (network, "not a network", -1, NULL));
  check_refused (classify, classify->bundle, GST_RESOURCE_ERROR_READ,
                 (const char *[]) {"average.onnx", NULL});
  g_remove (network);
  check_refused (classify, classify->bundle, GST_RESOURCE_ERROR_OPEN_READ,
                 (const char *[]) {"average.onnx", NULL});
}
END_TEST

START_TEST (test_bad_device)
{
  g_object_set (classify->element, "device", "abacus", NULL);
  check_refused (classify, classify->bundle, GST_RESOURCE_ERROR_FAILED,
                 (const char *[]) {"abacus", NULL});
}
END_TEST

/* The model may be changed in READY, and is opened when the stream starts. */
START_TEST (test_model_changed_in_ready)
{
  g_autofree char *missing = g_build_filename (classify->folder, "missing.ensemble", NULL);

  ck_assert_int_eq (gst_element_set_state (classify->element, GST_STATE_READY),
                    GST_STATE_CHANGE_SUCCESS);
  g_object_set (classify->element, "model", missing, NULL);
  ck_assert_int_eq (gst_element_set_state (classify->element, GST_STATE_PAUSED),
                    GST_STATE_CHANGE_FAILURE);
  g_object_set (classify->element, "model", classify->bundle, NULL);
  ck_assert_int_eq (gst_element_set_state (classify->element, GST_STATE_PAUSED),
                    GST_STATE_CHANGE_SUCCESS);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify");
  test_fixture (classify_set_up, classify_tear_down);
  test_add ("formats", test_formats);
  test_add ("bad-caps", test_bad_caps);
  test_add ("strides", test_strides);
  test_add ("allocation", test_allocation);
  test_add ("defaults", test_defaults);
  test_add ("scales", test_scales);
  TEST_ADD_LOOP ("refused-scales", test_refused_scales, refused_rows);
  test_add ("active-device", test_active_device);
  test_add ("changes-while-playing", test_changes_while_playing);
  test_add ("gate", test_gate);
  test_add ("windows", test_windows);
  TEST_ADD_LOOP ("sub-images", test_sub_images, sub_images_rows);
  test_add ("bad-models", test_bad_models);
  test_add ("bad-network", test_bad_network);
  test_add ("bad-device", test_bad_device);
  test_add ("model-changed-in-ready", test_model_changed_in_ready);
  return test_run ();
}
