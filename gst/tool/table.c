/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ELLIPSIS "…"
/* Columns are not shortened below this. */
#define MIN_WIDTH 12

typedef enum { SHORTEN_NOT, SHORTEN_FRONT, SHORTEN_END } Shorten;

struct _ToolTable {
  guint n_columns;
  gboolean *right;
  Shorten *shorten;
  GPtrArray *rows; /* of GPtrArray of char *; NULL is a rule */
};

/* Cuts off what says how the column is shortened. */
static const char *
read_heading (char *heading, Shorten *shorten)
{
  if (g_str_has_prefix (heading, ELLIPSIS)) {
    *shorten = SHORTEN_FRONT;
    return heading + strlen (ELLIPSIS);
  }
  if (g_str_has_suffix (heading, ELLIPSIS)) {
    *shorten = SHORTEN_END;
    heading[strlen (heading) - strlen (ELLIPSIS)] = '\0';
  }
  return heading;
}

ToolTable *
tool_table_new (const char *headings)
{
  g_auto (GStrv) names = g_strsplit (headings, "|", -1);
  ToolTable *table = g_new0 (ToolTable, 1);

  table->n_columns = g_strv_length (names);
  table->right = g_new0 (gboolean, table->n_columns);
  table->shorten = g_new0 (Shorten, table->n_columns);
  table->rows = g_ptr_array_new ();
  tool_table_row (table);
  for (guint i = 0; i < table->n_columns; i++) {
    table->right[i] = names[i][0] == '>';
    tool_table_cell (table, "%s", read_heading (names[i] + table->right[i], &table->shorten[i]));
  }
  tool_table_rule (table);
  return table;
}

void
tool_table_free (ToolTable *table)
{
  for (guint i = 0; i < table->rows->len; i++)
    if (table->rows->pdata[i] != NULL)
      g_ptr_array_unref (table->rows->pdata[i]);
  g_ptr_array_unref (table->rows);
  g_free (table->right);
  g_free (table->shorten);
  g_free (table);
}

void
tool_table_row (ToolTable *table)
{
  g_ptr_array_add (table->rows, g_ptr_array_new_with_free_func (g_free));
}

void
tool_table_cell (ToolTable *table, const char *format, ...)
{
  GPtrArray *row = table->rows->pdata[table->rows->len - 1];
  va_list arguments;

  g_return_if_fail (row != NULL && row->len < table->n_columns);
  va_start (arguments, format);
  g_ptr_array_add (row, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

void
tool_table_rule (ToolTable *table)
{
  g_ptr_array_add (table->rows, NULL);
}

static glong *
column_widths (ToolTable *table)
{
  glong *widths = g_new0 (glong, table->n_columns);

  for (guint r = 0; r < table->rows->len; r++) {
    GPtrArray *row = table->rows->pdata[r];

    for (guint c = 0; row != NULL && c < row->len; c++)
      widths[c] = MAX (widths[c], g_utf8_strlen (row->pdata[c], -1));
  }
  return widths;
}

/* Columns of the terminal; 0 if the output goes somewhere else. */
static glong
get_terminal_width (void)
{
  struct winsize size;

  if (!isatty (STDOUT_FILENO) || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

/* Takes from the widest column that may be shortened until the table fits. */
static void
fit_to_terminal (const ToolTable *table, glong *widths)
{
  glong left = get_terminal_width (), total = 2 * ((glong)table->n_columns - 1);

  for (guint c = 0; c < table->n_columns; c++)
    total += widths[c];
  for (; left > 0 && total > left; total--) {
    gint widest = -1;

    for (guint c = 0; c < table->n_columns; c++)
      if (table->shorten[c] != SHORTEN_NOT && widths[c] > MIN_WIDTH
          && (widest < 0 || widths[c] > widths[widest]))
        widest = (gint)c;
    if (widest < 0)
      return;
    widths[widest]--;
  }
}

/* (transfer full) */
static char *
shorten_text (const char *text, glong width, Shorten shorten)
{
  glong length = g_utf8_strlen (text, -1);
  g_autofree char *kept = NULL;

  if (length <= width)
    return g_strdup (text);
  if (shorten == SHORTEN_FRONT) {
    kept = g_utf8_substring (text, length - width + 1, length);
    return g_strconcat (ELLIPSIS, kept, NULL);
  }
  kept = g_utf8_substring (text, 0, width - 1);
  return g_strconcat (kept, ELLIPSIS, NULL);
}

static void
append_cell (GString *line, const ToolTable *table, guint column, const char *text, glong width)
{
  g_autofree char *shown = shorten_text (text, width, table->shorten[column]);
  glong padding = width - g_utf8_strlen (shown, -1);

  if (table->right[column])
    g_string_append_printf (line, "%*s%s", (int)padding, "", shown);
  else
    g_string_append_printf (line, "%s%*s", shown, (int)padding, "");
}

void
tool_table_print (ToolTable *table)
{
  g_autofree glong *widths = column_widths (table);

  fit_to_terminal (table, widths);
  for (guint r = 0; r < table->rows->len; r++) {
    GPtrArray *row = table->rows->pdata[r];
    g_autoptr (GString) line = g_string_new (NULL);

    for (guint c = 0; c < table->n_columns; c++) {
      if (c > 0)
        g_string_append (line, "  ");
      if (row == NULL)
        for (glong i = 0; i < widths[c]; i++)
          g_string_append (line, "─");
      else if (c < row->len)
        append_cell (line, table, c, row->pdata[c], widths[c]);
    }
    g_print ("%s\n", g_strchomp (line->str));
  }
}
