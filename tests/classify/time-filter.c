/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* States over time: each row is what one class's results were, and what follows. */
#include "classify/time-filter.h"

#include "check-main.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

/* Nothing but thresholds. */
#define PLAIN                         \
  {                                   \
    .consensus = 1, .consensus_of = 1 \
  }

/* Letters, one per result, of a threshold of 0.5: 0 to 9 are P in tenths, w is 0.9 withheld, n is
 * not a number, - a frame without a result or a gap, = one that looks like the last, < time going
 * back by ten seconds, > a gap of a minute, E the end of the stream. A result is a second after
 * what was before. States: + present, . absent, ? unknown. Events: when classes appeared (A) and
 * left (L), with the duration in seconds. */
typedef struct {
  const char *name;
  EnsTimeSettings settings;
  const char *results, *states, *events;
} Row;

static const Row rows[] = {
    {"plain", PLAIN, "190519", ".+.+.+", "A2 L3:1 A4 L5:1 A6"},
    {"threshold-counts", PLAIN, "454", ".+.", "A2 L3:1"},
    {"two-of-three", {.consensus = 2, .consensus_of = 3}, "9199111", "??+++..", "A3 L6:3"},
    {"three-in-a-row", {.consensus = 3, .consensus_of = 3}, "99199911", "?????+++", "A6"},
    {"minority-never-flaps", {.consensus = 1, .consensus_of = 3}, "9919191", "+++++++", "A1"},
    {"hysteresis",
     {.consensus = 1, .consensus_of = 1, .hysteresis = 0.2F},
     "454434",
     ".+++..",
     "A2 L5:3"},
    /* 0, 0.45, 0.675; 0.337, 0.169 */
    {"smoothing",
     {.half_life = SECOND, .consensus = 1, .consensus_of = 1},
     "09900",
     "..+..",
     "A3 L4:1"},
    {"withheld-counts-as-0", PLAIN, "9w9", "+.+", "A1 L2:1 A3"},
    {"withheld-is-smoothed",
     {.half_life = 4 * SECOND, .consensus = 1, .consensus_of = 1},
     "9w9w9",
     "+++++",
     "A1"},
    {"not-a-number", PLAIN, "9n1n", "++..", "A1 L3:2"},
    {"min-present",
     {.consensus = 1, .consensus_of = 1, .min_present = 3 * SECOND},
     "9111",
     "+++.",
     "A1 L4:3"},
    {"min-absent",
     {.consensus = 1, .consensus_of = 1, .min_absent = 3 * SECOND},
     "919999",
     "+...++",
     "A1 L2:1 A5"},
    {"min-present-ends-in-a-gap",
     {.consensus = 1, .consensus_of = 1, .min_present = 3 * SECOND},
     "91---",
     "+++..",
     "A1 L4:3"},
    {"min-absent-ends-in-a-gap",
     {.consensus = 1, .consensus_of = 1, .min_absent = 3 * SECOND},
     "919---",
     "+...++",
     "A1 L2:1 A5"},
    {"forgotten-before-min-present-ends",
     {.consensus = 1, .consensus_of = 1, .min_present = 9 * SECOND, .forget = 2 * SECOND},
     "91---",
     "++++?",
     "A1 L2:1"},
    {"too-few-votes-in-a-gap", {.consensus = 2, .consensus_of = 3}, "991--", "?++++", "A2"},
    {"gap",
     {.consensus = 1, .consensus_of = 1, .forget = 10 * SECOND},
     "99>9",
     "++?+",
     "A1 L2:1 A63"},
    {"gap-is-not-usual",
     {.consensus = 1, .consensus_of = 1, .forget = 10 * SECOND},
     "9999>9-----------",
     "++++?+++++++++++?",
     "A1 L4:3 A65 L65:0"},
    {"gap-is-seen-by-a-failure",
     {.consensus = 1, .consensus_of = 1, .forget = 2 * SECOND},
     "999----",
     "+++++??",
     "A1 L3:2"},
    /* Three results usually take three seconds: two seconds are no gap. */
    {"gap-of-some-results",
     {.consensus = 2, .consensus_of = 3, .forget = SECOND},
     "999---9",
     "?++++++",
     "A2"},
    {"still",
     {.consensus = 1, .consensus_of = 1, .forget = 2 * SECOND},
     "9=======9---",
     "+++++++++++?",
     "A1 L9:8"},
    {"never-forgets", PLAIN, "9>9", "+++", "A1"},
    {"back", {.consensus = 2, .consensus_of = 2}, "99<9", "?+++", "A2"},
    {"back-needs-new-votes", {.consensus = 2, .consensus_of = 2}, "991<11", "?++++.", "A2 L-5:1"},
    {"end", PLAIN, "99E19", "++?.+", "A1 L2:1 A4"},
    {"end-of-absence", PLAIN, "1E", ".?", ""},
};

