#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "vision/frame-source.h"
#include "vision/pixel-layout.h"

static void
test_layouts (void)
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

  g_assert_cmpuint (G_N_ELEMENTS (rows), ==, ENS_N_PIXELS);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpstr (ens_pixels_name (rows[i].pixels), ==, rows[i].name);
    g_assert_cmpuint (ens_pixels_planes (rows[i].pixels), ==, rows[i].planes);
    for (guint p = 0; p < rows[i].planes; p++) {
      g_assert_cmpuint (ens_pixels_row_bytes (rows[i].pixels, p, 5), ==, rows[i].row_bytes[p]);
      g_assert_cmpuint (ens_pixels_rows (rows[i].pixels, p, 3), ==, rows[i].rows[p]);
    }
  }
}

static void
test_validate (void)
{
  static const guint8 pixels[64] = {0};
  static const struct {
    EnsFrame frame;
    const char *message; /* NULL: valid */
  } rows[] = {
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

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (ens_frame_validate (&rows[i].frame, &error), ==, rows[i].message == NULL);
    if (rows[i].message == NULL) {
      g_assert_no_error (error);
      continue;
    }
    g_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
    g_assert_nonnull (strstr (error->message, rows[i].message));
  }
}

/* One file, by one descriptor or by two, is one DMABuf; parts of a frame lie in it too. */
static void
test_dma_buf (void)
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

  g_assert_cmpint (ftruncate (file, 4096), ==, 0);
  g_assert_cmpint (ftruncate (other, 4096), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    EnsFrame frame = {ENS_PIXELS_I420, 6, 6, {pixels, pixels + 36, pixels + 45}, {6, 3, 3}}, cut;

    frame.n_dma_bufs = rows[i].n;
    for (guint p = 0; p < 3; p++)
      frame.dma_bufs[p] = (EnsDmaBuf) {rows[i].fds[p], 100 * p};
    g_assert_cmpint (ens_frame_is_dma_buf (&frame), ==, rows[i].one);
    cut = ens_frame_cut (&frame, &part);
    g_assert_cmpint (ens_frame_is_dma_buf (&cut), ==, rows[i].one);
    for (guint p = 0; p < 3; p++)
      g_assert_cmpuint (cut.dma_bufs[p].offset - frame.dma_bufs[p].offset, ==,
                        cut.planes[p] - frame.planes[p]);
  }
  close (file);
  close (other);
  close (again);
}

static void
test_scaled_size (void)
{
  static const struct {
    guint width, height, shorter, scaled_width, scaled_height;
  } rows[] = {
      {640, 480, 256, 341, 256},   {480, 640, 256, 256, 341}, {100, 100, 384, 384, 384},
      {1, 1000, 256, 256, 256000}, {3, 2, 1, 2, 1},           {768, 576, 512, 683, 512},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    guint width, height;

    ens_frame_scaled_size (rows[i].width, rows[i].height, rows[i].shorter, &width, &height);
    g_assert_cmpuint (width, ==, rows[i].scaled_width);
    g_assert_cmpuint (height, ==, rows[i].scaled_height);
  }
}

static void
count (gpointer counter)
{
  ++*(guint *)counter;
}

static void
test_picture (void)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_I420, 5, 3), *wrapped;
  guint freed = 0;

  g_assert_true (ens_frame_validate (&picture->frame, NULL));
  g_assert_cmpuint (picture->pts, ==, G_MAXUINT64);
  for (guint p = 0; p < 3; p++)
    memset (ens_picture_get_pixels (picture, p), 7,
            picture->frame.strides[p] * ens_pixels_rows (ENS_PIXELS_I420, p, 3));

  wrapped = ens_picture_new_wrapped (&picture->frame, count, &freed);
  g_assert_true (ens_picture_ref (wrapped) == wrapped);
  ens_picture_unref (wrapped);
  g_assert_cmpuint (freed, ==, 0);
  ens_picture_unref (wrapped);
  g_assert_cmpuint (freed, ==, 1);
  ens_picture_unref (picture);
}

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

static void
test_source (void)
{
  guint n_open = 0, n_pictures = 0;
  EnsFrameOpener opener = {counting_open, &n_open};
  g_autoptr (EnsFrameSource) source = ens_frame_opener_open (&opener, "abc", NULL);

  for (;;) {
    g_autoptr (EnsPicture) picture = NULL;

    g_assert_true (ens_frame_source_next (source, &picture, NULL));
    if (picture == NULL)
      break;
    n_pictures++;
  }
  g_assert_cmpuint (n_pictures, ==, 3);
  g_assert_cmpuint (n_open, ==, 1);
}

static void
test_read (void)
{
  static const struct {
    const char *path, *message;
  } rows[] = {{"still", NULL}, {"", ": holds no picture"}, {"broken", "broken.jpg: damaged"}};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    guint n_open = 0;
    EnsFrameOpener opener = {counting_open, &n_open};
    g_autoptr (GError) error = NULL;
    g_autoptr (EnsPicture) picture = ens_frame_opener_read (&opener, rows[i].path, &error);

    g_assert_cmpuint (n_open, ==, 0);
    g_assert_cmpint (picture != NULL, ==, rows[i].message == NULL);
    if (rows[i].message != NULL) {
      g_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
      g_assert_nonnull (strstr (error->message, rows[i].message));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vision/frame/layouts", test_layouts);
  g_test_add_func ("/vision/frame/validate", test_validate);
  g_test_add_func ("/vision/frame/dma-buf", test_dma_buf);
  g_test_add_func ("/vision/frame/scaled-size", test_scaled_size);
  g_test_add_func ("/vision/frame/picture", test_picture);
  g_test_add_func ("/vision/frame/source", test_source);
  g_test_add_func ("/vision/frame/read", test_read);
  return g_test_run ();
}
