/* The help that commands print. */
#pragma once

#include "tool.h"

/* (transfer full) */
char *tool_overview (void);
char *tool_help (const ToolCommand *command);
