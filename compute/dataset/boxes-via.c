/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VGG Image Annotator's layouts, as it exports them and keeps its projects:
 *
 *   {"a.jpg1234": {"filename": "a.jpg", "regions": [{"region_attributes": {"class": "cat"}}],
 *    "file_attributes": {}}, …}                    *.json; in a project in _via_img_metadata
 *   filename,…,file_attributes,…,region_attributes *.csv, with JSON in these cells
 *
 * Of the attributes of regions the one that is called class, label, type or the like is their
 * class, or the only one there is; so of those of files. Nothing says how large pictures are, so
 * that it is not known where regions are.
 *
 * Source: A. Dutta, A. Zisserman, The VIA Annotation Software for Images, Audio and Video, ACM
 * Multimedia 2019. */
#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"
#include "dataset/boxes-private.h"
#include "dataset/csv-scan.h"
#include "dataset/csv-table.h"

#define FILENAME "filename"
#define REGIONS "regions"
#define REGION_ATTRIBUTES "region_attributes"
#define FILE_ATTRIBUTES "file_attributes"
#define PROJECT "_via_img_metadata"

/* What stands before a file's first entry is looked at so far. */
#define MAX_HEAD (1U << 16)

/* What is being read. */
typedef struct {
  EnsBoxesReading *reading;
  const char *path;
  char *inside;        /* the file's folder, below the set's own */
  gint split;          /* that its name or folder says */
  GPtrArray *names;    /* char *: attributes of regions, while these are looked for */
  char *of_regions;    /* the attribute that is their class; NULL: it is looked for */
  GHashTable *by_path; /* picture → EnsBoxedImage */
  GPtrArray *images;
  EnsBoxesTally tally;
} Via;

/* A picture, or a line of one. */
typedef struct {
  char *file;
  GPtrArray *regions; /* char *: their classes, NULL for one that has none */
  GPtrArray *classes; /* char *: of the whole picture */
} Entry;

static void
via_clear (Via *via)
{
  g_free (via->inside);
  g_ptr_array_unref (via->names);
  g_free (via->of_regions);
  ens_boxes_tally_clear (&via->tally);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Via, via_clear)

static void
entry_init (Entry *entry)
{
  *entry = (Entry) {NULL};
  entry->regions = g_ptr_array_new_with_free_func (g_free);
  entry->classes = g_ptr_array_new_with_free_func (g_free);
}

static void
entry_clear (Entry *entry)
{
  g_free (entry->file);
  g_ptr_array_unref (entry->regions);
  g_ptr_array_unref (entry->classes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Entry, entry_clear)

/* ---- Attributes ---- */

static gboolean
may_be_class (const char *name)
{
  static const char *const names[] = {"name", "type", "object", "species", NULL};
  g_autofree char *lower = g_ascii_strdown (name, -1);

  return ens_csv_column_is_called (ENS_CSV_CLASS, name) || g_strv_contains (names, lower);
}

static void
note_name (Via *via, const char *name)
{
  if (!g_ptr_array_find_with_equal_func (via->names, name, g_str_equal, NULL))
    g_ptr_array_add (via->names, g_strdup (name));
}

/* An attribute's value: a text, or of boxes to tick {"cat": true, …}. */
static void
scan_value (EnsJsonScan *scan, GPtrArray *values)
{
  const char *name;

  if (ens_json_scan_peek (scan) != '{') {
    char *text = ens_json_scan_id (scan);

    if (text != NULL && *text != '\0')
      g_ptr_array_add (values, text);
    else
      g_free (text);
    return;
  }
  ens_json_scan_open_object (scan);
  while ((name = ens_json_scan_member (scan)) != NULL) {
    if (ens_json_scan_peek (scan) != 'f')
      g_ptr_array_add (values, g_strdup (name));
    ens_json_scan_skip (scan);
  }
}

static void
scan_region_attributes (Via *via, EnsJsonScan *scan, Entry *entry)
{
  guint before = entry->regions->len;
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (via->of_regions == NULL)
        note_name (via, name);
      if (g_strcmp0 (name, via->of_regions) == 0)
        scan_value (scan, entry->regions);
      else
        ens_json_scan_skip (scan);
    }
  if (entry->regions->len == before)
    g_ptr_array_add (entry->regions, NULL);
}

