/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/monitor.h"

static void
on_progress (const char *stage, guint done, guint total, gpointer data)
{
  const TestMonitor *self = data;

  if (self->cancel_after > 0 && done == self->cancel_after)
    g_cancellable_cancel (self->monitor.cancellable);
}

static void
on_note (const char *text, gpointer data)
{
  g_string_append_printf (((TestMonitor *)data)->notes, "%s\n", text);
}

void
test_monitor_init (TestMonitor *self)
{
  *self = (TestMonitor) {.monitor = {.progress = on_progress,
                                     .note = on_note,
                                     .data = self,
                                     .cancellable = g_cancellable_new ()},
                         .notes = g_string_new (NULL)};
}

void
test_monitor_clear (TestMonitor *self)
{
  g_object_unref (self->monitor.cancellable);
  g_string_free (self->notes, TRUE);
}

void
test_monitor_go_on (TestMonitor *self)
{
  self->cancel_after = 0;
  g_cancellable_reset (self->monitor.cancellable);
}
