/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON lines: a picture a line, as metadata.jsonl of Hugging Face's imagefolder.
 *
 *   {"file_name": "a.jpg", "label": "cat"}
 *   {"file_name": "b.jpg", "labels": ["cat", "dog"], "split": "train"}
 *   {"file_name": "c.jpg", "width": 64, "height": 48,
 *    "objects": {"bbox": [[0, 0, 32, 24]], "categories": ["cat"]}}
 *
 * Members are called as the columns of tables are (boxes-csv.c). A number is a class's name; an
 * empty list is none of the classes, and null nothing that is known. Boxes are left, top, width and
 * height in pixels; without the picture's size it is not known where they are. Files are called
 * metadata.jsonl, or anything .jsonl of whose first lines one has a picture; they lie in the set's
 * folder or below it, and their names or folders say the split.
 *
 * Source: https://huggingface.co/docs/datasets/image_dataset. */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"
#include "dataset/boxes-private.h"
#include "dataset/csv-table.h"
#include "dataset/lines.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"

#define ENDING ".jsonl"
#define OBJECTS "objects"
#define BOXES "bbox"

/* So many lines are looked at for a picture before a file counts as none of these. */
#define MAX_LOOKED_AT 20
/* Names of members that mean nothing here are told up to so many. */
#define MAX_UNREAD 20

/* What is being read. */
typedef struct {
  EnsBoxesReading *reading;
  const char *path;
  char *inside;        /* the file's folder, below the set's own */
  gint split;          /* that its name or folder says */
  GHashTable *by_path; /* picture → EnsBoxedImage */
  GPtrArray *images;
  GPtrArray *unread; /* char *: names of members that mean nothing here; NULL: nobody asks */
  EnsBoxesTally tally;
} Reader;

typedef struct {
  double left, top, width, height;
} Place;

/* What a line says. */
typedef struct {
  char *split;
  const char *picture; /* NULL: none that there is */
  char *file;          /* as the line calls it */
  GPtrArray *labels;   /* char * */
  gboolean labelled;   /* has a member for them; not if that is null */
  GArray *places;      /* Place: of objects */
  GPtrArray *kinds;    /* char *: the objects' classes */
  double width, height;
} Line;

static void
line_init (Line *line)
{
  *line = (Line) {.width = NAN, .height = NAN};
  line->labels = g_ptr_array_new_with_free_func (g_free);
  line->kinds = g_ptr_array_new_with_free_func (g_free);
  line->places = g_array_new (FALSE, FALSE, sizeof (Place));
}

static void
line_clear (Line *line)
{
  g_free (line->split);
  g_free (line->file);
  g_ptr_array_unref (line->labels);
  g_ptr_array_unref (line->kinds);
  g_array_unref (line->places);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Line, line_clear)

/* ---- Members ---- */

/* A text, a whole number, or a list of these. FALSE for anything else. */
static gboolean
scan_labels (EnsJsonScan *scan, GPtrArray *labels)
{
  gboolean all = TRUE;
  char *label;

  if (ens_json_scan_peek (scan) == '[') {
    ens_json_scan_open_array (scan);
    while (ens_json_scan_element (scan))
      if (ens_json_scan_peek (scan) == '[') {
        all = FALSE;
        ens_json_scan_skip (scan);
      } else
        all &= scan_labels (scan, labels);
    return all;
  }
  label = ens_json_scan_id (scan);
  if (label == NULL || *label == '\0') {
    g_free (label);
    return FALSE;
  }
  g_ptr_array_add (labels, label);
  return TRUE;
}

/* [[left, top, width, height], …] */
static void
scan_places (EnsJsonScan *scan, GArray *places)
{
  if (!ens_json_scan_open_array (scan))
    return;
  while (ens_json_scan_element (scan)) {
    double numbers[4] = {NAN, NAN, NAN, NAN};
    Place place;

    if (ens_json_scan_open_array (scan))
      for (guint i = 0; ens_json_scan_element (scan); i++) {
        double number = ens_json_scan_number (scan);

        if (i < 4)
          numbers[i] = number;
      }
    place = (Place) {numbers[0], numbers[1], numbers[2], numbers[3]};
    g_array_append_val (places, place);
  }
}

static void
scan_objects (Line *line, EnsJsonScan *scan)
{
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return;
  while ((name = ens_json_scan_member (scan)) != NULL)
    if (strcmp (name, BOXES) == 0)
      scan_places (scan, line->places);
    else if (ens_csv_column_is_called (ENS_CSV_CLASS, name))
      scan_labels (scan, line->kinds);
    else
      ens_json_scan_skip (scan);
}