static void
scan_file_attributes (EnsJsonScan *scan, Entry *entry)
{
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return;
  while ((name = ens_json_scan_member (scan)) != NULL)
    if (ens_csv_column_is_called (ENS_CSV_CLASS, name))
      scan_value (scan, entry->classes);
    else
      ens_json_scan_skip (scan);
}

/* ---- What it says ---- */

static void
take_entry (Via *via, const Entry *entry, const char *where)
{
  const char *picture =
      entry->file != NULL ? ens_boxes_find_picture (via->reading, via->inside, entry->file) : NULL;
  EnsBoxedImage *image;

  via->tally.n++;
  if (picture == NULL) {
    ens_boxes_tally_skip (&via->tally,
                          g_error_new (ENS_ERROR, ENS_ERROR_FILE, "%s: found no picture “%s” in %s",
                                       where, entry->file != NULL ? entry->file : "",
                                       via->reading->folder));
    return;
  }
  image = ens_boxes_take_image (via->by_path, via->images, picture);
  image->split = via->split != ENS_SPLIT_UNSAID
                     ? via->split
                     : ens_boxes_find_split (via->reading->folder, picture);
  for (guint i = 0; i < entry->classes->len; i++)
    ens_boxed_image_add_class (image, entry->classes->pdata[i]);
  for (guint i = 0; i < entry->regions->len; i++)
    if (entry->regions->pdata[i] != NULL)
      ens_boxed_image_add_somewhere (image, &(EnsBox) {.label = entry->regions->pdata[i]});
    else
      ens_boxed_image_doubt (image, NULL);
}

/* ---- JSON ---- */

static void
scan_region (Via *via, EnsJsonScan *scan, Entry *entry)
{
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return;
  while ((name = ens_json_scan_member (scan)) != NULL)
    if (strcmp (name, REGION_ATTRIBUTES) == 0)
      scan_region_attributes (via, scan, entry);
    else
      ens_json_scan_skip (scan);
}

/* A list, or an object of them by number, as the program's first version has it. */
static void
scan_regions (Via *via, EnsJsonScan *scan, Entry *entry)
{
  gboolean list = ens_json_scan_peek (scan) == '[';

  if (list ? ens_json_scan_open_array (scan) : ens_json_scan_open_object (scan))
    while (list ? ens_json_scan_element (scan) : ens_json_scan_member (scan) != NULL)
      scan_region (via, scan, entry);
}

static void
scan_entry (Via *via, EnsJsonScan *scan, Entry *entry)
{
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return;
  while ((name = ens_json_scan_member (scan)) != NULL)
    if (strcmp (name, FILENAME) == 0) {
      g_free (entry->file);
      entry->file = ens_json_scan_string (scan);
    } else if (strcmp (name, REGIONS) == 0) {
      scan_regions (via, scan, entry);
    } else if (strcmp (name, FILE_ATTRIBUTES) == 0) {
      scan_file_attributes (scan, entry);
    } else {
      ens_json_scan_skip (scan);
    }
}

static void
scan_pictures (Via *via, EnsJsonScan *scan)
{
  if (!ens_json_scan_open_object (scan))
    return;
  while (ens_json_scan_member (scan) != NULL) {
    g_auto (Entry) entry;

    entry_init (&entry);
    scan_entry (via, scan, &entry);
    if (via->of_regions != NULL && !ens_json_scan_failed (scan))
      take_entry (via, &entry, via->path);
  }
}

