#include "train/dataset-voc.h"

#include <string.h>

#include "train/boxes.h"

/* As M. Everingham et al. name them (The Pascal Visual Object Classes Challenge, IJCV 2010), and as
 * the folders of other data sets are called. */
static const char *const list_names[ENS_N_SPLITS][2] = {
    {"train", NULL}, {"val", "validation"}, {"test", NULL}};

gboolean
ens_dataset_is_voc (const char *folder)
{
  g_autofree char *annotations = g_build_filename (folder, "Annotations", NULL);

  return g_file_test (annotations, G_FILE_TEST_IS_DIR);
}

/* The list of the split's images, or NULL if there is none. (transfer full) */
static char *
find_list (const EnsDataset *dataset, EnsSplit split)
{
  for (guint i = 0; i < G_N_ELEMENTS (list_names[split]) && list_names[split][i] != NULL; i++) {
    g_autofree char *name = g_strconcat (list_names[split][i], ".txt", NULL);
    g_autofree char *path = g_build_filename (dataset->folder, "ImageSets", "Main", name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
      return g_steal_pointer (&path);
  }
  return NULL;
}

/* The image's name without folder and ending. (transfer full) */
static char *
image_id (const EnsBoxedImage *image)
{
  char *id = g_path_get_basename (image->path);
  char *dot = strrchr (id, '.');

  if (dot != NULL)
    *dot = '\0';
  return id;
}

/* Images by name; keys are the table's. (transfer full) */
static GHashTable *
index_images (GPtrArray *images)
{
  GHashTable *by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < images->len; i++)
    g_hash_table_insert (by_id, image_id (images->pdata[i]), images->pdata[i]);
  return by_id;
}

/* The images that the split's list names, in its order; a list gives a name a line, and further
 * words of the line are not read. No list: all images for training, none for the others. (transfer
 * container) */
static GPtrArray *
list_split (const EnsDataset *dataset, EnsSplit split, GPtrArray *images, GHashTable *by_id,
            GError **error)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  g_autofree char *path = find_list (dataset, split), *text = NULL;
  g_autoptr (GError) failure = NULL;
  g_auto (GStrv) lines = NULL;

  if (path == NULL) {
    for (guint i = 0; split == ENS_SPLIT_TRAIN && i < images->len; i++)
      g_ptr_array_add (chosen, images->pdata[i]);
    return g_steal_pointer (&chosen);
  }
  if (!g_file_get_contents (path, &text, NULL, &failure)) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, failure->message);
    return NULL;
  }
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    char *id = g_strdelimit (g_strstrip (lines[i]), " \t", '\0');
    EnsBoxedImage *image = g_hash_table_lookup (by_id, id);

    if (image != NULL) {
      g_ptr_array_add (chosen, image);
    } else if (*id != '\0') {
      g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                   "%s:%u: expected an image that has an annotation, found “%s”", path, i + 1, id);
      return NULL;
    }
  }
  return g_steal_pointer (&chosen);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static gboolean
find_classes (EnsDataset *dataset, GPtrArray *images, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < images->len; i++) {
    const EnsBoxedImage *image = images->pdata[i];

    for (guint b = 0; b < image->boxes->len; b++) {
      const EnsBox *box = &g_array_index (image->boxes, EnsBox, b);

      if (!box->difficult
          && !g_ptr_array_find_with_equal_func (names, box->label, g_str_equal, NULL))
        g_ptr_array_add (names, g_strdup (box->label));
    }
  }
  if (names->len == 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected training images with objects, found %u images with none",
                 dataset->folder, images->len);
    return FALSE;
  }
  g_ptr_array_sort (names, compare_names);
  dataset->n_classes = names->len;
  g_ptr_array_add (names, NULL);
  dataset->classes = (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}

/* FALSE for an object of a class that training images don't have. */
static gboolean
add_sample (EnsDataset *dataset, EnsSplit split, const EnsBoxedImage *image, GError **error)
{
  EnsSample *sample = g_new (EnsSample, 1);

  sample->path = g_strdup (image->path);
  sample->labels = g_new0 (guint8, dataset->n_classes);
  g_ptr_array_add (dataset->samples[split], sample);
  for (guint b = 0; b < image->boxes->len; b++) {
    const EnsBox *box = &g_array_index (image->boxes, EnsBox, b);
    guint c = 0;

    if (box->difficult)
      continue;
    while (c < dataset->n_classes && strcmp (dataset->classes[c], box->label) != 0)
      c++;
    if (c == dataset->n_classes) {
      g_autofree char *known = g_strjoinv (", ", dataset->classes);

      g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                   "%s: expected objects of the classes %s, found “%s”", image->path, known,
                   box->label);
      return FALSE;
    }
    sample->labels[c] = 1;
  }
  return TRUE;
}

gboolean
ens_dataset_read_voc (EnsDataset *dataset, GError **error)
{
  g_autoptr (GPtrArray) images = ens_boxes_load (dataset->folder, error);
  g_autoptr (GHashTable) by_id = NULL;

  if (images == NULL)
    return FALSE;
  by_id = index_images (images);
  for (guint s = 0; s < ENS_N_SPLITS; s++) {
    g_autoptr (GPtrArray) split = list_split (dataset, s, images, by_id, error);

    if (split == NULL)
      return FALSE;
    if (s == ENS_SPLIT_TRAIN && dataset->classes == NULL && !find_classes (dataset, split, error))
      return FALSE;
    for (guint i = 0; i < split->len; i++)
      if (!add_sample (dataset, s, split->pdata[i], error))
        return FALSE;
  }
  return TRUE;
}
