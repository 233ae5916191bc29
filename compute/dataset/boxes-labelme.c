/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LabelMe's layout, which other programs write, too: an annotation NAME.json for each picture.
 *
 *   {"imagePath": "a.jpg", "imageWidth": 64, "imageHeight": 48, "flags": {"sunny": true},
 *    "shapes": [{"label": "cat", "shape_type": "polygon", "points": [[0, 0], [32, 0], [32, 24]]}]}
 *
 * The picture of NAME.json is called NAME, too, or as imagePath ends. Coordinates are pixels from
 * 0. Of rectangles, polygons, circles and masks the bounds are the box, and polygons say which part
 * of it the object fills; of points and lines it is not known where they are. Where no annotation
 * of the set has a shape, flags that are true are the picture's classes.
 *
 * Source: K. Wada, https://github.com/wkentaro/labelme. */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"
#include "dataset/boxes-private.h"
#include "dataset/picture-names.h"

#define ENDING ".json"
#define SHAPES "shapes"
#define FLAGS "flags"
#define IMAGE_PATH "imagePath"

/* What stands before the members that tell is looked at so far. */
#define MAX_HEAD (1U << 16)

/* A shape as the file has it. */
typedef struct {
  char *label, *kind;
  GArray *points; /* double: x, y, x, y … */
} Shape;

/* A file. */
typedef struct {
  const char *path;
  char *picture;        /* as the file calls it */
  double width, height; /* NaN where it says none */
  GArray *shapes;       /* Shape */
  GPtrArray *flags;     /* char *: those that are true */
  GPtrArray *lowered;   /* char *: those that are false */
} Annotation;

/* A set. */
typedef struct {
  EnsBoxesReading *reading;
  GHashTable *by_path; /* picture → EnsBoxedImage */
  GPtrArray *images;
  GHashTable *flags; /* EnsBoxedImage → its true flags, a GPtrArray */
  gboolean shaped;   /* some annotation has a shape */
} Set;

static void
clear_shape (gpointer data)
{
  Shape *shape = data;

  g_free (shape->label);
  g_free (shape->kind);
  g_array_unref (shape->points);
}

static void
annotation_init (Annotation *annotation, const char *path)
{
  *annotation = (Annotation) {.path = path, .width = NAN, .height = NAN};
  annotation->shapes = g_array_new (FALSE, FALSE, sizeof (Shape));
  g_array_set_clear_func (annotation->shapes, clear_shape);
  annotation->flags = g_ptr_array_new_with_free_func (g_free);
  annotation->lowered = g_ptr_array_new_with_free_func (g_free);
}

static void
annotation_clear (Annotation *annotation)
{
  g_free (annotation->picture);
  g_array_unref (annotation->shapes);
  g_ptr_array_unref (annotation->flags);
  g_ptr_array_unref (annotation->lowered);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Annotation, annotation_clear)

/* ---- Scanning ---- */

/* [[x, y], …]; of a point that is not two numbers these are NaN. */
static void
scan_points (EnsJsonScan *scan, GArray *points)
{
  if (!ens_json_scan_open_array (scan))
    return;
  while (ens_json_scan_element (scan)) {
    double point[2] = {NAN, NAN};

    if (ens_json_scan_open_array (scan))
      for (guint i = 0; ens_json_scan_element (scan); i++) {
        double number = ens_json_scan_number (scan);

        if (i < 2)
          point[i] = number;
      }
    g_array_append_vals (points, point, 2);
  }
}

static void
scan_shape (EnsJsonScan *scan, Annotation *annotation)
{
  Shape shape = {.points = g_array_new (FALSE, FALSE, sizeof (double))};
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (strcmp (name, "label") == 0) {
        g_free (shape.label);
        shape.label = ens_json_scan_id (scan);
      } else if (strcmp (name, "shape_type") == 0) {
        g_free (shape.kind);
        shape.kind = ens_json_scan_string (scan);
      } else if (strcmp (name, "points") == 0) {
        scan_points (scan, shape.points);
      } else {
        ens_json_scan_skip (scan);
      }
    }
  g_array_append_val (annotation->shapes, shape);
}

