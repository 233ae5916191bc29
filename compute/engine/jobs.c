/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/jobs.h"

#include "base/block.h"
#include "base/cancel.h"
#include "engine/batcher-private.h"
#include "engine/device-private.h"
#include "engine/plan-private.h"
#include "vision/batch-table.h"

typedef struct {
  EnsPlan *plan; /* NULL: free */
  EnsJob job;
  EnsRect *rects;
  EnsShape shapes[ENS_MAX_JOB_INPUTS];
  gboolean on_device; /* preprocessed there, as the tables say */
  EnsBatchTable tables[ENS_MAX_JOB_INPUTS];
  float *inputs[ENS_MAX_JOB_INPUTS];
  gsize sizes[ENS_MAX_JOB_INPUTS]; /* floats that there is memory for */
} PendingJob;

struct _EnsJobs {
  EnsDevice *device;
  gboolean wait;
  GCancellable *cancellable;           /* NULL: can't be cancelled */
  EnsBatchSeat *seat;                  /* NULL: runs on its own */
  GPtrArray *jobs;                     /* PendingJob; what has run stays for its memory */
  guint n_pending;                     /* the first ones */
  EnsVulkanPreprocessor *preprocessor; /* NULL before its first use */
  EnsPackedFrame packed;               /* the frame as the device will read it */
  gboolean has_frame;                  /* the preprocessor knows it */
  EnsJobTimes times;
};

/* Drops what the job refers to; its memory for inputs stays. */
static void
forget (PendingJob *pending)
{
  g_clear_pointer (&pending->plan, ens_plan_unref);
  g_clear_pointer (&pending->rects, g_free);
  for (guint i = 0; i < ENS_MAX_JOB_INPUTS; i++)
    ens_batch_table_clear (&pending->tables[i]);
  pending->on_device = FALSE;
}

static void
free_pending (gpointer data)
{
  PendingJob *pending = data;

  forget (pending);
  for (guint i = 0; i < ENS_MAX_JOB_INPUTS; i++)
    ens_block_free (pending->inputs[i]);
  g_free (pending);
}

EnsJobs *
ens_jobs_new (EnsDevice *device, gboolean together)
{
  EnsJobs *jobs = g_new0 (EnsJobs, 1);

  jobs->device = ens_device_ref (device);
  jobs->wait = together && ens_device_is_gpu (device);
  jobs->jobs = g_ptr_array_new_with_free_func (free_pending);
  return jobs;
}

void
ens_jobs_free (EnsJobs *jobs)
{
  if (jobs == NULL)
    return;
  g_ptr_array_unref (jobs->jobs);
  g_clear_pointer (&jobs->preprocessor, ens_vulkan_preprocessor_free);
  g_clear_object (&jobs->cancellable);
  ens_device_unref (jobs->device);
  g_free (jobs);
}

void
ens_jobs_set_cancellable (EnsJobs *jobs, GCancellable *cancellable)
{
  g_set_object (&jobs->cancellable, cancellable);
}

void
ens_jobs_set_seat (EnsJobs *jobs, EnsBatchSeat *seat)
{
  jobs->seat = seat;
}

gboolean
ens_jobs_wait (const EnsJobs *jobs)
{
  return jobs->wait;
}

static PendingJob *
get_job (const EnsJobs *jobs, guint i)
{
  return g_ptr_array_index (jobs->jobs, i);
}

static gboolean
are_shapes_equal (const EnsShape *a, const EnsShape *b, guint n)
{
  for (guint i = 0; i < n; i++)
    if (!ens_shape_equal (&a[i], &b[i]))
      return FALSE;
  return TRUE;
}

/* Whether the plan waits already, or what would be the same plan in a batch of several streams: the
 * network may have planned anew in between. */
static gboolean
is_pending (const EnsJobs *jobs, const EnsJob *job)
{
  for (guint i = 0; i < jobs->n_pending; i++) {
    const PendingJob *pending = get_job (jobs, i);

    if (pending->plan == job->plan
        || (job->network != NULL && pending->job.network == job->network
            && are_shapes_equal (pending->shapes, job->shapes, job->n_inputs)))
      return TRUE;
  }
  return FALSE;
}

/* The job behind those that wait. */
static PendingJob *
get_next (EnsJobs *jobs)
{
  if (jobs->n_pending == jobs->jobs->len)
    g_ptr_array_add (jobs->jobs, g_new0 (PendingJob, 1));
  return get_job (jobs, jobs->n_pending);
}

/* Preprocessing */

static EnsFramedResize
get_resize (const PendingJob *pending, guint i)
{
  return (EnsFramedResize) {.framing = pending->job.framing,
                            .crop = pending->job.crop,
                            .width = (guint)pending->shapes[i].dims[2],
                            .height = (guint)pending->shapes[i].dims[1],
                            .normalise = pending->job.normalise};
}

