/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What costs are learnt to be, what a budget buys, and what load cuts. */
#include <string.h>

#include "check-main.h"
#include "ensemble/budget.h"
#include "ensemble/cost.h"
#include "ensemble/latency-control.h"
#include "ensemble/window-gain.h"

/* ---- The model ---- */

START_TEST (test_learn)
{
  const EnsWork work = {.amounts = {[ENS_STAGE_SEARCH] = 100, [ENS_STAGE_WHOLE] = 1000}};
  const EnsWork twice = {.amounts = {[ENS_STAGE_SEARCH] = 200, [ENS_STAGE_WHOLE] = 2000}};
  const EnsWork windows = {.amounts = {[ENS_STAGE_WINDOWS] = 1e9}};
  EnsStageTimes times = {{[ENS_STAGE_SEARCH] = 500, [ENS_STAGE_WHOLE] = 3000}};
  EnsCostModel model;

  ens_cost_model_init (&model, FALSE);
  ck_assert_int_gt (ens_cost_model_estimate (&model, &windows).nanoseconds[ENS_STAGE_WINDOWS], 0);
  ens_cost_model_learn (&model, &work, &times);
  times = ens_cost_model_estimate (&model, &twice);
  ck_assert_int_eq (times.nanoseconds[ENS_STAGE_SEARCH], 1000);
  ck_assert_int_eq (times.nanoseconds[ENS_STAGE_WHOLE], 6000);
  ck_assert_int_eq (ens_stage_times_sum (&times), 7000);
  /* Later measurements count a fifth; what was not done is not learnt. */
  ens_cost_model_learn (&model, &work, &(EnsStageTimes) {{[ENS_STAGE_SEARCH] = 1000}});
  times = ens_cost_model_estimate (&model, &work);
  ck_assert_int_eq (times.nanoseconds[ENS_STAGE_SEARCH], 600);
  ck_assert_int_eq (times.nanoseconds[ENS_STAGE_WHOLE], 2400);
  ck_assert (!model.measured[ENS_STAGE_WINDOWS]);
}
END_TEST

START_TEST (test_gpu_costs_no_processor)
{
  const EnsWork work = {.amounts = {[ENS_STAGE_WHOLE] = 1e9, [ENS_STAGE_WINDOWS] = 1e9}};
  EnsCostModel model;
  EnsStageTimes times;

  ens_cost_model_init (&model, TRUE);
  times = ens_cost_model_estimate (&model, &work);
  ck_assert_int_eq (ens_stage_times_sum (&times), 0);
}
END_TEST

#define MS 1e6

/* Windows alone are searched and classified; the rest of a frame takes 10 ms. */
typedef struct {
  EnsCostModel model;
  double search, window; /* what they take in truth */
} Machine;

static EnsWork
count_work (guint windows)
{
  return (EnsWork) {.amounts = {[ENS_STAGE_SEARCH] = windows > 0 ? 100000 : 0,
                                [ENS_STAGE_WHOLE] = 1e9,
                                [ENS_STAGE_WINDOWS] = windows * 1e8}};
}

static double
estimate_windows (gpointer data, const EnsExtent *extent)
{
  const Machine *machine = data;
  const EnsWork work = count_work (extent->windows);
  const EnsStageTimes times = ens_cost_model_estimate (&machine->model, &work);

  return (double)ens_stage_times_sum (&times);
}

static void
run (Machine *machine, guint windows)
{
  const EnsWork work = count_work (windows);
  const EnsStageTimes times = {
      .nanoseconds = {[ENS_STAGE_SEARCH] = windows > 0 ? (gint64)(machine->search * MS) : 0,
                      [ENS_STAGE_WHOLE] = 10 * MS,
                      [ENS_STAGE_WINDOWS] = (gint64)(windows * machine->window * MS)}};

  ens_cost_model_learn (&machine->model, &work, &times);
}

/* Windows that are chosen for each of n frames; how many frames get any. */
static guint
play (Machine *machine, double budget, guint n, EnsExtent *chosen)
{
  const EnsBudgetParams params = {.all = {100, 1, 1, 1},
                                  .keep_sub_images = TRUE,
                                  .windows_first = TRUE,
                                  .estimate = estimate_windows,
                                  .data = machine};
  guint with_windows = 0;

  for (guint i = 0; i < n; i++) {
    *chosen = ens_budget_choose (&params, budget * MS, chosen);
    with_windows += chosen->windows > 0;
    run (machine, chosen->windows);
  }
  return with_windows;
}

