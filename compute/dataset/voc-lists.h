/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pascal VOC's lists of the images of each split, train.txt, val.txt, test.txt in ImageSets/Main,
 * in ImageSets, or beside the folder Annotations.
 *
 * Where train.txt is missing, trainval.txt stands for it. Where a split has no such list, it has
 * the images of its lists by class, CLASS_train.txt …. Without any list for training, the images
 * that no other list has are for training. */
#pragma once

#include "base/error.h"

/* Whether a file lies where lists do, and outside ImageSets/Main is called like a split. */
gboolean ens_voc_is_list (const char *path);

/* Adds the images (EnsBoxedImage) that the lists name to their splits, in the lists' order; an
 * image may be in several. Nothing is added if there are no lists. A set may have several folders
 * with lists of their own (VOC2007, VOC2012), which are of the images in the same folder; of
 * several places in one folder the innermost counts, and what lies in none is for training. */
gboolean ens_voc_read_lists (const char *folder, GPtrArray *images, GPtrArray **splits,
                             GPtrArray *notes, GError **error);
