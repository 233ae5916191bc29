#include "vision/filter.h"

#include <math.h>

/* An open interval as wide as the triangle holds at most this many input centres. */
static guint
count_taps (double half_width, guint available)
{
  return MIN ((guint)ceil (2 * half_width), available);
}

static void
weigh (float *weights, guint taps, double first_centre, double centre, double half_width)
{
  double sum = 0;

  for (guint t = 0; t < taps; t++)
    sum += fmax (0, 1 - fabs (first_centre + t - centre) / half_width);
  for (guint t = 0; t < taps; t++)
    weights[t] = (float)(fmax (0, 1 - fabs (first_centre + t - centre) / half_width) / sum);
}

void
ens_filter_init (EnsFilter *filter, const EnsFilterSpan *span, guint n, guint begin, guint end)
{
  double step = (span->to - span->from) / n;
  double half_width = fmax (step, 1);
  guint taps = count_taps (half_width, span->high - span->low);
  double last = span->high - taps;

  filter->taps = taps;
  filter->first = g_new (guint, end - begin);
  filter->weights = g_new (float, (gsize)(end - begin) * taps);
  for (guint o = begin; o < end; o++) {
    double centre = span->from + (o + 0.5) * step;
    /* The first input whose centre lies inside the triangle. At the borders the run moves inwards:
     * inputs outside the triangle get weight 0, which changes nothing. */
    double first = floor (centre - half_width - 0.5) + 1;

    first = fmin (fmax (first, span->low), last);
    filter->first[o - begin] = (guint)first;
    weigh (filter->weights + (gsize)(o - begin) * taps, taps, first + 0.5, centre, half_width);
  }
}

void
ens_filter_clear (EnsFilter *filter)
{
  g_clear_pointer (&filter->first, g_free);
  g_clear_pointer (&filter->weights, g_free);
}