static const struct {
  const char *name;
  double budget;        /* ms */
  gboolean slow_before; /* a minute in which everything took ten times as long */
  double search, window;
  guint n;
  gboolean some, mostly; /* frames have windows: any, and nearly all */
} return_rows[] = {
    {"the guess is too high", 25, FALSE, 1, 0.1, 200, TRUE, TRUE},
    {"it was slow for a while", 100, TRUE, 10, 0.5, 400, TRUE, TRUE},
    {"slow for ever: tried now and then", 100, FALSE, 150, 1, 1000, TRUE, FALSE},
    {"far too slow: not at all", 20, TRUE, 1000, 100, 1000, FALSE, FALSE},
};

START_TEST (test_windows_return)
{
  EnsExtent chosen = {0, 1, 1, 1};
  Machine machine;
  guint n;

  machine.search = return_rows[_i].search;
  machine.window = return_rows[_i].window;
  ens_cost_model_init (&machine.model, FALSE);
  if (return_rows[_i].slow_before) {
    Machine slow = {machine.model, 10 * machine.search, 10 * machine.window};

    run (&slow, 100);
    machine.model = slow.model;
  }
  n = play (&machine, return_rows[_i].budget, return_rows[_i].n, &chosen);
  test_message ("%s: %u frames of %u have windows", return_rows[_i].name, n, return_rows[_i].n);
  ck_assert_int_eq (n > 0, return_rows[_i].some);
  if (return_rows[_i].mostly)
    ck_assert_uint_ge (chosen.windows, 8);
  else
    ck_assert_uint_le (n, return_rows[_i].n / 50);
}
END_TEST

/* ---- The budget ---- */

/* A frame or sub-image 1, 3 or 10 by its scales, searching it 5, a window 1. */
static double
estimate (gpointer data, const EnsExtent *extent)
{
  static const guint prices[] = {0, 1, 3, 10};
  guint *n_calls = data;

  (*n_calls)++;
  return (prices[extent->scales] + (extent->windows > 0 ? 5 : 0)) * extent->sub_images
         + extent->windows;
}

enum { SCALES_KEPT = 1, WINDOWS_KEPT = 2, SUB_IMAGES_KEPT = 4, SUB_IMAGES_FIRST = 8, BEFORE = 16 };

static const struct {
  guint flags;
  guint windows, sub_images; /* wanted */
  double budget;
  guint before_windows, before_sub_images;
  guint expected_windows, expected_sub_images;
  guint expected_scales; /* 0: all three */
} budget_rows[] = {
    /* All of it; windows first, then what is left for sub-images. */
    {0, 100, 32, 1000, 0, 0, 100, 32},
    {0, 100, 32, 579, 0, 0, 100, 31},
    {0, 100, 32, 160, 0, 0, 100, 4},
    {0, 100, 32, 115, 0, 0, 100, 1},
    {0, 100, 32, 114, 0, 0, 96, 1},
    {0, 100, 32, 40, 0, 0, 16, 1},
    {0, 100, 32, 23, 0, 0, 8, 1},
    {0, 100, 32, 22, 0, 0, 0, 2},
    {0, 100, 32, 10, 0, 0, 0, 1},
    /* Scales go last, when neither windows nor sub-images are left. */
    {0, 100, 32, 9, 0, 0, 0, 3, 2},
    {0, 100, 32, 2, 0, 0, 0, 2, 1},
    {SCALES_KEPT, 100, 32, 2, 0, 0, 0, 1},
    /* A frame is classified once whatever it costs. */
    {0, 100, 32, 0.5, 0, 0, 0, 1, 1},
    {SCALES_KEPT, 0, 1, 1, 0, 0, 0, 1},
    /* Sub-images first. */
    {SUB_IMAGES_FIRST, 100, 32, 160, 0, 0, 0, 16},
    {SUB_IMAGES_FIRST, 100, 32, 400, 0, 0, 0, 32},
    {SUB_IMAGES_FIRST, 100, 32, 560, 0, 0, 80, 32},
    /* What the user has set stays. */
    {WINDOWS_KEPT, 100, 32, 10, 0, 0, 100, 1, 1},
    {WINDOWS_KEPT | SUB_IMAGES_FIRST, 100, 32, 160, 0, 0, 100, 4},
    {SUB_IMAGES_KEPT, 100, 4, 80, 0, 0, 16, 4},
    {SUB_IMAGES_KEPT, 100, 4, 10, 0, 0, 0, 4, 1},
    {SUB_IMAGES_KEPT | SCALES_KEPT, 100, 4, 10, 0, 0, 0, 4},
    {WINDOWS_KEPT | SUB_IMAGES_KEPT, 100, 32, 1, 0, 0, 100, 32, 1},
    /* The last choice stays while it costs about as much as there is. */
    {BEFORE, 100, 32, 155, 100, 4, 100, 4},
    {BEFORE, 100, 32, 144, 100, 4, 100, 2},
    {BEFORE, 100, 32, 176, 100, 4, 100, 4},
    {BEFORE, 100, 32, 200, 100, 4, 100, 5},
    {BEFORE, 100, 32, 1000, 0, 1, 100, 32},
    {BEFORE, 0, 1, 9.5, 0, 1, 0, 1, 3},
    {BEFORE, 0, 1, 9, 0, 1, 0, 1, 2},
    /* Fewer are wanted than before, or more of what is kept. */
    {BEFORE | WINDOWS_KEPT, 3, 1, 1000, 5, 1, 3, 1},
    {BEFORE | WINDOWS_KEPT, 9, 1, 20, 5, 1, 9, 1, 2},
    {BEFORE, 50, 4, 1000, 100, 8, 50, 4},
};

