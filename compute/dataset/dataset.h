/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data sets of labelled images in folders: SPLIT/CLASS/IMAGE.
 *
 * Splits are called train, validation and test, or as ens_split_parse () reads it; a class is a
 * folder of images in train, and a folder called "none" holds images of no class. Files whose names
 * end like an image's (.jpg .jpeg .png .bmp .gif and others that decoders know) are the images;
 * those in folders below a class's folder are the class's. All else, such as images in formats that
 * aren't read (.jxl …), images beside the classes' folders and folders beside the splits', is left
 * out, and a note counts it by reason.
 *
 * Or folders of classes alone, CLASS/IMAGE: two or more, each with images of its own, and none
 * called like a split. Of each class a fifth is for validation and a fifth for the test
 * (ens_split_divide ()), and notes say so.
 *
 * Or images with annotations, which can show several classes (dataset/dataset-boxed.h), in one of
 * the layouts that dataset/boxes.h describes.
 *
 * Images are listed, not opened. */
#pragma once

#include "base/error.h"
#include "base/monitor.h"
#include "classify/examples.h"
#include "dataset/object-mask.h"
#include "dataset/split.h"
#include "vision/frame-source.h"

/* Of images, annotations and whatever else a data set has many of, at most one in so many may be
 * broken. */
#define ENS_MIN_IMAGES_PER_BROKEN 10

/* An object in a picture. */
typedef struct {
  guint class;        /* of the data set's */
  EnsRect rect;       /* normalised, inside the picture */
  gboolean difficult; /* does not count: neither as an object nor as the lack of one */
  gboolean crowd;     /* a box around many: shows the class, but is no object's */
  EnsObjectMask mask; /* of the box */
  guint number;       /* in the picture of numbers; 0: none */
} EnsDatasetBox;

typedef struct {
  char *path;
  guint8 *labels;      /* n_classes: ENS_LABEL_… (classify/examples.h) */
  guint width, height; /* in pixels, as the annotation says; 0 where none does */
  /* EnsDatasetBox, of the data set's classes alone; NULL in data sets that have no boxes. An object
   * whose annotation is damaged, or does not say where it is, is difficult here, and its rectangle
   * empty: it may be anywhere. */
  GArray *boxes;
  char *numbers; /* a picture that says which pixels are whose; NULL: there is none */
} EnsDatasetItem;

typedef struct {
  char *folder;
  char **classes; /* in byte order, NULL-terminated, "none" not among them */
  guint n_classes;
  GPtrArray *samples[ENS_N_SPLITS]; /* EnsDatasetItem, by class and then by name, in byte order;
                                     * with boxes by file or in the lists' order */
  GPtrArray *notes; /* char *: what had to be decided that its owner may not expect */
} EnsDataset;

/* Lists the images. The classes are those that train has; a class of another split that train does
 * not have, a class without training images, or no training images at all are errors that say what
 * was looked for and where. Without images for validation, a fifth of every class's training images
 * (chosen by a hash of the name, the same ones each time) becomes the validation split, and a note
 * says so. Without test images that split is empty.
 *
 * classes: NULL, or, NULL-terminated, those of a bundle that is to be measured: then they are the
 * classes that folders may have, train may be missing, and nothing is held out. (transfer full) */
EnsDataset *ens_dataset_load (const char *folder, const char *const *classes, GError **error);
/* The images of a folder and of folders below it, all in the split ENS_SPLIT_TEST: they show none
 * of the classes. A folder without images is an error. (transfer full) */
EnsDataset *ens_dataset_load_unrelated (const char *folder, const char *const *classes,
                                        GError **error);
void ens_dataset_free (EnsDataset *dataset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsDataset, ens_dataset_free)

/* Leaves one class: the other classes' images show none, and their boxes are dropped. FALSE with an
 * error that lists the classes if it is none of them. */
gboolean ens_dataset_keep_class (EnsDataset *dataset, const char *name, GError **error);

/* What a data set is called in files: its path's last part. (transfer full) */
char *ens_dataset_get_name (const char *folder);

/* Gives boxes their masks by the pictures of numbers, which are opened; what can't be read makes a
 * note. FALSE if it was cancelled. */
gboolean ens_dataset_read_masks (EnsDataset *dataset, const EnsFrameOpener *opener,
                                 const EnsMonitor *monitor, GError **error);

/* The notes, those of pictures that could not be read too, once they have been. (transfer full) */
GPtrArray *ens_dataset_copy_notes (const EnsDataset *dataset);

/* Passes the notes on. */
void ens_dataset_tell (const EnsDataset *dataset, const EnsMonitor *monitor);

/* FALSE if the split is empty, with an error that says what was looked for. */
gboolean ens_dataset_require (const EnsDataset *dataset, EnsSplit split, GError **error);

/* The labels of a split's images, a row of n_classes for each. (transfer full) */
guint8 *ens_dataset_copy_labels (const EnsDataset *dataset, EnsSplit split);

/* The paths of all folders of the split in a data set's folder, in byte order: it may have val and
 * valid. (transfer full) (element-type char *) */
GPtrArray *ens_dataset_find_split (const char *folder, EnsSplit split);
