/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "tags.h"

#define HEADER "frame,seconds,scene,object,class,x,y,width,height,visible"

typedef struct {
  guint frame;
  double seconds;
  char *name;
  double visible;
} Row;

struct _Labels {
  GArray *rows;
  double frames_per_second;
};

static void
row_clear (gpointer row)
{
  g_free (((Row *)row)->name);
}

static gboolean
read_row (const char *line, Row *row)
{
  g_auto (GStrv) cells = g_strsplit (line, ",", -1);

  if (g_strv_length (cells) != 10)
    return FALSE;
  row->frame = (guint)g_ascii_strtoull (cells[0], NULL, 10);
  row->seconds = g_ascii_strtod (cells[1], NULL);
  row->name = g_strdup (cells[4]);
  row->visible = g_ascii_strtod (cells[9], NULL);
  return TRUE;
}

Labels *
labels_read (const char *path, GError **error)
{
  g_autoptr (Labels) labels = g_new0 (Labels, 1);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  labels->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  g_array_set_clear_func (labels->rows, row_clear);
  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  for (guint i = 0; i == 0 || lines[i]; i++) {
    Row row;

    if (i == 0 ? g_strcmp0 (lines[0], HEADER) != 0 : !read_row (lines[i], &row)) {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s:%u: expected the columns %s", path,
                   i + 1, HEADER);
      return NULL;
    }
    if (i == 0)
      continue;
    g_array_append_val (labels->rows, row);
    if (row.seconds > 0)
      labels->frames_per_second = row.frame / row.seconds;
  }
  return g_steal_pointer (&labels);
}

void
labels_free (Labels *labels)
{
  g_array_unref (labels->rows);
  g_free (labels);
}

guint
labels_get_seconds (const Labels *labels)
{
  guint n = labels->rows->len;

  return n > 0 ? (guint)g_array_index (labels->rows, Row, n - 1).seconds + 1 : 0;
}

double
labels_visible_at (const Labels *labels, const char *name, double seconds)
{
  double half_frame = labels->frames_per_second > 0 ? 0.5 / labels->frames_per_second : 0, most = 0;

  for (guint i = 0; i < labels->rows->len; i++) {
    const Row *row = &g_array_index (labels->rows, Row, i);

    if (fabs (row->seconds - seconds) <= half_frame && strcmp (row->name, name) == 0)
      most = MAX (most, row->visible);
  }
  return most;
}

double
labels_visible_in (const Labels *labels, const char *name, guint second, double visible)
{
  guint n_frames = 0, last = G_MAXUINT;

  for (guint i = 0; i < labels->rows->len; i++) {
    const Row *row = &g_array_index (labels->rows, Row, i);

    /* two things of one class in a frame count once */
    if ((guint)row->seconds != second || row->frame == last || row->visible < visible
        || strcmp (row->name, name) != 0)
      continue;
    last = row->frame;
    n_frames++;
  }
  return labels->frames_per_second > 0 ? n_frames / labels->frames_per_second : n_frames > 0;
}