static gboolean
scan_json (Via *via, GBytes *text, gboolean project, GError **error)
{
  EnsJsonScan scan;
  const char *name;

  ens_json_scan_init (&scan, via->path, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  if (!project) {
    scan_pictures (via, &scan);
  } else if (ens_json_scan_open_object (&scan)) {
    while ((name = ens_json_scan_member (&scan)) != NULL)
      if (strcmp (name, PROJECT) == 0)
        scan_pictures (via, &scan);
      else
        ens_json_scan_skip (&scan);
  }
  return ens_json_scan_finish (&scan, error);
}

/* ---- Tables ---- */

typedef enum { VIA_FILE, VIA_FILE_ATTRIBUTES, VIA_REGION_ATTRIBUTES, VIA_COUNT, N_VIA } ViaColumn;

static const char *const column_names[N_VIA] = {FILENAME, FILE_ATTRIBUTES, REGION_ATTRIBUTES,
                                                "region_count"};

/* FALSE if the table lacks one. */
static gboolean
find_columns (EnsCsvScan *scan, guint columns[N_VIA])
{
  g_auto (GStrv) names = ens_csv_scan_next (scan);
  guint n = names != NULL ? g_strv_length (names) : 0;

  for (guint c = 0; c < N_VIA; c++) {
    columns[c] = G_MAXUINT;
    for (guint i = 0; i < n; i++)
      if (strcmp (names[i] + (*names[i] == '#'), column_names[c]) == 0)
        columns[c] = i;
    if (columns[c] == G_MAXUINT)
      return FALSE;
  }
  return TRUE;
}

/* A cell with JSON in it, by what reads it. FALSE if it is none. */
static gboolean
scan_cell (Via *via, const char *cell, Entry *entry, gboolean region, GError **error)
{
  EnsJsonScan scan;

  ens_json_scan_init (&scan, via->path, cell, strlen (cell));
  if (region)
    scan_region_attributes (via, &scan, entry);
  else
    scan_file_attributes (&scan, entry);
  return ens_json_scan_finish (&scan, error);
}

static gboolean
scan_line (Via *via, char *const *cells, const guint columns[N_VIA], const char *where,
           Entry *entry, GError **error)
{
  guint n = g_strv_length ((char **)cells);

  for (guint c = 0; c < N_VIA; c++)
    if (columns[c] >= n) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: expected a column “%s”, found %u cells",
                   where, column_names[c], n);
      return FALSE;
    }
  entry->file = g_strdup (cells[columns[VIA_FILE]]);
  /* A picture without regions has a line, too. */
  return scan_cell (via, cells[columns[VIA_FILE_ATTRIBUTES]], entry, FALSE, error)
         && (strcmp (cells[columns[VIA_COUNT]], "0") == 0
             || scan_cell (via, cells[columns[VIA_REGION_ATTRIBUTES]], entry, TRUE, error));
}

