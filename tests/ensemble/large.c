/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Large frames: found where they are and nowhere else, and judged as each sub-image would be. */
#include <string.h>

#include "colour-fixture.h"
#include "toy.h"

/* Divided into 4 × 3 sub-images of 160 × 160; the bundle has three classes. */
#define WIDTH 480
#define HEIGHT 320
#define COLUMNS 4
#define ROWS 3
#define SIDE 160
#define CLASSES 3

/* A square of one of red, green and blue on black. */
static void
paint (EnsPicture *picture, guint class, guint x, guint y, guint side)
{
  for (guint row = y; row < y + side; row++)
    for (guint column = x; column < x + side; column++)
      ens_picture_get_pixels (picture, 0)[row * picture->frame.strides[0] + 3 * column + class] =
          255;
}

static float
get_p (const EnsResult *result, guint sub_image, guint class)
{
  return result->map->probabilities[sub_image * CLASSES + class];
}

/* What holds of every result of a frame that was divided. */
static void
check_maximum (const EnsResult *result)
{
  for (guint c = 0; c < CLASSES; c++) {
    const EnsClassResult *class = &result->classes[c];
    float largest = 0;

    for (guint s = 0; s < ens_probability_map_get_size (result->map); s++)
      largest = MAX (largest, get_p (result, s, c));
    ck_assert_double_eq (class->p, largest);
    ck_assert_double_eq (get_p (result, (guint) class->sub_image, c), largest);
    ck_assert_int_eq (class->present, class->p >= class->threshold);
  }
}

/* A square of a colour that fills most of one sub-image and little of its neighbours is in that
 * one and in no other; the frame as a whole is too black for it. */
START_TEST (test_found_in_one)
{
  const EnsAnalyseOptions divided = {.threshold = -1}; /* no windows */
  const EnsAnalyseOptions undivided = {.threshold = -1, .sub_images = ENS_SUB_IMAGES_OFF};

  for (guint s = 0; s < COLUMNS * ROWS; s++) {
    guint class = s % CLASSES, x = (WIDTH - SIDE) * (s % COLUMNS) / (COLUMNS - 1);
    g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
    g_autoptr (EnsResult) result = NULL, whole = NULL;

    paint (picture, class, x + 20, SIDE / 2 * (s / COLUMNS) + 20, 120);
    result = fixture_analyse (fixture->analysis, &picture->frame, &divided);
    whole = fixture_analyse (fixture->analysis, &picture->frame, &undivided);
    ck_assert_uint_eq (result->map->columns, COLUMNS);
    ck_assert_uint_eq (result->map->rows, ROWS);
    ck_assert_double_eq (result->map->width, (float)SIDE / WIDTH);
    ck_assert_double_eq (result->map->height, (float)SIDE / HEIGHT);
    for (guint i = 0; i < COLUMNS * ROWS; i++)
      for (guint c = 0; c < CLASSES; c++)
        if (i == s && c == class)
          ck_assert_double_gt (get_p (result, i, c), 0.7F);
        else
          ck_assert_double_lt (get_p (result, i, c), 0.2F);
    ck_assert_int_eq (result->classes[class].sub_image, (gint)s);
    ck_assert_double_gt (result->networks[0].probabilities[class], 0.7F);
    ck_assert_double_eq (result->classes[class].p1, result->networks[1].probabilities[class]);
    check_maximum (result);

    ck_assert_ptr_null (whole->map);
    ck_assert_int_eq (whole->classes[class].sub_image, -1);
    ck_assert (!(whole->classes[class].present));
  }
}
END_TEST

