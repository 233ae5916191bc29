#include "dataset/dataset.h"

#include <string.h>

#include "dataset/dataset-boxed.h"

#define NO_CLASS "none"

/* One in so many training images goes to a validation split that has none of its own. */
#define HELD_OUT 5

static const char *const split_names[ENS_N_SPLITS] = {"train", "validation", "test"};

static const char *const endings[] = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp",
                                      ".tif", ".tiff", ".ppm", ".pgm", ".pnm"};

const char *
ens_split_name (EnsSplit split)
{
  return split_names[split];
}

static void
sample_free (gpointer data)
{
  EnsDatasetItem *item = data;

  g_free (item->path);
  g_free (item->labels);
  g_free (item);
}

void
ens_dataset_free (EnsDataset *dataset)
{
  if (dataset == NULL)
    return;
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    g_ptr_array_unref (dataset->samples[s]);
  g_ptr_array_unref (dataset->notes);
  g_strfreev (dataset->classes);
  g_free (dataset->folder);
  g_free (dataset);
}

/* ---- Folders ---- */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

typedef gboolean (*NameTest) (const char *path, const char *name);

static gboolean
is_folder (const char *path, const char *name)
{
  return g_file_test (path, G_FILE_TEST_IS_DIR);
}

static gboolean
is_image (const char *path, const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i]))
      return g_file_test (path, G_FILE_TEST_IS_REGULAR);
  return FALSE;
}

/* Names in a folder that pass the test, in byte order; NULL if it can't be read. (transfer full) */
static GPtrArray *
list_folder (const char *folder, NameTest test, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &reason);
  GPtrArray *names = NULL;
  const char *name;

  if (dir == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read this folder: %s", folder,
                 reason->message);
    return NULL;
  }
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (name[0] != '.' && test (path, name))
      g_ptr_array_add (names, g_strdup (name));
  }
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* The split's folder, or NULL if there is none. (transfer full) */
static char *
find_split (const EnsDataset *dataset, EnsSplit split)
{
  g_autofree char *path = g_build_filename (dataset->folder, split_names[split], NULL);
  g_autofree char *short_path = g_build_filename (dataset->folder, "val", NULL);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return g_steal_pointer (&path);
  if (split == ENS_SPLIT_VALIDATION && g_file_test (short_path, G_FILE_TEST_IS_DIR))
    return g_steal_pointer (&short_path);
  return NULL;
}

/* ---- Reading ---- */

static gboolean
missing_split (const EnsDataset *dataset, EnsSplit split, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: found no %s images; looked for %s" G_DIR_SEPARATOR_S "CLASS" G_DIR_SEPARATOR_S
               "IMAGE with names such as *.jpg or *.png, for lists in ImageSets/Main beside "
               "Annotations (Pascal VOC), and for annotations/instances_*.json (COCO)",
               dataset->folder, split_names[split], split_names[split]);
  return FALSE;
}

static gboolean
read_classes (EnsDataset *dataset, GError **error)
{
  g_autofree char *folder = find_split (dataset, ENS_SPLIT_TRAIN);
  g_autoptr (GPtrArray) names = NULL;
  guint none;

  if (folder == NULL)
    return missing_split (dataset, ENS_SPLIT_TRAIN, error);
  names = list_folder (folder, is_folder, error);
  if (names == NULL)
    return FALSE;
  if (g_ptr_array_find_with_equal_func (names, NO_CLASS, g_str_equal, &none))
    g_ptr_array_remove_index (names, none);
  if (names->len == 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected a folder of images for each class, found none", folder);
    return FALSE;
  }
  dataset->n_classes = names->len;
  g_ptr_array_add (names, NULL);
  dataset->classes = (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
  for (guint c = 0; c < dataset->n_classes; c++)
    if (!g_utf8_validate (dataset->classes[c], -1, NULL)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                   "%s: expected class folders with names in UTF-8, found “%s”", folder,
                   dataset->classes[c]);
      return FALSE;
    }
  return TRUE;
}

/* The class's number; n_classes for "none", -1 for a class that train does not have. */
static gint
find_class (const EnsDataset *dataset, const char *name)
{
  for (guint c = 0; c < dataset->n_classes; c++)
    if (strcmp (dataset->classes[c], name) == 0)
      return (gint)c;
  return strcmp (name, NO_CLASS) == 0 ? (gint)dataset->n_classes : -1;
}

