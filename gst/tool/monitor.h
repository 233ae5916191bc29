/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A monitor that prints: progress on one line, notes on lines of their own; Ctrl-C cancels. */
#pragma once

#include "base/monitor.h"

typedef struct _ToolMonitor ToolMonitor;

ToolMonitor *tool_monitor_new (void);
void tool_monitor_free (ToolMonitor *monitor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolMonitor, tool_monitor_free)

/* Belongs to it. */
const EnsMonitor *tool_monitor_get (ToolMonitor *monitor);
