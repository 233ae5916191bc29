/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regions of elements upstream: which are read, and where they are behind other elements. */
#include "upstream-regions.h"

#include <gst/check/gstharness.h>
#include <gst/ensemble/ensemble.h>
#include <gst/video/video.h>

#include "check-main.h"

#define WIDTH 64
#define HEIGHT 48
#define IN_CAPS "video/x-raw, format=I420, width=64, height=48, framerate=30/1"

/* "car" is present and has a window. */
static EnsResult *
make_result (void)
{
  static const char *const classes[] = {"car", "dog"}, *const networks[] = {"small"};
  EnsResult *result = ens_result_new (classes, 2, networks, 1, 1);

  result->classes[0].present = TRUE;
  result->classes[0].window = 0;
  result->windows[0].rect = (EnsRect) {0.125F, 0.25F, 0.5F, 0.75F};
  result->bundle = g_strdup ("street");
  result->version = g_strdup ("1");
  return result;
}

static GstBuffer *
make_frame (void)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 128, info.size);
  GST_BUFFER_PTS (buffer) = 0;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}

static void
add_region (GstBuffer *buffer, const char *type, gint id, guint x, guint y, guint width,
            guint height)
{
  gst_buffer_add_video_region_of_interest_meta (buffer, type, x, y, width, height)->id = id;
}

/* As an ensembleclassify upstream does. */
static void
add_ensemble (GstBuffer *buffer, EnsResult *result)
{
  gst_buffer_add_ensemble_meta (buffer, result, 0);
  gst_buffer_add_ensemble_regions (buffer, result, WIDTH, HEIGHT);
}

static void
check_region (const GstEnsembleRegions *regions, guint i, const char *type, gint id,
              const EnsRect *rect)
{
  const EnsRegionOrigin *origin = &g_array_index (regions->origins, EnsRegionOrigin, i);
  const EnsRect *found = &g_array_index (regions->rects, EnsRect, i);

  ck_assert_pstr_eq (origin->type, type);
  ck_assert_int_eq (origin->id, id);
  ck_assert_double_eq (found->x, rect->x);
  ck_assert_double_eq (found->y, rect->y);
  ck_assert_double_eq (found->width, rect->width);
  ck_assert_double_eq (found->height, rect->height);
}

/* ---- Which are read ---- */

/* Of a car, id 5, at 0, 0, 16×12; a person without an id at 32, 24, 32×24; a truck, id 7, that lies
 * half outside at 48, 0, 32×12; and a bird, id 9, that lies outside. */
static const struct {
  const char *object_class;
  EnsRect crop;
  const char *found; /* types */
} filter_rows[] = {
    {NULL, {0}, "car person truck"},
    {"", {0}, "car person truck"},
    {"car", {0}, "car"},
    {" truck , car", {0}, "car truck"},
    {"bird", {0}, ""},
    {"Car", {0}, ""},
    {NULL, {0.5F, 0.5F, 0.5F, 0.5F}, "person"},
    {"car,truck", {0.5F, 0, 0.5F, 1}, "truck"},
};

START_TEST (test_filter)
{
  g_autoptr (GstBuffer) buffer = make_frame ();
  g_autoptr (GstEnsembleRegions) regions = NULL;
  g_autoptr (GString) found = g_string_new (NULL);

  add_region (buffer, "car", 5, 0, 0, 16, 12);
  add_region (buffer, "person", 0, 32, 24, 32, 24);
  add_region (buffer, "truck", 7, 48, 0, 32, 12);
  add_region (buffer, "bird", 9, 64, 0, 32, 12);
  regions = gst_ensemble_regions_read (
      buffer, &(GstEnsembleRegionFilter) {WIDTH, HEIGHT, filter_rows[_i].object_class,
                                          filter_rows[_i].crop});
  for (guint i = 0; i < regions->origins->len; i++)
    g_string_append_printf (found, "%s%s", i > 0 ? " " : "",
                            g_array_index (regions->origins, EnsRegionOrigin, i).type);
  ck_assert_pstr_eq (found->str, filter_rows[_i].found);
  if (_i > 0)
    return;
  check_region (regions, 0, "car", 5, &(EnsRect) {0, 0, 0.25F, 0.25F});
  check_region (regions, 1, "person", -1, &(EnsRect) {0.5F, 0.5F, 0.5F, 0.5F});
  check_region (regions, 2, "truck", 7, &(EnsRect) {0.75F, 0, 0.25F, 0.25F});
}
END_TEST

