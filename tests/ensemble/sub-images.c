/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How frames are divided: which, into how many, where; and the windows of sub-images. */
#include <math.h>
#include <string.h>

#include "check-main.h"
#include "ensemble/frame-windows.h"
#include "toy.h"
#include "vision/pixel-layout.h"

static guint scales[] = {32, 48};
static EnsBundleNetwork network = {.scales = scales, .n_scales = 2};

static EnsBundle
make_bundle (guint size, float overlap, guint count)
{
  return (EnsBundle) {
      .networks = &network, .n_networks = 1, .sub_images = {size, overlap, 2, count}};
}

/* ---- Division ---- */

typedef struct {
  guint size;
  float overlap;
  guint count;
  EnsSubImagesMode mode;
  guint max, width, height;
  guint columns, rows, sub_width, sub_height; /* expected */
} Row;

static const Row division_rows[] = {
    /* As large as a sub-image or smaller, and below twice as large: not divided. */
    {100, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 100, 100, 1, 1, 100, 100},
    {100, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 200, 199, 1, 1, 200, 199},
    {100, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 30, 20, 1, 1, 30, 20},
    /* Twice as large in each direction, or as much larger in one. */
    {100, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 200, 200, 3, 3, 100, 100},
    {100, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 1000, 40, 13, 1, 100, 40},
    {100, 0, 32, ENS_SUB_IMAGES_AUTO, 0, 400, 300, 4, 3, 100, 100},
    {100, 0.5F, 32, ENS_SUB_IMAGES_AUTO, 0, 250, 200, 4, 3, 100, 100},
    /* Off; on although not large; on and no larger than a sub-image. */
    {100, 0.25F, 32, ENS_SUB_IMAGES_OFF, 0, 400, 300, 1, 1, 400, 300},
    {100, 0.25F, 32, ENS_SUB_IMAGES_ON, 0, 150, 100, 2, 1, 100, 100},
    {100, 0.25F, 32, ENS_SUB_IMAGES_ON, 0, 100, 60, 1, 1, 100, 60},
    /* Training images of a size that nobody knows: never by itself, else the largest scale. */
    {0, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 4000, 3000, 1, 1, 4000, 3000},
    {0, 0.25F, 32, ENS_SUB_IMAGES_ON, 0, 84, 48, 2, 1, 48, 48},
    {100, 0.25F, 32, ENS_SUB_IMAGES_BOTH, 0, 200, 200, 3, 3, 100, 100},
    {100, 0.25F, 32, ENS_SUB_IMAGES_BOTH, 0, 150, 100, 1, 1, 150, 100},
    /* More than there may be: larger ones. */
    {295, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 3840, 2160, 8, 4, 665, 665},
    {295, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 12, 3840, 2160, 4, 3, 1182, 1182},
    {295, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 1, 3840, 2160, 1, 1, 3840, 2160},
    {295, 0.25F, 1, ENS_SUB_IMAGES_ON, 0, 3840, 2160, 1, 1, 3840, 2160},
    /* 1080p and 720p beside training images of 256 × 341. */
    {295, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 1920, 1080, 8, 4, 333, 333},
    {295, 0.25F, 32, ENS_SUB_IMAGES_AUTO, 0, 1280, 720, 6, 3, 295, 295},
};

START_TEST (test_division)
{
  const Row *row = &division_rows[_i];
  EnsBundle bundle = make_bundle (row->size, row->overlap, row->count);
  const EnsAnalyseOptions options = {.sub_images = row->mode, .max_sub_images = row->max};
  g_autoptr (EnsSubImages) sub_images =
      ens_sub_images_new (&bundle, &options, row->width, row->height);

  test_message ("%u × %u of %u × %u", sub_images->columns, sub_images->rows, sub_images->width,
                sub_images->height);
  ck_assert_uint_eq (sub_images->columns, row->columns);
  ck_assert_uint_eq (sub_images->rows, row->rows);
  ck_assert_uint_eq (sub_images->width, row->sub_width);
  ck_assert_uint_eq (sub_images->height, row->sub_height);
}
END_TEST

/* Along one axis: from edge to edge, without gaps, neighbours overlapping as they should. */
static void
check_cover (const guint *begin, guint n, guint part, guint length, float overlap)
{
  ck_assert_uint_eq (begin[0], 0);
  ck_assert_uint_eq (begin[n - 1] + part, length);
  for (guint i = 1; i < n; i++) {
    ck_assert_uint_gt (begin[i], begin[i - 1]);
    ck_assert_double_ge ((float)begin[i - 1] + part - begin[i], overlap * part - 1);
  }
}

static const guint sides[] = {16, 17, 31, 97, 100, 333, 640, 1080, 1921, 4096};

