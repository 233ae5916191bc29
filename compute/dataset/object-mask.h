/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which part of its box an object fills, where a data set says more than boxes do: polygons and
 * run lengths (run-lengths.h) of annotations, pictures of the objects' numbers in Pascal VOC's
 * layout (SegmentationObject/NAME.png). */
#pragma once

#include "vision/frame.h"

G_BEGIN_DECLS

/* Cells along each side of the box. */
#define ENS_OBJECT_MASK_SIDE 16

typedef struct {
  guint16 rows[ENS_OBJECT_MASK_SIDE]; /* bit 1 << column: the object is at the cell's middle */
} EnsObjectMask;

/* Cells that the object is in; 0: which they are is not known. */
guint ens_object_mask_count (const EnsObjectMask *mask);

static inline gboolean
ens_object_mask_has (const EnsObjectMask *mask, guint row, guint column)
{
  return (mask->rows[row] >> column & 1) != 0;
}

/* Adds what lies inside a polygon of `n` points x, y. box: left, top, width and height, in the same
 * unit. */
void ens_object_mask_add_polygon (EnsObjectMask *mask, const double *points, guint n,
                                  const double box[4]);

/* Finds an object by its number in a picture of numbers, whose colours are VOC's. */
void ens_object_mask_find (EnsObjectMask *mask, const EnsFrame *numbers, guint number,
                           const EnsRect *box);

G_END_DECLS
