/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/learning-curve.h"

#include "check-main.h"

#define IMAGES 320
#define FEATURES 40
#define CLASSES 3

/* Clouds around a centre for each class, as far apart as `distance` says; the last is of none. */
static void
draw (double distance, gboolean several, float *features, guint8 *labels)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);

  for (guint i = 0; i < IMAGES; i++) {
    guint class = i % (CLASSES + 1);

    for (guint f = 0; f < FEATURES; f++)
      features[i * FEATURES + f] = (float)(g_rand_double_range (random, -1, 1)
                                           + (f % (CLASSES + 1) == class ? distance : 0));
    for (guint c = 0; c < CLASSES; c++)
      labels[i * CLASSES + c] = c == class || (several && c == 0 && class == 1);
  }
}

static const struct {
  const char *name;
  double distance;
  gboolean several;
  double least, most; /* of the last point's score */
} curve_rows[] = {
    {"easy", 1, FALSE, 0.97, 1},
    {"hard", 0.25, FALSE, 0.6, 0.95},
    {"hopeless", 0, FALSE, 0.2, 0.5},
    {"several-classes", 1, TRUE, 0.97, 1},
};

START_TEST (test_curve)
{
  g_autofree float *features = g_new (float, IMAGES *FEATURES);
  g_autofree float *probabilities = g_new (float, IMAGES *CLASSES);
  g_autofree guint8 *labels = g_new (guint8, IMAGES * CLASSES);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  const EnsExamples examples = {
      .truth = {IMAGES, CLASSES, labels}, .n_features = FEATURES, .features = features};
  EnsLearningPoint points[ENS_LEARNING_POINTS];
  guint right = 0;

  draw (curve_rows[_i].distance, curve_rows[_i].several, features, labels);
  ck_assert (ens_learning_curve (&examples, 1, pool, NULL, points, probabilities, NULL));
  for (guint i = 0; i < ENS_LEARNING_POINTS; i++)
    ck_assert_uint_eq (points[i].n_images, 64 * (i + 1)); /* four folds of five */
  ck_assert_double_ge (points[3].score, curve_rows[_i].least);
  ck_assert_double_le (points[3].score, curve_rows[_i].most);
  ck_assert_double_ge (points[3].score, points[0].score - 0.1);
  for (guint i = 0; i < IMAGES * CLASSES; i++) {
    ck_assert (probabilities[i] >= 0 && probabilities[i] <= 1);
    right += (probabilities[i] >= 0.5F) == (labels[i] == ENS_LABEL_PRESENT);
  }
  if (curve_rows[_i].distance == 1)
    ck_assert_uint_ge (right, IMAGES * CLASSES * 97 / 100);
}
END_TEST

/* The labels of an image have no part in its own probabilities. */
START_TEST (test_held_out)
{
  g_autofree float *features = g_new (float, IMAGES *FEATURES);
  g_autofree float *probabilities = g_new (float, IMAGES *CLASSES);
  g_autofree guint8 *labels = g_new (guint8, IMAGES * CLASSES);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  const EnsExamples examples = {
      .truth = {IMAGES, CLASSES, labels}, .n_features = FEATURES, .features = features};
  EnsLearningPoint points[ENS_LEARNING_POINTS];

  draw (1, FALSE, features, labels);
  labels[4 * CLASSES] = ENS_LABEL_ABSENT; /* an image of class 0, taken for one of class 1 */
  labels[4 * CLASSES + 1] = ENS_LABEL_PRESENT;
  ck_assert (ens_learning_curve (&examples, 1, pool, NULL, points, probabilities, NULL));
  ck_assert_double_gt (probabilities[4 * CLASSES], 0.5);
  ck_assert_double_lt (probabilities[4 * CLASSES + 1], 0.5);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/learning-curve");
  TEST_ADD_ROWS ("curve", test_curve, curve_rows);
  test_add ("held-out", test_held_out);
  return test_run ();
}
