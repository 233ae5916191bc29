/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What readers of data sets share. */
#pragma once

#include "dataset/dataset.h"

/* An item that shows no class yet. path: (transfer full). (transfer none) */
EnsDatasetItem *ens_dataset_add_item (EnsDataset *dataset, EnsSplit split, char *path);

void ens_dataset_note (EnsDataset *dataset, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Notes how many images each split has of a set that nothing divides. */
void ens_dataset_note_divided (EnsDataset *dataset, GPtrArray *const splits[ENS_N_SPLITS]);

/* The reader of data sets in folders: fills samples and, where there are none yet, classes. */
gboolean ens_dataset_read_folders (EnsDataset *dataset, GError **error);

/* Whether a folder is one of class folders alone: two or more with images in them or below, none
 * called like a split, nor all or several by words for splits. */
gboolean ens_dataset_is_classed (const char *folder);
/* The reader of those: all images are in the split ENS_SPLIT_TRAIN, and wait to be divided. */
gboolean ens_dataset_read_classed (EnsDataset *dataset, GError **error);

/* The set in a folder that has nothing else with pictures in it, as archives have it; NULL if there
 * is none. (transfer full) */
char *ens_dataset_find_inner (const char *folder);
/* Makes it the data set's folder, and tells so. */
void ens_dataset_take_inner (EnsDataset *dataset, const char *inner);

/* Tells files that are there more than once. */
void ens_dataset_tell_same_files (EnsDataset *dataset);

/* The images of the data set's folder, in the split ENS_SPLIT_TEST, of no class. */
gboolean ens_dataset_read_unrelated (EnsDataset *dataset, GError **error);

/* An error that says where images of the split were looked for. */
gboolean ens_dataset_miss_split (const EnsDataset *dataset, EnsSplit split, GError **error);
