/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pixels, boxes and maps of augmented pictures: where they come from and go to. */
#include "vision/augment.h"

#include "check-main.h"
#include "vision/picture.h"

static const EnsNormalise plain_rgb = {ENS_ORDER_RGB, {0}, {1, 1, 1}};
static const EnsNormalise plain_gray = {ENS_ORDER_GRAY, {0}, {1}};
static const EnsNormalise usual = {
    ENS_ORDER_BGR, {103.5F, 116.3F, 123.7F}, {0.0174F, 0.0175F, 0.0171F}};

static EnsPicture *
draw_noise (EnsPixels pixels, guint width, guint height)
{
  EnsPicture *picture = ens_picture_new (pixels, width, height);
  EnsRandom random;

  ens_random_init (&random, &(EnsRandomStream) {1, ENS_RANDOM_NOISE, width, height});
  for (guint p = 0; p < ens_pixels_planes (pixels); p++)
    for (gsize i = 0; i < picture->frame.strides[p] * ens_pixels_rows (pixels, p, height); i++)
      ens_picture_get_pixels (picture, p)[i] = (guint8)ens_random_next (&random);
  return picture;
}

/* Nothing happens to the picture yet. */
static EnsAugmentation
begin (const EnsFrame *frame)
{
  const EnsAugmentOptions none = ENS_AUGMENT_NONE;
  const EnsAugmentItem item = {0, 0, 0, FALSE, frame->width, frame->height, ENS_RECT_WHOLE};
  EnsAugmentation augmentation;

  ens_augment_draw (&none, &item, &augmentation);
  return augmentation;
}

static float
largest_difference (const float *a, const float *b, gsize n)
{
  float largest = 0;

  for (gsize i = 0; i < n; i++)
    largest = fmaxf (largest, fabsf (a[i] - b[i]));
  return largest;
}

/* -- without operations -- */

/* The bits of ens_frame_resize (), for every pixel format and order of channels. */
START_TEST (test_identity)
{
  enum { WIDTH = 23, HEIGHT = 31 };
  const EnsRect regions[] = {ENS_RECT_WHOLE, {0.25F, 0.1F, 0.6F, 0.85F}};
  const EnsNormalise normalises[] = {plain_rgb, usual, {ENS_ORDER_GRAY, {100}, {2}}};
  g_autoptr (EnsPicture) picture = draw_noise ((EnsPixels)_i, 61, 47);
  EnsAugmentation augmentation = begin (&picture->frame);

  for (guint r = 0; r < G_N_ELEMENTS (regions); r++)
    for (guint n = 0; n < G_N_ELEMENTS (normalises); n++) {
      const gsize size = WIDTH * HEIGHT * ens_order_channels (normalises[n].order) * sizeof (float);
      float expected[WIDTH * HEIGHT * 3], found[WIDTH * HEIGHT * 3];

      augmentation.view = regions[r];
      ens_frame_resize (&picture->frame, &regions[r], 1, WIDTH, HEIGHT, &normalises[n], NULL,
                        expected);
      ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &normalises[n], found);
      ck_assert_bytes_eq (found, size, expected, size);
    }
}
END_TEST

/* A picture in the middle of a wider region: what is beyond it is 0 after normalising. */
START_TEST (test_bars)
{
  enum { WIDTH = 40, HEIGHT = 20, BAR = 10 };
  g_autoptr (EnsPicture) picture = draw_noise (ENS_PIXELS_NV12, 30, 30);
  EnsAugmentation augmentation = begin (&picture->frame);
  float expected[HEIGHT * HEIGHT * 3], found[HEIGHT * WIDTH * 3];
  guint n_wrong = 0;

  augmentation.view = (EnsRect) {-0.5F, 0, 2, 1};
  ens_frame_resize (&picture->frame, &ENS_RECT_WHOLE, 1, HEIGHT, HEIGHT, &usual, NULL, expected);
  ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &usual, found);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++)
      for (guint c = 0; c < 3; c++) {
        const gboolean inside = x >= BAR && x < WIDTH - BAR;
        const float value = inside ? expected[(y * HEIGHT + x - BAR) * 3 + c] : 0;

        n_wrong += fabsf (found[(y * WIDTH + x) * 3 + c] - value) > (inside ? 1e-5F : 0);
      }
  ck_assert_uint_eq (n_wrong, 0);
}
END_TEST

