/* How frames are divided: which, into how many, where; and the windows of sub-images. */
#include <math.h>
#include <string.h>

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

static void
test_division (void)
{
  static const Row rows[] = {
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

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const Row *row = &rows[i];
    EnsBundle bundle = make_bundle (row->size, row->overlap, row->count);
    const EnsAnalyseOptions options = {.sub_images = row->mode, .max_sub_images = row->max};
    g_autoptr (EnsSubImages) sub_images =
        ens_sub_images_new (&bundle, &options, row->width, row->height);

    g_test_message ("row %u: %u × %u of %u × %u", i, sub_images->columns, sub_images->rows,
                    sub_images->width, sub_images->height);
    g_assert_cmpuint (sub_images->columns, ==, row->columns);
    g_assert_cmpuint (sub_images->rows, ==, row->rows);
    g_assert_cmpuint (sub_images->width, ==, row->sub_width);
    g_assert_cmpuint (sub_images->height, ==, row->sub_height);
  }
}

/* Along one axis: from edge to edge, without gaps, neighbours overlapping as they should. */
static void
check_cover (const guint *begin, guint n, guint part, guint length, float overlap)
{
  g_assert_cmpuint (begin[0], ==, 0);
  g_assert_cmpuint (begin[n - 1] + part, ==, length);
  for (guint i = 1; i < n; i++) {
    g_assert_cmpuint (begin[i], >, begin[i - 1]);
    g_assert_cmpfloat ((float)begin[i - 1] + part - begin[i], >=, overlap * part - 1);
  }
}

static void
test_cover (void)
{
  static const guint sides[] = {16, 17, 31, 97, 100, 333, 640, 1080, 1921, 4096};
  static const float overlaps[] = {0, 0.1F, 0.25F, 0.5F, 0.9F};
  const EnsAnalyseOptions options = {.sub_images = ENS_SUB_IMAGES_ON};

  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    for (guint j = 0; j < G_N_ELEMENTS (sides); j++)
      for (guint k = 0; k < G_N_ELEMENTS (overlaps); k++) {
        guint width = sides[i], height = sides[j];
        EnsBundle bundle = make_bundle (16 + 13 * k, overlaps[k], 50);
        g_autoptr (EnsSubImages) sub_images = ens_sub_images_new (&bundle, &options, width, height);
        guint n = ens_sub_images_get_size (sub_images);

        g_assert_cmpuint (n, <=, 50);
        check_cover (sub_images->x, sub_images->columns, sub_images->width, width, overlaps[k]);
        check_cover (sub_images->y, sub_images->rows, sub_images->height, height, overlaps[k]);
        g_assert_cmpfloat (sub_images->rects[0].x, ==, 0);
        g_assert_cmpfloat_with_epsilon (sub_images->rects[n - 1].x + sub_images->rects[n - 1].width,
                                        1, 1e-6);
        g_assert_cmpfloat_with_epsilon (
            sub_images->rects[n - 1].y + sub_images->rects[n - 1].height, 1, 1e-6);
      }
}

static void
test_find (void)
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

  g_assert_cmpuint (sub_images->columns, ==, 4);
  g_assert_cmpuint (sub_images->rows, ==, 3);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (ens_sub_images_find (sub_images, &rows[i].region), ==, rows[i].sub_image);
}

/* ---- Windows ---- */

typedef struct {
  EnsWindowSearch *search;
  EnsDevice *device;
  EnsSubImages *sub_images;
  EnsPicture *picture;
} Windows;

/* A disc in a picture of 240 × 160, which is divided into 4 × 2 (or 3) parts. */
static void
set_up (Windows *windows, gconstpointer data)
{
  EnsBundle bundle = make_bundle (80, 0.25F, 32);

  windows->device = ens_device_open ("cpu", 1, NULL);
  windows->search = ens_window_search_new (ENS_WINDOWS_FAST);
  windows->picture = toy_picture (4, 0, 241, 160);
  windows->sub_images = ens_sub_images_new (&bundle, &ENS_ANALYSE_DEFAULTS, 241, 160);
}

static void
tear_down (Windows *windows, gconstpointer data)
{
  ens_sub_images_free (windows->sub_images);
  ens_picture_unref (windows->picture);
  ens_window_search_free (windows->search);
  ens_device_unref (windows->device);
}

