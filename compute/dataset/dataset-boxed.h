/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data sets whose images have boxes, and so can show several classes (dataset/boxes.h).
 *
 * An image shows a class when it has an object of it that is not marked as difficult; a crowd of
 * the class shows it too. Where all its objects of the class are difficult, whether it shows the
 * class is not known, as in Pascal VOC's own measurements. */
#pragma once

#include "dataset/dataset.h"

/* Whether the folder has Pascal VOC's or COCO's layout. */
gboolean ens_dataset_is_boxed (const char *folder);

/* Reads the samples of `dataset`, whose folder is set, and its classes where it has none yet: those
 * that training images show. Objects of other classes are left out, and a note says so; a split
 * that has no others is an error. Of Pascal VOC the splits are those of ImageSets/Main/train.txt,
 * val.txt and test.txt, and without the first every image is for training; of COCO those of the
 * files of annotations. */
gboolean ens_dataset_read_boxed (EnsDataset *dataset, GError **error);
