#include "engine/jobs.h"

#include "engine/device-private.h"
#include "engine/plan-private.h"
#include "vision/batch-table.h"

typedef struct {
  EnsPlan *plan; /* NULL: free */
  EnsJob job;
  EnsRect *rects;
  EnsShape shapes[ENS_MAX_JOB_INPUTS];
  gboolean on_device; /* sampled there, as the tables say */
  EnsBatchTable tables[ENS_MAX_JOB_INPUTS];
  float *inputs[ENS_MAX_JOB_INPUTS];
  gsize sizes[ENS_MAX_JOB_INPUTS]; /* floats that there is memory for */
} Waiting;

struct _EnsJobs {
  EnsDevice *device;
  gboolean wait;
  GPtrArray *jobs;           /* Waiting; what has run stays for its memory */
  guint n_waiting;           /* the first ones */
  EnsVulkanSampler *sampler; /* NULL before anything is sampled on the device */
  EnsPackedFrame packed;     /* the frame as the device will read it */
  gboolean has_frame;        /* the sampler knows it */
  EnsJobTimes times;
};

/* What it looked at; its memory for inputs stays. */
static void
forget (Waiting *waiting)
{
  g_clear_pointer (&waiting->plan, ens_plan_unref);
  g_clear_pointer (&waiting->rects, g_free);
  for (guint i = 0; i < ENS_MAX_JOB_INPUTS; i++)
    ens_batch_table_clear (&waiting->tables[i]);
  waiting->on_device = FALSE;
}

static void
free_waiting (gpointer data)
{
  Waiting *waiting = data;

  forget (waiting);
  for (guint i = 0; i < ENS_MAX_JOB_INPUTS; i++)
    g_aligned_free (waiting->inputs[i]);
  g_free (waiting);
}

EnsJobs *
ens_jobs_new (EnsDevice *device, gboolean together)
{
  EnsJobs *jobs = g_new0 (EnsJobs, 1);

  jobs->device = ens_device_ref (device);
  jobs->wait = together && ens_device_is_gpu (device);
  jobs->jobs = g_ptr_array_new_with_free_func (free_waiting);
  return jobs;
}

void
ens_jobs_free (EnsJobs *jobs)
{
  if (jobs == NULL)
    return;
  g_ptr_array_unref (jobs->jobs);
  g_clear_pointer (&jobs->sampler, ens_vulkan_sampler_free);
  ens_device_unref (jobs->device);
  g_free (jobs);
}

gboolean
ens_jobs_wait (const EnsJobs *jobs)
{
  return jobs->wait;
}

static Waiting *
get_job (const EnsJobs *jobs, guint i)
{
  return g_ptr_array_index (jobs->jobs, i);
}

static gboolean
is_waiting (const EnsJobs *jobs, const EnsPlan *plan)
{
  for (guint i = 0; i < jobs->n_waiting; i++)
    if (get_job (jobs, i)->plan == plan)
      return TRUE;
  return FALSE;
}

/* The job behind those that wait. */
static Waiting *
get_next (EnsJobs *jobs)
{
  if (jobs->n_waiting == jobs->jobs->len)
    g_ptr_array_add (jobs->jobs, g_new0 (Waiting, 1));
  return get_job (jobs, jobs->n_waiting);
}

/* Sampling */

static EnsFramedSampling
get_sampling (const Waiting *waiting, guint i)
{
  return (EnsFramedSampling) {.framing = waiting->job.framing,
                              .crop = waiting->job.crop,
                              .width = (guint)waiting->shapes[i].dims[2],
                              .height = (guint)waiting->shapes[i].dims[1],
                              .normalise = waiting->job.normalise};
}

static void
reserve (Waiting *waiting, guint i, gsize size)
{
  if (waiting->sizes[i] >= size)
    return;
  g_aligned_free (waiting->inputs[i]);
  waiting->inputs[i] = g_aligned_alloc (size, sizeof (float), 64);
  waiting->sizes[i] = size;
}

static void
sample_on_cpu (const EnsJobs *jobs, Waiting *waiting)
{
  for (guint i = 0; i < waiting->job.n_inputs; i++) {
    const EnsShape *shape = &waiting->shapes[i];
    EnsFramedSampling sampling = get_sampling (waiting, i);

    reserve (waiting, i, (gsize)ens_shape_elements (shape));
    ens_frame_sample_framed (waiting->job.frame, waiting->rects, (guint)shape->dims[0], &sampling,
                             ens_device_get_pool (jobs->device), waiting->inputs[i]);
  }
  waiting->on_device = FALSE;
}

