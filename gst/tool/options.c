#include "tool.h"

G_DEFINE_QUARK (tool - usage, tool_usage)

gboolean
tool_parse (const ToolCommand *command, const GOptionEntry *entries, int *argc, char ***argv,
            guint min, guint max, GError **error)
{
  g_autofree char *parameters = g_strdup_printf ("%s %s", command->name, command->arguments);
  g_autoptr (GOptionContext) context = g_option_context_new (command->arguments);
  guint n;

  g_set_prgname (g_strdup_printf ("gst-ensemble-1.0 %s", command->name));
  g_option_context_set_summary (context, command->summary);
  g_option_context_set_description (context, command->details);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  n = (guint)*argc - 1;
  if (n < min || n > max) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "expected %s, got %u argument%s; see --help",
                 command->arguments, n, n == 1 ? "" : "s");
    return FALSE;
  }
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

    if (!g_ascii_string_to_unsigned (words[i], 10, 1, 8192, &size, NULL)) {
      g_set_error (error, TOOL_ERROR_USAGE, 0,
                   "%s expects sizes in pixels separated by commas, such as 256,384; got “%s”",
                   option, text);
      return FALSE;
    }
    value = (guint)size;
    g_array_append_val (sizes, value);
  }
  *n_values = sizes->len;
  *values = (guint *)g_array_free (g_steal_pointer (&sizes), FALSE);
  return TRUE;
}
