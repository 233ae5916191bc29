/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstharness.h>
#include <gst/ensemble/ensemble.h>
#include <gst/video/video.h>

#include "ensemble-overlay.h"
#include "overlay-scene.h"

#include "check-main.h"

#define GREY 0x60

static GstElement *overlay;

static void
set_up (void)
{
  overlay = gst_object_ref_sink (g_object_new (GST_TYPE_ENSEMBLE_OVERLAY, NULL));
}

static void
tear_down (void)
{
  g_clear_pointer (&overlay, gst_object_unref);
}

/* Three classes: present with a window, absent, withheld. */
static EnsResult *
make_result (void)
{
  static const char *const classes[] = {"cat <b>&amp;\xC3\xA9", "dog", "owl"};
  static const char *const networks[] = {"small"};
  EnsResult *result = ens_result_new (classes, 3, networks, 1, 1);

  result->bundle = g_strdup ("animals");
  result->windows[0].rect = (EnsRect) {0.5f, 0.5f, 0.25f, 0.25f};
  for (guint c = 0; c < 3; c++)
    result->classes[c].p = 0.9f - 0.3f * (float)c;
  result->classes[0].present = TRUE;
  result->classes[0].window = 0;
  result->classes[2].withheld = TRUE;
  return result;
}

static GstHarness *
open_harness (const char *caps)
{
  GstHarness *harness = gst_harness_new_with_element (overlay, "sink", "src");

  gst_harness_set_src_caps_str (harness, caps);
  return harness;
}

/* (transfer full) a frame of one grey, with results. */
static GstBuffer *
make_frame (const char *format, guint width, guint height, EnsResult *result, GstClockTime age)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, gst_video_format_from_string (format), width, height);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, GREY, info.size);
  GST_BUFFER_PTS (buffer) = 0;
  if (result != NULL)
    gst_buffer_add_ensemble_meta (buffer, result, age);
  return buffer;
}

static GstBuffer *
run (GstHarness *harness, GstBuffer *buffer)
{
  ck_assert_int_eq (gst_harness_push (harness, buffer), GST_FLOW_OK);
  return gst_harness_pull (harness);
}

/* Bytes of the first plane that are not as they were, within columns and rows. */
static guint
count_changed (GstBuffer *buffer, const char *format, guint width, guint height,
               GstVideoRectangle within)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  guint n = 0, step;

  gst_video_info_set_format (&info, gst_video_format_from_string (format), width, height);
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  step = (guint)GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0);
  for (gint y = within.y; y < within.y + within.h; y++) {
    const guint8 *row = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
                        + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (gint x = within.x; x < within.x + within.w; x++)
      n += row[(guint)x * step] != GREY;
  }
  gst_video_frame_unmap (&frame);
  return n;
}

/* The panel is in its corner, the outline where the window is; all else stays as it was. */
static const struct {
  const char *format, *position;
  GstVideoRectangle panel, opposite;
} blend_rows[] = {
    {"I420", "top-left", {0, 0, 80, 60}, {200, 180, 120, 60}},
    {"NV12", "top-right", {240, 0, 80, 60}, {0, 180, 100, 60}},
    {"RGB", "bottom-left", {0, 180, 80, 60}, {240, 0, 80, 60}},
    {"BGRx", "bottom-right", {240, 180, 80, 60}, {0, 0, 100, 60}},
    {"GRAY8", "top-left", {0, 0, 80, 60}, {245, 185, 75, 55}},
    {"YUY2", "top-left", {0, 0, 80, 60}, {245, 185, 75, 55}},
};

