/* Data sets with several classes in an image, in Pascal VOC's layout. */
#pragma once

#include "train/dataset.h"

/* Whether the folder has the layout: a folder Annotations. */
gboolean ens_dataset_is_voc (const char *folder);

/* Reads the samples of `dataset`, whose folder is set, and its classes where it has none yet: those
 * of the objects in the training images. An image shows a class when it has an object of it that is
 * not marked as difficult. Without ImageSets/Main/train.txt every image is for training. */
gboolean ens_dataset_read_voc (EnsDataset *dataset, GError **error);
