/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "boxes.h"

#include "dataset/boxes.h"
#include "dataset/dataset.h"
#include "fuzz.h"

static void
check_rect (const EnsRect *rect)
{
  FUZZ_EXPECT (rect->x >= 0 && rect->y >= 0 && rect->width >= 0 && rect->height >= 0);
  FUZZ_EXPECT (rect->x + rect->width < 1.001F && rect->y + rect->height < 1.001F);
}

void
fuzz_boxes (const char *folder)
{
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL, failure = NULL;
  g_autoptr (GPtrArray) images = ens_boxes_load (folder, notes, &error);
  g_autoptr (EnsDataset) dataset = ens_dataset_load (folder, NULL, &failure);

  FUZZ_EXPECT ((images == NULL) == (error != NULL));
  FUZZ_EXPECT ((dataset == NULL) == (failure != NULL));
  for (guint i = 0; images != NULL && i < images->len; i++) {
    const EnsBoxedImage *image = images->pdata[i];

    for (guint b = 0; b < image->boxes->len; b++)
      check_rect (&g_array_index (image->boxes, EnsBox, b).rect);
  }
}
