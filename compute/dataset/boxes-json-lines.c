/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON lines: a picture a line (dataset/json-entry.h), as metadata.jsonl of Hugging Face's
 * imagefolder.
 *
 *   {"file_name": "a.jpg", "label": "cat"}
 *   {"file_name": "b.jpg", "labels": ["cat", "dog"], "split": "train"}
 *
 * Files are called metadata.jsonl, or anything .jsonl of whose first lines one has a picture and
 * classes; they lie in the set's folder or below it, and their names or folders say the split.
 *
 * Source: https://huggingface.co/docs/datasets/image_dataset. */
#include <string.h>

#include "base/files.h"
#include "dataset/json-entry.h"
#include "dataset/lines.h"

#define ENDING ".jsonl"

/* So many lines are looked at for a picture before a file counts as none of these. */
#define MAX_LOOKED_AT 20

/* ---- Lines ---- */

static gboolean
scan_line (EnsJsonReader *reader, const char *text, gsize length, const char *where,
           EnsJsonEntry *entry, GError **error)
{
  EnsJsonScan scan;

  ens_json_scan_init (&scan, where, text, length);
  ens_json_entry_scan (reader, entry, &scan);
  return ens_json_scan_finish (&scan, error);
}

static gboolean
take_line (EnsJsonReader *reader, const char *text, const char *where, GError **error)
{
  g_auto (EnsJsonEntry) entry;

  ens_json_entry_init (&entry);
  return scan_line (reader, text, strlen (text), where, &entry, error)
         && ens_json_entry_take (reader, &entry, where, error);
}

static gboolean
read_lines (EnsJsonReader *reader, GBytes *text, GError **error)
{
  g_auto (EnsLines) lines;
  const char *line;

  ens_lines_init (&lines, text);
  while ((line = ens_lines_next (&lines)) != NULL) {
    g_autofree char *where = g_strdup_printf ("%s:%u", reader->path, lines.number);
    GError *reason = NULL;

    if (*line == '\0')
      continue;
    reader->tally.n++;
    if (!take_line (reader, line, where, &reason))
      ens_boxes_tally_skip (&reader->tally, reason);
  }
  ens_json_reader_tell (reader);
  return ens_boxes_tally_check (&reader->tally, reader->path, "lines", error);
}

static gboolean
read_file (EnsBoxesReading *reading, const char *path, GHashTable *by_path, GPtrArray *images,
           GError **error)
{
  g_autoptr (GBytes) text = ens_boxes_reading_text (reading, path, error);
  g_auto (EnsJsonReader) reader;

  ens_json_reader_init (&reader, reading, path, by_path, images);
  return text != NULL && read_lines (&reader, text, error);
}

/* ---- The set ---- */

static gboolean
line_has_classes (EnsJsonReader *reader, const char *text, gsize length)
{
  g_auto (EnsJsonEntry) entry;

  ens_json_entry_init (&entry);
  return scan_line (reader, text, length, reader->path, &entry, NULL) && entry.picture != NULL
         && entry.classed;
}

/* Whether one of the first lines has a picture of the set, and classes: captions are none. */
static gboolean
has_classes (EnsBoxesReading *reading, const char *path)
{
  g_autoptr (GBytes) bytes = ens_file_map_text (path, NULL);
  g_auto (EnsJsonReader) reader;
  gsize rest = 0, length;
  const char *text = bytes != NULL ? g_bytes_get_data (bytes, &rest) : NULL;

  ens_json_reader_init (&reader, reading, path, NULL, NULL);
  for (guint n = 0; rest > 0 && n < MAX_LOOKED_AT; text += length, rest -= length) {
    const char *end = memchr (text, '\n', rest);

    length = end != NULL ? (gsize)(end - text) + 1 : rest;
    if (line_has_classes (&reader, text, length))
      return TRUE;
    n += length > 2;
  }
  return FALSE;
}

static gboolean
is_json_lines (EnsBoxesReading *reading, const char *path)
{
  return g_str_has_suffix (path, ENDING) && has_classes (reading, path);
}

static char *
find_json_lines (const char *folder)
{
  return ens_boxes_find_below (folder, is_json_lines);
}

static GPtrArray *
load_json_lines (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  return ens_boxes_load_files (reading, evidence, is_json_lines, read_file, error);
}

const EnsBoxesLayout ens_boxes_json_lines = {"JSON lines", find_json_lines, load_json_lines};
