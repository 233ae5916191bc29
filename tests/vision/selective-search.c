/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties of the windows, on drawn frames. */
#include <string.h>

#include "check-main.h"
#include "vision/picture.h"
#include "vision/recall.h"
#include "vision/selective-search.h"

/* -- frames -- */

typedef struct {
  guint x, y, width, height;
  guint8 rgb[3];
} Shape;

static const Shape shapes[] = {
    {30, 40, 90, 60, {220, 40, 30}},
    {180, 30, 60, 130, {30, 60, 200}},
    {60, 150, 80, 60, {250, 220, 40}},
    {190, 175, 70, 45, {20, 135, 175}}, /* as bright as the background: GRAY8 can't show it */
};

static void
paint (EnsPicture *picture, guint x, guint y, const guint8 rgb[3])
{
  guint8 *row = ens_picture_get_pixels (picture, 0) + y * picture->frame.strides[0];
  double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  double chroma[] = {128 + (rgb[2] - luma) / 1.772, 128 + (rgb[0] - luma) / 1.402};

  switch (picture->frame.pixels) {
  case ENS_PIXELS_RGB:
    memcpy (row + 3 * x, rgb, 3);
    break;
  case ENS_PIXELS_BGRX:
    for (guint c = 0; c < 3; c++)
      row[4 * x + c] = rgb[2 - c];
    break;
  case ENS_PIXELS_NV12:
  case ENS_PIXELS_I420:
    row[x] = (guint8)luma;
    for (guint c = 0; c < 2; c++) {
      guint plane = picture->frame.pixels == ENS_PIXELS_NV12 ? 1 : 1 + c;
      guint8 *chroma_row =
          ens_picture_get_pixels (picture, plane) + y / 2 * picture->frame.strides[plane];

      chroma_row[plane == 1 && picture->frame.pixels == ENS_PIXELS_NV12 ? x / 2 * 2 + c : x / 2] =
          (guint8)CLAMP (chroma[c], 0, 255);
    }
    break;
  default:
    row[x] = (guint8)luma;
  }
}

/* Shapes on a noisy background. */
static EnsPicture *
draw (EnsPixels pixels, guint width, guint height, guint32 seed)
{
  EnsPicture *picture = ens_picture_new (pixels, width, height);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);

  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      guint8 gray = (guint8)(100 + g_rand_int_range (random, 0, 12));
      guint8 rgb[] = {gray, gray, gray};

      for (guint s = 0; s < G_N_ELEMENTS (shapes); s++)
        if (x - shapes[s].x < shapes[s].width && y - shapes[s].y < shapes[s].height)
          memcpy (rgb, shapes[s].rgb, 3);
      paint (picture, x, y, rgb);
    }
  return picture;
}

static EnsPicture *
draw_noise (guint width, guint height)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, width, height);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (gsize i = 0; i < picture->frame.strides[0] * height; i++)
    ens_picture_get_pixels (picture, 0)[i] = (guint8)g_rand_int (random);
  return picture;
}

/* -- properties -- */

static void
assert_sound (const EnsWindow *windows, guint n)
{
  for (guint i = 0; i < n; i++) {
    const EnsRect *rect = &windows[i].rect;

    ck_assert (rect->width > 0 && rect->height > 0 && rect->x >= 0 && rect->y >= 0);
    ck_assert_double_le (rect->x + rect->width, 1 + 1e-6);
    ck_assert_double_le (rect->y + rect->height, 1 + 1e-6);
    ck_assert (i == 0 || windows[i - 1].score >= windows[i].score);
    for (guint j = 0; j < i; j++)
      ck_assert_double_le (ens_rect_overlap (rect, &windows[j].rect), 0.8 + 1e-5);
  }
}

static float
find_overlap (const EnsWindow *windows, guint n, const EnsRect *rect)
{
  float best = 0;

  for (guint i = 0; i < n; i++)
    best = MAX (best, ens_rect_overlap (&windows[i].rect, rect));
  return best;
}

START_TEST (test_finds_shapes)
{
  EnsWindowsPreset preset = (EnsWindowsPreset)_i;
  static const EnsPixels formats[] = {ENS_PIXELS_RGB, ENS_PIXELS_BGRX, ENS_PIXELS_NV12,
                                      ENS_PIXELS_I420, ENS_PIXELS_GRAY8};
  g_autoptr (EnsWindowSearch) search = ens_window_search_new (preset);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);

  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    g_autoptr (EnsPicture) picture = draw (formats[f], 280, 230, f);
    const EnsWindow *windows;
    guint n = ens_window_search_run (search, &picture->frame, 30, pool, &windows);

    ck_assert_uint_le (n, 30);
    assert_sound (windows, n);
    for (guint s = 0; s < G_N_ELEMENTS (shapes) - (formats[f] == ENS_PIXELS_GRAY8); s++) {
      EnsRect rect = {shapes[s].x / 280.0f, shapes[s].y / 230.0f, shapes[s].width / 280.0f,
                      shapes[s].height / 230.0f};

      ck_assert_double_ge (find_overlap (windows, n, &rect), 0.8);
    }
  }
}
END_TEST

