/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/ranking.h"

#include <string.h>

#include "check-main.h"

/* Groups as a hierarchy of their own. */
#define ADD(ranking, ...)                                     \
  ens_ranking_add (ranking, (const EnsGroup[]) {__VA_ARGS__}, \
                   sizeof ((const EnsGroup[]) {__VA_ARGS__}) / sizeof (EnsGroup))

static const EnsRect *
get_best (EnsRanking *ranking, EnsThreadPool *pool, guint *n)
{
  return &ens_ranking_run (ranking, 100, 100, 1000, pool, n)->rect;
}

static const struct {
  EnsBox other;
  guint n_windows;
} near_duplicates_rows[] = {
    {{10, 10, 60, 60}, 1}, /* the same */
    {{10, 10, 60, 51}, 1}, /* 0.82 */
    {{10, 10, 60, 50}, 2}, /* 0.80: not above */
    {{10, 10, 60, 69}, 1}, /* 0.85, the larger of the two */
    {{10, 10, 60, 73}, 2}, /* 0.79 */
    {{12, 12, 62, 62}, 1}, /* 0.85 */
    {{15, 15, 65, 65}, 2}, /* 0.68 */
    {{70, 70, 90, 90}, 2}, /* apart */
};

START_TEST (test_near_duplicates)
{
  g_autoptr (EnsRanking) ranking = ens_ranking_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  guint n;

  ens_ranking_clear (ranking);
  ADD (ranking, {{10, 10, 60, 60}, 2500, 5, 0.5f}, {near_duplicates_rows[_i].other, 1000, 2, 0.5f});
  ens_ranking_run (ranking, 100, 100, 1000, pool, &n);
  ck_assert_uint_eq (n, near_duplicates_rows[_i].n_windows);
}
END_TEST

/* All else equal, each of these decides. */
static const struct {
  const char *name;
  EnsGroup better, worse;
} order_rows[] = {
    {"level", {{0, 0, 30, 30}, 900, 6, 0.5f}, {{50, 50, 80, 80}, 900, 3, 0.5f}},
    {"difference", {{0, 0, 30, 30}, 900, 5, 0.4f}, {{50, 50, 80, 80}, 900, 5, 0.6f}},
    {"fill", {{0, 0, 30, 30}, 900, 5, 0.5f}, {{50, 50, 80, 80}, 300, 5, 0.5f}},
    {"shape", {{0, 0, 30, 30}, 900, 5, 0.5f}, {{0, 50, 90, 60}, 900, 5, 0.5f}},
};

START_TEST (test_order)
{
  g_autoptr (EnsRanking) ranking = ens_ranking_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  for (guint swap = 0; swap < 2; swap++) {
    guint n;

    ens_ranking_clear (ranking);
    ADD (ranking, swap ? order_rows[_i].worse : order_rows[_i].better,
         swap ? order_rows[_i].better : order_rows[_i].worse);
    ck_assert_double_eq (get_best (ranking, pool, &n)->y, 0);
    ck_assert_uint_eq (n, 2);
  }
}
END_TEST

/* Several hierarchies that agree, nearly, outvote one; one hierarchy's repetition counts once. */
START_TEST (test_votes)
{
  const EnsGroup lone = {{50, 50, 80, 80}, 900, 5, 0.49f};
  g_autoptr (EnsRanking) ranking = ens_ranking_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  guint n;

  ADD (ranking, lone, {{0, 0, 30, 30}, 900, 5, 0.5f});
  ck_assert_double_eq (get_best (ranking, pool, &n)->x, 0.5f);
  ADD (ranking, {{0, 0, 30, 31}, 900, 5, 0.5f});
  ck_assert_double_eq (get_best (ranking, pool, &n)->x, 0);
  ck_assert_uint_eq (n, 2);

  ens_ranking_clear (ranking);
  ADD (ranking, lone, {{0, 0, 30, 30}, 900, 5, 0.5f}, {{0, 0, 30, 30}, 900, 5, 0.5f});
  ck_assert_double_eq (get_best (ranking, pool, &n)->x, 0.5f);
}
END_TEST

/* More candidates than are compared with each other, and fewer windows than there are. */
START_TEST (test_limits)
{
  enum { N = 20000 };
  g_autofree EnsGroup *groups = g_new0 (EnsGroup, N);
  g_autoptr (EnsRanking) ranking = ens_ranking_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  const EnsWindow *windows;
  guint n;

  for (guint i = 0; i < N; i++) {
    guint16 x = (guint16)g_rand_int_range (random, 0, 500);
    guint16 y = (guint16)g_rand_int_range (random, 0, 500);

    groups[i].box = (EnsBox) {x, y, (guint16)(x + g_rand_int_range (random, 1, 140)),
                              (guint16)(y + g_rand_int_range (random, 1, 140))};
    groups[i].size = ens_box_area (groups[i].box);
    groups[i].height = (guint)g_rand_int_range (random, 0, 40);
    groups[i].similarity = (float)g_rand_double (random);
  }
  ens_ranking_add (ranking, groups, N);
  windows = ens_ranking_run (ranking, 640, 640, 300, pool, &n);
  ck_assert_uint_eq (n, 300);
  for (guint i = 1; i < n; i++)
    ck_assert_double_ge (windows[i - 1].score, windows[i].score);
}
END_TEST

START_TEST (test_none)
{
  g_autoptr (EnsRanking) ranking = ens_ranking_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  guint n = 1;

  ens_ranking_run (ranking, 10, 10, 100, pool, &n);
  ck_assert_uint_eq (n, 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/ranking");
  TEST_ADD_LOOP ("near-duplicates", test_near_duplicates, near_duplicates_rows);
  TEST_ADD_ROWS ("order", test_order, order_rows);
  test_add ("votes", test_votes);
  test_add ("limits", test_limits);
  test_add ("none", test_none);
  return test_run ();
}
