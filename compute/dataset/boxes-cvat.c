/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CVAT's own layout, “CVAT for images 1.1” and “CVAT for video 1.1”: annotations.xml, by whatever
 * name, in which
 *
 *   <image name width height subset>   has <box xtl ytl xbr ybr>, <polygon points>, <polyline>,
 *                                      <points>, <ellipse cx cy rx ry>, <mask>, <cuboid>,
 *                                      <skeleton> and <tag>, each with a label
 *   <track label>                      has the same shapes of one object with the numbers of their
 *                                      frames; outside="1": it is not seen. Frame 7's picture is
 *                                      frame_000007.*
 *
 * Coordinates are pixels from 0. Of polygons and ellipses the bounds are the box, and polygons and
 * masks say which part of it the object fills; of the other shapes it is not known where they are,
 * and a tag is of the whole picture. A skeleton is one
 * object: the shapes inside it are its joints. Pictures lie in a folder images, in folders of the
 * subsets, or beside the file. Their subsets, their folders or the file's name say the split.
 *
 * Source: https://docs.cvat.ai/docs/manual/advanced/xml_format. */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/picture-names.h"
#include "dataset/run-lengths.h"

#define ROOT "annotations"

typedef struct {
  EnsBoxesReading *reading;
  const char *path;     /* of the file at hand */
  GHashTable *by_path;  /* picture → EnsBoxedImage */
  GPtrArray *images;    /* in the file's order */
  EnsBoxedImage *image; /* the one at hand; NULL if there is none, or it was left out */
  double width, height; /* of it, or of a video's frames */
  char *track;          /* the label of the track at hand */
  EnsBoxesTally pictures, shapes;
} Cvat;

static void
cvat_clear (Cvat *cvat)
{
  g_clear_pointer (&cvat->by_path, g_hash_table_unref);
  g_clear_pointer (&cvat->images, g_ptr_array_unref);
  g_free (cvat->track);
  ens_boxes_tally_clear (&cvat->pictures);
  ens_boxes_tally_clear (&cvat->shapes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Cvat, cvat_clear)

/* ---- Attributes ---- */

static const char *
get (const char *const *names, const char *const *values, const char *name)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (strcmp (names[i], name) == 0)
      return values[i];
  return NULL;
}

static double
get_number (const char *const *names, const char *const *values, const char *name)
{
  const char *text = get (names, values, name);

  return text != NULL ? ens_boxes_number (text) : NAN;
}

/* ---- Pictures ---- */

/* Where the picture of a name may lie. (transfer none) */
static const char *
find_picture (Cvat *cvat, const char *name, const char *subset)
{
  const EnsPictureIndex *index = ens_boxes_reading_index (cvat->reading);
  g_autofree char *in_subset = g_build_filename ("images", subset != NULL ? subset : "", NULL);
  const char *const folders[] = {in_subset, "images", subset != NULL ? subset : "", ""};
  const char *path = NULL;

  for (guint i = 0; path == NULL && i < G_N_ELEMENTS (folders); i++)
    path = ens_picture_index_find (index, folders[i], name);
  return path != NULL ? path : ens_picture_index_find_anywhere (index, name);
}

static gint
find_split (const Cvat *cvat, const char *path, const char *subset)
{
  gint by_folder = ens_boxes_find_split (cvat->reading->folder, path);
  g_autofree char *name = ens_picture_stem (cvat->path);
  EnsSplit split;

  if ((subset != NULL && ens_split_find (subset, &split))
      || (by_folder == ENS_SPLIT_UNSAID && ens_split_find (name, &split)))
    return (gint)split;
  return by_folder;
}

/* The image of a picture; NULL, which is noted, if there is no such picture. */
static EnsBoxedImage *
take_picture (Cvat *cvat, const char *name, const char *subset)
{
  const char *path = name != NULL ? find_picture (cvat, name, subset) : NULL;
  EnsBoxedImage *image = path != NULL ? g_hash_table_lookup (cvat->by_path, path) : NULL;

  if (image != NULL)
    return image;
  cvat->pictures.n++;
  if (path == NULL) {
    ens_boxes_tally_skip (&cvat->pictures,
                          g_error_new (ENS_ERROR, ENS_ERROR_FILE,
                                       "%s: found no picture “%s” inside %s", cvat->path,
                                       name != NULL ? name : "", cvat->reading->folder));
    return NULL;
  }
  image = ens_boxed_image_new (g_strdup (path));
  image->split = find_split (cvat, path, subset);
  ens_boxed_image_set_size (image, cvat->width, cvat->height);
  g_hash_table_insert (cvat->by_path, image->path, image);
  g_ptr_array_add (cvat->images, image);
  return image;
}

/* ---- Shapes ---- */

