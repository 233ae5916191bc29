/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/worker.h"

#include "base/error.h"

#define TICK_MS 250 /* leases are looked after this often */
#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 30000

typedef struct {
  const WorkerParams *params;
  GCancellable *cancellable;
  WorkerAnalysis *analysis;
  gboolean open;
  guint retry, retry_max; /* milliseconds */
  gint64 opened;          /* when it was */

  gboolean busy;      /* there is a job */
  gboolean ended;     /* nothing comes after `results` */
  char *reason;       /* why it failed, or NULL */
  guint64 n_results;  /* that the broker has */
  GPtrArray *results; /* WorkerResult: that it has not */
  guint n_jobs;
} Worker;

static void note (const Worker *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (const Worker *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->params->note (text, self->params->data);
}

/* ---- A job ---- */

static gboolean
climbs (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  return g_strv_contains ((const char *const *)parts, "..");
}

/* ".." leads out of an allowed folder. A path, which has no scheme, is opened as it stands. */
static gboolean
leads_out (const char *uri)
{
  g_autofree char *plain = NULL;

  if (climbs (uri))
    return TRUE;
  if (g_uri_peek_scheme (uri) == NULL)
    return FALSE;
  plain = g_uri_unescape_string (uri, NULL);
  return plain == NULL || climbs (plain);
}

static gboolean
check_allowed (const char *uri, gpointer data, GError **error)
{
  const Worker *self = data;
  const char *const *allow = self->params->allow;

  if (allow == NULL)
    return TRUE;
  for (; *allow != NULL; allow++)
    if (g_str_has_prefix (uri, *allow) && !leads_out (uri))
      return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "%s: expected a URI without “..” that begins with what --allow names", uri);
  return FALSE;
}

static gboolean
check_job (Worker *self, const WorkerJob *job, GError **error)
{
  if (job->features != NULL)
    return worker_features_check_paths (job->features, check_allowed, self, error);
  return check_allowed (job->uri, self, error)
         && (job->model == NULL || check_allowed (job->model, self, error));
}

static void
forget_job (Worker *self)
{
  worker_analysis_stop (self->analysis);
  g_ptr_array_set_size (self->results, 0);
  g_clear_pointer (&self->reason, g_free);
  self->busy = self->ended = FALSE;
  self->n_results = 0;
}

/* The job can't be done: nothing comes any more. */
static void
fail_job (Worker *self, const GError *why)
{
  worker_analysis_stop (self->analysis);
  g_ptr_array_set_size (self->results, 0);
  g_free (self->reason);
  self->reason = g_strdup (why->message);
  self->ended = TRUE;
}

static void
start (Worker *self, const WorkerOrder *order)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WorkerJob) job =
      worker_job_parse (order->id != NULL ? order->id : "job", order->id, order->text, &error);

  forget_job (self);
  self->busy = TRUE;
  self->n_results = order->done;
  if (job != NULL && check_job (self, job, &error)) {
    note (self, "%s: %s", job->id, job->features != NULL ? job->features->dataset : job->uri);
    worker_analysis_start (self->analysis, g_steal_pointer (&job), order->done);
    return;
  }
  fail_job (self, error);
}

static void
take_results (Worker *self)
{
  if (self->busy && !self->ended)
    self->ended = worker_analysis_take (self->analysis, self->results, &self->reason);
}

