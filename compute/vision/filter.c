/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/filter.h"

#include <math.h>

/* An open interval as wide as the triangle holds at most this many input centres. */
static guint
count_taps (double half_width, guint available)
{
  return MIN ((guint)ceil (2 * half_width), available);
}

EnsFilterTaps
ens_filter_get_taps (const EnsFilterSpan *span, guint n)
{
  double half_width = fmax ((span->to - span->from) / n, 1);

  return (EnsFilterTaps) {count_taps (half_width, span->high - span->low), half_width};
}

static double
get_centre (const EnsFilterSpan *span, guint n, guint o)
{
  return span->from + (o + 0.5) * ((span->to - span->from) / n);
}

/* The first input whose centre lies inside the triangle. At the borders the run moves inwards:
 * inputs outside the triangle get weight 0, which changes nothing. */
static double
get_first (const EnsFilterSpan *span, const EnsFilterTaps *taps, double centre)
{
  double first = floor (centre - taps->half_width - 0.5) + 1;

  return fmin (fmax (first, span->low), (double)span->high - taps->taps);
}

guint
ens_filter_place (const EnsFilterSpan *span, guint n, guint o, double *distance)
{
  EnsFilterTaps taps = ens_filter_get_taps (span, n);
  double centre = get_centre (span, n, o), first = get_first (span, &taps, centre);

  *distance = first + 0.5 - centre;
  return (guint)first;
}

static void
weigh (float *weights, const EnsFilterTaps *taps, double first_centre, double centre)
{
  double sum = 0;

  for (guint t = 0; t < taps->taps; t++)
    sum += fmax (0, 1 - fabs (first_centre + t - centre) / taps->half_width);
  for (guint t = 0; t < taps->taps; t++)
    weights[t] = (float)(fmax (0, 1 - fabs (first_centre + t - centre) / taps->half_width) / sum);
}

void
ens_filter_init (EnsFilter *filter, const EnsFilterSpan *span, guint n, guint begin, guint end)
{
  EnsFilterTaps taps = ens_filter_get_taps (span, n);

  filter->taps = taps.taps;
  filter->first = g_new (guint, end - begin);
  filter->weights = g_new (float, (gsize)(end - begin) * taps.taps);
  for (guint o = begin; o < end; o++) {
    double centre = get_centre (span, n, o), first = get_first (span, &taps, centre);

    filter->first[o - begin] = (guint)first;
    weigh (filter->weights + (gsize)(o - begin) * taps.taps, &taps, first + 0.5, centre);
  }
}

void
ens_filter_clear (EnsFilter *filter)
{
  g_clear_pointer (&filter->first, g_free);
  g_clear_pointer (&filter->weights, g_free);
}
