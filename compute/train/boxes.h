/* Pictures with labelled boxes, for measuring windows. */
#pragma once

#include <ensemble/error.h>
#include <ensemble/frame.h>

typedef struct {
  char *label;
  EnsRect rect;
  gboolean difficult; /* as Pascal VOC marks boxes that don't count */
} EnsBox;

typedef struct {
  char *path;
  GArray *boxes; /* EnsBox */
} EnsBoxedImage;

/* Reads a data set with boxes; images in alphabetical order. (transfer full, EnsBoxedImage)
 *
 * `path` is a folder in Pascal VOC's layout (JPEGImages/, Annotations/NAME.xml; coordinates are
 * pixels counted from 1, both ends included), or a CSV file whose first line names its columns:
 * file, width, height, class, xmin, ymin, xmax, ymax at least, in pixels from 0; images lie beside
 * it in a folder of its name without ".csv". Pictures are not opened.
 *
 * Source of the layout: M. Everingham et al., The Pascal Visual Object Classes Challenge, IJCV
 * 2010. */
GPtrArray *ens_boxes_load (const char *path, GError **error);
