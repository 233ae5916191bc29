/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-gate.h"

/* A timeline that none of so many frames was on has ended: a time on it is another jump. */
#define LATEST_FRAMES 32

/* The periods since the one that runs began, as far as they matter: -1 is a jump back. */
static gint
count_periods (const GstEnsembleTimeline *timeline, GstClockTime now, GstClockTime period)
{
  if (now < timeline->start)
    return timeline->start - now < period ? 0 : -1;
  return (gint)MIN ((now - timeline->start) / period, 2);
}

static GstClockTime
get_distance (const GstEnsembleTimeline *timeline, GstClockTime now)
{
  return now > timeline->start ? now - timeline->start : timeline->start - now;
}

static gboolean
is_current (const GstEnsembleFrameGate *gate, const GstEnsembleTimeline *timeline)
{
  return timeline->used > 0 && gate->n_frames - timeline->used <= LATEST_FRAMES;
}

/* The nearest timeline that the time is on, or NULL after a jump. */
static GstEnsembleTimeline *
find_timeline (GstEnsembleFrameGate *gate, GstClockTime now, GstClockTime period)
{
  GstEnsembleTimeline *found = NULL;

  for (guint i = 0; i < GST_ENSEMBLE_TIMELINES; i++) {
    GstEnsembleTimeline *timeline = &gate->timelines[i];
    gint periods = count_periods (timeline, now, period);

    if (is_current (gate, timeline) && (periods == 0 || periods == 1)
        && (found == NULL || get_distance (timeline, now) < get_distance (found, now)))
      found = timeline;
  }
  return found;
}

static GstEnsembleTimeline *
get_oldest (GstEnsembleFrameGate *gate)
{
  GstEnsembleTimeline *oldest = gate->timelines;

  for (guint i = 1; i < GST_ENSEMBLE_TIMELINES; i++)
    if (gate->timelines[i].used < oldest->used)
      oldest = &gate->timelines[i];
  return oldest;
}

/* *timeline: as in `asked`. */
static gboolean
is_period_over (GstEnsembleFrameGate *gate, GstClockTime now, GstClockTime period,
                GstEnsembleTimeline **timeline)
{
  *timeline = NULL;
  if (period == 0 || !GST_CLOCK_TIME_IS_VALID (now))
    return TRUE;
  *timeline = find_timeline (gate, now, period);
  if (*timeline != NULL) {
    (*timeline)->used = gate->n_frames;
    return count_periods (*timeline, now, period) > 0;
  }
  *timeline = get_oldest (gate);
  return TRUE;
}

gboolean
gst_ensemble_frame_gate_due (GstEnsembleFrameGate *gate, GstClockTime running_time, guint interval,
                             GstClockTime period)
{
  gboolean over;

  gate->n_frames++;
  gate->frames++;
  gate->asked.running_time = running_time;
  gate->asked.period = period;
  over = is_period_over (gate, running_time, period, &gate->asked.timeline);
  return !gate->started || (gate->frames >= interval && over);
}

static void
begin_period (GstEnsembleFrameGate *gate, GstEnsembleTimeline *timeline, GstClockTime now,
              GstClockTime period)
{
  gboolean on_grid = is_current (gate, timeline) && count_periods (timeline, now, period) == 1;

  timeline->start = on_grid ? timeline->start + period : now;
  timeline->used = gate->n_frames;
}

void
gst_ensemble_frame_gate_take (GstEnsembleFrameGate *gate)
{
  if (gate->asked.timeline != NULL)
    begin_period (gate, gate->asked.timeline, gate->asked.running_time, gate->asked.period);
  gate->started = TRUE;
  gate->frames = 0;
}
