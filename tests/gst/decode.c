/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode.h"

#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <string.h>

#include "base/error.h"
#include "check-main.h"
#include "jpeg-markers.h"

typedef struct {
  char *folder;
  GstEnsembleDecoder *decoder;
} Fixture;

static Fixture *fixture;

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  fixture->decoder = gst_ensemble_decoder_new ();
}

static void
tear_down (void)
{
  g_autoptr (GDir) folder = g_dir_open (fixture->folder, 0, NULL);
  const char *name;

  gst_ensemble_decoder_free (fixture->decoder);
  while ((name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

    g_remove (path);
  }
  g_rmdir (fixture->folder);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

static char *
write_file (Fixture *fixture, const char *name, const void *data, gsize size)
{
  char *path = g_build_filename (fixture->folder, name, NULL);

  ck_assert (g_file_set_contents (path, data, size, NULL));
  return path;
}

static EnsPicture *
read_picture (Fixture *fixture, const char *path, GError **error)
{
  return ens_frame_opener_read (gst_ensemble_decoder_get_opener (fixture->decoder), path, error);
}

/* Runs a pipeline that writes a file. FALSE if this machine lacks an element of it. */
static gboolean
run_pipeline (const char *description, const char *path)
{
  g_autofree char *text = g_strdup_printf ("%s ! filesink location=\"%s\"", description, path);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (text, NULL, GST_PARSE_FLAG_FATAL_ERRORS, NULL);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  if (pipeline == NULL)
    return FALSE;
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
}

/* ---- Stills ---- */

#define WIDTH 48
#define HEIGHT 32

/* A BMP file of 24 bits, bottom row first: white in the picture's upper left quarter, else black.
 */
static char *
write_bmp (Fixture *fixture)
{
  static const guint8 head[54] = {
      'B', 'M', [10] = 54, [14] = 40, [18] = WIDTH, [22] = HEIGHT, [26] = 1, [28] = 24};
  guint8 file[54 + 3 * WIDTH * HEIGHT] = {0};

  memcpy (file, head, sizeof head);
  file[2] = sizeof file & 0xff;
  file[3] = sizeof file >> 8;
  for (guint y = HEIGHT / 2; y < HEIGHT; y++)
    memset (file + 54 + 3 * WIDTH * y, 255, 3 * WIDTH / 2);
  return write_file (fixture, "quarter.bmp", file, sizeof file);
}

/* The same picture through an encoder. (transfer full) */
static GstBuffer *
encode (const char *encoder)
{
  GstHarness *harness = gst_harness_new_parse (encoder);
  g_autofree char *caps = g_strdup_printf (
      "video/x-raw, format=RGB, width=%d, height=%d, framerate=1/1", WIDTH, HEIGHT);
  GstBuffer *raw = gst_buffer_new_allocate (NULL, 3 * WIDTH * HEIGHT, NULL);
  GstBuffer *encoded;

  gst_buffer_memset (raw, 0, 0, 3 * WIDTH * HEIGHT);
  for (guint y = 0; y < HEIGHT / 2; y++)
    gst_buffer_memset (raw, 3 * WIDTH * y, 255, 3 * WIDTH / 2);
  GST_BUFFER_PTS (raw) = 0;
  gst_harness_set_src_caps_str (harness, caps);
  encoded = gst_harness_push_and_pull (harness, raw);
  gst_harness_teardown (harness);
  return encoded;
}

static char *
write_encoded (Fixture *fixture, const char *encoder, const char *name)
{
  g_autoptr (GstBuffer) encoded = encode (encoder);
  char *path;
  GstMapInfo map;

  gst_buffer_map (encoded, &map, GST_MAP_READ);
  path = write_file (fixture, name, map.data, map.size);
  gst_buffer_unmap (encoded, &map);
  return path;
}

/* Which corner is white: upper left 0, upper right 1, lower left 2, lower right 3. */
static guint
white_corner (const EnsPicture *picture)
{
  static const EnsRect corners[] = {{0, 0, 0.25F, 0.25F},
                                    {0.75F, 0, 0.25F, 0.25F},
                                    {0, 0.75F, 0.25F, 0.25F},
                                    {0.75F, 0.75F, 0.25F, 0.25F}};
  static const EnsNormalise normalise = {.order = ENS_ORDER_RGB, .scale = {1, 1, 1}};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  float pixels[4 * 3];
  guint white = 4;

  ens_frame_resize (&picture->frame, corners, 4, 1, 1, &normalise, pool, pixels);
  for (guint i = 0; i < 4; i++)
    if (pixels[3 * i] > 250 && pixels[3 * i + 1] > 250 && pixels[3 * i + 2] > 250) {
      ck_assert_uint_eq (white, 4);
      white = i;
    } else
      ck_assert (pixels[3 * i] < 5 && pixels[3 * i + 1] < 5 && pixels[3 * i + 2] < 5);
  return white;
}

static void
check_quarter (Fixture *fixture, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture = read_picture (fixture, path, &error);

  ck_assert_no_error (error);
  ck_assert_uint_eq (picture->frame.width, WIDTH);
  ck_assert_uint_eq (picture->frame.height, HEIGHT);
  ck_assert_uint_eq (white_corner (picture), 0);
}

START_TEST (test_stills)
{
  g_autofree char *jpeg = write_encoded (fixture, "videoconvert ! jpegenc", "a.jpg");
  g_autofree char *png = write_encoded (fixture, "pngenc", "b.png");
  g_autofree char *gray =
      write_encoded (fixture, "videoconvert ! video/x-raw, format=GRAY8 ! jpegenc", "c.jpg");
  g_autofree char *deep =
      write_encoded (fixture, "videoconvert ! video/x-raw, format=GRAY16_BE ! pngenc", "d.png");
  g_autofree char *bmp = write_bmp (fixture);
  const char *const paths[] = {jpeg, png, gray, jpeg, deep, bmp, png, bmp, gray};

  /* Decoders are used again for pictures of another kind and size. */
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    check_quarter (fixture, paths[i]);
}
END_TEST

/* One white and one black pixel, from the specification of GIF 89a. */
START_TEST (test_gif)
{
  static const guint8 gif[] = {'G', 'I', 'F', '8', '9', 'a', 2, 0,    1,    0, 0x80, 0,
                               0,   255, 255, 255, 0,   0,   0, 0x2c, 0,    0, 0,    0,
                               2,   0,   1,   0,   0,   2,   2, 0x44, 0x0a, 0, 0x3b};
  g_autofree char *path = write_file (fixture, "two.gif", gif, sizeof gif);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture = read_picture (fixture, path, &error);

  ck_assert_no_error (error);
  ck_assert_uint_eq (picture->frame.width, 2);
  ck_assert_uint_eq (picture->frame.height, 1);
  ck_assert_uint_eq (picture->frame.planes[0][0], 255);
}
END_TEST

/* A JPEG whose Exif names this orientation. (transfer full) */
static GBytes *
make_turned_jpeg (guint8 orientation)
{
  const guint8 app1[] = {0xff, 0xe1, 0, 34, 'E',         'x', 'i', 'f', 0,    0, 'I', 'I',
                         '*',  0,    8, 0,  0,           0,   1,   0,   0x12, 1, 3,   0,
                         1,    0,    0, 0,  orientation, 0,   0,   0,   0,    0, 0,   0};
  g_autoptr (GstBuffer) encoded = encode ("videoconvert ! jpegenc");
  GByteArray *file = g_byte_array_new ();
  GstMapInfo map;

  gst_buffer_map (encoded, &map, GST_MAP_READ);
  g_byte_array_append (file, map.data, 2);
  g_byte_array_append (file, app1, sizeof app1);
  g_byte_array_append (file, map.data + 2, map.size - 2);
  gst_buffer_unmap (encoded, &map);
  return g_byte_array_free_to_bytes (file);
}

/* Exif's eight ways to hold a camera, and where the white quarter of the stored picture belongs. */
static const struct {
  guint8 orientation;
  guint corner;
  gboolean turned; /* width and height exchanged */
} orientation_rows[] = {{1, 0, FALSE}, {2, 1, FALSE}, {3, 3, FALSE}, {4, 2, FALSE}, {5, 0, TRUE},
                        {6, 1, TRUE},  {7, 3, TRUE},  {8, 2, TRUE},  {1, 0, FALSE}};

START_TEST (test_orientation)
{
  g_autoptr (GBytes) file = make_turned_jpeg (orientation_rows[_i].orientation);
  g_autofree char *path =
      write_file (fixture, "turned.jpg", g_bytes_get_data (file, NULL), g_bytes_get_size (file));
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture = read_picture (fixture, path, &error);

  ck_assert_no_error (error);
  ck_assert_uint_eq (picture->frame.width, orientation_rows[_i].turned ? HEIGHT : WIDTH);
  test_message ("orientation %u", orientation_rows[_i].orientation);
  ck_assert_uint_eq (white_corner (picture), orientation_rows[_i].corner);
}
END_TEST

/* Whatever bytes stand in the head, reading it ends, inside the file. */
START_TEST (test_hostile_heads)
{
  static const guint8 values[] = {0, 1, 0x7f, 0x80, 0xd9, 0xda, 0xe1, 0xff};
  g_autoptr (GBytes) file = NULL;
  g_autofree guint8 *head = NULL;
  GstEnsembleJpegMarkers markers;
  gsize size;

  file = make_turned_jpeg (6);
  gst_ensemble_jpeg_scan (file, &markers);
  ck_assert (markers.complete);
  ck_assert_uint_eq (markers.orientation, 6);
  for (gsize length = 0; length < 200; length++) {
    g_autoptr (GBytes) cut = g_bytes_new (g_bytes_get_data (file, NULL), length);

    gst_ensemble_jpeg_scan (cut, &markers);
    ck_assert (!markers.complete);
  }
  head = g_memdup2 (g_bytes_get_data (file, &size), g_bytes_get_size (file));
  for (gsize i = 0; i < 200; i++)
    for (guint v = 0; v < G_N_ELEMENTS (values); v++) {
      guint8 kept = head[i];
      g_autoptr (GBytes) changed = NULL;

      head[i] = values[v];
      changed = g_bytes_new (head, size);
      gst_ensemble_jpeg_scan (changed, &markers);
      head[i] = kept;
    }
}
END_TEST

/* ---- What is not a picture ---- */

static void
check_error (Fixture *fixture, const char *path, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture = read_picture (fixture, path, &error);

  ck_assert_ptr_null (picture);
  ck_assert_ptr_nonnull (error);
  ck_assert (error->domain == ENS_ERROR);
  test_message ("%s", error->message);
  ck_assert_contains (error->message, path);
  ck_assert_contains (error->message, reason);
}

static void
check_bytes (Fixture *fixture, const char *name, const void *data, gsize size, const char *reason)
{
  g_autofree char *path = write_file (fixture, name, data, size);

  check_error (fixture, path, reason);
}

START_TEST (test_bad_files)
{
  static const guint8 noise[256] = {0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, 1, 2, 3};
  static const char *const encoders[] = {"videoconvert ! jpegenc", "pngenc"};
  g_autofree char *missing = g_build_filename (fixture->folder, "missing.jpg", NULL);

  check_error (fixture, missing, "No such file");
  check_error (fixture, fixture->folder, "folder");
  check_bytes (fixture, "empty.jpg", "", 0, "empty");
  check_bytes (fixture, "text.jpg", "not a picture\n", 14, "");
  check_bytes (fixture, "noise.jpg", noise, sizeof noise, "damaged JPEG");
  check_bytes (fixture, "short.png", "\x89PNG\r\n\x1a\n", 8, "PNG");
  check_bytes (fixture, "short.gif", "GIF89a", 6, "");
  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    g_autoptr (GstBuffer) encoded = encode (encoders[i]);
    GstMapInfo map;

    gst_buffer_map (encoded, &map, GST_MAP_READ);
    check_bytes (fixture, "cut", map.data, map.size / 2, "damaged");
    check_bytes (fixture, "cut", map.data, map.size - 14, "damaged");
    gst_buffer_unmap (encoded, &map);
  }
}
END_TEST

/* After a damaged file the next one is read as if nothing had happened. */
START_TEST (test_recovery)
{
  g_autofree char *good = write_encoded (fixture, "videoconvert ! jpegenc", "good.jpg");
  g_autofree char *contents = NULL;
  gsize size;

  g_file_get_contents (good, &contents, &size, NULL);
  /* The scan's tables are gone. */
  memset (contents + 20, 0, 300);
  for (guint i = 0; i < 3; i++) {
    check_bytes (fixture, "bad.jpg", contents, size, "bad.jpg");
    check_quarter (fixture, good);
  }
}
END_TEST

/* ---- Videos ---- */

START_TEST (test_video)
{
  g_autofree char *path = g_build_filename (fixture->folder, "clip.avi", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsFrameSource) source = NULL;
  guint n = 0;

  ck_assert (run_pipeline ("videotestsrc num-buffers=7 ! "
                           "video/x-raw, width=62, height=34, framerate=5/1 ! jpegenc ! avimux",
                           path));
  source = ens_frame_opener_open (gst_ensemble_decoder_get_opener (fixture->decoder), path, &error);
  ck_assert_no_error (error);
  while (TRUE) {
    g_autoptr (EnsPicture) picture = NULL;

    ck_assert (ens_frame_source_next (source, &picture, &error));
    if (picture == NULL)
      break;
    ck_assert (ens_frame_validate (&picture->frame, NULL));
    ck_assert_uint_eq (picture->frame.width, 62);
    ck_assert_uint_eq (picture->pts, n * 200 * GST_MSECOND);
    n++;
  }
  ck_assert_uint_eq (n, 7);
}
END_TEST

/* The container says how large the pictures are. */
START_TEST (test_video_size)
{
  g_autofree char *path = g_build_filename (fixture->folder, "clip.avi", NULL);

  ck_assert (run_pipeline ("videotestsrc num-buffers=2 ! video/x-raw, width=62, height=34 ! "
                           "jpegenc ! avimux",
                           path));
  g_setenv ("ENSEMBLE_MAX_PIXELS", "2107", TRUE);
  gst_ensemble_decoder_free (fixture->decoder);
  fixture->decoder = gst_ensemble_decoder_new ();
  check_error (fixture, path, "62×34 pixels are 0.0 million");
  g_unsetenv ("ENSEMBLE_MAX_PIXELS");
}
END_TEST

START_TEST (test_sound)
{
  g_autofree char *path = g_build_filename (fixture->folder, "sound.wav", NULL);

  ck_assert (run_pipeline ("audiotestsrc num-buffers=5 ! wavenc", path));
  check_error (fixture, path, "holds no video");
}
END_TEST

/* Freed before its end, a video lets go of its threads. */
START_TEST (test_abandoned)
{
  g_autofree char *path = g_build_filename (fixture->folder, "clip.avi", NULL);

  ck_assert (run_pipeline ("videotestsrc num-buffers=50 ! jpegenc ! avimux", path));
  for (guint n = 0; n < 3; n++) {
    g_autoptr (EnsFrameSource) source =
        ens_frame_opener_open (gst_ensemble_decoder_get_opener (fixture->decoder), path, NULL);

    for (guint i = 0; i < n; i++) {
      g_autoptr (EnsPicture) picture = NULL;

      ck_assert (ens_frame_source_next (source, &picture, NULL));
      ck_assert_ptr_nonnull (picture);
    }
  }
}
END_TEST

/* ---- Threads ---- */

typedef struct {
  Fixture *fixture;
  const char *path;
} Reading;

static gpointer
read_many (gpointer data)
{
  Reading *reading = data;

  for (guint i = 0; i < 20; i++)
    check_quarter (reading->fixture, reading->path);
  return NULL;
}

START_TEST (test_threads)
{
  g_autofree char *jpeg = write_encoded (fixture, "videoconvert ! jpegenc", "a.jpg");
  g_autofree char *png = write_encoded (fixture, "pngenc", "b.png");
  Reading readings[] = {{fixture, jpeg}, {fixture, png}, {fixture, jpeg}, {fixture, png}};
  GThread *threads[G_N_ELEMENTS (readings)];

  for (guint i = 0; i < G_N_ELEMENTS (readings); i++)
    threads[i] = g_thread_new (NULL, read_many, &readings[i]);
  for (guint i = 0; i < G_N_ELEMENTS (readings); i++)
    g_thread_join (threads[i]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/decode");
  test_fixture (set_up, tear_down);
  test_add ("stills", test_stills);
  test_add ("gif", test_gif);
  TEST_ADD_LOOP ("orientation", test_orientation, orientation_rows);
  test_add ("hostile-heads", test_hostile_heads);
  test_add ("bad-files", test_bad_files);
  test_add ("recovery", test_recovery);
  test_add ("video", test_video);
  test_add ("video-size", test_video_size);
  test_add ("sound", test_sound);
  test_add ("abandoned", test_abandoned);
  test_add ("threads", test_threads);
  return test_run ();
}
