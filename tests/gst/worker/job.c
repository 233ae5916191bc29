/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/job.h"

#include "check-main.h"

#define JOB(rest) "{\"schema\": \"gst-ensemble/job/1\", " rest "}"
#define BARE_FEATURES(rest)                                                                  \
  JOB ("\"id\": \"a\", \"features\": {\"dataset\": \"/d\", \"cache\": \"/c\", \"windows\": " \
       "9, " rest "}")
#define FEATURES(rest) BARE_FEATURES ("\"lists\": [\"/n.json\"], " rest)

/* Jobs that can't be read, and what the error says. */
static const struct {
  const char *name, *text, *expected;
} bad_rows[] = {
    {"empty", "", "topic"},
    {"no JSON", "film.mp4", "JSON"},
    {"array", "[]", "an object"},
    {"no schema", "{\"id\": \"a\", \"uri\": \"b\"}", "schema"},
    {"other schema", "{\"schema\": \"gst-ensemble/job/2\", \"id\": \"a\", \"uri\": \"b\"}",
     "expected “gst-ensemble/job/1”"},
    {"no id", JOB ("\"uri\": \"b\""), "id"},
    {"slash in id", JOB ("\"id\": \"a/b\", \"uri\": \"b\""), "letters, digits"},
    {"other id", JOB ("\"id\": \"b\", \"uri\": \"b\""), "expected “a”"},
    {"no URI", JOB ("\"id\": \"a\""), "uri"},
    {"unknown member", JOB ("\"id\": \"a\", \"uri\": \"b\", \"interval\": 1"), "unknown member"},
    {"unknown setting", JOB ("\"id\": \"a\", \"uri\": \"b\", \"settings\": {\"step\": 1}"),
     "settings.step: unknown member"},
    {"negative interval", JOB ("\"id\": \"a\", \"uri\": \"b\", \"settings\": {\"interval\": -1}"),
     "settings.interval"},
    {"share of none", FEATURES ("\"share\": 1, \"shares\": 0"), "features.shares"},
    {"share beyond", FEATURES ("\"share\": 3, \"shares\": 2"), "features.share"},
    {"features of no network", BARE_FEATURES ("\"share\": 1, \"shares\": 2"),
     "features: expected networks or lists, found neither"},
    {"wrong preset", FEATURES ("\"share\": 1, \"shares\": 2, \"windows_preset\": \"slow\""),
     "fast, balanced or quality, found “slow”"},
    {"unknown feature", FEATURES ("\"share\": 1, \"shares\": 2, \"output\": \"/e\""),
     "features.output: unknown member"},
    {"features and settings",
     JOB ("\"id\": \"a\", \"features\": {\"dataset\": \"/d\", \"cache\": \"/c\", \"windows\": 9, "
          "\"lists\": [\"/n.json\"], \"share\": 1, \"shares\": 1}, \"settings\": {}"),
     "settings: unknown member"},
    {"wrong mode", JOB ("\"id\": \"a\", \"uri\": \"b\", \"settings\": {\"sub_images\": \"some\"}"),
     "settings.sub_images"},
};

START_TEST (test_bad)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (worker_job_parse ("topic", "a", bad_rows[_i].text, &error));
  ck_assert_contains (error->message, bad_rows[_i].expected);
}
END_TEST

static const struct {
  const char *name, *text, *expected;
} id_rows[] = {
    {"empty", "", NULL},
    {"no JSON", "film.mp4", NULL},
    {"no id", "{}", NULL},
    {"number", "{\"id\": 7}", NULL},
    {"slash", "{\"id\": \"a/b\"}", NULL},
    {"nothing else", "{\"id\": \"a\"}", "a"},
    {"unknown member", JOB ("\"id\": \"a\", \"step\": 1"), "a"},
};

START_TEST (test_id)
{
  g_autofree char *id = worker_job_find_id (id_rows[_i].text);

  ck_assert_pstr_eq (id, id_rows[_i].expected);
}
END_TEST

START_TEST (test_defaults)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WorkerJob) job =
      worker_job_parse ("topic", NULL, JOB ("\"id\": \"a\", \"uri\": \"b\""), &error);

  ck_assert_no_error (error);
  ck_assert_str_eq (job->id, "a");
  ck_assert_str_eq (job->uri, "b");
  ck_assert_ptr_null (job->model);
  ck_assert_double_eq (job->interval, 1);
  ck_assert_uint_eq (job->top, 0);
  ck_assert_int_eq (job->analyse.windows, -1);
  ck_assert_double_eq (job->analyse.threshold, -1);
}
END_TEST

START_TEST (test_settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WorkerJob) job = worker_job_parse (
      "topic", "a",
      JOB ("\"id\": \"a\", \"uri\": \"b\", \"settings\": {\"interval\": 0.5, \"top\": 3, "
           "\"windows\": 7, \"threshold\": 0.25, \"sub_images\": \"both\", \"max_sub_images\": 9, "
           "\"model\": \"/c.ensemble\"}"),
      &error);

  ck_assert_no_error (error);
  ck_assert_str_eq (job->model, "/c.ensemble");
  ck_assert_double_eq (job->interval, 0.5);
  ck_assert_uint_eq (job->top, 3);
  ck_assert_int_eq (job->analyse.windows, 7);
  ck_assert_double_eq (job->analyse.threshold, 0.25);
  ck_assert_str_eq (ens_sub_images_names[job->analyse.sub_images], "both");
  ck_assert_uint_eq (job->analyse.max_sub_images, 9);
}
END_TEST

