/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows are what one worker, "me", is told at which time, and what it does. */
#include "worker/leases.h"

#include "check-main.h"

/* Words of a step; times are in seconds. Leases last 10 s, grace is 1 s, three losses are too many:
 *   at TIME; job ID [offered]; cancel ID; lease ID WORKER STATE EPOCH LOST DONE [POSITION];
 *   lose WORKER; clear-lease ID; end ID; done N [POSITION]; release; close; forget;
 *   = [ACTION ID EPOCH LOST DONE POSITION]: what it does next, nothing if there is no action. */
typedef struct {
  const char *name, *steps;
} Row;

#define START \
  "job a offered; = claim a 1 0 0; lease a me claimed 1 0 0; = start a 1 0 0; = renew a 1 0 0; ="

static const Row rows[] = {
    {"offered", START},
    {"offered to another", "job a; =; at 0.9; =; at 1; = claim a 1 0 0"},
    {"one at a time", START "; job b offered; =; release; = claim b 1 0 0"},
    {"offered come first", "job a; at 5; job b offered; = claim b 1 0 0"},
    {"in order", "job b; job a; at 1; = claim b 1 0 0"},
    {"second claim",
     "job a offered; = claim a 1 0 0; lease a you claimed 1 0 0; lease a me claimed "
     "1 0 0; =; at 9; ="},
    {"second claim of another", "job a offered; = claim a 1 0 0; lease a me claimed 1 0 0; lease a "
                                "you claimed 1 0 0; = start a 1 0 0"},
    {"claim without answer", "job a offered; = claim a 1 0 0; at 10; =; = claim a 1 0 0"},
    {"claimed meanwhile", "job a offered; lease a you claimed 1 0 0; =; at 5; ="},
    {"renewed", START "; at 3; =; at 3.4; = renew a 1 0 0; =; done 7; at 6.8; = renew a 1 0 7; ="},
    {"expired",
     "job a; lease a you held 1 0 5; at 10.9; =; at 11; = claim a 2 1 5; lease a me claimed "
     "2 1 5; = start a 2 1 5"},
    {"position",
     "job a; lease a you held 1 0 5 4.5; at 2; lease a you free 1 0 6 5.5; at 3; = claim a 2 0 6 "
     "5.5; lease a me claimed 2 0 6 5.5; = start a 2 0 6 5.5; done 7 6.5; at 6; = renew a 2 0 7 "
     "6.5"},
    {"position of a claim that was late", "job a; lease a you held 1 0 5 4.5; lease a her claimed "
                                          "2 1 3 2.5; at 11; = claim a 3 1 5 4.5"},
    {"renewed by its owner",
     "job a; lease a you held 1 0 5; at 9; lease a you held 1 0 6; at 18; =; "
     "at 20; = claim a 2 1 6"},
    {"handed back",
     "job a; lease a you held 1 0 5; at 2; lease a you free 1 0 6; =; at 3; = claim a 2 0 6"},
    {"last will", "job a; lease a you held 1 0 5; at 2; lose you; =; at 3; = claim a 2 1 5"},
    {"last will of another", "job a; lease a you held 1 0 5; at 2; lose her; =; at 3; ="},
    {"three lost", "job a; lease a you held 3 2 5; at 11; = give-up a 4 3 5; ="},
    {"three lost, the last one got on",
     "job a; lease a you held 3 2 5; lease a you held 3 2 6; at 11; = claim a 4 1 6"},
    {"handed back after two lost",
     "job a; lease a you held 3 2 5; lease a you free 3 2 5; at 1; = claim a 4 2 5"},
    {"overtaken", START "; lease a you claimed 2 1 0; = abandon a 1 1 0; ="},
    {"late message of a former owner",
     "job a; lease a you held 2 1 5; lease a her held 1 0 3; at 5; lose her; at 8; ="},
    {"cancelled", START "; cancel a; = drop a 1 0 0; ="},
    {"cancelled, overtaken", START "; lease a you claimed 2 1 0; cancel a; = abandon a 1 1 0; ="},
    {"cancelled, its worker gone",
     "job a; lease a you held 1 0 5; cancel a; at 19; =; at 20; = clear-lease a 1 0 5; =; "
     "job a offered; = claim a 1 0 0"},
    {"cancelled, its lease cleared",
     "job a; lease a you held 1 2 5; cancel a; clear-lease a; job a offered; = claim a 1 0 0"},
    {"comes again, its lease cleared late",
     "lease a you held 3 0 5; job a; clear-lease a; at 11; = claim a 4 1 5"},
    {"lease before its job", "lease a you free 1 0 6; =; job a; at 1; = claim a 2 0 6"},
    {"cancelled before", "job a; cancel a; at 5; ="},
    {"ended by another", START "; end a; = drop a 1 0 0; ="},
    {"ended, not cleared", "job a; end a; =; at 1; = clear a 0 0 0; ="},
    {"comes again", "end a; at 60; job a offered; =; at 61; = clear a 0 0 0"},
    {"comes again much later", "end a; at 1001; =; job a offered; = claim a 1 0 0"},
    {"own end", START "; end a; release; cancel a; at 5; ="},
    {"closed", "close; job a offered; at 5; ="},
    {"closed while running", START "; close; at 4; = renew a 1 0 0; release; ="},
    {"new connection",
     START "; job b; at 3; forget; = renew a 1 0 0; =; job b offered; release; = claim b 1 0 0"},
    {"new connection, overtaken",
     START "; at 30; forget; lease a you held 2 1 3; = abandon a 1 1 3; ="},
    {"new connection, claim unanswered",
     "job a offered; = claim a 1 0 0; forget; =; job a offered; = claim a 1 0 0"},
};

