/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* COCO's annotations as their file has them, nothing checked yet. */
#pragma once

#include "dataset/object-mask.h"

/* Numbers that are missing are NaN. Ids are strings of the entries' `ids`, the same pointer for the
 * same id, NULL where it is missing. */
typedef struct {
  const char *id;
  char *file;
  double width, height;
} EnsCocoImage;

typedef struct {
  const char *id;
  char *name;
} EnsCocoCategory;

typedef struct {
  const char *image, *category;
  gboolean placed;  /* has a box, or a mask, whose bounds are the box where there is none */
  gboolean by_mask; /* by its bounds */
  double left, top, width, height;
  gboolean crowd;
  EnsObjectMask mask;            /* of the box, by polygons or run lengths */
  guint mask_width, mask_height; /* of the picture, as run lengths say; 0: they don't */
  gboolean unread;               /* has a mask that can't be read */
} EnsCocoAnnotation;

typedef struct {
  GArray *images;      /* EnsCocoImage */
  GArray *annotations; /* EnsCocoAnnotation */
  GArray *categories;  /* EnsCocoCategory */
  GStringChunk *ids;
  gboolean annotated; /* has annotations, or an empty list of them */
} EnsCocoEntries;

void ens_coco_entries_init (EnsCocoEntries *entries);
void ens_coco_entries_clear (EnsCocoEntries *entries);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsCocoEntries, ens_coco_entries_clear)

/* The error is ENS_ERROR_UNSUPPORTED where it is sound JSON that lacks one of the lists. */
gboolean ens_coco_scan (EnsCocoEntries *entries, const char *path, GError **error);

/* Whether a file seems to have these lists: by the first entry of the first one, if that is near
 * the file's beginning. */
gboolean ens_coco_is_likely (const char *path);
