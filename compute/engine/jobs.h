/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of networks that wait for each other, so that on a GPU a whole frame, with all networks,
 * scales and windows, takes one submission (more where that would take long), and preprocessing
 * happens there: the frame is uploaded once. */
#pragma once

#include "engine/batcher.h"
#include "engine/network.h"
#include "vision/frame.h"

typedef struct _EnsJobs EnsJobs;

/* How many inputs and outputs a plan that jobs run may have. */
#define ENS_MAX_JOB_INPUTS 8
#define ENS_MAX_JOB_OUTPUTS 3

/* device: of all plans. together: where the device gains by it, jobs wait and run together when
 * ens_jobs_run () is called; else each runs when it is added, and memory for one is enough.
 * (transfer full) */
EnsJobs *ens_jobs_new (EnsDevice *device, gboolean together);
void ens_jobs_free (EnsJobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsJobs, ens_jobs_free)

/* Whether jobs wait for ens_jobs_run (). */
gboolean ens_jobs_wait (const EnsJobs *jobs);

/* What is added and run from now on may be cancelled so; NULL: not. */
void ens_jobs_set_cancellable (EnsJobs *jobs, GCancellable *cancellable);

/* ens_network_plan_cancellable () with the jobs' cancellable. */
EnsPlan *ens_jobs_plan (EnsJobs *jobs, EnsNetwork *network, const EnsShape *input_shapes,
                        GError **error);

/* What is run from now on goes with other streams' work where that is alike; NULL: on its own.
 * Borrowed. */
void ens_jobs_set_seat (EnsJobs *jobs, EnsBatchSeat *seat);

/* A run of a plan: all its inputs are the same rectangles of a frame, each resized to the
 * input's shape. */
typedef struct {
  EnsPlan *plan;
  EnsNetwork *network;    /* whose plan it is, for batches with other streams; NULL: in none */
  guint n_inputs;         /* at most ENS_MAX_JOB_INPUTS */
  const EnsShape *shapes; /* (n_rects, height, width, channels) */
  const EnsFrame *frame;
  const EnsRect *rects;
  EnsFraming framing;
  float crop; /* of ENS_FRAMING_CROP */
  const EnsNormalise *normalise;
  float *outputs[ENS_MAX_JOB_OUTPUTS]; /* as many as the plan has */
} EnsJob;

/* Adds a job. Until it has run, `outputs`, `normalise` and the frame with its pixels must stay. All
 * jobs that wait between two calls of ens_jobs_discard () must use one frame. If the plan, or
 * another one of the same network and shapes, waits already, all jobs that wait run first. */
gboolean ens_jobs_add (EnsJobs *jobs, const EnsJob *job, GError **error);

/* Runs all that wait. If it was cancelled, outputs are undefined. */
gboolean ens_jobs_run (EnsJobs *jobs, GError **error);

/* What was done since the last ens_jobs_discard (), and the time that it took, in nanoseconds. */
typedef struct {
  gint64 prepare;  /* preprocessing (cropping, resizing, normalising) on the CPU, or writing the
                    * tables for preprocessing on the GPU */
  gint64 networks; /* running plans, and waiting for other streams; without planning */
  /* The same as processor time of all threads: ens_thread_pool_get_cpu_time (). */
  gint64 prepare_cpu, networks_cpu;
  double pixels;      /* that preprocessing has made */
  double operations;  /* of the plans */
  gint64 planning;    /* what ens_jobs_plan () took, and planning of batches that was waited for */
  guint runs, frames; /* how often something was run, and for how many frames in all */
} EnsJobTimes;

const EnsJobTimes *ens_jobs_get_times (const EnsJobs *jobs);

/* Forgets all that wait, their frame and the time spent. */
void ens_jobs_discard (EnsJobs *jobs);