/* Too small for its sub-image as well, but a window shows it. */
START_TEST (test_windows)
{
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
  g_autoptr (EnsResult) result = NULL;
  const EnsClassResult *red;
  const EnsRect *rect;

  paint (picture, 0, 430, 260, 30);
  result = fixture_analyse (fixture->analysis, &picture->frame, NULL);
  red = &result->classes[0];
  ck_assert (red->present);
  ck_assert_int_eq (red->sub_image, COLUMNS * ROWS - 1);
  ck_assert_double_gt (red->p3, 0.9F);
  ck_assert_double_lt (red->p1, 0.1F);
  rect = &result->windows[red->window].rect;
  ck_assert_double_eq_tol (rect->x * WIDTH, 430, 5);
  ck_assert_double_eq_tol (rect->y * HEIGHT, 260, 5);
  ck_assert_double_eq_tol (rect->width * WIDTH, 30, 10);
  for (guint s = 0; s < COLUMNS * ROWS - 1; s++)
    ck_assert_double_lt (get_p (result, s, 0), 0.5F);
  check_maximum (result);
}
END_TEST

/* A region counts in the sub-image that it is nearest to, and nowhere else. */
START_TEST (test_regions)
{
  const EnsRect region = {430.F / WIDTH, 20.F / HEIGHT, 30.F / WIDTH, 30.F / HEIGHT};
  const EnsAnalyseOptions options = {
      .windows = -1, .threshold = -1, .regions = &region, .n_regions = 1};
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
  g_autoptr (EnsResult) result = NULL;

  paint (picture, 2, 430, 20, 30);
  result = fixture_analyse (fixture->analysis, &picture->frame, &options);
  ck_assert_uint_eq (result->n_windows, 1);
  ck_assert_int_eq (result->classes[2].sub_image, COLUMNS - 1);
  ck_assert_int_eq (result->classes[2].window, 0);
  ck_assert_double_gt (result->classes[2].p3, 0.9F);
  ck_assert_int_eq (result->classes[0].window == 0, result->classes[0].sub_image == COLUMNS - 1);
}
END_TEST

static void
copy_rectangle (const EnsFrame *frame, guint x, guint y, EnsPicture *picture)
{
  for (guint row = 0; row < picture->frame.height; row++)
    memcpy (ens_picture_get_pixels (picture, 0) + row * picture->frame.strides[0],
            frame->planes[0] + (y + row) * frame->strides[0] + 3 * x,
            3 * (gsize)picture->frame.width);
}

/* Each sub-image gets the P that its pixels would get as a picture of their own. */
START_TEST (test_as_pictures)
{
  const EnsAnalyseOptions options = {.windows = 48, .threshold = -1};
  const EnsAnalyseOptions alone_options = {.windows = 4, .threshold = -1};
  g_autoptr (EnsPicture) picture = toy_picture (11, 1, WIDTH, HEIGHT);
  g_autoptr (EnsResult) result = fixture_analyse (fixture->analysis, &picture->frame, &options);

  for (guint s = 0; s < COLUMNS * ROWS; s++) {
    guint x = (guint)(result->map->x[s % COLUMNS] * WIDTH + 0.5F);
    guint y = (guint)(result->map->y[s / COLUMNS] * HEIGHT + 0.5F);
    g_autoptr (EnsPicture) part = ens_picture_new (ENS_PIXELS_RGB, SIDE, SIDE);
    g_autoptr (EnsResult) alone = NULL;

    if (x % 2 != 0) /* its windows are searched from one pixel further left */
      continue;
    copy_rectangle (&picture->frame, x, y, part);
    alone = fixture_analyse (fixture->analysis, &part->frame, &alone_options);
    ck_assert_ptr_null (alone->map);
    for (guint c = 0; c < CLASSES; c++)
      ck_assert_double_eq_tol (get_p (result, s, c), alone->classes[c].p, 1e-3);
  }
  check_maximum (result);
}
END_TEST

