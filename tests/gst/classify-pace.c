/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of a frame ensembleclassify looks at, within its budgets, and what it says of them. */
#include "classify-fixture.h"
#include "ensemble-classify.h"
#include "ensemble/frame-cost.h"

#define RED 0xff0000
#define BLUE 0x0000ff

/* Divided into 4 × 3 sub-images. */
#define LARGE "video/x-raw, format=RGB, width=480, height=320, framerate=25/1"

static void
play (const char *mode)
{
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", mode);
  classify_play (classify, LARGE);
}

static GstBus *
take_bus (void)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (classify->element, bus);
  return bus;
}

/* ---- Processor time ---- */

static const struct {
  const char *name, *value; /* beside the budget */
  gint64 budget;
  guint windows, sub_images; /* that are looked at, of 10 and 12 */
} budget_rows[] = {
    {NULL, NULL, 0, 10, 12},
    {NULL, NULL, G_MAXINT64, 10, 12},
    {NULL, NULL, 1, 0, 1},
    {"windows", "4", 1, 4, 1},
    {"max-sub-images", "6", 1, 0, 6},
    {"sub-images", "on", 1, 0, 12},
    /* By the stated rates: tiles alone; windows, which come first, alone; both. */
    {NULL, NULL, 1000000, 0, 12},
    {NULL, NULL, 33000000, 10, 1},
    {NULL, NULL, 100000000, 10, 12},
};

START_TEST (test_budget)
{
  guint windows = budget_rows[_i].windows, sub_images = budget_rows[_i].sub_images;
  gboolean set_windows = g_strcmp0 (budget_rows[_i].name, "windows") == 0;
  gboolean set_tiles = g_strcmp0 (budget_rows[_i].name, "max-sub-images") == 0;
  guint wanted = set_windows ? 4 : 10, tiles = set_tiles ? 6 : 12;
  g_autoptr (GstBuffer) out = NULL;
  const EnsResult *result;

  g_object_set (classify->element, "cpu-budget", budget_rows[_i].budget, NULL);
  if (budget_rows[_i].name != NULL)
    gst_util_set_object_arg (G_OBJECT (classify->element), budget_rows[_i].name,
                             budget_rows[_i].value);
  play ("sync");
  out = classify_push (classify, RED, 0);
  result = classify_get_result (out);
  ck_assert_uint_eq (result->map != NULL ? ens_probability_map_get_size (result->map) : 1,
                     sub_images);
  ck_assert_int_eq (result->n_windows > 0, windows > 0);
  ck_assert_int_eq (result->cut != NULL, windows < wanted || sub_images < tiles);
  if (result->cut != NULL) {
    ck_assert_uint_eq (result->cut->windows, wanted - windows);
    ck_assert_uint_eq (result->cut->sub_images, tiles - sub_images);
    ck_assert_uint_eq (result->cut->scales, 0);
    ck_assert_uint_eq (result->cut->frames, 0);
  }
  ck_assert_uint_eq (classify_get_stat (classify, "cut"), result->cut != NULL);
}
END_TEST

