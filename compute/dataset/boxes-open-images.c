/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open Images: tables whose names, or columns, say what they are.
 *
 *   *annotations-bbox.csv               ImageID, LabelName, XMin, XMax, YMin, YMax as shares of the
 *                                       picture's size, IsGroupOf: a crowd
 *   *annotations-human-imagelabels*.csv ImageID, LabelName, Confidence: 1, the picture shows the
 *                                       class, or 0, it does not
 *   *class-descriptions*.csv            what a LabelName such as /m/0k4j is called
 *
 * They lie in the set's folder or below; their names, or these folders', say the split.
 * Of a subset of the pictures the tables are those of all. People have looked at some classes of a
 * picture alone: where labels say of some picture that it does not show a class, pictures whose
 * labels don't mention the class may show it or not. Labels that a machine made are not read.
 *
 * Source: A. Kuznetsova et al., The Open Images Dataset V4, IJCV 2020. */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/csv-scan.h"
#include "dataset/listing.h"

/* Labels that nobody has looked at are called so. */
#define MACHINE "machine"

/* A heading has at most so many bytes. */
#define MAX_HEADING (1U << 14)

/* So deep lies train/labels/detections.csv, as FiftyOne has it. */
#define MAX_DEPTH 3

typedef enum { OI_BOXES, OI_LABELS, OI_NAMES, N_OI_KINDS } OiKind;

static const char *const kind_words[N_OI_KINDS] = {
    "annotations-bbox", "annotations-human-imagelabels", "class-descriptions"};

typedef enum {
  OI_IMAGE,
  OI_LABEL,
  OI_CONFIDENCE,
  OI_XMIN,
  OI_XMAX,
  OI_YMIN,
  OI_YMAX,
  OI_GROUP,
  N_OI_COLUMNS
} OiColumn;