START_TEST (test_cover)
{
  static const float overlaps[] = {0, 0.1F, 0.25F, 0.5F, 0.9F};
  const EnsAnalyseOptions options = {.sub_images = ENS_SUB_IMAGES_ON};

  for (guint j = 0; j < G_N_ELEMENTS (sides); j++)
    for (guint k = 0; k < G_N_ELEMENTS (overlaps); k++) {
      guint width = sides[_i], height = sides[j];
      EnsBundle bundle = make_bundle (16 + 13 * k, overlaps[k], 50);
      g_autoptr (EnsSubImages) sub_images = ens_sub_images_new (&bundle, &options, width, height);
      guint n = ens_sub_images_get_size (sub_images);

      ck_assert_uint_le (n, 50);
      check_cover (sub_images->x, sub_images->columns, sub_images->width, width, overlaps[k]);
      check_cover (sub_images->y, sub_images->rows, sub_images->height, height, overlaps[k]);
      ck_assert_double_eq (sub_images->rects[0].x, 0);
      ck_assert_double_eq_tol (sub_images->rects[n - 1].x + sub_images->rects[n - 1].width, 1,
                               1e-6);
      ck_assert_double_eq_tol (sub_images->rects[n - 1].y + sub_images->rects[n - 1].height, 1,
                               1e-6);
    }
}
END_TEST

START_TEST (test_find)
{
  static const struct {
    EnsRect region;
    guint sub_image;
  } rows[] = {
      {{0, 0, 0.1F, 0.1F}, 0},
      {{0.9F, 0, 0.1F, 0.1F}, 3},
      {{0, 0.9F, 0.1F, 0.1F}, 8},
      {{0.9F, 0.9F, 0.1F, 0.1F}, 11},
      {{0.3F, 0.45F, 0.1F, 0.1F}, 5},
      {{-3, -3, 1, 1}, 0},
      {{0, 0, 0, 0}, 0},
      {{NAN, NAN, 1, 1}, 0},
  };
  EnsBundle bundle = make_bundle (160, 0.25F, 12);
  g_autoptr (EnsSubImages) sub_images =
      ens_sub_images_new (&bundle, &ENS_ANALYSE_DEFAULTS, 480, 320);

  ck_assert_uint_eq (sub_images->columns, 4);
  ck_assert_uint_eq (sub_images->rows, 3);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    ck_assert_uint_eq (ens_sub_images_find (sub_images, &rows[i].region), rows[i].sub_image);
}
END_TEST

/* ---- Windows ---- */

typedef struct {
  EnsWindowSearch *search;
  EnsDevice *device;
  EnsSubImages *sub_images;
  EnsPicture *picture;
} Windows;

static Windows *windows;

/* A disc in a picture of 240 × 160, which is divided into 4 × 2 (or 3) parts. */
static void
set_up (void)
{
  windows = g_new0 (Windows, 1);
  EnsBundle bundle = make_bundle (80, 0.25F, 32);

  windows->device = ens_device_open ("cpu", 1, NULL);
  windows->search = ens_window_search_new (ENS_WINDOWS_FAST);
  windows->picture = toy_picture (4, 0, 241, 160);
  windows->sub_images = ens_sub_images_new (&bundle, &ENS_ANALYSE_DEFAULTS, 241, 160);
}

static void
tear_down (void)
{
  ens_sub_images_free (windows->sub_images);
  ens_picture_unref (windows->picture);
  ens_window_search_free (windows->search);
  ens_device_unref (windows->device);
  g_clear_pointer (&windows, g_free);
}

static EnsFrameWindows *
search (Windows *windows, const EnsFrame *frame, guint count)
{
  return ens_frame_windows_search (&(EnsFrameWindowsSource) {
      frame, windows->sub_images, count, windows->search, ens_device_get_pool (windows->device)});
}

/* Sub-images share the windows, have one each at least, and each one's windows lie in it. */
static const struct {
  guint count, share;
} shares_rows[] = {{0, 0}, {1, 1}, {12, 1}, {40, 3}, {240, 20}};

START_TEST (test_shares)
{
  guint n = ens_sub_images_get_size (windows->sub_images);

  ck_assert_uint_eq (n, 12);
  g_autoptr (EnsFrameWindows) found =
      search (windows, &windows->picture->frame, shares_rows[_i].count);

  ck_assert_uint_eq (found->n_sub_images, n);
  for (guint s = 0; s < n; s++) {
    const EnsRect *outer = &windows->sub_images->rects[s];

    ck_assert_uint_le (found->first[s + 1] - found->first[s], shares_rows[_i].share);
    ck_assert_int_eq (found->first[s + 1] > found->first[s], shares_rows[_i].share > 0);
    for (guint w = found->first[s]; w < found->first[s + 1]; w++) {
      const EnsRect *rect = &found->windows[w].rect;

      /* One pixel more where the sub-image begins on an odd one. */
      ck_assert_double_ge (rect->x, outer->x - 1 / 240.F);
      ck_assert_double_ge (rect->y, outer->y - 1 / 159.F);
      ck_assert_double_le (rect->x + rect->width, outer->x + outer->width + 1e-5);
      ck_assert_double_le (rect->y + rect->height, outer->y + outer->height + 1e-5);
    }
  }
}
END_TEST