static void
scan_flags (EnsJsonScan *scan, Annotation *annotation)
{
  const char *name;

  if (!ens_json_scan_open_object (scan))
    return;
  while ((name = ens_json_scan_member (scan)) != NULL) {
    gboolean raised = ens_json_scan_peek (scan) == 't';

    g_ptr_array_add (raised ? annotation->flags : annotation->lowered, g_strdup (name));
    ens_json_scan_skip (scan);
  }
}

static void
scan_member (EnsJsonScan *scan, Annotation *annotation, const char *name)
{
  if (strcmp (name, IMAGE_PATH) == 0) {
    g_free (annotation->picture);
    annotation->picture = ens_json_scan_string (scan);
  } else if (strcmp (name, "imageWidth") == 0) {
    annotation->width = ens_json_scan_number (scan);
  } else if (strcmp (name, "imageHeight") == 0) {
    annotation->height = ens_json_scan_number (scan);
  } else if (strcmp (name, FLAGS) == 0) {
    scan_flags (scan, annotation);
  } else if (strcmp (name, SHAPES) == 0 && ens_json_scan_open_array (scan)) {
    while (ens_json_scan_element (scan))
      scan_shape (scan, annotation);
  } else if (strcmp (name, SHAPES) != 0) {
    ens_json_scan_skip (scan);
  }
}

static gboolean
scan_annotation (EnsBoxesReading *reading, Annotation *annotation, GError **error)
{
  g_autoptr (GBytes) text = ens_boxes_reading_text (reading, annotation->path, error);
  EnsJsonScan scan;
  const char *name;

  if (text == NULL)
    return FALSE;
  ens_json_scan_init (&scan, annotation->path, g_bytes_get_data (text, NULL),
                      g_bytes_get_size (text));
  if (ens_json_scan_open_object (&scan))
    while ((name = ens_json_scan_member (&scan)) != NULL)
      scan_member (&scan, annotation, name);
  return ens_json_scan_finish (&scan, error);
}

/* ---- Shapes ---- */

/* FALSE for shapes that have no place, or say none. */
static gboolean
find_place (const Annotation *annotation, const Shape *shape, EnsBoxEdges *edges, EnsBox *box)
{
  const double *points = (const double *)(gconstpointer)shape->points->data;
  const char *kind = shape->kind != NULL ? shape->kind : "polygon";
  guint n = shape->points->len / 2;

  if (strcmp (kind, "circle") == 0 && n == 2) {
    double radius = hypot (points[2] - points[0], points[3] - points[1]);

    *edges = (EnsBoxEdges) {points[0] - radius, points[1] - radius, points[0] + radius,
                            points[1] + radius, annotation->width,  annotation->height};
    return TRUE;
  }
  *edges = ens_box_bounds (points, n, annotation->width, annotation->height);
  if (strcmp (kind, "polygon") == 0 && n >= 3)
    ens_box_fill (box, edges, points, n);
  return strcmp (kind, "polygon") == 0 || strcmp (kind, "rectangle") == 0
         || strcmp (kind, "mask") == 0 || strcmp (kind, "rotation") == 0;
}

static gboolean
add_shape (EnsBoxedImage *image, const Annotation *annotation, const Shape *shape, GError **error)
{
  EnsBox box = {.label = shape->label};
  EnsBoxEdges edges;

  if (shape->label == NULL || *shape->label == '\0') {
    ens_boxed_image_doubt (image, NULL);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: a shape has no label", annotation->path);
    return FALSE;
  }
  if (find_place (annotation, shape, &edges, &box))
    return ens_boxed_image_add (image, &box, &edges, annotation->path, error);
  ens_boxed_image_add_somewhere (image, &box);
  return TRUE;
}

/* The first thing that is wrong with a shape; the others are added. */
static gboolean
add_shapes (EnsBoxedImage *image, const Annotation *annotation, GError **error)
{
  gboolean all = TRUE;

  ens_boxed_image_set_size (image, annotation->width, annotation->height);
  for (guint i = 0; i < annotation->shapes->len; i++)
    all &= add_shape (image, annotation, &g_array_index (annotation->shapes, Shape, i),
                      all ? error : NULL);
  return all;
}

/* ---- The set ---- */

static const char *
find_picture (const Set *set, const Annotation *annotation)
{
  g_autofree char *slashes =
      annotation->picture != NULL ? g_strdelimit (g_strdup (annotation->picture), "\\", '/') : NULL;
  g_autofree char *name = slashes != NULL ? g_path_get_basename (slashes) : NULL;

  return ens_boxes_find_annotated (set->reading, annotation->path, name);
}

