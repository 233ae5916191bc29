/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loops over several arrays that share an index space, each with its own strides: broadcasting,
 * transposing, slicing and pitched tensors are all the same loop. */
#pragma once

#include "graph/op.h"

/* Tile doubles the rank; ternary operators have three inputs and an output. */
#define ENS_MAX_STRIDED_RANK (2 * ENS_MAX_RANK)
#define ENS_MAX_STRIDED 4

typedef struct {
  guint n;    /* arrays */
  guint rank; /* ≥ 1 after merging */
  gint64 dims[ENS_MAX_STRIDED_RANK];
  gint64 strides[ENS_MAX_STRIDED][ENS_MAX_STRIDED_RANK]; /* in elements; may be 0 or negative */
} EnsStrided;

/* The index space of `shape`, walked by views that broadcast to it. */
EnsStrided ens_strided_broadcast (const EnsShape *shape, const EnsView *const *views, guint n);

/* Drops axes of length 1 and joins neighbours that all arrays run through evenly, so that the last
 * axis becomes as long as it can be. */
void ens_strided_merge (EnsStrided *strided);

/* Sees to it that along the last axis the elements of the first n arrays are neighbours: by an axis
 * of length 1, where slices of one column leave none. */
void ens_strided_keep_contiguous (EnsStrided *strided, guint n);

gsize ens_strided_elements (const EnsStrided *strided);

/* `n` elements along the last axis, from these offsets (in elements) on. */
typedef void (*EnsRunFunc) (gconstpointer data, const gint64 *offsets, gsize n);
/* Calls `func` for the runs that make up elements [begin, end) of the index space in C order. */
void ens_strided_run (const EnsStrided *strided, gsize begin, gsize end, EnsRunFunc func,
                      gconstpointer data);

/* output[strides 0] = input[strides 1] for elements of 1, 2, 4 or 8 bytes. Merges `strided`. */
void ens_strided_copy (EnsStrided *strided, gsize element_size, gpointer output,
                       gconstpointer input, EnsThreadPool *pool);
