/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packed weights: what ens_packed_weights_get () of graph/op.h fills. */
#pragma once

#include "graph/op.h"

/* (transfer full) */
EnsPackedWeights *ens_packed_weights_new (void);
EnsPackedWeights *ens_packed_weights_ref (EnsPackedWeights *weights);
void ens_packed_weights_unref (EnsPackedWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsPackedWeights, ens_packed_weights_unref)

/* Bytes of all packed forms. Any thread. */
gsize ens_packed_weights_get_size (EnsPackedWeights *weights);
