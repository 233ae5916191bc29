/* Runs of networks that wait for each other, so that on a GPU a whole frame, with all networks,
 * scales and windows, takes one submission, and is sampled there: the frame goes to it once. */
#pragma once

#include <ensemble/network.h>
#include <ensemble/result.h>

#include "ensemble/bundle-files.h"

typedef struct _EnsJobs EnsJobs;

/* device: of all plans. wait: jobs run together when ens_jobs_run () is called; else each runs when
 * it is added, and memory for one is enough. (transfer full) */
EnsJobs *ens_jobs_new (EnsDevice *device, gboolean wait);
void ens_jobs_free (EnsJobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsJobs, ens_jobs_free)

gboolean ens_jobs_wait (const EnsJobs *jobs);

/* What a plan runs on: its inputs, as their shapes say, are all sampled from the same rectangles.
 */
typedef struct {
  EnsPlan *plan;
  guint n_inputs;
  const EnsShape *shapes; /* (n_rects, height, width, channels) */
  const EnsFrame *frame;
  const EnsRect *rects;
  EnsFraming framing;
  const EnsBundleNetwork *settings; /* of crops and colours */
  float *output;
} EnsJob;

/* Adds a job. Until it has run, `output`, `settings` and the frame with its pixels must stay, and
 * between two calls of ens_jobs_discard () all jobs that wait look at one frame. A plan that waits
 * already is run first, with all others. Time is added to timings->prepare and ->networks. */
gboolean ens_jobs_add (EnsJobs *jobs, const EnsJob *job, EnsTimings *timings, GError **error);

/* Runs all that wait; their time is added to timings->networks. */
gboolean ens_jobs_run (EnsJobs *jobs, EnsTimings *timings, GError **error);
/* Forgets all that wait, and their frame. */
void ens_jobs_discard (EnsJobs *jobs);
