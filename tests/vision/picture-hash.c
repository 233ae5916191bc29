/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/picture-hash.h"

#include "check-main.h"
#include "vision/picture.h"

#define SIDE 96

/* A smooth picture, a sum of waves that the seed chooses, drawn at some size as a copy may be. */
typedef struct {
  guint seed, width, height;
  double gain, lift, noise, shift; /* shift: share of the width */
  gboolean mirrored;
} Drawing;

static void
hash_drawing (const Drawing *drawing, EnsPictureHash *hash)
{
  g_autoptr (EnsPicture) picture =
      ens_picture_new (ENS_PIXELS_RGB, drawing->width, drawing->height);
  g_autoptr (GRand) waves = g_rand_new_with_seed (drawing->seed);
  g_autoptr (GRand) noise = g_rand_new_with_seed (7);
  double fx[6], fy[6], phase[6];
  float pixels[ENS_PICTURE_HASH_PIXELS];

  for (guint i = 0; i < 6; i++) {
    fx[i] = g_rand_double_range (waves, -12, 12);
    fy[i] = g_rand_double_range (waves, -12, 12);
    phase[i] = g_rand_double_range (waves, 0, 6);
  }
  for (guint y = 0; y < drawing->height; y++)
    for (guint x = 0; x < drawing->width; x++) {
      double u = (x + 0.5) / drawing->width, v = (y + 0.5) / drawing->height, sum = 0;
      guint8 *at = ens_picture_get_pixels (picture, 0) + y * picture->frame.strides[0] + 3 * x;

      u = (drawing->mirrored ? 1 - u : u) + drawing->shift;
      for (guint i = 0; i < 6; i++)
        sum += 18 * sin (fx[i] * u + fy[i] * v + phase[i]);
      sum = drawing->gain * sum + 128 + drawing->lift
            + g_rand_double_range (noise, -drawing->noise, drawing->noise + 1e-9);
      at[0] = at[1] = at[2] = (guint8)CLAMP (sum, 0, 255);
    }
  ens_picture_hash_shrink (&picture->frame, NULL, pixels);
  ens_picture_hash_init (hash, pixels);
}

static const struct {
  const char *name;
  Drawing drawing; /* against seed 1, SIDE × SIDE */
  gboolean match;
} match_rows[] = {
    {"itself", {1, SIDE, SIDE, 1, 0, 0, 0, FALSE}, TRUE},
    {"larger", {1, 301, 217, 1, 0, 0, 0, FALSE}, TRUE},
    {"smaller", {1, 40, 24, 1, 0, 0, 0, FALSE}, TRUE},
    {"brighter", {1, SIDE, SIDE, 1, 20, 0, 0, FALSE}, TRUE},
    {"dull", {1, SIDE, SIDE, 0.5, -10, 0, 0, FALSE}, TRUE},
    {"noisy", {1, SIDE, SIDE, 1, 0, 20, 0, FALSE}, TRUE},
    {"mirrored", {1, 130, SIDE, 1, 0, 5, 0, TRUE}, TRUE},
    {"another", {2, SIDE, SIDE, 1, 0, 0, 0, FALSE}, FALSE},
    {"another-mirrored", {3, SIDE, SIDE, 1, 0, 0, 0, TRUE}, FALSE},
    {"moved", {1, SIDE, SIDE, 1, 0, 0, 0.3, FALSE}, FALSE},
    {"negative", {1, SIDE, SIDE, -1, 0, 0, 0, FALSE}, FALSE},
    {"blank", {1, SIDE, SIDE, 0, 0, 0, 0, FALSE}, FALSE},
};

START_TEST (test_match)
{
  EnsPictureHash first, second;

  hash_drawing (&(Drawing) {1, SIDE, SIDE, 1, 0, 0, 0, FALSE}, &first);
  hash_drawing (&match_rows[_i].drawing, &second);
  ck_assert_int_eq (ens_picture_hash_match (&first, &second), match_rows[_i].match);
  ck_assert_int_eq (ens_picture_hash_match (&second, &first), match_rows[_i].match);
}
END_TEST

/* Pictures of one colour are not taken for each other. */
START_TEST (test_blank)
{
  EnsPictureHash first, second;

  hash_drawing (&(Drawing) {1, SIDE, SIDE, 0, 0, 0, 0, FALSE}, &first);
  hash_drawing (&(Drawing) {1, SIDE, SIDE, 0, 3, 0, 0, FALSE}, &second);
  ck_assert (!ens_picture_hash_match (&first, &second));
}
END_TEST

/* Of three hundred pictures no two are near copies. */
START_TEST (test_chance)
{
  g_autofree EnsPictureHash *hashes = g_new (EnsPictureHash, 300);

  for (guint i = 0; i < 300; i++) {
    hash_drawing (&(Drawing) {10 + i, 32, 32, 1, 0, 0, 0, FALSE}, &hashes[i]);
    for (guint j = 0; j < i; j++)
      ck_assert (!ens_picture_hash_match (&hashes[i], &hashes[j]));
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/picture-hash");
  TEST_ADD_ROWS ("match", test_match, match_rows);
  test_add ("blank", test_blank);
  test_add ("chance", test_chance);
  return test_run ();
}
