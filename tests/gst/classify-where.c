/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which part of a frame ensembleclassify looks at. */
#include "classify-fixture.h"

#define RED 0xff0000
#define BLUE 0x0000ff

#define WIDTH 64
#define HEIGHT 48
#define CAPS "video/x-raw, format=RGB, width=64, height=48, framerate=25/1"

static void
play (void)
{
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  classify_play (classify, CAPS);
}

/* Paints a rectangle, in pixels, with one colour. */
static void
paint (GstBuffer *buffer, const GstVideoRectangle *rect, guint colour)
{
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gint y = rect->y; y < rect->y + rect->h; y++)
    for (gint x = rect->x; x < rect->x + rect->w; x++)
      for (guint c = 0; c < 3; c++)
        map.data[(gsize)y * 3 * WIDTH + 3 * (gsize)x + c] = (guint8)(colour >> (16 - 8 * c));
  gst_buffer_unmap (buffer, &map);
}

/* A blue frame with a red rectangle. */
static GstBuffer *
make_frame (const GstVideoRectangle *red, GstClockTime pts)
{
  GstBuffer *buffer = classify_make_frame (classify, BLUE, pts);

  paint (buffer, red, RED);
  return buffer;
}

static GstBuffer *
push (GstBuffer *buffer)
{
  ck_assert_int_eq (gst_harness_push (classify->harness, buffer), GST_FLOW_OK);
  return gst_harness_pull (classify->harness);
}

/* ---- A crop ---- */

static const GstVideoRectangle right_half = {32, 0, 32, 48};

static void
check_colour (gboolean red)
{
  static GstClockTime pts;
  g_autoptr (GstBuffer) out = push (make_frame (&right_half, pts += FRAME));

  ck_assert_uint_eq (classify_get_result (out)->width, WIDTH);
  ck_assert_double_gt (classify_get_probability (out, red ? "red" : "blue"), 0.9F);
  ck_assert_double_lt (classify_get_probability (out, red ? "blue" : "red"), 0.6F);
}

START_TEST (test_crop)
{
  g_object_set (classify->element, "windows", 0, NULL);
  gst_util_set_object_arg (G_OBJECT (classify->element), "crop", "<0.5, 0, 0.5, 1>");
  play ();
  check_colour (TRUE);
  gst_util_set_object_arg (G_OBJECT (classify->element), "crop", "<0, 0, 0.25, 0.5>");
  check_colour (FALSE);
  gst_util_set_object_arg (G_OBJECT (classify->element), "crop", "<0.75, 0.5, 0.25, 0.5>");
  check_colour (TRUE);
}
END_TEST

/* What is set, the warning, and what then counts. */
static const struct {
  const char *crop, *warning;
  double then[4];
} crop_rows[] = {
    {"<0.25, 0.5, 0.5, 0.25>", NULL, {0.25, 0.5, 0.5, 0.25}},
    {"< >", NULL, {0}},
    {"<0.5, 0.5, 1, 1>", "it is cut to <0.5, 0.5, 0.5, 0.5>", {0.5, 0.5, 0.5, 0.5}},
    {"<-0.5, 0, 1, 1>", "it is cut to <0, 0, 0.5, 1>", {0, 0, 0.5, 1}},
    {"<0.5, 0.5, 0, 0.5>", "is not changed: nothing of the frame", {0.5, 0, 0.5, 1}},
    {"<2, 0, 1, 1>", "is not changed: nothing of the frame", {0.5, 0, 0.5, 1}},
    {"<0.5, 0.5, -0.25, 0.5>", "is not changed: nothing of the frame", {0.5, 0, 0.5, 1}},
    {"<0.5, 0.5>", "is not changed: it has to have four numbers", {0.5, 0, 0.5, 1}},
};