static gboolean
send_results (Worker *self, GError **error)
{
  WorkerQueue *queue = self->params->queue;
  g_autoptr (GError) failure = NULL;
  const WorkerResult *last;

  if (self->results->len == 0)
    return TRUE;
  if (!queue->klass->send (queue, (WorkerResult *const *)self->results->pdata, self->results->len,
                           &failure)) {
    if (!g_error_matches (failure, ENS_ERROR, ENS_ERROR_UNSUPPORTED)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    fail_job (self, failure);
    return TRUE;
  }
  last = self->results->pdata[self->results->len - 1];
  self->n_results = last->sequence + 1;
  g_ptr_array_set_size (self->results, 0);
  return TRUE;
}

static gboolean
end (Worker *self, GError **error)
{
  WorkerQueue *queue = self->params->queue;

  if (!self->ended)
    return TRUE;
  if (!queue->klass->end (queue, self->n_results, self->reason, error))
    return FALSE;
  if (self->reason != NULL)
    note (self, "failed: %s", self->reason);
  else
    note (self, "done: %" G_GUINT64_FORMAT " results", self->n_results);
  self->n_jobs++;
  forget_job (self);
  return TRUE;
}

/* ---- The loop ---- */

static gboolean
follow_orders (Worker *self, GError **error)
{
  WorkerQueue *queue = self->params->queue;
  WorkerOrder order;

  do {
    if (!queue->klass->next (queue, &order, error))
      return FALSE;
    if (order.kind == WORKER_ORDER_STOP) {
      note (self, "the job is another worker's now, or was cancelled");
      forget_job (self);
    } else if (order.kind == WORKER_ORDER_START) {
      start (self, &order);
    }
  } while (order.kind != WORKER_ORDER_NONE);
  return TRUE;
}

/* Results are sent after orders: what is another's by now is not. */
static gboolean
step (Worker *self, GError **error)
{
  WorkerQueue *queue = self->params->queue;
  GPollFD wake = {worker_analysis_get_fd (self->analysis), G_IO_IN, 0};

  if (!queue->klass->wait (queue, &wake, TICK_MS, self->cancellable, error)
      || !follow_orders (self, error))
    return FALSE;
  take_results (self);
  return send_results (self, error) && end (self, error);
}

static void
pause_before_retry (Worker *self)
{
  GPollFD cancelled;

  if (!g_cancellable_make_pollfd (self->cancellable, &cancelled))
    return;
  g_poll (&cancelled, 1, (gint)self->retry);
  g_cancellable_release_fd (self->cancellable);
  self->retry = MIN (self->retry * 2, self->retry_max);
}

static void
open_queue (Worker *self)
{
  WorkerQueue *queue = self->params->queue;
  g_autoptr (GError) error = NULL;

  self->open = queue->klass->open (queue, self->cancellable, &error);
  if (self->open) {
    self->opened = g_get_monotonic_time ();
    note (self, "connected");
  } else if (!g_cancellable_is_cancelled (self->cancellable)) {
    note (self, "%s; trying again", error->message);
    pause_before_retry (self);
  }
}

static void
close_queue (Worker *self, const GError *error)
{
  WorkerQueue *queue = self->params->queue;

  note (self, "%s", error->message);
  if (g_get_monotonic_time () - self->opened > self->retry_max * G_TIME_SPAN_MILLISECOND)
    self->retry = RETRY_MIN_MS;
  queue->klass->close (queue);
  self->open = FALSE;
  pause_before_retry (self);
}

static void
work (Worker *self)
{
  while (!g_cancellable_is_cancelled (self->cancellable)
         && (self->params->n_jobs == 0 || self->n_jobs < self->params->n_jobs)) {
    g_autoptr (GError) error = NULL;

    if (!self->open)
      open_queue (self);
    else if (!step (self, &error))
      close_queue (self, error);
  }
}

static gboolean
leave (Worker *self, GError **error)
{
  WorkerQueue *queue = self->params->queue;
  gboolean told = TRUE;

  if (self->busy && !self->open)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
                 "the broker is away: another worker takes the job when its lease has run out");
  if (self->busy)
    told = self->open && queue->klass->hand_back (queue, error);
  if (self->open)
    queue->klass->close (queue);
  return told;
}

/* A broker that comes back finds the worker before the lease of its job has run out. */
static guint
choose_longest_retry (gint64 lease)
{
  return (guint)CLAMP (lease / 3 / G_TIME_SPAN_MILLISECOND, RETRY_MIN_MS, RETRY_MAX_MS);
}

gboolean
worker_run (const WorkerParams *params, GCancellable *cancellable, GError **error)
{
  Worker self = {params, cancellable, worker_analysis_new (&params->tools)};
  gboolean told;

  self.retry = RETRY_MIN_MS;
  self.retry_max = choose_longest_retry (params->lease);
  self.results = g_ptr_array_new_with_free_func ((GDestroyNotify)worker_result_free);
  work (&self);
  told = leave (&self, error);
  worker_analysis_free (self.analysis);
  g_ptr_array_unref (self.results);
  g_free (self.reason);
  return told;
}
