/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/coco-scan.h"

#include <math.h>
#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"
#include "dataset/run-lengths.h"

static void
clear_image (gpointer data)
{
  g_free (((EnsCocoImage *)data)->file);
}

static void
clear_category (gpointer data)
{
  g_free (((EnsCocoCategory *)data)->name);
}

void
ens_coco_entries_init (EnsCocoEntries *entries)
{
  entries->images = g_array_new (FALSE, FALSE, sizeof (EnsCocoImage));
  entries->annotations = g_array_new (FALSE, FALSE, sizeof (EnsCocoAnnotation));
  entries->categories = g_array_new (FALSE, FALSE, sizeof (EnsCocoCategory));
  entries->ids = g_string_chunk_new (4096);
  g_array_set_clear_func (entries->images, clear_image);
  g_array_set_clear_func (entries->categories, clear_category);
}

void
ens_coco_entries_clear (EnsCocoEntries *entries)
{
  g_array_unref (entries->images);
  g_array_unref (entries->annotations);
  g_array_unref (entries->categories);
  g_string_chunk_free (entries->ids);
}

/* ---- Entries ---- */

static void
scan_id (EnsCocoEntries *entries, EnsJsonScan *scan, const char **id)
{
  g_autofree char *text = ens_json_scan_id (scan);

  *id = text != NULL ? g_string_chunk_insert_const (entries->ids, text) : NULL;
}

static void
scan_text (EnsJsonScan *scan, char **text)
{
  g_free (*text);
  *text = ens_json_scan_string (scan);
}

static void
scan_image (EnsCocoEntries *entries, EnsJsonScan *scan)
{
  EnsCocoImage image = {.width = NAN, .height = NAN};
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (strcmp (name, "id") == 0)
        scan_id (entries, scan, &image.id);
      else if (strcmp (name, "file_name") == 0)
        scan_text (scan, &image.file);
      else if (strcmp (name, "width") == 0)
        image.width = ens_json_scan_number (scan);
      else if (strcmp (name, "height") == 0)
        image.height = ens_json_scan_number (scan);
      else
        ens_json_scan_skip (scan);
    }
  g_array_append_val (entries->images, image);
}

static void
scan_category (EnsCocoEntries *entries, EnsJsonScan *scan)
{
  EnsCocoCategory category = {NULL};
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (strcmp (name, "id") == 0)
        scan_id (entries, scan, &category.id);
      else if (strcmp (name, "name") == 0)
        scan_text (scan, &category.name);
      else
        ens_json_scan_skip (scan);
    }
  g_array_append_val (entries->categories, category);
}

/* left, top, width, height; NaN if these are not four. */
static void
scan_box (EnsJsonScan *scan, EnsCocoAnnotation *annotation)
{
  double values[4];
  guint n = 0;

  if (ens_json_scan_open_array (scan))
    while (ens_json_scan_element (scan)) {
      double value = ens_json_scan_number (scan);

      if (n < G_N_ELEMENTS (values))
        values[n] = value;
      n++;
    }
  annotation->placed = n > 0;
  if (n != G_N_ELEMENTS (values))
    return;
  annotation->left = values[0];
  annotation->top = values[1];
  annotation->width = values[2];
  annotation->height = values[3];
}

typedef struct {
  GArray *points;         /* double: x, y, x, y …, of one polygon after the other */
  GArray *ends;           /* guint: how many of these there are at the end of each */
  double low[2], high[2]; /* x, y */
} Polygons;

static void
polygons_init (Polygons *polygons)
{
  *polygons = (Polygons) {.low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}};
  polygons->points = g_array_new (FALSE, FALSE, sizeof (double));
  polygons->ends = g_array_new (FALSE, FALSE, sizeof (guint));
}

static void
polygons_clear (Polygons *polygons)
{
  g_array_unref (polygons->points);
  g_array_unref (polygons->ends);
}
/* Lists of x, y, x, y …. */
static void
scan_polygons (EnsJsonScan *scan, Polygons *polygons)
{
  if (!ens_json_scan_open_array (scan))
    return;
  while (ens_json_scan_element (scan)) {
    guint axis = 0;

    if (!ens_json_scan_open_array (scan))
      continue;
    for (; ens_json_scan_element (scan); axis = 1 - axis) {
      double value = ens_json_scan_number (scan);

      polygons->low[axis] = fmin (polygons->low[axis], value);
      polygons->high[axis] = fmax (polygons->high[axis], value);
      g_array_append_val (polygons->points, value);
    }
    if (axis == 1) /* half a point */
      g_array_set_size (polygons->points, polygons->points->len - 1);
    g_array_append_val (polygons->ends, polygons->points->len);
  }
}