START_TEST (test_crop_values)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) warning = NULL;
  GValue value = G_VALUE_INIT;

  gst_element_set_bus (classify->element, bus);
  gst_util_set_object_arg (G_OBJECT (classify->element), "crop", "<0.5, 0, 0.5, 1>");
  gst_util_set_object_arg (G_OBJECT (classify->element), "crop", crop_rows[_i].crop);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  ck_assert ((message != NULL) == (crop_rows[_i].warning != NULL));
  if (message != NULL) {
    gst_message_parse_warning (message, &warning, NULL);
    ck_assert_contains (warning->message, crop_rows[_i].warning);
  }
  g_value_init (&value, GST_TYPE_ARRAY);
  g_object_get_property (G_OBJECT (classify->element), "crop", &value);
  ck_assert_uint_eq (gst_value_array_get_size (&value), crop_rows[_i].then[2] > 0 ? 4 : 0);
  for (guint i = 0; i < gst_value_array_get_size (&value); i++)
    ck_assert_double_eq (g_value_get_double (gst_value_array_get_value (&value, i)),
                         crop_rows[_i].then[i]);
  g_value_unset (&value);
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* ---- A picture within a larger one, as decoders have it ---- */

START_TEST (test_crop_meta)
{
  GstBuffer *buffer;
  g_autoptr (GstBuffer) out = NULL;
  GstVideoCropMeta *crop;
  const EnsResult *result;

  g_object_set (classify->element, "windows", 0, NULL);
  play ();
  buffer = make_frame (&right_half, 0);
  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, WIDTH,
                             HEIGHT);
  crop = gst_buffer_add_video_crop_meta (buffer);
  crop->x = 33;
  crop->y = 1;
  crop->width = 20;
  crop->height = 30;
  classify_play (classify, "video/x-raw, format=RGB, width=20, height=30, framerate=25/1");
  out = push (buffer);
  result = classify_get_result (out);
  ck_assert_uint_eq (result->width, 20);
  ck_assert_uint_eq (result->height, 30);
  ck_assert_double_gt (classify_get_probability (out, "red"), 0.9F);
  ck_assert_double_lt (classify_get_probability (out, "blue"), 0.1F);
}
END_TEST

/* ---- Regions of upstream ---- */

static const GstVideoRectangle red_corner = {40, 28, 16, 16};

static void
add_region (GstBuffer *buffer, const char *type, gint id, const GstVideoRectangle *rect)
{
  gst_buffer_add_video_region_of_interest_meta (buffer, type, (guint)rect->x, (guint)rect->y,
                                                (guint)rect->w, (guint)rect->h)
      ->id = id;
}

/* A blue frame with a red corner; of its two regions one shows it. */
static GstBuffer *
make_frame_with_regions (GstClockTime pts)
{
  GstBuffer *buffer = make_frame (&red_corner, pts);

  add_region (buffer, "car", 3, &(GstVideoRectangle) {0, 0, 16, 16});
  add_region (buffer, "person", 0, &red_corner);
  return buffer;
}

static void
check_window (const EnsResult *result, guint w, const char *type, gint id, gboolean red)
{
  const float *probabilities = &result->window_probabilities[(gsize)w * result->n_classes];

  ck_assert_pstr_eq (result->regions[w].type, type);
  ck_assert_int_eq (result->regions[w].id, id);
  ck_assert_double_gt (probabilities[red ? 0 : 2], 0.9F);
  ck_assert_double_lt (probabilities[red ? 2 : 0], 0.1F);
}

START_TEST (test_roi_list)
{
  g_autoptr (GstBuffer) out = NULL;
  const EnsResult *result;
  const EnsRect *rect;

  gst_util_set_object_arg (G_OBJECT (classify->element), "inference-region", "roi-list");
  play ();
  out = push (make_frame_with_regions (0));
  result = classify_get_result (out);
  ck_assert_uint_eq (result->n_windows, 2);
  check_window (result, 0, "car", 3, FALSE);
  check_window (result, 1, "person", -1, TRUE);
  rect = &result->windows[1].rect;
  ck_assert_double_eq (rect->x, 40 / 64.F);
  ck_assert_double_eq (rect->y, 28 / 48.F);
  ck_assert_double_eq (rect->width, 16 / 64.F);
  ck_assert_double_eq (rect->height, 16 / 48.F);
  /* The largest over the regions is P3, which makes P. */
  ck_assert_int_eq (result->classes[0].window, 1);
  ck_assert_double_eq (result->classes[0].p3, result->window_probabilities[3]);
  ck_assert (result->classes[0].present);
  gst_clear_buffer (&out);

  gst_util_set_object_arg (G_OBJECT (classify->element), "object-class", "dog, car");
  out = push (make_frame_with_regions (FRAME));
  result = classify_get_result (out);
  ck_assert_uint_eq (result->n_windows, 1);
  check_window (result, 0, "car", 3, FALSE);
  ck_assert (!result->classes[0].present);
}
END_TEST

