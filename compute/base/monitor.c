/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/monitor.h"

gboolean
ens_monitor_progress (const EnsMonitor *monitor, const char *stage, guint done, guint total,
                      GError **error)
{
  if (monitor == NULL)
    return TRUE;
  if (monitor->progress != NULL)
    monitor->progress (stage, done, total, monitor->data);
  if (!g_cancellable_is_cancelled (monitor->cancellable))
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_CANCELLED, "cancelled while %s, at %u of %u", stage,
               done, total);
  return FALSE;
}

void
ens_monitor_note (const EnsMonitor *monitor, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  if (monitor == NULL || monitor->note == NULL)
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  monitor->note (text, monitor->data);
}
