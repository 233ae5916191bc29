/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that ensembleclassify could not analyse. Each costs its result, never the stream; the
 * application hears of them, but not of every one. */
#include "ensemble-classify.h"

#include <string.h>

#include "classify-debug.h"

/* A reason that changes is news, after a pause that doubles each time: some change with every
 * frame. */
#define LEAST_PAUSE G_TIME_SPAN_SECOND
#define LONGEST_PAUSE G_TIME_SPAN_HOUR

gboolean
gst_ensemble_failure_log_add (GstEnsembleFailureLog *log, guint64 n, const char *reason, gint64 now)
{
  const gboolean is_next = n >= MAX (log->next, 1);
  const gint64 pause = MAX (log->pause, LEAST_PAUSE);
  const gboolean is_news = g_strcmp0 (reason, log->reason) != 0 && now - log->posted >= pause;

  if (!is_next && !is_news)
    return FALSE;
  if (!is_next)
    log->pause = MIN (2 * pause, LONGEST_PAUSE);
  while (n >= MAX (log->next, 1))
    log->next = 10 * MAX (log->next, 1);
  g_free (log->reason);
  log->reason = g_strdup (reason);
  log->posted = now;
  return TRUE;
}

void
gst_ensemble_failure_log_clear (GstEnsembleFailureLog *log)
{
  g_free (log->reason);
  *log = (GstEnsembleFailureLog) {0};
}

void
gst_ensemble_classify_report_failures (GstEnsembleClassify *self)
{
  g_autoptr (GError) error = NULL;
  guint64 n = gst_ensemble_analyser_take_failure (self->analyser, &error);

  if (error == NULL)
    return;
  GST_DEBUG_OBJECT (self, "not analysed: %s", error->message);
  if (gst_ensemble_failure_log_add (&self->failures, n, error->message, g_get_monotonic_time ()))
    GST_ELEMENT_WARNING (
        self, STREAM, FAILED,
        ("A frame was not analysed (%" G_GUINT64_FORMAT " so far): %s", n, error->message), (NULL));
}
