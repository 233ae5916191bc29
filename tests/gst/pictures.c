/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of every kind, the right way up; what is refused, and what is never fetched. */
#include <gst/gst.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <webp/encode.h>

#ifdef ENS_HAVE_HEIF
#include <libheif/heif.h>
#endif

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

/* (transfer full) */
static char *
write_bytes (const char *name, GBytes *bytes)
{
  char *path = g_build_filename (test_folder, name, NULL);

  ck_assert (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
                                  (gssize)g_bytes_get_size (bytes), NULL));
  return path;
}

static EnsPicture *
read_picture (const char *path, GError **error)
{
  return ens_frame_opener_read (gst_ensemble_decoder_get_opener (decoder), path, error);
}

/* Whether the corner is white and the others are black: upper left 0, upper right 1, lower left 2,
 * lower right 3. */
static void
check_corner (const EnsPicture *picture, guint white)
{
  static const EnsRect corners[] = {{0.05F, 0.05F, 0.2F, 0.2F},
                                    {0.75F, 0.05F, 0.2F, 0.2F},
                                    {0.05F, 0.75F, 0.2F, 0.2F},
                                    {0.75F, 0.75F, 0.2F, 0.2F}};
  static const EnsNormalise normalise = {.order = ENS_ORDER_RGB, .scale = {1, 1, 1}};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  float pixels[4 * 3];

  ens_frame_resize (&picture->frame, corners, 4, 1, 1, &normalise, pool, pixels);
  for (guint i = 0; i < 4 * 3; i++)
    ck_assert_msg (i / 3 == white ? pixels[i] > 240 : pixels[i] < 15,
                   "corner %u has %g in channel %u, expected corner %u to be white", i / 3,
                   (double)pixels[i], i % 3, white);
}

static void
check_file (const char *path, guint white, gboolean turned)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture = read_picture (path, &error);

  ck_assert_no_error (error);
  ck_assert_uint_eq (picture->frame.width, turned ? PICTURE_HEIGHT : PICTURE_WIDTH);
  ck_assert_uint_eq (picture->frame.height, turned ? PICTURE_WIDTH : PICTURE_HEIGHT);
  check_corner (picture, white);
}

static void
check_bytes (const char *name, GBytes *bytes, guint white, gboolean turned)
{
  g_autofree char *path = write_bytes (name, bytes);

  check_file (path, white, turned);
}

/* ---- Formats ---- */

static const struct {
  const char *name;
  PngKind kind;
} png_rows[] = {
    {"grey-1", {1, 0}},
    {"grey-2", {2, 0}},
    {"grey-8", {8, 0}},
    {"grey-16", {16, 0}},
    {"colour-8", {8, 2}},
    {"colour-16", {16, 2}},
    {"palette-1", {1, 3}},
    {"palette-4", {4, 3}},
    {"palette-8", {8, 3}},
    {"grey-alpha-8", {8, 4}},
    {"grey-alpha-16", {16, 4}},
    {"colour-alpha-8", {8, 6}},
    {"colour-alpha-16", {16, 6}},
    {"grey-1-interlaced", {1, 0, TRUE}},
    {"colour-8-interlaced", {8, 2, TRUE}},
    {"palette-4-interlaced", {4, 3, TRUE}},
    {"colour-16-interlaced", {16, 2, TRUE}},
};

/* The name says another format: what is inside counts. */
START_TEST (test_png)
{
  g_autoptr (GBytes) file = picture_png (&png_rows[_i].kind);

  check_bytes ("a.jpg", file, 0, FALSE);
}
END_TEST

static const struct {
  const char *name;
  guint bits;
  gboolean big_endian;
} tiff_rows[] = {
    {"8", 8, FALSE}, {"8-big-endian", 8, TRUE}, {"16", 16, FALSE}, {"16-big-endian", 16, TRUE}};

