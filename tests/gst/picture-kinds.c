/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of kinds that decoders mistake or make up: chroma of every size, files that were cut
 * off, orientation that XMP says; and what is said of the formats that aren't read. */
#include <gst/gst.h>
#include <string.h>

#include "base/error.h"
#include "check-main.h"
#include "decode.h"
#include "picture-files.h"
#include "picture-header.h"
#include "support/folder.h"

static GstEnsembleDecoder *decoder;

static void
set_up (void)
{
  test_folder_set_up ();
  decoder = gst_ensemble_decoder_new ();
}

static void
tear_down (void)
{
  gst_ensemble_decoder_free (decoder);
  test_folder_tear_down ();
}

static EnsPicture *
read_bytes (gconstpointer bytes, gsize size, GError **error)
{
  g_autofree char *path = g_build_filename (test_folder, "a.jpg", NULL);

  ck_assert (g_file_set_contents (path, bytes, (gssize)size, NULL));
  return ens_frame_opener_read (gst_ensemble_decoder_get_opener (decoder), path, error);
}

/* ---- Chroma ---- */

/* A JPEG of GStreamer's test pattern, whose pixels have this format. (transfer full) */
static GBytes *
encode_jpeg (const char *format, const char *pattern)
{
  g_autofree char *path = g_build_filename (test_folder, "encoded.jpg", NULL);
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=1 pattern=%s ! video/x-raw,format=%s,width=112,height=48 ! "
      "jpegenc quality=97 ! filesink location=%s",
      pattern, format, path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *end;
  char *bytes;
  gsize size;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  end = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert (end != NULL && GST_MESSAGE_TYPE (end) == GST_MESSAGE_EOS);
  gst_message_unref (end);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  ck_assert (g_file_get_contents (path, &bytes, &size, NULL));
  return g_bytes_new_take (bytes, size);
}

/* The picture's pixels in red, green, blue. (transfer full) */
static float *
decode_pixels (GBytes *file)
{
  static const EnsRect whole = {0, 0, 1, 1};
  static const EnsNormalise normalise = {.order = ENS_ORDER_RGB, .scale = {1, 1, 1}};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture =
      read_bytes (g_bytes_get_data (file, NULL), g_bytes_get_size (file), &error);
  float *pixels = g_new (float, 3 * 112 * 48);

  ck_assert_no_error (error);
  ck_assert_uint_eq (picture->frame.width, 112);
  ck_assert_uint_eq (picture->frame.height, 48);
  ens_frame_resize (&picture->frame, &whole, 1, 112, 48, &normalise, pool, pixels);
  return pixels;
}

static const char *const formats[] = {"I420", "Y42B", "Y444", "Y41B"};

/* Bars of white, yellow, cyan, green, magenta, red and blue, from 16 to 235. */
START_TEST (test_bars)
{
  static const guint bars[7] = {7, 6, 3, 2, 5, 4, 1}; /* bits: red, green, blue */
  g_autoptr (GBytes) file = encode_jpeg (formats[_i], "smpte");
  g_autofree float *pixels = decode_pixels (file);

  for (guint bar = 0; bar < 7; bar++)
    for (guint channel = 0; channel < 3; channel++) {
      float expected = (bars[bar] >> (2 - channel) & 1) != 0 ? 235 : 16;
      float found = pixels[3 * (10 * 112 + 16 * bar + 8) + channel];

      ck_assert_msg (ABS (found - expected) < 20, "bar %u has %g in channel %u, expected %g", bar,
                     (double)found, channel, (double)expected);
    }
}
END_TEST

/* Neighbours of green and red keep their colours where chroma has full size. */
START_TEST (test_full_chroma)
{
  g_autoptr (GBytes) file = encode_jpeg ("Y444", "checkers-1");
  g_autofree float *pixels = decode_pixels (file);

  for (guint x = 20; x < 40; x++) {
    const float *pixel = pixels + 3 * (20 * 112 + x), *next = pixel + 3;

    ck_assert (ABS (pixel[0] - next[0]) > 150);
    ck_assert (ABS (pixel[1] - next[1]) > 150);
  }
}
END_TEST

