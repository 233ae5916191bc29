/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/csv-table.h"

#include <math.h>
#include <string.h>

#include "dataset/boxes-private.h"
#include "dataset/picture-names.h"
#include "dataset/split.h"

/* What columns are called, the most common first; names are compared without case, spaces, “_” and
 * “-”. */
static const char *const column_names[ENS_N_CSV][14] = {
    [ENS_CSV_FILE] = {"file", "filename", "image", "imagename", "imageid", "path", "filepath",
                      "imagepath", "imgpath", "img", "picture", "name", "id"},
    [ENS_CSV_CLASS] = {"class", "label", "labels", "classes", "category", "categories", "classname",
                       "labelname", "tag", "tags", "target", "labelnames"},
    [ENS_CSV_XMIN] = {"xmin", "x1", "left"},
    [ENS_CSV_YMIN] = {"ymin", "y1", "top"},
    [ENS_CSV_XMAX] = {"xmax", "x2", "right"},
    [ENS_CSV_YMAX] = {"ymax", "y2", "bottom"},
    [ENS_CSV_WIDTH] = {"width", "imagewidth", "imgwidth"},
    [ENS_CSV_HEIGHT] = {"height", "imageheight", "imgheight"},
    [ENS_CSV_SPLIT] = {"split", "set", "subset", "partition", "dataset", "usage", "fold"},
};

/* (transfer full) */
static char *
simplify (const char *name)
{
  GString *simple = g_string_new (NULL);

  for (; *name != '\0'; name++)
    if (*name != '_' && *name != '-' && *name != ' ')
      g_string_append_c (simple, g_ascii_tolower (*name));
  return g_string_free (simple, FALSE);
}

gboolean
ens_csv_column_is_called (EnsCsvColumn column, const char *name)
{
  g_autofree char *simple = simplify (name);

  return g_strv_contains (column_names[column], simple);
}

/* The column that is called by one of the names, the first of them that is there. */
static guint
find_column (char *const *names, const char *const *known)
{
  for (guint k = 0; known[k] != NULL; k++)
    for (guint i = 0; names[i] != NULL; i++) {
      g_autofree char *simple = simplify (names[i]);

      if (strcmp (simple, known[k]) == 0)
        return i;
    }
  return G_MAXUINT;
}

double
ens_csv_flag (const char *cell)
{
  double value = ens_boxes_number (cell);

  if (*cell == '\0')
    return -1;
  if (g_ascii_strcasecmp (cell, "true") == 0)
    return 1;
  if (g_ascii_strcasecmp (cell, "false") == 0)
    return 0;
  return value == 1 || value == 0 || value == -1 ? value : NAN;
}

/* ---- Tables that name their columns ---- */

static gboolean
has_role (const EnsCsvTable *table, guint column)
{
  for (guint i = 0; i < ENS_N_CSV; i++)
    if (table->columns[i] == column)
      return TRUE;
  return FALSE;
}

/* Which columns have nothing but flags. */
static void
find_flags (EnsCsvTable *table, EnsCsvScan scan)
{
  char **cells;

  for (guint c = 0; c < table->n_columns; c++)
    table->is_class[c] = !has_role (table, c) && *table->names[c] != '\0';
  while ((cells = ens_csv_scan_next (&scan)) != NULL) {
    guint n = MIN (g_strv_length (cells), table->n_columns);

    for (guint c = 0; c < n; c++)
      table->is_class[c] &= !isnan (ens_csv_flag (cells[c]));
    g_strfreev (cells);
  }
}

static guint
count_classes (const EnsCsvTable *table)
{
  guint n = 0;

  for (guint c = 0; c < table->n_columns; c++)
    n += table->is_class[c];
  return n;
}

/* The only column that has no role yet, of tables such as “id, breed”. */
static guint
find_only_other (const EnsCsvTable *table)
{
  guint only = G_MAXUINT;

  for (guint c = 0; c < table->n_columns; c++)
    if (!has_role (table, c)) {
      if (only != G_MAXUINT)
        return G_MAXUINT;
      only = c;
    }
  return only;
}

