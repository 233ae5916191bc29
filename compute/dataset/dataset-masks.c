/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/dataset-private.h"

/* What is left of the pictures of numbers once they have been read. */
typedef struct {
  guint n, n_read;
  GError *first; /* why the first of those that could not be read could not */
} Tally;

static void
find_masks (EnsDatasetItem *item, const EnsFrame *numbers)
{
  for (guint b = 0; b < item->boxes->len; b++) {
    EnsDatasetBox *box = &g_array_index (item->boxes, EnsDatasetBox, b);

    if (box->number > 0 && box->rect.width > 0)
      ens_object_mask_find (&box->mask, numbers, box->number, &box->rect);
  }
}

static void
read_item (EnsDatasetItem *item, const EnsFrameOpener *opener, Tally *tally)
{
  g_autoptr (EnsPicture) picture = NULL;
  g_autoptr (GError) reason = NULL;

  tally->n++;
  picture = ens_frame_opener_read (opener, item->numbers, &reason);
  if (picture != NULL) {
    find_masks (item, &picture->frame);
    tally->n_read++;
  } else if (tally->first == NULL) {
    tally->first = g_steal_pointer (&reason);
  }
}

static void
tell (EnsDataset *dataset, const EnsMonitor *monitor, Tally *tally)
{
  if (tally->n > 0)
    ens_monitor_note (monitor,
                      "%s: %u pictures say which pixels are an object's; boxes do it elsewhere",
                      dataset->folder, tally->n_read);
  if (tally->first != NULL)
    ens_monitor_note (monitor, "%s: %u such pictures could not be read: %s", dataset->folder,
                      tally->n - tally->n_read, tally->first->message);
  g_clear_error (&tally->first);
}

gboolean
ens_dataset_read_masks (EnsDataset *dataset, const EnsFrameOpener *opener,
                        const EnsMonitor *monitor, GError **error)
{
  Tally tally = {0};

  for (guint s = 0; s < ENS_N_SPLITS; s++)
    for (guint i = 0; i < dataset->samples[s]->len; i++) {
      EnsDatasetItem *item = dataset->samples[s]->pdata[i];

      if (item->numbers == NULL)
        continue;
      if (!ens_monitor_progress (monitor, "reading masks", i, dataset->samples[s]->len, error)) {
        g_clear_error (&tally.first);
        return FALSE;
      }
      read_item (item, opener, &tally);
    }
  tell (dataset, monitor, &tally);
  return TRUE;
}
