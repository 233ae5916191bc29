/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ens_frame_resize () against the same sum written down plainly in double precision, and against
 * values worked out by hand. */
#include <math.h>
#include <string.h>

#include "check-main.h"

#include "support/picture.h"

static const EnsNormalise plain_rgb = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
static const EnsNormalise plain_gray = {ENS_ORDER_GRAY, {0}, {1}};

/* -- the reference -- */

/* Where component c of a pixel format lies. */
static void
locate (EnsPixels pixels, guint c, guint *plane, guint *offset, guint *step, gboolean *half)
{
  static const guint offsets[][3] = {
      [ENS_PIXELS_RGB] = {0, 1, 2},  [ENS_PIXELS_BGR] = {2, 1, 0},  [ENS_PIXELS_RGBX] = {0, 1, 2},
      [ENS_PIXELS_BGRX] = {2, 1, 0}, [ENS_PIXELS_XRGB] = {1, 2, 3}, [ENS_PIXELS_XBGR] = {3, 2, 1},
      [ENS_PIXELS_NV12] = {0, 0, 1}, [ENS_PIXELS_I420] = {0, 0, 0}, [ENS_PIXELS_GRAY8] = {0, 0, 0},
  };

  *half = (pixels == ENS_PIXELS_NV12 || pixels == ENS_PIXELS_I420) && c > 0;
  *plane = !*half ? 0 : pixels == ENS_PIXELS_NV12 ? 1 : c;
  *offset = offsets[pixels][c];
  *step = pixels <= ENS_PIXELS_BGR ? 3 : pixels <= ENS_PIXELS_XBGR ? 4 : 1;
  if (pixels == ENS_PIXELS_NV12 && *half)
    *step = 2;
}

/* The triangle filter at one point of one axis: weights of the samples [low, high). */
typedef struct {
  int low, high;
  double weights[1024];
} Taps;

static void
place (Taps *taps, double from, double length, guint size, guint output, guint n, gboolean half,
       double site)
{
  double a = from * size, b = (from + length) * size;
  double centre, width, sum = 0;

  a = fmax (a, 0);
  b = fmin (b, size);
  taps->low = (int)floor (a);
  taps->high = (int)ceil (b);
  width = (b - a) / n;
  centre = a + (output + 0.5) * width;
  if (half) {
    /* Sample j lies at 2 j + site of the full axis, in the middle of [j, j + 1). */
    centre = (centre - site) / 2 + 0.5;
    width /= 2;
    taps->low /= 2;
    taps->high = (taps->high + 1) / 2;
  }
  width = fmax (width, 1);
  ck_assert_int_le (taps->high - taps->low, G_N_ELEMENTS (taps->weights));
  for (int i = taps->low; i < taps->high; i++)
    sum += taps->weights[i - taps->low] = fmax (0, 1 - fabs (i + 0.5 - centre) / width);
  for (int i = taps->low; i < taps->high; i++)
    taps->weights[i - taps->low] /= sum;
}

typedef struct {
  const EnsFrame *frame;
  EnsRect rect;
  guint width, height;
} Reference;

static double
reference_component (const Reference *reference, guint x, guint y, guint c)
{
  const EnsFrame *frame = reference->frame;
  const EnsRect *rect = &reference->rect;
  guint plane, offset, step;
  gboolean half;
  Taps tx, ty;
  double sum = 0;

  locate (frame->pixels, c, &plane, &offset, &step, &half);
  place (&tx, rect->x, rect->width, frame->width, x, reference->width, half, 0.5);
  place (&ty, rect->y, rect->height, frame->height, y, reference->height, half, 1.0);
  for (int j = ty.low; j < ty.high; j++)
    for (int i = tx.low; i < tx.high; i++)
      sum += tx.weights[i - tx.low] * ty.weights[j - ty.low]
             * frame->planes[plane][j * frame->strides[plane] + i * step + offset];
  return sum;
}

static double
clamp (double value)
{
  return CLAMP (value, 0, 255);
}

