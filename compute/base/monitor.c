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

static void
tell (void (*tell) (const char *text, gpointer data), gpointer data, const char *format,
      va_list arguments)
{
  g_autofree char *text = NULL;

  if (tell == NULL)
    return;
  text = g_strdup_vprintf (format, arguments);
  tell (text, data);
}

void
ens_monitor_note (const EnsMonitor *monitor, const char *format, ...)
{
  va_list arguments;

  if (monitor == NULL)
    return;
  va_start (arguments, format);
  tell (monitor->note, monitor->data, format, arguments);
  va_end (arguments);
}

void
ens_monitor_detail (const EnsMonitor *monitor, const char *format, ...)
{
  va_list arguments;

  if (monitor == NULL)
    return;
  va_start (arguments, format);
  tell (monitor->detail, monitor->data, format, arguments);
  va_end (arguments);
}