static gboolean
miss_column (const char *path, const char *name, char *const *names, GError **error)
{
  g_autofree char *found = g_strjoinv (", ", (char **)names);

  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s: expected a first line that names the column “%s”, found “%s”", path, name,
               found);
  return FALSE;
}

/* Finds out what a table is that has no column of classes. */
static gboolean
take_flags (EnsCsvTable *table, const EnsCsvScan *scan, const char *path, GError **error)
{
  find_flags (table, *scan);
  if (count_classes (table) > 0) {
    table->kind = ENS_CSV_FLAGS;
    return TRUE;
  }
  table->columns[ENS_CSV_CLASS] = find_only_other (table);
  if (table->columns[ENS_CSV_CLASS] == G_MAXUINT)
    return miss_column (path, "class", table->names, error);
  table->is_class[table->columns[ENS_CSV_CLASS]] = TRUE;
  return TRUE;
}

static gboolean
take_boxes (EnsCsvTable *table, const char *path, GError **error)
{
  guint n = 0;

  for (guint i = ENS_CSV_XMIN; i <= ENS_CSV_YMAX; i++)
    n += table->columns[i] != G_MAXUINT;
  for (guint i = ENS_CSV_XMIN; n > 0 && i <= ENS_CSV_YMAX; i++)
    if (table->columns[i] == G_MAXUINT)
      return miss_column (path, column_names[i][0], table->names, error);
  if (n > 0)
    table->kind = ENS_CSV_BOXES;
  return TRUE;
}

static void
note_unread (EnsCsvTable *table)
{
  for (guint c = 0; c < table->n_columns; c++)
    if (!has_role (table, c) && !table->is_class[c])
      g_string_append_printf (table->unread, "%s%s", table->unread->len > 0 ? ", " : "",
                              table->names[c]);
}

static gboolean
take_names (EnsCsvTable *table, const EnsCsvScan *scan, const char *path, GError **error)
{
  for (guint i = 0; i < ENS_N_CSV; i++)
    table->columns[i] = find_column (table->names, column_names[i]);
  if (table->columns[ENS_CSV_FILE] == G_MAXUINT)
    return miss_column (path, column_names[ENS_CSV_FILE][0], table->names, error);
  if (!take_boxes (table, path, error))
    return FALSE;
  if (table->columns[ENS_CSV_CLASS] == G_MAXUINT) {
    if (table->kind == ENS_CSV_BOXES)
      return miss_column (path, "class", table->names, error);
    if (!take_flags (table, scan, path, error))
      return FALSE;
  } else {
    g_autofree char *name = simplify (table->names[table->columns[ENS_CSV_CLASS]]);

    table->is_class[table->columns[ENS_CSV_CLASS]] = TRUE;
    table->spaced = g_str_has_suffix (name, "s") && !g_str_has_suffix (name, "class");
  }
  note_unread (table);
  return TRUE;
}

/* ---- Tables that don't ---- */

static gboolean
is_heading (char *const *cells)
{
  return find_column (cells, column_names[ENS_CSV_FILE]) != G_MAXUINT;
}

static gboolean
is_number (const char *cell)
{
  return *cell == '\0' || !isnan (ens_boxes_number (cell));
}

/* Four numbers between the file and the class are a box. */
static void
take_unnamed_boxes (EnsCsvTable *table, char *const *cells)
{
  guint first = table->columns[ENS_CSV_FILE] + 1;

  if (table->n_columns != first + 5)
    return;
  for (guint i = 0; i < 4; i++)
    if (!is_number (cells[first + i]))
      return;
  table->kind = ENS_CSV_BOXES;
  for (guint i = 0; i < 4; i++)
    table->columns[ENS_CSV_XMIN + i] = first + i;
  table->columns[ENS_CSV_CLASS] = first + 4;
}