START_TEST (test_blend)
{
  const char *format = blend_rows[_i].format;
  g_autofree char *caps =
      g_strdup_printf ("video/x-raw, format=%s, width=320, height=240, framerate=25/1", format);
  g_autoptr (EnsResult) result = make_result ();
  GstHarness *harness;
  GstBuffer *out;

  gst_util_set_object_arg (G_OBJECT (overlay), "position", blend_rows[_i].position);
  harness = open_harness (caps);
  out = run (harness, make_frame (format, 320, 240, result, 0));
  ck_assert_uint_gt (count_changed (out, format, 320, 240, blend_rows[_i].panel), 1000);
  ck_assert_uint_eq (count_changed (out, format, 320, 240, blend_rows[_i].opposite), 0);
  ck_assert_uint_gt (count_changed (out, format, 320, 240, (GstVideoRectangle) {160, 120, 80, 4}),
                     300);
  ck_assert_uint_eq (count_changed (out, format, 320, 240, (GstVideoRectangle) {166, 140, 68, 36}),
                     0);
  gst_buffer_unref (out);
  out = run (harness, make_frame (format, 320, 240, NULL, 0));
  ck_assert_uint_eq (count_changed (out, format, 320, 240, (GstVideoRectangle) {0, 0, 320, 240}),
                     0);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

#define RAW "video/x-raw, format=I420, width=320, height=240, framerate=25/1"
#define COMPOSED                                                                                \
  "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=I420, width=320, " \
  "height=240, framerate=25/1"

/* Who composes: downstream, where its caps and its answer to the allocation query say so. */
static const struct {
  const char *downstream;
  gboolean proposes, attached;
} compose_rows[] = {
    {COMPOSED ";" RAW, TRUE, TRUE},
    {COMPOSED ";" RAW, FALSE, FALSE},
    {RAW, TRUE, FALSE},
};

START_TEST (test_compose)
{
  g_autoptr (EnsResult) result = make_result ();
  GstHarness *harness = gst_harness_new_with_element (overlay, "sink", "src");
  GstVideoRectangle all = {0, 0, 320, 240};
  gboolean attached = compose_rows[_i].attached;
  GstBuffer *out;

  if (compose_rows[_i].proposes)
    gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE,
                                             NULL);
  gst_harness_set_caps_str (harness, RAW, compose_rows[_i].downstream);
  out = run (harness, make_frame ("I420", 320, 240, result, 0));
  ck_assert_int_eq (gst_buffer_get_video_overlay_composition_meta (out) != NULL, attached);
  ck_assert_int_eq (count_changed (out, "I420", 320, 240, all) == 0, attached);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

/* What can't be blended into is not accepted where downstream does not compose. */
static const struct {
  const char *upstream, *downstream;
  gboolean accepted;
} caps_rows[] = {
    {"video/x-raw(memory:GLMemory), format=RGBA", "video/x-raw(memory:GLMemory), format=RGBA",
     FALSE},
    {"video/x-raw(memory:GLMemory), format=RGBA",
     "video/x-raw(memory:GLMemory, meta:GstVideoOverlayComposition), format=RGBA", TRUE},
    {"video/x-raw(meta:GstVideoOverlayComposition), format=I420", "video/x-raw, format=I420",
     FALSE},
    {"video/x-raw, format=I420", "video/x-raw, format=I420", TRUE},
};

START_TEST (test_caps)
{
  GstHarness *harness = gst_harness_new_with_element (overlay, "sink", "src");
  g_autofree char *text =
      g_strdup_printf ("%s, width=320, height=240, framerate=25/1", caps_rows[_i].upstream);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (overlay, "sink");
  g_autoptr (GstCaps) accepted = NULL;

  gst_harness_set_sink_caps_str (harness, caps_rows[_i].downstream);
  accepted = gst_pad_query_caps (pad, NULL);
  ck_assert_int_eq (gst_caps_can_intersect (accepted, caps), caps_rows[_i].accepted);
  gst_harness_teardown (harness);
}
END_TEST

/* What an element upstream wants composed stays. */
START_TEST (test_upstream)
{
  g_autoptr (EnsResult) result = make_result ();
  GstHarness *harness = gst_harness_new_with_element (overlay, "sink", "src");
  GstVideoOverlayRectangle *theirs = overlay_draw_bar (0xFFFFFFFF, 10, 200, 5, 5, 0);
  GstVideoOverlayComposition *before = gst_video_overlay_composition_new (theirs);
  GstBuffer *buffer = make_frame ("I420", 320, 240, result, 0), *out;
  GstVideoOverlayCompositionMeta *meta;
  gint x, y;

  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE,
                                           NULL);
  gst_harness_set_caps_str (harness, COMPOSED, COMPOSED);
  gst_buffer_add_video_overlay_composition_meta (buffer, before);
  out = run (harness, buffer);
  meta = gst_buffer_get_video_overlay_composition_meta (out);
  ck_assert_uint_gt (gst_video_overlay_composition_n_rectangles (meta->overlay), 5);
  gst_video_overlay_rectangle_get_render_rectangle (
      gst_video_overlay_composition_get_rectangle (meta->overlay, 0), &x, &y, NULL, NULL);
  ck_assert_int_eq (x, 10);
  ck_assert_int_eq (y, 200);
  ck_assert_uint_eq (gst_video_overlay_composition_n_rectangles (before), 1);
  gst_video_overlay_rectangle_unref (theirs);
  gst_video_overlay_composition_unref (before);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

/* An outline has four rectangles, its caption, the panel and the age one each. */
static const struct {
  const char *what;
  OverlayOptions options;
  GstClockTime age;
  guint rectangles;
  EnsClassState states[3]; /* of the classes */
} content_rows[] = {
    {"nothing", {.threshold = -1}, GST_SECOND, 0},
    {"labels", {.threshold = -1, .labels = TRUE}, 0, 1},
    {"labels that reach 1", {.threshold = 1, .labels = TRUE}, 0, 0},
    {"labels that reach 0.5", {.threshold = 0.5f, .labels = TRUE, .windows = TRUE}, 0, 6},
    {"withheld alone", {.threshold = 1, .labels = TRUE, .withheld = TRUE}, 0, 1},
    {"windows", {.threshold = -1, .windows = TRUE, .withheld = TRUE}, 0, 5},
    {"age", {.threshold = -1, .age = TRUE}, GST_SECOND, 1},
    {"no age yet", {.threshold = -1, .age = TRUE}, 0, 0},
    {"unknown age", {.threshold = -1, .age = TRUE}, GST_CLOCK_TIME_NONE, 0},
    {"not there yet", {.threshold = -1, .windows = TRUE}, 0, 0, {ENS_CLASS_ABSENT}},
    {"not known yet", {.threshold = -1, .windows = TRUE}, 0, 5, {ENS_CLASS_UNKNOWN}},
    {"still there", {.threshold = -1, .labels = TRUE}, 0, 1, {ENS_CLASS_ABSENT, ENS_CLASS_PRESENT}},
    {"withheld once",
     {.threshold = -1, .labels = TRUE},
     0,
     1,
     {ENS_CLASS_ABSENT, ENS_CLASS_ABSENT, ENS_CLASS_PRESENT}},
    {"all", {.threshold = -1, .labels = TRUE, .windows = TRUE, .age = TRUE}, GST_SECOND, 7},
};

static OverlayOptions
with_style (OverlayOptions options)
{
  options.font = (char *)"Sans";
  options.text_scale = 1;
  options.text = 0xFFFFFFFF;
  options.background = 0xFF000000;
  return options;
}

static guint
count_rectangles (GstVideoOverlayComposition *composition)
{
  guint n = composition != NULL ? gst_video_overlay_composition_n_rectangles (composition) : 0;

  if (composition != NULL)
    gst_video_overlay_composition_unref (composition);
  return n;
}

START_TEST (test_content)
{
  g_autoptr (EnsResult) result = make_result ();
  OverlayResult shown = {result, content_rows[_i].age};
  OverlayOptions options = with_style (content_rows[_i].options);

  test_message ("%s", content_rows[_i].what);
  for (guint c = 0; c < result->n_classes; c++)
    result->classes[c].state = content_rows[_i].states[c];
  ck_assert_uint_eq (count_rectangles (overlay_scene_new (&options, &shown, 1, 640, 480)),
                     content_rows[_i].rectangles);
}
END_TEST

/* What is drawn stays inside frames of any size, of many classes with long names, too. */
static const struct {
  guint width, height, n_classes;
} size_rows[] = {
    {1, 1, 3}, {16, 16, 3}, {320, 240, 40}, {33, 1001, 40}, {3840, 2160, 200}, {8192, 20, 2},
};

START_TEST (test_sizes)
{
  guint width = size_rows[_i].width, height = size_rows[_i].height, n = size_rows[_i].n_classes;
  g_auto (GStrv) names = g_new0 (char *, n + 1);
  const char *network = "small";
  g_autoptr (EnsResult) result = NULL;
  OverlayOptions options = with_style ((OverlayOptions) {
      .threshold = 0, .labels = TRUE, .bars = TRUE, .windows = TRUE, .age = TRUE});
  OverlayResult shown;
  GstVideoOverlayComposition *composition;

  for (guint c = 0; c < n; c++)
    names[c] = g_strdup_printf ("%u: %s", c, c % 2 == 0 ? "a name that needs a lot of room" : "");
  result = ens_result_new ((const char *const *)names, n, &network, 1, n);
  for (guint c = 0; c < n; c++) {
    result->classes[c].window = (gint)c;
    result->windows[c].rect = (EnsRect) {0.9f, 0, 0.3f, (float)c / (float)n};
  }
  shown = (OverlayResult) {result, GST_SECOND};
  composition = overlay_scene_new (&options, &shown, 1, width, height);
  for (guint i = 0;
       composition != NULL && i < gst_video_overlay_composition_n_rectangles (composition); i++) {
    gint x, y;
    guint w, h;

    gst_video_overlay_rectangle_get_render_rectangle (
        gst_video_overlay_composition_get_rectangle (composition, i), &x, &y, &w, &h);
    ck_assert_int_ge (x, 0);
    ck_assert_int_ge (y, 0);
    ck_assert_int_le (x + (gint)w, (gint)width);
    ck_assert_int_le (y + (gint)h, (gint)height);
  }
  count_rectangles (composition);
}
END_TEST

static const struct {
  GstClockTime age;
  const char *text;
} age_rows[] = {
    {0, NULL},
    {GST_CLOCK_TIME_NONE, NULL},
    {99 * GST_MSECOND, NULL},
    {100 * GST_MSECOND, "0.1 s ago"},
    {9999 * GST_MSECOND, "9.9 s ago"},
    {10 * GST_SECOND, "10 s ago"},
    {119 * GST_SECOND, "119 s ago"},
    {120 * GST_SECOND, "2 min ago"},
};

START_TEST (test_age)
{
  g_autofree char *text = overlay_age_text (age_rows[_i].age);

  ck_assert_pstr_eq (text, age_rows[_i].text);
}
END_TEST

/* A property counts from the next frame on, the same result or not. */
START_TEST (test_property)
{
  g_autoptr (EnsResult) result = make_result ();
  GstHarness *harness = open_harness (RAW);
  GstVideoRectangle corner = {0, 0, 80, 30}, opposite = {240, 200, 80, 30};
  GstBuffer *out = run (harness, make_frame ("I420", 320, 240, result, 0));

  ck_assert_uint_gt (count_changed (out, "I420", 320, 240, corner), 0);
  gst_buffer_unref (out);
  gst_util_set_object_arg (G_OBJECT (overlay), "position", "bottom-right");
  out = run (harness, make_frame ("I420", 320, 240, result, 0));
  ck_assert_uint_eq (count_changed (out, "I420", 320, 240, corner), 0);
  ck_assert_uint_gt (count_changed (out, "I420", 320, 240, opposite), 0);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
END_TEST

/* What the panel looks like: a sum over its corner. */
static guint
look_at_corner (GstBuffer *buffer)
{
  GstMapInfo map;
  guint sum = 0;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (guint y = 0; y < 80; y++)
    for (guint x = 0; x < 160; x++)
      sum = sum * 31 + map.data[y * 320 + x];
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return sum;
}

/* Each frame shows its own result, at its own age. */
START_TEST (test_next_result)
{
  g_autoptr (EnsResult) first = make_result ();
  g_autoptr (EnsResult) second = make_result ();
  GstHarness *harness = open_harness (RAW);
  const struct {
    EnsResult *result;
    GstClockTime age;
    gboolean same; /* as the frame before */
  } frames[] = {{first, 0, FALSE},          {first, 0, TRUE},
                {second, 0, FALSE},         {second, GST_SECOND, FALSE},
                {second, GST_SECOND, TRUE}, {second, 2 * GST_SECOND, FALSE}};
  guint before = 0;

  second->classes[0].p = 0.5f;
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    guint now = look_at_corner (
        run (harness, make_frame ("I420", 320, 240, frames[i].result, frames[i].age)));

    ck_assert_int_eq (now == before, frames[i].same);
    before = now;
  }
  gst_harness_teardown (harness);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/overlay");
  test_fixture (set_up, tear_down);
  TEST_ADD_LOOP ("blend", test_blend, blend_rows);
  TEST_ADD_LOOP ("compose", test_compose, compose_rows);
  TEST_ADD_LOOP ("caps", test_caps, caps_rows);
  test_add ("upstream", test_upstream);
  TEST_ADD_LOOP ("content", test_content, content_rows);
  TEST_ADD_LOOP ("sizes", test_sizes, size_rows);
  TEST_ADD_LOOP ("age", test_age, age_rows);
  test_add ("property", test_property);
  test_add ("next-result", test_next_result);
  return test_run ();
}