/* ---- What was cut off ---- */

#define PNM_HEAD "P3 # 9 9\n4 2\n255\n"
#define BMP_RUNS                                                                                 \
  "BM\0\0\0\0\0\0\0\0\x3e\0\0\0\x28\0\0\0\4\0\0\0\2\0\0\0\1\0\x08\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0" \
  "\0\0\2\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\0"
#define BMP_ROWS                                                                                 \
  "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
  "\0\0\0\0\0\0\0\0\0\0"

/* Whole, and with so many bytes less damaged. */
static const struct {
  const char *name, *bytes;
  gsize size, cut;
} cut_rows[] = {
#define ROW(name, bytes, cut)            \
  {                                      \
    name, bytes, sizeof (bytes) - 1, cut \
  }
    ROW ("p1", "P1\n4 2\n0 1 0 1\n01#1\n01", 1),
    ROW ("p2", "P2\n4 1\n# x\n255\n1 22 3 200\n", 5),
    ROW ("p3", PNM_HEAD "1 2 3 4 5 6 7 8 9 1 2 3 # 7\n1 2 3 4 5 6 7 8 9 1 2 33", 3),
    ROW ("p4", "P4\n9 2\nabcd", 1),
    ROW ("p5", "P5\n4 2\n255\nabcdefgh", 1),
    ROW ("p5-deep", "P5\n4 1\n65535\nabcdefgh", 1),
    ROW ("p6", "P6\n2 1\n255\nabcdef", 1),
    ROW ("bmp-runs", BMP_RUNS "\4\1\0\0\0\4\1\0\1\0\0\1", 4),
    ROW ("bmp-runs-no-end", BMP_RUNS "\4\1\0\0\4\1\0\0", 2),
    ROW ("bmp-rows", BMP_ROWS "abcdef\0\0ghijkl\0\0", 1),
#undef ROW
};

