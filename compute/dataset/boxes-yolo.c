/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YOLO's layouts: a text NAME.txt for each picture, an object a line.
 *
 *   CLASS X Y WIDTH HEIGHT   the class's number, the middle of its box and its size as shares of
 * the picture's; perhaps a confidence, or key points, behind them CLASS X Y X Y X Y …      the same
 * with a polygon, whose bounds are the box
 *
 * The picture …/images/…/NAME.jpg has its objects in …/labels/…/NAME.txt, else in NAME.txt beside
 * it. A picture without such a file shows none of the classes.
 *
 * data.yaml (Ultralytics', Roboflow's) names the classes, in a list or by number, and for each
 * split folders or lists of pictures; obj.data and obj.names (Darknet's, CVAT's) or classes.txt the
 * same. Without any, classes are called by their numbers. What no split has is divided by the
 * folders that pictures lie in. Places that lead out of the set's folder are looked for inside it:
 * the files were written on another computer.
 *
 * Source: https://docs.ultralytics.com/datasets/detect; J. Redmon, Darknet. */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/lines.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"
#include "dataset/yolo-files.h"
#include "dataset/yolo-names.h"

#define IMAGES "images"
#define LABELS "labels"
#define ENDING ".txt"

/* What is being read. */
typedef struct {
  EnsBoxesReading *reading;
  EnsYoloNames names;
  char *base;          /* the folder of data.yaml, below the set's own; "" for that */
  GHashTable *by_path; /* picture → EnsBoxedImage */
  GPtrArray *images;
  EnsBoxesTally tally; /* of lines of labels */
  guint n_unlabelled;  /* pictures without a file of labels */
  guint n_twice;       /* pictures that two splits have */
} Yolo;

static void
yolo_clear (Yolo *yolo)
{
  ens_yolo_names_clear (&yolo->names);
  g_free (yolo->base);
  g_clear_pointer (&yolo->by_path, g_hash_table_unref);
  g_clear_pointer (&yolo->images, g_ptr_array_unref);
  ens_boxes_tally_clear (&yolo->tally);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Yolo, yolo_clear)

/* ---- Labels ---- */

/* What a class is called. (transfer full) */
static char *
find_label (const Yolo *yolo, double number)
{
  const GPtrArray *names = yolo->names.names;
  const char *name = NULL;

  if (!(number >= 0 && number < G_MAXINT && number == floor (number)))
    return NULL;
  if (names->len == 0)
    return g_strdup_printf ("%d", (gint)number);
  if (number < names->len)
    name = names->pdata[(guint)number];
  return name != NULL && *name != '\0' ? g_strdup (name) : NULL;
}

static gboolean
is_box (const Yolo *yolo, guint n)
{
  return n == ENS_YOLO_BOX_NUMBERS || n == ENS_YOLO_BOX_NUMBERS + 1
         || (yolo->names.points && n > ENS_YOLO_BOX_NUMBERS);
}

/* FALSE for numbers that are no label. */
static gboolean
find_edges (const Yolo *yolo, const double *numbers, guint n, EnsBoxEdges *edges)
{
  gboolean box = is_box (yolo, n);

  if (!box && (n < 7 || n % 2 == 0))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!isfinite (numbers[i]))
      return FALSE;
  if (box)
    *edges = (EnsBoxEdges) {numbers[1] - numbers[3] / 2,
                            numbers[2] - numbers[4] / 2,
                            numbers[1] + numbers[3] / 2,
                            numbers[2] + numbers[4] / 2,
                            1,
                            1};
  else
    *edges = ens_box_bounds (numbers + 1, (n - 1) / 2, 1, 1);
  return TRUE;
}

static gboolean
take_label (const Yolo *yolo, EnsBoxedImage *image, const double *numbers, guint n,
            const char *where, GError **error)
{
  g_autofree char *label = n > 0 ? find_label (yolo, numbers[0]) : NULL;
  EnsBox box = {.label = label};
  EnsBoxEdges edges;

  if (label == NULL || !find_edges (yolo, numbers, n, &edges)) {
    ens_boxed_image_doubt (image, label);
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_FORMAT,
        "%s: expected the number of one of the %u classes, and a box or a polygon, found %u "
        "numbers of which the first is %g",
        where, yolo->names.names->len, n, n > 0 ? numbers[0] : NAN);
    return FALSE;
  }
  if (!is_box (yolo, n))
    ens_box_fill (&box, &edges, numbers + 1, (n - 1) / 2);
  if (!ens_boxed_image_add (image, &box, &edges, where, error))
    return FALSE;
  image->width = image->height = 0; /* shares of a size that is not known */
  return TRUE;
}

