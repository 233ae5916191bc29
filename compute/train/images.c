/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/images.h"

/* Tells that a picture is left out, now and in reports. */
static void
skip (const EnsImages *images, const char *reason)
{
  char *note = g_strdup_printf ("skipped %s", reason);

  ens_monitor_note (images->monitor, "%s", note);
  g_ptr_array_add (images->dataset->notes, note);
}

/* Reads the sample's picture; NULL if it is broken, which is noted. (transfer full) */
static EnsPicture *
read_picture (const EnsImages *images, const EnsDatasetItem *item)
{
  g_autoptr (GError) reason = NULL;
  EnsPicture *picture = ens_frame_opener_read (images->opener, item->path, &reason);

  if (picture == NULL)
    skip (images, reason->message);
  return picture;
}

static gboolean
check_broken (const EnsImages *images, guint n_broken, guint n, GError **error)
{
  if (n_broken * ENS_MIN_IMAGES_PER_BROKEN <= n)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: %u of the %u %s images can't be read; more than one in %u is too many",
               images->dataset->folder, n_broken, n, ens_split_name (images->split),
               ENS_MIN_IMAGES_PER_BROKEN);
  return FALSE;
}

gboolean
ens_images_foreach (const EnsImages *images, guint *n_broken, GError **error)
{
  const GPtrArray *samples = images->dataset->samples[images->split];

  *n_broken = 0;
  if (!ens_dataset_require (images->dataset, images->split, error))
    return FALSE;
  for (guint i = 0; i < samples->len; i++) {
    const EnsDatasetItem *item = samples->pdata[i];
    gboolean needed = images->needs == NULL || images->needs (item, images->data);
    g_autoptr (EnsPicture) picture = NULL;

    if (!ens_monitor_progress (images->monitor, images->stage, i, samples->len, error))
      return FALSE;
    if (needed)
      picture = read_picture (images, item);
    if (needed && picture == NULL)
      (*n_broken)++;
    else if (!images->each (item, picture, images->data, error))
      return FALSE;
  }
  return check_broken (images, *n_broken, samples->len, error)
         && ens_monitor_progress (images->monitor, images->stage, samples->len, samples->len,
                                  error);
}
