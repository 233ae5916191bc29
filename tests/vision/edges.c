/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/edges.h"

#include <math.h>

#include "check-main.h"

#define WIDTH 41
#define HEIGHT 37

static float *
at (const EnsPlane *plane, guint x, guint y)
{
  return &plane->values[y * plane->width + x];
}

/* -- smoothing -- */

/* What is even stays so, up to the borders; a point keeps its sum. */
START_TEST (test_blur)
{
  g_auto (EnsPlane) even = {0}, point = {0};
  double sum = 0;

  ens_plane_init (&even, WIDTH, HEIGHT);
  ens_plane_init (&point, WIDTH, HEIGHT);
  for (guint i = 0; i < WIDTH * HEIGHT; i++)
    even.values[i] = 0.5F;
  *at (&point, 20, 18) = 1;
  ens_plane_blur (&even, 2.5);
  ens_plane_blur (&point, 1.5);
  for (guint i = 0; i < WIDTH * HEIGHT; i++) {
    ck_assert_double_eq_tol (even.values[i], 0.5, 1e-5);
    sum += (double)point.values[i];
  }
  ck_assert_double_eq_tol (sum, 1, 1e-4);
  ck_assert_double_eq_tol (*at (&point, 20, 18), 1 / (2 * G_PI * 1.5 * 1.5), 2e-3);
  ck_assert_float_eq (*at (&point, 22, 18), *at (&point, 20, 16));
}
END_TEST

/* -- lines -- */

/* Degrees of a line through the middle. */
static const double angles[] = {0, 20, 45, 70, 90, 110, 135, 163};

static double
get_distance (double angle, double x, double y)
{
  double radians = angle * G_PI / 180;

  return (x - WIDTH / 2) * sin (radians) - (y - HEIGHT / 2) * cos (radians);
}

/* What is fainter, and what lies nearer to the border, is not looked at. */
#define LEAST 0.01F
#define BORDER 4

/* What is left lies on the line and is about as long as that. */

START_TEST (test_lines)
{
  g_auto (EnsPlane) map = {0}, thin = {0};
  guint n = 0;

  ens_plane_init (&map, WIDTH, HEIGHT);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      double d = get_distance (angles[_i], x, y);

      *at (&map, x, y) = (float)(0.8 * exp (-d * d / 8));
    }
  ens_lines_thin (&map, 1, &thin);
  for (guint y = BORDER; y < HEIGHT - BORDER; y++)
    for (guint x = BORDER; x < WIDTH - BORDER; x++)
      if (*at (&thin, x, y) >= LEAST) {
        ck_assert_double_lt (fabs (get_distance (angles[_i], x, y)), 1);
        ck_assert_float_eq (*at (&thin, x, y), *at (&map, x, y));
        n++;
      }
  ck_assert_uint_ge (n, HEIGHT - 2 * BORDER - 2);
  ck_assert_uint_le (n, WIDTH + HEIGHT / 2 - 2 * BORDER);
}
END_TEST

/* Nothing bends downwards. */
START_TEST (test_no_lines)
{
  g_auto (EnsPlane) map = {0}, thin = {0};

  ens_plane_init (&map, WIDTH, HEIGHT);
  for (guint i = 0; i < WIDTH * HEIGHT; i++)
    map.values[i] = 0.7F;
  ens_lines_thin (&map, 1, &thin);
  for (guint i = 0; i < WIDTH * HEIGHT; i++)
    ck_assert_float_eq (thin.values[i], 0);
}
END_TEST

/* -- gradients -- */

static const double smoothings[] = {1, 2, 4};

/* A step's gradient says its height, and stands where the step is. */
START_TEST (test_step)
{
  const double deviation = smoothings[_i];
  g_auto (EnsPlane) picture = {0}, thin = {0};

  ens_plane_init (&picture, WIDTH, HEIGHT);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++)
      *at (&picture, x, y) = x < 20 ? 0.2F : 0.6F;
  ens_gradient_thin (&picture, deviation, &thin);
  for (guint y = 0; y < HEIGHT; y++) {
    guint n = 0;

    for (guint x = 0; x < WIDTH; x++)
      n += *at (&thin, x, y) > 0;
    ck_assert_uint_eq (n, 1);
    ck_assert_double_eq_tol (
        (*at (&thin, 19, y) + *at (&thin, 20, y)) * sqrt (2 * G_PI) * deviation, 0.4, 0.1);
  }
}
END_TEST

/* -- hysteresis -- */

/* Two rows of digits, tenths; thresholds are tenths, the lower one half of the upper. What is
 * found is the highest threshold, again in tenths. */
static const struct {
  const char *name, *thin, *found;
} canny_rows[] = {
    {"alone", "0900 0000", "0900 0000"},    {"chain", "9560 0000", "9990 0000"},
    {"weak-end", "9530 0000", "9960 0000"}, {"apart", "9050 0000", "9050 0000"},
    {"diagonal", "9000 0600", "9000 0900"}, {"weak", "3210 0000", "3320 0000"},
};

START_TEST (test_canny)
{
  g_auto (EnsPlane) thin = {0}, found = {0};
  char text[10] = {0};

  ens_plane_init (&thin, 4, 2);
  for (guint i = 0; i < 8; i++)
    thin.values[i] = (float)(canny_rows[_i].thin[i + i / 4] - '0') / 10 + 1e-6F;
  for (guint i = 0; i < 8; i++)
    if (thin.values[i] < 0.01F)
      thin.values[i] = 0;
  ens_canny_thresholds (&thin, 0.5, 9, &found);
  for (guint i = 0; i < 8; i++)
    text[i + i / 4] = (char)('0' + lrintf (found.values[i] * 10));
  text[4] = ' ';
  ck_assert_str_eq (text, canny_rows[_i].found);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/edges");
  test_add ("blur", test_blur);
  TEST_ADD_LOOP ("lines", test_lines, angles);
  test_add ("no-lines", test_no_lines);
  TEST_ADD_LOOP ("step", test_step, smoothings);
  TEST_ADD_ROWS ("canny", test_canny, canny_rows);
  return test_run ();
}
