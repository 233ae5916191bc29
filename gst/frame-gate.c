/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-gate.h"

static gboolean
period_over (const GstEnsembleFrameGate *gate, GstClockTime now, GstClockTime period)
{
  if (period == 0 || !GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (gate->due))
    return TRUE;
  /* Time that jumps back, as in a new segment, starts a new period; so does a period that has been
   * made shorter while the old one runs. */
  return now >= gate->due || now + period < gate->due;
}

static GstClockTime
next_due (const GstEnsembleFrameGate *gate, GstClockTime now, GstClockTime period)
{
  if (period == 0 || !GST_CLOCK_TIME_IS_VALID (now))
    return GST_CLOCK_TIME_NONE;
  if (GST_CLOCK_TIME_IS_VALID (gate->due) && now >= gate->due && now - gate->due < period)
    return gate->due + period;
  return now + period;
}

gboolean
gst_ensemble_frame_gate_due (GstEnsembleFrameGate *gate, GstClockTime running_time, guint interval,
                             GstClockTime period)
{
  gate->frames++;
  if (gate->started && (gate->frames < interval || !period_over (gate, running_time, period)))
    return FALSE;
  if (!gate->started)
    gate->due = GST_CLOCK_TIME_NONE;
  gate->due = next_due (gate, running_time, period);
  gate->started = TRUE;
  gate->frames = 0;
  return TRUE;
}