static gint64
parse_time (const char *text)
{
  return (gint64)(g_ascii_strtod (text, NULL) * 1e6);
}

static guint64
parse_number (const char *text)
{
  return g_ascii_strtoull (text, NULL, 10);
}

static void
observe (WorkerLeases *leases, char **words, gint64 now)
{
  static const char *const states[] = {"claimed", "held", "free"};
  WorkerLease lease = {.worker = words[2],
                       .epoch = parse_number (words[4]),
                       .lost = (guint)parse_number (words[5]),
                       .done = parse_number (words[6]),
                       .position = words[7] != NULL ? g_ascii_strtod (words[7], NULL) : 0,
                       .duration = 10000000};

  while (strcmp (states[lease.state], words[3]) != 0)
    lease.state++;
  worker_leases_observe (leases, words[1], &lease, now);
}

static void
expect (WorkerLeases *leases, const char *step, gint64 now)
{
  static const char *const kinds[] = {NULL,   "claim",   "start", "renew",      "abandon",
                                      "drop", "give-up", "clear", "clear-lease"};
  WorkerAction action = worker_leases_next (leases, now);
  g_autofree char *found =
      action.kind == WORKER_NOTHING
          ? g_strdup ("=")
          : g_strdup_printf ("= %s %s %" G_GUINT64_FORMAT " %u %" G_GUINT64_FORMAT " %g",
                             kinds[action.kind], action.id, action.epoch, action.lost, action.done,
                             action.position);

  /* A shorter expectation says less. */
  ck_assert_msg (strcmp (step, "=") == 0 ? action.kind == WORKER_NOTHING
                                         : g_str_has_prefix (found, step),
                 "at %g s: expected “%s”, found “%s”", (double)now / 1e6, step, found);
}

static void
run_step (WorkerLeases *leases, const char *step, gint64 *now)
{
  g_auto (GStrv) words = g_strsplit (step, " ", -1);

  if (strcmp (words[0], "at") == 0)
    *now = parse_time (words[1]);
  else if (strcmp (words[0], "job") == 0)
    worker_leases_add_job (leases, words[1], "{}", words[2] != NULL, *now);
  else if (strcmp (words[0], "cancel") == 0)
    worker_leases_remove_job (leases, words[1]);
  else if (strcmp (words[0], "lease") == 0)
    observe (leases, words, *now);
  else if (strcmp (words[0], "clear-lease") == 0)
    worker_leases_clear_lease (leases, words[1]);
  else if (strcmp (words[0], "lose") == 0)
    worker_leases_lose_worker (leases, words[1], *now);
  else if (strcmp (words[0], "end") == 0)
    worker_leases_end (leases, words[1], *now);
  else if (strcmp (words[0], "done") == 0)
    worker_leases_set_done (leases, parse_number (words[1]),
                            words[2] != NULL ? g_ascii_strtod (words[2], NULL) : 0);
  else if (strcmp (words[0], "release") == 0)
    worker_leases_release (leases);
  else if (strcmp (words[0], "close") == 0)
    worker_leases_close (leases);
  else if (strcmp (words[0], "forget") == 0)
    worker_leases_forget (leases, *now);
  else if (strcmp (words[0], "=") == 0)
    expect (leases, step, *now);
  else
    ck_abort_msg ("no such step: %s", step);
}

START_TEST (test_row)
{
  g_autoptr (WorkerLeases) leases = worker_leases_new (&(WorkerLeasesParams) {
      .worker = "me", .duration = 10000000, .grace = 1000000, .keep = 1000000000, .max_lost = 3});
  g_auto (GStrv) steps = g_strsplit (rows[_i].steps, "; ", -1);
  gint64 now = 0;

  for (guint i = 0; steps[i] != NULL; i++)
    run_step (leases, g_strstrip (steps[i]), &now);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/worker/leases");
  TEST_ADD_ROWS (NULL, test_row, rows);
  return test_run ();
}
