/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What files of YOLO's layouts say of a set as a whole: data.yaml, or obj.data and obj.names. */
#pragma once

#include "dataset/boxes-private.h"
#include "dataset/split.h"

typedef struct {
  GPtrArray *names;                /* char *: of classes by number; NULL for one without a name */
  GPtrArray *places[ENS_N_SPLITS]; /* char *: folders of pictures, or lists of them, as written */
  char *root;                      /* where places lie, as written; NULL: beside the file */
  gboolean points;                 /* labels are key points behind a box */
} EnsYoloNames;

void ens_yolo_names_init (EnsYoloNames *names);
void ens_yolo_names_clear (EnsYoloNames *names);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsYoloNames, ens_yolo_names_clear)

/* Whether a YAML file speaks of a data set: it has names, or says how many there are. */
gboolean ens_yolo_is_yaml (const char *path);
gboolean ens_yolo_read_yaml (EnsYoloNames *names, const char *path, GBytes *text, GError **error);
/* Darknet's: lines such as “train = data/train.txt”. */
void ens_yolo_read_data (EnsYoloNames *names, GBytes *text);
/* A class a line. */
void ens_yolo_read_names (EnsYoloNames *names, GBytes *text);
