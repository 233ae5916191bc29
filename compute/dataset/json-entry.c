/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/json-entry.h"

#include <math.h>
#include <string.h>

#include "dataset/csv-table.h"

#define OBJECTS "objects"
#define BOXES "bbox"
#define COORDINATES "coordinates"

/* Names of members that mean nothing here are told up to so many. */
#define MAX_UNREAD 20

/* ---- A file ---- */

void
ens_json_reader_init (EnsJsonReader *reader, EnsBoxesReading *reading, const char *path,
                      GHashTable *by_path, GPtrArray *images)
{
  *reader = (EnsJsonReader) {.reading = reading,
                             .path = path,
                             .by_path = by_path,
                             .images = images,
                             .tally = {.notes = reading->notes}};
  reader->inside = ens_boxes_inside (reading->folder, path);
  reader->split = ens_boxes_find_file_split (reading, path);
  reader->unread = images != NULL ? g_ptr_array_new_with_free_func (g_free) : NULL;
}

void
ens_json_reader_clear (EnsJsonReader *reader)
{
  g_free (reader->inside);
  g_clear_pointer (&reader->unread, g_ptr_array_unref);
  ens_boxes_tally_clear (&reader->tally);
}

static void
note_unread (EnsJsonReader *reader, const char *name)
{
  if (reader->unread != NULL && reader->unread->len <= MAX_UNREAD
      && !g_ptr_array_find_with_equal_func (reader->unread, name, g_str_equal, NULL))
    g_ptr_array_add (reader->unread, g_strdup (reader->unread->len < MAX_UNREAD ? name : "…"));
}

void
ens_json_reader_tell (EnsJsonReader *reader)
{
  g_autofree char *names = NULL;

  if (reader->unread->len == 0)
    return;
  g_ptr_array_add (reader->unread, NULL);
  names = g_strjoinv (", ", (char **)reader->unread->pdata);
  ens_boxes_reading_note (reader->reading, "%s: members that are not read: %s", reader->path,
                          names);
}

/* ---- Members ---- */

typedef struct {
  double left, top, width, height;
} Place;

void
ens_json_entry_init (EnsJsonEntry *entry)
{
  *entry = (EnsJsonEntry) {.width = NAN, .height = NAN};
  entry->labels = g_ptr_array_new_with_free_func (g_free);
  entry->kinds = g_ptr_array_new_with_free_func (g_free);
  entry->places = g_array_new (FALSE, FALSE, sizeof (Place));
}

void
ens_json_entry_clear (EnsJsonEntry *entry)
{
  g_free (entry->split);
  g_free (entry->file);
  g_ptr_array_unref (entry->labels);
  g_ptr_array_unref (entry->kinds);
  g_array_unref (entry->places);
}

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

void
ens_json_entry_scan_labels (EnsJsonEntry *entry, EnsJsonScan *scan)
{
  entry->classed = TRUE;
  entry->labelled |= scan_labels (scan, entry->labels);
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
scan_objects (EnsJsonEntry *entry, EnsJsonScan *scan)
{
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return;
  while ((name = ens_json_scan_member (scan)) != NULL)
    if (strcmp (name, BOXES) == 0)
      scan_places (scan, entry->places);
    else if (ens_csv_column_is_called (ENS_CSV_CLASS, name))
      scan_labels (scan, entry->kinds);
    else
      ens_json_scan_skip (scan);
}

/* {"x": …, "y": …, "width": …, "height": …} of a box whose middle is at x, y. */
static Place
scan_coordinates (EnsJsonScan *scan)
{
  double x = NAN, y = NAN;
  Place place = {NAN, NAN, NAN, NAN};
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      double *number = strcmp (name, "x") == 0        ? &x
                       : strcmp (name, "y") == 0      ? &y
                       : strcmp (name, "width") == 0  ? &place.width
                       : strcmp (name, "height") == 0 ? &place.height
                                                      : NULL;

      if (number != NULL)
        *number = ens_json_scan_number (scan);
      else
        ens_json_scan_skip (scan);
    }
  place.left = x - place.width / 2;
  place.top = y - place.height / 2;
  return place;
}

/* {"label": …, "coordinates": …}, or a label with anything else: an object without a place. */
static void
scan_annotation (EnsJsonEntry *entry, EnsJsonScan *scan)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  gboolean placed = FALSE;
  const char *name;
  Place place;

  ens_json_scan_open_object (scan);
  while ((name = ens_json_scan_member (scan)) != NULL)
    if (strcmp (name, COORDINATES) == 0) {
      place = scan_coordinates (scan);
      placed = TRUE;
    } else if (ens_csv_column_is_called (ENS_CSV_CLASS, name)) {
      scan_labels (scan, labels);
    } else {
      ens_json_scan_skip (scan);
    }
  entry->labelled &= labels->len > 0;
  for (guint i = 0; i < labels->len; i++) {
    g_ptr_array_add (placed ? entry->kinds : entry->labels, g_strdup (labels->pdata[i]));
    if (placed)
      g_array_append_val (entry->places, place);
  }
}

