/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manual page, in the man macros of troff.
 *
 * Source: man-pages(7), groff_man_style(7). */
#include "documents.h"

#include <string.h>

/* Text of one line. Hyphens that somebody may copy must stay hyphens. */
static void
append_escaped (GString *page, const char *text)
{
  if (*text == '.' || *text == '\'')
    g_string_append (page, "\\&");
  for (; *text != '\0'; text++)
    if (*text == '\\')
      g_string_append (page, "\\e");
    else if (*text == '-')
      g_string_append (page, "\\-");
    else
      g_string_append_c (page, *text);
}

/* An example keeps its lines. */
static void
append_text (GString *page, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean example = FALSE;

  for (guint i = 0; lines[i] != NULL; i++) {
    const char *line = lines[i];

    if (example != (*line == ' ')) {
      example = !example;
      g_string_append (page, example ? ".PP\n.EX\n" : ".EE\n");
    }
    if (*line == '\0') {
      /* A paragraph's end; the macro of an example begins its own. */
      if (lines[i + 1] != NULL && *lines[i + 1] != ' ')
        g_string_append (page, ".PP\n");
      continue;
    }
    append_escaped (page, line);
    g_string_append_c (page, '\n');
  }
  if (example)
    g_string_append (page, ".EE\n");
}

static void
append_option (GString *page, const ToolOption *option)
{
  g_string_append (page, ".TP\n");
  if (option->letter != 0)
    g_string_append_printf (page, "\\fB\\-%c\\fR, ", option->letter);
  g_string_append (page, "\\fB\\-\\-");
  append_escaped (page, option->name);
  g_string_append (page, "\\fR");
  if (option->value != NULL) {
    g_string_append (page, "=\\fI");
    append_escaped (page, option->value);
    g_string_append (page, "\\fR");
  }
  g_string_append_c (page, '\n');
  append_escaped (page, option->summary);
  g_string_append_c (page, '\n');
}

static void
append_terms (GString *page, const ToolTerm *terms)
{
  for (const ToolTerm *term = terms; term != NULL && term->name != NULL; term++) {
    g_string_append (page, ".TP\n\\fB");
    append_escaped (page, term->name);
    g_string_append (page, "\\fR\n");
    append_escaped (page, term->meaning);
    g_string_append (page, "\n");
  }
}

static void
append_command (GString *page, const ToolCommand *command)
{
  g_string_append_printf (page, ".SS \"%s\"\n\\fBgst\\-ensemble\\-1.0 %s\\fR [OPTION…] ",
                          command->name, command->name);
  append_escaped (page, command->arguments);
  g_string_append (page, "\n.PP\n");
  append_escaped (page, command->summary);
  g_string_append (page, ".\n");
  for (guint i = 0; i < 2; i++) {
    const char *text = i == 0 ? command->help : command->manual;

    if (text == NULL)
      continue;
    g_string_append (page, ".PP\n");
    append_text (page, text);
  }
  append_terms (page, command->terms);
  for (const ToolOption *option = command->options; option->name != NULL; option++)
    append_option (page, option);
}

static const char head[] =
    ".TH GST\\-ENSEMBLE\\-1.0 1 \"\" \"gst\\-ensemble " ENS_VERSION "\" \"User Commands\"\n"
    ".SH NAME\n"
    "gst\\-ensemble\\-1.0 \\- train ensembles of networks, tag pictures and videos, look inside\n"
    ".SH SYNOPSIS\n"
    "\\fBgst\\-ensemble\\-1.0\\fR \\fICOMMAND\\fR [OPTION…] ARGUMENT…\n"
    ".br\n"
    "\\fBgst\\-ensemble\\-1.0\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR\n"
    ".br\n"
    "\\fBgst\\-ensemble\\-1.0 \\-\\-version\\fR\n"
    ".SH DESCRIPTION\n"
    "An ensemble classifies a picture with several networks, at several input scales, using\n"
    "features from several layers. It then classifies region proposals from selective search\n"
    "(windows), so that small objects in large pictures are found too. It is kept in a bundle, a\n"
    "folder that the GStreamer element ensembleclassify reads as well.\n"
    ".SH COMMANDS\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    "0: all went well. 1: something could not be done, and standard error says what. 2: the\n"
    "command line was not understood.\n"
    ".SH ENVIRONMENT\n";

static const char see_also[] = ".SH SEE ALSO\n"
                               "\\fBgst\\-launch\\-1.0\\fR(1), \\fBgst\\-inspect\\-1.0\\fR(1)\n";

char *
tool_manual (void)
{
  GString *page = g_string_new (head);

  for (guint i = 0; tool_commands[i] != NULL; i++)
    append_command (page, tool_commands[i]);
  g_string_append (page, tail);
  append_terms (page, tool_variables);
  g_string_append (page, see_also);
  return g_string_free (page, FALSE);
}