/* Of several members that may be it, the one that is a picture. */
static void
scan_file (const Reader *reader, Line *line, EnsJsonScan *scan)
{
  g_autofree char *file = ens_json_scan_id (scan);

  if (file == NULL || line->picture != NULL)
    return;
  line->picture = ens_boxes_find_picture (reader->reading, reader->inside, file);
  g_free (line->file);
  line->file = g_steal_pointer (&file);
}

static void
note_unread (Reader *reader, const char *name)
{
  if (reader->unread != NULL && reader->unread->len <= MAX_UNREAD
      && !g_ptr_array_find_with_equal_func (reader->unread, name, g_str_equal, NULL))
    g_ptr_array_add (reader->unread, g_strdup (reader->unread->len < MAX_UNREAD ? name : "…"));
}

static void
scan_member (Reader *reader, Line *line, EnsJsonScan *scan, const char *name)
{
  if (ens_csv_column_is_called (ENS_CSV_FILE, name)) {
    scan_file (reader, line, scan);
  } else if (ens_csv_column_is_called (ENS_CSV_CLASS, name)) {
    line->labelled |= scan_labels (scan, line->labels);
  } else if (strcmp (name, OBJECTS) == 0) {
    line->labelled = TRUE;
    scan_objects (line, scan);
  } else if (ens_csv_column_is_called (ENS_CSV_SPLIT, name)) {
    g_free (line->split);
    line->split = ens_json_scan_string (scan);
  } else if (ens_csv_column_is_called (ENS_CSV_WIDTH, name)) {
    line->width = ens_json_scan_number (scan);
  } else if (ens_csv_column_is_called (ENS_CSV_HEIGHT, name)) {
    line->height = ens_json_scan_number (scan);
  } else {
    note_unread (reader, name);
    ens_json_scan_skip (scan);
  }
}

static gboolean
scan_line (Reader *reader, const char *text, gsize length, const char *where, Line *line,
           GError **error)
{
  EnsJsonScan scan;
  const char *name;

  ens_json_scan_init (&scan, where, text, length);
  if (ens_json_scan_open_object (&scan))
    while ((name = ens_json_scan_member (&scan)) != NULL) {
      g_autofree char *member = g_strdup (name);

      scan_member (reader, line, &scan, member);
    }
  return ens_json_scan_finish (&scan, error);
}

/* ---- A line ---- */

static gboolean
take_object (EnsBoxedImage *image, const Line *line, guint i, const char *where, GError **error)
{
  const Place *place = &g_array_index (line->places, Place, i);
  const EnsBoxEdges edges = {
      place->left, place->top,  place->left + place->width, place->top + place->height,
      line->width, line->height};

  return ens_boxed_image_add (image, &(EnsBox) {.label = line->kinds->pdata[i]}, &edges, where,
                              error);
}

static gboolean
take_objects (EnsBoxedImage *image, const Line *line, const char *where, GError **error)
{
  if (line->places->len != line->kinds->len) {
    ens_boxed_image_doubt (image, NULL);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected as many boxes as classes of them, found %u and %u", where,
                 line->places->len, line->kinds->len);
    return FALSE;
  }
  for (guint i = 0; i < line->places->len; i++)
    if (!take_object (image, line, i, where, error))
      return FALSE;
  return TRUE;
}

static gboolean
find_split (const Reader *reader, const Line *line, const char *where, gint *split, GError **error)
{
  EnsSplit parsed;

  *split = reader->split;
  if (line->split == NULL) {
    if (*split == ENS_SPLIT_UNSAID)
      *split = ens_boxes_find_split (reader->reading->folder, line->picture);
    return TRUE;
  }
  if (!ens_split_parse (line->split, &parsed)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected the split train, validation or test, found “%s”", where,
                 line->split);
    return FALSE;
  }
  *split = (gint)parsed;
  return TRUE;
}

static gboolean
take_line (Reader *reader, const char *text, const char *where, GError **error)
{
  EnsBoxedImage *image;
  g_auto (Line) line;
  gint split;

  line_init (&line);
  if (!scan_line (reader, text, strlen (text), where, &line, error))
    return FALSE;
  if (line.picture == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: found no picture “%s” in %s", where,
                 line.file != NULL ? line.file : "", reader->reading->folder);
    return FALSE;
  }
  if (!find_split (reader, &line, where, &split, error))
    return FALSE;
  image = ens_boxes_take_image (reader->by_path, reader->images, line.picture);
  image->split = split;
  ens_boxed_image_set_size (image, line.width, line.height);
  for (guint i = 0; i < line.labels->len; i++)
    ens_boxed_image_add_class (image, line.labels->pdata[i]);
  if (!line.labelled)
    ens_boxed_image_doubt (image, NULL);
  return take_objects (image, &line, where, error);
}

