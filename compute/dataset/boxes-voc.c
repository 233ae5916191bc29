/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes-voc.h"

#include <math.h>
#include <string.h>

#include "dataset/boxes-private.h"

typedef enum {
  VOC_WIDTH,
  VOC_HEIGHT,
  VOC_XMIN,
  VOC_YMIN,
  VOC_XMAX,
  VOC_YMAX,
  N_VOC_NUMBERS
} VocNumber;

static const struct {
  const char *element, *parent;
} voc_numbers[N_VOC_NUMBERS] = {
    [VOC_WIDTH] = {"width", "size"}, [VOC_HEIGHT] = {"height", "size"},
    [VOC_XMIN] = {"xmin", "bndbox"}, [VOC_YMIN] = {"ymin", "bndbox"},
    [VOC_XMAX] = {"xmax", "bndbox"}, [VOC_YMAX] = {"ymax", "bndbox"},
};

typedef struct {
  const char *path; /* of the annotation */
  EnsBoxedImage *image;
  GString *text; /* inside the innermost element */
  char *label;
  gboolean difficult;
  double numbers[N_VOC_NUMBERS];
} Voc;

static void
voc_start (GMarkupParseContext *context, const char *element, const char **names,
           const char **values, gpointer data, GError **error)
{
  Voc *voc = data;

  g_string_truncate (voc->text, 0);
  if (strcmp (element, "object") == 0) {
    g_clear_pointer (&voc->label, g_free);
    voc->difficult = FALSE;
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
voc_end_object (Voc *voc, GError **error)
{
  const double *numbers = voc->numbers;
  EnsBox box = {.label = voc->label, .difficult = voc->difficult};
  EnsBoxEdges edges = {numbers[VOC_XMIN] - 1, numbers[VOC_YMIN] - 1, numbers[VOC_XMAX],
                       numbers[VOC_YMAX],     numbers[VOC_WIDTH],    numbers[VOC_HEIGHT]};

  if (voc->label == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: an object has no name", voc->path);
  else
    ens_boxed_image_add (voc->image, &box, &edges, voc->path, error);
}

static void
voc_end (GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
  Voc *voc = data;
  /* The element being closed is still on top. */
  const GSList *stack = g_markup_parse_context_get_element_stack (context);
  const char *parent = stack->next ? stack->next->data : "";
  const char *text = g_strstrip (voc->text->str);

  if (strcmp (parent, "object") == 0 && strcmp (element, "name") == 0) {
    g_free (voc->label);
    voc->label = g_strdup (text);
  } else if (strcmp (parent, "object") == 0 && strcmp (element, "difficult") == 0) {
    voc->difficult = strcmp (text, "1") == 0;
  } else if (strcmp (element, "object") == 0) {
    voc_end_object (voc, error);
  }
  for (guint i = 0; i < N_VOC_NUMBERS; i++)
    if (strcmp (element, voc_numbers[i].element) == 0
        && strcmp (parent, voc_numbers[i].parent) == 0)
      voc->numbers[i] = ens_boxes_number (text);
  g_string_truncate (voc->text, 0);
}

static const GMarkupParser voc_parser = {
    .start_element = voc_start,
    .end_element = voc_end,
    .text = voc_text,
};

static gboolean
parse_annotation (Voc *voc, GError **error)
{
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&voc_parser, 0, voc, NULL);
  g_autoptr (GError) failure = NULL;
  g_autofree char *xml = NULL;
  gsize length;

  if (!g_file_get_contents (voc->path, &xml, &length, &failure)) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, failure->message);
    return FALSE;
  }
  if (!g_markup_parse_context_parse (context, xml, (gssize)length, &failure)
      || !g_markup_parse_context_end_parse (context, &failure)) {
    if (failure->domain == ENS_ERROR)
      g_propagate_error (error, g_steal_pointer (&failure));
    else
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: not a Pascal VOC annotation: %s",
                   voc->path, failure->message);
    return FALSE;
  }
  return TRUE;
}

/* The picture that belongs to an annotation of this name. */
static char *
find_picture (const char *folder, const char *annotation, GError **error)
{
  static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".JPG"};
  g_autofree char *stem = g_strndup (annotation, strlen (annotation) - strlen (".xml"));

  for (guint i = 0; i < G_N_ELEMENTS (extensions); i++) {
    g_autofree char *name = g_strconcat (stem, extensions[i], NULL);
    g_autofree char *path = g_build_filename (folder, "JPEGImages", name, NULL);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&path);
  }
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
               "%s/Annotations/%s has no picture: expected JPEGImages/%s.jpg or .png", folder,
               annotation, stem);
  return NULL;
}

static EnsBoxedImage *
load_image (const char *folder, const char *annotation, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "Annotations", annotation, NULL);
  Voc voc = {.path = path};
  char *picture = find_picture (folder, annotation, error);
  gboolean sound;

  if (picture == NULL)
    return NULL;
  voc.image = ens_boxed_image_new (picture);
  voc.text = g_string_new (NULL);
  sound = parse_annotation (&voc, error);
  g_string_free (voc.text, TRUE);
  g_free (voc.label);
  if (!sound)
    g_clear_pointer (&voc.image, ens_boxed_image_free);
  return voc.image;
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
  const char *name;

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
    EnsBoxedImage *image = load_image (folder, names->pdata[i], &reason);

    if (image != NULL)
      g_ptr_array_add (images, image);
    else
      ens_boxes_tally_skip (&tally, reason);
  }
  return ens_boxes_tally_check (&tally, folder, "annotations", error) ? g_steal_pointer (&images)
                                                                      : NULL;
}