/* A column that lies partly beyond the picture belongs to the bar: others stay where they are. */
START_TEST (test_partial_column)
{
  static const guint8 white[4] = {255, 255, 255, 255};
  const EnsFrame frame = {ENS_PIXELS_GRAY8, 2, 2, {white}, {2}};
  EnsAugmentation augmentation = begin (&frame);
  float out[40];

  augmentation.view = (EnsRect) {-0.26F, 0, 1.5F, 1}; /* 6.93 columns */
  ens_augment_frame (&augmentation, &frame, 40, 1, &plain_gray, out);
  for (guint x = 0; x < 40; x++)
    ck_assert_float_eq_tol (out[x], x >= 7 && x < 33 ? 255 : 0, 1e-3F);
}
END_TEST

/* Views that show nothing of the picture, upright and turned. */
START_TEST (test_nothing_seen)
{
  g_autoptr (EnsPicture) picture = draw_noise (ENS_PIXELS_RGB, 30, 30);
  EnsAugmentation augmentation = begin (&picture->frame);
  float out[5 * 4 * 3], zeros[5 * 4 * 3] = {0};

  augmentation.view = (EnsRect) {2, -3, 0.5F, 0.5F};
  for (guint turned = 0; turned < 2; turned++) {
    augmentation.rotation = turned * 30;
    memset (out, 0x55, sizeof out);
    ens_augment_frame (&augmentation, &picture->frame, 5, 4, &usual, out);
    ck_assert_bytes_eq (out, sizeof out, zeros, sizeof zeros);
  }
}
END_TEST

/* -- flips -- */

START_TEST (test_flip_twice)
{
  enum { WIDTH = 33, HEIGHT = 20, N = WIDTH * HEIGHT * 3 };
  g_autoptr (EnsPicture) picture = draw_noise (ENS_PIXELS_RGB, WIDTH, HEIGHT);
  EnsFrame frame = picture->frame;
  EnsAugmentation augmentation = begin (&frame);
  float once[N], twice[N], never[N];
  guint8 bytes[N];

  ens_frame_resize (&frame, &ENS_RECT_WHOLE, 1, WIDTH, HEIGHT, &plain_rgb, NULL, never);
  augmentation.operations = 1u << ENS_AUGMENT_FLIP;
  ens_augment_frame (&augmentation, &frame, WIDTH, HEIGHT, &plain_rgb, once);
  for (guint i = 0; i < N; i++)
    bytes[i] = (guint8)once[i];
  frame.planes[0] = bytes;
  frame.strides[0] = WIDTH * 3;
  ens_augment_frame (&augmentation, &frame, WIDTH, HEIGHT, &plain_rgb, twice);
  ck_assert_bytes_eq (twice, sizeof twice, never, sizeof never);
  ck_assert_float_gt (largest_difference (once, never, N), 100);
}
END_TEST

/* -- everything moves together -- */

/* A picture of another shape than the output, and of many pixels for one of the output's or few. */
static const struct {
  const char *name;
  guint operations;
  guint width, height;
} moves[] = {
    {"flip", 1u << ENS_AUGMENT_FLIP, 97, 61},
    {"rotation", 1u << ENS_AUGMENT_ROTATION, 97, 61},
    {"crop", 1u << ENS_AUGMENT_CROP, 97, 61},
    {"scale", 1u << ENS_AUGMENT_SCALE, 97, 61},
    {"shift", 1u << ENS_AUGMENT_SHIFT, 97, 61},
    {"shear", 1u << ENS_AUGMENT_SHEAR, 97, 61},
    {"all", (1u << ENS_AUGMENT_NOISE) - 1, 97, 61},
    {"all-small", (1u << ENS_AUGMENT_NOISE) - 1, 31, 40},
    {"all-large", (1u << ENS_AUGMENT_NOISE) - 1, 500, 333},
};

typedef struct {
  EnsPicture *picture; /* black but for one white pixel */
  EnsRect pixel;       /* its box */
  EnsAugmentation augmentation;
} Moved;

enum { SIDE = 80 };

