/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/analysis.h"

#include "check-main.h"

static gboolean
is_readable (const WorkerAnalysis *analysis, gint timeout)
{
  GPollFD poll = {worker_analysis_get_fd (analysis), G_IO_IN, 0};

  return g_poll (&poll, 1, timeout) > 0;
}

/* A job that fails at once, as there is no bundle. */
static void
start (WorkerAnalysis *analysis)
{
  g_autoptr (GError) error = NULL;
  WorkerJob *job = worker_job_parse (
      "job", "a", "{\"schema\": \"gst-ensemble/job/1\", \"id\": \"a\", \"uri\": \"b\"}", &error);

  ck_assert_no_error (error);
  worker_analysis_start (analysis, job, 0);
}

/* Else whoever waits for the descriptor does not wait. */
START_TEST (test_stopped)
{
  WorkerAnalysis *analysis = worker_analysis_new (&(WorkerTools) {0});

  start (analysis);
  ck_assert (is_readable (analysis, 60000));
  worker_analysis_stop (analysis);
  ck_assert (!is_readable (analysis, 0));
  worker_analysis_free (analysis);
}
END_TEST

START_TEST (test_taken)
{
  WorkerAnalysis *analysis = worker_analysis_new (&(WorkerTools) {0});
  g_autoptr (GPtrArray) results =
      g_ptr_array_new_with_free_func ((GDestroyNotify)worker_result_free);
  g_autofree char *reason = NULL;
  gboolean ended = FALSE;

  start (analysis);
  while (!ended && is_readable (analysis, 60000))
    ended = worker_analysis_take (analysis, results, &reason);
  ck_assert (ended);
  ck_assert_uint_eq (results->len, 0);
  ck_assert_contains (reason, "settings.model");
  worker_analysis_free (analysis);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/worker/analysis");
  test_add ("stopped", test_stopped);
  test_add ("taken", test_taken);
  return test_run ();
}