/* The bus hears once that something is cut, when costs are known. */
START_TEST (test_told)
{
  g_autoptr (GstBus) bus = take_bus ();
  guint n = 0;

  g_object_set (classify->element, "cpu-budget", G_GINT64_CONSTANT (1), NULL);
  play ("sync");
  for (guint i = 0; i < 20; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  for (GstMessage *message; (message = gst_bus_pop_filtered (bus, GST_MESSAGE_INFO)) != NULL; n++) {
    g_autoptr (GError) info = NULL;

    gst_message_parse_info (message, &info, NULL);
    test_message ("%s", info->message);
    ck_assert (strstr (info->message, "A frame of 480x320 takes") != NULL);
    ck_assert (strstr (info->message, "0 windows, 1 sub-image and 1 scale") != NULL);
    gst_message_unref (message);
  }
  ck_assert_uint_eq (n, 1);
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* A still scene is analysed until costs are known, then no more. */
START_TEST (test_still)
{
  g_object_set (classify->element, "motion", 0.02, "cpu-budget", G_GINT64_CONSTANT (1), NULL);
  play ("sync");
  for (guint i = 0; i < 20; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 4);
  g_object_set (classify->element, "cpu-budget", G_GINT64_CONSTANT (0), NULL);
  for (guint i = 20; i < 40; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 5);
}
END_TEST

/* ---- A choice that takes long, since it plans ---- */

static struct {
  GMutex lock;
  GCond changed;
  gboolean held, arrived, given_up;
  double least, most; /* budgets of processor time that were chosen for; 0: none yet */
  guint n;            /* choices that were made */
  guint more;         /* the one that has all the windows there are, counted from 1; 0: none */
} choice;

/* The linker puts these in place of the elements' calls (--wrap). */
EnsExtent __real_ens_frame_fit (const EnsFrameSettings *settings, double budget,
                                const EnsExtent *before);
EnsExtent __wrap_ens_frame_fit (const EnsFrameSettings *settings, double budget,
                                const EnsExtent *before);

EnsExtent
__wrap_ens_frame_fit (const EnsFrameSettings *settings, double budget, const EnsExtent *before)
{
  const gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;
  EnsExtent chosen;

  g_mutex_lock (&choice.lock);
  choice.arrived = TRUE;
  choice.least = choice.most == 0 ? budget : MIN (choice.least, budget);
  choice.most = MAX (choice.most, budget);
  g_cond_broadcast (&choice.changed);
  while (choice.held && !choice.given_up)
    choice.given_up = !g_cond_wait_until (&choice.changed, &choice.lock, end);
  chosen = __real_ens_frame_fit (settings, budget, before);
  if (++choice.n == choice.more)
    chosen.windows = ens_frame_get_extent (settings).windows;
  g_mutex_unlock (&choice.lock);
  return chosen;
}

/* What is tried, since the budget may pay for it after all, is judged by what it cost. */
START_TEST (test_trial)
{
  /* After the first four choices, one is made at each eighth frame, and one behind what is more. */
  static const guint n_choices[] = {1, 2, 3, 4, 4, 4, 4, 4, 5, 6, 6, 6, 6, 6, 6, 6, 7, 7};

  choice.n = 0;
  choice.more = 5;
  g_object_set (classify->element, "cpu-budget", G_GINT64_CONSTANT (1), NULL);
  play ("sync");
  for (guint i = 0; i < G_N_ELEMENTS (n_choices); i++) {
    g_autoptr (GstBuffer) out = classify_push (classify, RED, i * FRAME);

    test_message ("frame %u", i);
    ck_assert_uint_eq (choice.n, n_choices[i]);
    ck_assert_int_eq (classify_get_result (out)->n_windows > 0, i == 8);
  }
  choice.more = 0;
}
END_TEST

/* Video goes on meanwhile, also where a frame that waits is replaced, and so does who asks for
 * statistics. */
START_TEST (test_choice)
{
  choice.held = TRUE;
  choice.arrived = choice.given_up = FALSE;
  g_object_set (classify->element, "inference-period", (guint64)FRAME, NULL);
  play ("async");
  gst_buffer_unref (classify_push (classify, RED, 0));
  g_mutex_lock (&choice.lock);
  while (!choice.arrived)
    g_cond_wait (&choice.changed, &choice.lock);
  g_mutex_unlock (&choice.lock);
  for (guint i = 1; i < 4; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "skipped"), 2);
  g_mutex_lock (&choice.lock);
  ck_assert (!choice.given_up);
  choice.held = FALSE;
  g_cond_broadcast (&choice.changed);
  g_mutex_unlock (&choice.lock);
  while (classify_get_stat (classify, "analysed") < 2)
    g_thread_yield ();
}
END_TEST

/* ---- Latency ---- */

/* Nothing is fast enough: windows go, then sub-images, then frames. */
START_TEST (test_latency)
{
  guint64 analysed = 0;

  /* Sanitized, a frame may cost more than the processor's budget. */
  g_object_set (classify->element, "latency-budget", G_GUINT64_CONSTANT (1), "cpu-budget",
                G_GINT64_CONSTANT (0), NULL);
  play ("sync");
  for (guint i = 0; i < 100; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "cut-windows"), 10);
  ck_assert_uint_eq (classify_get_stat (classify, "cut-sub-images"), 11);
  ck_assert_uint_eq (classify_get_stat (classify, "cut-frames"), 15);
  analysed = classify_get_stat (classify, "analysed");
  ck_assert_uint_lt (analysed, 40);
  /* Without a budget all of it comes back. */
  g_object_set (classify->element, "latency-budget", G_GUINT64_CONSTANT (0), NULL);
  for (guint i = 100; i < 140; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "cut-windows"), 0);
  ck_assert_uint_eq (classify_get_stat (classify, "cut-frames"), 0);
  ck_assert_uint_gt (classify_get_stat (classify, "analysed"), analysed + 10);
}
END_TEST

/* Load leaves out frames, which gives those that are analysed no more processor time: they would be
 * cut by one and filled up by the other in turn. */
START_TEST (test_automatic_budget)
{
  choice.least = choice.most = 0;
  g_object_set (classify->element, "latency-budget", G_GUINT64_CONSTANT (1), "inference-period",
                (guint64)FRAME, NULL);
  play ("async");
  for (guint i = 0; i < 3000 && classify_get_stat (classify, "cut-frames") == 0; i++) {
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
    g_usleep (1000);
  }
  ck_assert_uint_gt (classify_get_stat (classify, "cut-frames"), 0);
  for (guint i = 3000; i < 3100; i++) {
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
    g_usleep (1000);
  }
  ck_assert_double_gt (choice.most, 0);
  ck_assert_double_eq (choice.least, choice.most);
}
END_TEST

