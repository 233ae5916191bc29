/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text.h"

static void
append_spaces (GString *into, guint n)
{
  g_string_append_printf (into, "%*s", (int)n, "");
}

void
tool_append_words (GString *into, const char *text, guint column, guint indent)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  for (guint i = 0; words[i] != NULL; i++) {
    guint width = (guint)g_utf8_strlen (words[i], -1);

    if (column > indent && column + 1 + width > TOOL_TEXT_WIDTH) {
      g_string_append_c (into, '\n');
      append_spaces (into, indent);
      column = indent;
    }
    if (column > indent) {
      g_string_append_c (into, ' ');
      column++;
    }
    g_string_append (into, words[i]);
    column += width;
  }
  g_string_append_c (into, '\n');
}

void
tool_append_text (GString *into, const char *text, guint indent)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    if (*lines[i] != '\0')
      append_spaces (into, indent);
    if (*lines[i] == ' ' || *lines[i] == '\0')
      g_string_append_printf (into, "%s\n", lines[i]);
    else
      tool_append_words (into, lines[i], indent, indent);
  }
}