static void
check_same (const EnsResult *a, const EnsResult *b)
{
  ck_assert_uint_eq (a->n_windows, b->n_windows);
  ck_assert_bytes_eq (a->windows, a->n_windows * sizeof *a->windows, b->windows,
                      b->n_windows * sizeof *b->windows);
  ck_assert_bytes_eq (a->window_probabilities, a->n_windows * CLASSES * sizeof (float),
                      b->window_probabilities, b->n_windows * CLASSES * sizeof (float));
  for (guint n = 0; n < a->n_networks; n++)
    ck_assert_bytes_eq (a->networks[n].probabilities, CLASSES * sizeof (float),
                        b->networks[n].probabilities, CLASSES * sizeof (float));
  for (guint c = 0; c < CLASSES; c++) {
    ck_assert_double_eq (a->classes[c].p, b->classes[c].p);
    ck_assert_double_eq (a->classes[c].p1, b->classes[c].p1);
    ck_assert_double_eq (a->classes[c].p2, b->classes[c].p2);
    ck_assert_double_eq (a->classes[c].p3, b->classes[c].p3);
    ck_assert_int_eq (a->classes[c].window, b->classes[c].window);
  }
}

/* A frame that is not large, and a large one when nothing is to be divided: the same bits as ever.
 * One that is no larger than a sub-image has them even when everything is to be divided. */
static const guint sizes[][2] = {{160, 160}, {90, 140}, {1, 1}, {300, 200}, {319, 320}};

START_TEST (test_small_frames)
{
  const EnsAnalyseOptions off = {.windows = -1, .threshold = -1, .sub_images = ENS_SUB_IMAGES_OFF};
  const EnsAnalyseOptions on = {.windows = -1, .threshold = -1, .sub_images = ENS_SUB_IMAGES_ON};
  g_autoptr (EnsPicture) picture = toy_picture (_i, _i % 3, sizes[_i][0], sizes[_i][1]);
  g_autoptr (EnsResult) as_ever = fixture_analyse (fixture->analysis, &picture->frame, &off);
  g_autoptr (EnsResult) automatic = fixture_analyse (fixture->analysis, &picture->frame, NULL);
  g_autoptr (EnsResult) always = fixture_analyse (fixture->analysis, &picture->frame, &on);

  ck_assert_ptr_null (as_ever->map);
  ck_assert_ptr_null (automatic->map);
  check_same (as_ever, automatic);
  ck_assert_ptr_nonnull (always->map);
  check_maximum (always);
  if (ens_probability_map_get_size (always->map) == 1) {
    check_same (as_ever, always);
    ck_assert_double_eq (always->map->width, 1);
    ck_assert_double_eq (always->map->probabilities[1], as_ever->classes[1].p);
  } else {
    ck_assert_uint_ge (_i, 3);
  }
}
END_TEST

START_TEST (test_limit)
{
  const EnsAnalyseOptions options = {.threshold = -1, .max_sub_images = 4};
  g_autoptr (EnsPicture) picture = toy_picture (1, 0, WIDTH, HEIGHT);
  g_autoptr (EnsResult) result = fixture_analyse (fixture->analysis, &picture->frame, &options);

  ck_assert_uint_eq (ens_probability_map_get_size (result->map), 4);
}
END_TEST

START_TEST (test_same_bits)
{
  g_autoptr (EnsPicture) picture = toy_picture (11, 1, WIDTH, HEIGHT);
  g_autoptr (EnsResult) first = fixture_analyse (fixture->analysis, &picture->frame, NULL);

  for (guint n_threads = 1; n_threads <= 3; n_threads += 2) {
    g_autoptr (EnsDevice) device = ens_device_open ("cpu", n_threads, NULL);
    g_autoptr (EnsEnsemble) ensemble = ens_ensemble_open (fixture->bundle, device, NULL);
    g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
    g_autoptr (EnsResult) again = ens_analysis_run (analysis, &picture->frame, 7, NULL, NULL);

    check_same (first, again);
    ck_assert_bytes_eq (first->map->probabilities, COLUMNS * ROWS * CLASSES * sizeof (float),
                        again->map->probabilities, COLUMNS * ROWS * CLASSES * sizeof (float));
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/large");
  test_fixture (fixture_set_up, fixture_tear_down);
  test_add ("found-in-one", test_found_in_one);
  test_add ("windows", test_windows);
  test_add ("regions", test_regions);
  test_add ("as-pictures", test_as_pictures);
  TEST_ADD_LOOP ("small-frames", test_small_frames, sizes);
  test_add ("limit", test_limit);
  test_add ("same-bits", test_same_bits);
  return test_run ();
}
