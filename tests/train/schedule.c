/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/schedule.h"

#include "check-main.h"

#define COSINE                          \
  {                                     \
    ENS_SCHEDULE_COSINE, .n_steps = 100 \
  }
#define WARM_COSINE                                                   \
  {                                                                   \
    ENS_SCHEDULE_COSINE, .n_steps = 110, .n_warm_up = 10, .last = 0.1 \
  }
#define STEP                                                      \
  {                                                               \
    ENS_SCHEDULE_STEP, .n_steps = 100, .gamma = 0.1, .period = 30 \
  }
#define LINEAR                                       \
  {                                                  \
    ENS_SCHEDULE_LINEAR, .n_steps = 100, .hold = 0.5 \
  }

static const struct {
  const char *name;
  EnsSchedule schedule;
  guint64 step;
  double expected;
} rows[] = {
    {"constant", {ENS_SCHEDULE_CONSTANT, .n_steps = 10}, 7, 1},
    {"constant-warm-up", {ENS_SCHEDULE_CONSTANT, .n_steps = 10, .n_warm_up = 4}, 0, 0.25},
    {"cosine-first", COSINE, 0, 1},
    {"cosine-third", COSINE, 100 / 3, 0.7545207},
    {"cosine-middle", COSINE, 50, 0.5},
    {"cosine-last", COSINE, 99, 0.000246719},
    {"cosine-beyond", COSINE, 1000, 0},
    {"warm-up-first", WARM_COSINE, 0, 0.1},
    {"warm-up-last", WARM_COSINE, 9, 1},
    {"warm-up-behind", WARM_COSINE, 10, 1},
    {"warm-up-middle", WARM_COSINE, 60, 0.55},
    {"step-0", STEP, 29, 1},
    {"step-1", STEP, 30, 0.1},
    {"step-3", STEP, 99, 0.001},
    {"linear-held", LINEAR, 50, 1},
    {"linear-falling", LINEAR, 75, 0.5},
    {"linear-last", LINEAR, 99, 0.02},
};

START_TEST (test_factor)
{
  ck_assert_double_eq_tol (ens_schedule_factor (&rows[_i].schedule, rows[_i].step),
                           rows[_i].expected, 1e-6);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("train/schedule");
  TEST_ADD_ROWS (NULL, test_factor, rows);
  return test_run ();
}