/* A list of objects, or of labels. */
static void
scan_annotations (EnsJsonEntry *entry, EnsJsonScan *scan)
{
  if (ens_json_scan_peek (scan) != '[') {
    ens_json_entry_scan_labels (entry, scan);
    return;
  }
  entry->classed = entry->labelled = TRUE;
  ens_json_scan_open_array (scan);
  while (ens_json_scan_element (scan))
    if (ens_json_scan_peek (scan) == '{')
      scan_annotation (entry, scan);
    else
      entry->labelled &= scan_labels (scan, entry->labels);
}

static gboolean
are_annotations (const char *name)
{
  return strcmp (name, "annotations") == 0 || strcmp (name, "annotation") == 0;
}

/* ---- An entry ---- */

void
ens_json_entry_find (const EnsJsonReader *reader, EnsJsonEntry *entry, const char *file)
{
  entry->picture = ens_boxes_find_picture (reader->reading, reader->inside, file);
  g_free (entry->file);
  entry->file = g_strdup (file);
}

/* Of several members that may be it, the one that is a picture. */
static void
scan_file (const EnsJsonReader *reader, EnsJsonEntry *entry, EnsJsonScan *scan)
{
  g_autofree char *file = ens_json_scan_id (scan);

  if (file != NULL && entry->picture == NULL)
    ens_json_entry_find (reader, entry, file);
}

static void
scan_member (EnsJsonReader *reader, EnsJsonEntry *entry, EnsJsonScan *scan, const char *name)
{
  if (ens_csv_column_is_called (ENS_CSV_FILE, name)) {
    scan_file (reader, entry, scan);
  } else if (ens_csv_column_is_called (ENS_CSV_CLASS, name)) {
    ens_json_entry_scan_labels (entry, scan);
  } else if (are_annotations (name)) {
    scan_annotations (entry, scan);
  } else if (strcmp (name, OBJECTS) == 0) {
    entry->classed = entry->labelled = TRUE;
    scan_objects (entry, scan);
  } else if (ens_csv_column_is_called (ENS_CSV_SPLIT, name)) {
    g_free (entry->split);
    entry->split = ens_json_scan_string (scan);
  } else if (ens_csv_column_is_called (ENS_CSV_WIDTH, name)) {
    entry->width = ens_json_scan_number (scan);
  } else if (ens_csv_column_is_called (ENS_CSV_HEIGHT, name)) {
    entry->height = ens_json_scan_number (scan);
  } else {
    note_unread (reader, name);
    ens_json_scan_skip (scan);
  }
}

void
ens_json_entry_scan (EnsJsonReader *reader, EnsJsonEntry *entry, EnsJsonScan *scan)
{
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      g_autofree char *member = g_strdup (name);

      scan_member (reader, entry, scan, member);
    }
}

/* ---- What it says ---- */

static gboolean
take_object (EnsBoxedImage *image, const EnsJsonEntry *entry, guint i, const char *where,
             GError **error)
{
  const Place *place = &g_array_index (entry->places, Place, i);
  const EnsBoxEdges edges = {
      place->left,  place->top,   place->left + place->width, place->top + place->height,
      entry->width, entry->height};

  return ens_boxed_image_add (image, &(EnsBox) {.label = entry->kinds->pdata[i]}, &edges, where,
                              error);
}

static gboolean
take_objects (EnsBoxedImage *image, const EnsJsonEntry *entry, const char *where, GError **error)
{
  if (entry->places->len != entry->kinds->len) {
    ens_boxed_image_doubt (image, NULL);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected as many boxes as classes of them, found %u and %u", where,
                 entry->places->len, entry->kinds->len);
    return FALSE;
  }
  for (guint i = 0; i < entry->places->len; i++)
    if (!take_object (image, entry, i, where, error))
      return FALSE;
  return TRUE;
}

static gboolean
find_split (const EnsJsonReader *reader, const EnsJsonEntry *entry, const char *where, gint *split,
            GError **error)
{
  EnsSplit parsed;

  *split = reader->split;
  if (entry->split == NULL) {
    if (*split == ENS_SPLIT_UNSAID)
      *split = ens_boxes_find_split (reader->reading->folder, entry->picture);
    return TRUE;
  }
  if (!ens_split_parse (entry->split, &parsed)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected the split train, validation or test, found “%s”", where,
                 entry->split);
    return FALSE;
  }
  *split = (gint)parsed;
  return TRUE;
}

gboolean
ens_json_entry_take (EnsJsonReader *reader, const EnsJsonEntry *entry, const char *where,
                     GError **error)
{
  EnsBoxedImage *image;
  gint split;

  if (entry->picture == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: found no picture “%s” in %s", where,
                 entry->file != NULL ? entry->file : "", reader->reading->folder);
    return FALSE;
  }
  if (!find_split (reader, entry, where, &split, error))
    return FALSE;
  image = ens_boxes_take_image (reader->by_path, reader->images, entry->picture);
  image->split = split;
  ens_boxed_image_set_size (image, entry->width, entry->height);
  for (guint i = 0; i < entry->labels->len; i++)
    ens_boxed_image_add_class (image, entry->labels->pdata[i]);
  if (!entry->labelled)
    ens_boxed_image_doubt (image, NULL);
  return take_objects (image, entry, where, error);
}
