/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data sets whose images have boxes, and so can show several classes (dataset/boxes.h).
 *
 * An image shows a class when it has an object of it that is not marked as difficult; a crowd of
 * the class shows it too. Where all its objects of the class are difficult, whether it shows the
 * class is not known, as in Pascal VOC's own measurements; nor is it where an annotation of the
 * class was left out because something is wrong with it, or nobody has looked for the class. */
#pragma once

#include "dataset/boxes.h"
#include "dataset/dataset.h"

/* Reads the samples of `dataset`, whose folder has the layout that was found, and its classes where
 * it has none yet: those that training images show. Objects of other classes are left out, and a
 * note says so; a split that has no others is an error. Of Pascal VOC the splits are those of the
 * lists in ImageSets/Main (dataset/voc-lists.h), of other layouts those that files, their names or
 * their folders' say. Images that nothing divides, or that are all for validation, are divided by
 * the hashes of their names: a fifth for validation, a fifth for the test; a note says so. */
gboolean ens_dataset_read_boxed (EnsDataset *dataset, const EnsBoxesFound *found, GError **error);