/* There is nothing to classify: such frames carry no result, and the next frame is the sample. */
START_TEST (test_without_regions)
{
  /* Of every second frame: is it sampled, does it have regions, has it a result? */
  static const struct {
    gboolean regions, result;
  } frames[] = {{TRUE, TRUE}, {FALSE, TRUE}, {FALSE, FALSE}, {TRUE, TRUE}, {TRUE, TRUE}};

  gst_util_set_object_arg (G_OBJECT (classify->element), "inference-region", "roi-list");
  g_object_set (classify->element, "inference-interval", 2, NULL);
  play ();
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (GstBuffer) out =
        push (frames[i].regions ? make_frame_with_regions (i * FRAME)
                                : classify_make_frame (classify, RED, i * FRAME));

    ck_assert ((gst_buffer_get_ensemble_meta (out) != NULL) == frames[i].result);
  }
  ck_assert_uint_eq (classify_get_stat (classify, "without-regions"), 1);
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 2);
}
END_TEST

/* In async mode a result comes when its regions may be gone: the next frame carries it, and those
 * after it up to one that is due and has no regions either. */
START_TEST (test_without_regions_async)
{
  /* The first frame's analysis ends before frame 2, that of frame 4 before frame 5. */
  static const struct {
    gboolean regions;
    gint of; /* the frame whose result it carries, -1: none */
  } frames[] = {{TRUE, -1}, {FALSE, -1}, {FALSE, 0}, {FALSE, -1},
                {TRUE, -1}, {TRUE, 4},   {TRUE, 4},  {FALSE, -1}};
  guint n_analysed = 0;

  gst_util_set_object_arg (G_OBJECT (classify->element), "inference-region", "roi-list");
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "async");
  classify_play (classify, CAPS);
  gate_close ();
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (GstBuffer) out = NULL;

    if (i == 2 || i == 5) {
      gate_open ();
      while (classify_get_stat (classify, "analysed") == n_analysed)
        g_thread_yield ();
      gate_close ();
      n_analysed++;
    }
    out = push (frames[i].regions ? make_frame_with_regions (i * FRAME)
                                  : classify_make_frame (classify, RED, i * FRAME));
    test_message ("frame %u", i);
    ck_assert ((gst_buffer_get_ensemble_meta (out) != NULL) == (frames[i].of >= 0));
    if (frames[i].of >= 0) {
      ck_assert_uint_eq (classify_get_age (out), (i - (guint)frames[i].of) * FRAME);
    }
  }
}
END_TEST

/* What one ensemble has found is not taken for what another is to classify. */
START_TEST (test_own_regions)
{
  g_autoptr (GstBuffer) first = NULL, second = NULL;

  play ();
  first = classify_push (classify, RED, 0);
  ck_assert_ptr_nonnull (gst_buffer_get_video_region_of_interest_meta_id (first, 1));
  gst_util_set_object_arg (G_OBJECT (classify->element), "inference-region", "roi-list");
  second = push (gst_buffer_copy (first));
  ck_assert_uint_eq (classify_get_stat (classify, "without-regions"), 1);
  gst_clear_buffer (&second);
  second = gst_buffer_copy (first);
  add_region (second, "red", 0, &red_corner);
  second = push (second);
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 2);
}
END_TEST