static void
moved_init (Moved *moved, guint row, guint index)
{
  EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  EnsAugmentItem item = {4, 0, index, FALSE, moves[row].width, moves[row].height, ENS_RECT_WHOLE};
  const guint margin_x = item.width / 16 + 1, margin_y = item.height / 16 + 1;
  EnsRandom random;
  guint x, y;

  for (guint o = 0; o < ENS_N_AUGMENT_OPERATIONS; o++)
    options.probability[o] = o != ENS_AUGMENT_EXCHANGE && moves[row].operations & 1u << o;
  ens_augment_draw (&options, &item, &moved->augmentation);
  ens_random_init (&random, &(EnsRandomStream) {4, ENS_RANDOM_NOISE, row, index});
  x = margin_x + ens_random_below (&random, item.width - 2 * margin_x);
  y = margin_y + ens_random_below (&random, item.height - 2 * margin_y);
  moved->picture = ens_picture_new (ENS_PIXELS_GRAY8, item.width, item.height);
  ens_picture_get_pixels (moved->picture, 0)[y * moved->picture->frame.strides[0] + x] = 255;
  moved->pixel = (EnsRect) {(float)x / (float)item.width, (float)y / (float)item.height,
                            1 / (float)item.width, 1 / (float)item.height};
}

/* Where the light of a picture has its middle, 0 … SIDE. FALSE if there is none. */
static gboolean
find_light (const float *values, double *x, double *y)
{
  double sum = 0;

  *x = *y = 0;
  for (guint i = 0; i < SIDE * SIDE; i++) {
    sum += values[i];
    *x += values[i] * (i % SIDE + 0.5);
    *y += values[i] * (i / SIDE + 0.5);
  }
  *x /= sum;
  *y /= sum;
  return sum > 0;
}

/* The pixel is found in the middle of its box, in the picture and in a map. Filters that are cut
 * off at a border shift the light: there is no pixel at the picture's, and boxes at the output's
 * are not looked at. */
START_TEST (test_moves)
{
  guint n_seen = 0, n_wrong = 0;

  for (guint i = 0; i < 100; i++) {
    float light[SIDE * SIDE], share;
    double x, y;
    EnsRect box;
    Moved moved;

    moved_init (&moved, _i, i);
    if (ens_augment_rect (&moved.augmentation, &moved.pixel, &box, &share) && box.x > 0.05F
        && box.y > 0.05F && box.x + box.width < 0.95F && box.y + box.height < 0.95F) {
      n_seen++;
      for (guint map = 0; map < 2; map++) {
        if (map)
          ens_augment_intensities (&moved.augmentation, &moved.picture->frame, SIDE, SIDE, light);
        else
          ens_augment_frame (&moved.augmentation, &moved.picture->frame, SIDE, SIDE, &plain_gray,
                             light);
        n_wrong += !find_light (light, &x, &y) || fabs (x - (box.x + box.width / 2) * SIDE) > 0.5
                   || fabs (y - (box.y + box.height / 2) * SIDE) > 0.5;
      }
    }
    ens_picture_unref (moved.picture);
  }
  ck_assert_uint_eq (n_wrong, 0);
  ck_assert_uint_gt (n_seen, 15);
}
END_TEST

/* A label that fills a box is found in the moved box, to the pixel at its corners, and nowhere
 * else; no label appears that was not there. */
START_TEST (test_labels_move)
{
  guint n_outside = 0, n_strange = 0, n_loose = 0, n_seen = 0;

  for (guint i = 0; i < 40; i++) {
    g_autoptr (EnsPicture) map = ens_picture_new (ENS_PIXELS_GRAY8, 120, 90);
    guint8 labels[SIDE * SIDE];
    guint low_x = SIDE, high_x = 0;
    EnsRect box;
    float share;
    Moved moved;

    moved_init (&moved, _i, i);
    ens_picture_unref (moved.picture);
    moved.augmentation.aspect = 120.0 / 90;
    for (guint y = 30; y < 60; y++)
      memset (ens_picture_get_pixels (map, 0) + y * map->frame.strides[0] + 40, 7, 40);
    ens_augment_labels (&moved.augmentation, &map->frame, SIDE, SIDE, 255, labels);
    ens_augment_rect (&moved.augmentation, &(EnsRect) {1 / 3.0F, 1 / 3.0F, 1 / 3.0F, 1 / 3.0F},
                      &box, &share);
    for (guint p = 0; p < SIDE * SIDE; p++) {
      const float x = p % SIDE + 0.5F, y = p / SIDE + 0.5F, slack = 0.01F;

      n_strange += labels[p] != 0 && labels[p] != 7 && labels[p] != 255;
      if (labels[p] != 7)
        continue;
      low_x = MIN (low_x, p % SIDE);
      high_x = MAX (high_x, p % SIDE + 1);
      n_seen++;
      n_outside += x < box.x * SIDE - slack || x > (box.x + box.width) * SIDE + slack
                   || y < box.y * SIDE - slack || y > (box.y + box.height) * SIDE + slack;
    }
    /* Of a turned box's sharp corners the hull has more than a pixel's centre shows. */
    n_loose += low_x < high_x && fabsf ((float)(high_x - low_x) - box.width * SIDE) > 3;
  }
  ck_assert_uint_eq (n_outside, 0);
  ck_assert_uint_eq (n_strange, 0);
  ck_assert_uint_eq (n_loose, 0);
  ck_assert_uint_gt (n_seen, 10000);
}
END_TEST

