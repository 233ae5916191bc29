/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes in COCO's layout: JSON files of annotations beside folders of pictures.
 *
 * Files of annotations lie anywhere below the set's folder. They are *.json, and known by their
 * lists (the first entry of the first one), by names such as instances*.json and *coco*.json, or by
 * lying in a folder annotations; where some are called instances*.json the others are not read, and
 * one without categories, such as captions, is left out. A file has
 *
 *   images       id, file_name, width, height
 *   annotations  image_id, category_id, bbox (left, top, width, height in pixels), segmentation,
 *                iscrowd
 *   categories   id, name
 *
 * and may have more, which is passed over. Ids are numbers or strings. Where there is no bbox, it
 * is what the segmentation, polygons or run lengths, covers; without these, or without the image's
 * size, an annotation shows its class, but not where. A file without annotations has pictures of
 * which nothing is known, as of COCO's own test. A picture's file_name is looked for in the folder
 * of the file and its folders data, images and NAME, for NAME.json and *_NAME.json; in NAME,
 * images/NAME, SPLIT, images/SPLIT, images and data of the set's folder, in that, and then anywhere
 * below it if there is one picture of this name. Entries of one picture are added up.
 *
 * Source: T.-Y. Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014. */
#pragma once

#include "dataset/boxes-private.h"

/* A file of annotations; its split is that which its name says (ens_split_find ()), or else its
 * folder's name. */
typedef struct {
  char *path;
  gint split; /* EnsSplit or ENS_SPLIT_UNSAID */
} EnsCocoFile;

/* The set's files of annotations, in byte order; empty if the folder is no such set, or none.
 * (transfer full, EnsCocoFile) */
GPtrArray *ens_coco_list (const char *folder);

/* Adds the pictures of one file of annotations to those of others (EnsBoxedImage). The error is
 * ENS_ERROR_UNSUPPORTED if the file is another kind of JSON. */
gboolean ens_coco_load (EnsBoxesReading *reading, const EnsCocoFile *file, GPtrArray *images,
                        GError **error);
