/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures with labelled boxes: for data sets in which a picture can show several classes, and for
 * measuring windows. */
#pragma once

#include "base/error.h"
#include "vision/frame.h"

typedef struct {
  char *label;
  EnsRect rect;
  gboolean difficult; /* as Pascal VOC marks objects that don't count */
  gboolean crowd;     /* as COCO marks a box around many: it shows the class, but is no object's */
} EnsBox;

typedef struct {
  char *path;
  GArray *boxes; /* EnsBox */
} EnsBoxedImage;

/* Reads pictures with boxes; in alphabetical order. (transfer full, EnsBoxedImage)
 *
 * `path` is one of
 *  - a folder in Pascal VOC's layout: JPEGImages/, Annotations/NAME.xml; coordinates are pixels
 *    counted from 1, both ends included (boxes-voc.h);
 *  - a folder with COCO's annotations, or one file of them, NAME.json (boxes-coco.h);
 *  - a CSV file whose first line names its columns: file, width, height, class, xmin, ymin, xmax,
 *    ymax at least, in pixels from 0; pictures lie beside it in a folder of its name without
 *    ".csv".
 *
 * Pictures are not opened. A picture that is not there, and an annotation that can't be what it
 * says, are left out, and `notes` (char *) says which and why; more than one in
 * ENS_MIN_IMAGES_PER_BROKEN (dataset/dataset.h) is an error. */
GPtrArray *ens_boxes_load (const char *path, GPtrArray *notes, GError **error);
