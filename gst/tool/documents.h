/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written of the commands for other programs: man and shells. */
#pragma once

#include "tool.h"

/* The manual page, for section 1. (transfer full) */
char *tool_manual (void);
/* What completes command lines. (transfer full) */
char *tool_bash_completion (void);
char *tool_fish_completion (void);
char *tool_zsh_completion (void);