static gboolean
scan_table (Via *via, GBytes *text, GError **error)
{
  guint columns[N_VIA];
  EnsCsvScan scan;
  char **cells;

  ens_csv_scan_init (&scan, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  if (!find_columns (&scan, columns)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected the columns of VGG Image Annotator", via->path);
    return FALSE;
  }
  while ((cells = ens_csv_scan_next (&scan)) != NULL) {
    g_autofree char *where = g_strdup_printf ("%s:%u", via->path, scan.line);
    g_auto (Entry) entry;
    GError *reason = NULL;

    entry_init (&entry);
    if (!scan_line (via, cells, columns, where, &entry, &reason))
      g_ptr_array_add (entry.regions, NULL); /* what the line would have said, nobody knows */
    if (via->of_regions != NULL) {
      take_entry (via, &entry, where);
      if (reason != NULL)
        ens_boxes_tally_skip (&via->tally, g_steal_pointer (&reason));
    }
    g_clear_error (&reason);
    g_strfreev (cells);
  }
  return ens_csv_scan_check (&scan, via->path, error);
}

/* ---- A file ---- */

typedef enum { VIA_NONE, VIA_JSON, VIA_PROJECT, VIA_TABLE } ViaKind;

/* Whether the next value has what entries have. */
static gboolean
is_entry (EnsJsonScan *scan)
{
  gboolean file = FALSE, regions = FALSE;
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return FALSE;
  while (!(file && regions) && (name = ens_json_scan_member (scan)) != NULL) {
    file |= strcmp (name, FILENAME) == 0;
    regions |= strcmp (name, REGIONS) == 0;
    ens_json_scan_skip (scan);
  }
  return file && regions;
}

/* By the first entry of the file. */
static ViaKind
find_json_kind (const char *path, GBytes *text)
{
  ViaKind kind = VIA_NONE;
  EnsJsonScan scan;
  const char *name;

  ens_json_scan_init (&scan, path, g_bytes_get_data (text, NULL),
                      MIN (g_bytes_get_size (text), MAX_HEAD));
  if (ens_json_scan_open_object (&scan)) {
    while ((name = ens_json_scan_member (&scan)) != NULL && g_str_has_prefix (name, "_via_")
           && strcmp (name, PROJECT) != 0)
      ens_json_scan_skip (&scan);
    if (name != NULL)
      kind = strcmp (name, PROJECT) == 0 ? VIA_PROJECT : is_entry (&scan) ? VIA_JSON : VIA_NONE;
  }
  ens_json_scan_finish (&scan, NULL);
  return kind;
}

static ViaKind
find_kind (const char *path, GBytes *text)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  guint columns[N_VIA];
  EnsCsvScan scan;

  if (g_str_has_suffix (lower, ".json"))
    return find_json_kind (path, text);
  if (!g_str_has_suffix (lower, ".csv"))
    return VIA_NONE;
  ens_csv_scan_init (&scan, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  return find_columns (&scan, columns) ? VIA_TABLE : VIA_NONE;
}

static gboolean
scan_file (Via *via, GBytes *text, ViaKind kind, GError **error)
{
  return kind == VIA_TABLE ? scan_table (via, text, error)
                           : scan_json (via, text, kind == VIA_PROJECT, error);
}

/* Which attribute of regions is their class; the only one, or the first that is called so. */
static gboolean
choose_attribute (Via *via, GError **error)
{
  const char *chosen = via->names->len == 1 ? via->names->pdata[0] : NULL;
  g_autofree char *found = NULL;

  for (guint i = 0; chosen == NULL && i < via->names->len; i++)
    if (may_be_class (via->names->pdata[i]))
      chosen = via->names->pdata[i];
  if (chosen != NULL || via->names->len == 0) {
    via->of_regions = g_strdup (chosen != NULL ? chosen : "");
    return TRUE;
  }
  g_ptr_array_add (via->names, NULL);
  found = g_strjoinv (", ", (char **)via->names->pdata);
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s: expected an attribute of regions that is called “class”, found %s; rename the "
               "one that is the class",
               via->path, found);
  return FALSE;
}

static gboolean
read_file (EnsBoxesReading *reading, const char *path, GHashTable *by_path, GPtrArray *images,
           GError **error)
{
  g_autoptr (GBytes) text = ens_boxes_reading_text (reading, path, error);
  g_auto (Via) via = {.reading = reading,
                      .path = path,
                      .by_path = by_path,
                      .images = images,
                      .tally = {.notes = reading->notes}};
  ViaKind kind;

  via.inside = ens_boxes_inside (reading->folder, path);
  via.names = g_ptr_array_new_with_free_func (g_free);
  via.split = ens_boxes_find_file_split (reading, path);
  if (text == NULL)
    return FALSE;
  kind = find_kind (path, text);
  return scan_file (&via, text, kind, error) && choose_attribute (&via, error)
         && scan_file (&via, text, kind, error)
         && ens_boxes_tally_check (&via.tally, path, "entries", error);
}

/* ---- The set ---- */

static gboolean
is_via (EnsBoxesReading *reading, const char *path)
{
  return ens_boxes_is_via (path);
}

gboolean
ens_boxes_is_via (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  gboolean may_be = g_str_has_suffix (lower, ".json") || g_str_has_suffix (lower, ".csv");
  g_autoptr (GBytes) text = may_be ? ens_file_map_text (path, NULL) : NULL;

  return text != NULL && find_kind (path, text) != VIA_NONE;
}

static char *
find_via (const char *folder)
{
  return ens_boxes_find_below (folder, is_via);
}

static GPtrArray *
load_via (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  return ens_boxes_load_files (reading, evidence, is_via, read_file, error);
}

const EnsBoxesLayout ens_boxes_via = {"VGG Image Annotator", find_via, load_via};