static void
note (GString *events, const EnsStateChange *changes, guint n)
{
  for (guint i = 0; i < n; i++) {
    ck_assert_str_eq (changes[i].name, "cat");
    g_string_append_printf (events, "%s%c%" G_GINT64_FORMAT, events->len > 0 ? " " : "",
                            changes[i].appeared ? 'A' : 'L',
                            (gint64)(changes[i].time / SECOND) - 100);
    if (!changes[i].appeared)
      g_string_append_printf (events, ":%" G_GUINT64_FORMAT, changes[i].duration / SECOND);
  }
}

/* One letter; returns the time. */
static guint64
step (EnsTimeFilter *filter, const EnsTimeSettings *settings, char letter, guint64 time,
      GString *events)
{
  EnsClassResult class = {.name = "cat", .p = (float)(letter - '0') / 10, .threshold = 0.5F};
  const EnsStateChange *changes;
  guint n;

  if (letter == '<' || letter == '>') {
    changes = ens_time_filter_advance (filter, settings, time, &n);
    time += letter == '>' ? 60 * SECOND : -10 * SECOND;
    changes = ens_time_filter_advance (filter, settings, time, &n);
  } else if (letter == '-') {
    changes = ens_time_filter_advance (filter, settings, time += SECOND, &n);
    note (events, changes, n);
    changes = ens_time_filter_settle (filter, settings, time, &n);
  } else if (letter == '=') {
    ens_time_filter_hold (filter, time += SECOND);
    changes = ens_time_filter_advance (filter, settings, time, &n);
  } else if (letter == 'E') {
    changes = ens_time_filter_end (filter, &n);
  } else {
    class.withheld = letter == 'w';
    class.p = letter == 'w' ? 0.9F : letter == 'n' ? NAN : class.p;
    changes = ens_time_filter_update (filter, settings, time += SECOND, &class, &n);
    ck_assert_int_eq (class.state, ens_time_filter_get_state (filter, 0));
  }
  note (events, changes, n);
  return time;
}

START_TEST (test_row)
{
  const Row *row = &rows[_i];
  const char *const names[] = {"cat", NULL};
  g_autoptr (EnsTimeFilter) filter = ens_time_filter_new ();
  g_autoptr (GString) events = g_string_new (NULL), states = g_string_new (NULL);
  guint64 time = 100 * SECOND;
  guint n;

  ens_time_filter_set_classes (filter, names, &n);
  ck_assert_uint_eq (n, 0);
  for (const char *letter = row->results; *letter != '\0'; letter++) {
    time = step (filter, &row->settings, *letter, time, events);
    g_string_append_c (states, " ?.+"[ens_time_filter_get_state (filter, 0)]);
  }
  ck_assert_str_eq (states->str, row->states);
  ck_assert_str_eq (events->str, row->events);
}
END_TEST

/* The mean is of time, not of results: ten results in a second and one weigh the same. */
START_TEST (test_spacing)
{
  const EnsTimeSettings settings = {.half_life = SECOND, .consensus = 1, .consensus_of = 1};
  const guint spacings[] = {1, 2, 10, 250};

  for (guint s = 0; s < G_N_ELEMENTS (spacings); s++) {
    const char *const names[] = {"cat", NULL};
    g_autoptr (EnsTimeFilter) filter = ens_time_filter_new ();
    EnsClassResult class = {.name = "cat", .p = 0, .threshold = 0.5F};
    guint n;

    ens_time_filter_set_classes (filter, names, &n);
    ens_time_filter_update (filter, &settings, 0, &class, &n);
    class.p = 1;
    for (guint i = 1; i <= 2 * spacings[s]; i++)
      ens_time_filter_update (filter, &settings, i * SECOND / spacings[s], &class, &n);
    ck_assert_double_eq_tol (class.smoothed, 0.75F, 1e-4F);
  }
}
END_TEST

