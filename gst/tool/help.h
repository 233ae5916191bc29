/* What commands say of themselves on the terminal. */
#pragma once

#include "tool.h"

/* (transfer full) */
char *tool_overview (void);
char *tool_help (const ToolCommand *command);
