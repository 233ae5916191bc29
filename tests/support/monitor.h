/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests hear of long work, and how they stop it. */
#pragma once

#include "base/monitor.h"

typedef struct {
  EnsMonitor monitor; /* to give to the work */
  guint cancel_after; /* steps after which it is cancelled; 0: never */
  GString *notes;     /* all of them, a line each */
} TestMonitor;

void test_monitor_init (TestMonitor *self);
void test_monitor_clear (TestMonitor *self);
/* After a cancelled run: the next one runs to its end. */
void test_monitor_go_on (TestMonitor *self);
