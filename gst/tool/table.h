/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of text with columns as wide as they need to be. */
#pragma once

#include <glib.h>

typedef struct _ToolTable ToolTable;

/* headings: separated by "|"; one that starts with ">" heads a right-aligned column. Where a
 * terminal is too narrow for the table, columns are shortened whose headings start with "…", of
 * which the front is left out, or end with it. */
ToolTable *tool_table_new (const char *headings);
void tool_table_free (ToolTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolTable, tool_table_free)

/* Starts a row; its cells follow from left to right, each formatted as by printf. */
void tool_table_row (ToolTable *table);
void tool_table_cell (ToolTable *table, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* A line between the rows before and after. */
void tool_table_rule (ToolTable *table);

void tool_table_print (ToolTable *table);
