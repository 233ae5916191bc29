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

/* Elements: input 1 has input 0's rank and, but along `axis`, at most its lengths. */
gboolean ens_check_elements (const EnsOperands *operands, guint axis, GError **error);
/* The index into data's elements of index i. */
gsize ens_find_element (const EnsShape *data, const EnsView *indices, guint axis, gsize i);

/* Tuples: the last axis of input 1 holds indices of as many axes, behind the first `batch` ones,
 * which both have; behind these stand runs of data. */
gboolean ens_check_tuples (const EnsOperands *operands, guint batch, GError **error);
/* Elements of a run. */
gsize ens_tuple_run (const EnsShape *data, const EnsShape *indices, guint batch);
gsize ens_count_tuples (const EnsShape *indices);
/* The run that tuple i names. */
gsize ens_find_run (const EnsShape *data, const EnsView *indices, guint batch, gsize i);
