/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Masks as run lengths: pixels outside the object, inside, outside …, as COCO and CVAT write them.
 *
 * COCO's go down the columns of the whole picture, and are a list of numbers or, as pycocotools
 * compresses them, a text; CVAT's go along the rows of the object's box.
 *
 * Source: pycocotools, maskApi.c; https://docs.cvat.ai/docs/manual/advanced/xml_format. */
#pragma once

#include "dataset/object-mask.h"

G_BEGIN_DECLS

typedef struct {
  guint width, height; /* of the mask, in pixels */
  gboolean along_rows; /* not down the columns */
  gboolean broken;     /* by a number that is none */
  GArray *ends;        /* guint64: pixels up to the end of each run */
} EnsRunLengths;

void ens_run_lengths_init (EnsRunLengths *runs);
void ens_run_lengths_clear (EnsRunLengths *runs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsRunLengths, ens_run_lengths_clear)

/* The size, which may be said before the runs or behind them. */
void ens_run_lengths_set_size (EnsRunLengths *runs, double width, double height);
void ens_run_lengths_add (EnsRunLengths *runs, double length);
/* Adds the runs of a compressed text. */
void ens_run_lengths_add_text (EnsRunLengths *runs, const char *text);

/* Whether the runs are as many pixels as the mask has. */
gboolean ens_run_lengths_are_sound (const EnsRunLengths *runs);

/* Left, top, width and height of what sound runs have inside the object; FALSE: nothing. */
gboolean ens_run_lengths_find_box (const EnsRunLengths *runs, double box[4]);

/* Adds to a mask what sound runs have inside the object. box: left, top, width and height, in
 * pixels of the runs' mask. */
void ens_run_lengths_fill (const EnsRunLengths *runs, EnsObjectMask *mask, const double box[4]);

G_END_DECLS