static gboolean
is_shape (const char *element)
{
  static const char *const shapes[] = {"box",  "polygon", "polyline", "points", "ellipse",
                                       "mask", "cuboid",  "skeleton", "tag",    NULL};

  return g_strv_contains (shapes, element);
}

/* “x,y;x,y…”. */
static void
take_polygon (const char *points, EnsBoxEdges *edges, EnsBox *box)
{
  g_auto (GStrv) words = g_strsplit_set (points, ",;", -1);
  guint n = g_strv_length (words) / 2;
  g_autofree double *numbers = g_new (double, 2 * (gsize)n + 1);

  for (guint i = 0; i < 2 * n; i++)
    numbers[i] = ens_boxes_number (words[i]);
  *edges = ens_box_bounds (numbers, n, edges->width, edges->height);
  ens_box_fill (box, edges, numbers, n);
}

/* rle="3, 5, 7 …" along the rows of the box. */
static void
take_mask (const char *text, const EnsBoxEdges *edges, EnsBox *box)
{
  g_auto (GStrv) words = g_strsplit_set (text, ", ", -1);
  const double width = edges->right - edges->left, height = edges->bottom - edges->top;
  const double whole[4] = {0, 0, width, height};
  g_auto (EnsRunLengths) runs;

  ens_run_lengths_init (&runs);
  runs.along_rows = TRUE;
  ens_run_lengths_set_size (&runs, width, height);
  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      ens_run_lengths_add (&runs, ens_boxes_number (words[i]));
  if (ens_run_lengths_are_sound (&runs))
    ens_run_lengths_fill (&runs, &box->mask, whole);
}

static void
take_rectangle (const char *const *names, const char *const *values, EnsBoxEdges *edges)
{
  edges->left = get_number (names, values, "xtl");
  edges->top = get_number (names, values, "ytl");
  edges->right = get_number (names, values, "xbr");
  edges->bottom = get_number (names, values, "ybr");
}

static void
take_ellipse (const char *const *names, const char *const *values, EnsBoxEdges *edges)
{
  double x = get_number (names, values, "cx"), y = get_number (names, values, "cy");
  double width = get_number (names, values, "rx"), height = get_number (names, values, "ry");

  edges->left = x - width;
  edges->top = y - height;
  edges->right = x + width;
  edges->bottom = y + height;
}

static void
take_runs (const char *const *names, const char *const *values, EnsBoxEdges *edges, EnsBox *box)
{
  const char *runs = get (names, values, "rle");

  edges->left = get_number (names, values, "left");
  edges->top = get_number (names, values, "top");
  edges->right = edges->left + get_number (names, values, "width");
  edges->bottom = edges->top + get_number (names, values, "height");
  if (runs != NULL)
    take_mask (runs, edges, box);
}

/* FALSE for shapes without a place. */
static gboolean
take_place (const char *element, const char *const *names, const char *const *values,
            EnsBoxEdges *edges, EnsBox *box)
{
  const char *points = get (names, values, "points");

  if (strcmp (element, "box") == 0)
    take_rectangle (names, values, edges);
  else if (strcmp (element, "ellipse") == 0)
    take_ellipse (names, values, edges);
  else if (strcmp (element, "mask") == 0 && get (names, values, "left") != NULL)
    take_runs (names, values, edges, box);
  else if (strcmp (element, "polygon") == 0 && points != NULL)
    take_polygon (points, edges, box);
  else
    return FALSE;
  return TRUE;
}

static void
take_shape (Cvat *cvat, EnsBoxedImage *image, const char *label, const char *element,
            const char *const *names, const char *const *values)
{
  EnsBoxEdges edges = {.width = cvat->width, .height = cvat->height};
  EnsBox box = {.label = (char *)label};
  GError *reason = NULL;

  cvat->shapes.n++;
  if (label == NULL || *label == '\0') {
    ens_boxed_image_doubt (image, NULL);
    g_set_error (&reason, ENS_ERROR, ENS_ERROR_FORMAT, "%s: a %s of %s has no label", cvat->path,
                 element, image->path);
  } else if (take_place (element, names, values, &edges, &box)) {
    ens_boxed_image_add (image, &box, &edges, cvat->path, &reason);
  } else {
    ens_boxed_image_add_somewhere (image, &box);
  }
  if (reason != NULL)
    ens_boxes_tally_skip (&cvat->shapes, reason);
}

/* An object in one frame of a video. */
static void
take_tracked (Cvat *cvat, const char *element, const char *const *names, const char *const *values)
{
  double frame = get_number (names, values, "frame");
  g_autofree char *name = NULL;
  EnsBoxedImage *image;

  if (g_strcmp0 (get (names, values, "outside"), "1") == 0 || !(frame >= 0 && frame < G_MAXINT))
    return;
  name = g_strdup_printf ("frame_%06d", (gint)frame);
  image = take_picture (cvat, name, NULL);
  if (image != NULL)
    take_shape (cvat, image, cvat->track, element, names, values);
}