/* NV12 of a grey picture: what is luma here is every component there. */
static EnsPicture *
make_nv12 (const EnsFrame *rgb)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_NV12, rgb->width, rgb->height);
  guint8 *luma = ens_picture_get_pixels (picture, 0), *chroma = ens_picture_get_pixels (picture, 1);

  for (guint y = 0; y < rgb->height; y++)
    for (guint x = 0; x < rgb->width; x++)
      luma[y * picture->frame.strides[0] + x] = rgb->planes[0][y * rgb->strides[0] + 3 * x + 1];
  for (guint y = 0; y < (rgb->height + 1) / 2; y++)
    for (guint x = 0; x < (rgb->width + 1) / 2; x++) {
      guint8 *pair = &chroma[y * picture->frame.strides[1] + 2 * x];
      const guint8 *pixel = &rgb->planes[0][2 * y * rgb->strides[0] + 3 * (2 * x)];

      pair[0] = pixel[2];
      pair[1] = pixel[0];
    }
  return picture;
}

/* The part's pixels, copied out. */
static EnsPicture *
copy_part (const EnsFrame *frame, const EnsFramePart *part)
{
  EnsPicture *copy = ens_picture_new (frame->pixels, part->width, part->height);
  guint shift = 0;

  for (guint p = 0; p < ens_pixels_planes (frame->pixels); p++, shift = 1) {
    gsize bytes = ens_pixels_row_bytes (frame->pixels, p, part->width);
    gsize left = ens_pixels_row_bytes (frame->pixels, p, part->x);

    for (guint y = 0; y < ens_pixels_rows (frame->pixels, p, part->height); y++)
      memcpy (ens_picture_get_pixels (copy, p) + y * copy->frame.strides[p],
              frame->planes[p] + (y + (part->y >> shift)) * frame->strides[p] + left, bytes);
  }
  return copy;
}

/* The windows of a sub-image are those of the same pixels as a picture of their own. */
START_TEST (test_as_pictures)
{
  const EnsSubImages *sub_images = windows->sub_images;
  g_autoptr (EnsPicture) nv12 = make_nv12 (&windows->picture->frame);
  EnsPicture *pictures[] = {windows->picture, nv12};

  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
    const EnsFrame *frame = &pictures[i]->frame;
    g_autoptr (EnsFrameWindows) found = search (windows, frame, 60);

    for (guint s = 0; s < ens_sub_images_get_size (sub_images); s++) {
      guint x = sub_images->x[s % sub_images->columns], y = sub_images->y[s / sub_images->columns];
      EnsFramePart part = {x - x % 2, y - y % 2, sub_images->width + x % 2,
                           sub_images->height + y % 2};
      g_autoptr (EnsPicture) copy = copy_part (frame, &part);
      const EnsWindow *alone;
      guint n = ens_window_search_run (windows->search, &copy->frame, 5,
                                       ens_device_get_pool (windows->device), &alone);

      ck_assert_uint_eq (found->first[s + 1] - found->first[s], n);
      for (guint w = 0; w < n; w++) {
        const EnsWindow *window = &found->windows[found->first[s] + w];

        ck_assert_double_eq (window->score, alone[w].score);
        ck_assert_double_eq_tol (window->rect.x * frame->width,
                                 part.x + alone[w].rect.x * part.width, 1e-3);
        ck_assert_double_eq_tol (window->rect.y * frame->height,
                                 part.y + alone[w].rect.y * part.height, 1e-3);
        ck_assert_double_eq_tol (window->rect.width * frame->width,
                                 alone[w].rect.width * part.width, 1e-3);
        ck_assert_double_eq_tol (window->rect.height * frame->height,
                                 alone[w].rect.height * part.height, 1e-3);
      }
    }
  }
}
END_TEST

/* Given regions keep their order within the sub-image they belong to. */
START_TEST (test_given)
{
  static const EnsRect regions[] = {
      {0.9F, 0.9F, 0.1F, 0.1F}, {0, 0, 0.2F, 0.2F}, {0.95F, 0.95F, 0.05F, 0.05F}};
  g_autoptr (EnsFrameWindows) given =
      ens_frame_windows_given (windows->sub_images, regions, G_N_ELEMENTS (regions));
  g_autoptr (EnsFrameWindows) none = ens_frame_windows_none (windows->sub_images);

  ck_assert_uint_eq (ens_frame_windows_get_size (given), 3);
  ck_assert_uint_eq (given->first[1], 1);
  ck_assert_uint_eq (given->first[11], 1);
  ck_assert_double_eq (given->windows[0].rect.width, 0.2F);
  ck_assert_double_eq (given->windows[1].rect.x, 0.9F);
  ck_assert_double_eq (given->windows[2].rect.x, 0.95F);
  ck_assert_uint_eq (ens_frame_windows_get_size (none), 0);
  ck_assert_uint_eq (none->n_sub_images, 12);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/sub-images");
  test_fixture (set_up, tear_down);
  TEST_ADD_LOOP ("division", test_division, division_rows);
  TEST_ADD_LOOP ("cover", test_cover, sides);
  test_add ("find", test_find);
  TEST_ADD_LOOP ("shares", test_shares, shares_rows);
  test_add ("as-pictures", test_as_pictures);
  test_add ("given", test_given);
  return test_run ();
}