START_TEST (test_tiff)
{
  g_autoptr (GBytes) file = picture_tiff (tiff_rows[_i].bits, tiff_rows[_i].big_endian, 0);

  check_bytes ("a.tif", file, 0, FALSE);
}
END_TEST

START_TEST (test_gif)
{
  g_autoptr (GBytes) file = picture_gif ();

  check_bytes ("a.gif", file, 0, FALSE);
}
END_TEST

/* CMYK of Adobe's kind, which is inverted. */
START_TEST (test_cmyk)
{
  static const guint8 jpeg[] = {
      0xff, 0xd8, 0xff, 0xee, 0x00, 0x0e, 0x41, 0x64, 0x6f, 0x62, 0x65, 0x00, 0x64, 0x00, 0x00,
      0x00, 0x00, 0x00, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x10, 0x0b, 0x0c, 0x0e, 0x0c, 0x0a, 0x10,
      0x0e, 0x0d, 0x0e, 0x12, 0x11, 0x10, 0x13, 0x18, 0x28, 0x1a, 0x18, 0x16, 0x16, 0x18, 0x31,
      0x23, 0x25, 0x1d, 0x28, 0x3a, 0x33, 0x3d, 0x3c, 0x39, 0x33, 0x38, 0x37, 0x40, 0x48, 0x5c,
      0x4e, 0x40, 0x44, 0x57, 0x45, 0x37, 0x38, 0x50, 0x6d, 0x51, 0x57, 0x5f, 0x62, 0x67, 0x68,
      0x67, 0x3e, 0x4d, 0x71, 0x79, 0x70, 0x64, 0x78, 0x5c, 0x65, 0x67, 0x63, 0xff, 0xc0, 0x00,
      0x14, 0x08, 0x00, 0x20, 0x00, 0x30, 0x04, 0x43, 0x11, 0x00, 0x4d, 0x11, 0x00, 0x59, 0x11,
      0x00, 0x4b, 0x11, 0x00, 0xff, 0xc4, 0x00, 0x16, 0x00, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x08, 0xff, 0xc4,
      0x00, 0x14, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xda, 0x00, 0x0e, 0x04, 0x43, 0x00, 0x4d, 0x00, 0x59,
      0x00, 0x4b, 0x00, 0x00, 0x3f, 0x00, 0xa0, 0x28, 0x0a, 0x02, 0x80, 0x00, 0x00, 0x03, 0x3f,
      0x80, 0x00, 0x00, 0xd0, 0x00, 0x00, 0x00, 0x33, 0xf8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xff, 0xd9,
  };
  g_autoptr (GBytes) file = g_bytes_new_static (jpeg, sizeof jpeg);

  check_bytes ("a.jpg", file, 0, FALSE);
}
END_TEST

/* ---- WebP ---- */

static void
add_little (GByteArray *bytes, guint64 value, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint8 byte = (guint8)(value >> 8 * i);

    g_byte_array_append (bytes, &byte, 1);
  }
}

static void
add_riff (GByteArray *bytes, const char *type, const guint8 *data, guint size)
{
  g_byte_array_append (bytes, (const guint8 *)type, 4);
  add_little (bytes, size, 4);
  g_byte_array_append (bytes, data, size);
  add_little (bytes, 0, size & 1);
}

/* The chunk of pixels, white in the upper left quarter or all black. (transfer full) */
static GByteArray *
encode_webp (gboolean black)
{
  guint8 pixels[PICTURE_HEIGHT][PICTURE_WIDTH][3] = {0};
  GByteArray *chunk = g_byte_array_new ();
  guint8 *file = NULL;
  gsize size;

  for (guint y = 0; y < PICTURE_HEIGHT / 2 && !black; y++)
    memset (pixels[y], 255, sizeof pixels[y] / 2);
  size = WebPEncodeLosslessRGB (&pixels[0][0][0], PICTURE_WIDTH, PICTURE_HEIGHT, sizeof pixels[0],
                                &file);
  ck_assert_uint_gt (size, 12);
  g_byte_array_append (chunk, file + 12, (guint)size - 12);
  WebPFree (file);
  return chunk;
}

