/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/peak.h"

#include "kernels/kernels.h"

/* A measurement takes a fraction of a millisecond: short enough that some go undisturbed on a busy
 * machine, long beside starting the threads. */
#define ROUNDS 100000
#define REPEATS 200

static void
run_multiply_add (gpointer data, guint task, guint worker)
{
  const EnsKernels *kernels = data;

  kernels->multiply_add (ROUNDS);
}

/* The best of many: whatever else runs on the machine can only slow it down. */
double
ens_peak_gflops (const EnsKernels *kernels, EnsThreadPool *pool)
{
  const guint threads = ens_thread_pool_get_threads (pool);
  double best = 0;

  for (guint i = 0; i < REPEATS; i++) {
    gint64 start = g_get_monotonic_time ();
    double seconds;

    ens_thread_pool_run (pool, threads, run_multiply_add, (gpointer)kernels);
    seconds = MAX (g_get_monotonic_time () - start, 1) * 1e-6;
    best = MAX (best, 1e-9 * threads * ROUNDS * kernels->flops_per_round / seconds);
  }
  return best;
}
