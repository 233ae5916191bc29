/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL_INTERVAL (G_USEC_PER_SEC / 10)
#define PLAIN_INTERVAL (10 * G_USEC_PER_SEC)

struct _ToolProgress {
  gboolean terminal;
  char *stage;
  guint first; /* how much was done when the stage was first heard of */
  gint64 start, last;
  char *detail;  /* ", loss 0.3", or NULL */
  gboolean open; /* the terminal's line has not been ended */
};

ToolProgress *
tool_progress_new (void)
{
  ToolProgress *progress = g_new0 (ToolProgress, 1);

  progress->terminal = isatty (STDERR_FILENO);
  return progress;
}

static void
end_line (ToolProgress *progress)
{
  if (progress->open)
    g_printerr ("\n");
  progress->open = FALSE;
}

void
tool_progress_free (ToolProgress *progress)
{
  end_line (progress);
  g_free (progress->stage);
  g_free (progress->detail);
  g_free (progress);
}

static void
start_stage (ToolProgress *progress, const char *stage, guint done)
{
  end_line (progress);
  g_free (progress->stage);
  progress->stage = g_strdup (stage);
  g_clear_pointer (&progress->detail, g_free);
  progress->first = done;
  progress->start = g_get_monotonic_time ();
  progress->last = 0;
}

/* "" while nothing can be said yet. */
static char *
remaining (const ToolProgress *progress, guint done, guint total, gint64 now)
{
  double elapsed = (double)(now - progress->start) / G_USEC_PER_SEC;
  guint advanced = done - progress->first;
  guint seconds;

  if (advanced == 0 || elapsed < 1 || done >= total)
    return g_strdup ("");
  seconds = (guint)(elapsed * (total - done) / advanced + 0.5);
  if (seconds < 100)
    return g_strdup_printf (", %u s left", seconds);
  return g_strdup_printf (", %u min left", (seconds + 30) / 60);
}

void
tool_progress_report (ToolProgress *progress, const char *stage, guint done, guint total)
{
  gint64 now = g_get_monotonic_time ();
  gint64 interval = progress->terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
  const char *detail;
  g_autofree char *left = NULL;

  if (g_strcmp0 (progress->stage, stage) != 0)
    start_stage (progress, stage, done);
  if (done < total && now - progress->last < interval)
    return;
  progress->last = now;
  left = remaining (progress, done, total, now);
  detail = progress->detail != NULL ? progress->detail : "";
  if (progress->terminal) {
    /* Carriage return, text, and an order to clear what a longer text left behind it. */
    g_printerr ("\r%s: %u of %u%s%s\033[K", stage, done, total, detail, left);
    progress->open = TRUE;
  } else {
    g_printerr ("%s: %u of %u%s%s\n", stage, done, total, detail, left);
  }
}

void
tool_progress_detail (ToolProgress *progress, const char *text)
{
  g_free (progress->detail);
  progress->detail = g_strconcat (", ", text, NULL);
}

void
tool_progress_note (ToolProgress *progress, const char *text)
{
  end_line (progress);
  g_printerr ("%s\n", text);
}