static void
add_frame (GByteArray *file, gboolean black)
{
  g_autoptr (GByteArray) frame = g_byte_array_new ();
  g_autoptr (GByteArray) pixels = encode_webp (black);

  add_little (frame, 0, 6);
  add_little (frame, PICTURE_WIDTH - 1, 3);
  add_little (frame, PICTURE_HEIGHT - 1, 3);
  add_little (frame, 100, 4);
  g_byte_array_append (frame, pixels->data, pixels->len);
  add_riff (file, "ANMF", frame->data, frame->len);
}

/* exif NULL: none. (transfer full) */
static GBytes *
make_webp (gboolean animated, GBytes *exif)
{
  static const guint8 animation[6] = {0};
  g_autoptr (GByteArray) chunks = g_byte_array_new (), head = g_byte_array_new ();
  g_autoptr (GByteArray) pixels = encode_webp (FALSE);
  GByteArray *file = g_byte_array_new ();

  add_little (head, (animated ? 2 : 0) | (exif != NULL ? 8 : 0), 4);
  add_little (head, PICTURE_WIDTH - 1, 3);
  add_little (head, PICTURE_HEIGHT - 1, 3);
  g_byte_array_append (chunks, (const guint8 *)"WEBP", 4);
  add_riff (chunks, "VP8X", head->data, head->len);
  if (animated) {
    add_riff (chunks, "ANIM", animation, sizeof animation);
    add_frame (chunks, FALSE);
    add_frame (chunks, TRUE);
  } else {
    g_byte_array_append (chunks, pixels->data, pixels->len);
  }
  if (exif != NULL)
    add_riff (chunks, "EXIF", g_bytes_get_data (exif, NULL), (guint)g_bytes_get_size (exif));
  add_riff (file, "RIFF", chunks->data, chunks->len);
  return g_byte_array_free_to_bytes (file);
}

START_TEST (test_webp)
{
  g_autoptr (GBytes) file = make_webp (_i == 1, NULL);

  check_bytes ("a.webp", file, 0, FALSE);
}
END_TEST

/* ---- Orientation ---- */

/* Where the white quarter of the stored picture belongs; width and height exchanged. */
static const struct {
  guint corner;
  gboolean turned;
} turns[9] = {{0}, {0}, {1}, {3}, {2}, {0, TRUE}, {1, TRUE}, {3, TRUE}, {2, TRUE}};

/* (transfer full) */
static GBytes *
make_turned_png (guint orientation)
{
  return picture_png (&(PngKind) {8, 2, FALSE, orientation});
}

static GBytes *
make_turned_deep_png (guint orientation)
{
  return picture_png (&(PngKind) {16, 2, FALSE, orientation});
}

static GBytes *
make_turned_webp (guint orientation)
{
  g_autoptr (GBytes) exif = picture_exif (orientation);

  return make_webp (FALSE, exif);
}

/* Some programs keep JPEG's prefix. */
static GBytes *
make_turned_webp_with_prefix (guint orientation)
{
  g_autoptr (GBytes) exif = picture_exif (orientation);
  g_autoptr (GBytes) prefixed = NULL;
  GByteArray *bytes = g_byte_array_new ();

  g_byte_array_append (bytes, (const guint8 *)"Exif\0", 6);
  g_byte_array_append (bytes, g_bytes_get_data (exif, NULL), (guint)g_bytes_get_size (exif));
  prefixed = g_byte_array_free_to_bytes (bytes);
  return make_webp (TRUE, prefixed);
}

static GBytes *
make_turned_tiff (guint orientation)
{
  return picture_tiff (8, FALSE, orientation);
}

static const struct {
  const char *name;
  GBytes *(*make) (guint orientation);
} turned_rows[] = {
    {"png", make_turned_png},   {"png-16", make_turned_deep_png},
    {"webp", make_turned_webp}, {"webp-prefix", make_turned_webp_with_prefix},
    {"tiff", make_turned_tiff},
};

