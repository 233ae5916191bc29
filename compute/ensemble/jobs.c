#include "ensemble/jobs.h"

#include "ensemble/bundle-files.h"

typedef struct {
  EnsPlan *plan; /* NULL: free */
  float *inputs[ENS_MAX_SCALES];
  gsize sizes[ENS_MAX_SCALES]; /* floats that there is memory for */
  float *output;
} Job;

struct _EnsJobs {
  gboolean wait;
  GPtrArray *jobs; /* Job; what has run stays for its memory */
  guint n_waiting; /* the first ones */
};

static void
free_job (gpointer data)
{
  Job *job = data;

  g_clear_pointer (&job->plan, ens_plan_unref);
  for (guint i = 0; i < ENS_MAX_SCALES; i++)
    g_aligned_free (job->inputs[i]);
  g_free (job);
}

EnsJobs *
ens_jobs_new (gboolean wait)
{
  EnsJobs *jobs = g_new0 (EnsJobs, 1);

  jobs->wait = wait;
  jobs->jobs = g_ptr_array_new_with_free_func (free_job);
  return jobs;
}

void
ens_jobs_free (EnsJobs *jobs)
{
  if (jobs == NULL)
    return;
  g_ptr_array_unref (jobs->jobs);
  g_free (jobs);
}

gboolean
ens_jobs_wait (const EnsJobs *jobs)
{
  return jobs->wait;
}

static gboolean
is_waiting (const EnsJobs *jobs, const EnsPlan *plan)
{
  for (guint i = 0; i < jobs->n_waiting; i++)
    if (((const Job *)g_ptr_array_index (jobs->jobs, i))->plan == plan)
      return TRUE;
  return FALSE;
}

/* The job behind those that wait. */
static Job *
get_next (EnsJobs *jobs)
{
  if (jobs->n_waiting == jobs->jobs->len)
    g_ptr_array_add (jobs->jobs, g_new0 (Job, 1));
  return g_ptr_array_index (jobs->jobs, jobs->n_waiting);
}

static void
reserve (Job *job, guint i, gsize size)
{
  if (job->sizes[i] >= size)
    return;
  g_aligned_free (job->inputs[i]);
  job->inputs[i] = g_aligned_alloc (size, sizeof (float), 64);
  job->sizes[i] = size;
}

float *const *
ens_jobs_add (EnsJobs *jobs, EnsPlan *plan, const EnsShape *shapes, guint n_inputs,
              EnsTimings *timings, GError **error)
{
  Job *job;

  if (is_waiting (jobs, plan) && !ens_jobs_run (jobs, timings, error))
    return NULL;
  job = get_next (jobs);
  g_clear_pointer (&job->plan, ens_plan_unref);
  job->plan = ens_plan_ref (plan);
  for (guint i = 0; i < n_inputs; i++)
    reserve (job, i, (gsize)ens_shape_elements (&shapes[i]));
  return job->inputs;
}

gboolean
ens_jobs_start (EnsJobs *jobs, float *output, EnsTimings *timings, GError **error)
{
  get_next (jobs)->output = output;
  jobs->n_waiting++;
  return jobs->wait || ens_jobs_run (jobs, timings, error);
}

gboolean
ens_jobs_run (EnsJobs *jobs, EnsTimings *timings, GError **error)
{
  g_autofree EnsPlanRun *runs = g_new (EnsPlanRun, jobs->n_waiting);
  g_autofree gpointer *outputs = g_new (gpointer, jobs->n_waiting);
  gint64 start = g_get_monotonic_time ();
  gboolean ran;

  for (guint i = 0; i < jobs->n_waiting; i++) {
    const Job *job = g_ptr_array_index (jobs->jobs, i);

    outputs[i] = job->output;
    runs[i] = (EnsPlanRun) {job->plan, (const gconstpointer *)job->inputs, &outputs[i]};
  }
  ran = ens_plans_run (runs, jobs->n_waiting, error);
  ens_jobs_discard (jobs);
  timings->networks += 1000 * (g_get_monotonic_time () - start);
  return ran;
}

void
ens_jobs_discard (EnsJobs *jobs)
{
  for (guint i = 0; i < jobs->jobs->len; i++)
    g_clear_pointer (&((Job *)g_ptr_array_index (jobs->jobs, i))->plan, ens_plan_unref);
  jobs->n_waiting = 0;
}