/* Takes the classifiers of windows out of the bundle. */
static void
remove_window_classifiers (void)
{
  g_autofree char *path = g_build_filename (classify->bundle, "ensemble.json", NULL);
  g_autoptr (GRegex) regex =
      g_regex_new (",\\s*\"window_classifier\".*?\\}", G_REGEX_DOTALL, 0, NULL);
  g_autofree char *text = NULL, *without = NULL;
  char *count;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  without = g_regex_replace (regex, text, -1, 0, "", 0, NULL);
  ck_assert_str_ne (text, without);
  count = strstr (without, "\"count\": 10,");
  ck_assert_ptr_nonnull (count);
  memcpy (count, "\"count\": 0, ", 12);
  ck_assert (g_file_set_contents (path, without, -1, NULL));
}

/* Such a bundle can't classify regions: a warning says so, and frames are classified. */
START_TEST (test_no_window_classifiers)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GError) warning = NULL;

  remove_window_classifiers ();
  gst_element_set_bus (classify->element, bus);
  gst_util_set_object_arg (G_OBJECT (classify->element), "inference-region", "roi-list");
  play ();
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  ck_assert_ptr_nonnull (message);
  gst_message_parse_warning (message, &warning, NULL);
  ck_assert_contains (warning->message, "has no classifiers for windows");
  out = classify_push (classify, RED, 0);
  ck_assert_uint_eq (classify_get_result (out)->n_windows, 0);
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* ---- Motion ---- */

/* What is done before a frame, the frame, and whether it is analysed. */
typedef struct {
  const char *property, *value; /* NULL: nothing */
  gint x;                       /* of a red square of 16×16; -1: there is none */
  gboolean analysed;
} MotionFrame;

static const MotionFrame motion_frames[] = {
    {NULL, NULL, 0, TRUE},
    {NULL, NULL, 0, FALSE},
    {NULL, NULL, 0, FALSE},
    {NULL, NULL, 16, TRUE},
    {NULL, NULL, 16, FALSE},
    {NULL, NULL, -1, TRUE},
    /* The square is 0.08 of the frame. */
    {"motion", "0.1", 16, TRUE}, /* a property has changed */
    {NULL, NULL, -1, FALSE},
    {"motion", "0.02", 0, TRUE},
    /* Outside of the crop nothing counts. */
    {"crop", "<0.5, 0, 0.5, 1>", 0, TRUE},
    {NULL, NULL, 12, FALSE},
    {NULL, NULL, 32, TRUE},
    {"threshold", "0.7", 32, TRUE},
    {NULL, NULL, 32, FALSE},
    {"motion", "0", 32, TRUE},
    {NULL, NULL, 32, TRUE},
};

START_TEST (test_motion)
{
  guint64 n_analysed = 0, n_still = 0;
  GstClockTime last = 0;

  g_object_set (classify->element, "motion", 0.02, NULL);
  play ();
  for (guint i = 0; i < G_N_ELEMENTS (motion_frames); i++) {
    const MotionFrame *row = &motion_frames[i];
    const GstVideoRectangle red = {row->x, 16, 16, 16};
    g_autoptr (GstBuffer) out = NULL;

    if (row->property != NULL)
      gst_util_set_object_arg (G_OBJECT (classify->element), row->property, row->value);
    out = push (row->x < 0 ? classify_make_frame (classify, BLUE, i * FRAME)
                           : make_frame (&red, i * FRAME));
    n_analysed += row->analysed;
    n_still += !row->analysed;
    last = row->analysed ? i * FRAME : last;
    test_message ("frame %u", i);
    ck_assert_uint_eq (classify_get_stat (classify, "analysed"), n_analysed);
    ck_assert_uint_eq (classify_get_stat (classify, "still"), n_still);
    ck_assert_uint_eq (classify_get_age (out), i * FRAME - last);
  }
}
END_TEST

/* A still frame after one whose analysis has failed is analysed: what the scene before had says
 * nothing of it. */
