#include "train/boxes.h"

#include <math.h>
#include <string.h>

static void
clear_box (gpointer data)
{
  g_free (((EnsBox *)data)->label);
}

static void
boxed_image_free (gpointer data)
{
  EnsBoxedImage *image = data;

  g_free (image->path);
  g_array_unref (image->boxes);
  g_free (image);
}

static EnsBoxedImage *
boxed_image_new (char *path)
{
  EnsBoxedImage *image = g_new0 (EnsBoxedImage, 1);

  image->path = path;
  image->boxes = g_array_new (FALSE, TRUE, sizeof (EnsBox));
  g_array_set_clear_func (image->boxes, clear_box);
  return image;
}

/* Edges in pixels, from 0, the right and lower ones excluded. */
typedef struct {
  double left, top, right, bottom;
} Edges;

/* FALSE with a message for `where` if that is no box in an image of this size. Boxes that stand out
 * by rounding are cut. */
static gboolean
append_box (EnsBoxedImage *image, const char *label, const Edges *edges, double width,
            double height, gboolean difficult, const char *where, GError **error)
{
  EnsBox box = {.difficult = difficult};
  double left = MAX (edges->left, 0), top = MAX (edges->top, 0);
  double right = MIN (edges->right, width), bottom = MIN (edges->bottom, height);

  /* Numbers that were missing are NaN, which compares false. */
  if (!(width >= 1 && height >= 1 && isfinite (width * height) && edges->right > edges->left
        && edges->bottom > edges->top && right > left && bottom > top)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a box inside the image of %g×%g pixels, found %g … %g by %g … %g",
                 where, width, height, edges->left, edges->right, edges->top, edges->bottom);
    return FALSE;
  }
  box.label = g_strdup (label);
  box.rect = (EnsRect) {(float)(left / width), (float)(top / height),
                        (float)((right - left) / width), (float)((bottom - top) / height)};
  g_array_append_val (image->boxes, box);
  return TRUE;
}

/* ---- Pascal VOC ---- */

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
  Edges edges = {numbers[VOC_XMIN] - 1, numbers[VOC_YMIN] - 1, numbers[VOC_XMAX],
                 numbers[VOC_YMAX]};

  if (voc->label == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: an object has no name", voc->path);
  else
    append_box (voc->image, voc->label, &edges, numbers[VOC_WIDTH], numbers[VOC_HEIGHT],
                voc->difficult, voc->path, error);
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
      voc->numbers[i] = g_ascii_strtod (text, NULL);
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
load_voc_image (const char *folder, const char *annotation, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "Annotations", annotation, NULL);
  Voc voc = {.path = path};
  char *picture = find_picture (folder, annotation, error);
  gboolean sound;

  if (picture == NULL)
    return NULL;
  voc.image = boxed_image_new (picture);
  voc.text = g_string_new (NULL);
  sound = parse_annotation (&voc, error);
  g_string_free (voc.text, TRUE);
  g_free (voc.label);
  if (!sound)
    g_clear_pointer (&voc.image, boxed_image_free);
  return voc.image;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

static GPtrArray *
load_voc (const char *folder, GError **error)
{
  g_autofree char *annotations = g_build_filename (folder, "Annotations", NULL);
  g_autoptr (GPtrArray) images = g_ptr_array_new_with_free_func (boxed_image_free);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) directory = g_dir_open (annotations, 0, NULL);
  const char *name;

  if (directory == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected a folder with Annotations and JPEGImages, or a CSV file", folder);
    return NULL;
  }
  while ((name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".xml"))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    EnsBoxedImage *image = load_voc_image (folder, names->pdata[i], error);

    if (image == NULL)
      return NULL;
    g_ptr_array_add (images, image);
  }
  return g_steal_pointer (&images);
}

/* ---- CSV ---- */

enum { CSV_FILE, CSV_WIDTH, CSV_HEIGHT, CSV_CLASS, CSV_XMIN, CSV_YMIN, CSV_XMAX, CSV_YMAX, N_CSV };

static const char *const csv_columns[N_CSV] = {"file", "width", "height", "class",
                                               "xmin", "ymin",  "xmax",   "ymax"};

static gboolean
find_columns (const char *path, const char *heading, guint *columns, GError **error)
{
  g_auto (GStrv) names = g_strsplit (heading, ",", -1);

  for (guint i = 0; i < N_CSV; i++) {
    for (columns[i] = 0; names[columns[i]] != NULL; columns[i]++)
      if (strcmp (g_strstrip (names[columns[i]]), csv_columns[i]) == 0)
        break;
    if (names[columns[i]] == NULL) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: expected a first line that names the column “%s”, found “%s”", path,
                   csv_columns[i], heading);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
read_row (GHashTable *by_file, const char *folder, const char *line, const guint *columns,
          const char *where, GError **error)
{
  g_auto (GStrv) cells = g_strsplit (line, ",", -1);
  guint n_cells = g_strv_length (cells);
  EnsBoxedImage *image;
  double numbers[N_CSV];
  const char *file;

  for (guint i = 0; i < N_CSV; i++) {
    if (columns[i] >= n_cells) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: expected a column “%s”, found “%s”",
                   where, csv_columns[i], line);
      return FALSE;
    }
    numbers[i] = g_ascii_strtod (cells[columns[i]], NULL);
  }
  file = cells[columns[CSV_FILE]];
  image = g_hash_table_lookup (by_file, file);
  if (image == NULL) {
    image = boxed_image_new (g_build_filename (folder, file, NULL));
    g_hash_table_insert (by_file, g_strdup (file), image);
  }
  return append_box (
      image, cells[columns[CSV_CLASS]],
      &(Edges) {numbers[CSV_XMIN], numbers[CSV_YMIN], numbers[CSV_XMAX], numbers[CSV_YMAX]},
      numbers[CSV_WIDTH], numbers[CSV_HEIGHT], FALSE, where, error);
}

static int
compare_images (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(EnsBoxedImage *const *)a)->path, (*(EnsBoxedImage *const *)b)->path);
}

static GPtrArray *
load_csv (const char *path, GError **error)
{
  g_autoptr (GHashTable) by_file =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, boxed_image_free);
  g_autofree char *folder = g_strndup (path, strlen (path) - strlen (".csv"));
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint columns[N_CSV];
  GPtrArray *images;
  GHashTableIter iter;
  gpointer file, image;

  if (!g_file_get_contents (path, &text, NULL, &failure)) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, failure->message);
    return NULL;
  }
  lines = g_strsplit (text, "\n", -1);
  if (!find_columns (path, lines[0] ? g_strchomp (lines[0]) : "", columns, error))
    return NULL;
  for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++) {
    g_autofree char *where = g_strdup_printf ("%s:%u", path, i + 1);

    if (g_strchomp (lines[i])[0] != '\0'
        && !read_row (by_file, folder, lines[i], columns, where, error))
      return NULL;
  }
  images = g_ptr_array_new_with_free_func (boxed_image_free);
  g_hash_table_iter_init (&iter, by_file);
  while (g_hash_table_iter_next (&iter, &file, &image)) {
    g_hash_table_iter_steal (&iter);
    g_free (file);
    g_ptr_array_add (images, image);
  }
  g_ptr_array_sort (images, compare_images);
  return images;
}

GPtrArray *
ens_boxes_load (const char *path, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  return g_str_has_suffix (path, ".csv") ? load_csv (path, error) : load_voc (path, error);
}
