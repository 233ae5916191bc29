/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Block means against their definition; motion in scenes that are known. */
#include "vision/motion.h"

#include <math.h>

#include "check-main.h"
#include "support/picture.h"
#include "vision/block-means.h"
#include "vision/picture.h"
#include "vision/pixel-layout.h"

/* ---- Block means ---- */

static const struct {
  EnsPixels pixels;
  guint width, height;
} means_rows[] = {
    {ENS_PIXELS_GRAY8, 64, 48}, {ENS_PIXELS_GRAY8, 1, 1},  {ENS_PIXELS_NV12, 37, 29},
    {ENS_PIXELS_I420, 8, 9},    {ENS_PIXELS_RGB, 33, 17},  {ENS_PIXELS_BGR, 7, 70},
    {ENS_PIXELS_RGBX, 16, 16},  {ENS_PIXELS_XBGR, 25, 31},
};

static guint
expect_mean (const EnsFrame *frame, const EnsPlaneLayout *layout, guint plane, guint column,
             guint row, guint channel)
{
  guint right = MIN (8 * column + 8, ens_plane_size (frame->width, layout->shift));
  guint bottom = MIN (8 * row + 8, ens_plane_size (frame->height, layout->shift)), sum = 0, n = 0;

  for (guint y = 8 * row; y < bottom; y++)
    for (guint x = 8 * column; x < right; x++, n++)
      sum += frame->planes[plane][y * frame->strides[plane] + x * layout->channels + channel];
  return (guint)floor ((double)sum * ENS_BLOCK_UNIT / n + 0.5);
}

static gboolean
is_ignored (EnsPixels pixels, guint channel)
{
  return (pixels == ENS_PIXELS_RGBX && channel == 3) || (pixels == ENS_PIXELS_XBGR && channel == 0);
}

START_TEST (test_means)
{
  g_autoptr (EnsPicture) picture =
      ens_picture_new (means_rows[_i].pixels, means_rows[_i].width, means_rows[_i].height);
  const EnsFrame *frame = &picture->frame;
  const EnsPixelsLayout *layout = &ens_pixels_layouts[frame->pixels];
  g_auto (EnsBlockMeans) blocks = {0};

  test_picture_fill_random (picture, 5);
  for (guint p = 0; p < layout->n_planes; p++) {
    const guint16 *mean;

    ens_block_means_run (frame, p, &blocks);
    mean = blocks.means;
    ck_assert_uint_eq (blocks.channels, layout->planes[p].channels);
    for (guint row = 0; row < blocks.rows; row++)
      for (guint column = 0; column < blocks.columns; column++)
        for (guint c = 0; c < blocks.channels; c++, mean++)
          ck_assert_uint_eq (*mean,
                             is_ignored (frame->pixels, c)
                                 ? 0
                                 : expect_mean (frame, &layout->planes[p], p, column, row, c));
  }
}
END_TEST

/* ---- Motion ---- */

#define WIDTH 320
#define HEIGHT 240
#define BLOCKS (40 * 30)

/* One frame of a scene. */
typedef struct {
  guint noise;     /* largest deviation, grey levels */
  gint brightness; /* of all of it, added to 100 */
  guint x, side;   /* where a brighter square is; side 0: nowhere */
} Scene;

static void
draw (EnsPicture *picture, const Scene *scene, GRand *random)
{
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      gboolean inside =
          x >= scene->x && x < scene->x + scene->side && y >= 96 && y < 96 + scene->side;
      gint noise = scene->noise > 0
                       ? g_rand_int_range (random, -(gint)scene->noise, (gint)scene->noise + 1)
                       : 0;

      ens_picture_get_pixels (picture, 0)[y * picture->frame.strides[0] + x] = (guint8)CLAMP (
          100 + (gint)(x % 50) + scene->brightness + (inside ? 60 : 0) + noise, 0, 255);
    }
}

