/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Photographs whose contours people have drawn.
 *
 * A folder SPLIT holds pairs of a photograph, ID.jpg or another picture, and ID_gt.png of the same
 * size, grey: 0 where nobody saw a contour, 255 where all who drew did; between them their share.
 * Splits are called train and val, perhaps test, or as ens_split_parse () reads it. Other files,
 * hidden ones and what is no file are left out. So are the photographs of BSDS500 laid out:
 * Arbeláez, Maire, Fowlkes and Malik, "Contour Detection and Hierarchical Image Segmentation", PAMI
 * 2011. */
#pragma once

#include "base/error.h"
#include "dataset/split.h"
#include "vision/frame-source.h"

G_BEGIN_DECLS

typedef struct {
  char *picture, *truth; /* files */
} EnsContourItem;

typedef struct {
  char *folder;
  GPtrArray *items[ENS_N_SPLITS]; /* EnsContourItem, by name in byte order */
} EnsContourSet;

/* Lists the pairs; nothing is opened. No training or no validation pairs, and a truth without a
 * photograph, are errors that say what was looked for. (transfer full) */
EnsContourSet *ens_contour_set_load (const char *folder, GError **error);
void ens_contour_set_free (EnsContourSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsContourSet, ens_contour_set_free)

/* Reads a pair. An error where sizes differ, the truth is not grey or there are more than two
 * million pixels. (transfer full) */
gboolean ens_contour_item_read (const EnsContourItem *item, const EnsFrameOpener *opener,
                                EnsPicture **picture, EnsPicture **truth, GError **error);

G_END_DECLS