static void
scan_size (EnsJsonScan *scan, EnsRunLengths *runs)
{
  double size[2] = {NAN, NAN};
  guint n = 0;

  if (ens_json_scan_open_array (scan))
    for (; ens_json_scan_element (scan); n++) {
      double value = ens_json_scan_number (scan);

      size[n % 2] = value;
    }
  ens_run_lengths_set_size (runs, size[1], n == 2 ? size[0] : NAN);
}

static void
scan_counts (EnsJsonScan *scan, EnsRunLengths *runs)
{
  if (ens_json_scan_peek (scan) == '"') {
    g_autofree char *text = ens_json_scan_string (scan);

    if (text != NULL)
      ens_run_lengths_add_text (runs, text);
  } else if (ens_json_scan_open_array (scan)) {
    while (ens_json_scan_element (scan))
      ens_run_lengths_add (runs, ens_json_scan_number (scan));
  }
}

/* {"counts": numbers or a text, "size": [height, width]} */
static void
scan_run_lengths (EnsJsonScan *scan, EnsRunLengths *runs)
{
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return;
  while ((name = ens_json_scan_member (scan)) != NULL)
    if (strcmp (name, "size") == 0)
      scan_size (scan, runs);
    else if (strcmp (name, "counts") == 0)
      scan_counts (scan, runs);
    else
      ens_json_scan_skip (scan);
}

/* What an object's outline is said to be. */
typedef struct {
  Polygons polygons;
  EnsRunLengths runs;
  gboolean by_runs;
} Outline;

static void
outline_init (Outline *outline)
{
  polygons_init (&outline->polygons);
  ens_run_lengths_init (&outline->runs);
  outline->by_runs = FALSE;
}

static void
outline_clear (Outline *outline)
{
  polygons_clear (&outline->polygons);
  ens_run_lengths_clear (&outline->runs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outline, outline_clear)

static void
scan_outline (EnsJsonScan *scan, Outline *outline)
{
  outline->by_runs = ens_json_scan_peek (scan) == '{';
  if (outline->by_runs)
    scan_run_lengths (scan, &outline->runs);
  else
    scan_polygons (scan, &outline->polygons);
}

static gboolean
find_bounds (const Outline *outline, double box[4])
{
  const Polygons *polygons = &outline->polygons;

  if (outline->by_runs)
    return ens_run_lengths_find_box (&outline->runs, box);
  for (guint axis = 0; axis < 2; axis++) {
    box[axis] = polygons->low[axis];
    box[2 + axis] = polygons->high[axis] - polygons->low[axis];
  }
  return box[2] > 0 && box[3] > 0;
}

static void
place_by_outline (const Outline *outline, EnsCocoAnnotation *annotation)
{
  double box[4];

  if (!find_bounds (outline, box))
    return;
  annotation->placed = annotation->by_mask = TRUE;
  annotation->left = box[0];
  annotation->top = box[1];
  annotation->width = box[2];
  annotation->height = box[3];
}

static void
fill_by_polygons (const Polygons *polygons, EnsObjectMask *mask, const double box[4])
{
  const double *points = (const double *)(gconstpointer)polygons->points->data;

  for (guint i = 0, first = 0; i < polygons->ends->len; i++) {
    guint end = g_array_index (polygons->ends, guint, i);

    ens_object_mask_add_polygon (mask, points + first, (end - first) / 2, box);
    first = end;
  }
}

static void
take_outline (const Outline *outline, EnsCocoAnnotation *annotation)
{
  double box[4];

  annotation->unread = outline->by_runs && !ens_run_lengths_are_sound (&outline->runs);
  if (annotation->unread)
    return;
  if (!annotation->placed)
    place_by_outline (outline, annotation);
  memcpy (
      box,
      (const double[]) {annotation->left, annotation->top, annotation->width, annotation->height},
      sizeof box);
  if (!outline->by_runs) {
    fill_by_polygons (&outline->polygons, &annotation->mask, box);
    return;
  }
  ens_run_lengths_fill (&outline->runs, &annotation->mask, box);
  annotation->mask_width = outline->runs.width;
  annotation->mask_height = outline->runs.height;
}

static void
scan_annotation (EnsCocoEntries *entries, EnsJsonScan *scan)
{
  EnsCocoAnnotation annotation = {.left = NAN, .top = NAN, .width = NAN, .height = NAN};
  g_auto (Outline) outline;
  const char *name;

  outline_init (&outline);
  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (strcmp (name, "image_id") == 0) {
        scan_id (entries, scan, &annotation.image);
      } else if (strcmp (name, "category_id") == 0) {
        scan_id (entries, scan, &annotation.category);
      } else if (strcmp (name, "bbox") == 0) {
        scan_box (scan, &annotation);
      } else if (strcmp (name, "segmentation") == 0) {
        scan_outline (scan, &outline);
      } else if (strcmp (name, "iscrowd") == 0) {
        annotation.crowd = ens_json_scan_number (scan) == 1;
      } else {
        ens_json_scan_skip (scan);
      }
    }
  take_outline (&outline, &annotation);
  g_array_append_val (entries->annotations, annotation);
}

