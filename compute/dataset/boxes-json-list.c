/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON lists: all pictures in one file, *.json, as Create ML and people's own programs write it.
 *
 *   [{"image": "a.jpg", "label": "cat"}, …]       entries as dataset/json-entry.h says
 *   {"a.jpg": "cat", "b": {"label": "dog"}, …}    the pictures' names, with classes or entries
 *   {"classes": ["cat", "dog"], "labels": {"a": 0}}   FiftyOne's labels.json: with numbers of
 *                                                 classes, from 0 on
 *
 * Files lie in the set's folder or below it; their names or folders say the split.
 *
 * Sources: https://developer.apple.com/documentation/createml; https://docs.voxel51.com,
 * FiftyOneImageClassificationDataset. */
#include <string.h>

#include "base/files.h"
#include "dataset/json-entry.h"

#define ENDING ".json"
#define CLASSES "classes"
#define LABELS "labels"

/* So many entries are looked at for a picture, and so far into a file, before it counts as none of
 * these. */
#define MAX_LOOKED_AT 20
#define MAX_HEAD (1U << 18)

/* A file while it is read, or looked at. */
typedef struct {
  EnsJsonReader reader;
  GPtrArray *classes; /* char *: by number */
  gboolean looking;
  gboolean map;
  guint n_entries, n_found; /* those that say classes of a picture that there is */
} List;

/* ---- Entries ---- */

static gboolean
is_done (const List *list)
{
  return list->looking && list->n_entries == MAX_LOOKED_AT;
}

/* A map's names may be anything's: most of them have to be pictures. */
static gboolean
is_of_pictures (const List *list)
{
  return list->map ? 2 * list->n_found > list->n_entries : list->n_found > 0;
}

/* Numbers become names, where there are names. */
static void
name_classes (const List *list, EnsJsonEntry *entry)
{
  for (guint i = 0; list->classes->len > 0 && i < entry->labels->len; i++) {
    guint64 number;

    if (g_ascii_string_to_unsigned (entry->labels->pdata[i], 10, 0, list->classes->len - 1, &number,
                                    NULL)) {
      g_free (entry->labels->pdata[i]);
      entry->labels->pdata[i] = g_strdup (list->classes->pdata[number]);
    }
  }
}

static void
take_entry (List *list, EnsJsonEntry *entry, const EnsJsonScan *scan)
{
  g_autofree char *where = NULL;
  GError *reason = NULL;

  list->n_found += entry->picture != NULL && (list->map ? entry->labelled : entry->classed);
  list->n_entries++;
  if (list->looking || ens_json_scan_failed (scan))
    return;
  list->reader.tally.n = list->n_entries;
  name_classes (list, entry);
  where = g_strdup_printf ("%s: entry %u", list->reader.path, list->n_entries);
  if (!ens_json_entry_take (&list->reader, entry, where, &reason))
    ens_boxes_tally_skip (&list->reader.tally, reason);
}

/* [{…}, …] */
static void
scan_list (List *list, EnsJsonScan *scan)
{
  ens_json_scan_open_array (scan);
  while (!is_done (list) && ens_json_scan_element (scan)) {
    g_auto (EnsJsonEntry) entry;

    ens_json_entry_init (&entry);
    ens_json_entry_scan (&list->reader, &entry, scan);
    take_entry (list, &entry, scan);
  }
}

static void
scan_classes (List *list, EnsJsonScan *scan)
{
  ens_json_scan_open_array (scan);
  while (ens_json_scan_element (scan)) {
    char *name = ens_json_scan_string (scan);

    g_ptr_array_add (list->classes, name != NULL ? name : g_strdup (""));
  }
}

/* The picture of a name. */
static void
scan_named (List *list, EnsJsonScan *scan, const char *name)
{
  g_auto (EnsJsonEntry) entry;

  ens_json_entry_init (&entry);
  ens_json_entry_find (&list->reader, &entry, name);
  if (ens_json_scan_peek (scan) == '{')
    ens_json_entry_scan (&list->reader, &entry, scan);
  else
    ens_json_entry_scan_labels (&entry, scan);
  take_entry (list, &entry, scan);
}

/* {"a.jpg": …, …}, of which one member may have all of them. */
static void
scan_map (List *list, EnsJsonScan *scan, gboolean outermost)
{
  const char *name;

  ens_json_scan_open_object (scan);
  while (!is_done (list) && (name = ens_json_scan_member (scan)) != NULL) {
    char next = ens_json_scan_peek (scan);

    if (outermost && next == '[' && strcmp (name, CLASSES) == 0)
      scan_classes (list, scan);
    else if (outermost && next == '{' && strcmp (name, LABELS) == 0)
      scan_map (list, scan, FALSE);
    else
      scan_named (list, scan, name);
  }
}

/* ---- A file ---- */

static void
list_init (List *list, EnsBoxesReading *reading, const char *path, GHashTable *by_path,
           GPtrArray *images)
{
  *list = (List) {.looking = images == NULL};
  ens_json_reader_init (&list->reader, reading, path, by_path, images);
  list->classes = g_ptr_array_new_with_free_func (g_free);
}

static void
list_clear (List *list)
{
  ens_json_reader_clear (&list->reader);
  g_ptr_array_unref (list->classes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (List, list_clear)

static gboolean
scan_file (List *list, const char *text, gsize length, GError **error)
{
  EnsJsonScan scan;

  ens_json_scan_init (&scan, list->reader.path, text, length);
  list->map = ens_json_scan_peek (&scan) == '{';
  if (list->map)
    scan_map (list, &scan, TRUE);
  else if (ens_json_scan_peek (&scan) == '[')
    scan_list (list, &scan);
  return ens_json_scan_finish (&scan, error);
}

static gboolean
read_file (EnsBoxesReading *reading, const char *path, GHashTable *by_path, GPtrArray *images,
           GError **error)
{
  g_autoptr (GBytes) text = ens_boxes_reading_text (reading, path, error);
  g_auto (List) list;

  list_init (&list, reading, path, by_path, images);
  if (text == NULL
      || !scan_file (&list, g_bytes_get_data (text, NULL), g_bytes_get_size (text), error))
    return FALSE;
  for (guint i = 0; i < list.classes->len; i++)
    ens_boxes_reading_declare (reading, list.classes->pdata[i]);
  ens_json_reader_tell (&list.reader);
  return ens_boxes_tally_check (&list.reader.tally, path, "entries", error);
}

/* ---- The set ---- */

/* Whether one of the first entries has a picture and classes: scores and captions are none. */
static gboolean
is_list (EnsBoxesReading *reading, const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  g_autoptr (GBytes) text =
      g_str_has_suffix (lower, ENDING) ? ens_file_map_text (path, NULL) : NULL;
  g_auto (List) list = {0};

  list_init (&list, reading, path, NULL, NULL);
  if (text != NULL)
    scan_file (&list, g_bytes_get_data (text, NULL), MIN (g_bytes_get_size (text), MAX_HEAD), NULL);
  return is_of_pictures (&list);
}

gboolean
ens_boxes_is_json_list (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  EnsBoxesReading reading = {.folder = folder};
  gboolean found = is_list (&reading, path);

  g_clear_pointer (&reading.index, ens_picture_index_free);
  return found;
}

static char *
find_lists (const char *folder)
{
  return ens_boxes_find_below (folder, is_list);
}

static GPtrArray *
load_lists (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  return ens_boxes_load_files (reading, evidence, is_list, read_file, error);
}

const EnsBoxesLayout ens_boxes_json_list = {"a JSON list of pictures", find_lists, load_lists};