/* What load has cut of a still scene comes back when the load is over. */
START_TEST (test_still_under_load)
{
  guint64 analysed;
  guint i = 0;

  g_object_set (classify->element, "motion", 0.02, "latency-budget", G_GUINT64_CONSTANT (1),
                "cpu-budget", G_GINT64_CONSTANT (0), NULL);
  play ("sync");
  for (; i < 3; i++)
    gst_buffer_unref (classify_push (classify, i % 2 ? RED : BLUE, i * FRAME));
  ck_assert_uint_gt (classify_get_stat (classify, "cut-windows"), 0);
  /* This change has one frame analysed, still as little of it. */
  g_object_set (classify->element, "latency-budget", G_GUINT64_CONSTANT (0), NULL);
  gst_buffer_unref (classify_push (classify, RED, i++ * FRAME));
  analysed = classify_get_stat (classify, "analysed");
  for (guint n = 1; n < 30; n++) {
    g_autoptr (GstBuffer) out = classify_push (classify, RED, i++ * FRAME);

    ck_assert_uint_eq (classify_get_stat (classify, "analysed"), analysed + (n >= 8));
    ck_assert_int_eq (classify_get_result (out)->cut == NULL, n >= 8);
  }
}
END_TEST

/* ---- Missed periods ---- */

static void
push_async (guint frame)
{
  gst_buffer_unref (classify_push (classify, RED, frame * FRAME));
}

/* One frame is analysed, one waits and is replaced by a third. */
static void
miss_one (guint first)
{
  gate_close ();
  push_async (first);
  gate_wait_arrived (1);
  push_async (first + 1);
  push_async (first + 2);
  gate_open ();
  gate_wait_left (2);
}

/* (transfer full) (nullable) */
static GstMessage *
pop_missed (GstBus *bus, GstClockTime timeout)
{
  GstMessage *message;

  while ((message = gst_bus_timed_pop_filtered (bus, timeout, GST_MESSAGE_ELEMENT)) != NULL
         && !gst_message_has_name (message, "ensemble-period-missed"))
    gst_message_unref (message);
  return message;
}

/* The first analysis also plans: what comes meanwhile is not missed. */
static void
play_first (void)
{
  gate_close ();
  play ("async");
  push_async (0);
  gate_open ();
  gate_wait_left (1);
}

