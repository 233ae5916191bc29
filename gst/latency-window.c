/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "latency-window.h"

/* The longest of one to two spans counts. Each has some analyses: where they are seldom, a single
 * one tells nothing of the next. */
#define SPAN (5 * G_TIME_SPAN_SECOND)
#define LEAST_ANALYSES 5

/* Room to grow by a quarter. */
#define ROOM 4

/* It falls by a third, and so much, or not at all. */
#define FALL 3
#define LEAST_FALL (5 * GST_MSECOND)

/* Whether a span has ended. */
static gboolean
go_on (GstEnsembleLatencyWindow *window, gint64 now)
{
  if (now - window->began < SPAN || window->n < LEAST_ANALYSES)
    return FALSE;
  window->longest[1] = window->longest[0];
  window->longest[0] = 0;
  window->n = 0;
  window->began = now;
  return TRUE;
}

gboolean
gst_ensemble_latency_window_add (GstEnsembleLatencyWindow *window, GstClockTime taken, gint64 now)
{
  gboolean ended = go_on (window, now);
  GstClockTime longest, wanted;

  window->n++;
  window->longest[0] = MAX (window->longest[0], taken);
  longest = MAX (window->longest[0], window->longest[1]);
  wanted = longest + longest / ROOM;
  if (longest <= window->reported
      && !(ended && wanted + LEAST_FALL < window->reported
           && wanted < window->reported - window->reported / FALL))
    return FALSE;
  window->reported = wanted;
  return TRUE;
}
