/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/recall.h"

#include "check-main.h"

static const struct {
  EnsRect a, b;
  float overlap;
} overlap_rows[] = {
    {{0, 0, 1, 1}, {0, 0, 1, 1}, 1},
    {{0, 0, .5f, 1}, {0, 0, 1, 1}, .5f},
    {{0, 0, .5f, .5f}, {.25f, .25f, .5f, .5f}, .0625f / .4375f},
    {{0, 0, .5f, .5f}, {.5f, 0, .5f, .5f}, 0},
    {{0, 0, 0, 0}, {0, 0, 1, 1}, 0},
    {{0, 0, 0, 0}, {0, 0, 0, 0}, 0},
};

START_TEST (test_overlap)
{
  ck_assert_double_eq_tol (ens_rect_overlap (&overlap_rows[_i].a, &overlap_rows[_i].b),
                           overlap_rows[_i].overlap, 1e-6);
  ck_assert_double_eq_tol (ens_rect_overlap (&overlap_rows[_i].b, &overlap_rows[_i].a),
                           overlap_rows[_i].overlap, 1e-6);
}
END_TEST

/* Two images worked out by hand. Best overlaps, by list (best 1, best 2, all):
 *   image 1, class 0: .5, .75, .75; class 1: 0, 0, 1;  image 2, class 0: 0 (no windows). */
START_TEST (test_arithmetic)
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
  ck_assert_uint_eq (ens_recall_get_objects (recall), 3);
  for (guint l = 0; l < 3; l++) {
    ck_assert_double_eq_tol (ens_recall_get_windows (recall, l), expected[l].windows, 1e-9);
    for (guint t = 0; t < 2; t++)
      ck_assert_double_eq_tol (ens_recall_get_recall (recall, l, t), expected[l].recall[t], 1e-9);
    ck_assert_double_eq_tol (ens_recall_get_abo (recall, l), expected[l].abo, 1e-6);
    ck_assert_double_eq_tol (ens_recall_get_mabo (recall, l), expected[l].mabo, 1e-6);
  }
}
END_TEST

START_TEST (test_nothing)
{
  static const guint lists[] = {0};
  static const float thresholds[] = {.5f};
  static const EnsRecallSettings settings = {1, 1, lists, thresholds};
  g_autoptr (EnsRecall) recall = ens_recall_new (&settings, 1);

  ck_assert_double_eq (ens_recall_get_recall (recall, 0, 0), 0);
  ck_assert_double_eq (ens_recall_get_mabo (recall, 0), 0);
  ck_assert_double_eq (ens_recall_get_windows (recall, 0), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/recall");
  TEST_ADD_LOOP ("overlap", test_overlap, overlap_rows);
  test_add ("arithmetic", test_arithmetic);
  test_add ("nothing", test_nothing);
  return test_run ();
}