START_TEST (test_cut)
{
  gsize size = cut_rows[_i].size;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) whole = read_bytes (cut_rows[_i].bytes, size, &error);

  ck_assert_no_error (error);
  ck_assert_ptr_nonnull (whole);
  ck_assert_ptr_null (read_bytes (cut_rows[_i].bytes, size - cut_rows[_i].cut, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
  ck_assert_contains (error->message, "ends before the picture is complete; copy or download it");
}
END_TEST

/* What a checksum tells is said in the decoder's words. */
START_TEST (test_checksum)
{
  g_autoptr (GBytes) file = picture_png (&(PngKind) {8, 2});
  gsize size = g_bytes_get_size (file);
  g_autofree guint8 *bytes = g_memdup2 (g_bytes_get_data (file, NULL), size);
  g_autoptr (GError) error = NULL;

  bytes[60] ^= 0x5a; /* in the pixels */
  ck_assert_ptr_null (read_bytes (bytes, size, &error));
  ck_assert_contains (error->message, "PNG that can't be decoded (");
  ck_assert_contains (error->message, "else it is damaged");
}
END_TEST

/* ---- Orientation ---- */

#define XMP "http://ns.adobe.com/xap/1.0/"
#define EXIF "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0\0\0\0\0\0"
#define EXIF_WITHOUT "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x0f\0\3\0\0\0\1\0\3\0\0\0\0\0\0"

static const struct {
  const char *name, *blocks[2]; /* of APP1 */
  gsize sizes[2];
  guint orientation;
} orientation_rows[] = {
#define ROW(name, first, second, orientation)                                     \
  {                                                                               \
    name, {first, second}, {sizeof (first) - 1, sizeof (second) - 1}, orientation \
  }
    ROW ("nothing", "x", "", 1),
    ROW ("exif", EXIF, "", 3),
    ROW ("xmp", XMP "\0<x tiff:Orientation=\"6\">", "", 6),
    ROW ("xmp-quote", XMP "\0<x tiff:Orientation='8'>", "", 8),
    ROW ("xmp-element", XMP "\0<tiff:Orientation>5</tiff:Orientation>", "", 5),
    ROW ("xmp-none", XMP "\0<x tiff:Orientation=\"9\">", "", 1),
    ROW ("xmp-cut", XMP "\0<x tiff:Orientation=\"", "", 1),
    ROW ("xmp-before-exif", XMP "\0<x tiff:Orientation=\"6\">", EXIF, 3),
    ROW ("exif-before-xmp", EXIF, XMP "\0<x tiff:Orientation=\"6\">", 3),
    ROW ("exif-without", EXIF_WITHOUT, XMP "\0<x tiff:Orientation=\"6\">", 6),
    ROW ("first-exif", EXIF_WITHOUT, EXIF, 1),
#undef ROW
};

static void
add_block (GByteArray *file, const char *block, gsize size)
{
  const guint8 head[4] = {0xff, 0xe1, (guint8)((size + 2) >> 8), (guint8)(size + 2)};

  if (size == 0)
    return;
  g_byte_array_append (file, head, sizeof head);
  g_byte_array_append (file, (const guint8 *)block, (guint)size);
}

START_TEST (test_orientation)
{
  static const guint8 start[] = {0xff, 0xd8}, scan[] = {0xff, 0xda, 0, 2, 0xff, 0xd9};
  GByteArray *bytes = g_byte_array_new ();
  g_autoptr (GBytes) file = NULL;
  GstEnsemblePictureHeader header;

  g_byte_array_append (bytes, start, sizeof start);
  for (guint b = 0; b < 2; b++)
    add_block (bytes, orientation_rows[_i].blocks[b], orientation_rows[_i].sizes[b]);
  g_byte_array_append (bytes, scan, sizeof scan);
  file = g_byte_array_free_to_bytes (bytes);
  ck_assert (gst_ensemble_picture_header_read (file, &header));
  ck_assert_uint_eq (header.orientation, orientation_rows[_i].orientation);
}
END_TEST

/* ---- Formats that aren't read ---- */

static const struct {
  const char *bytes;
  gsize size;
  const char *message;
} foreign_rows[] = {
#define ROW(bytes, message)            \
  {                                    \
    bytes, sizeof (bytes) - 1, message \
  }
    ROW ("\x76\x2f\x31\1\2\0\0\0", "an OpenEXR picture, which is not read; convert it"),
    ROW ("\0\0\2\0\0\0\0\0\0\0\0\0\1\0\1\0\x18\0", "a Targa picture"),
    ROW ("\0\0\2\0\1\0\x20\x20", "a Windows cursor"),
    ROW ("qoif\0\0\0\1", "a QOI picture"),
    ROW ("\x0a\5\1\x08\0\0\0\0", "a PCX picture"),
    ROW ("DDS \x7c\0\0\0", "a DirectDraw surface"),
    ROW ("#?RADIANCE\n", "a Radiance picture"),
    ROW ("P7\nWIDTH 1\n", "a PAM picture"),
    ROW ("%!PS-Adobe-3.0", "a PostScript document"),
    ROW ("IIU\0\x18\0\0\0", "a camera's raw file; develop it"),
    ROW ("PK\3\4\0\0\0\0", "an archive; unpack it"),
    ROW ("", "an empty file; copy or download it again"),
    ROW ("hello hello hello", "if it is one, convert it to JPEG, PNG or MP4"),
#undef ROW
};

START_TEST (test_foreign)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (read_bytes (foreign_rows[_i].bytes, foreign_rows[_i].size, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_contains (error->message, foreign_rows[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/picture-kinds");
  test_fixture (set_up, tear_down);
  TEST_ADD_LOOP ("bars", test_bars, formats);
  test_add ("full-chroma", test_full_chroma);
  TEST_ADD_ROWS ("cut", test_cut, cut_rows);
  test_add ("checksum", test_checksum);
  TEST_ADD_ROWS ("orientation", test_orientation, orientation_rows);
  TEST_ADD_LOOP ("foreign", test_foreign, foreign_rows);
  return test_run ();
}