START_TEST (test_motion_failed)
{
  static const struct {
    guint colour;
    gboolean failing;
    guint analysed, still; /* afterwards */
  } frames[] = {{BLUE, FALSE, 1, 0},
                {RED, TRUE, 1, 0},
                {RED, TRUE, 1, 0},
                {RED, FALSE, 2, 0},
                {RED, FALSE, 2, 1}};

  g_object_set (classify->element, "motion", 0.02, NULL);
  play ();
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    gate_set_failing (frames[i].failing);
    gst_buffer_unref (classify_push (classify, frames[i].colour, i * FRAME));
    test_message ("frame %u", i);
    ck_assert_uint_eq (classify_get_stat (classify, "analysed"), frames[i].analysed);
    ck_assert_uint_eq (classify_get_stat (classify, "still"), frames[i].still);
  }
}
END_TEST

/* Pushes a frame into the midst of a change: the warning is posted before the crop is another. */
static GstBusSyncReply
push_between (GstBus *bus, GstMessage *message, gpointer data)
{
  GstBuffer **out = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    *out = classify_push (classify, BLUE, FRAME);
  return GST_BUS_PASS;
}

/* The next still frame is analysed with it. */
START_TEST (test_motion_change)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstBuffer) between = NULL;

  g_object_set (classify->element, "motion", 0.02, NULL);
  play ();
  gst_element_set_bus (classify->element, bus);
  gst_buffer_unref (classify_push (classify, BLUE, 0));
  gst_bus_set_sync_handler (bus, push_between, &between, NULL);
  gst_util_set_object_arg (G_OBJECT (classify->element), "crop", "<0, 0, 2, 1>");
  ck_assert_uint_eq (classify_get_age (between), FRAME);
  gst_buffer_unref (classify_push (classify, BLUE, 2 * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 2);
  gst_buffer_unref (classify_push (classify, BLUE, 3 * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "still"), 2);
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* In a still scene, what upstream has found there counts. */
START_TEST (test_motion_regions)
{
  /* A person (none: id -1) and whether a car is before it. */
  static const struct {
    const char *type;
    gint id, x;
    gboolean car, analysed;
  } frames[] = {
      {"person", 1, 8, FALSE, TRUE},  {"person", 1, 8, FALSE, FALSE},
      {"person", 1, 9, FALSE, FALSE}, /* wavers */
      {"person", 1, 16, FALSE, TRUE}, {"person", 2, 16, FALSE, TRUE},
      {"dog", 2, 16, FALSE, TRUE},    {"dog", 2, 16, TRUE, TRUE},
      {"dog", 2, 16, TRUE, FALSE},    {"dog", 2, 16, FALSE, TRUE},
      {"", -1, 0, FALSE, FALSE},      {"dog", 2, 16, FALSE, TRUE},
      {"dog", 2, 16, FALSE, FALSE},
  };
  guint n_analysed = 0;

  gst_util_set_object_arg (G_OBJECT (classify->element), "inference-region", "roi-list");
  g_object_set (classify->element, "motion", 0.02, NULL);
  play ();
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (GstBuffer) out = NULL;
    GstBuffer *buffer = classify_make_frame (classify, BLUE, i * FRAME);

    if (frames[i].car)
      add_region (buffer, "car", 3, &(GstVideoRectangle) {0, 0, 8, 8});
    if (frames[i].id >= 0)
      add_region (buffer, frames[i].type, frames[i].id,
                  &(GstVideoRectangle) {frames[i].x, 8, 16, 16});
    out = push (buffer);
    n_analysed += frames[i].analysed;
    test_message ("frame %u", i);
    ck_assert_uint_eq (classify_get_stat (classify, "analysed"), n_analysed);
  }
}
END_TEST

/* However still: at least every fifth frame; and whenever time goes back or the stream begins
 * again.
 */