/* The textbook's formulas, luma and chroma scaled to [0, 1] and [-0.5, 0.5] first. */
static void
reference_rgb (const EnsFrame *frame, const double v[3], double rgb[3])
{
  gboolean limited = frame->range == ENS_RANGE_LIMITED;
  double kr = frame->matrix == ENS_COLOR_MATRIX_BT709 ? 0.2126 : 0.299;
  double kb = frame->matrix == ENS_COLOR_MATRIX_BT709 ? 0.0722 : 0.114;
  double y = limited ? (v[0] - 16) / 219 : v[0] / 255;
  double pb = (v[1] - 128) / (limited ? 224 : 255), pr = (v[2] - 128) / (limited ? 224 : 255);
  double r, b;

  if (frame->pixels < ENS_PIXELS_NV12) {
    memcpy (rgb, v, 3 * sizeof *rgb);
    return;
  }
  if (frame->pixels == ENS_PIXELS_GRAY8)
    pb = pr = 0;
  r = y + 2 * (1 - kr) * pr;
  b = y + 2 * (1 - kb) * pb;
  rgb[0] = clamp (255 * r);
  rgb[2] = clamp (255 * b);
  /* y = kr r + kg g + kb b, solved for g */
  rgb[1] = clamp (255 * (y - kr * r - kb * b) / (1 - kr - kb));
}

static double
reference_luma (const EnsFrame *frame, const double v[3])
{
  if (frame->pixels < ENS_PIXELS_NV12)
    return 0.299 * v[0] + 0.587 * v[1] + 0.114 * v[2];
  return clamp (frame->range == ENS_RANGE_LIMITED ? (v[0] - 16) * 255 / 219 : v[0]);
}

static void
reference_pixel (const Reference *reference, const EnsNormalise *normalise, guint x, guint y,
                 double *out)
{
  double components[3], rgb[3];

  for (guint c = 0; c < 3; c++)
    components[c] = reference_component (reference, x, y, c);
  if (normalise->order == ENS_ORDER_GRAY) {
    out[0] =
        (reference_luma (reference->frame, components) - normalise->mean[0]) * normalise->scale[0];
    return;
  }
  reference_rgb (reference->frame, components, rgb);
  for (guint c = 0; c < 3; c++)
    out[c] = (rgb[normalise->order == ENS_ORDER_BGR ? 2 - c : c] - normalise->mean[c])
             * normalise->scale[c];
}

static void
compare (const Reference *reference, const EnsNormalise *normalise, EnsThreadPool *pool)
{
  guint channels = ens_order_channels (normalise->order);
  gsize n = (gsize)reference->width * reference->height * channels;
  g_autofree float *out = g_new (float, n + 1);

  out[n] = 12345;
  ens_frame_resize (reference->frame, &reference->rect, 1, reference->width, reference->height,
                    normalise, pool, out);
  ck_assert_double_eq (out[n], 12345);
  for (guint y = 0; y < reference->height; y++)
    for (guint x = 0; x < reference->width; x++) {
      double expected[3];

      reference_pixel (reference, normalise, x, y, expected);
      for (guint c = 0; c < channels; c++) {
        float found = out[((gsize)y * reference->width + x) * channels + c];

        ck_assert_double_eq_tol (found, expected[c], 2e-3 * fabs (normalise->scale[c]));
      }
    }
}

/* -- against it -- */

static const struct {
  guint width, height; /* of the frame */
  EnsRect rect;
  guint to_width, to_height;
} geometries[] = {
    {16, 12, {0, 0, 1, 1}, 16, 12},           /* as it is */
    {16, 12, {0, 0, 1, 1}, 5, 7},             /* down */
    {16, 12, {0, 0, 1, 1}, 37, 23},           /* up */
    {61, 47, {0, 0, 1, 1}, 8, 90},            /* down and up, odd sizes */
    {61, 47, {.25f, .1f, .6f, .85f}, 13, 17}, /* a part, edges between pixels */
    {61, 47, {.9f, .9f, .1f, .1f}, 9, 9},     /* a small part, up */
    {61, 47, {-.5f, .5f, 1, 2}, 11, 6},       /* over the border */
    {1, 1, {0, 0, 1, 1}, 3, 2},               /* one pixel */
    {1, 9, {0, 0, 1, 1}, 4, 3},
    {9, 1, {0, 0, 1, 1}, 4, 3},
    {2, 2, {0, 0, 1, 1}, 1, 1},
    {301, 7, {0, 0, 1, 1}, 3, 150}, /* wide filter; more than one band of rows */
};

