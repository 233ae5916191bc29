/* Large frames: found where they are and nowhere else, and judged as each sub-image would be. */
#include <string.h>

#include "base/files.h"
#include "ensemble/ensemble.h"
#include "gst/colour-bundle.h"
#include "toy.h"

/* Divided into 4 × 3 sub-images of 160 × 160; the bundle has three classes. */
#define WIDTH 480
#define HEIGHT 320
#define COLUMNS 4
#define ROWS 3
#define SIDE 160
#define CLASSES 3

typedef struct {
  char *folder, *bundle;
  EnsEnsemble *ensemble;
  EnsAnalysis *analysis;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("ensemble-large-XXXXXX", NULL);
  fixture->bundle = colour_bundle_make (fixture->folder);
  fixture->ensemble = ens_ensemble_open (fixture->bundle, device, &error);
  g_assert_no_error (error);
  fixture->analysis = ens_analysis_new (fixture->ensemble);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  ens_analysis_free (fixture->analysis);
  ens_ensemble_unref (fixture->ensemble);
  ens_remove_tree (fixture->folder);
  g_free (fixture->bundle);
  g_free (fixture->folder);
}

static EnsResult *
analyse (const Fixture *fixture, const EnsFrame *frame, const EnsAnalyseOptions *options)
{
  g_autoptr (GError) error = NULL;
  EnsResult *result = ens_analysis_run (fixture->analysis, frame, 7, options, &error);

  g_assert_no_error (error);
  return result;
}

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
    g_assert_cmpfloat (class->p, ==, largest);
    g_assert_cmpfloat (get_p (result, (guint) class->sub_image, c), ==, largest);
    g_assert_cmpint (class->present, ==, class->p >= class->threshold);
  }
}

/* A square of a colour that fills most of one sub-image and little of its neighbours is in that
 * one and in no other; the frame as a whole is too black for it. */
static void
test_found_in_one (Fixture *fixture, gconstpointer data)
{
  const EnsAnalyseOptions divided = {.threshold = -1}; /* no windows */
  const EnsAnalyseOptions undivided = {.threshold = -1, .sub_images = ENS_SUB_IMAGES_OFF};

  for (guint s = 0; s < COLUMNS * ROWS; s++) {
    guint class = s % CLASSES, x = (WIDTH - SIDE) * (s % COLUMNS) / (COLUMNS - 1);
    g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
    g_autoptr (EnsResult) result = NULL, whole = NULL;

    paint (picture, class, x + 20, SIDE / 2 * (s / COLUMNS) + 20, 120);
    result = analyse (fixture, &picture->frame, &divided);
    whole = analyse (fixture, &picture->frame, &undivided);
    g_assert_cmpuint (result->map->columns, ==, COLUMNS);
    g_assert_cmpuint (result->map->rows, ==, ROWS);
    g_assert_cmpfloat (result->map->width, ==, (float)SIDE / WIDTH);
    g_assert_cmpfloat (result->map->height, ==, (float)SIDE / HEIGHT);
    for (guint i = 0; i < COLUMNS * ROWS; i++)
      for (guint c = 0; c < CLASSES; c++)
        if (i == s && c == class)
          g_assert_cmpfloat (get_p (result, i, c), >, 0.7F);
        else
          g_assert_cmpfloat (get_p (result, i, c), <, 0.2F);
    g_assert_cmpint (result->classes[class].sub_image, ==, (gint)s);
    g_assert_cmpfloat (result->networks[0].probabilities[class], >, 0.7F);
    g_assert_cmpfloat (result->classes[class].p1, ==, result->networks[1].probabilities[class]);
    check_maximum (result);

    g_assert_null (whole->map);
    g_assert_cmpint (whole->classes[class].sub_image, ==, -1);
    g_assert_false (whole->classes[class].present);
  }
}