START_TEST (test_budget)
{
  const guint flags = budget_rows[_i].flags;
  const EnsExtent before = {budget_rows[_i].before_windows, budget_rows[_i].before_sub_images, 3,
                            1};
  guint n_calls = 0;
  const EnsBudgetParams params = {
      .all = {budget_rows[_i].windows, budget_rows[_i].sub_images, 3, 1},
      .keep_windows = (flags & WINDOWS_KEPT) != 0,
      .keep_sub_images = (flags & SUB_IMAGES_KEPT) != 0,
      .keep_scales = (flags & SCALES_KEPT) != 0,
      .windows_first = (flags & SUB_IMAGES_FIRST) == 0,
      .estimate = estimate,
      .data = &n_calls,
  };
  EnsExtent chosen =
      ens_budget_choose (&params, budget_rows[_i].budget, flags & BEFORE ? &before : NULL);

  test_message ("%u windows, %u sub-images, %u scales", chosen.windows, chosen.sub_images,
                chosen.scales);
  ck_assert_uint_eq (chosen.windows, budget_rows[_i].expected_windows);
  ck_assert_uint_eq (chosen.sub_images, budget_rows[_i].expected_sub_images);
  ck_assert_uint_eq (chosen.scales,
                     budget_rows[_i].expected_scales > 0 ? budget_rows[_i].expected_scales : 3);
  ck_assert_uint_le (n_calls, 200);
}
END_TEST

static const struct {
  const char *provenance;
  gboolean known, prefers;
} gain_rows[] = {
    {NULL, FALSE, TRUE},
    {"{}", FALSE, TRUE},
    {"{\"validation\": 3}", FALSE, TRUE},
    {"{\"validation\": [4, {\"name\": \"with windows\"}]}", FALSE, TRUE},
    {"{\"validation\": [{\"name\": \"without windows\", \"mean_average_precision\": 0.5}, "
     "{\"name\": \"with windows\", \"mean_average_precision\": 0.6}]}",
     TRUE, TRUE},
    {"{\"validation\": [{\"name\": \"without windows\", \"mean_average_precision\": 0.5}, "
     "{\"name\": \"with windows\", \"mean_average_precision\": 0.501}]}",
     TRUE, FALSE},
};

START_TEST (test_window_gain)
{
  const EnsBundle bundle = {.provenance = (char *)gain_rows[_i].provenance};
  double gain;

  ck_assert_int_eq (ens_bundle_get_window_gain (&bundle, &gain), gain_rows[_i].known);
  ck_assert_int_eq (ens_bundle_prefers_windows (&bundle), gain_rows[_i].prefers);
}
END_TEST

/* ---- Levels ---- */

static const struct {
  EnsExtent all;
  guint level, n_levels;
  EnsExtent expected;
} cut_rows[] = {
    {{100, 32, 3, 1}, 0, 15, {100, 32, 3, 1}}, {{100, 32, 3, 1}, 1, 15, {48, 32, 3, 1}},
    {{100, 32, 3, 1}, 2, 15, {24, 32, 3, 1}},  {{100, 32, 3, 1}, 4, 15, {0, 32, 3, 1}},
    {{100, 32, 3, 1}, 5, 15, {0, 16, 3, 1}},   {{100, 32, 3, 1}, 9, 15, {0, 1, 3, 1}},
    {{100, 32, 3, 1}, 11, 15, {0, 1, 1, 1}},   {{100, 32, 3, 1}, 12, 15, {0, 1, 1, 2}},
    {{100, 32, 3, 1}, 15, 15, {0, 1, 1, 16}},  {{100, 32, 3, 1}, 99, 15, {0, 1, 1, 16}},
    {{0, 1, 1, 1}, 1, 4, {0, 1, 1, 2}},        {{7, 1, 1, 1}, 1, 5, {0, 1, 1, 1}},
    {{0, 3, 1, 1}, 1, 5, {0, 1, 1, 1}},
};