START_TEST (test_motion_period)
{
  g_object_set (classify->element, "motion", 0.02, "max-inference-period", 5 * FRAME, NULL);
  play ();
  for (guint i = 0; i < 20; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 4);
  gst_buffer_unref (classify_push (classify, RED, 3 * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 5);
  gst_harness_push_event (classify->harness, gst_event_new_stream_start ("other"));
  gst_buffer_unref (classify_push (classify, RED, 4 * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 6);
  g_object_set (classify->element, "max-inference-period", (guint64)0, NULL);
  for (guint i = 5; i < 25; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 7);
}
END_TEST

/* Still frames vote for the latest result: with two of three votes for a state a single analysis is
 * enough for it, and it lasts. */
START_TEST (test_motion_states)
{
  static const GstVideoRectangle all = {0, 0, WIDTH, HEIGHT};
  GstBuffer *buffer;

  g_object_set (classify->element, "motion", 0.02, NULL);
  play ();
  for (guint i = 0; i < 60; i++) {
    g_autoptr (GstBuffer) out = NULL;
    const EnsClassResult *red, *blue;

    buffer = classify_make_frame (classify, BLUE, i * GST_SECOND);
    if (i < 30)
      paint (buffer, &all, RED);
    out = push (buffer);
    red = &classify_get_result (out)->classes[0];
    blue = &classify_get_result (out)->classes[2];
    test_message ("second %u: red %d, blue %d", i, red->state, blue->state);
    if (i % 30 < 5)
      continue;
    ck_assert_int_eq (red->state, i < 30 ? ENS_CLASS_PRESENT : ENS_CLASS_ABSENT);
    ck_assert_int_eq (blue->state, i < 30 ? ENS_CLASS_ABSENT : ENS_CLASS_PRESENT);
  }
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 2);
}
END_TEST

/* ---- Still sub-images ---- */

START_TEST (test_tile_tolerance)
{
  /* What is set before a frame that looks like the one before, and what is reused of it. */
  static const struct {
    const char *property, *value;
    guint reused;
  } frames[] = {
      {NULL, NULL, 0},          {NULL, NULL, 1},
      {"threshold", "0.25", 1}, {"scales", "<24>", 0},
      {NULL, NULL, 1},          {"tile-tolerance", "-1", 0},
      {NULL, NULL, 0},          {"tile-tolerance", "2", 0},
      {NULL, NULL, 1},          {"crop", "<0, 0, 0.5, 1>", 0},
      {NULL, NULL, 1},
  };
  g_autoptr (GstBuffer) last = NULL;
  guint64 n_reused = 0;

  play ();
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (GstBuffer) out = NULL;

    if (frames[i].property != NULL)
      gst_util_set_object_arg (G_OBJECT (classify->element), frames[i].property, frames[i].value);
    out = push (make_frame (&red_corner, i * FRAME));
    test_message ("frame %u", i);
    ck_assert_uint_eq (classify_get_result (out)->reused, frames[i].reused);
    n_reused += frames[i].reused;
    ck_assert_uint_eq (classify_get_stat (classify, "reused"), n_reused);
  }
  gst_harness_push_event (classify->harness, gst_event_new_stream_start ("other"));
  last = push (make_frame (&red_corner, 20 * FRAME));
  ck_assert_uint_eq (classify_get_result (last)->reused, 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-where");
  test_fixture (classify_set_up, classify_tear_down);
  test_add ("crop", test_crop);
  TEST_ADD_LOOP ("crop-values", test_crop_values, crop_rows);
  test_add ("crop-meta", test_crop_meta);
  test_add ("roi-list", test_roi_list);
  test_add ("without-regions", test_without_regions);
  test_add ("without-regions-async", test_without_regions_async);
  test_add ("own-regions", test_own_regions);
  test_add ("no-window-classifiers", test_no_window_classifiers);
  test_add ("motion", test_motion);
  test_add ("motion-failed", test_motion_failed);
  test_add ("motion-change", test_motion_change);
  test_add ("motion-regions", test_motion_regions);
  test_add ("motion-period", test_motion_period);
  test_add ("motion-states", test_motion_states);
  test_add ("tile-tolerance", test_tile_tolerance);
  return test_run ();
}