/* ---- Elements ---- */

/* Whether the element that begins lies in one of this name. */
static gboolean
is_in (GMarkupParseContext *context, const char *parent)
{
  const GSList *stack = g_markup_parse_context_get_element_stack (context);

  return stack->next != NULL && strcmp (stack->next->data, parent) == 0;
}

static void
cvat_start (GMarkupParseContext *context, const char *element, const char **names,
            const char **values, gpointer data, GError **error)
{
  Cvat *cvat = data;

  if (strcmp (element, "image") == 0) {
    cvat->width = get_number (names, values, "width");
    cvat->height = get_number (names, values, "height");
    cvat->image = take_picture (cvat, get (names, values, "name"), get (names, values, "subset"));
  } else if (strcmp (element, "track") == 0) {
    g_free (cvat->track);
    cvat->track = g_strdup (get (names, values, "label"));
  } else if (is_shape (element) && cvat->image != NULL && is_in (context, "image")) {
    take_shape (cvat, cvat->image, get (names, values, "label"), element,
                (const char *const *)names, (const char *const *)values);
  } else if (is_shape (element) && cvat->track != NULL && is_in (context, "track")) {
    take_tracked (cvat, element, (const char *const *)names, (const char *const *)values);
  }
}

static void
cvat_end (GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
  Cvat *cvat = data;

  if (strcmp (element, "image") == 0)
    cvat->image = NULL;
  else if (strcmp (element, "track") == 0)
    g_clear_pointer (&cvat->track, g_free);
}

/* The size of a video's frames: <original_size> of the task. */
static void
cvat_text (GMarkupParseContext *context, const char *text, gsize length, gpointer data,
           GError **error)
{
  const GSList *stack = g_markup_parse_context_get_element_stack (context);
  g_autofree char *number = g_strstrip (g_strndup (text, length));
  Cvat *cvat = data;

  if (stack == NULL || stack->next == NULL || strcmp (stack->next->data, "original_size") != 0)
    return;
  if (strcmp (stack->data, "width") == 0)
    cvat->width = ens_boxes_number (number);
  else if (strcmp (stack->data, "height") == 0)
    cvat->height = ens_boxes_number (number);
}

static const GMarkupParser cvat_parser = {
    .start_element = cvat_start,
    .end_element = cvat_end,
    .text = cvat_text,
};

/* ---- The files ---- */

static gboolean
is_cvat (EnsBoxesReading *reading, const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);

  return g_str_has_suffix (lower, ".xml") && ens_boxes_has_root (path, ROOT);
}

static char *
find_cvat (const char *folder)
{
  EnsBoxesReading reading = {.folder = (char *)folder};
  g_autoptr (GPtrArray) files = ens_boxes_list_files (&reading, is_cvat);

  return files->len > 0 ? g_strdup (files->pdata[0]) : NULL;
}

static gboolean
read_file (Cvat *cvat, const char *path, GError **error)
{
  g_autoptr (GMarkupParseContext) context =
      g_markup_parse_context_new (&cvat_parser, 0, cvat, NULL);
  g_autoptr (GBytes) text = ens_boxes_reading_text (cvat->reading, path, error);
  g_autoptr (GError) failure = NULL;

  if (text == NULL)
    return FALSE;
  cvat->path = path;
  cvat->width = cvat->height = NAN;
  cvat->image = NULL;
  if (g_markup_parse_context_parse (context, g_bytes_get_data (text, NULL),
                                    (gssize)g_bytes_get_size (text), &failure)
      && g_markup_parse_context_end_parse (context, &failure))
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: not CVAT's annotations: %s", path,
               failure->message);
  return FALSE;
}

/* The files that are read: one, or all of the folder. (transfer full) */
static GPtrArray *
list_files (EnsBoxesReading *reading, const char *evidence)
{
  return reading->whole ? ens_boxes_list_files (reading, is_cvat)
                        : ens_boxes_take_file (reading, evidence);
}

static GPtrArray *
load_cvat (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_auto (Cvat) cvat = {.reading = reading, .path = evidence};
  g_autoptr (GPtrArray) files = list_files (reading, evidence);

  cvat.by_path = g_hash_table_new (g_str_hash, g_str_equal);
  cvat.images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  cvat.pictures.notes = cvat.shapes.notes = reading->notes;
  for (guint i = 0; i < files->len; i++)
    if (!read_file (&cvat, files->pdata[i], error))
      return NULL;
  return ens_boxes_tally_check (&cvat.pictures, evidence, "pictures", error)
                 && ens_boxes_tally_check (&cvat.shapes, evidence, "shapes", error)
             ? g_steal_pointer (&cvat.images)
             : NULL;
}

const EnsBoxesLayout ens_boxes_cvat = {"CVAT", find_cvat, load_cvat};
