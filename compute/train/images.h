/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going through the images of a data set. */
#pragma once

#include "base/monitor.h"
#include "dataset/dataset.h"
#include "vision/frame-source.h"

typedef struct {
  const EnsDataset *dataset;
  EnsSplit split;
  const EnsFrameOpener *opener;
  const EnsMonitor *monitor; /* may be NULL */
  const char *stage;         /* for its progress */
  /* FALSE if `each` can do without the picture, which is then not read. NULL: it can't. */
  gboolean (*needs) (const EnsDatasetItem *item, gpointer data);
  /* FALSE with an error ends the walk. */
  gboolean (*each) (const EnsDatasetItem *item, const EnsPicture *picture, gpointer data,
                    GError **error);
  gpointer data;
} EnsImages;

/* Goes through the images of a split in order. One that can't be read is noted, counted and left
 * out; more than one in ENS_MIN_IMAGES_PER_BROKEN is an error, and so is an empty split. */
gboolean ens_images_foreach (const EnsImages *images, guint *n_broken, GError **error);