/* A buffer with very many regions costs no more than the first of them. */
START_TEST (test_many)
{
  g_autoptr (GstBuffer) buffer = make_frame ();
  g_autoptr (GstEnsembleRegions) regions = NULL;

  for (guint i = 0; i < GST_ENSEMBLE_MAX_REGIONS + 20; i++)
    add_region (buffer, "car", (gint)i + 1, i % 32, 0, 16, 12);
  regions = gst_ensemble_regions_read (buffer, &(GstEnsembleRegionFilter) {WIDTH, HEIGHT});
  /* The same region twice is one. */
  ck_assert_uint_eq (regions->rects->len, 32);
  for (guint i = 0; i < GST_ENSEMBLE_MAX_REGIONS + 20; i++)
    add_region (buffer, "car", (gint)i + 1, i % 32, i / 32, 16, 1);
  gst_ensemble_regions_free (regions);
  regions = gst_ensemble_regions_read (buffer, &(GstEnsembleRegionFilter) {WIDTH, HEIGHT});
  ck_assert_uint_eq (regions->rects->len, GST_ENSEMBLE_MAX_REGIONS);
}
END_TEST

/* ---- Behind other elements ---- */

/* A detector's car, id 1, at 16, 12, 32×36, near to where the ensemble finds one too, and a person
 * that a detector behind the ensemble adds, with the id that the ensemble gave. */
static const struct {
  const char *chain, *out;
  guint width, height;
  gboolean arrives;
} chain_rows[] = {
    {"identity", "video/x-raw, format=I420", 64, 48, TRUE},
    {"queue", "video/x-raw, format=I420", 64, 48, TRUE},
    {"videoconvert", "video/x-raw, format=BGRx", 64, 48, TRUE},
    {"videoscale", "video/x-raw, width=32, height=96", 32, 96, TRUE},
    {"videoconvert ! queue ! videoscale ! videoconvert",
     "video/x-raw, format=NV12, width=128, height=24", 128, 24, TRUE},
    {"videobalance saturation=0", "video/x-raw", 64, 48, TRUE},
    {"jpegenc ! jpegdec", "video/x-raw", 64, 48, TRUE},
    {"videoflip video-direction=horiz", "video/x-raw", 64, 48, FALSE},
    {"videocrop left=4 top=2", "video/x-raw, width=60, height=46", 60, 46, FALSE},
};

START_TEST (test_chain)
{
  g_autoptr (EnsResult) result = make_result ();
  g_autoptr (GstEnsembleRegions) regions = NULL;
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *in = make_frame ();
  GstHarness *harness = gst_harness_new_parse (chain_rows[_i].chain);

  add_region (in, "car", 1, 16, 12, 32, 36);
  add_ensemble (in, result);
  add_region (in, "person", 2, 0, 0, 32, 24);
  add_ensemble (in, result);
  gst_harness_set_src_caps_str (harness, IN_CAPS);
  gst_harness_set_sink_caps_str (harness, chain_rows[_i].out);
  ck_assert_int_eq (gst_harness_push (harness, in), GST_FLOW_OK);
  gst_harness_push_event (harness, gst_event_new_eos ());
  out = gst_harness_pull (harness);
  regions = gst_ensemble_regions_read (
      out, &(GstEnsembleRegionFilter) {chain_rows[_i].width, chain_rows[_i].height});
  ck_assert_uint_eq (regions->rects->len, chain_rows[_i].arrives ? 2 : 0);
  if (chain_rows[_i].arrives) {
    check_region (regions, 0, "car", 1, &(EnsRect) {0.25F, 0.25F, 0.5F, 0.75F});
    check_region (regions, 1, "person", 2, &(EnsRect) {0, 0, 0.5F, 0.5F});
  }
  gst_harness_teardown (harness);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/upstream-regions");
  TEST_ADD_LOOP ("filter", test_filter, filter_rows);
  test_add ("many", test_many);
  TEST_ADD_LOOP ("chain", test_chain, chain_rows);
  return test_run ();
}