static void
read_labels (Yolo *yolo, EnsBoxedImage *image, const char *path)
{
  GError *failure = NULL;
  g_autoptr (GBytes) text = ens_boxes_reading_text (yolo->reading, path, &failure);
  g_auto (EnsLines) lines;
  const char *line;

  ens_lines_init (&lines, text);
  if (text == NULL) {
    yolo->tally.n++;
    ens_boxed_image_doubt (image, NULL);
    ens_boxes_tally_skip (&yolo->tally, failure);
    return;
  }
  while ((line = ens_lines_next (&lines)) != NULL) {
    g_autofree char *where = g_strdup_printf ("%s:%u", path, lines.number);
    guint n;
    g_autofree double *numbers = ens_yolo_read_numbers (line, &n);
    GError *reason = NULL;

    yolo->tally.n += n > 0;
    if (n > 0 && !take_label (yolo, image, numbers, n, where, &reason))
      ens_boxes_tally_skip (&yolo->tally, reason);
  }
}

/* The file of a picture's labels; NULL if there is none. (transfer full) */
static char *
find_labels (const Yolo *yolo, const char *picture)
{
  gsize skip = strlen (yolo->reading->folder);
  g_autofree char *folder = g_path_get_dirname (picture);
  g_autofree char *stem = ens_picture_stem (picture);
  g_autofree char *name = g_strconcat (stem, ENDING, NULL);
  g_auto (GStrv) parts = g_strsplit (folder + MIN (skip, strlen (folder)), G_DIR_SEPARATOR_S, -1);

  for (guint i = g_strv_length (parts); i-- > 0;)
    if (g_ascii_strcasecmp (parts[i], IMAGES) == 0) {
      static const char *const spellings[] = {LABELS, "Labels", "LABELS"};

      for (guint k = 0; k < G_N_ELEMENTS (spellings); k++) {
        g_autofree char *inside = NULL, *path = NULL;

        g_free (parts[i]);
        parts[i] = g_strdup (spellings[k]);
        inside = g_strjoinv (G_DIR_SEPARATOR_S, parts);
        path = g_build_filename (yolo->reading->folder, inside, name, NULL);
        if (g_file_test (path, G_FILE_TEST_EXISTS))
          return g_steal_pointer (&path);
      }
      break;
    }
  {
    g_autofree char *beside = g_build_filename (folder, name, NULL);

    return g_file_test (beside, G_FILE_TEST_EXISTS) ? g_steal_pointer (&beside) : NULL;
  }
}

/* A picture is of the first split that has it. */
static void
add_picture (Yolo *yolo, const char *path, gint split)
{
  EnsBoxedImage *image = g_hash_table_lookup (yolo->by_path, path);
  g_autofree char *labels = NULL;

  if (image != NULL) {
    yolo->n_twice += split != image->split;
    return;
  }
  image = ens_boxed_image_new (g_strdup (path));
  image->split = split;
  g_hash_table_insert (yolo->by_path, image->path, image);
  g_ptr_array_add (yolo->images, image);
  labels = find_labels (yolo, path);
  if (labels != NULL)
    read_labels (yolo, image, labels);
  else
    yolo->n_unlabelled++;
}

/* ---- Splits ---- */

/* Names of a path, without those that stand for nothing. (transfer full) */
static char **
split_place (const char *place)
{
  g_auto (GStrv) parts = g_strsplit_set (place, "/\\", -1);
  GPtrArray *kept = g_ptr_array_new ();

  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0' && strcmp (parts[i], ".") != 0)
      g_ptr_array_add (kept, g_strdup (parts[i]));
  g_ptr_array_add (kept, NULL);
  return (char **)g_ptr_array_free (kept, FALSE);
}

/* A place below the set's folder: leading parts that lead out of it, or that are not there, are
 * left away. NULL if there is no such thing. (transfer full) */