/* After ten frames of the first scene, of which the last is kept, one of the second. */
static const struct {
  Scene before, after;
  guint low, high; /* blocks that have changed */
} motion_rows[] = {
    {{0, 0, 0, 0}, {0, 0, 0, 0}, 0, 0},
    {{20, 0, 0, 0}, {20, 0, 0, 0}, 0, 0},            /* noise is no motion */
    {{60, 0, 0, 0}, {60, 0, 0, 0}, 0, 12},           /* more than the threshold allows for */
    {{0, 0, 0, 0}, {0, 0, 64, 8}, 1, 1},             /* one block */
    {{20, 0, 0, 0}, {20, 0, 64, 32}, 16, 16},        /* a thing comes */
    {{20, 0, 64, 32}, {20, 0, 96, 32}, 32, 32},      /* a thing moves by its width */
    {{20, 0, 64, 32}, {20, 0, 72, 32}, 8, 8},        /* … by a block */
    {{20, 0, 0, 0}, {20, 2, 0, 0}, 0, 6},            /* a little lighter: exposure */
    {{20, 0, 0, 0}, {20, 80, 0, 0}, BLOCKS, BLOCKS}, /* a light goes on */
    {{20, 0, 0, 0}, {20, -80, 0, 0}, BLOCKS, BLOCKS},
};

START_TEST (test_motion)
{
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_GRAY8, WIDTH, HEIGHT);
  g_autoptr (EnsMotion) motion = ens_motion_new ();
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  double share, again;

  for (guint i = 0; i < 10; i++) {
    draw (picture, &motion_rows[_i].before, random);
    share = ens_motion_measure (motion, &picture->frame);
    ck_assert (i > 0 || share == 1);
  }
  ens_motion_keep (motion);
  draw (picture, &motion_rows[_i].after, random);
  share = ens_motion_measure (motion, &picture->frame) * BLOCKS;
  test_message ("%g blocks beyond %g", share, ens_motion_get_threshold (motion));
  ck_assert_double_ge (share, motion_rows[_i].low);
  ck_assert_double_le (share, motion_rows[_i].high);
  /* A scene that stays new stays changed: it is not taken for noise. */
  again = ens_motion_measure (motion, &picture->frame) * BLOCKS;
  ck_assert_double_ge (again, motion_rows[_i].low);
}
END_TEST

/* What creeps is noticed, because it is compared with what was kept. */
START_TEST (test_creeping)
{
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_GRAY8, WIDTH, HEIGHT);
  g_autoptr (EnsMotion) motion = ens_motion_new ();
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  gboolean noticed = FALSE;

  for (guint i = 0; i < 40 && !noticed; i++) {
    draw (picture, &(Scene) {.noise = 10, .x = 64 + i, .side = 32}, random);
    noticed = ens_motion_measure (motion, &picture->frame) > 4. / BLOCKS && i > 1;
    if (i == 1)
      ens_motion_keep (motion);
  }
  ck_assert (noticed);
}
END_TEST

/* Another size, another format, or forgetting: everything is new. */
START_TEST (test_new)
{
  g_autoptr (EnsPicture) gray = ens_picture_new (ENS_PIXELS_GRAY8, 64, 64);
  g_autoptr (EnsPicture) small = ens_picture_new (ENS_PIXELS_GRAY8, 40, 64);
  g_autoptr (EnsPicture) colour = ens_picture_new (ENS_PIXELS_RGB, 64, 64);
  g_autoptr (EnsMotion) motion = ens_motion_new ();
  const EnsPicture *pictures[] = {gray, small, colour};

  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
    ck_assert_double_eq (ens_motion_measure (motion, &pictures[i]->frame), 1);
    ens_motion_keep (motion);
    ck_assert_double_eq (ens_motion_measure (motion, &pictures[i]->frame), 0);
  }
  ens_motion_reset (motion);
  ck_assert_double_eq (ens_motion_measure (motion, &colour->frame), 1);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/motion");
  TEST_ADD_LOOP ("means", test_means, means_rows);
  TEST_ADD_LOOP ("motion", test_motion, motion_rows);
  test_add ("creeping", test_creeping);
  test_add ("new", test_new);
  return test_run ();
}
