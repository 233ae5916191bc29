/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/contour-score.h"

#include <math.h>

#include "base/random.h"
#include "check-main.h"

/* The tolerance is 3 pixels and a bit. */
#define WIDTH 360
#define HEIGHT 200

typedef struct {
  guint x, y;
  float value;
} Pixel;

static void
draw (EnsPlane *plane, const Pixel *pixels)
{
  ens_plane_init (plane, WIDTH, HEIGHT);
  for (; pixels->value > 0; pixels++)
    plane->values[pixels->y * WIDTH + pixels->x] = pixels->value;
}

/* -- by hand -- */

#define MAX_PIXELS 5

static const struct {
  const char *name;
  Pixel found[MAX_PIXELS], drawn[MAX_PIXELS];
  guint percent; /* of the threshold */
  double precision, recall;
} rows[] = {
    {"same", {{9, 9, 0.8F}}, {{9, 9, 1}}, 50, 1, 1},
    {"below-threshold", {{9, 9, 0.4F}}, {{9, 9, 1}}, 50, 1, 0},
    {"at-threshold", {{9, 9, 0.5F}}, {{9, 9, 1}}, 50, 1, 1},
    {"near", {{12, 9, 0.8F}}, {{9, 9, 1}}, 50, 1, 1},
    {"far", {{13, 9, 0.8F}}, {{9, 9, 1}}, 50, 0, 0},
    {"one-to-one", {{9, 9, 0.8F}, {10, 9, 0.9F}}, {{9, 9, 1}}, 50, 0.5, 1},
    {"weights", {{9, 9, 0.8F}}, {{9, 9, 0.2F}, {50, 50, 0.6F}}, 50, 1, 0.25},
    /* The first takes the only one that the second can have, and gives it up. */
    {"exchange", {{12, 9, 0.9F}, {15, 9, 0.8F}}, {{10, 9, 0.5F}, {13, 9, 0.5F}}, 50, 1, 1},
    /* Along three pairs. */
    {"chain",
     {{12, 9, 0.9F}, {15, 9, 0.8F}, {18, 9, 0.7F}},
     {{9, 9, 0.5F}, {13, 9, 0.5F}, {16, 9, 0.5F}},
     50,
     1,
     1},
    {"nothing-drawn", {{12, 9, 0.9F}}, {{0}}, 50, 0, 1},
    {"nothing-found", {{0}}, {{12, 9, 0.9F}}, 50, 1, 0},
};

START_TEST (test_count)
{
  g_auto (EnsPlane) found = {0}, drawn = {0};
  EnsContourCounts counts = {0};
  EnsContourScore score;

  draw (&found, rows[_i].found);
  draw (&drawn, rows[_i].drawn);
  ens_contour_count (&found, &drawn, &counts);
  score = ens_contour_score_at (&counts, rows[_i].percent - 1);
  ck_assert_double_eq_tol (score.threshold, rows[_i].percent / 100.0, 1e-9);
  ck_assert_double_eq_tol (score.precision, rows[_i].precision, 1e-6);
  ck_assert_double_eq_tol (score.recall, rows[_i].recall, 1e-6);
}
END_TEST

/* -- against the plain way -- */

#define N 60
#define SIDE 40 /* of the part of the picture that they lie in */

typedef struct {
  Pixel found[N + 1], drawn[N + 1];
  gint partner[N]; /* of drawn ones */
  gboolean seen[N];
} Plain;

static gboolean
augment (Plain *plain, gint f)
{
  for (gint d = 0; d < N; d++) {
    double dx = (double)plain->found[f].x - plain->drawn[d].x;
    double dy = (double)plain->found[f].y - plain->drawn[d].y;

    if (plain->seen[d] || hypot (dx, dy) > 0.0075 * hypot (WIDTH, HEIGHT))
      continue;
    plain->seen[d] = TRUE;
    if (plain->partner[d] < 0 || augment (plain, plain->partner[d])) {
      plain->partner[d] = f;
      return TRUE;
    }
  }
  return FALSE;
}

static guint
match (Plain *plain, double threshold)
{
  guint n = 0;

  for (guint d = 0; d < N; d++)
    plain->partner[d] = -1;
  for (gint f = 0; f < N; f++) {
    memset (plain->seen, 0, sizeof plain->seen);
    if (plain->found[f].value >= (float)threshold)
      n += augment (plain, f);
  }
  return n;
}

