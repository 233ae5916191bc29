/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/csv-table.h"

#include <math.h>
#include <string.h>

#include "dataset/boxes-private.h"
#include "dataset/picture-names.h"
#include "dataset/split.h"

/* What columns are called, the most common first; names are compared without case, spaces, “_” and
 * “-”. */
static const char *const column_names[ENS_N_CSV][15] = {
    [ENS_CSV_FILE] = {"file", "filename", "image", "imagename", "imageid", "path", "filepath",
                      "imagepath", "imgpath", "img", "picture", "name", "id", "imagefilename"},
    [ENS_CSV_CLASS] = {"class", "label", "labels", "classes", "category", "categories", "classname",
                       "labelname", "tag", "tags", "target", "labelnames"},
    [ENS_CSV_XMIN] = {"xmin", "x1", "left"},
    [ENS_CSV_YMIN] = {"ymin", "y1", "top"},
    [ENS_CSV_XMAX] = {"xmax", "x2", "right"},
    [ENS_CSV_YMAX] = {"ymax", "y2", "bottom"},
    [ENS_CSV_WIDTH] = {"width", "imagewidth", "imgwidth"},
    [ENS_CSV_HEIGHT] = {"height", "imageheight", "imgheight"},
    [ENS_CSV_SPLIT] = {"split", "set", "subset", "partition", "dataset", "usage", "fold", "isvalid",
                       "isval"},
};

/* Columns of splits that say whether a picture is for validation. */
static const char *const validation_names[] = {"isvalid", "isval", NULL};
/* What says that a picture is in none of the splits yet. */
#define UNASSIGNED "unassigned"

/* So many lines are looked at to find out what a column is. */
#define MAX_LOOKED_AT 20

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
  g_autofree gboolean *zero = g_new0 (gboolean, table->n_columns + 1),
                      *minus = g_new0 (gboolean, table->n_columns + 1);
  gboolean zeros = FALSE, minuses = FALSE;
  char **cells;

  for (guint c = 0; c < table->n_columns; c++)
    table->is_class[c] = !has_role (table, c) && *table->names[c] != '\0';
  while ((cells = ens_csv_scan_next (&scan)) != NULL) {
    guint n = MIN (g_strv_length (cells), table->n_columns);

    for (guint c = 0; c < n; c++) {
      double flag = ens_csv_flag (cells[c]);

      table->is_class[c] &= !isnan (flag);
      zero[c] |= flag == 0;
      minus[c] |= flag == -1 && *cells[c] != '\0';
    }
    g_strfreev (cells);
  }
  for (guint c = 0; c < table->n_columns; c++) {
    zeros |= table->is_class[c] && zero[c];
    minuses |= table->is_class[c] && minus[c];
  }
  table->negated = minuses && !zeros;
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

static guint
count_without_role (const EnsCsvTable *table)
{
  guint n = 0;

  for (guint c = 0; c < table->n_columns; c++)
    n += !has_role (table, c) && *table->names[c] != '\0';
  return n;
}

/* Finds out what a table is that has no column of classes. A single flag beside other columns says
 * something else than a class. */