/* Too small for its sub-image as well, but a window shows it. */
static void
test_windows (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
  g_autoptr (EnsResult) result = NULL;
  const EnsClassResult *red;
  const EnsRect *rect;

  paint (picture, 0, 430, 260, 30);
  result = analyse (fixture, &picture->frame, NULL);
  red = &result->classes[0];
  g_assert_true (red->present);
  g_assert_cmpint (red->sub_image, ==, COLUMNS * ROWS - 1);
  g_assert_cmpfloat (red->p3, >, 0.9F);
  g_assert_cmpfloat (red->p1, <, 0.1F);
  rect = &result->windows[red->window].rect;
  g_assert_cmpfloat_with_epsilon (rect->x * WIDTH, 430, 5);
  g_assert_cmpfloat_with_epsilon (rect->y * HEIGHT, 260, 5);
  g_assert_cmpfloat_with_epsilon (rect->width * WIDTH, 30, 10);
  for (guint s = 0; s < COLUMNS * ROWS - 1; s++)
    g_assert_cmpfloat (get_p (result, s, 0), <, 0.5F);
  check_maximum (result);
}

/* A region counts in the sub-image that it is nearest to, and nowhere else. */
static void
test_regions (Fixture *fixture, gconstpointer data)
{
  const EnsRect region = {430.F / WIDTH, 20.F / HEIGHT, 30.F / WIDTH, 30.F / HEIGHT};
  const EnsAnalyseOptions options = {
      .windows = -1, .threshold = -1, .regions = &region, .n_regions = 1};
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);
  g_autoptr (EnsResult) result = NULL;

  paint (picture, 2, 430, 20, 30);
  result = analyse (fixture, &picture->frame, &options);
  g_assert_cmpuint (result->n_windows, ==, 1);
  g_assert_cmpint (result->classes[2].sub_image, ==, COLUMNS - 1);
  g_assert_cmpint (result->classes[2].window, ==, 0);
  g_assert_cmpfloat (result->classes[2].p3, >, 0.9F);
  g_assert_cmpint (result->classes[0].window == 0, ==, result->classes[0].sub_image == COLUMNS - 1);
}

static void
copy_rectangle (const EnsFrame *frame, guint x, guint y, EnsPicture *picture)
{
  for (guint row = 0; row < picture->frame.height; row++)
    memcpy (ens_picture_get_pixels (picture, 0) + row * picture->frame.strides[0],
            frame->planes[0] + (y + row) * frame->strides[0] + 3 * x,
            3 * (gsize)picture->frame.width);
}

/* Each sub-image gets the P that its pixels would get as a picture of their own. */
static void
test_as_pictures (Fixture *fixture, gconstpointer data)
{
  const EnsAnalyseOptions options = {.windows = 48, .threshold = -1};
  const EnsAnalyseOptions alone_options = {.windows = 4, .threshold = -1};
  g_autoptr (EnsPicture) picture = toy_picture (11, 1, WIDTH, HEIGHT);
  g_autoptr (EnsResult) result = analyse (fixture, &picture->frame, &options);

  for (guint s = 0; s < COLUMNS * ROWS; s++) {
    guint x = (guint)(result->map->x[s % COLUMNS] * WIDTH + 0.5F);
    guint y = (guint)(result->map->y[s / COLUMNS] * HEIGHT + 0.5F);
    g_autoptr (EnsPicture) part = ens_picture_new (ENS_PIXELS_RGB, SIDE, SIDE);
    g_autoptr (EnsResult) alone = NULL;

    if (x % 2 != 0) /* its windows are searched from one pixel further left */
      continue;
    copy_rectangle (&picture->frame, x, y, part);
    alone = analyse (fixture, &part->frame, &alone_options);
    g_assert_null (alone->map);
    for (guint c = 0; c < CLASSES; c++)
      g_assert_cmpfloat_with_epsilon (get_p (result, s, c), alone->classes[c].p, 1e-3);
  }
  check_maximum (result);
}

