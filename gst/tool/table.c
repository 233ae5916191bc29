#include "table.h"

#include <stdarg.h>

struct _ToolTable {
  guint n_columns;
  gboolean *right;
  GPtrArray *rows; /* of GPtrArray of char *; NULL is a rule */
};

ToolTable *
tool_table_new (const char *headings)
{
  g_auto (GStrv) names = g_strsplit (headings, "|", -1);
  ToolTable *table = g_new0 (ToolTable, 1);

  table->n_columns = g_strv_length (names);
  table->right = g_new0 (gboolean, table->n_columns);
  table->rows = g_ptr_array_new ();
  tool_table_row (table);
  for (guint i = 0; i < table->n_columns; i++) {
    table->right[i] = names[i][0] == '>';
    tool_table_cell (table, "%s", names[i] + table->right[i]);
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

static void
append_cell (GString *line, const char *text, glong width, gboolean right)
{
  glong padding = width - g_utf8_strlen (text, -1);

  if (right)
    g_string_append_printf (line, "%*s%s", (int)padding, "", text);
  else
    g_string_append_printf (line, "%s%*s", text, (int)padding, "");
}

void
tool_table_print (ToolTable *table)
{
  g_autofree glong *widths = column_widths (table);

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
        append_cell (line, row->pdata[c], widths[c], table->right[c]);
    }
    g_print ("%s\n", g_strchomp (line->str));
  }
}