static gboolean
take_cells (EnsCsvTable *table, char *const *cells, EnsCsvIsPicture is_picture, gpointer data)
{
  EnsSplit split;

  for (guint i = 0; i < ENS_N_CSV; i++)
    table->columns[i] = G_MAXUINT;
  for (guint c = table->n_columns; c-- > 0;)
    if (is_picture (cells[c], data))
      table->columns[ENS_CSV_FILE] = c;
  if (table->columns[ENS_CSV_FILE] == G_MAXUINT || table->n_columns < 2)
    return FALSE;
  for (guint c = 0; c < table->n_columns; c++)
    if (c != table->columns[ENS_CSV_FILE] && ens_split_parse (cells[c], &split))
      table->columns[ENS_CSV_SPLIT] = c;
  take_unnamed_boxes (table, cells);
  for (guint c = 0; c < table->n_columns; c++)
    table->is_class[c] = table->kind == ENS_CSV_LIST && !has_role (table, c);
  return TRUE;
}

/* ---- All tables ---- */

gboolean
ens_csv_table_init (EnsCsvTable *table, EnsCsvScan *scan, const char *path,
                    EnsCsvIsPicture is_picture, gpointer data, GError **error)
{
  const EnsCsvScan start = *scan;
  g_auto (GStrv) cells = ens_csv_scan_next (scan);
  static char *const nothing[] = {NULL};

  *table = (EnsCsvTable) {.n_columns = cells != NULL ? g_strv_length (cells) : 0};
  table->unread = g_string_new (NULL);
  table->is_class = g_new0 (gboolean, table->n_columns + 1);
  if (cells == NULL)
    return miss_column (path, column_names[ENS_CSV_FILE][0], nothing, error);
  if (!is_heading (cells) && is_picture != NULL && take_cells (table, cells, is_picture, data)) {
    *scan = start;
    return TRUE;
  }
  table->names = g_steal_pointer (&cells);
  return take_names (table, scan, path, error);
}

void
ens_csv_table_clear (EnsCsvTable *table)
{
  g_strfreev (table->names);
  g_free (table->is_class);
  if (table->unread != NULL)
    g_string_free (table->unread, TRUE);
}

const char *
ens_csv_table_cell (const EnsCsvTable *table, char *const *cells, EnsCsvColumn column)
{
  guint n = g_strv_length ((char **)cells);

  return table->columns[column] < n ? cells[table->columns[column]] : NULL;
}

gboolean
ens_csv_table_check (const EnsCsvTable *table, char *const *cells, const char *where,
                     GError **error)
{
  guint n = g_strv_length ((char **)cells);

  for (guint i = 0; i < ENS_N_CSV; i++)
    if (table->columns[i] != G_MAXUINT && table->columns[i] >= n) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: expected a column “%s”, found %u cells",
                   where, column_names[i][0], n);
      return FALSE;
    }
  return TRUE;
}

gboolean
ens_csv_table_is_class (const EnsCsvTable *table, guint column)
{
  /* Lines of a list without a heading may be longer than its first one. */
  if (column >= table->n_columns)
    return table->names == NULL && table->kind == ENS_CSV_LIST;
  return table->is_class[column];
}

char **
ens_csv_table_split_classes (const EnsCsvTable *table, const char *cell)
{
  gsize length = strlen (cell);
  gboolean list = length >= 2 && cell[0] == '[' && cell[length - 1] == ']';
  g_autofree char *text = list ? g_strndup (cell + 1, length - 2) : g_strdup (cell);
  g_auto (GStrv) parts = g_strsplit_set (text, table->spaced ? "|;, " : "|;,", -1);
  GPtrArray *classes = g_ptr_array_new ();

  for (guint i = 0; parts[i] != NULL; i++) {
    char *name = g_strstrip (list ? g_strdelimit (parts[i], "'\"", ' ') : parts[i]);

    if (*name != '\0')
      g_ptr_array_add (classes, g_strdup (name));
  }
  g_ptr_array_add (classes, NULL);
  return (char **)g_ptr_array_free (classes, FALSE);
}