START_TEST (test_missed)
{
  g_autoptr (GstBus) bus = take_bus ();
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *structure;
  guint64 missed, period, cpu;
  const char *property;

  g_object_set (classify->element, "inference-period", (guint64)FRAME, NULL);
  play_first ();
  miss_one (1);
  message = pop_missed (bus, 10 * GST_SECOND);
  ck_assert_ptr_nonnull (message);
  structure = gst_message_get_structure (message);
  ck_assert (gst_structure_get (structure, "missed", G_TYPE_UINT64, &missed, "period",
                                G_TYPE_UINT64, &period, "cpu", G_TYPE_UINT64, &cpu, NULL));
  property = gst_structure_get_string (structure, "property");
  test_message ("%s", gst_structure_get_string (structure, "text"));
  ck_assert_uint_ge (missed, 1);
  ck_assert_uint_eq (period, FRAME);
  ck_assert_uint_gt (cpu, 0);
  ck_assert_ptr_nonnull (
      g_object_class_find_property (G_OBJECT_GET_CLASS (classify->element), property));
  /* Others are counted, but nobody is told so soon again. */
  miss_one (4);
  ck_assert_uint_ge (classify_get_stat (classify, "missed"), missed + 1);
  ck_assert_ptr_null (pop_missed (bus, 0));
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* Where nobody has asked for a period, a frame that is replaced misses none. */
START_TEST (test_not_missed)
{
  play_first ();
  miss_one (1);
  ck_assert_uint_eq (classify_get_stat (classify, "skipped"), 1);
  ck_assert_uint_eq (classify_get_stat (classify, "missed"), 0);
}
END_TEST

/* What is said of a result that has come late, on a stream of its own. */
static const struct {
  const char *name;
  gint64 budget;
  EnsAnalyseOptions options;
  guint frames, replaced;
  gint64 latency, planning; /* of a period of 40 ms */
  guint missed;
  const char *property, *verb;
} late_rows[] = {
    {"automatic",
     GST_ENSEMBLE_CPU_BUDGET_AUTO,
     {.windows = 4},
     1,
     0,
     50,
     0,
     1,
     "windows",
     "lower windows"},
    {"automatic, nothing left",
     GST_ENSEMBLE_CPU_BUDGET_AUTO,
     {.windows = 0},
     1,
     0,
     50,
     0,
     1,
     "inference-period",
     "raise inference-period"},
    {"none",
     GST_ENSEMBLE_CPU_BUDGET_NONE,
     {.windows = 4},
     1,
     0,
     50,
     0,
     1,
     "cpu-budget",
     "set cpu-budget"},
    {"none, nothing left",
     GST_ENSEMBLE_CPU_BUDGET_NONE,
     {.windows = 0},
     1,
     0,
     50,
     0,
     1,
     "inference-period",
     "raise inference-period"},
    {"set", G_MAXINT64, {.windows = 4}, 1, 0, 50, 0, 1, "cpu-budget", "lower cpu-budget"},
    {"set, nothing left",
     1,
     {.windows = -1},
     1,
     0,
     50,
     0,
     1,
     "inference-period",
     "raise inference-period"},
    {"in time", 0, {.windows = 0}, 1, 0, 30, 0, 0, NULL, NULL},
    {"of two frames, in time", 0, {.windows = 0}, 2, 0, 50, 0, 0, NULL, NULL},
    {"replaced", 0, {.windows = 0}, 1, 3, 30, 0, 3, "inference-period", "3 results"},
    {"planned", 0, {.windows = 0}, 1, 5, 2000, 1980, 0, NULL, NULL},
    {"planned, and late", 0, {.windows = 0}, 1, 5, 2000, 1900, 1, "inference-period", "1 results"},
};

START_TEST (test_late)
{
  const EnsAnalyseOptions *options = &late_rows[_i].options;
  const GstEnsemblePaceSettings settings = {.cpu_budget = late_rows[_i].budget,
                                            .period = FRAME,
                                            .frames = late_rows[_i].frames,
                                            .strict = TRUE};
  GstEnsemblePace *pace = gst_ensemble_pace_new (GST_OBJECT (classify->element));
  g_autoptr (GstBus) bus = take_bus ();
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBuffer) out = NULL;
  GstEnsemblePaceStats stats;
  EnsCut cut;

  classify_play_mode (classify, "sync");
  out = classify_push (classify, RED, 0);
  ensemble = gst_ensemble_classify_get_ensemble (GST_ENSEMBLE_CLASSIFY (classify->element));
  for (guint i = 0; i < 2; i++) {
    gst_ensemble_pace_limit (pace, &(EnsFrameSettings) {ensemble, options, 32, 24}, &settings,
                             &cut);
    for (guint r = 0; i > 0 && r < late_rows[_i].replaced; r++)
      gst_ensemble_pace_skip (pace, &settings);
    gst_ensemble_pace_finish (pace, classify_get_result (out), late_rows[_i].latency * GST_MSECOND,
                              late_rows[_i].planning * GST_MSECOND);
  }
  gst_ensemble_pace_get_stats (pace, &stats);
  ck_assert_uint_eq (stats.missed, late_rows[_i].missed);
  message = pop_missed (bus, 0);
  ck_assert_int_eq (message != NULL, late_rows[_i].property != NULL);
  if (message != NULL) {
    const GstStructure *structure = gst_message_get_structure (message);

    ck_assert_str_eq (gst_structure_get_string (structure, "property"), late_rows[_i].property);
    ck_assert_contains (gst_structure_get_string (structure, "text"), late_rows[_i].verb);
  }
  gst_ensemble_pace_free (pace);
}
END_TEST

/* ---- What analyses took ---- */

START_TEST (test_stats)
{
  g_object_set (classify->element, "threads", 1, NULL);
  play ("sync");
  gst_buffer_unref (classify_push (classify, RED, 0));
  gst_buffer_unref (classify_push (classify, RED, FRAME));
  ck_assert_uint_gt (classify_get_stat (classify, "last-cpu"), 0);
  ck_assert_uint_gt (classify_get_stat (classify, "mean-cpu"), 0);
  ck_assert_uint_ge (classify_get_stat (classify, "last-latency"),
                     classify_get_stat (classify, "last-total"));
}
END_TEST

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  test_init (&argc, &argv);
  test_suite ("gst/classify-pace");
  test_fixture (classify_set_up, classify_tear_down);
  TEST_ADD_LOOP ("budget", test_budget, budget_rows);
  test_add ("told", test_told);
  test_add ("still", test_still);
  test_add ("choice", test_choice);
  test_add ("trial", test_trial);
  test_add ("latency", test_latency);
  test_add ("automatic-budget", test_automatic_budget);
  test_add ("still-under-load", test_still_under_load);
  test_add ("missed", test_missed);
  test_add ("not-missed", test_not_missed);
  TEST_ADD_ROWS ("late", test_late, late_rows);
  test_add ("stats", test_stats);
  return test_run ();
}
