/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long work tells what it does, and is told to stop. */
#pragma once

#include <gio/gio.h>

#include "base/error.h"

typedef struct {
  /* `done` of `total` steps of a stage are done; a stage begins with done = 0 and ends with
   * done = total. From the thread that the work was started on. May be NULL. */
  void (*progress) (const char *stage, guint done, guint total, gpointer data);
  /* Something that its owner should know: a file skipped, a decision taken. May be NULL. */
  void (*note) (const char *text, gpointer data);
  /* What the running stage is at, in figures: "loss 0.31, 80 pictures/s". Often; the last one
   * counts. May be NULL. */
  void (*detail) (const char *text, gpointer data);
  gpointer data;
  GCancellable *cancellable; /* may be NULL */
} EnsMonitor;

/* monitor may be NULL in all of them. ens_monitor_progress () is FALSE with ENS_ERROR_CANCELLED
 * once the work was cancelled. */
gboolean ens_monitor_progress (const EnsMonitor *monitor, const char *stage, guint done,
                               guint total, GError **error);
void ens_monitor_note (const EnsMonitor *monitor, const char *format, ...) G_GNUC_PRINTF (2, 3);
void ens_monitor_detail (const EnsMonitor *monitor, const char *format, ...) G_GNUC_PRINTF (2, 3);