START_TEST (test_features)
{
  char *networks[] = {(char *)"/n.onnx,role=original", NULL};
  const WorkerFeatures features = {.dataset = (char *)"/d",
                                   .networks = networks,
                                   .unrelated = (char *)"/u",
                                   .cache = (char *)"/c",
                                   .windows = 7,
                                   .preset = ENS_WINDOWS_QUALITY,
                                   .share = {2, 5}};
  g_autofree char *text = worker_format_features ("a", &features), *again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (WorkerJob) job = worker_job_parse ("topic", "a", text, &error);

  ck_assert_no_error (error);
  ck_assert_ptr_null (job->uri);
  ck_assert_uint_eq (job->features->share.index, 2);
  again = worker_format_features ("a", job->features);
  ck_assert_str_eq (again, text);
  ck_assert_contains (text, "\"windows_preset\": \"quality\", \"share\": 3, \"shares\": 5}}");
}
END_TEST

static const struct {
  const char *name, *text, *reason;
  gboolean read;
} end_rows[] = {
    {"failed", "\"state\": \"failed\", \"results\": 0, \"error\": \"no\"", "no", TRUE},
    {"done", "\"state\": \"done\", \"results\": 3", NULL, TRUE},
    {"no state", "\"results\": 3", NULL, FALSE},
    {"failed without error", "\"state\": \"failed\", \"results\": 0", NULL, FALSE},
};

START_TEST (test_end)
{
  g_autofree char *reason = NULL;
  g_autofree char *text = g_strdup_printf ("{\"schema\": \"gst-ensemble/job-end/1\", \"job\": "
                                           "\"a\", \"worker\": \"w\", \"epoch\": 1, %s}",
                                           end_rows[_i].text);

  ck_assert_int_eq (worker_parse_end ("topic", text, &reason, NULL), end_rows[_i].read);
  ck_assert_pstr_eq (reason, end_rows[_i].reason);
}
END_TEST

START_TEST (test_lease)
{
  const WorkerLease lease = {WORKER_LEASE_FREE, "w", 3, 2, 120, 4.5, 1500000};
  g_autofree char *text = worker_format_lease ("a", &lease), *worker = NULL;
  g_autoptr (GError) error = NULL;
  WorkerLease read;

  ck_assert_str_eq (text, "{\"schema\": \"gst-ensemble/job-lease/1\", \"job\": \"a\", "
                          "\"worker\": \"w\", \"epoch\": 3, \"state\": \"free\", \"lost\": 2, "
                          "\"done\": 120, \"position\": 4.5, \"seconds\": 1.5}");
  worker_parse_lease ("topic", text, &read, &worker, &error);
  ck_assert_no_error (error);
  ck_assert_str_eq (read.worker, "w");
  ck_assert_int_eq (read.state, lease.state);
  ck_assert_uint_eq (read.epoch, lease.epoch);
  ck_assert_uint_eq (read.lost, lease.lost);
  ck_assert_uint_eq (read.done, lease.done);
  ck_assert_double_eq (read.position, lease.position);
  ck_assert_int_eq (read.duration, lease.duration);
}
END_TEST

START_TEST (test_bad_lease)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *worker = NULL;
  WorkerLease lease;

  ck_assert (!worker_parse_lease ("topic", JOB ("\"id\": \"a\""), &lease, &worker, &error));
  ck_assert_contains (error->message, "job-lease");
  ck_assert_ptr_null (worker);
}
END_TEST

START_TEST (test_messages)
{
  const WorkerStamp stamp = {"a", "w", 1};
  g_autofree char *result = worker_format_result (&stamp, 7, "{\"x\":1}");
  g_autofree char *done = worker_format_end (&stamp, 8, NULL);
  g_autofree char *failed = worker_format_end (&stamp, 0, "b: no “picture”");

  ck_assert_contains (result, "\"epoch\": 1, \"sequence\": 7, \"result\": {\"x\":1}}");
  ck_assert_contains (done, "\"state\": \"done\", \"results\": 8}");
  ck_assert_contains (failed,
                      "\"state\": \"failed\", \"results\": 0, \"error\": \"b: no “picture”\"}");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/worker/job");
  TEST_ADD_ROWS ("bad", test_bad, bad_rows);
  TEST_ADD_ROWS ("id", test_id, id_rows);
  test_add ("defaults", test_defaults);
  test_add ("settings", test_settings);
  test_add ("features", test_features);
  TEST_ADD_ROWS ("end", test_end, end_rows);
  test_add ("lease", test_lease);
  test_add ("bad lease", test_bad_lease);
  test_add ("messages", test_messages);
  return test_run ();
}
