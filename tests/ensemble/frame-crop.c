/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A part of a frame is analysed as a picture of its own would be, and found where it is. */
#include "ensemble/frame-crop.h"

#include <string.h>

#include "support/picture.h"
#include "colour-fixture.h"
#include "toy.h"

#define WIDTH 480
#define HEIGHT 320

static const struct {
  EnsRect rect;
  guint width, height;
  EnsFramePart part;
} part_rows[] = {
    {{0, 0, 1, 1}, 480, 320, {0, 0, 480, 320}},
    {{0.25F, 0.5F, 0.5F, 0.25F}, 480, 320, {120, 160, 240, 80}},
    {{0.1F, 0.1F, 0.2F, 0.2F}, 101, 51, {10, 4, 20, 11}}, /* begins on an even pixel */
    {{0.999F, 0.999F, 0.0001F, 0.0001F}, 7, 9, {6, 8, 1, 1}},
    {{0, 0, 1, 1}, 1, 1, {0, 0, 1, 1}},
    {{-1, 0.5F, 5, 5}, 10, 10, {0, 4, 10, 6}},
};

START_TEST (test_part)
{
  EnsFramePart part =
      ens_frame_crop_find_part (&part_rows[_i].rect, part_rows[_i].width, part_rows[_i].height);

  ck_assert_uint_eq (part.x, part_rows[_i].part.x);
  ck_assert_uint_eq (part.y, part_rows[_i].part.y);
  ck_assert_uint_eq (part.width, part_rows[_i].part.width);
  ck_assert_uint_eq (part.height, part_rows[_i].part.height);
}
END_TEST

static EnsPicture *
make_picture (EnsPixels pixels)
{
  EnsPicture *picture = ens_picture_new (pixels, WIDTH, HEIGHT);

  test_picture_fill_random (picture, 3);
  return picture;
}

static EnsPicture *
cut_out (const EnsFrame *frame, const EnsFramePart *part)
{
  EnsFrame cut = ens_frame_cut (frame, part);
  EnsPicture *picture = ens_picture_new (frame->pixels, part->width, part->height);

  picture->frame.matrix = frame->matrix;
  picture->frame.range = frame->range;
  for (guint p = 0; p < ens_pixels_planes (frame->pixels); p++)
    for (guint y = 0; y < ens_pixels_rows (frame->pixels, p, part->height); y++)
      memcpy (ens_picture_get_pixels (picture, p) + y * picture->frame.strides[p],
              cut.planes[p] + y * cut.strides[p],
              ens_pixels_row_bytes (frame->pixels, p, part->width));
  return picture;
}

static void
check_place (const EnsRect *rect, const EnsRect *own, const EnsFramePart *part)
{
  ck_assert_double_eq_tol (rect->x * WIDTH, part->x + own->x * part->width, 1e-3F);
  ck_assert_double_eq_tol (rect->y * HEIGHT, part->y + own->y * part->height, 1e-3F);
  ck_assert_double_eq_tol (rect->width * WIDTH, own->width * part->width, 1e-3F);
  ck_assert_double_eq_tol (rect->height * HEIGHT, own->height * part->height, 1e-3F);
}

static const struct {
  EnsPixels pixels;
  EnsRect crop;
  EnsSubImagesMode sub_images;
} picture_rows[] = {
    {ENS_PIXELS_RGB, {0.25F, 0.25F, 0.5F, 0.5F}, ENS_SUB_IMAGES_OFF},
    {ENS_PIXELS_NV12, {0.37F, 0.11F, 0.41F, 0.6F}, ENS_SUB_IMAGES_OFF},
    {ENS_PIXELS_I420, {0.1F, 0.1F, 0.9F, 0.9F}, ENS_SUB_IMAGES_ON},
    {ENS_PIXELS_RGB, {0.5F, 0, 0.5F, 1}, ENS_SUB_IMAGES_BOTH},
};

START_TEST (test_as_picture)
{
  const EnsAnalyseOptions options = {.windows = 12,
                                     .threshold = -1,
                                     .crop = picture_rows[_i].crop,
                                     .sub_images = picture_rows[_i].sub_images};
  EnsAnalyseOptions whole = options;
  const EnsFramePart part = ens_frame_crop_find_part (&options.crop, WIDTH, HEIGHT);
  g_autoptr (EnsPicture) picture = make_picture (picture_rows[_i].pixels);
  g_autoptr (EnsPicture) cut = cut_out (&picture->frame, &part);
  g_autoptr (EnsResult) result = fixture_analyse (fixture->analysis, &picture->frame, &options);
  g_autoptr (EnsResult) own = NULL;

  whole.crop = (EnsRect) {0};
  own = fixture_analyse (fixture->analysis, &cut->frame, &whole);
  ck_assert_uint_eq (result->width, WIDTH);
  ck_assert_uint_eq (result->height, HEIGHT);
  ck_assert_uint_eq (result->n_windows, own->n_windows);
  ck_assert_uint_gt (result->n_windows, 0);
  for (guint c = 0; c < result->n_classes; c++)
    ck_assert_double_eq (result->classes[c].p, own->classes[c].p);
  for (guint w = 0; w < result->n_windows; w++)
    check_place (&result->windows[w].rect, &own->windows[w].rect, &part);
  ck_assert ((result->map != NULL) == (own->map != NULL));
  for (guint s = 0; own->map != NULL && s < ens_probability_map_get_size (own->map); s++) {
    EnsRect place = ens_probability_map_get_rect (result->map, s);
    EnsRect place_in_part = ens_probability_map_get_rect (own->map, s);

    check_place (&place, &place_in_part, &part);
  }
}
END_TEST

/* Regions are those of the frame: the first is left of the crop, the second lies half in it. */
START_TEST (test_regions)
{
  const EnsRect regions[] = {
      {0, 0, 0.25F, 1}, {0.25F, 0.25F, 0.5F, 0.5F}, {0.75F, 0.5F, 0.25F, 0.5F}};
  const EnsRegionOrigin origins[] = {{"left", 1}, {"middle", -1}, {NULL, 3}};
  const EnsAnalyseOptions options = {.windows = -1,
                                     .threshold = -1,
                                     .crop = {0.5F, 0, 0.5F, 1},
                                     .regions = regions,
                                     .origins = origins,
                                     .n_regions = 3};
  const EnsRect half = {0.5F, 0.25F, 0.25F, 0.5F};
  g_autoptr (EnsPicture) picture = make_picture (ENS_PIXELS_RGB);
  g_autoptr (EnsResult) result = fixture_analyse (fixture->analysis, &picture->frame, &options);
  const EnsFramePart all = {0, 0, WIDTH, HEIGHT};

  ck_assert_uint_eq (result->n_windows, 2);
  check_place (&result->windows[0].rect, &half, &all);
  check_place (&result->windows[1].rect, &regions[2], &all);
  ck_assert_pstr_eq (result->regions[0].type, "middle");
  ck_assert_int_eq (result->regions[0].id, -1);
  ck_assert_ptr_null (result->regions[1].type);
  ck_assert_int_eq (result->regions[1].id, 3);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/frame-crop");
  test_fixture (fixture_set_up, fixture_tear_down);
  TEST_ADD_LOOP ("part", test_part, part_rows);
  TEST_ADD_LOOP ("as-picture", test_as_picture, picture_rows);
  test_add ("regions", test_regions);
  return test_run ();
}