START_TEST (test_reference)
{
  EnsPixels pixels = (EnsPixels)_i;
  static const EnsNormalise normalises[] = {
      {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}},
      {ENS_ORDER_BGR, {104, 117, 123}, {1, 0.5f, 0.25f}},
      {ENS_ORDER_GRAY, {100}, {2}},
  };
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  for (guint i = 0; i < G_N_ELEMENTS (geometries); i++) {
    g_autoptr (EnsPicture) picture =
        ens_picture_new (pixels, geometries[i].width, geometries[i].height);
    Reference reference = {&picture->frame, geometries[i].rect, geometries[i].to_width,
                           geometries[i].to_height};

    test_picture_fill_random (picture, i);
    picture->frame.matrix = i % 2 == 0 ? ENS_COLOR_MATRIX_BT601 : ENS_COLOR_MATRIX_BT709;
    picture->frame.range = i / 2 % 2 == 0 ? ENS_RANGE_FULL : ENS_RANGE_LIMITED;
    for (guint n = 0; n < G_N_ELEMENTS (normalises); n++)
      compare (&reference, &normalises[n], pool);
  }
}
END_TEST

/* -- known colours -- */

static const struct {
  EnsColorMatrix matrix;
  EnsRange range;
  guint8 ycbcr[3], rgb[3];
} colours_rows[] = {
    /* the colour bars of BT.601 and BT.709 at full amplitude, and JPEG's */
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_LIMITED, {235, 128, 128}, {255, 255, 255}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_LIMITED, {16, 128, 128}, {0, 0, 0}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_LIMITED, {81, 90, 240}, {255, 0, 0}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_LIMITED, {145, 54, 34}, {0, 255, 0}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_LIMITED, {41, 240, 110}, {0, 0, 255}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_LIMITED, {210, 16, 146}, {255, 255, 0}},
    {ENS_COLOR_MATRIX_BT709, ENS_RANGE_LIMITED, {63, 102, 240}, {255, 0, 0}},
    {ENS_COLOR_MATRIX_BT709, ENS_RANGE_LIMITED, {173, 42, 26}, {0, 255, 0}},
    {ENS_COLOR_MATRIX_BT709, ENS_RANGE_LIMITED, {32, 240, 118}, {0, 0, 255}},
    {ENS_COLOR_MATRIX_BT709, ENS_RANGE_LIMITED, {219, 16, 138}, {255, 255, 0}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_FULL, {76, 85, 255}, {254, 0, 0}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_FULL, {150, 44, 21}, {0, 255, 1}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_FULL, {29, 255, 107}, {0, 0, 254}},
    {ENS_COLOR_MATRIX_BT601, ENS_RANGE_FULL, {200, 128, 128}, {200, 200, 200}},
};

START_TEST (test_colours)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  const guint8 *v = colours_rows[_i].ycbcr;
  EnsFrame frame = {ENS_PIXELS_I420,       1,         1,
                    {v, v + 1, v + 2},     {1, 1, 1}, colours_rows[_i].matrix,
                    colours_rows[_i].range};
  float rgb[3];

  ens_frame_resize (&frame, &ENS_RECT_WHOLE, 1, 1, 1, &plain_rgb, pool, rgb);
  for (guint c = 0; c < 3; c++)
    ck_assert_double_eq_tol (rgb[c], colours_rows[_i].rgb[c], 1.6);
}
END_TEST

/* GRAY8 into three channels and luma out of colours. */
START_TEST (test_gray)
{
  static const guint8 white_red[] = {255, 255, 255, 255, 0, 0}, grays[] = {16, 235};
  EnsFrame colours = {ENS_PIXELS_RGB, 2, 1, {white_red}, {6}};
  EnsFrame gray = {ENS_PIXELS_GRAY8, 2, 1, {grays}, {2}, .range = ENS_RANGE_LIMITED};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  float luma[2], rgb[6];

  ens_frame_resize (&colours, &ENS_RECT_WHOLE, 1, 2, 1, &plain_gray, pool, luma);
  ck_assert_double_eq_tol (luma[0], 255, 1e-3);
  ck_assert_double_eq_tol (luma[1], 76.245, 1e-3);
  ens_frame_resize (&gray, &ENS_RECT_WHOLE, 1, 2, 1, &plain_rgb, pool, rgb);
  for (guint c = 0; c < 3; c++) {
    ck_assert_double_eq_tol (rgb[c], 0, 1e-3);
    ck_assert_double_eq_tol (rgb[3 + c], 255, 1e-3);
  }
}
END_TEST

/* -- geometry -- */

/* By hand: 0, 60, 120, 180 to two pixels. Triangles of half width 2 around 1 and 3; of the first,
 * the weights at 0.5, 1.5 and 2.5 are .75, .75 and .25. */
