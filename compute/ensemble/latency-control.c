/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Additive increase of what is looked at and a faster decrease, as in congestion control (D.-M.
 * Chiu, R. Jain, Analysis of the Increase and Decrease Algorithms for Congestion Avoidance in
 * Computer Networks, 1989), with a hysteresis and a back-off. */
#include "ensemble/latency-control.h"

/* Latencies up to this share of the budget are calm. */
#define CALM 0.7

/* A level that is too slow within so many times the patience should not have been tried. */
#define HELD 4

static void
change (EnsLatencyControl *control, guint level)
{
  control->level = level;
  control->settling = TRUE;
  control->calm = FALSE;
}

/* Whether less was cut not long ago. */
static gboolean
was_eased_lately (const EnsLatencyControl *control, gint64 now)
{
  return control->was_eased && now - control->eased < HELD * control->patience;
}

static void
cut_more (EnsLatencyControl *control, const EnsLatencyMeasurement *measured)
{
  guint step =
      1 + (measured->latency > 2 * measured->budget) + (measured->latency > 4 * measured->budget);

  control->calm = FALSE;
  if (control->level >= measured->n_levels)
    return;
  if (was_eased_lately (control, measured->now))
    control->patience = MIN (2 * control->patience, ENS_LATENCY_MAX_PATIENCE);
  control->was_eased = FALSE;
  change (control, MIN (control->level + step, measured->n_levels));
}

static void
cut_less (EnsLatencyControl *control, gint64 now)
{
  if (control->was_eased)
    control->patience = MAX (control->patience / 2, ENS_LATENCY_PATIENCE);
  control->was_eased = TRUE;
  control->eased = now;
  change (control, control->level - 1);
}

guint
ens_latency_control_step (EnsLatencyControl *control, const EnsLatencyMeasurement *measured)
{
  gboolean settling = control->settling;

  if (measured->budget <= 0) {
    *control = (EnsLatencyControl) {0};
    return 0;
  }
  control->patience = MAX (control->patience, ENS_LATENCY_PATIENCE);
  control->level = MIN (control->level, measured->n_levels);
  control->settling = FALSE;
  if (settling)
    return control->level;
  if (measured->latency > measured->budget) {
    cut_more (control, measured);
  } else if ((double)measured->latency > CALM * (double)measured->budget) {
    control->calm = FALSE;
  } else if (!control->calm) {
    control->calm = TRUE;
    control->calm_since = measured->now;
  } else if (control->level > 0 && measured->now - control->calm_since >= control->patience) {
    cut_less (control, measured->now);
  }
  return control->level;
}
