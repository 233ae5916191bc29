/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/job.h"

#include <string.h>

#include "base/json-reader.h"
#include "base/json.h"

#define JOB_SCHEMA "gst-ensemble/job/1"
#define LEASE_SCHEMA "gst-ensemble/job-lease/1"
#define RESULT_SCHEMA "gst-ensemble/job-result/1"
#define END_SCHEMA "gst-ensemble/job-end/1"

#define MAX_COUNT 1000000
#define MAX_SECONDS 1e9
#define MAX_EXACT 9007199254740992.0 /* whole numbers up to here are exact in JSON */

static const char *const lease_states[] = {"claimed", "held", "free", NULL};

static void
check_schema (EnsJsonReader *reader, const char *expected)
{
  g_autofree char *schema = ens_json_reader_string (reader, "schema");

  if (schema != NULL && strcmp (schema, expected) != 0)
    ens_json_reader_fail (reader, "schema", "expected “%s”, found “%s”", expected, schema);
}

/* ---- Jobs ---- */

static void
read_settings (EnsJsonReader *reader, WorkerJob *job)
{
  EnsAnalyseOptions *analyse = &job->analyse;

  if (ens_json_reader_has (reader, "model"))
    job->model = ens_json_reader_string (reader, "model");
  if (ens_json_reader_has (reader, "interval"))
    job->interval = ens_json_reader_number (reader, "interval", 0, MAX_SECONDS);
  if (ens_json_reader_has (reader, "top"))
    job->top = ens_json_reader_integer (reader, "top", 0, MAX_COUNT);
  if (ens_json_reader_has (reader, "windows"))
    analyse->windows = (gint)ens_json_reader_integer (reader, "windows", 0, MAX_COUNT);
  if (ens_json_reader_has (reader, "threshold"))
    analyse->threshold = (float)ens_json_reader_number (reader, "threshold", 0, 1);
  if (ens_json_reader_has (reader, "sub_images"))
    analyse->sub_images =
        (EnsSubImagesMode)ens_json_reader_choice (reader, "sub_images", ens_sub_images_names);
  if (ens_json_reader_has (reader, "max_sub_images"))
    analyse->max_sub_images = ens_json_reader_integer (reader, "max_sub_images", 0, MAX_COUNT);
}

static gboolean
is_id (const char *text)
{
  gsize length = strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");

  return text[length] == '\0' && length > 0 && length <= 128;
}

static void
read_id (EnsJsonReader *reader, WorkerJob *job, const char *expected)
{
  job->id = ens_json_reader_string (reader, "id");
  if (job->id != NULL && !is_id (job->id))
    ens_json_reader_fail (reader, "id",
                          "expected at most 128 letters, digits, “.”, “_” and “-”, found “%s”",
                          job->id);
  else if (job->id != NULL && expected != NULL && strcmp (job->id, expected) != 0)
    ens_json_reader_fail (reader, "id", "expected “%s”, as in its topic, found “%s”", expected,
                          job->id);
}

static void
read_features (EnsJsonReader *reader, WorkerJob *job)
{
  ens_json_reader_enter_object (reader, "features");
  job->features = worker_features_read (reader);
  ens_json_reader_leave (reader);
}

static void
read_job (EnsJsonReader *reader, WorkerJob *job, const char *id)
{
  check_schema (reader, JOB_SCHEMA);
  read_id (reader, job, id);
  if (ens_json_reader_has (reader, "features")) {
    read_features (reader, job);
    return;
  }
  job->uri = ens_json_reader_string (reader, "uri");
  if (!ens_json_reader_has (reader, "settings"))
    return;
  ens_json_reader_enter_object (reader, "settings");
  read_settings (reader, job);
  ens_json_reader_leave (reader);
}

WorkerJob *
worker_job_parse (const char *place, const char *id, const char *text, GError **error)
{
  g_autoptr (EnsJsonReader) reader = ens_json_reader_parse (place, text, strlen (text), error);
  g_autoptr (WorkerJob) job = NULL;

  if (reader == NULL)
    return NULL;
  job = g_new0 (WorkerJob, 1);
  job->interval = 1;
  job->analyse = ENS_ANALYSE_DEFAULTS;
  read_job (reader, job, id);
  return ens_json_reader_finish (reader, error) ? g_steal_pointer (&job) : NULL;
}

char *
worker_job_find_id (const char *text)
{
  g_autoptr (EnsJsonReader) reader = ens_json_reader_parse ("job", text, strlen (text), NULL);
  g_autofree char *id = NULL;

  if (reader != NULL && ens_json_reader_has (reader, "id"))
    id = ens_json_reader_string (reader, "id");
  return id != NULL && is_id (id) ? g_steal_pointer (&id) : NULL;
}

void
worker_job_free (WorkerJob *job)
{
  g_free (job->id);
  g_free (job->uri);
  g_free (job->model);
  g_clear_pointer (&job->features, worker_features_free);
  g_free (job);
}