static gboolean
reserve (PendingJob *pending, guint i, gsize size, GError **error)
{
  if (pending->sizes[i] >= size)
    return TRUE;
  ens_block_free (pending->inputs[i]);
  pending->inputs[i] = ens_block_try_new (size * sizeof (float));
  pending->sizes[i] = pending->inputs[i] != NULL ? size : 0;
  if (pending->inputs[i] == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
                 "there is no memory left for the input of %" G_GINT64_FORMAT
                 " images; take smaller images",
                 pending->shapes[i].dims[0]);
  return pending->inputs[i] != NULL;
}

static gboolean
preprocess_on_cpu (const EnsJobs *jobs, PendingJob *pending, GError **error)
{
  g_autoptr (EnsThreadPool) pool =
      ens_thread_pool_new_cancellable (ens_device_get_pool (jobs->device), jobs->cancellable);

  for (guint i = 0; i < pending->job.n_inputs; i++) {
    const EnsShape *shape = &pending->shapes[i];
    EnsFramedResize resize = get_resize (pending, i);

    if (!reserve (pending, i, (gsize)ens_shape_elements (shape), error))
      return FALSE;
    ens_frame_resize_framed (pending->job.frame, pending->rects, (guint)shape->dims[0], &resize,
                             pool, pending->inputs[i]);
  }
  pending->on_device = FALSE;
  return ens_check_cancelled (jobs->cancellable, error);
}

/* Passes a new frame to the preprocessor. */
static void
give_frame (EnsJobs *jobs, const EnsFrame *frame)
{
  g_autoptr (EnsVulkanDevice) vulkan = ens_device_ref_vulkan (jobs->device);

  if (jobs->has_frame)
    return;
  ens_packed_frame_init (&jobs->packed, frame,
                         vulkan != NULL ? ens_vulkan_device_get_info (vulkan)->max_import : 0);
  if (jobs->preprocessor == NULL)
    jobs->preprocessor = ens_vulkan_preprocessor_new ();
  ens_vulkan_preprocessor_set_frame (jobs->preprocessor, &jobs->packed);
  jobs->has_frame = TRUE;
}

/* FALSE if the device can't preprocess that. */
static gboolean
write_tables (EnsJobs *jobs, PendingJob *pending)
{
  const EnsBatchSource source = {pending->job.frame, &jobs->packed, pending->rects,
                                 (guint)pending->shapes[0].dims[0]};

  give_frame (jobs, pending->job.frame);
  for (guint i = 0; i < pending->job.n_inputs; i++) {
    EnsFramedResize resize = get_resize (pending, i);

    if (!ens_batch_table_init (&pending->tables[i], &source, &resize))
      return FALSE;
  }
  pending->on_device = TRUE;
  return TRUE;
}

EnsPlan *
ens_jobs_plan (EnsJobs *jobs, EnsNetwork *network, const EnsShape *input_shapes, GError **error)
{
  const gint64 start = g_get_monotonic_time ();
  EnsPlan *plan = ens_network_plan_cancellable (network, input_shapes, jobs->cancellable, error);

  jobs->times.planning += 1000 * (g_get_monotonic_time () - start);
  return plan;
}

static void
count_job (EnsJobTimes *times, const PendingJob *pending)
{
  times->operations += ens_plan_get_operations (pending->plan);
  for (guint i = 0; i < pending->job.n_inputs; i++)
    times->pixels += (double)ens_shape_elements (&pending->shapes[i])
                     / (double)pending->shapes[i].dims[pending->shapes[i].rank - 1];
}

gboolean
ens_jobs_add (EnsJobs *jobs, const EnsJob *job, GError **error)
{
  gint64 start, start_cpu;
  PendingJob *pending;

  if (!ens_check_cancelled (jobs->cancellable, error)
      || (is_pending (jobs, job) && !ens_jobs_run (jobs, error)))
    return FALSE;
  start = g_get_monotonic_time ();
  start_cpu = ens_thread_pool_get_cpu_time ();
  pending = get_next (jobs);
  forget (pending);
  pending->job = *job;
  pending->plan = ens_plan_ref (job->plan);
  pending->rects = g_memdup2 (job->rects, (gsize)job->shapes->dims[0] * sizeof *job->rects);
  for (guint i = 0; i < job->n_inputs; i++)
    pending->shapes[i] = job->shapes[i];
  if ((!ens_device_is_gpu (jobs->device) || !write_tables (jobs, pending))
      && !preprocess_on_cpu (jobs, pending, error))
    return FALSE;
  jobs->n_pending++;
  jobs->times.prepare += 1000 * (g_get_monotonic_time () - start);
  count_job (&jobs->times, pending);
  jobs->times.prepare_cpu += ens_thread_pool_get_cpu_time () - start_cpu;
  return jobs->wait || ens_jobs_run (jobs, error);
}

/* Running */