static const char *const column_names[N_OI_COLUMNS] = {
    "ImageID", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", "IsGroupOf"};

typedef struct {
  EnsBoxesReading *reading;
  GHashTable *names;   /* LabelName → what it is called */
  GHashTable *by_path; /* picture → EnsBoxedImage */
  GPtrArray *images;
  guint n_elsewhere; /* lines of pictures that are not there */
} OpenImages;

static void
open_images_clear (OpenImages *set)
{
  g_hash_table_unref (set->names);
  g_hash_table_unref (set->by_path);
  g_clear_pointer (&set->images, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OpenImages, open_images_clear)

/* A table while it is read. */
typedef struct {
  const char *path;
  gint split;
  guint columns[N_OI_COLUMNS]; /* G_MAXUINT for one that is not there */
  EnsBoxesTally tally;
} OiTable;

/* ---- Lines ---- */

static const char *
get (const OiTable *table, char *const *cells, OiColumn column)
{
  guint n = g_strv_length ((char **)cells);

  return table->columns[column] < n ? cells[table->columns[column]] : "";
}

static double
get_number (const OiTable *table, char *const *cells, OiColumn column)
{
  return ens_boxes_number (get (table, cells, column));
}

/* NULL for a picture that is not there. */
static EnsBoxedImage *
find_image (OpenImages *set, const OiTable *table, const char *id)
{
  const char *path = ens_picture_index_find_anywhere (ens_boxes_reading_index (set->reading), id);
  EnsBoxedImage *image = path != NULL ? g_hash_table_lookup (set->by_path, path) : NULL;
  gint split;

  if (path == NULL || image != NULL)
    return image;
  image = ens_boxed_image_new (g_strdup (path));
  split = ens_boxes_find_split (set->reading->folder, path);
  image->split = split != ENS_SPLIT_UNSAID ? split : table->split;
  g_hash_table_insert (set->by_path, image->path, image);
  g_ptr_array_add (set->images, image);
  return image;
}

static gboolean
take_box (const OpenImages *set, const OiTable *table, EnsBoxedImage *image, char *const *cells,
          const char *label, const char *where, GError **error)
{
  EnsBox box = {.label = (char *)label, .crowd = get_number (table, cells, OI_GROUP) == 1};
  EnsBoxEdges edges = {get_number (table, cells, OI_XMIN),
                       get_number (table, cells, OI_YMIN),
                       get_number (table, cells, OI_XMAX),
                       get_number (table, cells, OI_YMAX),
                       1,
                       1};
  gboolean added = ens_boxed_image_add (image, &box, &edges, where, error);

  image->width = image->height = 0; /* shares of a size that is not known */
  return added;
}

static gboolean
take_label (const OiTable *table, EnsBoxedImage *image, char *const *cells, const char *label,
            const char *where, GError **error)
{
  double confidence = get_number (table, cells, OI_CONFIDENCE);

  ens_boxed_image_deny (image, NULL);
  if (confidence == 1) {
    ens_boxed_image_add_somewhere (image, &(EnsBox) {.label = (char *)label});
  } else if (confidence == 0) {
    ens_boxed_image_deny (image, label);
  } else {
    ens_boxed_image_doubt (image, label);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a confidence of 0 or 1, found “%s”", where,
                 get (table, cells, OI_CONFIDENCE));
    return FALSE;
  }
  return TRUE;
}

static gboolean
take_line (OpenImages *set, OiTable *table, OiKind kind, char *const *cells, const char *where,
           GError **error)
{
  const char *id = get (table, cells, OI_LABEL);
  const char *known = g_hash_table_lookup (set->names, id);
  const char *label = known != NULL ? known : id;
  EnsBoxedImage *image = find_image (set, table, get (table, cells, OI_IMAGE));

  set->n_elsewhere += image == NULL;
  if (image == NULL)
    return TRUE;
  if (*label == '\0') {
    ens_boxed_image_doubt (image, NULL);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: expected a LabelName, found none", where);
    return FALSE;
  }
  return kind == OI_BOXES ? take_box (set, table, image, cells, label, where, error)
                          : take_label (table, image, cells, label, where, error);
}

/* ---- Tables ---- */

static gboolean
find_columns (OiTable *table, OiKind kind, char *const *cells, GError **error)
{
  OiColumn last = kind == OI_BOXES ? OI_YMAX : OI_CONFIDENCE;

  for (guint i = 0; i < N_OI_COLUMNS; i++) {
    table->columns[i] = G_MAXUINT;
    for (guint c = 0; cells != NULL && cells[c] != NULL; c++)
      if (g_ascii_strcasecmp (cells[c], column_names[i]) == 0)
        table->columns[i] = c;
    if (table->columns[i] == G_MAXUINT && i <= last && !(kind == OI_BOXES && i == OI_CONFIDENCE)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: expected a first line that names the column “%s”", table->path,
                   column_names[i]);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
read_lines (OpenImages *set, OiTable *table, OiKind kind, EnsCsvScan *scan, GError **error)
{
  g_auto (GStrv) heading = ens_csv_scan_next (scan);
  char **cells;

  if (!find_columns (table, kind, heading, error))
    return FALSE;
  while ((cells = ens_csv_scan_next (scan)) != NULL) {
    g_autofree char *where = g_strdup_printf ("%s:%u", table->path, scan->line);
    GError *reason = NULL;

    table->tally.n++;
    if (!take_line (set, table, kind, cells, where, &reason))
      ens_boxes_tally_skip (&table->tally, reason);
    g_strfreev (cells);
  }
  return ens_csv_scan_check (scan, table->path, error)
         && ens_boxes_tally_check (&table->tally, table->path, "lines", error);
}

static gboolean
read_names (OpenImages *set, const char *path, EnsCsvScan *scan, GError **error)
{
  char **cells;

  while ((cells = ens_csv_scan_next (scan)) != NULL) {
    if (g_strv_length (cells) >= 2 && *cells[0] != '\0' && *cells[1] != '\0')
      g_hash_table_insert (set->names, g_strdup (cells[0]), g_strdup (cells[1]));
    g_strfreev (cells);
  }
  return ens_csv_scan_check (scan, path, error);
}

static gint
find_split (const OpenImages *set, const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  EnsSplit split;

  return ens_split_find (name, &split) ? (gint)split
                                       : ens_boxes_find_split (set->reading->folder, path);
}

/* The tables of all pictures have gigabytes: they are not copied. */
static gboolean
read_table (OpenImages *set, const char *path, OiKind kind, GError **error)
{
  OiTable table = {.path = path, .split = find_split (set, path)};
  g_autoptr (GError) reason = NULL;
  g_autoptr (GMappedFile) file = ens_file_map (path, &reason);
  EnsCsvScan scan;
  gboolean read;

  ens_boxes_reading_use (set->reading, path);
  if (file == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read it: %s", path, reason->message);
    return FALSE;
  }
  if (g_mapped_file_get_length (file) == 0)
    return TRUE;
  table.tally.notes = set->reading->notes;
  ens_csv_scan_init (&scan, g_mapped_file_get_contents (file), g_mapped_file_get_length (file));
  read = kind == OI_NAMES ? read_names (set, path, &scan, error)
                          : read_lines (set, &table, kind, &scan, error);
  ens_boxes_tally_clear (&table.tally);
  return read;
}

/* ---- The set ---- */

/* The first line of a table that may have gigabytes. (transfer full) */
static char **
read_heading (const char *path)
{
  g_autoptr (GMappedFile) file = ens_file_map (path, NULL);
  gsize length = file != NULL ? g_mapped_file_get_length (file) : 0;
  EnsCsvScan scan;

  if (length == 0)
    return NULL;
  ens_csv_scan_init (&scan, g_mapped_file_get_contents (file), MIN (length, MAX_HEADING));
  return ens_csv_scan_next (&scan);
}

/* A table by its columns: of boxes, of labels, or of what labels such as /m/0k4j are called. */
static gboolean
has_columns (char *const *heading, OiKind kind)
{
  OiTable table = {.path = ""};

  if (heading == NULL)
    return FALSE;
  if (kind == OI_NAMES)
    return g_strv_length ((char **)heading) == 2
           && (g_str_has_prefix (heading[0], "/m/") || g_str_has_prefix (heading[0], "/g/"));
  if (kind == OI_LABELS && find_columns (&table, OI_BOXES, heading, NULL))
    return FALSE;
  return find_columns (&table, kind, heading, NULL);
}

static gboolean
is_kind (const char *path, OiKind kind)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *lower = g_ascii_strdown (name, -1);
  g_auto (GStrv) heading = NULL;

  if (!g_str_has_suffix (lower, ".csv") || strstr (lower, MACHINE) != NULL)
    return FALSE;
  for (guint k = 0; k < N_OI_KINDS; k++)
    if (strstr (lower, kind_words[k]) != NULL)
      return k == kind;
  heading = read_heading (path);
  return has_columns (heading, kind);
}

static void
add_table (const char *path, gpointer data)
{
  for (guint k = 0; k < N_OI_KINDS; k++)
    if (is_kind (path, k))
      g_ptr_array_add (((GPtrArray **)data)[k], g_strdup (path));
}

static gboolean
is_table (const char *path)
{
  return is_kind (path, OI_BOXES) || is_kind (path, OI_LABELS);
}

static char *
find_open_images (const char *folder)
{
  return ens_listing_find (folder, is_table, MAX_DEPTH);
}

static gboolean
read_tables (OpenImages *set, GPtrArray *const *tables, GError **error)
{
  static const OiKind order[] = {OI_NAMES, OI_BOXES, OI_LABELS};

  for (guint k = 0; k < G_N_ELEMENTS (order); k++)
    for (guint i = 0; i < tables[order[k]]->len; i++)
      if (!read_table (set, tables[order[k]]->pdata[i], order[k], error))
        return FALSE;
  if (set->n_elsewhere > 0)
    ens_boxes_reading_note (set->reading, "%s: lines of pictures that are not there: %u",
                            set->reading->folder, set->n_elsewhere);
  if (set->images->len > 0)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: expected pictures that its tables name, such as train/ID.jpg, found none",
               set->reading->folder);
  return FALSE;
}

static GPtrArray *
load_open_images (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_auto (OpenImages) set = {.reading = reading};
  GPtrArray *tables[N_OI_KINDS];
  gboolean read;

  set.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  set.by_path = g_hash_table_new (g_str_hash, g_str_equal);
  set.images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  for (guint k = 0; k < N_OI_KINDS; k++)
    tables[k] = g_ptr_array_new_with_free_func (g_free);
  ens_listing_foreach (reading->folder, add_table, tables);
  read = read_tables (&set, tables, error);
  for (guint k = 0; k < N_OI_KINDS; k++)
    g_ptr_array_unref (tables[k]);
  return read ? g_steal_pointer (&set.images) : NULL;
}

const EnsBoxesLayout ens_boxes_open_images = {"Open Images", find_open_images, load_open_images};
