/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is encoded is what decoders read. */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "base/error.h"
#include "check-main.h"
#include "decode.h"
#include "encode-still.h"

static EnsPicture *
make_picture (EnsPixels pixels, guint width, guint height)
{
  EnsPicture *picture = ens_picture_new (pixels, width, height);

  for (guint y = 0; y < height; y++)
    for (gsize i = 0; i < ens_pixels_row_bytes (pixels, 0, width); i++)
      ens_picture_get_pixels (picture, 0)[y * picture->frame.strides[0] + i] =
          (guint8)(7 * i + 13 * y);
  return picture;
}

/* Widths that no stride fits without padding. */
START_TEST (test_round_trip)
{
  static const struct {
    EnsPixels pixels;
    guint width, height;
  } rows[] = {{ENS_PIXELS_GRAY8, 37, 21}, {ENS_PIXELS_GRAY8, 1, 1}, {ENS_PIXELS_RGB, 33, 18}};
  g_autofree char *folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "picture.png", NULL);
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  const EnsFrameOpener *opener = gst_ensemble_decoder_get_opener (decoder);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsPicture) picture = make_picture (rows[i].pixels, rows[i].width, rows[i].height);
    g_autoptr (EnsPicture) back = NULL;
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GError) error = NULL;
    gsize size;
    const char *data;

    bytes = gst_ensemble_encode_still (picture, "image/png", &error);
    ck_assert_no_error (error);
    data = g_bytes_get_data (bytes, &size);
    ck_assert (g_file_set_contents (path, data, (gssize)size, NULL));
    back = ens_frame_opener_read (opener, path, &error);
    ck_assert_no_error (error);
    ck_assert_uint_eq (back->frame.pixels, rows[i].pixels);
    for (guint y = 0; y < rows[i].height; y++) {
      gsize n = ens_pixels_row_bytes (rows[i].pixels, 0, rows[i].width);

      ck_assert_bytes_eq (back->frame.planes[0] + y * back->frame.strides[0], n,
                          picture->frame.planes[0] + y * picture->frame.strides[0], n);
    }
  }
  g_remove (path);
  g_remove (folder);
}
END_TEST

START_TEST (test_unknown)
{
  g_autoptr (EnsPicture) picture = make_picture (ENS_PIXELS_GRAY8, 4, 4);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (gst_ensemble_encode_still (picture, "image/x-nothing", &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED);
  ck_assert_contains (error->message, "image/x-nothing");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/encode-still");
  test_add ("round-trip", test_round_trip);
  test_add ("unknown", test_unknown);
  return test_run ();
}