/* ---- A file ---- */

static gint
find_file_split (EnsBoxesReading *reading, const char *path)
{
  g_autofree char *stem = ens_picture_stem (path);
  EnsSplit split;

  return ens_split_find (stem, &split) ? (gint)split : ens_boxes_find_split (reading->folder, path);
}

static void
tell_unread (Reader *reader)
{
  g_autofree char *names = NULL;

  if (reader->unread->len == 0)
    return;
  g_ptr_array_add (reader->unread, NULL);
  names = g_strjoinv (", ", (char **)reader->unread->pdata);
  ens_boxes_reading_note (reader->reading, "%s: members that are not read: %s", reader->path,
                          names);
}

static gboolean
read_lines (Reader *reader, GBytes *text, GError **error)
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
  tell_unread (reader);
  return ens_boxes_tally_check (&reader->tally, reader->path, "lines", error);
}

static gboolean
read_file (EnsBoxesReading *reading, const char *path, GHashTable *by_path, GPtrArray *images,
           GError **error)
{
  g_autofree char *inside = ens_boxes_inside (reading->folder, path);
  g_autoptr (GBytes) text = ens_boxes_reading_text (reading, path, error);
  g_autoptr (GPtrArray) unread = g_ptr_array_new_with_free_func (g_free);
  Reader reader = {.reading = reading,
                   .path = path,
                   .inside = inside,
                   .by_path = by_path,
                   .images = images,
                   .unread = unread,
                   .tally = {.notes = reading->notes}};
  gboolean read;

  if (text == NULL)
    return FALSE;
  reader.split = find_file_split (reading, path);
  read = read_lines (&reader, text, error);
  ens_boxes_tally_clear (&reader.tally);
  return read;
}

/* ---- The set ---- */

static gboolean
line_has_picture (Reader *reader, const char *text, gsize length)
{
  g_auto (Line) line;

  line_init (&line);
  return scan_line (reader, text, length, reader->path, &line, NULL) && line.picture != NULL;
}

/* Whether one of the first lines has a picture of the set. */
static gboolean
has_picture (EnsBoxesReading *reading, const char *path)
{
  g_autofree char *inside = ens_boxes_inside (reading->folder, path);
  g_autoptr (GBytes) bytes = ens_file_map_text (path, NULL);
  Reader reader = {.reading = reading, .path = path, .inside = inside};
  gsize rest = 0, length;
  const char *text = bytes != NULL ? g_bytes_get_data (bytes, &rest) : NULL;

  for (guint n = 0; rest > 0 && n < MAX_LOOKED_AT; text += length, rest -= length) {
    const char *end = memchr (text, '\n', rest);

    length = end != NULL ? (gsize)(end - text) + 1 : rest;
    if (line_has_picture (&reader, text, length))
      return TRUE;
    n += length > 2;
  }
  return FALSE;
}

static void
add_file (const char *path, gpointer data)
{
  if (g_str_has_suffix (path, ENDING))
    g_ptr_array_add (data, g_strdup (path));
}

/* (transfer full) */
static GPtrArray *
list_files (EnsBoxesReading *reading)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);

  ens_listing_foreach (reading->folder, add_file, files);
  for (guint i = files->len; i-- > 0;)
    if (!has_picture (reading, files->pdata[i]))
      g_ptr_array_remove_index (files, i);
  return files;
}

static char *
find_json_lines (const char *folder)
{
  EnsBoxesReading reading = {.folder = (char *)folder};
  g_autoptr (GPtrArray) files = list_files (&reading);

  g_clear_pointer (&reading.index, ens_picture_index_free);
  return files->len > 0 ? g_strdup (files->pdata[0]) : NULL;
}

static GPtrArray *
load_json_lines (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_autoptr (GPtrArray) images =
      g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  g_autoptr (GHashTable) by_path = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) files = NULL;

  if (reading->whole) {
    files = list_files (reading);
  } else {
    files = g_ptr_array_new_with_free_func (g_free);
    g_ptr_array_add (files, g_strdup (evidence));
    g_free (reading->folder);
    reading->folder = g_path_get_dirname (evidence);
  }
  for (guint i = 0; i < files->len; i++)
    if (!read_file (reading, files->pdata[i], by_path, images, error))
      return NULL;
  return g_steal_pointer (&images);
}

const EnsBoxesLayout ens_boxes_json_lines = {"JSON lines", find_json_lines, load_json_lines};