static EnsFrameWindows *
search (Windows *windows, const EnsFrame *frame, guint count)
{
  return ens_frame_windows_search (&(EnsFrameWindowsSource) {
      frame, windows->sub_images, count, windows->search, ens_device_get_pool (windows->device)});
}

/* Sub-images share the windows, have one each at least, and each one's windows lie in it. */
static void
test_shares (Windows *windows, gconstpointer data)
{
  static const struct {
    guint count, share;
  } rows[] = {{0, 0}, {1, 1}, {12, 1}, {40, 3}, {240, 20}};
  guint n = ens_sub_images_get_size (windows->sub_images);

  g_assert_cmpuint (n, ==, 12);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsFrameWindows) found = search (windows, &windows->picture->frame, rows[i].count);

    g_assert_cmpuint (found->n_sub_images, ==, n);
    for (guint s = 0; s < n; s++) {
      const EnsRect *outer = &windows->sub_images->rects[s];

      g_assert_cmpuint (found->first[s + 1] - found->first[s], <=, rows[i].share);
      g_assert_cmpint (found->first[s + 1] > found->first[s], ==, rows[i].share > 0);
      for (guint w = found->first[s]; w < found->first[s + 1]; w++) {
        const EnsRect *rect = &found->windows[w].rect;

        /* One pixel more where the sub-image begins on an odd one. */
        g_assert_cmpfloat (rect->x, >=, outer->x - 1 / 240.F);
        g_assert_cmpfloat (rect->y, >=, outer->y - 1 / 159.F);
        g_assert_cmpfloat (rect->x + rect->width, <=, outer->x + outer->width + 1e-5);
        g_assert_cmpfloat (rect->y + rect->height, <=, outer->y + outer->height + 1e-5);
      }
    }
  }
}

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
static void
test_as_pictures (Windows *windows, gconstpointer data)
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

      g_assert_cmpuint (found->first[s + 1] - found->first[s], ==, n);
      for (guint w = 0; w < n; w++) {
        const EnsWindow *window = &found->windows[found->first[s] + w];

        g_assert_cmpfloat (window->score, ==, alone[w].score);
        g_assert_cmpfloat_with_epsilon (window->rect.x * frame->width,
                                        part.x + alone[w].rect.x * part.width, 1e-3);
        g_assert_cmpfloat_with_epsilon (window->rect.y * frame->height,
                                        part.y + alone[w].rect.y * part.height, 1e-3);
        g_assert_cmpfloat_with_epsilon (window->rect.width * frame->width,
                                        alone[w].rect.width * part.width, 1e-3);
        g_assert_cmpfloat_with_epsilon (window->rect.height * frame->height,
                                        alone[w].rect.height * part.height, 1e-3);
      }
    }
  }
}

/* Given regions keep their order within the sub-image they belong to. */
static void
test_given (Windows *windows, gconstpointer data)
{
  static const EnsRect regions[] = {
      {0.9F, 0.9F, 0.1F, 0.1F}, {0, 0, 0.2F, 0.2F}, {0.95F, 0.95F, 0.05F, 0.05F}};
  g_autoptr (EnsFrameWindows) given =
      ens_frame_windows_given (windows->sub_images, regions, G_N_ELEMENTS (regions));
  g_autoptr (EnsFrameWindows) none = ens_frame_windows_none (windows->sub_images);

  g_assert_cmpuint (ens_frame_windows_get_size (given), ==, 3);
  g_assert_cmpuint (given->first[1], ==, 1);
  g_assert_cmpuint (given->first[11], ==, 1);
  g_assert_cmpfloat (given->windows[0].rect.width, ==, 0.2F);
  g_assert_cmpfloat (given->windows[1].rect.x, ==, 0.9F);
  g_assert_cmpfloat (given->windows[2].rect.x, ==, 0.95F);
  g_assert_cmpuint (ens_frame_windows_get_size (none), ==, 0);
  g_assert_cmpuint (none->n_sub_images, ==, 12);
}

#define ADD(name, function) \
  g_test_add ("/ensemble/sub-images/" name, Windows, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ensemble/sub-images/division", test_division);
  g_test_add_func ("/ensemble/sub-images/cover", test_cover);
  g_test_add_func ("/ensemble/sub-images/find", test_find);
  ADD ("shares", test_shares);
  ADD ("as-pictures", test_as_pictures);
  ADD ("given", test_given);
  return g_test_run ();
}