START_TEST (test_maps_stay)
{
  enum { WIDTH = 21, HEIGHT = 14 };
  g_autoptr (EnsPicture) map = draw_noise (ENS_PIXELS_GRAY8, WIDTH, HEIGHT);
  EnsAugmentation augmentation = begin (&map->frame);
  guint8 labels[WIDTH * HEIGHT];
  float intensities[WIDTH * HEIGHT];
  guint n_wrong = 0;

  map->frame.range = ENS_RANGE_LIMITED;
  ens_augment_labels (&augmentation, &map->frame, WIDTH, HEIGHT, 255, labels);
  ens_augment_intensities (&augmentation, &map->frame, WIDTH, HEIGHT, intensities);
  for (guint i = 0; i < WIDTH * HEIGHT; i++) {
    const guint8 byte = map->frame.planes[0][i / WIDTH * map->frame.strides[0] + i % WIDTH];

    n_wrong += labels[i] != byte || fabsf (intensities[i] - (float)byte / 255) > 1e-6F;
  }
  ck_assert_uint_eq (n_wrong, 0);
}
END_TEST

/* -- by hand -- */

static const struct {
  const char *name;
  EnsRect view;
  gboolean flip;
  double rotation, shear[2], aspect;
  EnsRect rect, moved;
  float share;
} rects[] = {
    {"nothing", {0, 0, 1, 1}, FALSE, 0, {0}, 1, {.1F, .2F, .3F, .4F}, {.1F, .2F, .3F, .4F}, 1},
    {"flip", {0, 0, 1, 1}, TRUE, 0, {0}, 1, {.1F, .2F, .3F, .4F}, {.6F, .2F, .3F, .4F}, 1},
    {"view", {.5F, 0, .5F, .5F}, FALSE, 0, {0}, 2, {.6F, .1F, .1F, .2F}, {.2F, .2F, .2F, .4F}, 1},
    {"cut", {.5F, 0, .5F, 1}, FALSE, 0, {0}, 1, {.25F, .25F, .5F, .5F}, {0, .25F, .5F, .5F}, .5F},
    {"gone", {.5F, 0, .5F, 1}, FALSE, 0, {0}, 1, {.25F, .25F, .25F, .5F}, {0}, 0},
    /* clockwise: what was on the right is below */
    {"quarter", {0, 0, 1, 1}, FALSE, 90, {0}, 1, {.8F, .4F, .2F, .1F}, {.5F, .8F, .1F, .2F}, 1},
    {"turn-wide",
     {0, 0, 1, 1},
     FALSE,
     90,
     {0},
     2,
     {.7F, .4F, .1F, .2F},
     {.45F, .9F, .1F, .1F},
     .5F},
    {"turn-flip", {0, 0, 1, 1}, TRUE, 90, {0}, 1, {.8F, .4F, .2F, .1F}, {.4F, .8F, .1F, .2F}, 1},
    /* half of a square's corner that turns out of the picture; the hull is that of the rest */
    {"eighth",
     {0, 0, 1, 1},
     FALSE,
     45,
     {0},
     1,
     {.5F, .5F, .5F, .5F},
     {.146447F, .5F, .707107F, .5F},
     .828427F},
    /* what is below goes right, half as far as it lies below */
    {"shear",
     {0, 0, 1, 1},
     FALSE,
     0,
     {26.565051},
     1,
     {.4F, .5F, .2F, .2F},
     {.4F, .5F, .3F, .2F},
     1},
    {"shear-y",
     {0, 0, 1, 1},
     FALSE,
     0,
     {0, 26.565051},
     1,
     {.5F, .4F, .2F, .2F},
     {.5F, .4F, .2F, .3F},
     1},
    /* what lies beyond the picture was never there */
    {"beyond", {0, 0, 1, 1}, FALSE, 0, {0}, 1, {-1, .5F, 1.5F, 3}, {0, .5F, .5F, .5F}, 1},
    {"outside", {-1, -1, 3, 3}, FALSE, 0, {0}, 1, {1.2F, .5F, .5F, .5F}, {0}, 0},
    {"empty", {0, 0, 1, 1}, FALSE, 0, {0}, 1, {.5F, .5F, 0, .5F}, {0}, 0},
};

