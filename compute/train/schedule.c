/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/schedule.h"

#include <math.h>

const char *const ens_schedule_names[] = {"constant", "cosine", "step", "linear", NULL};

double
ens_schedule_factor (const EnsSchedule *schedule, guint64 step)
{
  guint64 n = schedule->n_steps - schedule->n_warm_up, i = step - schedule->n_warm_up;
  double done = fmin ((double)i / (double)n, 1);

  if (step < schedule->n_warm_up)
    return (double)(step + 1) / (double)schedule->n_warm_up;
  switch (schedule->kind) {
  case ENS_SCHEDULE_COSINE:
    return schedule->last + (1 - schedule->last) * (1 + cos (G_PI * done)) / 2;
  case ENS_SCHEDULE_STEP:
    return pow (schedule->gamma, (double)(i / schedule->period));
  case ENS_SCHEDULE_LINEAR:
    return done <= schedule->hold
               ? 1
               : 1 - (1 - schedule->last) * (done - schedule->hold) / (1 - schedule->hold);
  default:
    return 1;
  }
}