START_TEST (test_turned)
{
  for (guint o = 1; o <= 8; o++) {
    g_autoptr (GBytes) file = turned_rows[_i].make (o);

    test_message ("orientation %u", o);
    check_bytes ("a", file, turns[o].corner, turns[o].turned);
  }
}
END_TEST

/* ---- HEIC and AVIF ---- */

#ifdef ENS_HAVE_HEIF
static struct heif_image *
make_heif_image (void)
{
  struct heif_image *image;
  int stride;
  guint8 *rows;

  heif_image_create (PICTURE_WIDTH, PICTURE_HEIGHT, heif_colorspace_RGB,
                     heif_chroma_interleaved_RGB, &image);
  heif_image_add_plane (image, heif_channel_interleaved, PICTURE_WIDTH, PICTURE_HEIGHT, 8);
  rows = heif_image_get_plane (image, heif_channel_interleaved, &stride);
  for (int y = 0; y < PICTURE_HEIGHT; y++) {
    memset (rows + y * stride, 0, 3 * PICTURE_WIDTH);
    if (y < PICTURE_HEIGHT / 2)
      memset (rows + y * stride, 255, 3 * PICTURE_WIDTH / 2);
  }
  return image;
}

/* FALSE if this machine has no encoder. */
static gboolean
write_heif (enum heif_compression_format format, enum heif_orientation orientation,
            const char *path)
{
  struct heif_encoding_options *options = heif_encoding_options_alloc ();
  struct heif_context *context = heif_context_alloc ();
  struct heif_image *image = make_heif_image ();
  struct heif_encoder *encoder = NULL;
  gboolean encoded = FALSE;

  if (heif_context_get_encoder_for_format (context, format, &encoder).code == heif_error_Ok) {
    heif_encoder_set_lossy_quality (encoder, 90);
    options->image_orientation = orientation;
    encoded =
        heif_context_encode_image (context, image, encoder, options, NULL).code == heif_error_Ok
        && heif_context_write_to_file (context, path).code == heif_error_Ok;
    heif_encoder_release (encoder);
  }
  heif_encoding_options_free (options);
  heif_image_release (image);
  heif_context_free (context);
  return encoded;
}

