/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einstein's summation: Y[output's indices] = Σ of the others, Π inputs[their indices]. */
#pragma once

#include "ops/operands.h"

#define ENS_EINSUM_MAX_INPUTS 8
/* Letters, and as many axes as “…” may stand for. */
#define ENS_EINSUM_MAX_INDICES (2 * 26 + ENS_MAX_RANK)

typedef struct {
  guint rank;
  guint8 indices[ENS_MAX_RANK]; /* numbers of indices, one per axis */
} EnsEinsumTerm;

/* An equation, made concrete by the shapes of its inputs. */
typedef struct {
  guint n_inputs;
  EnsEinsumTerm inputs[ENS_EINSUM_MAX_INPUTS], output;
  gint64 sizes[ENS_EINSUM_MAX_INDICES]; /* of indices; 0 of those that are not there, too */
  gboolean used[ENS_EINSUM_MAX_INDICES];
} EnsEinsum;

gboolean ens_einsum_read (const EnsOperands *operands, EnsEinsum *einsum, GError **error);

/* Whether the term has the index. */
gboolean ens_einsum_has (const EnsEinsumTerm *term, guint index);
/* Whether an index stands for two axes of the term, whose diagonal it takes. */
gboolean ens_einsum_repeats (const EnsEinsumTerm *term);