START_TEST (test_sizes)
{
  EnsWindowsPreset preset = (EnsWindowsPreset)_i;
  static const guint sizes[][2] = {{1, 1}, {2, 1},    {1, 300},   {2000, 1},
                                   {3, 3}, {17, 400}, {640, 480}, {33, 20}};
  g_autoptr (EnsWindowSearch) search = ens_window_search_new (preset);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (EnsPicture) picture = draw_noise (sizes[i][0], sizes[i][1]);
    const EnsWindow *windows;
    guint n = ens_window_search_run (search, &picture->frame, 200, pool, &windows);

    ck_assert_uint_ge (n, 1);
    assert_sound (windows, n);
  }
}
END_TEST

/* Nothing to see: the frame itself is the only window. */
START_TEST (test_flat)
{
  g_autoptr (EnsWindowSearch) search = ens_window_search_new (ENS_WINDOWS_BALANCED);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  for (guint p = 0; p < ENS_N_PIXELS; p++) {
    g_autoptr (EnsPicture) picture = ens_picture_new ((EnsPixels)p, 400, 300);
    const EnsWindow *windows;
    guint n = ens_window_search_run (search, &picture->frame, 100, pool, &windows);

    ck_assert_uint_eq (n, 1);
    ck_assert_double_eq (ens_rect_overlap (&windows[0].rect, &ENS_RECT_WHOLE), 1);
  }
}
END_TEST

/* The same frame gives the same windows: on any number of threads, and whatever the search has seen
 * before. */
START_TEST (test_deterministic)
{
  EnsWindowsPreset preset = (EnsWindowsPreset)_i;
  g_autoptr (EnsPicture) picture = draw (ENS_PIXELS_RGB, 500, 375, 4);
  g_autoptr (EnsPicture) other = draw_noise (301, 199);
  g_autofree EnsWindow *first = NULL;
  guint n_first = 0;

  for (guint threads = 1; threads <= 4; threads++) {
    g_autoptr (EnsWindowSearch) search = ens_window_search_new (preset);
    g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
    const EnsWindow *windows;
    guint n;

    if (threads % 2 == 0)
      ens_window_search_run (search, &other->frame, 100, pool, &windows);
    n = ens_window_search_run (search, &picture->frame, 500, pool, &windows);
    if (threads == 1) {
      first = g_memdup2 (windows, n * sizeof *windows);
      n_first = n;
    }
    ck_assert_bytes_eq (first, n_first * sizeof *first, windows, n * sizeof *windows);
  }
}
END_TEST

/* A shorter list is the beginning of a longer one. */
START_TEST (test_max_windows)
{
  g_autoptr (EnsPicture) picture = draw_noise (200, 150);
  g_autoptr (EnsWindowSearch) search = ens_window_search_new (ENS_WINDOWS_FAST);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autofree EnsWindow *few = NULL;
  const EnsWindow *windows;

  ck_assert_uint_eq (ens_window_search_run (search, &picture->frame, 0, pool, &windows), 0);
  ck_assert_uint_eq (ens_window_search_run (search, &picture->frame, 20, pool, &windows), 20);
  few = g_memdup2 (windows, 20 * sizeof *windows);
  ck_assert_uint_eq (ens_window_search_run (search, &picture->frame, 40, pool, &windows), 40);
  ck_assert_bytes_eq (few, 20 * sizeof *few, windows, 20 * sizeof *windows);
}
END_TEST

START_TEST (test_presets)
{
  EnsWindowsPreset preset = ENS_WINDOWS_QUALITY;

  for (guint i = 0; i < ENS_N_WINDOWS_PRESETS; i++) {
    ck_assert (ens_windows_preset_parse (ens_windows_preset_name (i), &preset));
    ck_assert_uint_eq (preset, i);
  }
  ck_assert (!ens_windows_preset_parse ("best", &preset));
  ck_assert (!ens_windows_preset_parse (NULL, &preset));
}
END_TEST

static void
add_for_presets (const char *name, TestFunction test)
{
  for (guint p = 0; p < ENS_N_WINDOWS_PRESETS; p++)
    test_add_row (name, ens_windows_preset_name ((EnsWindowsPreset)p), test, p);
}

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/selective-search");
  add_for_presets ("finds-shapes", test_finds_shapes);
  add_for_presets ("sizes", test_sizes);
  add_for_presets ("deterministic", test_deterministic);
  test_add ("flat", test_flat);
  test_add ("max-windows", test_max_windows);
  test_add ("presets", test_presets);
  return test_run ();
}