START_TEST (test_rect)
{
  const EnsAugmentation augmentation = {
      .operations = rects[_i].flip ? 1u << ENS_AUGMENT_FLIP : 0,
      .view = rects[_i].view,
      .aspect = rects[_i].aspect,
      .scale = 1,
      .rotation = rects[_i].rotation,
      .shear = {rects[_i].shear[0], rects[_i].shear[1]},
  };
  const EnsRect *expected = &rects[_i].moved;
  EnsRect moved;
  float share;

  ck_assert (ens_augment_rect (&augmentation, &rects[_i].rect, &moved, &share)
             == (rects[_i].share > 0));
  ck_assert_float_eq_tol (share, rects[_i].share, 1e-5F);
  ck_assert_float_eq_tol (moved.x, expected->x, 1e-5F);
  ck_assert_float_eq_tol (moved.y, expected->y, 1e-5F);
  ck_assert_float_eq_tol (moved.width, expected->width, 1e-5F);
  ck_assert_float_eq_tol (moved.height, expected->height, 1e-5F);
}
END_TEST

/* Scale shows things larger, shift moves them right and down. */
START_TEST (test_scale_and_shift)
{
  EnsAugmentOptions options = ENS_AUGMENT_NONE;
  const EnsAugmentItem item = {0, 0, 0, FALSE, 200, 100, ENS_RECT_WHOLE};
  EnsAugmentation drawn;

  options.probability[ENS_AUGMENT_SCALE] = options.probability[ENS_AUGMENT_SHIFT] = 1;
  options.scale = (EnsAugmentRange) {2, 2};
  options.shift = (EnsAugmentRange) {0.1, 0.1};
  ens_augment_draw (&options, &item, &drawn);
  ck_assert_float_eq_tol (drawn.view.x, 0.2F, 1e-6F);
  ck_assert_float_eq_tol (drawn.view.y, 0.2F, 1e-6F);
  ck_assert_float_eq_tol (drawn.view.width, 0.5F, 1e-6F);
  ck_assert_float_eq_tol (drawn.view.height, 0.5F, 1e-6F);
}
END_TEST

/* -- turned pictures -- */

static double
get_variance (const float *values, gsize n)
{
  double sum = 0, squares = 0;

  for (gsize i = 0; i < n; i++) {
    sum += values[i];
    squares += values[i] * values[i];
  }
  return squares / (double)n - sum * sum / (double)n / (double)n;
}

static const struct {
  const char *name;
  guint size; /* of the picture; the output has 50 pixels */
  double low, high;
} sharpness[] = {
    {"up", 20, 0.99, 1.01},   {"same", 50, 0.99, 1.01}, {"half", 100, 0.7, 1.3},
    {"fifth", 250, 0.7, 1.3}, {"ten", 500, 0.7, 1.3},
};

/* A turn too small to see goes through the other filter, which keeps about as much of the finest
 * detail and lets as little alias. */
START_TEST (test_sharpness)
{
  enum { N = 50 * 50 };
  const guint size = sharpness[_i].size;
  g_autoptr (EnsPicture) picture = draw_noise (ENS_PIXELS_GRAY8, size, size);
  EnsAugmentation augmentation = begin (&picture->frame);
  float upright[N], turned[N];
  double ratio;

  ens_augment_frame (&augmentation, &picture->frame, 50, 50, &plain_gray, upright);
  augmentation.rotation = 1e-6;
  ens_augment_frame (&augmentation, &picture->frame, 50, 50, &plain_gray, turned);
  ratio = get_variance (turned, N) / get_variance (upright, N);
  ck_assert_double_gt (ratio, sharpness[_i].low);
  ck_assert_double_lt (ratio, sharpness[_i].high);
}
END_TEST

/* A quarter turn of a square picture moves every pixel to a known place. Chroma lies between luma
 * pixels, so that formats with planes of half the size differ by their smoothing alone. */
