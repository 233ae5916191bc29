/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check-main.h"
#include "vision/colour-space.h"
#include "vision/smooth.h"

#include <math.h>

#define UNIT 16

static void
to_ycbcr (const guint8 rgb[3], float ycbcr[3])
{
  float y = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];

  ycbcr[0] = y;
  ycbcr[1] = 128 + (rgb[2] - y) / 1.772f;
  ycbcr[2] = 128 + (rgb[0] - y) / 1.402f;
}

START_TEST (test_spaces)
{
  static const struct {
    guint8 rgb[3];
    float hsv[3], rgi[3];
  } rows[] = {
      {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}},
      {{255, 255, 255}, {0, 0, 255}, {85, 85, 255}},
      {{200, 100, 100}, {0, 127.5f, 200}, {127.5f, 63.75f, 133.3f}},
      {{200, 200, 100}, {42.5f, 127.5f, 200}, {102, 102, 166.7f}},
      {{100, 200, 100}, {85, 127.5f, 200}, {63.75f, 127.5f, 133.3f}},
      {{100, 200, 200}, {127.5f, 127.5f, 200}, {51, 102, 166.7f}},
      {{100, 100, 200}, {170, 127.5f, 200}, {63.75f, 63.75f, 133.3f}},
      {{200, 100, 200}, {212.5f, 127.5f, 200}, {102, 51, 166.7f}},
  };
  enum { N = G_N_ELEMENTS (rows) };
  float ycbcr[N * 3];
  gint16 memory[3][N], *planes[] = {memory[0], memory[1], memory[2]};

  for (guint i = 0; i < N; i++)
    to_ycbcr (rows[i].rgb, ycbcr + 3 * i);
  for (guint s = ENS_COLOUR_YCBCR; s <= ENS_COLOUR_RGI; s++) {
    ens_colour_space_convert ((EnsColourSpace)s, ycbcr, N, UNIT, planes);
    for (guint i = 0; i < N; i++)
      for (guint c = 0; c < 3; c++) {
        float expected = s == ENS_COLOUR_YCBCR ? ycbcr[3 * i + c]
                         : s == ENS_COLOUR_HSV ? rows[i].hsv[c]
                                               : rows[i].rgi[c];

        /* Grays have no hue: rounding decides. */
        if (s == ENS_COLOUR_HSV && c == 0 && rows[i].hsv[1] == 0)
          continue;
        ck_assert_double_eq_tol ((float)planes[c][i] / UNIT, expected, 0.15);
      }
  }
}
END_TEST

START_TEST (test_smooth)
{
  enum { SIZE = 9 };
  gint16 plane[SIZE * SIZE] = {0}, smoothed[SIZE * SIZE];
  double sum = 0;

  plane[4 * SIZE + 4] = 4000;
  ens_smooth (plane, SIZE, SIZE, smoothed);
  for (gint y = -4; y <= 4; y++)
    for (gint x = -4; x <= 4; x++) {
      double expected = 4000 * exp (-(x * x + y * y) / (2 * 0.8 * 0.8)) / (2 * G_PI * 0.8 * 0.8);

      ck_assert_double_eq_tol (smoothed[(y + 4) * SIZE + x + 4], expected, 20);
      sum += smoothed[(y + 4) * SIZE + x + 4];
    }
  ck_assert_double_eq_tol (sum, 4000, 30);
}
END_TEST

/* What is even stays so, up to the borders and in the smallest images. */
static const guint sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {70, 3}};

START_TEST (test_smooth_even)
{
  guint n = sizes[_i][0] * sizes[_i][1];
  g_autofree gint16 *plane = g_new (gint16, n), *smoothed = g_new0 (gint16, n);

  for (guint k = 0; k < n; k++)
    plane[k] = 4080;
  ens_smooth (plane, sizes[_i][0], sizes[_i][1], smoothed);
  ck_assert_bytes_eq (plane, n * sizeof *plane, smoothed, n * sizeof *smoothed);
}
END_TEST

/* Beyond each border the image goes on as it ends there. */
START_TEST (test_smooth_borders)
{
  enum { SIZE = 12, LAST = SIZE * SIZE - 1 };
  gint16 plane[SIZE * SIZE], smoothed[SIZE * SIZE];

  for (guint i = 0; i <= LAST; i++)
    plane[i] = (gint16)((i % SIZE < SIZE / 2 ? 0 : 1000) + (i / SIZE < SIZE / 2 ? 0 : 2000));
  ens_smooth (plane, SIZE, SIZE, smoothed);
  ck_assert_int_eq (smoothed[0], 0);
  ck_assert_int_eq (smoothed[SIZE - 1], 1000);
  ck_assert_int_eq (smoothed[LAST + 1 - SIZE], 2000);
  ck_assert_int_eq (smoothed[LAST], 3000);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/colour-space");
  test_add ("spaces", test_spaces);
  test_add ("smooth", test_smooth);
  TEST_ADD_LOOP ("smooth-even", test_smooth_even, sizes);
  test_add ("smooth-borders", test_smooth_borders);
  return test_run ();
}
