/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor.h"

#include <glib-unix.h>
#include <signal.h>

#include "progress.h"

struct _ToolMonitor {
  EnsMonitor monitor;
  ToolProgress *progress;
  GMainContext *context; /* runs in its own thread, so that Ctrl-C is heard while working */
  GMainLoop *loop;
  GThread *thread;
};

static void
report (const char *stage, guint done, guint total, gpointer data)
{
  tool_progress_report (((ToolMonitor *)data)->progress, stage, done, total);
}

static void
note (const char *text, gpointer data)
{
  tool_progress_note (((ToolMonitor *)data)->progress, text);
}

static void
detail (const char *text, gpointer data)
{
  tool_progress_detail (((ToolMonitor *)data)->progress, text);
}

static gboolean
cancel (gpointer data)
{
  g_cancellable_cancel (((ToolMonitor *)data)->monitor.cancellable);
  /* A second one ends the program at once. */
  signal (SIGINT, SIG_DFL);
  signal (SIGTERM, SIG_DFL);
  return G_SOURCE_REMOVE;
}

static gpointer
listen (gpointer data)
{
  ToolMonitor *monitor = data;

  g_main_context_push_thread_default (monitor->context);
  g_main_loop_run (monitor->loop);
  g_main_context_pop_thread_default (monitor->context);
  return NULL;
}

static void
cancel_by (ToolMonitor *monitor, int number)
{
  GSource *source = g_unix_signal_source_new (number);

  g_source_set_callback (source, cancel, monitor, NULL);
  g_source_attach (source, monitor->context);
  g_source_unref (source);
}

ToolMonitor *
tool_monitor_new (void)
{
  ToolMonitor *monitor = g_new0 (ToolMonitor, 1);

  monitor->progress = tool_progress_new ();
  monitor->monitor = (EnsMonitor) {.progress = report,
                                   .note = note,
                                   .detail = detail,
                                   .data = monitor,
                                   .cancellable = g_cancellable_new ()};
  monitor->context = g_main_context_new ();
  monitor->loop = g_main_loop_new (monitor->context, FALSE);
  cancel_by (monitor, SIGINT);
  cancel_by (monitor, SIGTERM);
  monitor->thread = g_thread_new ("tool-monitor", listen, monitor);
  return monitor;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
tool_monitor_free (ToolMonitor *monitor)
{
  g_main_context_invoke (monitor->context, quit, monitor->loop);
  g_thread_join (monitor->thread);
  g_main_loop_unref (monitor->loop);
  g_main_context_unref (monitor->context);
  tool_progress_free (monitor->progress);
  g_object_unref (monitor->monitor.cancellable);
  g_free (monitor);
}

const EnsMonitor *
tool_monitor_get (ToolMonitor *monitor)
{
  return &monitor->monitor;
}
