/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What draw-scenes writes. All functions make the folders they need and replace older files. */
#pragma once

#include "kinds.h"

typedef struct {
  const Kind *const *kinds;
  guint n_kinds;
} KindList;

typedef struct {
  guint32 seed;
  guint n_train, n_validation, n_test; /* pictures; of a set: of each class */
  KindList classes;                    /* what is labelled */
  KindList strangers;                  /* what is met beside them; may be empty */
  int size;                            /* of the pictures' shorter sides, on average */
} PicturesOptions;

/* FOLDER/train|validation|test/CLASS/NNNN.jpg: one thing of the class in each picture. The class
 * "none" has pictures of none of the classes: empty places, and strangers. */
gboolean write_set (const char *folder, const PicturesOptions *options, GError **error);

/* Pascal VOC: FOLDER/JPEGImages/ID.jpg, Annotations/ID.xml, ImageSets/Main/train|val|test.txt. None
 * to five things in each picture, each with its box; strangers have none. */
gboolean write_boxes (const char *folder, const PicturesOptions *options, GError **error);

typedef struct {
  guint32 seed;
  guint seconds, frames_per_second;
  int width, height;
  KindList classes;
} ClipOptions;

/* A clip of several scenes, some of them empty, and what can be seen in its frames as a table:
 * frame,seconds,scene,object,class,x,y,width,height,visible: pixels of the part inside the frame,
 * and the share of the whole object that neither others nor the frame's border hide. */
gboolean write_clip (const char *path, const char *truth_path, const ClipOptions *options,
                     GError **error);

/* A PNG picture of every kind in several looks, and of every place. */
gboolean write_sheet (const char *path, guint32 seed, GError **error);
