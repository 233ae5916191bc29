/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Still sub-images keep what they had, and no bit of a result is another for it. */
#include "ensemble/still-tiles.h"

#include <math.h>
#include <string.h>

#include "support/picture.h"
#include "colour-fixture.h"
#include "toy.h"

/* Divided into 4 × 3 sub-images of 160 × 160. */
#define WIDTH 480
#define HEIGHT 320
#define TILES 12

static void
check_same_bits (const EnsResult *a, const EnsResult *b)
{
  const gsize n_map = a->map != NULL ? ens_probability_map_get_size (a->map) : 0;

  ck_assert_uint_eq (a->n_windows, b->n_windows);
  ck_assert_int_eq (memcmp (a->windows, b->windows, a->n_windows * sizeof *a->windows), 0);
  ck_assert_int_eq (memcmp (a->window_probabilities, b->window_probabilities,
                            (gsize)a->n_windows * a->n_classes * sizeof (float)),
                    0);
  for (guint c = 0; c < a->n_classes; c++) {
    ck_assert (a->classes[c].p == b->classes[c].p);
    ck_assert (a->classes[c].p3 == b->classes[c].p3);
    ck_assert_int_eq (a->classes[c].window, b->classes[c].window);
    ck_assert_int_eq (a->classes[c].sub_image, b->classes[c].sub_image);
  }
  for (gsize i = 0; i < n_map * a->n_classes; i++)
    ck_assert (a->map->probabilities[i] == b->map->probabilities[i]);
}

/* Changes one byte of a plane. */
static void
touch (EnsPicture *picture, guint plane, guint x, guint y)
{
  ens_picture_get_pixels (picture, plane)[y * picture->frame.strides[plane] + x] ^= 1;
}

/* What is touched in the second frame, and how many sub-images are reused. Sub-images begin at 0,
 * 107, 213, 320 and at 0, 80, 160. */
static const struct {
  EnsPixels pixels;
  EnsSubImagesMode sub_images;
  gint plane; /* -1: nothing is touched */
  guint x, y; /* byte and row of the plane */
  guint reused;
} exact_rows[] = {
    {ENS_PIXELS_RGB, ENS_SUB_IMAGES_AUTO, -1, 0, 0, 12},
    {ENS_PIXELS_RGB, ENS_SUB_IMAGES_AUTO, 0, 0, 0, 11},
    {ENS_PIXELS_RGB, ENS_SUB_IMAGES_AUTO, 0, 3 * 130, 100, 8}, /* in two columns and two rows */
    {ENS_PIXELS_NV12, ENS_SUB_IMAGES_AUTO, 0, 479, 319, 11},
    {ENS_PIXELS_NV12, ENS_SUB_IMAGES_AUTO, 1, 478, 159, 11},
    {ENS_PIXELS_I420, ENS_SUB_IMAGES_AUTO, 2, 0, 0, 11},
    {ENS_PIXELS_GRAY8, ENS_SUB_IMAGES_BOTH, 0, 0, 0, 11}, /* of 13 */
    {ENS_PIXELS_RGB, ENS_SUB_IMAGES_OFF, -1, 0, 0, 1},
    {ENS_PIXELS_RGB, ENS_SUB_IMAGES_OFF, 0, 700, 200, 0},
};

START_TEST (test_exact)
{
  EnsAnalyseOptions options = {
      .windows = 24, .threshold = -1, .sub_images = exact_rows[_i].sub_images, .reuse = TRUE};
  g_autoptr (EnsAnalysis) other = ens_analysis_new (fixture->ensemble);
  g_autoptr (EnsPicture) picture = ens_picture_new (exact_rows[_i].pixels, WIDTH, HEIGHT);
  g_autoptr (EnsResult) first = NULL, second = NULL, third = NULL, fresh = NULL;

  test_picture_fill_random (picture, 3);
  first = fixture_analyse (fixture->analysis, &picture->frame, &options);
  ck_assert_uint_eq (first->reused, 0);
  ck_assert_uint_gt (first->n_windows, 0);
  if (exact_rows[_i].plane >= 0)
    touch (picture, (guint)exact_rows[_i].plane, exact_rows[_i].x, exact_rows[_i].y);
  second = fixture_analyse (fixture->analysis, &picture->frame, &options);
  third = fixture_analyse (fixture->analysis, &picture->frame, &options);
  options.reuse = FALSE;
  fresh = fixture_analyse (other, &picture->frame, &options);
  ck_assert_uint_eq (second->reused, exact_rows[_i].reused);
  ck_assert_uint_ge (third->reused, 1);
  ck_assert_uint_eq (fresh->reused, 0);
  check_same_bits (second, fresh);
  check_same_bits (third, fresh);
}
END_TEST

/* What else than pixels is another between two frames. */
static const guint scales[] = {24};
static const EnsRect region = {0.25F, 0.25F, 0.5F, 0.5F};

