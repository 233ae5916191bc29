/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: learning rates over the steps of a training.
 *
 * Sources: cosine: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts",
 * ICLR 2017; warm-up: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour",
 * 2017. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  ENS_SCHEDULE_CONSTANT,
  ENS_SCHEDULE_COSINE, /* from 1 to `last` along half a period */
  ENS_SCHEDULE_STEP,   /* times `gamma` every `period` steps */
  ENS_SCHEDULE_LINEAR, /* 1 for the first `hold` of the steps, then straight to `last` */
  ENS_N_SCHEDULES,
} EnsScheduleKind;

/* By value, up to a NULL. */
extern const char *const ens_schedule_names[];

typedef struct {
  EnsScheduleKind kind;
  guint64 n_steps; /* of the training, more than n_warm_up */
  guint64 n_warm_up;
  double last;    /* COSINE, LINEAR: the factor at the end */
  double gamma;   /* STEP */
  guint64 period; /* STEP; > 0 */
  double hold;    /* LINEAR, in [0, 1) */
} EnsSchedule;

/* What the learning rate of a step, counted from 0, is multiplied by: (step + 1) / n_warm_up of
 * the first n_warm_up steps, then as the kind says with the first step behind the warm-up as 0. */
double ens_schedule_factor (const EnsSchedule *schedule, guint64 step);

G_END_DECLS