static char *
find_place (const Yolo *yolo, const char *place)
{
  g_auto (GStrv) parts = split_place (place);
  const char *const bases[] = {yolo->base, ""};

  for (guint first = 0; first <= g_strv_length (parts); first++) {
    g_autofree char *inside = g_strjoinv (G_DIR_SEPARATOR_S, parts + first);
    gboolean empty = *inside == '\0';

    if (!empty && !ens_boxes_name_is_inside (inside))
      continue;
    if (empty && first > 0)
      return NULL;
    for (guint b = 0; b < G_N_ELEMENTS (bases); b++) {
      g_autofree char *path =
          g_build_filename (yolo->reading->folder, bases[b], empty ? "" : inside, NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
    }
  }
  return NULL;
}

typedef struct {
  Yolo *yolo;
  gint split;
} Adding;

static void
add_found (const char *path, gpointer data)
{
  const Adding *adding = data;
  g_autofree char *name = g_path_get_basename (path);

  if (ens_picture_has_name (name))
    add_picture (adding->yolo, path, adding->split);
}

/* The pictures that a list names, one a line. */
static gboolean
add_listed (Yolo *yolo, const char *path, gint split, GError **error)
{
  const EnsPictureIndex *index = ens_boxes_reading_index (yolo->reading);
  g_autoptr (GBytes) text = ens_boxes_reading_text (yolo->reading, path, error);
  g_auto (EnsBoxesTally) tally = {.notes = yolo->reading->notes};
  g_auto (EnsLines) lines;
  const char *name;

  ens_lines_init (&lines, text);
  if (text == NULL)
    return FALSE;
  while ((name = ens_lines_next (&lines)) != NULL) {
    g_autofree char *place = *name != '\0' ? find_place (yolo, name) : NULL;
    const char *picture = place;

    if (*name == '\0')
      continue;
    tally.n++;
    if (place == NULL || !g_file_test (place, G_FILE_TEST_IS_REGULAR))
      picture = ens_picture_index_find_anywhere (index, name);
    if (picture != NULL)
      add_picture (yolo, picture, split);
    else
      ens_boxes_tally_skip (&tally, g_error_new (ENS_ERROR, ENS_ERROR_FILE,
                                                 "%s:%u: found no picture %s inside %s", path,
                                                 lines.number, name, yolo->reading->folder));
  }
  return ens_boxes_tally_check (&tally, path, "pictures", error);
}

static gboolean
add_place (Yolo *yolo, const char *place, gint split, GError **error)
{
  g_autofree char *below =
      yolo->names.root != NULL ? g_strdup_printf ("%s/%s", yolo->names.root, place) : NULL;
  g_autofree char *path = below != NULL ? find_place (yolo, below) : NULL;

  if (path == NULL)
    path = find_place (yolo, place);
  if (path == NULL) {
    ens_boxes_reading_note (yolo->reading, "%s: the %s pictures' place “%s” is not there",
                            yolo->reading->folder, ens_split_name ((EnsSplit)split), place);
    return TRUE;
  }
  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    return add_listed (yolo, path, split, error);
  ens_listing_foreach (path, add_found, &(Adding) {yolo, split});
  return TRUE;
}

static void
add_rest (const char *path, gpointer data)
{
  Yolo *yolo = data;
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *labels = NULL, *lower = NULL;

  if (!ens_picture_has_name (name) || g_hash_table_contains (yolo->by_path, path))
    return;
  labels = find_labels (yolo, path);
  lower = g_ascii_strdown (path, -1);
  if (labels != NULL || strstr (lower, G_DIR_SEPARATOR_S IMAGES G_DIR_SEPARATOR_S) != NULL)
    add_picture (yolo, path, ens_boxes_find_split (yolo->reading->folder, path));
}

/* Whether the first line of a text is a picture's name. */
static gboolean
names_picture (Yolo *yolo, const char *path)
{
  g_autoptr (GBytes) text = ens_file_map_text (path, NULL);
  g_auto (EnsLines) lines;
  const char *line;

  ens_lines_init (&lines, text);
  while ((line = ens_lines_next (&lines)) != NULL)
    if (*line != '\0') {
      g_autofree char *place = find_place (yolo, line);

      return (place != NULL && g_file_test (place, G_FILE_TEST_IS_REGULAR))
             || ens_picture_index_find_anywhere (ens_boxes_reading_index (yolo->reading), line);
    }
  return FALSE;
}

/* Lists in the set's folder that are called like splits, where no file says others. */
static void
find_lists (Yolo *yolo)
{
  g_auto (EnsListing) listing = {0};
  EnsSplit split;

  if (!ens_listing_read (&listing, yolo->reading->folder, NULL))
    return;
  for (guint i = 0; i < listing.files->len; i++) {
    const char *name = listing.files->pdata[i];
    g_autofree char *path = g_build_filename (yolo->reading->folder, name, NULL);
    g_autofree char *stem = ens_picture_stem (name);

    if (g_str_has_suffix (name, ENDING) && ens_split_parse (stem, &split)
        && names_picture (yolo, path))
      g_ptr_array_add (yolo->names.places[split], g_strdup (name));
  }
}

static gboolean
has_places (const Yolo *yolo)
{
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    if (yolo->names.places[s]->len > 0)
      return TRUE;
  return FALSE;
}

/* Without places the folders of pictures say the splits. */
static gboolean
add_pictures (Yolo *yolo, GError **error)
{
  if (!has_places (yolo))
    find_lists (yolo);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    for (guint i = 0; i < yolo->names.places[s]->len; i++)
      if (!add_place (yolo, yolo->names.places[s]->pdata[i], (gint)s, error))
        return FALSE;
  if (yolo->images->len == 0)
    ens_listing_foreach (yolo->reading->folder, add_rest, yolo);
  return TRUE;
}

/* ---- The set ---- */

/* Names of classes, and places of pictures. */
static gboolean
read_names (Yolo *yolo, const char *evidence, GError **error)
{
  EnsBoxesReading *reading = yolo->reading;
  g_autoptr (GBytes) text = NULL, listed = NULL;
  g_autofree char *names = NULL;

  if (g_str_has_suffix (evidence, ENDING)) {
    yolo->base = g_strdup ("");
  } else {
    yolo->base = ens_boxes_inside (reading->folder, evidence);
    text = ens_boxes_reading_text (reading, evidence, error);
    if (text == NULL)
      return FALSE;
    if (!ens_yolo_is_obj_data (evidence))
      return ens_yolo_read_yaml (&yolo->names, evidence, text, error);
    ens_yolo_read_data (&yolo->names, text);
  }
  names = ens_listing_find (reading->folder, ens_yolo_is_names_file, 1);
  if (names == NULL)
    return TRUE;
  listed = ens_boxes_reading_text (reading, names, error);
  if (listed != NULL)
    ens_yolo_read_names (&yolo->names, listed);
  return listed != NULL;
}

/* FALSE for a set in which nothing says what any picture shows. */
static gboolean
check_labelled (const Yolo *yolo, const char *evidence, GError **error)
{
  if (yolo->n_unlabelled == 0 || yolo->n_unlabelled < yolo->images->len)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: YOLO's set, by %s, but none of its %u pictures has a file of labels; expected "
               "labels/…/NAME.txt for images/…/NAME.jpg; where folders are the classes, give their "
               "folder, without that file",
               yolo->reading->folder, evidence, yolo->images->len);
  return FALSE;
}

