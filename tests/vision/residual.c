/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Residuals added to frames of all formats: nothing changes nothing, a colour is that colour, a
 * ramp is interpolated where each plane's samples lie. */
#include "vision/residual.h"

#include <math.h>
#include <string.h>

#include "check-main.h"
#include "support/picture.h"

#define WIDTH 37
#define HEIGHT 70

static const EnsNormalise bytes = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};

typedef struct {
  const char *name;
  EnsPixels pixels;
  EnsColorMatrix matrix;
  EnsRange range;
} Row;

static const Row rows[] = {
    {"rgb", ENS_PIXELS_RGB, 0, 0},
    {"bgr", ENS_PIXELS_BGR, 0, 0},
    {"rgbx", ENS_PIXELS_RGBX, 0, 0},
    {"xbgr", ENS_PIXELS_XBGR, 0, 0},
    {"nv12", ENS_PIXELS_NV12, ENS_COLOR_MATRIX_BT601, ENS_RANGE_LIMITED},
    {"nv12-bt709", ENS_PIXELS_NV12, ENS_COLOR_MATRIX_BT709, ENS_RANGE_LIMITED},
    {"i420", ENS_PIXELS_I420, ENS_COLOR_MATRIX_BT709, ENS_RANGE_FULL},
    {"gray", ENS_PIXELS_GRAY8, 0, ENS_RANGE_LIMITED},
};

/* Random, but so that nothing has to be clipped: bytes of 96 … 159. */
static EnsPicture *
draw (const Row *row)
{
  EnsPicture *picture = ens_picture_new (row->pixels, WIDTH, HEIGHT);

  test_picture_fill_random (picture, 3);
  picture->frame.matrix = row->matrix;
  picture->frame.range = row->range;
  for (guint p = 0; p < ens_pixels_planes (row->pixels); p++)
    for (gsize i = 0; i < picture->frame.strides[p] * ens_pixels_rows (row->pixels, p, HEIGHT); i++)
      ens_picture_get_pixels (picture, p)[i] = 96 + ens_picture_get_pixels (picture, p)[i] % 64;
  return picture;
}

static gboolean
rows_are_same (const EnsFrame *a, const EnsFrame *b)
{
  for (guint p = 0; p < ens_pixels_planes (a->pixels); p++)
    for (guint y = 0; y < ens_pixels_rows (a->pixels, p, HEIGHT); y++)
      if (memcmp (a->planes[p] + y * a->strides[p], b->planes[p] + y * b->strides[p],
                  ens_pixels_row_bytes (a->pixels, p, WIDTH))
          != 0)
        return FALSE;
  return TRUE;
}

static EnsPicture *
add (const EnsPicture *picture, const float *values, guint width, guint height, EnsPicture *into,
     guint n_threads)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (n_threads);

  return ens_frame_add_residual (&picture->frame, &(EnsResidual) {width, height, values}, into,
                                 pool);
}

START_TEST (test_nothing)
{
  static const float zeroes[5 * 9 * 3];
  g_autoptr (EnsPicture) picture = draw (&rows[_i]), result = NULL;

  result = add (picture, zeroes, 9, 5, NULL, 2);
  ck_assert (rows_are_same (&picture->frame, &result->frame));
  ck_assert_int_eq (result->frame.matrix, picture->frame.matrix);
  ck_assert_int_eq (result->frame.range, picture->frame.range);
}
END_TEST

/* The change of each channel's mean. */
static void
measure (const EnsFrame *before, const EnsFrame *after, double changes[3])
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autofree float *x = g_new (float, WIDTH *HEIGHT * 3);
  g_autofree float *y = g_new (float, WIDTH *HEIGHT * 3);

  ens_frame_resize (before, &ENS_RECT_WHOLE, 1, WIDTH, HEIGHT, &bytes, pool, x);
  ens_frame_resize (after, &ENS_RECT_WHOLE, 1, WIDTH, HEIGHT, &bytes, pool, y);
  memset (changes, 0, 3 * sizeof *changes);
  for (guint i = 0; i < WIDTH * HEIGHT * 3; i++)
    changes[i % 3] += (double)(y[i] - x[i]) / (WIDTH * HEIGHT);
}

START_TEST (test_colour)
{
  const Row *row = &rows[_i];
  const double colour[3] = {20, -10, 7}, luma = 0.299 * 20 - 0.587 * 10 + 0.114 * 7;
  const gboolean gray = row->pixels == ENS_PIXELS_GRAY8;
  g_autoptr (EnsPicture) picture = draw (row), result = NULL;
  float values[4 * 6 * 3];
  double changes[3];

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = (float)colour[i % 3];
  result = add (picture, values, 6, 4, NULL, 1);
  measure (&picture->frame, &result->frame, changes);
  for (guint c = 0; c < 3; c++)
    ck_assert_double_eq_tol (changes[c], gray ? luma : colour[c], 1);
}
END_TEST

/* Two places, 0 and 80: at the centres, ends and in between, of luma and of chroma, whose samples
 * lie on the even columns. */
START_TEST (test_ramp)
{
  static const float values[] = {0, 0, 0, 80, 80, 80};
  static const float blue[] = {0, 0, 0, 0, 0, 80};
  g_autoptr (EnsPicture) rgb = ens_picture_new (ENS_PIXELS_RGB, 8, 2), result = NULL;
  g_autoptr (EnsPicture) nv12 = ens_picture_new (ENS_PIXELS_NV12, 8, 2), other = NULL;
  const int expected[] = {0, 0, 10, 30, 50, 70, 80, 80};
  const int chroma[] = {0, 10, 50, 80};

  result = add (rgb, values, 2, 1, NULL, 1);
  for (guint x = 0; x < 8; x++)
    ck_assert_int_eq (result->frame.planes[0][3 * x], expected[x]);
  memset (ens_picture_get_pixels (nv12, 1), 100, 8);
  other = add (nv12, blue, 2, 1, NULL, 1);
  for (guint x = 0; x < 4; x++)
    ck_assert_int_eq (other->frame.planes[1][2 * x], 100 + chroma[x] / 2);
}
END_TEST

/* Threads change no bit, a picture is used again, what is too bright or too dark is clipped. */
START_TEST (test_again)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autoptr (EnsPicture) picture = draw (&rows[4]), one = NULL, three = NULL, other = NULL;
  float values[7 * 11 * 3];
  EnsPicture *again;

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = (float)g_rand_double_range (rand, -300, 300);
  one = add (picture, values, 11, 7, NULL, 1);
  three = add (picture, values, 11, 7, NULL, 3);
  ck_assert (rows_are_same (&one->frame, &three->frame));
  again = three;
  three = add (picture, values, 11, 7, g_steal_pointer (&three), 2);
  ck_assert_ptr_eq (three, again);
  ck_assert (rows_are_same (&one->frame, &three->frame));
  other = draw (&rows[0]);
  three = add (other, values, 11, 7, g_steal_pointer (&three), 2);
  ck_assert_int_eq (three->frame.pixels, ENS_PIXELS_RGB);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/residual");
  TEST_ADD_ROWS ("nothing", test_nothing, rows);
  TEST_ADD_ROWS ("colour", test_colour, rows);
  test_add ("ramp", test_ramp);
  test_add ("again", test_again);
  return test_run ();
}
