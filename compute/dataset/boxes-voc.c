/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pascal VOC's layout: an annotation NAME.xml for each picture.
 *
 * Annotations lie in a folder Annotations, or beside their pictures in the set's folder or in
 * folders of it. The picture of NAME.xml is called NAME, too, and lies beside it, in a folder
 * JPEGImages or images beside the folder of annotations, or anywhere if there is no other one of
 * this name; else it is the one that <filename> names.
 *
 * Coordinates are pixels counted from 1, both ends included. Elements count by their paths: parts
 * of an object have names and boxes of their own. Of an object without a box it is not known where
 * it is.
 *
 * Source: M. Everingham et al., The Pascal Visual Object Classes Challenge, IJCV 2010. */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"
#include "dataset/voc-lists.h"

typedef enum {
  VOC_WIDTH,
  VOC_HEIGHT,
  VOC_XMIN,
  VOC_YMIN,
  VOC_XMAX,
  VOC_YMAX,
  N_VOC_NUMBERS
} VocNumber;

/* Elements by their path, innermost first: parts of an object have names and boxes of their own. */
static const struct {
  const char *path[3];
} voc_numbers[N_VOC_NUMBERS] = {
    [VOC_WIDTH] = {{"width", "size"}},           [VOC_HEIGHT] = {{"height", "size"}},
    [VOC_XMIN] = {{"xmin", "bndbox", "object"}}, [VOC_YMIN] = {{"ymin", "bndbox", "object"}},
    [VOC_XMAX] = {{"xmax", "bndbox", "object"}}, [VOC_YMAX] = {{"ymax", "bndbox", "object"}},
};

/* An object as its element has it; numbers that are missing are NaN. */
typedef struct {
  char *label;
  gboolean difficult;
  gboolean placed; /* has a box, whatever it says */
  double left, top, right, bottom;
} Object;

#define ANNOTATIONS "Annotations"

typedef struct {
  const char *path; /* of the annotation */
  char *filename;   /* as it names its picture; NULL if it does not */
  GString *text;    /* inside the innermost element */
  double numbers[N_VOC_NUMBERS];
  Object object;   /* the one at hand */
  GArray *objects; /* Object */
} Voc;

static void
clear_object (gpointer data)
{
  g_free (((Object *)data)->label);
}

static void
voc_init (Voc *voc, const char *path)
{
  *voc = (Voc) {.path = path, .text = g_string_new (NULL)};
  for (guint i = 0; i < N_VOC_NUMBERS; i++)
    voc->numbers[i] = NAN;
  voc->objects = g_array_new (FALSE, FALSE, sizeof (Object));
  g_array_set_clear_func (voc->objects, clear_object);
}

static void
voc_clear (Voc *voc)
{
  g_string_free (voc->text, TRUE);
  g_free (voc->filename);
  g_free (voc->object.label);
  g_array_unref (voc->objects);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Voc, voc_clear)

/* ---- Elements ---- */

static gboolean
is_at (const GSList *stack, const char *const path[3])
{
  for (guint i = 0; i < 3 && path[i] != NULL; i++, stack = stack->next)
    if (stack == NULL || strcmp (stack->data, path[i]) != 0)
      return FALSE;
  return TRUE;
}

static void
voc_start (GMarkupParseContext *context, const char *element, const char **names,
           const char **values, gpointer data, GError **error)
{
  Voc *voc = data;

  g_string_truncate (voc->text, 0);
  if (strcmp (element, "object") == 0) {
    g_free (voc->object.label);
    voc->object = (Object) {0};
    for (guint i = VOC_XMIN; i <= VOC_YMAX; i++)
      voc->numbers[i] = NAN;
  }
}

static void
voc_text (GMarkupParseContext *context, const char *text, gsize length, gpointer data,
          GError **error)
{
  g_string_append_len (((Voc *)data)->text, text, (gssize)length);
}

static void
voc_end_object (Voc *voc)
{
  Object *object = &voc->object;

  object->left = voc->numbers[VOC_XMIN] - 1;
  object->top = voc->numbers[VOC_YMIN] - 1;
  object->right = voc->numbers[VOC_XMAX];
  object->bottom = voc->numbers[VOC_YMAX];
  g_array_append_val (voc->objects, *object);
  *object = (Object) {0};
}