static GPtrArray *
load_yolo (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_auto (Yolo) yolo = {.reading = reading, .tally = {.notes = reading->notes}};

  ens_yolo_names_init (&yolo.names);
  yolo.by_path = g_hash_table_new (g_str_hash, g_str_equal);
  yolo.images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  if (!reading->whole) {
    g_free (reading->folder);
    reading->folder = g_path_get_dirname (evidence);
    reading->whole = TRUE;
  }
  if (!read_names (&yolo, evidence, error) || !add_pictures (&yolo, error)
      || !check_labelled (&yolo, evidence, error))
    return NULL;
  for (guint i = 0; i < yolo.names.names->len; i++)
    if (yolo.names.names->pdata[i] != NULL)
      ens_boxes_reading_declare (reading, yolo.names.names->pdata[i]);
  if (yolo.names.names->len == 0)
    ens_boxes_reading_note (reading,
                            "%s: no data.yaml or classes.txt names the classes; they are called by "
                            "their numbers",
                            reading->folder);
  if (yolo.n_unlabelled > 0)
    ens_boxes_reading_note (
        reading,
        "%s: pictures without a file of labels, which are taken to show none of "
        "the classes: %u",
        reading->folder, yolo.n_unlabelled);
  if (yolo.n_twice > 0)
    ens_boxes_reading_note (reading,
                            "%s: pictures that are in two splits, of which the first counts: %u",
                            reading->folder, yolo.n_twice);
  return ens_boxes_tally_check (&yolo.tally, reading->folder, "labels", error)
             ? g_steal_pointer (&yolo.images)
             : NULL;
}

const EnsBoxesLayout ens_boxes_yolo = {"YOLO", ens_yolo_find, load_yolo};