/* ---- The file ---- */

static const struct {
  const char *name;
  void (*scan) (EnsCocoEntries *entries, EnsJsonScan *scan);
} lists[] = {
    {"images", scan_image},
    {"annotations", scan_annotation},
    {"categories", scan_category},
};

#define ANNOTATIONS 1

/* G_N_ELEMENTS (lists) for what is none. */
static guint
find_list (const char *name)
{
  guint list = 0;

  while (list < G_N_ELEMENTS (lists) && strcmp (lists[list].name, name) != 0)
    list++;
  return list;
}

/* Scans a list, and says which of the lists it was; G_N_ELEMENTS (lists) for what is none. */
static guint
scan_list (EnsCocoEntries *entries, EnsJsonScan *scan, const char *name)
{
  guint list = find_list (name);

  if (list == G_N_ELEMENTS (lists))
    ens_json_scan_skip (scan);
  else if (!ens_json_scan_open_array (scan))
    return G_N_ELEMENTS (lists);
  else
    while (ens_json_scan_element (scan))
      lists[list].scan (entries, scan);
  return list;
}

static gboolean
scan_text_of_file (EnsCocoEntries *entries, const char *path, GMappedFile *file, GError **error)
{
  gboolean seen[G_N_ELEMENTS (lists) + 1] = {FALSE}, named[G_N_ELEMENTS (lists) + 1] = {FALSE};
  EnsJsonScan scan;
  const char *name;

  ens_json_scan_init (&scan, path, g_mapped_file_get_contents (file),
                      g_mapped_file_get_length (file));
  if (ens_json_scan_open_object (&scan))
    while ((name = ens_json_scan_member (&scan)) != NULL) {
      named[find_list (name)] = TRUE;
      seen[scan_list (entries, &scan, name)] = TRUE;
    }
  if (!ens_json_scan_finish (&scan, error))
    return FALSE;
  entries->annotated = seen[ANNOTATIONS];
  for (guint list = 0; list < G_N_ELEMENTS (lists); list++)
    if (!seen[list] && (list != ANNOTATIONS || named[list])) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                   "%s: not COCO's annotations: expected lists called images, annotations and "
                   "categories, found none called %s; other JSON may be a list of {\"image\": …, "
                   "\"label\": …}",
                   path, lists[list].name);
      return FALSE;
    }
  return TRUE;
}

gboolean
ens_coco_scan (EnsCocoEntries *entries, const char *path, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GMappedFile) file = ens_file_map (path, &failure);

  if (file == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read it: %s", path, failure->message);
    return FALSE;
  }
  return scan_text_of_file (entries, path, file, error);
}

/* ---- What a file is ---- */

/* What is before the first list is skipped up to so many bytes. */
#define MAX_HEAD (1U << 18)

/* What the first entry of a list has in any case, and other formats' lists of the name do not. */
static const char *const entry_members[G_N_ELEMENTS (lists)] = {"file_name", "image_id", NULL};

/* Whether the next value is a list of entries that have the member. */
static gboolean
has_entries (EnsJsonScan *scan, const char *member)
{
  gboolean found = FALSE;
  const char *name;

  if (ens_json_scan_open_array (scan) && ens_json_scan_element (scan)
      && ens_json_scan_open_object (scan))
    while (!found && (name = ens_json_scan_member (scan)) != NULL) {
      found = strcmp (name, member) == 0;
      ens_json_scan_skip (scan);
    }
  return found;
}

static gboolean
has_list (EnsJsonScan *scan)
{
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return FALSE;
  while ((name = ens_json_scan_member (scan)) != NULL) {
    guint list = find_list (name);

    if (list < G_N_ELEMENTS (lists) && entry_members[list] != NULL)
      return has_entries (scan, entry_members[list]);
    ens_json_scan_skip (scan);
  }
  return FALSE;
}

gboolean
ens_coco_is_likely (const char *path)
{
  g_autoptr (GMappedFile) file = ens_file_map (path, NULL);
  gsize length = file != NULL ? g_mapped_file_get_length (file) : 0;
  EnsJsonScan scan;
  gboolean likely;

  if (length == 0)
    return FALSE;
  ens_json_scan_init (&scan, path, g_mapped_file_get_contents (file), MIN (length, MAX_HEAD));
  likely = has_list (&scan);
  ens_json_scan_finish (&scan, NULL);
  return likely;
}