static void
voc_end (GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
  static const char *const name[3] = {"name", "object"}, *const difficult[3] = {"difficult",
                                                                                "object"};
  static const char *const filename[3] = {"filename", "annotation"};
  static const char *const box[3] = {"bndbox", "object"};
  Voc *voc = data;
  /* The element being closed is still on top. */
  const GSList *stack = g_markup_parse_context_get_element_stack (context);
  const char *text = g_strstrip (voc->text->str);

  if (is_at (stack, name)) {
    g_free (voc->object.label);
    voc->object.label = g_strdup (text);
  } else if (is_at (stack, difficult)) {
    voc->object.difficult = strcmp (text, "1") == 0 || g_ascii_strcasecmp (text, "true") == 0;
  } else if (is_at (stack, box)) {
    voc->object.placed = TRUE;
  } else if (is_at (stack, filename)) {
    g_free (voc->filename);
    voc->filename = g_strdup (text);
  } else if (strcmp (element, "object") == 0) {
    voc_end_object (voc);
  }
  for (guint i = 0; i < N_VOC_NUMBERS; i++)
    if (is_at (stack, voc_numbers[i].path))
      voc->numbers[i] = ens_boxes_number (text);
  g_string_truncate (voc->text, 0);
}

static const GMarkupParser voc_parser = {
    .start_element = voc_start,
    .end_element = voc_end,
    .text = voc_text,
};

/* ---- Annotations ---- */

static gboolean
parse_annotation (Voc *voc, EnsBoxesReading *reading, GError **error)
{
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&voc_parser, 0, voc, NULL);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) xml = ens_boxes_reading_text (reading, voc->path, error);

  if (xml == NULL)
    return FALSE;
  if (g_markup_parse_context_parse (context, g_bytes_get_data (xml, NULL),
                                    (gssize)g_bytes_get_size (xml), &failure)
      && g_markup_parse_context_end_parse (context, &failure))
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: not a Pascal VOC annotation: %s", voc->path,
               failure->message);
  return FALSE;
}

/* Adds the objects; `first` is what was wrong with the first of those that had to be left out. */
static void
add_objects (const Voc *voc, EnsBoxedImage *image, GError **first)
{
  ens_boxed_image_set_size (image, voc->numbers[VOC_WIDTH], voc->numbers[VOC_HEIGHT]);
  for (guint i = 0; i < voc->objects->len; i++) {
    const Object *object = &g_array_index (voc->objects, Object, i);
    const EnsBox box = {.label = object->label, .difficult = object->difficult, .number = i + 1};
    const EnsBoxEdges edges = {object->left,
                               object->top,
                               object->right,
                               object->bottom,
                               voc->numbers[VOC_WIDTH],
                               voc->numbers[VOC_HEIGHT]};
    g_autoptr (GError) reason = NULL;

    if (object->label == NULL || *object->label == '\0') {
      ens_boxed_image_doubt (image, NULL);
      g_set_error (&reason, ENS_ERROR, ENS_ERROR_FORMAT, "%s: an object has no name", voc->path);
    } else if (!object->placed) {
      ens_boxed_image_add_somewhere (image, &box);
    } else {
      ens_boxed_image_add (image, &box, &edges, voc->path, &reason);
    }
    if (reason != NULL && *first == NULL)
      *first = g_steal_pointer (&reason);
  }
}

/* ---- Pictures ---- */

/* The picture that belongs to an annotation. (transfer none) */
static const char *
choose_picture (EnsBoxesReading *reading, const Voc *voc, GError **error)
{
  const char *path = ens_boxes_find_annotated (reading, voc->path, voc->filename);
  g_autofree char *name = ens_picture_stem (voc->path);

  if (path == NULL)
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_FILE,
        "%s has no picture: expected JPEGImages/%s.jpg or .png, or one of this name beside "
        "it",
        voc->path, name);
  return path;
}