/* Different pixels. */
static void
scatter (Pixel *pixels, EnsRandom *random)
{
  gboolean taken[SIDE * SIDE] = {0};

  for (guint i = 0; i < N; i++) {
    guint place;

    do
      place = ens_random_below (random, SIDE * SIDE);
    while (taken[place]);
    taken[place] = TRUE;
    pixels[i] =
        (Pixel) {place % SIDE, place / SIDE, (float)ens_random_between (random, 0.01, 0.99)};
  }
  pixels[N].value = 0;
}

/* As many pairs as there can be, at every threshold. */
START_TEST (test_most_pairs)
{
  g_auto (EnsPlane) found = {0}, drawn = {0};
  EnsContourCounts counts = {0};
  EnsRandom random;
  Plain plain;

  ens_random_init (&random, &(EnsRandomStream) {(guint64)_i, ENS_RANDOM_NOISE, 0, 0});
  scatter (plain.found, &random);
  scatter (plain.drawn, &random);
  draw (&found, plain.found);
  draw (&drawn, plain.drawn);
  ens_contour_count (&found, &drawn, &counts);
  for (guint i = 0; i < ENS_CONTOUR_N_THRESHOLDS; i++)
    ck_assert_uint_eq (counts.n_matched[i], match (&plain, (i + 1) / 100.0));
}
END_TEST

/* -- what was drawn -- */

/* Parallel lines, by column, and how much of them is left together. */
static const struct {
  const char *name;
  guint columns[3];
  float shares[3];
  guint n_lines;
  float weight; /* of all lines in a row */
} truths[] = {
    {"one", {100}, {0.4F}, 1, 0.4F},
    {"beside", {100, 101}, {0.4F, 0.2F}, 1, 0.52F},
    {"around", {100, 102}, {0.3F, 0.3F}, 1, 0.36F},
    {"apart", {100, 106}, {0.4F, 0.2F}, 2, 0.6F},
    {"all", {100}, {1}, 1, 1},
    {"more-than-all", {100, 101, 102}, {1, 1, 1}, 1, 1},
};

START_TEST (test_truth)
{
  g_auto (EnsPlane) truth = {0}, drawn = {0};
  guint n = 0;
  float weight = 0;

  ens_plane_init (&truth, WIDTH, HEIGHT);
  for (guint i = 0; i < 3; i++)
    for (guint y = 0; y < HEIGHT && truths[_i].columns[i] > 0; y++)
      truth.values[y * WIDTH + truths[_i].columns[i]] = truths[_i].shares[i];
  ens_contour_thin_truth (&truth, &drawn);
  for (guint x = 0; x < WIDTH; x++) {
    n += drawn.values[90 * WIDTH + x] > 0;
    weight += drawn.values[90 * WIDTH + x];
  }
  ck_assert_uint_eq (n, truths[_i].n_lines);
  ck_assert_float_eq_tol (weight, truths[_i].weight, 0.02F);
}
END_TEST

/* -- figures -- */

START_TEST (test_score)
{
  EnsContourCounts counts = {.drawn = 10}, half = {0};
  EnsContourScore score;

  for (guint i = 0; i < ENS_CONTOUR_N_THRESHOLDS; i++) {
    half.n_found[i] = 100 - i;
    half.n_matched[i] = i < 40 ? 30 : 0;
    half.recalled[i] = i < 40 ? 2 : 0;
  }
  half.drawn = 0;
  ens_contour_counts_add (&counts, &half);
  ens_contour_counts_add (&counts, &half);
  score = ens_contour_score (&counts);
  ck_assert_double_eq_tol (score.threshold, 0.40, 1e-9);
  ck_assert_double_eq_tol (score.precision, 30.0 / 61, 1e-9);
  ck_assert_double_eq_tol (score.recall, 0.4, 1e-9);
  ck_assert_double_eq_tol (score.f, 2 * 0.4 * (30.0 / 61) / (0.4 + 30.0 / 61), 1e-9);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/contour-score");
  TEST_ADD_ROWS ("count", test_count, rows);
  test_add_loop ("most-pairs", test_most_pairs, 5);
  TEST_ADD_ROWS ("truth", test_truth, truths);
  test_add ("score", test_score);
  return test_run ();
}