START_TEST (test_heif)
{
  static const enum heif_compression_format formats[] = {heif_compression_HEVC,
                                                         heif_compression_AV1};
  g_autofree char *path = g_build_filename (test_folder, "a.png", NULL);

  for (guint o = 1; o <= 8; o++) {
    if (!write_heif (formats[_i], (enum heif_orientation)o, path)) {
      test_skip ("libheif has no encoder here");
      return;
    }
    test_message ("orientation %u", o);
    check_file (path, turns[o].corner, turns[o].turned);
  }
}
END_TEST
#else
START_TEST (test_heif)
{
  static const guint8 start[64] = "\0\0\0\x18"
                                  "ftypavif";
  g_autoptr (GBytes) file = g_bytes_new_static (start, sizeof start);
  g_autofree char *path = write_bytes ("a.avif", file);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (read_picture (path, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED);
  ck_assert_contains (error->message, "convert it to JPEG or PNG");
}
END_TEST
#endif

/* ---- What is refused ---- */

static void
check_refused (const char *path, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture = read_picture (path, &error);

  ck_assert_ptr_null (picture);
  ck_assert_ptr_nonnull (error);
  ck_assert (error->domain == ENS_ERROR);
  ck_assert (g_str_has_prefix (error->message, path));
  ck_assert_contains (error->message, reason);
}

/* Text, in bytes: nothing of it is fetched. */
static const struct {
  const char *name, *bytes;
  gsize size;
  const char *reason;
} foreign_rows[] = {
#define ROW(name, bytes, reason)            \
  {                                         \
    name, bytes, sizeof (bytes) - 1, reason \
  }
    ROW ("hls", "#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n", "a playlist"),
    ROW ("hls-mark", "\xef\xbb\xbf#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n", "a playlist"),
    ROW ("hls-id3", "ID3\3\0\0\0\0\0\0#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n", "neither"),
    ROW ("dash", "<?xml version='1.0'?>\n<MPD><BaseURL>http://127.0.0.1:9/</BaseURL></MPD>",
         "a playlist"),
    ROW ("smil", "\n<smil><body><video src='http://127.0.0.1:9/a'/></body></smil>", "a playlist"),
    ROW ("pls", "[playlist]\nFile1=http://127.0.0.1:9/a\n", "a playlist"),
    ROW ("list", "http://127.0.0.1:9/a.mp4\n", "neither a picture nor a video"),
    ROW ("sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n", "neither"),
    ROW ("svg", "<svg xmlns='http://www.w3.org/2000/svg'><image href='http://127.0.0.1:9/'/></svg>",
         "export it as PNG"),
    ROW ("jpeg-xl", "\xff\x0a\1\2\3", "a JPEG XL picture, which is not read; convert it"),
    ROW ("jpeg-2000", "\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture, which is not read"),
    ROW ("pdf", "%PDF-1.7\n", "a PDF document"),
    ROW ("raw-dng", "II*\0\x08\0\0\0\1\0\x12\xc6\1\0\4\0\0\0\1\4\0\0\0\0\0\0", "a camera's raw"),
    ROW ("tiff-cut", "II*\0\xff\xff\0\0", "damaged TIFF"),
    ROW ("tiff-float",
         "II*\0\x08\0\0\0\3\0\0\1\3\0\1\0\0\0\4\0\0\0\1\1\3\0\1\0\0\0\4\0\0\0"
         "\2\1\3\0\1\0\0\0\x20\0\0\0\0\0\0\0",
         "more than 16 bits"),
    /* The size that decoders take, not the one that stands elsewhere. */
    ROW ("png-two-heads",
         "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x75\x30\0\0\x75\x30\1\0\0\0\0 crc\0\0\0\0IDAT crc"
         "\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\1\0\0\0\0 crc\0\0\0\0IEND crc",
         "30000×30000 pixels are"),
    ROW ("tiff-two-sizes",
         "II*\0\x08\0\0\0\4\0\0\1\3\0\1\0\0\0\x30\x75\0\0\1\1\3\0\1\0\0\0\x30\x75\0\0"
         "\0\1\3\0\1\0\0\0\1\0\0\0\1\1\3\0\1\0\0\0\1\0\0\0\0\0\0\0",
         "30000×30000 pixels are"),
    ROW ("tiff-signed-tiles",
         "II*\0\x08\0\0\0\4\0\0\1\3\0\1\0\0\0\4\0\0\0\1\1\3\0\1\0\0\0\4\0\0\0"
         "\x42\1\x09\0\1\0\0\0\x30\x75\0\0\x43\1\x09\0\1\0\0\0\x30\x75\0\0\0\0\0\0",
         "30000×30000 pixels are"),
    ROW ("gif-small-screen", "GIF89a\1\0\1\0\0\0\0,\0\0\0\0\x30\x75\x30\x75\0\2\1\0\0;",
         "30000×30000 pixels are"),
    ROW ("pnm", "P6\n", "damaged PNM"),
    ROW ("webp", "RIFF\x10\0\0\0WEBPVP8 \4\0\0\0abcd", "damaged WebP"),
    ROW ("gif", "GIF89a\1\0\1\0\0\0\0", "damaged GIF"),
    ROW ("text", "BMW is no picture, although it begins like one", "neither a picture nor"),
#undef ROW
};

START_TEST (test_foreign)
{
  g_autoptr (GBytes) file = g_bytes_new_static (foreign_rows[_i].bytes, foreign_rows[_i].size);
  g_autofree char *path = write_bytes ("a.jpg", file);

  check_refused (path, foreign_rows[_i].reason);
}
END_TEST

START_TEST (test_pipe)
{
  g_autofree char *path = g_build_filename (test_folder, "a.jpg", NULL);

  ck_assert_int_eq (mkfifo (path, 0600), 0);
  check_refused (path, "a pipe, expected a file");
}
END_TEST

/* Sizes are looked at before anything is decoded. */
static const struct {
  guint width, height;
  const char *limit; /* NULL: the default */
  const char *reason;
} size_rows[] = {
    {30000, 30000, NULL, "30000×30000 pixels are 900.0 million, more than the 128.0 million"},
    {32768, 32768, NULL, "ENSEMBLE_MAX_PIXELS=1073741824"},
    {40000, 8, NULL, "40000×8 pixels; sides of at most 32768 can be read"},
    {0x7fffffff, 0x7fffffff, NULL, "sides of at most 32768"},
    {0, 8, NULL, "damaged PNG: it does not say how large its picture is"},
    {100, 101, "10000", "100×101 pixels are 0.0 million, more than the 0.0 million"},
};

static long
get_peak (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

START_TEST (test_size)
{
  g_autoptr (GBytes) file = picture_png_of_size (size_rows[_i].width, size_rows[_i].height);
  g_autofree char *path = write_bytes ("a.png", file);
  long before = get_peak ();

  if (size_rows[_i].limit != NULL)
    g_setenv ("ENSEMBLE_MAX_PIXELS", size_rows[_i].limit, TRUE);
  gst_ensemble_decoder_free (decoder);
  decoder = gst_ensemble_decoder_new ();
  check_refused (path, size_rows[_i].reason);
  ck_assert_int_lt (get_peak () - before, 20000);
  g_unsetenv ("ENSEMBLE_MAX_PIXELS");
}
END_TEST

/* Whatever bytes there are, reading the head stays inside the file; and no head of a sound file is
 * taken for another format's. */
START_TEST (test_hostile_heads)
{
  static const guint8 values[] = {0, 1, 0x7f, 0x80, 0xff};
  g_autoptr (GBytes) exif = picture_exif (6);
  GBytes *const files[] = {make_turned_png (6), make_webp (TRUE, exif), make_turned_tiff (6),
                           picture_gif (), g_bytes_new ("P6 # x\n 4 4 255 abcd", 20)};

  for (guint f = 0; f < G_N_ELEMENTS (files); f++) {
    gsize size = MIN (g_bytes_get_size (files[f]), 300);
    g_autofree guint8 *head = g_memdup2 (g_bytes_get_data (files[f], NULL), size);

    for (gsize i = 0; i < size; i++)
      for (guint v = 0; v <= G_N_ELEMENTS (values); v++) {
        guint8 kept = head[i];
        g_autoptr (GBytes) changed = NULL;
        GstEnsemblePictureHeader header;

        if (v < G_N_ELEMENTS (values))
          head[i] = values[v];
        changed = g_bytes_new (head, v < G_N_ELEMENTS (values) ? size : i);
        head[i] = kept;
        gst_ensemble_picture_header_read (changed, &header);
        ck_assert_uint_ge (header.orientation, 1);
        ck_assert_uint_le (header.orientation, 8);
        ck_assert_uint_le (header.end, g_bytes_get_size (changed));
      }
    g_bytes_unref (files[f]);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/pictures");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("png", test_png, png_rows);
  TEST_ADD_ROWS ("tiff", test_tiff, tiff_rows);
  test_add ("gif", test_gif);
  test_add ("cmyk", test_cmyk);
  test_add_loop ("webp", test_webp, 2);
  TEST_ADD_ROWS ("turned", test_turned, turned_rows);
  test_add_loop ("heif", test_heif, 2);
  TEST_ADD_ROWS ("foreign", test_foreign, foreign_rows);
  test_add ("pipe", test_pipe);
  TEST_ADD_LOOP ("size", test_size, size_rows);
  test_add ("hostile-heads", test_hostile_heads);
  return test_run ();
}