/* The picture of its objects' numbers, or NULL. (transfer full) */
static char *
find_numbers (EnsBoxesReading *reading, const char *annotation)
{
  g_autofree char *inside = ens_boxes_inside (reading->folder, annotation);
  g_autofree char *folder = ens_boxes_exchange_folder (inside, "SegmentationObject");
  g_autofree char *stem = ens_picture_stem (annotation);
  g_autofree char *name = g_strconcat (stem, ".png", NULL);
  g_autofree char *path =
      folder != NULL ? g_build_filename (reading->folder, folder, name, NULL) : NULL;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return NULL;
  ens_boxes_reading_use (reading, path);
  return g_steal_pointer (&path);
}

/* NULL for one that can't be read, or has no picture of its own. `reason` says why, or what was
 * wrong with an object of it that was left out. (transfer full) */
static EnsBoxedImage *
load_image (EnsBoxesReading *reading, const char *annotation, GHashTable *taken, GError **reason)
{
  EnsBoxedImage *image;
  const char *picture;
  g_auto (Voc) voc;

  voc_init (&voc, annotation);
  if (!parse_annotation (&voc, reading, reason))
    return NULL;
  picture = choose_picture (reading, &voc, reason);
  if (picture == NULL)
    return NULL;
  if (!g_hash_table_add (taken, (gpointer)picture)) {
    g_set_error (reason, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected a picture of its own, found %s, which another annotation has",
                 annotation, picture);
    return NULL;
  }
  image = ens_boxed_image_new (g_strdup (picture));
  image->numbers = find_numbers (reading, annotation);
  image->split = ens_boxes_find_split (reading->folder, annotation);
  add_objects (&voc, image, reason);
  return image;
}

/* ---- Annotations of a set ---- */

static gboolean
is_xml (const char *path)
{
  return g_str_has_suffix (path, ".xml") || g_str_has_suffix (path, ".XML");
}

/* An XML file that is an annotation by where it lies, whatever it says; or by what it says. */
static gboolean
is_annotation (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (folder);

  return is_xml (path)
         && (g_ascii_strcasecmp (name, ANNOTATIONS) == 0
             || ens_boxes_has_root (path, "annotation"));
}

static void
add_annotation (const char *path, gpointer data)
{
  if (is_annotation (path))
    g_ptr_array_add (data, g_strdup (path));
}

/* So deep below the set's folder lies VOCdevkit/VOC2007/Annotations. */
#define MAX_DEPTH 3

/* A folder Annotations, or an annotation in the folder or below. */
static char *
find_voc (const char *folder)
{
  g_autofree char *annotations = g_build_filename (folder, ANNOTATIONS, NULL);
  g_autofree char *found = ens_listing_find (annotations, is_xml, MAX_DEPTH);

  return found != NULL ? g_steal_pointer (&annotations)
                       : ens_listing_find (folder, is_annotation, MAX_DEPTH);
}

/* Lists of pictures are read, or told, by whoever divides the set (voc-lists.h). */
static void
use_list (const char *path, gpointer data)
{
  if (ens_voc_is_list (path))
    ens_boxes_reading_use (data, path);
}

static GPtrArray *
load_voc (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_autoptr (GPtrArray) images =
      g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  g_autoptr (GPtrArray) annotations = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (EnsBoxesTally) tally = {.notes = reading->notes};

  ens_listing_foreach (reading->folder, use_list, reading);
  ens_listing_foreach (reading->folder, add_annotation, annotations);
  tally.n = annotations->len;
  for (guint i = 0; i < annotations->len; i++) {
    GError *reason = NULL;
    EnsBoxedImage *image = load_image (reading, annotations->pdata[i], taken, &reason);

    if (image != NULL)
      g_ptr_array_add (images, image);
    if (reason != NULL)
      ens_boxes_tally_skip (&tally, reason);
  }
  return ens_boxes_tally_check (&tally, reading->folder, "annotations", error)
             ? g_steal_pointer (&images)
             : NULL;
}

const EnsBoxesLayout ens_boxes_voc = {"Pascal VOC", find_voc, load_voc};
