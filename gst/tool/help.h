/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The help that commands print. */
#pragma once

#include "tool.h"

/* (transfer full) */
char *tool_overview (void);
char *tool_help (const ToolCommand *command);