/* A new frame is made known to the sampler. */
static void
give_frame (EnsJobs *jobs, const EnsFrame *frame)
{
  g_autoptr (EnsVulkanDevice) vulkan = ens_device_ref_vulkan (jobs->device);

  if (jobs->has_frame)
    return;
  ens_packed_frame_init (&jobs->packed, frame,
                         vulkan != NULL ? ens_vulkan_device_get_max_import (vulkan) : 0);
  if (jobs->sampler == NULL)
    jobs->sampler = ens_vulkan_sampler_new ();
  ens_vulkan_sampler_set_frame (jobs->sampler, &jobs->packed);
  jobs->has_frame = TRUE;
}

/* FALSE if the device can't sample that. */
static gboolean
write_tables (EnsJobs *jobs, Waiting *waiting)
{
  const EnsBatchSource source = {waiting->job.frame, &jobs->packed, waiting->rects,
                                 (guint)waiting->shapes[0].dims[0]};

  give_frame (jobs, waiting->job.frame);
  for (guint i = 0; i < waiting->job.n_inputs; i++) {
    EnsFramedSampling sampling = get_sampling (waiting, i);

    if (!ens_batch_table_init (&waiting->tables[i], &source, &sampling))
      return FALSE;
  }
  waiting->on_device = TRUE;
  return TRUE;
}

gboolean
ens_jobs_add (EnsJobs *jobs, const EnsJob *job, GError **error)
{
  gint64 start;
  Waiting *waiting;

  if (is_waiting (jobs, job->plan) && !ens_jobs_run (jobs, error))
    return FALSE;
  start = g_get_monotonic_time ();
  waiting = get_next (jobs);
  forget (waiting);
  waiting->job = *job;
  waiting->plan = ens_plan_ref (job->plan);
  waiting->rects = g_memdup2 (job->rects, (gsize)job->shapes->dims[0] * sizeof *job->rects);
  for (guint i = 0; i < job->n_inputs; i++)
    waiting->shapes[i] = job->shapes[i];
  if (!ens_device_is_gpu (jobs->device) || !write_tables (jobs, waiting))
    sample_on_cpu (jobs, waiting);
  jobs->n_waiting++;
  jobs->times.prepare += 1000 * (g_get_monotonic_time () - start);
  return jobs->wait || ens_jobs_run (jobs, error);
}

/* Running */

/* FALSE if not all could run together with what is sampled on the device. */
static gboolean
run_sampled (const EnsJobs *jobs)
{
  g_autofree EnsSampledRun *runs = g_new (EnsSampledRun, jobs->n_waiting);
  g_autofree gpointer *outputs = g_new (gpointer, jobs->n_waiting);
  gboolean any = FALSE;

  for (guint i = 0; i < jobs->n_waiting; i++) {
    const Waiting *waiting = get_job (jobs, i);

    outputs[i] = waiting->job.output;
    runs[i] = (EnsSampledRun) {
        .plan = waiting->plan,
        .inputs = waiting->on_device ? NULL : (const gconstpointer *)waiting->inputs,
        .outputs = &outputs[i],
        .tables = waiting->tables};
    any = any || waiting->on_device;
  }
  return any && ens_plans_run_sampled (runs, jobs->n_waiting, jobs->sampler);
}

static gboolean
run_given (const EnsJobs *jobs, GError **error)
{
  g_autofree EnsPlanRun *runs = g_new (EnsPlanRun, jobs->n_waiting);
  g_autofree gpointer *outputs = g_new (gpointer, jobs->n_waiting);

  for (guint i = 0; i < jobs->n_waiting; i++) {
    Waiting *waiting = get_job (jobs, i);

    if (waiting->on_device)
      sample_on_cpu (jobs, waiting);
    outputs[i] = waiting->job.output;
    runs[i] = (EnsPlanRun) {waiting->plan, (const gconstpointer *)waiting->inputs, &outputs[i]};
  }
  return ens_plans_run (runs, jobs->n_waiting, error);
}

static void
forget_all (EnsJobs *jobs)
{
  for (guint i = 0; i < jobs->jobs->len; i++)
    forget (get_job (jobs, i));
  jobs->n_waiting = 0;
}

gboolean
ens_jobs_run (EnsJobs *jobs, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  gboolean ran = run_sampled (jobs) || run_given (jobs, error);

  forget_all (jobs);
  if (!jobs->wait)
    jobs->has_frame = FALSE;
  jobs->times.networks += 1000 * (g_get_monotonic_time () - start);
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