char *
worker_format_features (const char *id, const WorkerFeatures *features)
{
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "schema", JOB_SCHEMA);
  ens_json_string (&json, "id", id);
  ens_json_open_object (&json, "features", ENS_JSON_FLAT);
  worker_features_write (features, &json);
  ens_json_close (&json);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

/* ---- What workers say ---- */

static void
open_message (EnsJson *json, const char *schema, const WorkerStamp *stamp)
{
  ens_json_init (json);
  ens_json_open_object (json, NULL, ENS_JSON_FLAT);
  ens_json_string (json, "schema", schema);
  ens_json_string (json, "job", stamp->job);
  ens_json_string (json, "worker", stamp->worker);
  ens_json_unsigned (json, "epoch", stamp->epoch);
}

static char *
close_message (EnsJson *json)
{
  ens_json_close (json);
  return ens_json_finish (json);
}

char *
worker_format_lease (const char *job, const WorkerLease *lease)
{
  EnsJson json;

  open_message (&json, LEASE_SCHEMA, &(WorkerStamp) {job, lease->worker, lease->epoch});
  ens_json_string (&json, "state", lease_states[lease->state]);
  ens_json_unsigned (&json, "lost", lease->lost);
  ens_json_unsigned (&json, "done", lease->done);
  ens_json_double (&json, "position", lease->position);
  ens_json_double (&json, "seconds", (double)lease->duration / G_TIME_SPAN_SECOND);
  return close_message (&json);
}

char *
worker_format_result (const WorkerStamp *stamp, guint64 sequence, const char *result)
{
  EnsJson json;

  open_message (&json, RESULT_SCHEMA, stamp);
  ens_json_unsigned (&json, "sequence", sequence);
  ens_json_raw (&json, "result", result);
  return close_message (&json);
}

char *
worker_format_end (const WorkerStamp *stamp, guint64 n_results, const char *reason)
{
  EnsJson json;

  open_message (&json, END_SCHEMA, stamp);
  ens_json_string (&json, "state", reason == NULL ? "done" : "failed");
  ens_json_unsigned (&json, "results", n_results);
  if (reason != NULL)
    ens_json_string (&json, "error", reason);
  return close_message (&json);
}

/* ---- Leases of others ---- */

static void
read_lease (EnsJsonReader *reader, WorkerLease *lease, char **worker)
{
  g_autofree char *job = NULL;

  check_schema (reader, LEASE_SCHEMA);
  job = ens_json_reader_string (reader, "job");
  lease->worker = *worker = ens_json_reader_string (reader, "worker");
  lease->epoch = (guint64)ens_json_reader_number (reader, "epoch", 0, MAX_EXACT);
  lease->state = (WorkerLeaseState)ens_json_reader_choice (reader, "state", lease_states);
  lease->lost = ens_json_reader_integer (reader, "lost", 0, MAX_COUNT);
  lease->done = (guint64)ens_json_reader_number (reader, "done", 0, MAX_EXACT);
  lease->position = ens_json_reader_number (reader, "position", 0, MAX_SECONDS);
  lease->duration =
      (gint64)(ens_json_reader_number (reader, "seconds", 0, MAX_SECONDS) * G_TIME_SPAN_SECOND);
}

gboolean
worker_parse_lease (const char *place, const char *text, WorkerLease *lease, char **worker,
                    GError **error)
{
  g_autoptr (EnsJsonReader) reader = ens_json_reader_parse (place, text, strlen (text), error);

  *worker = NULL;
  if (reader == NULL)
    return FALSE;
  read_lease (reader, lease, worker);
  if (ens_json_reader_finish (reader, error))
    return TRUE;
  g_clear_pointer (worker, g_free);
  return FALSE;
}

/* ---- Ends ---- */

static void
read_end (EnsJsonReader *reader, char **reason)
{
  static const char *const states[] = {"done", "failed", NULL};
  g_autofree char *job = NULL, *worker = NULL;

  check_schema (reader, END_SCHEMA);
  job = ens_json_reader_string (reader, "job");
  worker = ens_json_reader_string (reader, "worker");
  ens_json_reader_number (reader, "epoch", 0, MAX_EXACT);
  ens_json_reader_number (reader, "results", 0, MAX_EXACT);
  if (ens_json_reader_choice (reader, "state", states) == 1)
    *reason = ens_json_reader_string (reader, "error");
}

gboolean
worker_parse_end (const char *place, const char *text, char **reason, GError **error)
{
  g_autoptr (EnsJsonReader) reader = ens_json_reader_parse (place, text, strlen (text), error);
  g_autofree char *found = NULL;

  *reason = NULL;
  if (reader == NULL)
    return FALSE;
  read_end (reader, &found);
  if (!ens_json_reader_finish (reader, error))
    return FALSE;
  *reason = g_steal_pointer (&found);
  return TRUE;
}
