#include "sampler.h"

static gboolean
period_over (const GstEnsembleSampler *sampler, GstClockTime now, GstClockTime period)
{
  if (period == 0 || !GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (sampler->due))
    return TRUE;
  /* Time that jumps back, as in a new segment, starts a new period; so does a period that has been
   * made shorter while the old one runs. */
  return now >= sampler->due || now + period < sampler->due;
}

static GstClockTime
next_due (const GstEnsembleSampler *sampler, GstClockTime now, GstClockTime period)
{
  if (period == 0 || !GST_CLOCK_TIME_IS_VALID (now))
    return GST_CLOCK_TIME_NONE;
  if (GST_CLOCK_TIME_IS_VALID (sampler->due) && now >= sampler->due && now - sampler->due < period)
    return sampler->due + period;
  return now + period;
}

gboolean
gst_ensemble_sampler_due (GstEnsembleSampler *sampler, GstClockTime running_time, guint interval,
                          GstClockTime period)
{
  sampler->frames++;
  if (sampler->started
      && (sampler->frames < interval || !period_over (sampler, running_time, period)))
    return FALSE;
  if (!sampler->started)
    sampler->due = GST_CLOCK_TIME_NONE;
  sampler->due = next_due (sampler, running_time, period);
  sampler->started = TRUE;
  sampler->frames = 0;
  return TRUE;
}
