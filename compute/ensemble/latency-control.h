/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the latency of results within a budget: how much is cut, from the latencies measured. A
 * state machine, which reads no clock. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Zero-initialised at first. Nanoseconds. */
typedef struct {
  guint level;        /* how much is cut; 0: nothing */
  gboolean settling;  /* the next latency is of a level that has just begun */
  gboolean calm;      /* latencies are low … */
  gint64 calm_since;  /* … since then */
  gint64 patience;    /* for how long they have to be, before less is cut; 0: the shortest */
  gboolean was_eased; /* less was cut … */
  gint64 eased;       /* … the last time */
} EnsLatencyControl;

typedef struct {
  gint64 now;     /* of the result; monotonic */
  gint64 latency; /* from the frame to its result */
  gint64 budget;  /* what it may be; 0: anything */
  guint n_levels; /* the highest level that cuts anything more */
} EnsLatencyMeasurement;

#define ENS_LATENCY_PATIENCE (5 * G_GINT64_CONSTANT (1000000000))
#define ENS_LATENCY_MAX_PATIENCE (64 * ENS_LATENCY_PATIENCE)

/* The level for frames from now on. It rises at once, by up to three if the latency is several
 * times the budget, and falls by one after a time in which no latency was above 70 % of the budget.
 * That time doubles whenever a level turns out to have been too low, so that the level does not
 * swing, and halves again whenever one has held. The first latency of a level does not
 * count: new plans are made for it. */
guint ens_latency_control_step (EnsLatencyControl *control, const EnsLatencyMeasurement *measured);

G_END_DECLS