static gboolean
read_class (EnsDataset *dataset, EnsSplit split, const char *split_folder, const char *name,
            GError **error)
{
  g_autofree char *folder = g_build_filename (split_folder, name, NULL);
  g_autoptr (GPtrArray) files = NULL;
  gint class = find_class (dataset, name);

  if (class < 0) {
    g_autofree char *known = g_strjoinv (", ", dataset->classes);

    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "%s: expected one of the classes %s, found “%s”",
                 split_folder, known, name);
    return FALSE;
  }
  files = list_folder (folder, is_image, error);
  if (files == NULL)
    return FALSE;
  for (guint i = 0; i < files->len; i++) {
    EnsDatasetItem *item = g_new (EnsDatasetItem, 1);

    item->path = g_build_filename (folder, files->pdata[i], NULL);
    item->labels = g_new0 (guint8, dataset->n_classes);
    if ((guint) class < dataset->n_classes)
      item->labels[class] = ENS_LABEL_PRESENT;
    g_ptr_array_add (dataset->samples[split], item);
  }
  if (files->len == 0 && split == ENS_SPLIT_TRAIN) {
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_DATA,
        "%s: found no image; looked for names such as *.jpg or *.png; add some, or remove the "
        "folder",
        folder);
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_split (EnsDataset *dataset, EnsSplit split, GError **error)
{
  g_autofree char *folder = find_split (dataset, split);
  g_autoptr (GPtrArray) names = NULL;

  if (folder == NULL)
    return TRUE;
  names = list_folder (folder, is_folder, error);
  for (guint i = 0; names != NULL && i < names->len; i++)
    if (!read_class (dataset, split, folder, names->pdata[i], error))
      return FALSE;
  return names != NULL;
}

/* ---- Validation images from training images ---- */

typedef struct {
  char *digest;
  EnsDatasetItem *item;
} Ticket;

static gint
compare_tickets (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Ticket *)a)->digest, ((const Ticket *)b)->digest);
}

static void
ticket_clear (gpointer data)
{
  g_free (((Ticket *)data)->digest);
}

/* Marks one in HELD_OUT of the images from `first` to `end`, which are one class's. */
static void
draw_from_class (const EnsDataset *dataset, guint first, guint end, GHashTable *drawn)
{
  g_autoptr (GArray) tickets = g_array_new (FALSE, FALSE, sizeof (Ticket));

  g_array_set_clear_func (tickets, ticket_clear);
  for (guint i = first; i < end; i++) {
    EnsDatasetItem *item = dataset->samples[ENS_SPLIT_TRAIN]->pdata[i];
    g_autofree char *name = g_path_get_basename (item->path);
    Ticket ticket = {g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1), item};

    g_array_append_val (tickets, ticket);
  }
  g_array_sort (tickets, compare_tickets);
  for (guint i = 0; i < tickets->len && tickets->len > 1; i += HELD_OUT)
    g_hash_table_add (drawn, g_array_index (tickets, Ticket, i).item);
}

/* by_class: the images of a class follow each other. */
static void
hold_out (EnsDataset *dataset, gboolean by_class)
{
  g_autoptr (GPtrArray) all = dataset->samples[ENS_SPLIT_TRAIN];
  g_autoptr (GHashTable) drawn = g_hash_table_new (NULL, NULL);
  guint first = 0;

  for (guint i = 1; i <= all->len; i++) {
    const EnsDatasetItem *before = all->pdata[first], *item = i < all->len ? all->pdata[i] : NULL;

    if (item != NULL
        && (!by_class || memcmp (item->labels, before->labels, dataset->n_classes) == 0))
      continue;
    draw_from_class (dataset, first, i, drawn);
    first = i;
  }
  dataset->samples[ENS_SPLIT_TRAIN] = g_ptr_array_new_with_free_func (sample_free);
  g_ptr_array_set_free_func (all, NULL);
  for (guint i = 0; i < all->len; i++) {
    EnsSplit split =
        g_hash_table_contains (drawn, all->pdata[i]) ? ENS_SPLIT_VALIDATION : ENS_SPLIT_TRAIN;

    g_ptr_array_add (dataset->samples[split], all->pdata[i]);
  }
  g_ptr_array_add (dataset->notes,
                   g_strdup_printf ("%s: no validation images; %u of the %u training images are "
                                    "held out for validation",
                                    dataset->folder, dataset->samples[ENS_SPLIT_VALIDATION]->len,
                                    all->len));
}

static gboolean
read_folders (EnsDataset *dataset, GError **error)
{
  if (dataset->classes == NULL && !read_classes (dataset, error))
    return FALSE;
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    if (!read_split (dataset, s, error))
      return FALSE;
  return TRUE;
}

EnsDataset *
ens_dataset_load (const char *folder, const char *const *classes, GError **error)
{
  g_autoptr (EnsDataset) dataset = g_new0 (EnsDataset, 1);
  gboolean boxed = ens_dataset_is_boxed (folder);

  dataset->folder = g_strdup (folder);
  dataset->notes = g_ptr_array_new_with_free_func (g_free);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    dataset->samples[s] = g_ptr_array_new_with_free_func (sample_free);
  if (classes != NULL) {
    dataset->classes = g_strdupv ((char **)classes);
    dataset->n_classes = g_strv_length (dataset->classes);
  }
  if (!(boxed ? ens_dataset_read_boxed : read_folders) (dataset, error))
    return NULL;
  if (classes == NULL && dataset->samples[ENS_SPLIT_VALIDATION]->len == 0)
    hold_out (dataset, !boxed);
  return g_steal_pointer (&dataset);
}

void
ens_dataset_tell (const EnsDataset *dataset, const EnsMonitor *monitor)
{
  for (guint i = 0; i < dataset->notes->len; i++)
    ens_monitor_note (monitor, "%s", (const char *)dataset->notes->pdata[i]);
}

gboolean
ens_dataset_require (const EnsDataset *dataset, EnsSplit split, GError **error)
{
  return dataset->samples[split]->len > 0 || missing_split (dataset, split, error);
}