/* FALSE if not all can run together with preprocessing on the device. */
static gboolean
run_preprocessed (const EnsJobs *jobs)
{
  g_autofree EnsPlanRun *runs = g_new (EnsPlanRun, jobs->n_pending);
  g_autofree EnsPreprocessedImages *images = g_new (EnsPreprocessedImages, jobs->n_pending);
  gboolean any = FALSE;

  for (guint i = 0; i < jobs->n_pending; i++) {
    const PendingJob *pending = get_job (jobs, i);

    images[i] = (EnsPreprocessedImages) {jobs->preprocessor, pending->tables};
    runs[i] =
        (EnsPlanRun) {.plan = pending->plan,
                      .inputs = pending->on_device ? NULL : (const gconstpointer *)pending->inputs,
                      .outputs = (const gpointer *)pending->job.outputs,
                      .images = &images[i],
                      .n_images = 1};
    any = any || pending->on_device;
  }
  return any && ens_plans_run_preprocessed (runs, jobs->n_pending, jobs->cancellable);
}

static gboolean
run_from_arrays (const EnsJobs *jobs, GError **error)
{
  g_autofree EnsPlanRun *runs = g_new (EnsPlanRun, jobs->n_pending);

  for (guint i = 0; i < jobs->n_pending; i++) {
    PendingJob *pending = get_job (jobs, i);

    if (pending->on_device && !preprocess_on_cpu (jobs, pending, error))
      return FALSE;
    runs[i] = (EnsPlanRun) {.plan = pending->plan,
                            .inputs = (const gconstpointer *)pending->inputs,
                            .outputs = (const gpointer *)pending->job.outputs};
  }
  return ens_plans_run (runs, jobs->n_pending, jobs->cancellable, error);
}

static gboolean
run_alone (const EnsJobs *jobs, GError **error)
{
  return run_preprocessed (jobs) || run_from_arrays (jobs, error);
}

/* With other streams */

static gboolean
can_batch (const EnsJobs *jobs)
{
  for (guint i = 0; i < jobs->n_pending; i++)
    if (get_job (jobs, i)->job.network == NULL)
      return FALSE;
  return jobs->seat != NULL && jobs->n_pending > 0;
}

/* (transfer full) */
static EnsBatchPart *
list_parts (const EnsJobs *jobs)
{
  EnsBatchPart *parts = g_new (EnsBatchPart, jobs->n_pending);

  for (guint i = 0; i < jobs->n_pending; i++) {
    const PendingJob *pending = get_job (jobs, i);

    parts[i] = (EnsBatchPart) {
        .network = pending->job.network,
        .shapes = pending->shapes,
        .inputs = pending->on_device ? NULL : (const gconstpointer *)pending->inputs,
        .tables = pending->tables,
        .outputs = (const gpointer *)pending->job.outputs,
    };
  }
  return parts;
}

static gboolean
run_in_batch (const EnsJobs *jobs, EnsBatchPassage *passage, GError **error)
{
  g_autofree EnsBatchPart *parts = list_parts (jobs);
  const EnsBatchWork work = {parts, jobs->n_pending, jobs->preprocessor};
  gboolean ran;

  switch (ens_batch_seat_run (jobs->seat, &work, jobs->cancellable, passage)) {
  case ENS_BATCH_DONE:
    return TRUE;
  case ENS_BATCH_CANCELLED:
    return ens_check_cancelled (jobs->cancellable, error);
  case ENS_BATCH_ALONE:
    break;
  }
  ran = run_alone (jobs, error);
  ens_batch_seat_finish (jobs->seat);
  return ran;
}

static void
forget_all (EnsJobs *jobs)
{
  for (guint i = 0; i < jobs->jobs->len; i++)
    forget (get_job (jobs, i));
  jobs->n_pending = 0;
}

gboolean
ens_jobs_run (EnsJobs *jobs, GError **error)
{
  gint64 start = g_get_monotonic_time (), start_cpu = ens_thread_pool_get_cpu_time ();
  EnsBatchPassage passage = {.n_frames = 1};
  gboolean ran = can_batch (jobs) ? run_in_batch (jobs, &passage, error) : run_alone (jobs, error);

  jobs->times.runs += jobs->n_pending > 0;
  jobs->times.frames += jobs->n_pending > 0 ? passage.n_frames : 0;
  forget_all (jobs);
  if (!jobs->wait)
    jobs->has_frame = FALSE;
  jobs->times.planning += 1000 * passage.planning;
  jobs->times.networks += 1000 * (g_get_monotonic_time () - start - passage.planning);
  jobs->times.networks_cpu += ens_thread_pool_get_cpu_time () - start_cpu;
  return ran;
}

const EnsJobTimes *
ens_jobs_get_times (const EnsJobs *jobs)
{
  return &jobs->times;
}

void
ens_jobs_discard (EnsJobs *jobs)
{
  forget_all (jobs);
  jobs->has_frame = FALSE;
  jobs->times = (EnsJobTimes) {0};
}