static void
check_same (const EnsResult *a, const EnsResult *b)
{
  g_assert_cmpuint (a->n_windows, ==, b->n_windows);
  g_assert_cmpmem (a->windows, a->n_windows * sizeof *a->windows, b->windows,
                   b->n_windows * sizeof *b->windows);
  g_assert_cmpmem (a->window_probabilities, a->n_windows * CLASSES * sizeof (float),
                   b->window_probabilities, b->n_windows * CLASSES * sizeof (float));
  for (guint n = 0; n < a->n_networks; n++)
    g_assert_cmpmem (a->networks[n].probabilities, CLASSES * sizeof (float),
                     b->networks[n].probabilities, CLASSES * sizeof (float));
  for (guint c = 0; c < CLASSES; c++) {
    g_assert_cmpfloat (a->classes[c].p, ==, b->classes[c].p);
    g_assert_cmpfloat (a->classes[c].p1, ==, b->classes[c].p1);
    g_assert_cmpfloat (a->classes[c].p2, ==, b->classes[c].p2);
    g_assert_cmpfloat (a->classes[c].p3, ==, b->classes[c].p3);
    g_assert_cmpint (a->classes[c].window, ==, b->classes[c].window);
  }
}

/* A frame that is not large, and a large one when nothing is to be divided: the same bits as ever.
 * One that is no larger than a sub-image has them even when everything is to be divided. */
static void
test_small_frames (Fixture *fixture, gconstpointer data)
{
  static const guint sizes[][2] = {{160, 160}, {90, 140}, {1, 1}, {300, 200}, {319, 320}};
  const EnsAnalyseOptions off = {.windows = -1, .threshold = -1, .sub_images = ENS_SUB_IMAGES_OFF};
  const EnsAnalyseOptions on = {.windows = -1, .threshold = -1, .sub_images = ENS_SUB_IMAGES_ON};

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (EnsPicture) picture = toy_picture (i, i % 3, sizes[i][0], sizes[i][1]);
    g_autoptr (EnsResult) as_ever = analyse (fixture, &picture->frame, &off);
    g_autoptr (EnsResult) automatic = analyse (fixture, &picture->frame, NULL);
    g_autoptr (EnsResult) always = analyse (fixture, &picture->frame, &on);

    g_assert_null (as_ever->map);
    g_assert_null (automatic->map);
    check_same (as_ever, automatic);
    g_assert_nonnull (always->map);
    check_maximum (always);
    if (ens_probability_map_get_size (always->map) == 1) {
      check_same (as_ever, always);
      g_assert_cmpfloat (always->map->width, ==, 1);
      g_assert_cmpfloat (always->map->probabilities[1], ==, as_ever->classes[1].p);
    } else {
      g_assert_cmpuint (i, >=, 3);
    }
  }
}

static void
test_limit (Fixture *fixture, gconstpointer data)
{
  const EnsAnalyseOptions options = {.threshold = -1, .max_sub_images = 4};
  g_autoptr (EnsPicture) picture = toy_picture (1, 0, WIDTH, HEIGHT);
  g_autoptr (EnsResult) result = analyse (fixture, &picture->frame, &options);

  g_assert_cmpuint (ens_probability_map_get_size (result->map), ==, 4);
}

static void
test_same_bits (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsPicture) picture = toy_picture (11, 1, WIDTH, HEIGHT);
  g_autoptr (EnsResult) first = analyse (fixture, &picture->frame, NULL);

  for (guint n_threads = 1; n_threads <= 3; n_threads += 2) {
    g_autoptr (EnsDevice) device = ens_device_open ("cpu", n_threads, NULL);
    g_autoptr (EnsEnsemble) ensemble = ens_ensemble_open (fixture->bundle, device, NULL);
    g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
    g_autoptr (EnsResult) again = ens_analysis_run (analysis, &picture->frame, 7, NULL, NULL);

    check_same (first, again);
    g_assert_cmpmem (first->map->probabilities, COLUMNS * ROWS * CLASSES * sizeof (float),
                     again->map->probabilities, COLUMNS * ROWS * CLASSES * sizeof (float));
  }
}

#define ADD(name, function) \
  g_test_add ("/ensemble/large/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("found-in-one", test_found_in_one);
  ADD ("windows", test_windows);
  ADD ("regions", test_regions);
  ADD ("as-pictures", test_as_pictures);
  ADD ("small-frames", test_small_frames);
  ADD ("limit", test_limit);
  ADD ("same-bits", test_same_bits);
  return g_test_run ();
}
