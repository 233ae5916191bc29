/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bundles of zero-shot classes alone and bundles that have others too are made of. */
#pragma once

#include "ensemble/bundle-private.h"
#include "graph/graph.h"
#include "train/zero-shot.h"

/* From features, (N, length), to decision values. (transfer full) */
EnsGraph *ens_zero_shot_make_classifier (const EnsZeroShotParams *params);

/* Settings of the network, the n-th of the bundle, whose classes are known. FALSE with an error if
 * it does not fit the vectors. */
gboolean ens_zero_shot_set_up_network (const EnsZeroShotParams *params, const EnsBundle *bundle,
                                       guint n, EnsBundleNetwork *network,
                                       const EnsMonitor *monitor, GError **error);

/* Vectors, how they are used, and no path, as JSON. (transfer full) */
char *ens_zero_shot_describe_origin (const EnsZeroShotParams *params);
