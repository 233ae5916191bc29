/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/lines.h"

#include <string.h>

void
ens_lines_init (EnsLines *lines, GBytes *text)
{
  gsize size = 0;

  *lines = (EnsLines) {.at = text != NULL ? g_bytes_get_data (text, &size) : NULL};
  lines->end = lines->at != NULL ? lines->at + size : NULL;
  lines->line = g_string_new (NULL);
}

void
ens_lines_clear (EnsLines *lines)
{
  if (lines->line != NULL)
    g_string_free (lines->line, TRUE);
}

char *
ens_lines_next (EnsLines *lines)
{
  const char *stop;

  if (lines->at == lines->end)
    return NULL;
  stop = memchr (lines->at, '\n', (gsize)(lines->end - lines->at));
  if (stop == NULL)
    stop = lines->end;
  g_string_truncate (lines->line, 0);
  g_string_append_len (lines->line, lines->at, (gssize)(stop - lines->at));
  lines->at = stop < lines->end ? stop + 1 : stop;
  lines->number++;
  return g_strstrip (lines->line->str);
}

guint
ens_lines_count (GBytes *text)
{
  gsize rest = 0;
  const char *at = text != NULL ? g_bytes_get_data (text, &rest) : NULL;
  guint n = 0;

  while (rest > 0) {
    const char *stop = memchr (at, '\n', rest);
    gsize length = stop != NULL ? (gsize)(stop - at) + 1 : rest;

    at += length;
    rest -= length;
    n++;
  }
  return n;
}

char **
ens_lines_read_names (GBytes *text)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_auto (EnsLines) lines;
  const char *line;

  ens_lines_init (&lines, text);
  while ((line = ens_lines_next (&lines)) != NULL)
    g_ptr_array_add (names, g_strdup (line));
  while (names->len > 0 && *(char *)names->pdata[names->len - 1] == '\0')
    g_ptr_array_set_size (names, (gint)names->len - 1);
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}
