/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool.h"

#include "ensemble/bundle.h"

/* The hyphen belongs to the name. */
/* clang-format off */
G_DEFINE_QUARK (tool-usage, tool_usage)
/* clang-format on */

static gpointer
variable_of (const ToolOption *option, gpointer options)
{
  return (char *)options + option->offset;
}

gpointer
tool_options_new (const ToolCommand *command)
{
  return command->defaults != NULL ? g_memdup2 (command->defaults, command->options_size)
                                   : g_malloc0 (command->options_size);
}

void
tool_options_free (const ToolCommand *command, gpointer options)
{
  for (const ToolOption *option = command->options; option->name != NULL; option++) {
    gpointer variable = variable_of (option, options);

    if (option->type == G_OPTION_ARG_STRING || option->type == G_OPTION_ARG_FILENAME)
      g_free (*(char **)variable);
    else if (option->type == G_OPTION_ARG_STRING_ARRAY
             || option->type == G_OPTION_ARG_FILENAME_ARRAY)
      g_strfreev (*(char ***)variable);
  }
  g_free (options);
}

/* The table as GLib wants it. (transfer full) */
static GOptionEntry *
make_entries (const ToolCommand *command, gpointer options, gboolean *help)
{
  GArray *entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  const GOptionEntry asks = {"help", 'h', 0, G_OPTION_ARG_NONE, help, NULL, NULL};

  g_array_append_val (entries, asks);
  for (const ToolOption *option = command->options; option->name != NULL; option++) {
    const GOptionEntry entry = {
        option->name, option->letter, 0, option->type, variable_of (option, options), NULL, NULL};

    g_array_append_val (entries, entry);
  }
  return (GOptionEntry *)g_array_free (entries, FALSE);
}

gboolean
tool_parse (const ToolCommand *command, int argc, char **argv, gpointer options, char ***arguments,
            gboolean *help, GError **error)
{
  g_autofree GOptionEntry *entries = make_entries (command, options, help);
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) reason = NULL;
  guint n;

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &reason)) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "%s; see gst-ensemble-1.0 %s --help", reason->message,
                 command->name);
    return FALSE;
  }
  n = (guint)argc - 1;
  if (!*help && (n < command->min_arguments || n > command->max_arguments)) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "expected %s, got %u argument%s; see gst-ensemble-1.0 %s --help",
                 *command->arguments != '\0' ? command->arguments : "no arguments", n,
                 n == 1 ? "" : "s", command->name);
    return FALSE;
  }
  *arguments = argv + 1;
  return TRUE;
}

gboolean
tool_parse_sizes (const char *text, const char *option, guint **values, guint *n_values,
                  GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (guint));

  if (text == NULL)
    return TRUE;
  words = g_strsplit (text, ",", -1);
  for (guint i = 0; words[i] != NULL; i++) {
    guint64 size;
    guint value;

    if (!g_ascii_string_to_unsigned (words[i], 10, 1, ENS_MAX_SIDE, &size, NULL)) {
      g_set_error (error, TOOL_ERROR_USAGE, 0,
                   "%s expects sizes in pixels from 1 to %d, separated by commas, such as "
                   "256,384; got “%s”",
                   option, ENS_MAX_SIDE, text);
      return FALSE;
    }
    value = (guint)size;
    g_array_append_val (sizes, value);
  }
  *n_values = sizes->len;
  *values = (guint *)g_array_free (g_steal_pointer (&sizes), FALSE);
  return TRUE;
}

/* "a, b or c". (transfer full) */
static char *
join_names (const char *const *names)
{
  GString *list = g_string_new (names[0]);

  for (guint i = 1; names[i] != NULL; i++)
    g_string_append_printf (list, "%s%s", names[i + 1] != NULL ? ", " : " or ", names[i]);
  return g_string_free (list, FALSE);
}

gboolean
tool_parse_choice (const char *option, const char *value, const char *const *names, guint *choice,
                   GError **error)
{
  g_autofree char *list = NULL;

  if (value == NULL)
    return TRUE;
  for (guint i = 0; names[i] != NULL; i++)
    if (g_ascii_strcasecmp (value, names[i]) == 0) {
      *choice = i;
      return TRUE;
    }
  list = join_names (names);
  g_set_error (error, TOOL_ERROR_USAGE, 0, "%s expects %s, got “%s”", option, list, value);
  return FALSE;
}

gboolean
tool_parse_preset (const char *option, const char *value, EnsWindowsPreset *preset, GError **error)
{
  const char *names[ENS_N_WINDOWS_PRESETS + 1] = {NULL};
  guint choice = *preset;

  for (guint p = 0; p < ENS_N_WINDOWS_PRESETS; p++)
    names[p] = ens_windows_preset_name ((EnsWindowsPreset)p);
  if (!tool_parse_choice (option, value, names, &choice, error))
    return FALSE;
  *preset = (EnsWindowsPreset)choice;
  return TRUE;
}

gboolean
tool_check_least (const char *option, double value, double min, GError **error)
{
  if (value >= min)
    return TRUE;
  g_set_error (error, TOOL_ERROR_USAGE, 0, "%s expects at least %g, got %g", option, min, value);
  return FALSE;
}

gboolean
tool_require_model (const char *model, GError **error)
{
  if (model != NULL)
    return TRUE;
  g_set_error (error, TOOL_ERROR_USAGE, 0,
               "--model=BUNDLE is needed: a folder made by gst-ensemble-1.0 train");
  return FALSE;
}

void
tool_warn (const char *const *notes)
{
  for (const char *const *note = notes; *note != NULL; note++)
    g_printerr ("warning: %s\n", *note);
}

EnsDevice *
tool_open_device (const char *device, gint threads, GError **error)
{
  if (!tool_check_least ("--threads", threads, 0, error))
    return NULL;
  return ens_device_open (device != NULL ? device : "auto", (guint)threads, error);
}
