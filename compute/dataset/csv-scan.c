/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/csv-scan.h"

#include <string.h>

static char
find_separator (const char *at, const char *end)
{
  static const char separators[] = {',', ';', '\t'};
  guint n[G_N_ELEMENTS (separators)] = {0}, most = 0;
  gboolean quoted = FALSE;

  for (; at < end && (quoted || *at != '\n'); at++) {
    quoted ^= *at == '"';
    for (guint i = 0; !quoted && i < G_N_ELEMENTS (separators); i++)
      n[i] += *at == separators[i];
  }
  for (guint i = 1; i < G_N_ELEMENTS (separators); i++)
    if (n[i] > n[most])
      most = i;
  return separators[most];
}

void
ens_csv_scan_init (EnsCsvScan *scan, const char *text, gsize length)
{
  static const char mark[] = "\xef\xbb\xbf";
  gsize skip = length >= 3 && memcmp (text, mark, 3) == 0 ? 3 : 0;

  *scan = (EnsCsvScan) {.at = text + skip, .end = text + length, .next_line = 1};
  scan->separator = find_separator (scan->at, scan->end);
}

/* One cell; `scan` is then at what ended it. */
static char *
scan_cell (EnsCsvScan *scan)
{
  GString *cell = g_string_new (NULL);
  gboolean quoted = FALSE, blank = TRUE; /* nothing but spaces so far */
  char *text;

  for (; scan->at < scan->end; scan->at++) {
    char c = *scan->at;

    scan->next_line += c == '\n' && quoted;
    if (!quoted && (c == scan->separator || c == '\n'))
      break;
    if (quoted && c == '"' && scan->at + 1 < scan->end && scan->at[1] == '"')
      g_string_append_c (cell, *scan->at++);
    else if (c == '"' && (quoted || blank))
      quoted = !quoted;
    else if (c != '\0')
      g_string_append_c (cell, c);
    blank &= g_ascii_isspace (c);
  }
  scan->unclosed |= quoted;
  text = g_utf8_make_valid (cell->str, (gssize)cell->len);
  g_string_free (cell, TRUE);
  return g_strstrip (text);
}

static gboolean
is_empty (char *const *cells)
{
  return cells[0] != NULL && cells[0][0] == '\0' && cells[1] == NULL;
}

/* The record at hand; what ends it is passed over. */
static char **
scan_record (EnsCsvScan *scan)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new ();

  scan->line = scan->next_line;
  for (;;) {
    g_ptr_array_add (cells, scan_cell (scan));
    if (scan->at == scan->end)
      break;
    if (*scan->at++ == '\n') {
      scan->next_line++;
      break;
    }
  }
  g_ptr_array_add (cells, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&cells), FALSE);
}

char **
ens_csv_scan_next (EnsCsvScan *scan)
{
  while (scan->at < scan->end) {
    char **cells = scan_record (scan);

    if (!is_empty (cells))
      return cells;
    g_strfreev (cells);
  }
  return NULL;
}

gboolean
ens_csv_scan_check (const EnsCsvScan *scan, const char *path, GError **error)
{
  if (!scan->unclosed)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s:%u: a quote begins here, or later in the file, and never ends", path,
               scan->line);
  return FALSE;
}