START_TEST (test_cut)
{
  EnsExtent cut = ens_extent_cut (&cut_rows[_i].all, cut_rows[_i].level);

  ck_assert_mem_eq (&cut, &cut_rows[_i].expected, sizeof cut);
  ck_assert_uint_eq (ens_extent_count_levels (&cut_rows[_i].all), cut_rows[_i].n_levels);
}
END_TEST

/* ---- Latency ---- */

#define SECOND G_GINT64_CONSTANT (1000000000)

/* Results `spacing` seconds apart with these latencies, in tenths of the budget, and the levels
 * that they lead to. */
typedef struct {
  double spacing;
  guint n_levels;
  const char *latencies, *levels; /* a digit each; latencies 'a', 'b' … are 10, 11 … */
} LatencyRow;

static const LatencyRow latency_rows[] = {
    /* Within the budget nothing happens. */
    {1, 9, "555599995555555", "000000000000000"},
    /* Each time that it is too slow a level more, but for the first latency of a level. */
    {1, 9, "b9b9b9", "112233"},
    {1, 9, "bbbb", "1122"},
    {1, 9, "bbbbbb", "112233"},
    /* Far too slow: several at once; and never beyond the last. */
    {1, 9, "l5", "22"},
    {1, 9, "z5", "22"},
    {1, 2, "bbbbbbbb", "11222222"},
    /* Calm for five seconds: one less, and so on down. */
    {1, 9, "b5555555", "11111110"},
    {1, 9, "bbbb5555555555555555", "11222222211111110000"},
    /* Nearly too slow is not calm. */
    {1, 9, "b5558555555", "11111111110"},
    /* Less cut was too slow at once: twice as long until the next trial. */
    {1, 9, "b5555555bb5555555555555", "11111110011111111111100"},
    /* Results that are seldom: time counts, not how many. */
    {10, 9, "b555", "1110"},
};

static gint64
parse_latency (char letter)
{
  return (letter >= 'a' ? 10 + letter - 'a' : letter - '0') * SECOND / 10;
}

START_TEST (test_latency)
{
  const LatencyRow *row = &latency_rows[_i];
  EnsLatencyControl control = {0};
  g_autoptr (GString) levels = g_string_new (NULL);

  for (guint i = 0; row->latencies[i] != '\0'; i++) {
    const EnsLatencyMeasurement measured = {.now = (gint64)(i * row->spacing * SECOND),
                                            .latency = parse_latency (row->latencies[i]),
                                            .budget = SECOND,
                                            .n_levels = row->n_levels};

    g_string_append_printf (levels, "%u", ens_latency_control_step (&control, &measured));
  }
  ck_assert_str_eq (levels->str, row->levels);
}
END_TEST

/* A machine that affords level 3 alone, for an hour: it is found at once, and left seldom. */
START_TEST (test_no_flapping)
{
  EnsLatencyControl control = {0};
  guint changes = 0, level = 0;

  for (guint i = 0; i < 3600; i++) {
    const EnsLatencyMeasurement measured = {.now = i * SECOND,
                                            .latency = level < 3 ? 11 * SECOND / 10 : SECOND / 2,
                                            .budget = SECOND,
                                            .n_levels = 9};
    guint next = ens_latency_control_step (&control, &measured);

    changes += next != level;
    level = next;
  }
  ck_assert_uint_ge (level, 2);
  ck_assert_uint_le (changes, 3 + 2 * 17);
}
END_TEST

START_TEST (test_budget_taken_away)
{
  EnsLatencyControl control = {.level = 5};

  ck_assert_uint_eq (ens_latency_control_step (&control, &(EnsLatencyMeasurement) {SECOND, SECOND}),
                     0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/cost");
  test_add ("learn", test_learn);
  test_add ("gpu-costs-no-processor", test_gpu_costs_no_processor);
  TEST_ADD_ROWS ("windows-return", test_windows_return, return_rows);
  TEST_ADD_LOOP ("budget", test_budget, budget_rows);
  TEST_ADD_LOOP ("window-gain", test_window_gain, gain_rows);
  TEST_ADD_LOOP ("cut", test_cut, cut_rows);
  TEST_ADD_LOOP ("latency", test_latency, latency_rows);
  test_add ("no-flapping", test_no_flapping);
  test_add ("budget-taken-away", test_budget_taken_away);
  return test_run ();
}
