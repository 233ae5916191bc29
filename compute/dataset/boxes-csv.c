/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes-csv.h"

#include <string.h>

#include "dataset/boxes-private.h"

enum { CSV_FILE, CSV_WIDTH, CSV_HEIGHT, CSV_CLASS, CSV_XMIN, CSV_YMIN, CSV_XMAX, CSV_YMAX, N_CSV };

static const char *const csv_columns[N_CSV] = {"file", "width", "height", "class",
                                               "xmin", "ymin",  "xmax",   "ymax"};

/* What is being read. */
typedef struct {
  const char *path;
  char *folder; /* of the pictures */
  guint columns[N_CSV];
  GHashTable *by_file; /* file → EnsBoxedImage, which are those of `images` */
  GPtrArray *images;
} Table;

static void
table_clear (Table *table)
{
  g_free (table->folder);
  g_hash_table_unref (table->by_file);
  g_clear_pointer (&table->images, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Table, table_clear)

static gboolean
find_columns (Table *table, const char *heading, GError **error)
{
  g_auto (GStrv) names = g_strsplit (heading, ",", -1);
  guint *columns = table->columns;

  for (guint i = 0; i < N_CSV; i++) {
    for (columns[i] = 0; names[columns[i]] != NULL; columns[i]++)
      if (strcmp (g_strstrip (names[columns[i]]), csv_columns[i]) == 0)
        break;
    if (names[columns[i]] == NULL) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: expected a first line that names the column “%s”, found “%s”", table->path,
                   csv_columns[i], heading);
      return FALSE;
    }
  }
  return TRUE;
}

static EnsBoxedImage *
find_image (Table *table, const char *file)
{
  EnsBoxedImage *image = g_hash_table_lookup (table->by_file, file);

  if (image != NULL)
    return image;
  image = ens_boxed_image_new (g_build_filename (table->folder, file, NULL));
  g_hash_table_insert (table->by_file, g_strdup (file), image);
  g_ptr_array_add (table->images, image);
  return image;
}

static gboolean
read_row (Table *table, const char *line, const char *where, GError **error)
{
  g_auto (GStrv) cells = g_strsplit (line, ",", -1);
  guint n_cells = g_strv_length (cells);
  const guint *columns = table->columns;
  double numbers[N_CSV];
  EnsBoxEdges edges;

  for (guint i = 0; i < N_CSV; i++) {
    if (columns[i] >= n_cells) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: expected a column “%s”, found “%s”",
                   where, csv_columns[i], line);
      return FALSE;
    }
    numbers[i] = ens_boxes_number (cells[columns[i]]);
  }
  edges = (EnsBoxEdges) {numbers[CSV_XMIN], numbers[CSV_YMIN],  numbers[CSV_XMAX],
                         numbers[CSV_YMAX], numbers[CSV_WIDTH], numbers[CSV_HEIGHT]};
  return ens_boxed_image_add (find_image (table, cells[columns[CSV_FILE]]),
                              &(EnsBox) {.label = cells[columns[CSV_CLASS]]}, &edges, where, error);
}

GPtrArray *
ens_boxes_load_csv (const char *path, GPtrArray *notes, GError **error)
{
  g_auto (Table) table = {.path = path};
  g_auto (EnsBoxesTally) tally = {.notes = notes};
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  table.by_file = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  table.images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  table.folder = g_strndup (path, strlen (path) - strlen (".csv"));
  if (!g_file_get_contents (path, &text, NULL, &failure)) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, failure->message);
    return NULL;
  }
  lines = g_strsplit (text, "\n", -1);
  if (!find_columns (&table, lines[0] != NULL ? g_strchomp (lines[0]) : "", error))
    return NULL;
  for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++) {
    g_autofree char *where = g_strdup_printf ("%s:%u", path, i + 1);
    GError *reason = NULL;

    if (g_strchomp (lines[i])[0] == '\0')
      continue;
    tally.n++;
    if (!read_row (&table, lines[i], where, &reason))
      ens_boxes_tally_skip (&tally, reason);
  }
  if (!ens_boxes_tally_check (&tally, path, "lines", error))
    return NULL;
  ens_boxes_sort (table.images);
  return g_steal_pointer (&table.images);
}
