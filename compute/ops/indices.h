/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Indices that tensors hold: what Gather, GatherElements, GatherND and their Scatters share.
 * Negative ones count from the end. Those that were not known while planning are kept inside the
 * axis. */
#pragma once

#include "ops/operands.h"

/* Input 1 holds 32 or 64-bit integers. */
gboolean ens_check_index_type (const EnsOperands *operands, GError **error);
/* Those of input 1 that are known fit an axis of that length. */
gboolean ens_check_indices (const EnsOperands *operands, gint64 length, GError **error);

/* How input 1 names places in input 0. */
typedef struct {
  gboolean tuples;
  guint axis;  /* of elements: input 1 has input 0's rank and, but along it, at most its lengths */
  guint batch; /* of tuples: the last axis of input 1 holds indices of as many axes, behind the
                * first `batch` ones, which both have; behind these stand runs of data */
} EnsIndexing;

/* Sets the shape of what the indices name. */
gboolean ens_check_indexing (const EnsOperands *operands, const EnsIndexing *indexing,
                             EnsShape *shape, GError **error);
/* Elements of a run of data: 1 of elements. */
gsize ens_indexing_run (const EnsOperands *operands, const EnsIndexing *indexing);
/* Where in the data, counted in runs, run i of what the indices name lies. */
gsize ens_indexing_find (const EnsOperands *operands, const EnsIndexing *indexing, gsize i);
