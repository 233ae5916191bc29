/* gst-ensemble-1.0: what its sub-commands share. */
#pragma once

#include <ensemble/error.h>
#include <ensemble/network.h>

/* A usage error: the command line can't be understood. */
#define TOOL_ERROR_USAGE (tool_usage_quark ())
GQuark tool_usage_quark (void);

typedef struct _ToolCommand ToolCommand;

struct _ToolCommand {
  const char *name;
  const char *arguments; /* as --help shows them, such as "FILE…" */
  const char *summary;   /* one line */
  const char *details;   /* further help, or NULL */
  /* argv[0] is the command's name. */
  gboolean (*run) (const ToolCommand *command, int argc, char **argv, GError **error);
};

extern const ToolCommand tool_train;
extern const ToolCommand tool_evaluate;
extern const ToolCommand tool_classify;
extern const ToolCommand tool_inspect;
extern const ToolCommand tool_benchmark;
extern const ToolCommand tool_windows;

/* Parses options; what is left in argv are the arguments, of which there must be at least `min` and
 * at most `max`. */
gboolean tool_parse (const ToolCommand *command, const GOptionEntry *entries, int *argc,
                     char ***argv, guint min, guint max, GError **error);

/* Numbers separated by commas, such as "256,384". NULL leaves *values alone. (transfer full) */
gboolean tool_parse_sizes (const char *text, const char *option, guint **values, guint *n_values,
                           GError **error);
