/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "check-main.h"
#include "vision/frame-source.h"
#include "vision/pixel-layout.h"

START_TEST (test_layouts)
{
  static const struct {
    EnsPixels pixels;
    const char *name;
    guint planes;
    guint row_bytes[3], rows[3]; /* of 5 × 3 pixels */
  } rows[] = {
      {ENS_PIXELS_RGB, "RGB", 1, {15}, {3}},
      {ENS_PIXELS_BGR, "BGR", 1, {15}, {3}},
      {ENS_PIXELS_RGBX, "RGBx", 1, {20}, {3}},
      {ENS_PIXELS_BGRX, "BGRx", 1, {20}, {3}},
      {ENS_PIXELS_XRGB, "xRGB", 1, {20}, {3}},
      {ENS_PIXELS_XBGR, "xBGR", 1, {20}, {3}},
      {ENS_PIXELS_NV12, "NV12", 2, {5, 6}, {3, 2}},
      {ENS_PIXELS_I420, "I420", 3, {5, 3, 3}, {3, 2, 2}},
      {ENS_PIXELS_GRAY8, "GRAY8", 1, {5}, {3}},
  };

  ck_assert_uint_eq (G_N_ELEMENTS (rows), ENS_N_PIXELS);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    ck_assert_pstr_eq (ens_pixels_name (rows[i].pixels), rows[i].name);
    ck_assert_uint_eq (ens_pixels_planes (rows[i].pixels), rows[i].planes);
    for (guint p = 0; p < rows[i].planes; p++) {
      ck_assert_uint_eq (ens_pixels_row_bytes (rows[i].pixels, p, 5), rows[i].row_bytes[p]);
      ck_assert_uint_eq (ens_pixels_rows (rows[i].pixels, p, 3), rows[i].rows[p]);
    }
  }
}
END_TEST

static const guint8 pixels[64] = {0};
static const struct {
  EnsFrame frame;
  const char *message; /* NULL: valid */
} validate_rows[] = {
    {{ENS_PIXELS_RGB, 5, 3, {pixels}, {15}}, NULL},
    {{ENS_PIXELS_RGB, 5, 3, {pixels}, {14}}, "at least 15 bytes at 5 pixels width, found 14"},
    {{ENS_PIXELS_RGB, 5, 3, {NULL}, {15}}, "no memory"},
    {{ENS_PIXELS_RGB, 0, 3, {pixels}, {15}}, "found 0x3"},
    {{ENS_PIXELS_RGB, 5, 0, {pixels}, {15}}, "found 5x0"},
    {{ENS_PIXELS_RGB, 5, 32769, {pixels}, {15}}, "found 5x32769"},
    {{ENS_PIXELS_NV12, 5, 3, {pixels, pixels}, {5, 6}}, NULL},
    {{ENS_PIXELS_NV12, 5, 3, {pixels, pixels}, {5, 5}}, "plane 1 of NV12"},
    {{ENS_PIXELS_I420, 5, 3, {pixels, pixels, NULL}, {5, 3, 3}}, "plane 2 of I420"},
    {{ENS_PIXELS_NV12, 5, 3, {pixels, pixels}, {5, 6}, .n_dma_bufs = 2}, NULL},
    {{ENS_PIXELS_NV12, 5, 3, {pixels, pixels}, {5, 6}, .n_dma_bufs = 1},
     "the 2 planes of NV12 must lie in as many DMABufs or in none, found 1"},
    {{ENS_N_PIXELS, 5, 3, {pixels}, {15}}, "is not known"},
};

START_TEST (test_validate)
{
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (ens_frame_validate (&validate_rows[_i].frame, &error),
                    validate_rows[_i].message == NULL);
  if (validate_rows[_i].message == NULL) {
    ck_assert_no_error (error);
    return;
  }
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
  ck_assert_contains (error->message, validate_rows[_i].message);
}
END_TEST

/* One file, by one descriptor or by two, is one DMABuf; parts of a frame lie in it too. */
START_TEST (test_dma_buf)
{
  static const guint8 pixels[64] = {0};
  const gint file = memfd_create ("dma-buf", MFD_CLOEXEC), other = memfd_create ("other", 0);
  const gint again = dup (file);
  const struct {
    guint n;
    gint fds[3];
    gboolean one;
  } rows[] = {
      {0, {0}, FALSE},
      {3, {file, file, file}, TRUE},
      {3, {file, again, file}, TRUE},
      {3, {file, file, other}, FALSE},
      {3, {file, -1, file}, FALSE},
      {3, {-1, -1, -1}, FALSE},
      {3, {file, G_MAXINT, file}, FALSE},
  };
  const EnsFramePart part = {.x = 2, .y = 4, .width = 2, .height = 2};

  ck_assert_int_eq (ftruncate (file, 4096), 0);
  ck_assert_int_eq (ftruncate (other, 4096), 0);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    EnsFrame frame = {ENS_PIXELS_I420, 6, 6, {pixels, pixels + 36, pixels + 45}, {6, 3, 3}}, cut;

    frame.n_dma_bufs = rows[i].n;
    for (guint p = 0; p < 3; p++)
      frame.dma_bufs[p] = (EnsDmaBuf) {rows[i].fds[p], 100 * p};
    ck_assert_int_eq (ens_frame_is_dma_buf (&frame), rows[i].one);
    cut = ens_frame_cut (&frame, &part);
    ck_assert_int_eq (ens_frame_is_dma_buf (&cut), rows[i].one);
    for (guint p = 0; p < 3; p++)
      ck_assert_uint_eq (cut.dma_bufs[p].offset - frame.dma_bufs[p].offset,
                         cut.planes[p] - frame.planes[p]);
  }
  close (file);
  close (other);
  close (again);
}
END_TEST

