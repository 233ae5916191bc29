/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes-voc.h"

#include <math.h>
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/picture-names.h"

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
  double left, top, right, bottom;
} Object;

typedef struct {
  const char *path; /* of the annotation */
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
  Voc *voc = data;
  /* The element being closed is still on top. */
  const GSList *stack = g_markup_parse_context_get_element_stack (context);
  const char *text = g_strstrip (voc->text->str);

  if (is_at (stack, name)) {
    g_free (voc->object.label);
    voc->object.label = g_strdup (text);
  } else if (is_at (stack, difficult)) {
    voc->object.difficult = strcmp (text, "1") == 0;
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
parse_annotation (Voc *voc, GError **error)
{
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&voc_parser, 0, voc, NULL);
  g_autoptr (GError) failure = NULL;
  gsize length;
  g_autofree char *xml = ens_file_read_text (voc->path, &length, &failure);

  if (xml != NULL && g_markup_parse_context_parse (context, xml, (gssize)length, &failure)
      && g_markup_parse_context_end_parse (context, &failure))
    return TRUE;
  g_set_error (error, ENS_ERROR, xml != NULL ? ENS_ERROR_FORMAT : ENS_ERROR_FILE,
               "%s: not a Pascal VOC annotation: %s", voc->path, failure->message);
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
    } else {
      ens_boxed_image_add (image, &box, &edges, voc->path, &reason);
    }
    if (reason != NULL && *first == NULL)
      *first = g_steal_pointer (&reason);
  }
}

/* A set while it is read. */
typedef struct {
  const char *folder;
  GHashTable *pictures; /* name without ending → name, of those that no annotation has had yet */
} VocSet;

static void
voc_set_clear (VocSet *set)
{
  g_hash_table_unref (set->pictures);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VocSet, voc_set_clear)

/* (transfer full) */
static char *
strip_ending (const char *name)
{
  const char *dot = strrchr (name, '.');

  return dot != NULL ? g_strndup (name, (gsize)(dot - name)) : g_strdup (name);
}

static void
voc_set_init (VocSet *set, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "JPEGImages", NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  set->folder = folder;
  set->pictures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (name[0] != '.' && ens_picture_has_name (name))
      g_hash_table_insert (set->pictures, strip_ending (name), g_strdup (name));
}

/* The picture that belongs to an annotation of this name. (transfer full) */
static char *
take_picture (VocSet *set, const char *annotation, GError **error)
{
  g_autofree char *stem = strip_ending (annotation);
  const char *name = g_hash_table_lookup (set->pictures, stem);
  char *path;

  if (name == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
                 "%s/Annotations/%s has no picture: expected JPEGImages/%s.jpg or .png",
                 set->folder, annotation, stem);
    return NULL;
  }
  path = g_build_filename (set->folder, "JPEGImages", name, NULL);
  g_hash_table_remove (set->pictures, stem);
  return path;
}

/* The picture of its objects' numbers, or NULL. (transfer full) */
static char *
find_numbers (const VocSet *set, const char *annotation)
{
  g_autofree char *stem = strip_ending (annotation);
  g_autofree char *name = g_strconcat (stem, ".png", NULL);
  g_autofree char *path = g_build_filename (set->folder, "SegmentationObject", name, NULL);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path) : NULL;
}

/* NULL for one that can't be read. `reason` says why, or what was wrong with an object of it that
 * was left out. (transfer full) */
static EnsBoxedImage *
load_image (VocSet *set, const char *annotation, GError **reason)
{
  g_autofree char *path = g_build_filename (set->folder, "Annotations", annotation, NULL);
  char *picture = take_picture (set, annotation, reason);
  EnsBoxedImage *image;
  g_auto (Voc) voc;

  voc_init (&voc, path);
  if (picture == NULL || !parse_annotation (&voc, reason)) {
    g_free (picture);
    return NULL;
  }
  image = ens_boxed_image_new (picture);
  image->numbers = find_numbers (set, annotation);
  add_objects (&voc, image, reason);
  return image;
}

/* Pictures that no annotation belongs to. */
static void
tell_left (const VocSet *set, GPtrArray *notes)
{
  g_autoptr (GList) names = g_hash_table_get_values (set->pictures);

  names = g_list_sort (names, (GCompareFunc)strcmp);
  if (names != NULL)
    g_ptr_array_add (notes, g_strdup_printf ("%s: left out pictures that have no annotation: %u, "
                                             "such as JPEGImages/%s",
                                             set->folder, g_hash_table_size (set->pictures),
                                             (const char *)names->data));
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

gboolean
ens_boxes_have_voc (const char *folder)
{
  g_autofree char *annotations = g_build_filename (folder, "Annotations", NULL);

  return g_file_test (annotations, G_FILE_TEST_IS_DIR);
}

GPtrArray *
ens_boxes_load_voc (const char *folder, GPtrArray *notes, GError **error)
{
  g_autofree char *annotations = g_build_filename (folder, "Annotations", NULL);
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_auto (EnsBoxesTally) tally = {.notes = notes};
  g_autoptr (GError) failure = NULL;
  g_autoptr (GDir) directory = g_dir_open (annotations, 0, &failure);
  g_auto (VocSet) set = {0};
  const char *name;

  voc_set_init (&set, folder);
  if (directory == NULL) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, failure->message);
    return NULL;
  }
  while ((name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".xml"))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  tally.n = names->len;
  images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  for (guint i = 0; i < names->len; i++) {
    GError *reason = NULL;
    EnsBoxedImage *image = load_image (&set, names->pdata[i], &reason);

    if (image != NULL)
      g_ptr_array_add (images, image);
    if (reason != NULL)
      ens_boxes_tally_skip (&tally, reason);
  }
  tell_left (&set, notes);
  return ens_boxes_tally_check (&tally, folder, "annotations", error) ? g_steal_pointer (&images)
                                                                      : NULL;
}
