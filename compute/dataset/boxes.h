/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures with labelled boxes: for data sets in which a picture can show several classes, and for
 * measuring windows. */
#pragma once

#include "base/error.h"
#include "dataset/object-mask.h"
#include "dataset/split.h"
#include "vision/frame.h"

typedef struct {
  char *label;
  EnsRect rect;       /* empty where it is not known in which place the object is */
  gboolean difficult; /* as Pascal VOC marks objects that don't count */
  gboolean crowd;     /* as COCO marks a box around many: it shows the class, but is no object's */
  EnsObjectMask mask; /* by polygons */
  guint number;       /* among the objects of the annotation, from 1 on; 0: they have none */
} EnsBox;

/* `split` where a file does not say of which split an image is. */
#define ENS_SPLIT_UNSAID (-1)

typedef struct {
  char *path;
  gint split;          /* EnsSplit or ENS_SPLIT_UNSAID */
  guint width, height; /* in pixels, as the annotation says; 0 where it does not */
  GArray *boxes;       /* EnsBox */
  char *numbers;       /* a picture with the objects' numbers; NULL: there is none */
  /* char *: labels of annotations that were left out because something is wrong with them, NULL for
   * one whose label is not known either. The image may show these classes, or not. */
  GPtrArray *doubts;
} EnsBoxedImage;

/* Reads pictures with boxes; in alphabetical order. (transfer full, EnsBoxedImage)
 *
 * `path` is one of
 *  - a folder in Pascal VOC's layout: JPEGImages/, Annotations/NAME.xml; coordinates are pixels
 *    counted from 1, both ends included (boxes-voc.h);
 *  - a folder with COCO's annotations, or one file of them, NAME.json (boxes-coco.h);
 *  - a CSV file, NAME.csv, whose first line names its columns, or the folder NAME of its pictures
 *    (boxes-csv.h).
 *
 * Pictures are not opened. A picture that is not there, and an annotation that can't be what it
 * says, are left out, and `notes` (char *) says which and why; more than one in
 * ENS_MIN_IMAGES_PER_BROKEN (dataset/dataset.h) is an error. */
GPtrArray *ens_boxes_load (const char *path, GPtrArray *notes, GError **error);

/* Whether the path is one of those. */
gboolean ens_boxes_have (const char *path);
