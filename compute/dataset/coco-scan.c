/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/coco-scan.h"

#include <math.h>
#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"

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

/* Nothing of masks in other forms. */
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
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Polygons, polygons_clear)

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
place_by_polygons (const Polygons *polygons, EnsCocoAnnotation *annotation)
{
  if (!(polygons->low[0] < polygons->high[0] && polygons->low[1] < polygons->high[1]))
    return;
  annotation->placed = TRUE;
  annotation->left = polygons->low[0];
  annotation->top = polygons->low[1];
  annotation->width = polygons->high[0] - polygons->low[0];
  annotation->height = polygons->high[1] - polygons->low[1];
}

static void
fill_mask (const Polygons *polygons, EnsCocoAnnotation *annotation)
{
  const double box[4] = {annotation->left, annotation->top, annotation->width, annotation->height};
  const double *points = (const double *)(gconstpointer)polygons->points->data;

  for (guint i = 0, first = 0; i < polygons->ends->len; i++) {
    guint end = g_array_index (polygons->ends, guint, i);

    ens_object_mask_add_polygon (&annotation->mask, points + first, (end - first) / 2, box);
    first = end;
  }
}

static void
scan_annotation (EnsCocoEntries *entries, EnsJsonScan *scan)
{
  EnsCocoAnnotation annotation = {.left = NAN, .top = NAN, .width = NAN, .height = NAN};
  g_auto (Polygons) polygons;
  const char *name;

  polygons_init (&polygons);
  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (strcmp (name, "image_id") == 0) {
        scan_id (entries, scan, &annotation.image);
      } else if (strcmp (name, "category_id") == 0) {
        scan_id (entries, scan, &annotation.category);
      } else if (strcmp (name, "bbox") == 0) {
        scan_box (scan, &annotation);
      } else if (strcmp (name, "segmentation") == 0) {
        scan_polygons (scan, &polygons);
      } else if (strcmp (name, "iscrowd") == 0) {
        annotation.crowd = ens_json_scan_number (scan) == 1;
      } else {
        ens_json_scan_skip (scan);
      }
    }
  if (!annotation.placed)
    place_by_polygons (&polygons, &annotation);
  fill_mask (&polygons, &annotation);
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
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: not COCO's annotations: expected lists called images, annotations and "
                   "categories, found none called %s",
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