START_TEST (test_quarter_turn)
{
  enum { S = 24 };
  g_autoptr (EnsPicture) picture = draw_noise (ENS_PIXELS_XBGR, S, S);
  EnsAugmentation augmentation = begin (&picture->frame);
  float upright[S * S * 3], turned[S * S * 3];
  float largest = 0;

  ens_augment_frame (&augmentation, &picture->frame, S, S, &usual, upright);
  augmentation.rotation = 90;
  ens_augment_frame (&augmentation, &picture->frame, S, S, &usual, turned);
  for (guint y = 0; y < S; y++)
    for (guint x = 0; x < S; x++)
      largest = fmaxf (largest, largest_difference (turned + (x * S + S - 1 - y) * 3,
                                                    upright + (y * S + x) * 3, 3));
  ck_assert_float_lt (largest, 1e-4F);
}
END_TEST

/* A white picture, turned: white inside, the mean in the corners, in between on its border. */
START_TEST (test_border)
{
  enum { S = 64 };
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_NV12, S, S);
  EnsAugmentation augmentation = begin (&picture->frame);
  const float white = (255 - usual.mean[1]) * usual.scale[1];
  guint n_white = 0, n_beyond = 0, n_between = 0;
  float out[S * S * 3];

  memset (ens_picture_get_pixels (picture, 0), 255, picture->frame.strides[0] * S);
  memset (ens_picture_get_pixels (picture, 1), 128, picture->frame.strides[1] * S / 2);
  augmentation.rotation = 45;
  ens_augment_frame (&augmentation, &picture->frame, S, S, &usual, out);
  for (guint i = 0; i < S * S; i++) {
    const float green = out[i * 3 + 1];

    n_white += fabsf (green - white) < 1e-4F;
    n_beyond += green == 0;
    n_between += green > 1e-4F && green < white - 1e-4F;
  }
  ck_assert_uint_eq (n_white + n_beyond + n_between, S * S);
  /* An octagon of 82.8 % of the square; its border crosses some 2 · 27 pixels at each corner. */
  ck_assert_double_eq_tol (n_white + n_between / 2.0, 0.828427 * S * S, 0.01 * S * S);
  ck_assert_uint_gt (n_between, 4 * 15);
  ck_assert_uint_lt (n_between, 4 * 80);
}
END_TEST

/* -- threads -- */

typedef struct {
  const EnsFrame *frame;
  float *out;
} Batch;

enum { N_ITEMS = 32 };

static void
augment_one (gpointer data, guint task, guint worker)
{
  const EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  const Batch *batch = data;
  const EnsAugmentItem item = {
      9, 0, task, task % 5 == 0, batch->frame->width, batch->frame->height, ENS_RECT_WHOLE};
  EnsAugmentation augmentation;

  ens_augment_draw (&options, &item, &augmentation);
  ens_augment_frame (&augmentation, batch->frame, SIDE, SIDE, &usual,
                     batch->out + (gsize)task * SIDE * SIDE * 3);
}

START_TEST (test_threads)
{
  const gsize size = N_ITEMS * SIDE * SIDE * 3 * sizeof (float);
  g_autoptr (EnsPicture) picture = draw_noise (ENS_PIXELS_I420, 211, 157);
  g_autofree float *alone = g_malloc (size);

  ens_thread_pool_run (NULL, N_ITEMS, augment_one, &(Batch) {&picture->frame, alone});
  for (guint threads = 2; threads <= 4; threads++) {
    g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
    g_autofree float *together = g_malloc (size);

    ens_thread_pool_run (pool, N_ITEMS, augment_one, &(Batch) {&picture->frame, together});
    ck_assert_bytes_eq (together, size, alone, size);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/augment-frame");
  for (guint p = 0; p < ENS_N_PIXELS; p++)
    test_add_row ("identity", ens_pixels_name (p), test_identity, p);
  test_add ("bars", test_bars);
  test_add ("partial-column", test_partial_column);
  test_add ("nothing-seen", test_nothing_seen);
  test_add ("flip-twice", test_flip_twice);
  TEST_ADD_ROWS ("moves", test_moves, moves);
  TEST_ADD_ROWS ("labels-move", test_labels_move, moves);
  test_add ("maps-stay", test_maps_stay);
  TEST_ADD_ROWS ("rect", test_rect, rects);
  test_add ("scale-and-shift", test_scale_and_shift);
  TEST_ADD_ROWS ("sharpness", test_sharpness, sharpness);
  test_add ("quarter-turn", test_quarter_turn);
  test_add ("border", test_border);
  test_add ("threads", test_threads);
  return test_run ();
}
