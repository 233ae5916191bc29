/* Maps drawn: their size, their greys at the centres of sub-images, between and beyond them. */
#include "ensemble/map-picture.h"

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

static void
test_size (void)
{
  static const struct {
    guint width, height, picture_width, picture_height;
  } rows[] = {{3840, 2160, 256, 144}, {100, 300, 85, 256}, {30000, 1, 256, 1}, {16, 16, 256, 256}};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsResult) result = make_result (rows[i].width, rows[i].height);
    g_autoptr (EnsPicture) picture = ens_map_picture_new (result, 1, 256);

    g_assert_cmpuint (picture->frame.pixels, ==, ENS_PIXELS_GRAY8);
    g_assert_cmpuint (picture->frame.width, ==, rows[i].picture_width);
    g_assert_cmpuint (picture->frame.height, ==, rows[i].picture_height);
  }
}

static void
test_greys (void)
{
  static const struct {
    float x, y;
    guint class, grey;
  } rows[] = {
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
  g_autoptr (EnsResult) result = make_result (1200, 1200);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsPicture) picture = ens_map_picture_new (result, rows[i].class, 1200);
    guint x = (guint)(rows[i].x * 1200), y = (guint)(rows[i].y * 1200);
    gint found = ens_picture_get_pixels (picture, 0)[y * picture->frame.strides[0] + x];

    g_test_message ("row %u: %d", i, found);
    g_assert_cmpint (ABS (found - (gint)rows[i].grey), <=, 2);
  }
}

/* The frame judged as one: one grey. */
static void
test_single (void)
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
      g_assert_cmpuint (picture->frame.planes[0][y * picture->frame.strides[0] + x], ==, 51);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ensemble/map-picture/size", test_size);
  g_test_add_func ("/ensemble/map-picture/greys", test_greys);
  g_test_add_func ("/ensemble/map-picture/single", test_single);
  return g_test_run ();
}