/* Frames without time: results count one by one. */
START_TEST (test_untimed)
{
  const EnsTimeSettings settings = {
      .half_life = SECOND, .consensus = 2, .consensus_of = 2, .min_present = 60 * SECOND};
  const char *const names[] = {"cat", NULL};
  g_autoptr (EnsTimeFilter) filter = ens_time_filter_new ();
  EnsClassResult class = {.name = "cat", .p = 0.9F, .threshold = 0.5F};
  const EnsStateChange *changes;
  guint n;

  ens_time_filter_set_classes (filter, names, &n);
  ens_time_filter_update (filter, &settings, ENS_TIME_NONE, &class, &n);
  ens_time_filter_update (filter, &settings, ENS_TIME_NONE, &class, &n);
  ck_assert_int_eq (class.state, ENS_CLASS_PRESENT);
  class.p = 0.1F;
  ens_time_filter_update (filter, &settings, ENS_TIME_NONE, &class, &n);
  ck_assert_double_eq (class.smoothed, 0.1F);
  changes = ens_time_filter_update (filter, &settings, ENS_TIME_NONE, &class, &n);
  ck_assert_uint_eq (n, 1);
  ck_assert (!changes[0].appeared && changes[0].time == ENS_TIME_NONE && changes[0].duration == 0);
}
END_TEST

/* Another model: what it knows too stays, what it does not leaves, its own is unknown. */
START_TEST (test_classes)
{
  const EnsTimeSettings plain[] = {PLAIN, PLAIN};
  const char *const before[] = {"cat", "dog", NULL}, *const after[] = {"fox", "dog", NULL};
  g_autoptr (EnsTimeFilter) filter = ens_time_filter_new ();
  EnsClassResult classes[] = {{.p = 0.9F, .threshold = 0.5F}, {.p = 0.8F, .threshold = 0.5F}};
  const EnsStateChange *changes;
  guint n;

  ens_time_filter_set_classes (filter, before, &n);
  changes = ens_time_filter_update (filter, plain, SECOND, classes, &n);
  ck_assert_uint_eq (n, 2);
  ck_assert_str_eq (changes[1].name, "dog");
  ck_assert_double_eq (changes[1].probability, 0.8F);
  ens_time_filter_update (filter, plain, 3 * SECOND, classes, &n);
  ck_assert_uint_eq (n, 0);
  changes = ens_time_filter_set_classes (filter, after, &n);
  ck_assert_uint_eq (n, 1);
  ck_assert_str_eq (changes[0].name, "cat");
  ck_assert_uint_eq (changes[0].duration, 2 * SECOND);
  ck_assert_int_eq (ens_time_filter_get_state (filter, 0), ENS_CLASS_UNKNOWN);
  ck_assert_int_eq (ens_time_filter_get_state (filter, 1), ENS_CLASS_PRESENT);
  classes[1].p = 0.1F;
  changes = ens_time_filter_update (filter, plain, 4 * SECOND, classes, &n);
  ck_assert_uint_eq (n, 2);
  ck_assert (changes[0].appeared && strcmp (changes[0].name, "fox") == 0);
  ck_assert (!changes[1].appeared && strcmp (changes[1].name, "dog") == 0);
  ck_assert_uint_eq (changes[1].duration, 3 * SECOND);
}
END_TEST

START_TEST (test_overrides)
{
  EnsTimeOverrides overrides = ENS_TIME_NO_OVERRIDES;
  EnsTimeSettings settings = ens_time_settings_override (&ENS_TIME_DEFAULTS, &overrides);

  ck_assert_uint_eq (settings.half_life, ENS_TIME_DEFAULTS.half_life);
  ck_assert_uint_eq (settings.consensus_of, ENS_TIME_DEFAULTS.consensus_of);
  overrides.consensus = 5;
  overrides.half_life = 0;
  settings = ens_time_settings_override (&ENS_TIME_DEFAULTS, &overrides);
  ck_assert_uint_eq (settings.half_life, 0);
  ck_assert_uint_eq (settings.consensus, 5);
  ck_assert_uint_eq (settings.consensus_of, 5);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/time-filter");
  TEST_ADD_ROWS (NULL, test_row, rows);
  test_add ("spacing", test_spacing);
  test_add ("untimed", test_untimed);
  test_add ("classes", test_classes);
  test_add ("overrides", test_overrides);
  return test_run ();
}
