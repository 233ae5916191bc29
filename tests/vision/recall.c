#include "vision/recall.h"

static void
test_overlap (void)
{
  static const struct {
    EnsRect a, b;
    float overlap;
  } rows[] = {
      {{0, 0, 1, 1}, {0, 0, 1, 1}, 1},
      {{0, 0, .5f, 1}, {0, 0, 1, 1}, .5f},
      {{0, 0, .5f, .5f}, {.25f, .25f, .5f, .5f}, .0625f / .4375f},
      {{0, 0, .5f, .5f}, {.5f, 0, .5f, .5f}, 0},
      {{0, 0, 0, 0}, {0, 0, 1, 1}, 0},
      {{0, 0, 0, 0}, {0, 0, 0, 0}, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpfloat_with_epsilon (ens_rect_overlap (&rows[i].a, &rows[i].b), rows[i].overlap,
                                    1e-6);
    g_assert_cmpfloat_with_epsilon (ens_rect_overlap (&rows[i].b, &rows[i].a), rows[i].overlap,
                                    1e-6);
  }
}

/* Two images worked out by hand. Best overlaps, by list (best 1, best 2, all):
 *   image 1, class 0: .5, .75, .75; class 1: 0, 0, 1;  image 2, class 0: 0 (no windows). */
static void
test_arithmetic (void)
{
  static const guint lists[] = {1, 2, 0};
  static const float thresholds[] = {.5f, .7f};
  static const EnsRecallSettings settings = {3, 2, lists, thresholds};
  static const EnsWindow windows[] = {
      {{0, 0, .25f, .5f}, 3}, {{0, 0, .375f, .5f}, 2}, {{.75f, .75f, .25f, .25f}, 1}};
  static const EnsObject objects[] = {{{0, 0, .5f, .5f}, 0}, {{.75f, .75f, .25f, .25f}, 1}};
  static const struct {
    double windows, recall[2], abo, mabo;
  } expected[] = {
      {.5, {1.0 / 3, 0}, .5 / 3, .125},
      {1, {1.0 / 3, 1.0 / 3}, .75 / 3, .1875},
      {1.5, {2.0 / 3, 2.0 / 3}, 1.75 / 3, .6875},
  };
  g_autoptr (EnsRecall) recall = ens_recall_new (&settings, 3);

  ens_recall_add (recall, windows, 3, objects, 2);
  ens_recall_add (recall, NULL, 0, objects, 1);
  g_assert_cmpuint (ens_recall_get_objects (recall), ==, 3);
  for (guint l = 0; l < 3; l++) {
    g_assert_cmpfloat_with_epsilon (ens_recall_get_windows (recall, l), expected[l].windows, 1e-9);
    for (guint t = 0; t < 2; t++)
      g_assert_cmpfloat_with_epsilon (ens_recall_get_recall (recall, l, t), expected[l].recall[t],
                                      1e-9);
    g_assert_cmpfloat_with_epsilon (ens_recall_get_abo (recall, l), expected[l].abo, 1e-6);
    g_assert_cmpfloat_with_epsilon (ens_recall_get_mabo (recall, l), expected[l].mabo, 1e-6);
  }
}

static void
test_nothing (void)
{
  static const guint lists[] = {0};
  static const float thresholds[] = {.5f};
  static const EnsRecallSettings settings = {1, 1, lists, thresholds};
  g_autoptr (EnsRecall) recall = ens_recall_new (&settings, 1);

  g_assert_cmpfloat (ens_recall_get_recall (recall, 0, 0), ==, 0);
  g_assert_cmpfloat (ens_recall_get_mabo (recall, 0), ==, 0);
  g_assert_cmpfloat (ens_recall_get_windows (recall, 0), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vision/recall/overlap", test_overlap);
  g_test_add_func ("/vision/recall/arithmetic", test_arithmetic);
  g_test_add_func ("/vision/recall/nothing", test_nothing);
  return g_test_run ();
}