static const struct {
  EnsAnalyseOptions first, second;
  guint reused;
} other_rows[] = {
    {{.windows = 24, .reuse = TRUE}, {.windows = 24, .reuse = TRUE}, TILES},
    {{.windows = 24, .reuse = TRUE}, {.windows = 24}, 0},
    {{.windows = 24}, {.windows = 24, .reuse = TRUE}, 0},
    {{.windows = 24, .reuse = TRUE}, {.windows = 12, .reuse = TRUE}, 0},
    {{.windows = 24, .reuse = TRUE},
     {.windows = 24, .reuse = TRUE, .scales = scales, .n_scales = 1},
     0},
    {{.windows = 24, .reuse = TRUE},
     {.windows = 24, .reuse = TRUE, .sub_images = ENS_SUB_IMAGES_OFF},
     0},
    {{.windows = 24, .reuse = TRUE}, {.windows = 24, .reuse = TRUE, .max_sub_images = 4}, 0},
    {{.windows = 24, .reuse = TRUE}, {.windows = 24, .reuse = TRUE, .stretch = 1}, 0},
    {{.windows = 24, .reuse = TRUE}, {.windows = 24, .reuse = TRUE, .tile_tolerance = 1}, 0},
    /* What a threshold makes of probabilities is no part of them. */
    {{.windows = 24, .reuse = TRUE}, {.windows = 24, .reuse = TRUE, .threshold = 0.3F}, TILES},
    /* Regions are classified in each frame. */
    {{.windows = 24, .reuse = TRUE, .regions = &region, .n_regions = 1},
     {.windows = 24, .reuse = TRUE, .regions = &region, .n_regions = 1},
     TILES},
    {{.windows = 24, .reuse = TRUE},
     {.windows = 24, .reuse = TRUE, .regions = &region, .n_regions = 1},
     0},
};

START_TEST (test_other)
{
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
  g_autoptr (EnsAnalysis) other = ens_analysis_new (fixture->ensemble);
  g_autoptr (EnsResult) first = NULL, second = NULL, fresh = NULL;

  test_picture_fill_random (picture, 3);
  first = fixture_analyse (fixture->analysis, &picture->frame, &other_rows[_i].first);
  second = fixture_analyse (fixture->analysis, &picture->frame, &other_rows[_i].second);
  fresh = fixture_analyse (other, &picture->frame, &other_rows[_i].second);
  ck_assert_uint_eq (second->reused, other_rows[_i].reused);
  check_same_bits (second, fresh);
}
END_TEST

/* What lies in a DMABuf is not read for this. */
START_TEST (test_dma_buf)
{
  const EnsAnalyseOptions options = {.windows = 0, .threshold = -1, .reuse = TRUE};
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);

  test_picture_fill_random (picture, 3);
  picture->frame.n_dma_bufs = 1;
  picture->frame.dma_bufs[0].fd = -1;
  for (guint i = 0; i < 2; i++) {
    g_autoptr (EnsResult) result = fixture_analyse (fixture->analysis, &picture->frame, &options);

    ck_assert_uint_eq (result->reused, 0);
  }
}
END_TEST

/* By how much a block of 8×8 of the first sub-image, or all pixels, become lighter from frame to
 * frame, and in which frame it is analysed again. */
static const struct {
  float tolerance;
  guint step;
  gboolean all;
  guint again;
} tolerance_rows[] = {
    {2, 1, FALSE, 3}, {2, 3, FALSE, 1}, {0, 1, FALSE, 1}, {6, 2, FALSE, 4}, {6, 2, TRUE, 4},
};

START_TEST (test_tolerance)
{
  const EnsAnalyseOptions options = {
      .windows = 0, .threshold = -1, .reuse = TRUE, .tile_tolerance = tolerance_rows[_i].tolerance};
  guint side = tolerance_rows[_i].all ? HEIGHT : 8;

  for (guint i = 0; i <= tolerance_rows[_i].again; i++) {
    g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_GRAY8, WIDTH, HEIGHT);
    g_autoptr (EnsResult) result = NULL;
    guint changed = tolerance_rows[_i].all ? TILES : 1;

    for (guint y = 0; y < HEIGHT; y++)
      for (guint x = 0; x < WIDTH; x++)
        ens_picture_get_pixels (picture, 0)[y * picture->frame.strides[0] + x] =
            (guint8)(50
                     + (x < (side == 8 ? 8 : WIDTH) && y < side ? i * tolerance_rows[_i].step : 0));
    result = fixture_analyse (fixture->analysis, &picture->frame, &options);
    ck_assert_uint_eq (result->reused, i == 0                          ? 0
                                       : i == tolerance_rows[_i].again ? TILES - changed
                                                                       : TILES);
  }
}
END_TEST

/* A style sees all of the frame: one changed pixel is enough. */
START_TEST (test_style)
{
  g_autofree char *path =
      colour_bundle_add_style (fixture->bundle, "shift", colour_bundle_shift, NULL);
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
  EnsAnalyseOptions options = {.windows = 0, .threshold = -1, .reuse = TRUE};
  guint reused[] = {0, TILES, 0, TILES, 0};

  ck_assert (ens_ensemble_open_style (fixture->ensemble, "shift", &options.style, NULL));
  test_picture_fill_random (picture, 3);
  for (guint i = 0; i < G_N_ELEMENTS (reused); i++) {
    g_autoptr (EnsResult) result = NULL;

    if (i == 2)
      touch (picture, 0, 0, 0);
    if (i == 4)
      g_clear_pointer (&options.style, ens_style_unref);
    result = fixture_analyse (fixture->analysis, &picture->frame, &options);
    ck_assert_uint_eq (result->reused, reused[i]);
    ck_assert_pstr_eq (result->style, i == 4 ? NULL : "shift");
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/still-tiles");
  test_fixture (fixture_set_up, fixture_tear_down);
  TEST_ADD_LOOP ("exact", test_exact, exact_rows);
  TEST_ADD_LOOP ("other", test_other, other_rows);
  TEST_ADD_LOOP ("tolerance", test_tolerance, tolerance_rows);
  test_add ("style", test_style);
  test_add ("dma-buf", test_dma_buf);
  return test_run ();
}
