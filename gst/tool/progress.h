/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a long job is: one line that renews itself on a terminal, with the time that remains;
 * plain lines, at most one every ten seconds, elsewhere. Goes to standard error. One thread at a
 * time. */
#pragma once

#include <glib.h>

typedef struct _ToolProgress ToolProgress;

ToolProgress *tool_progress_new (void);
/* Ends the line. */
void tool_progress_free (ToolProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolProgress, tool_progress_free)

/* A stage's name that differs from the last one starts a new line. */
void tool_progress_report (ToolProgress *progress, const char *stage, guint done, guint total);

/* Figures that follow the stage's name from now on, until it ends. */
void tool_progress_detail (ToolProgress *progress, const char *text);

/* Prints a line of its own between the others. */
void tool_progress_note (ToolProgress *progress, const char *text);