static gboolean
take_flags (EnsCsvTable *table, const EnsCsvScan *scan, const char *path, GError **error)
{
  guint n;

  find_flags (table, *scan);
  n = count_classes (table);
  if (n > 1 || (n == 1 && count_without_role (table) == 1)) {
    table->kind = ENS_CSV_FLAGS;
    return TRUE;
  }
  table->negated = FALSE;
  memset (table->is_class, 0, table->n_columns * sizeof *table->is_class);
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

/* Of the first lines, how many cells of a column are what is asked for. */
static guint
count_cells (const EnsCsvTable *table, EnsCsvScan scan, guint column, EnsCsvIsPicture is_it,
             gpointer data)
{
  guint n = 0;

  for (guint i = 0; i < MAX_LOOKED_AT; i++) {
    g_auto (GStrv) cells = ens_csv_scan_next (&scan);

    if (cells == NULL)
      break;
    n += column < g_strv_length (cells) && is_it (cells[column], data);
  }
  return n;
}

/* The column of files is the one that is called so, if it has any, or else the one that has most.
 */
static void
find_files (EnsCsvTable *table, const EnsCsvScan *scan, EnsCsvIsPicture is_picture, gpointer data)
{
  guint named = table->columns[ENS_CSV_FILE], most = 0;

  if (named != G_MAXUINT && count_cells (table, *scan, named, is_picture, data) > 0)
    return;
  for (guint c = 0; c < table->n_columns; c++) {
    guint n = has_role (table, c) ? 0 : count_cells (table, *scan, c, is_picture, data);

    if (n > most) {
      table->columns[ENS_CSV_FILE] = c;
      most = n;
    }
  }
}

static gboolean
is_text (const char *cell, gpointer data)
{
  return *cell != '\0' && isnan (ens_boxes_number (cell));
}

static gboolean
says_validation (const EnsCsvTable *table)
{
  guint column = table->columns[ENS_CSV_SPLIT];
  g_autofree char *name =
      table->names != NULL && column < table->n_columns ? simplify (table->names[column]) : NULL;

  return name != NULL && g_strv_contains (validation_names, name);
}

/* A column may be called so and have numbers of folds: nothing says which is for what. */
static void
check_splits (EnsCsvTable *table, const EnsCsvScan *scan)
{
  guint column = table->columns[ENS_CSV_SPLIT];

  if (column != G_MAXUINT && !says_validation (table)
      && count_cells (table, *scan, column, is_text, NULL) == 0)
    table->columns[ENS_CSV_SPLIT] = G_MAXUINT;
}

static gboolean
take_names (EnsCsvTable *table, const EnsCsvScan *scan, const char *path,
            EnsCsvIsPicture is_picture, gpointer data, GError **error)
{
  for (guint i = 0; i < ENS_N_CSV; i++)
    table->columns[i] = find_column (table->names, column_names[i]);
  check_splits (table, scan);
  if (is_picture != NULL)
    find_files (table, scan, is_picture, data);
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

static gboolean
are_numbers (char *const *cells, guint first, guint n)
{
  for (guint i = 0; i < n; i++)
    if (!is_number (cells[first + i]))
      return FALSE;
  return TRUE;
}

/* Boxes as tables without a heading have them: so many numbers before the class or behind it, of
 * which these are left, top, right and bottom. */
static const struct {
  guint n, corners[4];
  gboolean behind, shares;
} unnamed_boxes[] = {
    {4, {0, 1, 2, 3}, FALSE, FALSE},
    /* Google's AutoML and Vertex AI: four corners, of which two may be empty. */
    {8, {0, 1, 4, 5}, TRUE, TRUE},
};

static void
take_unnamed_boxes (EnsCsvTable *table, char *const *cells)
{
  guint next = table->columns[ENS_CSV_FILE] + 1;

  for (guint i = 0; i < G_N_ELEMENTS (unnamed_boxes); i++) {
    guint n = unnamed_boxes[i].n, first = next + unnamed_boxes[i].behind;

    if (table->n_columns != next + n + 1 || !are_numbers (cells, first, n))
      continue;
    table->kind = ENS_CSV_BOXES;
    table->shares = unnamed_boxes[i].shares;
    for (guint corner = 0; corner < 4; corner++)
      table->columns[ENS_CSV_XMIN + corner] = first + unnamed_boxes[i].corners[corner];
    table->columns[ENS_CSV_CLASS] = unnamed_boxes[i].behind ? next : next + n;
  }
}

static gboolean
may_be_split (const char *cell)
{
  EnsSplit split;

  return ens_split_parse (cell, &split) || g_ascii_strcasecmp (cell, UNASSIGNED) == 0;
}

/* Several numbers may be flags, a box or classes: nothing says which. */
static gboolean
check_unnamed (const EnsCsvTable *table, char *const *cells, const char *path, GError **error)
{
  guint n = 0, n_numbers = 0;

  for (guint c = 0; c < table->n_columns; c++)
    if (table->is_class[c] && *cells[c] != '\0') {
      n++;
      n_numbers += is_number (cells[c]);
    }
  if (n_numbers == 0 || n == 1)
    return TRUE;
  g_set_error (
      error, ENS_ERROR, ENS_ERROR_FORMAT,
      "%s: a line has %u numbers beside its picture, and nothing says what they are; add a "
      "first line that names the columns",
      path, n_numbers);
  return FALSE;
}

/* found: whether there is a picture in the line. */
static gboolean
take_cells (EnsCsvTable *table, char *const *cells, const char *path, EnsCsvIsPicture is_picture,
            gpointer data, gboolean *found, GError **error)
{
  for (guint i = 0; i < ENS_N_CSV; i++)
    table->columns[i] = G_MAXUINT;
  for (guint c = table->n_columns; c-- > 0;)
    if (is_picture (cells[c], data))
      table->columns[ENS_CSV_FILE] = c;
  *found = table->columns[ENS_CSV_FILE] != G_MAXUINT && table->n_columns > 1;
  if (!*found)
    return TRUE;
  for (guint c = 0; c < table->n_columns; c++)
    if (c != table->columns[ENS_CSV_FILE] && may_be_split (cells[c]))
      table->columns[ENS_CSV_SPLIT] = c;
  take_unnamed_boxes (table, cells);
  for (guint c = 0; c < table->n_columns; c++)
    table->is_class[c] = table->kind == ENS_CSV_LIST && !has_role (table, c);
  return check_unnamed (table, cells, path, error);
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
  if (!is_heading (cells) && is_picture != NULL) {
    gboolean found, taken = take_cells (table, cells, path, is_picture, data, &found, error);

    *scan = found ? start : *scan;
    if (found)
      return taken;
  }
  table->names = g_steal_pointer (&cells);
  return take_names (table, scan, path, is_picture, data, error);
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
ens_csv_table_read_split (const EnsCsvTable *table, char *const *cells, gint *split)
{
  const char *cell = ens_csv_table_cell (table, cells, ENS_CSV_SPLIT);
  EnsSplit parsed;
  double flag;

  *split = -1;
  if (cell == NULL || *cell == '\0' || g_ascii_strcasecmp (cell, UNASSIGNED) == 0)
    return TRUE;
  if (ens_split_parse (cell, &parsed)) {
    *split = (gint)parsed;
    return TRUE;
  }
  flag = says_validation (table) ? ens_csv_flag (cell) : NAN;
  *split = (gint)(flag == 1 ? ENS_SPLIT_VALIDATION : ENS_SPLIT_TRAIN);
  return flag == 0 || flag == 1;
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
