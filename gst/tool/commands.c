/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool.h"

#include <string.h>

extern const ToolCommand tool_train, tool_retrain, tool_train_contour, tool_train_fused,
    tool_train_network, tool_train_style, tool_evaluate, tool_classify, tool_windows, tool_inspect,
    tool_benchmark, tool_devices, tool_selftest, tool_watch, tool_worker, tool_zero_shot,
    tool_extract;

const ToolCommand *const tool_commands[] = {
    &tool_train,         &tool_extract,     &tool_retrain,
    &tool_train_contour, &tool_train_fused, &tool_train_network,
    &tool_train_style,   &tool_zero_shot,   &tool_evaluate,
    &tool_classify,      &tool_watch,       &tool_windows,
    &tool_worker,        &tool_inspect,     &tool_benchmark,
    &tool_devices,       &tool_selftest,    NULL,
};

const ToolCommand *
tool_find_command (const char *name)
{
  for (guint i = 0; tool_commands[i] != NULL; i++)
    if (strcmp (tool_commands[i]->name, name) == 0)
      return tool_commands[i];
  return NULL;
}
