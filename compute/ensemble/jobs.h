/* Runs of networks that wait for each other, so that on a GPU a whole frame, with all networks,
 * scales and windows, takes one submission. */
#pragma once

#include <ensemble/network.h>
#include <ensemble/result.h>

typedef struct _EnsJobs EnsJobs;

/* wait: jobs run together when ens_jobs_run () is called; else each runs when it is started, and
 * memory for one is enough. (transfer full) */
EnsJobs *ens_jobs_new (gboolean wait);
void ens_jobs_free (EnsJobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsJobs, ens_jobs_free)

gboolean ens_jobs_wait (const EnsJobs *jobs);

/* A new job: a plan with arrays of these shapes, which are to be filled before it is started. A
 * plan that waits already is run first, with all others. The arrays belong to the jobs. NULL on
 * error. */
float *const *ens_jobs_add (EnsJobs *jobs, EnsPlan *plan, const EnsShape *shapes, guint n_inputs,
                            EnsTimings *timings, GError **error);
/* Starts the job that was added last. `output` must stay until it has run. */
gboolean ens_jobs_start (EnsJobs *jobs, float *output, EnsTimings *timings, GError **error);

/* Runs all that wait; their time is added to timings->networks. */
gboolean ens_jobs_run (EnsJobs *jobs, EnsTimings *timings, GError **error);
/* Forgets all that wait. */
void ens_jobs_discard (EnsJobs *jobs);
