/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "dataset/boxes-coco.h"
#include "dataset/boxes-csv.h"
#include "dataset/boxes-private.h"
#include "dataset/boxes-voc.h"
#include "dataset/dataset.h"

/* ---- Images and boxes ---- */

static void
clear_box (gpointer data)
{
  g_free (((EnsBox *)data)->label);
}

void
ens_boxed_image_free (EnsBoxedImage *image)
{
  if (image == NULL)
    return;
  g_free (image->path);
  g_free (image->numbers);
  g_array_unref (image->boxes);
  g_ptr_array_unref (image->doubts);
  g_free (image);
}

EnsBoxedImage *
ens_boxed_image_new (char *path)
{
  EnsBoxedImage *image = g_new0 (EnsBoxedImage, 1);

  image->path = path;
  image->split = ENS_SPLIT_UNSAID;
  image->doubts = g_ptr_array_new_with_free_func (g_free);
  image->boxes = g_array_new (FALSE, TRUE, sizeof (EnsBox));
  g_array_set_clear_func (image->boxes, clear_box);
  return image;
}

void
ens_boxed_image_doubt (EnsBoxedImage *image, const char *label)
{
  g_ptr_array_add (image->doubts, g_strdup (label));
}

gboolean
ens_boxes_name_is_inside (const char *name)
{
  g_auto (GStrv) parts = g_strsplit_set (name, "/" G_DIR_SEPARATOR_S, -1);

  return !g_path_is_absolute (name) && !g_strv_contains ((const char *const *)parts, "..");
}

double
ens_boxes_number (const char *text)
{
  char *end;
  double number = g_ascii_strtod (text, &end);

  return end > text && *end == '\0' ? number : NAN;
}

void
ens_boxed_image_set_size (EnsBoxedImage *image, double width, double height)
{
  if (!(width >= 1 && height >= 1 && width <= G_MAXINT && height <= G_MAXINT))
    return;
  image->width = (guint)width;
  image->height = (guint)height;
}

void
ens_boxed_image_add_somewhere (EnsBoxedImage *image, const EnsBox *box)
{
  EnsBox added = *box;

  added.label = g_strdup (box->label);
  added.rect = (EnsRect) {0};
  g_array_append_val (image->boxes, added);
}

/* Numbers that are missing are NaN, which compares false. */
static gboolean
is_ordered (const EnsBoxEdges *edges)
{
  return edges->right > edges->left && edges->bottom > edges->top;
}

gboolean
ens_boxed_image_add (EnsBoxedImage *image, const EnsBox *box, const EnsBoxEdges *edges,
                     const char *where, GError **error)
{
  EnsBox added = *box;
  double width = edges->width, height = edges->height;
  double left = MAX (edges->left, 0), top = MAX (edges->top, 0);
  double right = MIN (edges->right, width), bottom = MIN (edges->bottom, height);

  if (is_ordered (edges) && (isnan (width) || width == 0) && (isnan (height) || height == 0)) {
    ens_boxed_image_add_somewhere (image, box);
    return TRUE;
  }
  if (!(width >= 1 && height >= 1 && isfinite (width * height) && is_ordered (edges) && right > left
        && bottom > top)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a box inside the image of %g×%g pixels, found %g … %g by %g … %g",
                 where, width, height, edges->left, edges->right, edges->top, edges->bottom);
    ens_boxed_image_doubt (image, box->label);
    return FALSE;
  }
  added.label = g_strdup (box->label);
  added.rect = (EnsRect) {(float)(left / width), (float)(top / height),
                          (float)((right - left) / width), (float)((bottom - top) / height)};
  g_array_append_val (image->boxes, added);
  ens_boxed_image_set_size (image, width, height);
  return TRUE;
}

static int
compare_images (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(EnsBoxedImage *const *)a)->path, (*(EnsBoxedImage *const *)b)->path);
}

void
ens_boxes_sort (GPtrArray *images)
{
  g_ptr_array_sort (images, compare_images);
}

/* ---- What is left out ---- */

void
ens_boxes_tally_clear (EnsBoxesTally *tally)
{
  g_free (tally->first);
}

void
ens_boxes_tally_skip (EnsBoxesTally *tally, GError *reason)
{
  tally->n_broken++;
  if (tally->first == NULL)
    tally->first = g_strdup (reason->message);
  g_ptr_array_add (tally->notes, g_strdup_printf ("skipped %s", reason->message));
  g_error_free (reason);
}

gboolean
ens_boxes_tally_check (const EnsBoxesTally *tally, const char *path, const char *what,
                       GError **error)
{
  if ((guint64)tally->n_broken * ENS_MIN_IMAGES_PER_BROKEN <= tally->n)
    return TRUE;
  if (tally->n == 1)
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_DATA, tally->first);
  else
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_DATA,
        "%s: %u of the %u %s can't be used; more than one in %u is too many. The first: %s", path,
        tally->n_broken, tally->n, what, ENS_MIN_IMAGES_PER_BROKEN, tally->first);
  return FALSE;
}

/* ---- Layouts ---- */

gboolean
ens_boxes_have (const char *path)
{
  return g_str_has_suffix (path, ".csv") || g_str_has_suffix (path, ".json")
         || ens_boxes_have_coco (path) || ens_boxes_have_voc (path) || ens_boxes_have_csv (path);
}

GPtrArray *
ens_boxes_load (const char *path, GPtrArray *notes, GError **error)
{
  g_return_val_if_fail (path != NULL && notes != NULL, NULL);

  if (g_str_has_suffix (path, ".csv"))
    return ens_boxes_load_csv (path, notes, error);
  if (g_str_has_suffix (path, ".json") || ens_boxes_have_coco (path))
    return ens_boxes_load_coco (path, notes, error);
  if (ens_boxes_have_voc (path))
    return ens_boxes_load_voc (path, notes, error);
  if (ens_boxes_have_csv (path))
    return ens_boxes_load_csv (path, notes, error);
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: expected a folder with Annotations and JPEGImages (Pascal VOC) or with "
               "annotations/instances_*.json (COCO), or a file of the latter, or a CSV file or the "
               "folder of its pictures",
               path);
  return NULL;
}