START_TEST (test_by_hand)
{
  static const guint8 pixels[] = {0, 60, 120, 180};
  EnsFrame frame = {ENS_PIXELS_GRAY8, 4, 1, {pixels}, {4}};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  float down[2], up[8];

  ens_frame_resize (&frame, &ENS_RECT_WHOLE, 1, 2, 1, &plain_gray, pool, down);
  ck_assert_double_eq_tol (down[0], (60 * .75 + 120 * .25) / 1.75, 1e-4);
  ck_assert_double_eq_tol (down[1], (60 * .25 + 120 * .75 + 180 * .75) / 1.75, 1e-4);
  ens_frame_resize (&frame, &ENS_RECT_WHOLE, 1, 8, 1, &plain_gray, pool, up);
  ck_assert_double_eq_tol (up[0], 0, 1e-4);
  ck_assert_double_eq_tol (up[1], 15, 1e-4);
  ck_assert_double_eq_tol (up[2], 45, 1e-4);
  ck_assert_double_eq_tol (up[7], 180, 1e-4);
}
END_TEST

/* A rectangle on pixel borders is the same as a frame of these pixels alone. */
START_TEST (test_cut_out)
{
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_BGRX, 64, 32);
  EnsFrame part = picture->frame;
  EnsRect rect = {.25f, .5f, .5f, .25f};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  float cut[7 * 5 * 3], whole[7 * 5 * 3];

  test_picture_fill_random (picture, 1);
  part.width = 32;
  part.height = 8;
  part.planes[0] += 16 * part.strides[0] + 16 * 4;
  ens_frame_resize (&picture->frame, &rect, 1, 7, 5, &plain_rgb, pool, cut);
  ens_frame_resize (&part, &ENS_RECT_WHOLE, 1, 7, 5, &plain_rgb, pool, whole);
  ck_assert_bytes_eq (cut, sizeof cut, whole, sizeof whole);
}
END_TEST

/* Rectangles with nothing inside the frame give its nearest pixel, whatever the numbers. */
static const struct {
  EnsRect rect;
  float expected;
} degenerate_rows[] = {
    {{-3, 0, 1, 1}, 10},    {{7, 0, 1, 1}, 40},         {{.5f, 0, 0, 1}, 25},
    {{.25f, 0, -1, 1}, 10}, {{1e30f, 0, 1e30f, 1}, 40},
};

START_TEST (test_degenerate)
{
  static const guint8 pixels[] = {10, 20, 30, 40};
  EnsFrame frame = {ENS_PIXELS_GRAY8, 4, 1, {pixels}, {4}};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  float out;

  ens_frame_resize (&frame, &degenerate_rows[_i].rect, 1, 1, 1, &plain_gray, pool, &out);
  ck_assert_double_eq_tol (out, degenerate_rows[_i].expected, 1e-3);
}
END_TEST

START_TEST (test_threads)
{
  enum { N_RECTS = 7, SIZE = 130 };
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_NV12, 211, 157);
  g_autofree float *one = g_new0 (float, N_RECTS *SIZE *SIZE * 3);
  EnsRect rects[N_RECTS];

  test_picture_fill_random (picture, 5);
  for (guint i = 0; i < N_RECTS; i++)
    rects[i] = (EnsRect) {i * .05f, i * .07f, .6f, .5f};
  for (guint threads = 1; threads <= 5; threads++) {
    g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
    g_autofree float *out = g_new0 (float, N_RECTS *SIZE *SIZE * 3);

    ens_frame_resize (&picture->frame, rects, N_RECTS, SIZE, SIZE, &plain_rgb, pool,
                      threads == 1 ? one : out);
    if (threads > 1)
      ck_assert_bytes_eq (one, N_RECTS * SIZE * SIZE * 3 * sizeof (float), out,
                          N_RECTS * SIZE * SIZE * 3 * sizeof (float));
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/sample");
  for (guint p = 0; p < ENS_N_PIXELS; p++)
    test_add_row ("reference", ens_pixels_name (p), test_reference, p);
  TEST_ADD_LOOP ("colours", test_colours, colours_rows);
  test_add ("gray", test_gray);
  test_add ("by-hand", test_by_hand);
  test_add ("cut-out", test_cut_out);
  TEST_ADD_LOOP ("degenerate", test_degenerate, degenerate_rows);
  test_add ("threads", test_threads);
  return test_run ();
}
