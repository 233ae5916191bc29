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
  EnsObjectMask mask; /* by polygons or run lengths */
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
  /* char *: classes that the image is said not to show; NULL: what is not mentioned is not there.
   * Else the image may show classes that neither boxes nor these mention. */
  GPtrArray *denied;
} EnsBoxedImage;

/* Reads pictures with boxes; in alphabetical order. (transfer full, EnsBoxedImage)
 *
 * `path` is a folder, or one file with annotations, in one of these layouts, of which a folder's
 * files show the first one that fits (compute/dataset/README.md has an example of each):
 *
 *  LabelMe       NAME.json with shapes for each picture (boxes-labelme.c)
 *  VIA           VGG Image Annotator's *.json and *.csv (boxes-via.c)
 *  CUB-200       images.txt, image_class_labels.txt (boxes-cub.c)
 *  COCO          *.json with images, annotations, categories (boxes-coco.h)
 *  Open Images   *-annotations-bbox.csv, *-annotations-human-imagelabels.csv (boxes-open-images.c)
 *  CVAT          annotations.xml, version 1.1 (boxes-cvat.c)
 *  Pascal VOC    NAME.xml for each picture (boxes-voc.c)
 *  YOLO          data.yaml, labels/NAME.txt for each picture (boxes-yolo.c)
 *  tables        *.csv of files with classes, with or without boxes (boxes-csv.c)
 *  JSON lines    metadata.jsonl, as Hugging Face's imagefolder has it (boxes-json-lines.c)
 *  JSON lists    *.json of pictures with their classes (boxes-json-list.c)
 *  lists         *.txt of pictures with their classes (boxes-list.c)
 *
 * Pictures are not opened. A picture that is not there, and an annotation that can't be what it
 * says, are left out; `notes` (char *) says which and why, which layout was taken where files would
 * fit several, and what of the folder was not used; more than one broken entry in
 * ENS_MIN_IMAGES_PER_BROKEN (dataset/dataset.h) is an error. No name in a file leads out of the
 * set's folder, but links do: they are its owner's. Labels are in Unicode's normal form C. */
GPtrArray *ens_boxes_load (const char *path, GPtrArray *notes, GError **error);

/* Which of the layouts a folder, or a file, has. */
typedef struct _EnsBoxesLayout EnsBoxesLayout;
typedef struct {
  char *path;
  const EnsBoxesLayout *layout;
  char *evidence; /* what of a folder shows that; NULL for a file */
} EnsBoxesFound;

/* FALSE if the path has none of them; to be cleared in any case. */
gboolean ens_boxes_find (EnsBoxesFound *found, const char *path);
void ens_boxes_found_clear (EnsBoxesFound *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsBoxesFound, ens_boxes_found_clear)

/* As ens_boxes_load () of a path whose layout has been found. (transfer full, EnsBoxedImage) */
GPtrArray *ens_boxes_load_found (const EnsBoxesFound *found, GPtrArray *notes, GError **error);
