/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps against values computed by hand; tests/peers/optimiser.py compares with PyTorch. */
#include "train/optimiser.h"

#include "check-main.h"

#define SGD ENS_OPTIMISER_SGD
#define ADAM ENS_OPTIMISER_ADAM
#define ADAM_BETAS .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8

/* One weight that begins at 1 and gets the gradients 0.5, -0.25, 1 at a rate of 0.1. */
static const struct {
  const char *name;
  EnsOptimiserOptions options;
  double rate_factor;
  double decay_factor;
  double expected[3];
} rows[] = {
    {"plain", {SGD}, 1, 1, {0.95, 0.975, 0.875}},
    {"factor", {SGD}, 2, 1, {0.9, 0.95, 0.75}},
    {"frozen", {SGD, .momentum = 0.9, .decay = 0.1}, 0, 1, {1, 1, 1}},
    /* v = 0.5, 0.2, 1.18 */
    {"momentum", {SGD, .momentum = 0.9}, 1, 1, {0.95, 0.93, 0.812}},
    /* g + 0.9 v = 0.95, -0.07, 2.062 */
    {"nesterov", {SGD, .momentum = 0.9, .nesterov = TRUE}, 1, 1, {0.905, 0.912, 0.7058}},
    /* g + 0.1 p = 0.6, -0.156, 1.09556 */
    {"decay", {SGD, .decay = 0.1}, 1, 1, {0.94, 0.9556, 0.846044}},
    {"no-decay", {SGD, .decay = 0.1}, 1, 0, {0.95, 0.975, 0.875}},
    /* g + 0.05 p = 0.55, -0.20275, 1.0482625 */
    {"share", {SGD, .decay = 0.1}, 1, 0.5, {0.945, 0.96527500, 0.8604486}},
    /* 0.99 p - 0.1 g */
    {"decoupled", {SGD, .decoupled_decay = TRUE, .decay = 0.1}, 1, 1, {0.94, 0.9556, 0.846044}},
    {"clip", {SGD, .clip = 0.25}, 1, 1, {0.975, 1, 0.975}},
    /* a = 0.05, 0.02, 0.118 and b = 0.0025, 0.0031, 0.013069 before their corrections */
    {"adam", {ADAM, ADAM_BETAS}, 1, 1, {0.9, 0.8733301, 0.8076888}},
    {"adamw",
     {ADAM, ADAM_BETAS, .decoupled_decay = TRUE, .decay = 0.1},
     1,
     1,
     {0.89, 0.8544301, 0.7802445}},
};

START_TEST (test_step)
{
  static const float gradients[] = {0.5F, -0.25F, 1};
  const EnsParameterGroup group = {"weight", 1, rows[_i].rate_factor, rows[_i].decay_factor};
  g_autoptr (EnsOptimiser) optimiser = ens_optimiser_new (&rows[_i].options, &group, 1);
  float weight = 1;

  for (guint i = 0; i < 3; i++) {
    double norm = ens_optimiser_step (optimiser, 0.1, &gradients[i], &weight);

    ck_assert_double_eq_tol (norm, group.rate_factor != 0 ? fabs (gradients[i]) : 0, 1e-7);
    ck_assert_double_eq_tol (weight, rows[_i].expected[i], 2e-7);
  }
}
END_TEST

static const EnsParameterGroup groups[] = {
    {"first", 2, 1, 1}, {"second", 1, 0, 1}, {"third", 1, 0.5, 0}};

/* The norm is that of all groups together; frozen ones don't count. */
START_TEST (test_clip_groups)
{
  static const float gradients[] = {3, 0, 100, 4};
  float weights[4] = {0};
  g_autoptr (EnsOptimiser) optimiser =
      ens_optimiser_new (&(EnsOptimiserOptions) {.clip = 1}, groups, G_N_ELEMENTS (groups));

  ck_assert_uint_eq (ens_optimiser_get_size (optimiser), 4);
  ck_assert_double_eq_tol (ens_optimiser_step (optimiser, 1, gradients, weights), 5, 1e-6);
  ck_assert_double_eq_tol (weights[0], -0.6, 1e-6);
  ck_assert_double_eq (weights[2], 0);
  ck_assert_double_eq_tol (weights[3], -0.4, 1e-6);
}
END_TEST

START_TEST (test_overflow)
{
  float gradients[4] = {1, 2, 3, 4};
  g_autoptr (EnsOptimiser) optimiser =
      ens_optimiser_new (&ENS_OPTIMISER_SGD_DEFAULTS, groups, G_N_ELEMENTS (groups));

  ck_assert_ptr_null (ens_optimiser_find_overflow (optimiser, gradients));
  gradients[3] = NAN;
  ck_assert_pstr_eq (ens_optimiser_find_overflow (optimiser, gradients)->name, "third");
  gradients[1] = -INFINITY;
  ck_assert_pstr_eq (ens_optimiser_find_overflow (optimiser, gradients)->name, "first");
}
END_TEST

/* Three steps, or one, its state taken over, and two: the same bits. */
START_TEST (test_resume)
{
  const EnsOptimiserOptions options =
      _i == ADAM ? ENS_OPTIMISER_ADAM_DEFAULTS : ENS_OPTIMISER_SGD_DEFAULTS;
  static const float gradients[] = {0.3F, -0.7F, 0.9F, 0.01F};
  float whole[4] = {1, 2, 3, 4}, parts[4] = {1, 2, 3, 4};
  g_autoptr (EnsOptimiser) one = ens_optimiser_new (&options, groups, 3);
  g_autoptr (EnsOptimiser) two = ens_optimiser_new (&options, groups, 3);
  const float *from;
  float *to;
  gsize n;

  for (guint i = 0; i < 3; i++)
    ens_optimiser_step (one, 0.01, gradients, whole);
  ens_optimiser_step (two, 0.01, gradients, parts);
  from = ens_optimiser_get_state (two, &n);
  {
    g_autoptr (EnsOptimiser) resumed = ens_optimiser_new (&options, groups, 3);

    to = ens_optimiser_get_state (resumed, &n);
    memcpy (to, from, n * sizeof *to);
    ens_optimiser_set_steps (resumed, ens_optimiser_get_steps (two));
    for (guint i = 0; i < 2; i++)
      ens_optimiser_step (resumed, 0.01, gradients, parts);
  }
  ck_assert_bytes_eq (whole, sizeof whole, parts, sizeof parts);
}
END_TEST

/* Keeps 0.1 of the first, 2/11 in the second step, `decay` in the end. */
START_TEST (test_average)
{
  float average = 1;

  ens_average_update (&average, &(float) {2}, 1, 0.5, 0);
  ck_assert_double_eq_tol (average, 1.9, 1e-6);
  ens_average_update (&average, &(float) {3}, 1, 0.5, 1);
  ck_assert_double_eq_tol (average, 2.8, 1e-6);
  ens_average_update (&average, &(float) {0}, 1, 0.5, 1000);
  ck_assert_double_eq_tol (average, 1.4, 1e-6);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("train/optimiser");
  TEST_ADD_ROWS ("step", test_step, rows);
  test_add ("clip-groups", test_clip_groups);
  test_add ("overflow", test_overflow);
  test_add_loop ("resume", test_resume, ENS_N_OPTIMISERS);
  test_add ("average", test_average);
  return test_run ();
}