static const struct {
  guint width, height, shorter, scaled_width, scaled_height;
} scaled_size_rows[] = {
    {640, 480, 256, 341, 256},   {480, 640, 256, 256, 341}, {100, 100, 384, 384, 384},
    {1, 1000, 256, 256, 256000}, {3, 2, 1, 2, 1},           {768, 576, 512, 683, 512},
};

START_TEST (test_scaled_size)
{
  guint width, height;

  ens_frame_scaled_size (scaled_size_rows[_i].width, scaled_size_rows[_i].height,
                         scaled_size_rows[_i].shorter, &width, &height);
  ck_assert_uint_eq (width, scaled_size_rows[_i].scaled_width);
  ck_assert_uint_eq (height, scaled_size_rows[_i].scaled_height);
}
END_TEST

static void
count (gpointer counter)
{
  ++*(guint *)counter;
}

START_TEST (test_picture)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_I420, 5, 3), *wrapped;
  guint freed = 0;

  ck_assert (ens_frame_validate (&picture->frame, NULL));
  ck_assert_uint_eq (picture->pts, G_MAXUINT64);
  for (guint p = 0; p < 3; p++)
    memset (ens_picture_get_pixels (picture, p), 7,
            picture->frame.strides[p] * ens_pixels_rows (ENS_PIXELS_I420, p, 3));

  wrapped = ens_picture_new_wrapped (&picture->frame, count, &freed);
  ck_assert (ens_picture_ref (wrapped) == wrapped);
  ens_picture_unref (wrapped);
  ck_assert_uint_eq (freed, 0);
  ens_picture_unref (wrapped);
  ck_assert_uint_eq (freed, 1);
  ens_picture_unref (picture);
}
END_TEST

/* Gives `left` pictures, then ends; "broken" in the path makes it fail instead. */
typedef struct {
  EnsFrameSource base;
  guint left;
  gboolean broken;
  guint *n_open;
} CountingSource;

static gboolean
counting_next (EnsFrameSource *base, EnsPicture **picture, GError **error)
{
  CountingSource *source = (CountingSource *)base;

  if (source->broken) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "broken.jpg: damaged");
    return FALSE;
  }
  if (source->left > 0) {
    source->left--;
    *picture = ens_picture_new (ENS_PIXELS_GRAY8, 1, 1);
  }
  return TRUE;
}

static void
counting_free (EnsFrameSource *base)
{
  CountingSource *source = (CountingSource *)base;

  --*source->n_open;
  g_free (source);
}

static EnsFrameSource *
counting_open (gpointer n_open, const char *path, GError **error)
{
  CountingSource *source = g_new0 (CountingSource, 1);

  source->base = (EnsFrameSource) {counting_next, counting_free};
  source->left = (guint)strlen (path);
  source->broken = strstr (path, "broken") != NULL;
  source->n_open = n_open;
  ++*source->n_open;
  return &source->base;
}

START_TEST (test_source)
{
  guint n_open = 0, n_pictures = 0;
  EnsFrameOpener opener = {counting_open, &n_open};
  g_autoptr (EnsFrameSource) source = ens_frame_opener_open (&opener, "abc", NULL);

  for (;;) {
    g_autoptr (EnsPicture) picture = NULL;

    ck_assert (ens_frame_source_next (source, &picture, NULL));
    if (picture == NULL)
      break;
    n_pictures++;
  }
  ck_assert_uint_eq (n_pictures, 3);
  ck_assert_uint_eq (n_open, 1);
}
END_TEST

static const struct {
  const char *path, *message;
} read_rows[] = {{"still", NULL}, {"", ": holds no picture"}, {"broken", "broken.jpg: damaged"}};

START_TEST (test_read)
{
  guint n_open = 0;
  EnsFrameOpener opener = {counting_open, &n_open};
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (&opener, read_rows[_i].path, &error);

  ck_assert_uint_eq (n_open, 0);
  ck_assert_int_eq (picture != NULL, read_rows[_i].message == NULL);
  if (read_rows[_i].message != NULL) {
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
    ck_assert_contains (error->message, read_rows[_i].message);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/frame");
  test_add ("layouts", test_layouts);
  TEST_ADD_LOOP ("validate", test_validate, validate_rows);
  test_add ("dma-buf", test_dma_buf);
  TEST_ADD_LOOP ("scaled-size", test_scaled_size, scaled_size_rows);
  test_add ("picture", test_picture);
  test_add ("source", test_source);
  TEST_ADD_LOOP ("read", test_read, read_rows);
  return test_run ();
}
