/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "help.h"

#include "text.h"

/* Where the summaries of options begin, unless an option's head is longer. */
#define SUMMARY_COLUMN 29

/* "-d, --device=DEVICE", as far as the option has these parts. (transfer full) */
static char *
make_head (const ToolOption *option)
{
  GString *head = g_string_new (NULL);

  if (option->letter != 0)
    g_string_append_printf (head, "-%c, ", option->letter);
  else
    g_string_append (head, "    ");
  g_string_append_printf (head, "--%s", option->name);
  if (option->value != NULL)
    g_string_append_printf (head, "=%s", option->value);
  return g_string_free (head, FALSE);
}

static void
append_entry (GString *help, const char *head, const char *summary)
{
  guint width = 2 + (guint)g_utf8_strlen (head, -1);

  g_string_append_printf (help, "  %s", head);
  if (width >= SUMMARY_COLUMN) {
    g_string_append_c (help, '\n');
    width = 0;
  }
  g_string_append_printf (help, "%*s", (int)(SUMMARY_COLUMN - width), "");
  tool_append_words (help, summary, SUMMARY_COLUMN, SUMMARY_COLUMN);
}

char *
tool_help (const ToolCommand *command)
{
  GString *help = g_string_new (NULL);

  g_string_append_printf (help, "Usage: gst-ensemble-1.0 %s [OPTION…]%s%s\n%s.\n", command->name,
                          *command->arguments != '\0' ? " " : "", command->arguments,
                          command->summary);
  if (command->help != NULL) {
    g_string_append_c (help, '\n');
    tool_append_text (help, command->help, 0);
  }
  for (const ToolTerm *term = command->terms; term != NULL && term->name != NULL; term++)
    append_entry (help, term->name, term->meaning);
  g_string_append_c (help, '\n');
  for (const ToolOption *option = command->options; option->name != NULL; option++) {
    g_autofree char *head = make_head (option);

    append_entry (help, head, option->summary);
  }
  return g_string_free (help, FALSE);
}

char *
tool_overview (void)
{
  GString *overview = g_string_new (
      "Usage: gst-ensemble-1.0 COMMAND …\n"
      "Trains ensembles of networks, tags pictures and videos with them, looks inside.\n\n");

  for (guint i = 0; tool_commands[i] != NULL; i++)
    g_string_append_printf (overview, "  %-13s  %s\n", tool_commands[i]->name,
                            tool_commands[i]->summary);
  g_string_append (overview,
                   "\nMore: gst-ensemble-1.0 COMMAND --help; man gst-ensemble-1.0, with all\n"
                   "environment variables\n");
  return g_string_free (overview, FALSE);
}
