/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rectangles in pictures of another aspect ratio, each beside what plain sampling gives for the
 * part that should be there. */
#include "vision/framing.h"

#include <string.h>

#include "check-main.h"
#include "vision/picture.h"

#define WIDTH 90
#define HEIGHT 60
#define SIDE 24

static const EnsNormalise normalise = {ENS_ORDER_RGB, {100, 110, 120}, {0.5F, 0.25F, 0.125F}};

static EnsPicture *
draw (void)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);

  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < 3 * WIDTH; x++)
      ens_picture_get_pixels (picture, 0)[y * picture->frame.strides[0] + x] =
          (guint8)(x / 2 + y + 20 * (x % 3));
  return picture;
}

static void
assert_framed (const EnsFrame *frame, EnsFraming framing, float crop, const EnsRect *rects,
               guint n_rects, const float *expected)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  const EnsFramedResize sampling = {framing, crop, SIDE, SIDE, &normalise};
  const gsize n = (gsize)n_rects * SIDE * SIDE * 3;
  g_autofree float *out = g_new (float, n);

  memset (out, 0x55, n * sizeof *out);
  ens_frame_resize_framed (frame, rects, n_rects, &sampling, pool, out);
  ck_assert_bytes_eq (out, n * sizeof *out, expected, n * sizeof *expected);
}

static void
sample_plainly (const EnsFrame *frame, const EnsRect *rect, guint width, guint height, float *out)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  ens_frame_resize (frame, rect, 1, width, height, &normalise, pool, out);
}

/* x, y, width, height in pixels. */
static EnsRect
pixels_rect (float x, float y, float width, float height)
{
  return (EnsRect) {x / WIDTH, y / HEIGHT, width / WIDTH, height / HEIGHT};
}

START_TEST (test_stretch)
{
  g_autoptr (EnsPicture) picture = draw ();
  g_autofree float *expected = g_new (float, SIDE *SIDE * 3);

  sample_plainly (&picture->frame, &ENS_RECT_WHOLE, SIDE, SIDE, expected);
  assert_framed (&picture->frame, ENS_FRAMING_STRETCH, 1, &ENS_RECT_WHOLE, 1, expected);
}
END_TEST

START_TEST (test_crop)
{
  const struct {
    EnsRect rect;
    float crop;
    EnsRect expected;
  } rows[] = {
      {ENS_RECT_WHOLE, 1, pixels_rect (15, 0, 60, 60)},
      {ENS_RECT_WHOLE, 0.5F, pixels_rect (30, 15, 30, 30)},
      {pixels_rect (10, 20, 20, 40), 1, pixels_rect (10, 30, 20, 20)},
      {pixels_rect (10, 20, 20, 40), 0.8F, pixels_rect (12, 32, 16, 16)},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsPicture) picture = draw ();
    g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
    const EnsFramedResize sampling = {ENS_FRAMING_CROP, rows[i].crop, SIDE, SIDE, &normalise};
    g_autofree float *expected = g_new (float, SIDE *SIDE * 3);
    g_autofree float *out = g_new (float, SIDE *SIDE * 3);

    sample_plainly (&picture->frame, &rows[i].expected, SIDE, SIDE, expected);
    ens_frame_resize_framed (&picture->frame, &rows[i].rect, 1, &sampling, pool, out);
    /* By a rounding of its edge a rectangle may touch one pixel more. */
    for (guint v = 0; v < SIDE * SIDE * 3; v++)
      ck_assert_double_eq_tol (out[v], expected[v], 0.6F);
  }
}
END_TEST

/* A wide one, a tall one and a square, in one call. */
START_TEST (test_letterbox)
{
  const EnsRect rects[] = {ENS_RECT_WHOLE, pixels_rect (10, 0, 20, 60), pixels_rect (5, 5, 50, 50)};
  const struct {
    guint x, y, width, height;
  } inside[] = {{0, 4, 24, 16}, {8, 0, 8, 24}, {0, 0, 24, 24}};
  g_autoptr (EnsPicture) picture = draw ();
  g_autofree float *expected = g_new0 (float, 3 * SIDE * SIDE * 3);

  for (guint i = 0; i < G_N_ELEMENTS (rects); i++) {
    g_autofree float *part = g_new (float, inside[i].width *inside[i].height * 3);
    float *corner = expected + ((i * SIDE + inside[i].y) * SIDE + inside[i].x) * 3;

    sample_plainly (&picture->frame, &rects[i], inside[i].width, inside[i].height, part);
    for (guint y = 0; y < inside[i].height; y++)
      memcpy (corner + y * SIDE * 3, part + y * inside[i].width * 3,
              inside[i].width * 3 * sizeof *part);
  }
  assert_framed (&picture->frame, ENS_FRAMING_LETTERBOX, 1, rects, G_N_ELEMENTS (rects), expected);
}
END_TEST

/* So thin that less than a pixel would be left of it. */
START_TEST (test_thin)
{
  const EnsRect rect = pixels_rect (3, 0, 0.5F, 60);
  g_autoptr (EnsPicture) picture = draw ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  const EnsFramedResize sampling = {ENS_FRAMING_LETTERBOX, 1, SIDE, SIDE, &normalise};
  g_autofree float *out = g_new (float, SIDE *SIDE * 3);
  guint n = 0;

  ens_frame_resize_framed (&picture->frame, &rect, 1, &sampling, pool, out);
  for (guint v = 0; v < SIDE * SIDE * 3; v++)
    n += out[v] != 0;
  ck_assert_uint_gt (n, 0);
  ck_assert_uint_le (n, SIDE * 3);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/framing");
  test_add ("stretch", test_stretch);
  test_add ("crop", test_crop);
  test_add ("letterbox", test_letterbox);
  test_add ("thin", test_thin);
  return test_run ();
}
