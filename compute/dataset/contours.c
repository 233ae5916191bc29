/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/contours.h"

#include <string.h>

#include "base/fail.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"

#define TRUTH_ENDING "_gt.png"

/* The network has as many positions as the photograph pixels, and 80 channels at each. */
#define MAX_PIXELS (2048 * 1024)

static void
item_free (gpointer data)
{
  EnsContourItem *item = data;

  g_free (item->picture);
  g_free (item->truth);
  g_free (item);
}

void
ens_contour_set_free (EnsContourSet *set)
{
  if (set == NULL)
    return;
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    g_ptr_array_unref (set->items[s]);
  g_free (set->folder);
  g_free (set);
}

/* ---- Listing ---- */

/* The photograph of a truth called ID_gt.png: a picture ID.… (transfer none) */
static const char *
find_picture (const GPtrArray *files, const char *truth)
{
  gsize length = strlen (truth) - strlen (TRUTH_ENDING);

  for (guint i = 0; i < files->len; i++) {
    const char *name = files->pdata[i], *dot = strrchr (name, '.');

    if (dot == name + length && strncmp (name, truth, length) == 0 && ens_picture_has_name (name))
      return name;
  }
  return NULL;
}

static gboolean
list_split (EnsContourSet *set, const char *name, EnsSplit split, GError **error)
{
  g_autofree char *folder = g_build_filename (set->folder, name, NULL);
  g_auto (EnsListing) listing = {0};

  if (!ens_listing_read (&listing, folder, error))
    return FALSE;
  for (guint i = 0; i < listing.files->len; i++) {
    const char *truth = listing.files->pdata[i], *picture;
    EnsContourItem *item;

    if (!g_str_has_suffix (truth, TRUTH_ENDING))
      continue;
    picture = find_picture (listing.files, truth);
    item = g_new (EnsContourItem, 1);
    item->truth = g_build_filename (folder, truth, NULL);
    item->picture = picture != NULL ? g_build_filename (folder, picture, NULL) : NULL;
    g_ptr_array_add (set->items[split], item);
    if (picture == NULL)
      return ens_fail (error, ENS_ERROR_DATA, item->truth,
                       "expected the photograph beside it, such as %.*s.jpg",
                       (int)(strlen (truth) - strlen (TRUTH_ENDING)), truth);
  }
  return TRUE;
}

static gboolean
require (const EnsContourSet *set, EnsSplit split, const char *name, GError **error)
{
  return set->items[split]->len > 0
         || ens_fail (error, ENS_ERROR_DATA, set->folder,
                      "expected photographs and contours %s" G_DIR_SEPARATOR_S
                      "ID.jpg, %s" G_DIR_SEPARATOR_S "ID" TRUTH_ENDING "; found none",
                      name, name);
}

EnsContourSet *
ens_contour_set_load (const char *folder, GError **error)
{
  g_autoptr (EnsContourSet) set = NULL;
  g_auto (EnsListing) listing = {0};

  if (!ens_listing_read (&listing, folder, error))
    return NULL;
  set = g_new0 (EnsContourSet, 1);
  set->folder = g_strdup (folder);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    set->items[s] = g_ptr_array_new_with_free_func (item_free);
  for (guint i = 0; i < listing.folders->len; i++) {
    const char *name = listing.folders->pdata[i];
    EnsSplit split;

    if (ens_split_parse (name, &split) && !list_split (set, name, split, error))
      return NULL;
  }
  return require (set, ENS_SPLIT_TRAIN, "train", error)
                 && require (set, ENS_SPLIT_VALIDATION, "val", error)
             ? g_steal_pointer (&set)
             : NULL;
}

/* ---- Reading ---- */

static gboolean
check_frame (const EnsFrame *frame, const char *path, GError **error)
{
  return (guint64)frame->width * frame->height <= MAX_PIXELS
         || ens_fail (error, ENS_ERROR_DATA, path,
                      "expected at most %u pixels, found %u × %u; scale the photograph and its "
                      "contours down",
                      MAX_PIXELS, frame->width, frame->height);
}

static EnsPicture *
read_frame (const EnsFrameOpener *opener, const char *path, GError **error)
{
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (opener, path, error);

  return picture != NULL && check_frame (&picture->frame, path, error) ? g_steal_pointer (&picture)
                                                                       : NULL;
}

gboolean
ens_contour_item_read (const EnsContourItem *item, const EnsFrameOpener *opener,
                       EnsPicture **picture, EnsPicture **truth, GError **error)
{
  g_autoptr (EnsPicture) photograph = read_frame (opener, item->picture, error);
  g_autoptr (EnsPicture) map = NULL;

  if (photograph == NULL)
    return FALSE;
  map = read_frame (opener, item->truth, error);
  if (map == NULL)
    return FALSE;
  if (map->frame.pixels != ENS_PIXELS_GRAY8 || map->frame.width != photograph->frame.width
      || map->frame.height != photograph->frame.height)
    return ens_fail (error, ENS_ERROR_DATA, item->truth,
                     "expected a grey picture of %u × %u pixels, as its photograph has; found "
                     "%s of %u × %u",
                     photograph->frame.width, photograph->frame.height,
                     ens_pixels_name (map->frame.pixels), map->frame.width, map->frame.height);
  *picture = g_steal_pointer (&photograph);
  *truth = g_steal_pointer (&map);
  return TRUE;
}
