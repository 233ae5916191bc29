/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/analysis.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cancel.h"

#define MAX_WAITING 64

struct _WorkerAnalysis {
  WorkerTools tools;
  char *model;        /* path of the last bundle that a job named */
  EnsEnsemble *other; /* of that bundle; NULL: there is none */
  int fd;             /* an eventfd: there is something to take */
  GThread *thread;    /* NULL: there is no job */
  WorkerJob *job;
  guint64 skip;
  GCancellable *cancellable;

  GMutex lock;
  GCond taken;
  GPtrArray *results; /* WorkerResult */
  gboolean ended;
  char *reason;
};

void
worker_result_free (WorkerResult *result)
{
  g_free (result->result);
  g_free (result);
}

/* ---- The thread ---- */

static void
wake (WorkerAnalysis *self)
{
  guint64 one = 1;

  if (write (self->fd, &one, sizeof one) != sizeof one)
    g_debug ("the worker is awake already");
}

static void
drain (WorkerAnalysis *self)
{
  guint64 drained;

  if (read (self->fd, &drained, sizeof drained) != sizeof drained)
    g_debug ("nothing has woken the worker");
}

/* Waits while there are many. */
static void
put (WorkerAnalysis *self, WorkerResult *result)
{
  g_mutex_lock (&self->lock);
  while (self->results->len >= MAX_WAITING && !g_cancellable_is_cancelled (self->cancellable))
    g_cond_wait (&self->taken, &self->lock);
  g_ptr_array_add (self->results, result);
  g_mutex_unlock (&self->lock);
  wake (self);
}

static gboolean
analyse (WorkerAnalysis *self, EnsAnalysis *analysis, const EnsPicture *picture, guint64 sequence,
         double position, GError **error)
{
  EnsAnalyseOptions options = self->job->analyse;
  g_autoptr (EnsResult) result = NULL;
  WorkerResult *found;

  options.cancellable = self->cancellable;
  result = ens_analysis_run (analysis, &picture->frame, picture->pts, &options, error);
  if (result == NULL)
    return FALSE;
  result->source = g_strdup (self->job->uri);
  found = g_new (WorkerResult, 1);
  *found = (WorkerResult) {sequence, position, ens_result_to_json (result, self->job->top)};
  put (self, found);
  return TRUE;
}

/* The last one is kept while jobs name no other. */
static EnsEnsemble *
open_model (WorkerAnalysis *self, const char *model, GError **error)
{
  if (g_strcmp0 (model, self->model) == 0)
    return self->other;
  g_clear_pointer (&self->other, ens_ensemble_unref);
  g_clear_pointer (&self->model, g_free);
  self->other = ens_ensemble_open (model, self->tools.device, error);
  if (self->other != NULL)
    self->model = g_strdup (model);
  return self->other;
}

static EnsEnsemble *
choose_ensemble (WorkerAnalysis *self, GError **error)
{
  if (self->job->model != NULL)
    return open_model (self, self->job->model, error);
  if (self->tools.ensemble == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "settings.model: expected the path of a bundle, as this worker was started "
                 "without --model");
  return self->tools.ensemble;
}

static gboolean
analyse_file (WorkerAnalysis *self, GError **error)
{
  EnsEnsemble *ensemble = choose_ensemble (self, error);
  g_autoptr (EnsAnalysis) analysis = ensemble != NULL ? ens_analysis_new (ensemble) : NULL;
  g_autoptr (EnsFrameSource) source = NULL;
  EnsFrameInterval interval = {self->job->interval};

  if (analysis == NULL)
    return FALSE;
  source = ens_frame_opener_open (self->tools.opener, self->job->uri, error);
  if (source == NULL)
    return FALSE;
  for (guint64 sequence = 0;; sequence++) {
    g_autoptr (EnsPicture) picture = NULL;

    if (!ens_check_cancelled (self->cancellable, error)
        || !ens_frame_source_next_due (source, &interval, &picture, error))
      return FALSE;
    if (picture == NULL && sequence == 0)
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: holds no picture", self->job->uri);
    if (picture == NULL)
      return sequence > 0;
    if (sequence >= self->skip
        && !analyse (self, analysis, picture, sequence, interval.time, error))
      return FALSE;
  }
}

/* A part of its own, as a worker that lost the job may still be at it. */
static gboolean
extract_features (WorkerAnalysis *self, GError **error)
{
  const EnsMonitor monitor = {.cancellable = self->cancellable};
  g_autofree char *part = g_strdup_printf ("%s-%08x", self->job->id, g_random_int ());

  return self->tools.extract (self->job->features, part, self->tools.device, self->tools.opener,
                              &monitor, error);
}

static gpointer
run (gpointer data)
{
  WorkerAnalysis *self = data;
  g_autoptr (GError) error = NULL;
  gboolean done = (self->job->features != NULL ? extract_features : analyse_file) (self, &error);

  g_mutex_lock (&self->lock);
  self->reason = done ? NULL : g_strdup (error->message);
  self->ended = TRUE;
  g_mutex_unlock (&self->lock);
  wake (self);
  return NULL;
}

/* ---- Its owner ---- */

WorkerAnalysis *
worker_analysis_new (const WorkerTools *tools)
{
  WorkerAnalysis *self = g_new0 (WorkerAnalysis, 1);

  self->tools = *tools;
  self->fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->taken);
  self->results = g_ptr_array_new_with_free_func ((GDestroyNotify)worker_result_free);
  return self;
}

void
worker_analysis_free (WorkerAnalysis *self)
{
  worker_analysis_stop (self);
  g_clear_pointer (&self->other, ens_ensemble_unref);
  g_free (self->model);
  g_ptr_array_unref (self->results);
  g_cond_clear (&self->taken);
  g_mutex_clear (&self->lock);
  g_object_unref (self->cancellable);
  close (self->fd);
  g_free (self);
}

void
worker_analysis_start (WorkerAnalysis *self, WorkerJob *job, guint64 skip)
{
  worker_analysis_stop (self);
  self->job = job;
  self->skip = skip;
  self->thread = g_thread_new ("worker-analysis", run, self);
}

void
worker_analysis_stop (WorkerAnalysis *self)
{
  if (self->thread == NULL)
    return;
  g_cancellable_cancel (self->cancellable);
  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->taken);
  g_mutex_unlock (&self->lock);
  g_thread_join (g_steal_pointer (&self->thread));
  drain (self);
  g_cancellable_reset (self->cancellable);
  g_ptr_array_set_size (self->results, 0);
  g_clear_pointer (&self->reason, g_free);
  g_clear_pointer (&self->job, worker_job_free);
  self->ended = FALSE;
}

int
worker_analysis_get_fd (const WorkerAnalysis *self)
{
  return self->fd;
}

gboolean
worker_analysis_take (WorkerAnalysis *self, GPtrArray *results, char **reason)
{
  gboolean ended;

  drain (self);
  g_mutex_lock (&self->lock);
  while (self->results->len > 0 && results->len < MAX_WAITING)
    g_ptr_array_add (results, g_ptr_array_steal_index (self->results, 0));
  ended = self->ended && self->results->len == 0;
  *reason = ended ? g_steal_pointer (&self->reason) : NULL;
  g_cond_broadcast (&self->taken);
  g_mutex_unlock (&self->lock);
  return ended;
}