/* Flags wait until it is known whether the set has shapes. */
static void
keep_flags (Set *set, EnsBoxedImage *image, Annotation *annotation)
{
  for (guint i = 0; i < annotation->lowered->len; i++)
    ens_boxes_reading_declare (set->reading, annotation->lowered->pdata[i]);
  g_hash_table_insert (set->flags, image, g_steal_pointer (&annotation->flags));
  annotation->flags = g_ptr_array_new ();
}

static gboolean
take_annotation (Set *set, const char *path, GError **error)
{
  g_auto (Annotation) annotation;
  EnsBoxedImage *image;
  const char *picture;

  annotation_init (&annotation, path);
  if (!scan_annotation (set->reading, &annotation, error))
    return FALSE;
  picture = find_picture (set, &annotation);
  if (picture == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
                 "%s: found no picture “%s” beside it, nor one that is called like it", path,
                 annotation.picture != NULL ? annotation.picture : "");
    return FALSE;
  }
  image = ens_boxes_take_image (set->by_path, set->images, picture);
  image->split = ens_boxes_find_split (set->reading->folder, path);
  set->shaped |= annotation.shapes->len > 0;
  keep_flags (set, image, &annotation);
  return add_shapes (image, &annotation, error);
}

/* They are classes where nothing else is. */
static void
use_flags (Set *set)
{
  gboolean any = FALSE;

  for (guint i = 0; i < set->images->len; i++) {
    const GPtrArray *flags = g_hash_table_lookup (set->flags, set->images->pdata[i]);

    any |= flags->len > 0;
    for (guint f = 0; !set->shaped && f < flags->len; f++)
      ens_boxed_image_add_class (set->images->pdata[i], flags->pdata[f]);
  }
  if (set->shaped)
    g_hash_table_remove_all (set->reading->declared);
  if (any)
    ens_boxes_reading_note (
        set->reading, "%s: its annotations have flags, which are %s", set->reading->folder,
        set->shaped ? "not read, since shapes say the classes" : "taken for the pictures' classes");
}

gboolean
ens_boxes_is_labelme (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  g_autoptr (GMappedFile) file =
      g_str_has_suffix (lower, ENDING) ? ens_file_map (path, NULL) : NULL;
  gsize length = file != NULL ? g_mapped_file_get_length (file) : 0;
  gboolean found = FALSE;
  EnsJsonScan scan;
  const char *name;

  if (length == 0)
    return FALSE;
  ens_json_scan_init (&scan, path, g_mapped_file_get_contents (file), MIN (length, MAX_HEAD));
  if (ens_json_scan_peek (&scan) == '{' && ens_json_scan_open_object (&scan))
    while (!found && (name = ens_json_scan_member (&scan)) != NULL) {
      found = strcmp (name, IMAGE_PATH) == 0 || strcmp (name, "imageData") == 0
              || (strcmp (name, SHAPES) == 0 && ens_json_scan_peek (&scan) == '[');
      ens_json_scan_skip (&scan);
    }
  ens_json_scan_finish (&scan, NULL);
  return found;
}

static gboolean
is_labelme (EnsBoxesReading *reading, const char *path)
{
  return ens_boxes_is_labelme (path);
}

static char *
find_labelme (const char *folder)
{
  return ens_boxes_find_below (folder, is_labelme);
}

static GPtrArray *
load_labelme (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_autoptr (GPtrArray) images =
      g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  g_autoptr (GHashTable) by_path = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) flags =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
  g_autoptr (GPtrArray) files = ens_boxes_choose_files (reading, evidence, is_labelme);
  g_auto (EnsBoxesTally) tally = {.notes = reading->notes, .n = files->len};
  Set set = {.reading = reading, .by_path = by_path, .images = images, .flags = flags};

  for (guint i = 0; i < files->len; i++) {
    GError *reason = NULL;

    if (!take_annotation (&set, files->pdata[i], &reason))
      ens_boxes_tally_skip (&tally, reason);
  }
  use_flags (&set);
  return ens_boxes_tally_check (&tally, reading->folder, "annotations", error)
             ? g_steal_pointer (&images)
             : NULL;
}

const EnsBoxesLayout ens_boxes_labelme = {"LabelMe", find_labelme, load_labelme};
