/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble-1.0: what its sub-commands share.
 *
 * A command describes itself in one ToolCommand and a table of ToolOption; from them come the
 * parsing of its command line, its --help, its part of the manual page and the completion in
 * shells. A new command is one file with such a description and one line in commands.c. */
#pragma once

#include "base/error.h"
#include "engine/network.h"
#include "vision/selective-search.h"

/* A usage error: the command line can't be understood. */
#define TOOL_ERROR_USAGE (tool_usage_quark ())
GQuark tool_usage_quark (void);

/* An option. `completions` lists what shells offer for its value, separated by spaces: words,
 * "/" for folders, "*.onnx" for files of such names. */
typedef struct {
  const char *name;
  char letter;             /* 0: none */
  GOptionArg type;         /* of the variable */
  gsize offset;            /* of the variable in the command's options */
  const char *value;       /* what the value is called, such as "N"; NULL for flags */
  const char *summary;     /* the default in parentheses at its end */
  const char *completions; /* may be NULL */
} ToolOption;

/* A word that users can say, and what it means. */
typedef struct {
  const char *name, *meaning;
} ToolTerm;

/* Both up to a name of NULL. */
extern const ToolTerm tool_device_names[];
extern const ToolTerm tool_variables[];

/* Options that several commands have, for members `device` and `threads` of their structs. */
#define TOOL_DEVICE_SUMMARY "Where networks run; names: devices --help (auto)"
#define TOOL_DEVICE_COMPLETIONS "auto cpu vulkan vulkan+float16"
#define TOOL_THREADS_SUMMARY "Threads on the CPU (all processors)"
#define TOOL_OPTION_DEVICE(type)                                                  \
  {                                                                               \
    "device", 'd', G_OPTION_ARG_STRING, G_STRUCT_OFFSET (type, device), "DEVICE", \
        TOOL_DEVICE_SUMMARY, TOOL_DEVICE_COMPLETIONS                              \
  }
#define TOOL_OPTION_THREADS(type)                                                                \
  {                                                                                              \
    "threads", 't', G_OPTION_ARG_INT, G_STRUCT_OFFSET (type, threads), "N", TOOL_THREADS_SUMMARY \
  }
#define TOOL_OPTION_MODEL(type)                                                                   \
  {                                                                                               \
    "model", 'm', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (type, model), "BUNDLE", "The ensemble", \
        "/"                                                                                       \
  }
#define TOOL_OPTION_STYLE(type)                                             \
  {                                                                         \
    "style", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (type, style), "NAME", \
        "Adapt pictures by a style of the bundle, or a file", "*.onnx"      \
  }
#define TOOL_OPTION_ONE_CLASS(type)                                                 \
  {                                                                                 \
    "one-class", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (type, one_class), "NAME", \
        "That class's classifiers alone"                                            \
  }
#define TOOL_OPTION_UNLABELLED(type)                                                        \
  {                                                                                         \
    "unlabelled", 'u', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (type, unlabelled), "FOLDER", \
        "Pictures without labels: which to label next", "/"                                 \
  }
#define TOOL_OPTION_END \
  {                     \
    NULL                \
  }

/* Texts are paragraphs between empty lines; a line that begins with a space stays as it is. */
typedef struct {
  const char *name;
  const char *arguments;   /* as --help shows them, such as "FILE…"; empty: there are none */
  const char *completions; /* of arguments, as for options */
  guint min_arguments, max_arguments;
  const char *summary;   /* one line, without a full stop */
  const char *help;      /* what --help says beyond that, or NULL; all of it fits on one screen */
  const char *manual;    /* what the manual page says beyond that, or NULL */
  const ToolTerm *terms; /* what --help and the manual page explain beside options, or NULL */
  const ToolOption *options;
  gsize options_size;     /* of the struct that the options are members of */
  gconstpointer defaults; /* such a struct, or NULL for zeroes */
  /* Strings among the options are freed afterwards. */
  gboolean (*run) (gconstpointer options, char **arguments, GError **error);
} ToolCommand;

/* All commands, in the order of help, up to a NULL. */
extern const ToolCommand *const tool_commands[];
const ToolCommand *tool_find_command (const char *name);

/* Values of a command's options. (transfer full) */
gpointer tool_options_new (const ToolCommand *command);
void tool_options_free (const ToolCommand *command, gpointer options);
/* Parses a command line that begins with the command's name; *arguments is what is left of argv. If
 * it asks for help, *help is set and arguments are not counted. */
gboolean tool_parse (const ToolCommand *command, int argc, char **argv, gpointer options,
                     char ***arguments, gboolean *help, GError **error);

/* Sides of images, separated by commas, such as "256,384". NULL leaves *values alone. (transfer
 * full) */
gboolean tool_parse_sizes (const char *text, const char *option, guint **values, guint *n_values,
                           GError **error);
/* The position of `value` among the names, up to a NULL, in capitals or not. NULL leaves *choice
 * alone. Any other value is an error that lists the names. */
gboolean tool_parse_choice (const char *option, const char *value, const char *const *names,
                            guint *choice, GError **error);
gboolean tool_parse_preset (const char *option, const char *value, EnsWindowsPreset *preset,
                            GError **error);
/* --model of commands that can't do without. */
gboolean tool_require_model (const char *model, GError **error);
/* Warns of what is special about a network or an ensemble, on the standard error output. */
void tool_warn (const char *const *notes);
/* --device and --threads; NULL: auto. (transfer full) */
EnsDevice *tool_open_device (const char *device, gint threads, GError **error);
/* FALSE with an error that names the option if the value is below `min`. */
gboolean tool_check_least (const char *option, double value, double min, GError **error);
