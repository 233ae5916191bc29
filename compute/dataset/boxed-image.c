/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What readers find out of a picture: its boxes, classes and doubts. */
#include <math.h>
#include <string.h>

#include "dataset/boxes-private.h"

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
  g_clear_pointer (&image->denied, g_ptr_array_unref);
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

EnsBoxedImage *
ens_boxes_take_image (GHashTable *by_path, GPtrArray *images, const char *path)
{
  EnsBoxedImage *image = g_hash_table_lookup (by_path, path);

  if (image != NULL)
    return image;
  image = ens_boxed_image_new (g_strdup (path));
  g_hash_table_insert (by_path, image->path, image);
  g_ptr_array_add (images, image);
  return image;
}

void
ens_boxed_image_doubt (EnsBoxedImage *image, const char *label)
{
  g_ptr_array_add (image->doubts, label != NULL ? ens_name_normalise (label) : NULL);
}

void
ens_boxed_image_deny (EnsBoxedImage *image, const char *label)
{
  if (image->denied == NULL)
    image->denied = g_ptr_array_new_with_free_func (g_free);
  if (label != NULL)
    g_ptr_array_add (image->denied, ens_name_normalise (label));
}

gboolean
ens_boxes_name_is_inside (const char *name)
{
  gboolean drive = g_ascii_isalpha (name[0]) && name[1] == ':';

  if (*name == '\0' || *name == '/' || *name == '\\' || drive)
    return FALSE;
  for (const char *at = name; *at != '\0';) {
    gsize length = strcspn (at, "/\\");

    if (length == 2 && memcmp (at, "..", 2) == 0)
      return FALSE;
    at += length + (at[length] != '\0');
  }
  return TRUE;
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

  added.label = ens_name_normalise (box->label);
  added.rect = (EnsRect) {0};
  g_array_append_val (image->boxes, added);
}

void
ens_boxed_image_add_class (EnsBoxedImage *image, const char *label)
{
  g_autofree char *normal = ens_name_normalise (label);

  for (guint b = 0; b < image->boxes->len; b++)
    if (strcmp (g_array_index (image->boxes, EnsBox, b).label, normal) == 0)
      return;
  ens_boxed_image_add_somewhere (image, &(EnsBox) {.label = normal});
}

EnsBoxEdges
ens_box_bounds (const double *points, guint n, double width, double height)
{
  EnsBoxEdges edges = {INFINITY, INFINITY, -INFINITY, -INFINITY, width, height};

  for (guint i = 0; i < 2 * n; i += 2) {
    edges.left = fmin (edges.left, points[i]);
    edges.right = fmax (edges.right, points[i]);
    edges.top = fmin (edges.top, points[i + 1]);
    edges.bottom = fmax (edges.bottom, points[i + 1]);
  }
  return edges;
}

void
ens_box_fill (EnsBox *box, const EnsBoxEdges *edges, const double *points, guint n)
{
  /* As ens_boxed_image_add () cuts it. */
  double left = MAX (edges->left, 0), top = MAX (edges->top, 0);
  const double cut[4] = {left, top, MIN (edges->right, edges->width) - left,
                         MIN (edges->bottom, edges->height) - top};

  ens_object_mask_add_polygon (&box->mask, points, n, cut);
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
  added.label = ens_name_normalise (box->label);
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
