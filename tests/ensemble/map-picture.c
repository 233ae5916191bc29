/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maps drawn: their size, their greys at the centres of sub-images, between and beyond them. */
#include "ensemble/map-picture.h"

#include "check-main.h"

static const char *const classes[] = {"car", "dog"};

/* Three columns and two rows that overlap by half; centres at 1/4, 1/2, 3/4 and 1/3, 2/3. */
static EnsResult *
make_result (guint width, guint height)
{
  static const float dogs[] = {0, 1, 0.5F, 0.25F, 0, 1};
  EnsResult *result = ens_result_new (classes, 2, NULL, 0, 0);

  result->width = width;
  result->height = height;
  ens_result_add_map (result, 3, 2);
  result->map->x[1] = 0.25F;
  result->map->x[2] = 0.5F;
  result->map->y[1] = 1 / 3.F;
  result->map->width = 0.5F;
  result->map->height = 2 / 3.F;
  for (guint s = 0; s < G_N_ELEMENTS (dogs); s++)
    result->map->probabilities[2 * s + 1] = dogs[s];
  return result;
}

static const struct {
  guint width, height, picture_width, picture_height;
} size_rows[] = {
    {3840, 2160, 256, 144}, {100, 300, 85, 256}, {30000, 1, 256, 1}, {16, 16, 256, 256}};

START_TEST (test_size)
{
  g_autoptr (EnsResult) result = make_result (size_rows[_i].width, size_rows[_i].height);
  g_autoptr (EnsPicture) picture = ens_map_picture_new (result, 1, 256);

  ck_assert_uint_eq (picture->frame.pixels, ENS_PIXELS_GRAY8);
  ck_assert_uint_eq (picture->frame.width, size_rows[_i].picture_width);
  ck_assert_uint_eq (picture->frame.height, size_rows[_i].picture_height);
}
END_TEST

static const struct {
  float x, y;
  guint class, grey;
} greys_rows[] = {
    {0.25F, 1 / 3.F, 1, 0},
    {0.5F, 1 / 3.F, 1, 255},
    {0.75F, 1 / 3.F, 1, 128},
    {0.25F, 2 / 3.F, 1, 64},
    {0.75F, 2 / 3.F, 1, 255}, /* centres */
    {0.375F, 1 / 3.F, 1, 128},
    {0.5F, 0.5F, 1, 128},   /* between two */
    {0.625F, 0.5F, 1, 159}, /* between four */
    {0, 0, 1, 0},
    {0.99F, 0.99F, 1, 255}, /* beyond */
    {0.5F, 1 / 3.F, 0, 0},  /* the other class */
};

START_TEST (test_greys)
{
  g_autoptr (EnsResult) result = make_result (1200, 1200);
  g_autoptr (EnsPicture) picture = ens_map_picture_new (result, greys_rows[_i].class, 1200);
  guint x = (guint)(greys_rows[_i].x * 1200), y = (guint)(greys_rows[_i].y * 1200);
  gint found = ens_picture_get_pixels (picture, 0)[y * picture->frame.strides[0] + x];

  test_message ("%d", found);
  ck_assert_int_le (ABS (found - (gint)greys_rows[_i].grey), 2);
}
END_TEST

/* The frame judged as one: one grey. */
START_TEST (test_single)
{
  g_autoptr (EnsResult) result = ens_result_new (classes, 2, NULL, 0, 0);
  g_autoptr (EnsPicture) picture = NULL;

  result->width = 40;
  result->height = 30;
  ens_result_add_map (result, 1, 1);
  result->map->width = result->map->height = 1;
  result->map->probabilities[0] = 0.2F;
  picture = ens_map_picture_new (result, 0, 4);
  for (guint y = 0; y < 3; y++)
    for (guint x = 0; x < 4; x++)
      ck_assert_uint_eq (picture->frame.planes[0][y * picture->frame.strides[0] + x], 51);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/map-picture");
  TEST_ADD_LOOP ("size", test_size, size_rows);
  TEST_ADD_LOOP ("greys", test_greys, greys_rows);
  test_add ("single", test_single);
  return test_run ();
}
