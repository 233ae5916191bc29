/* Networks from graphs: the engine's face towards the layers that build graphs. */
#pragma once

#include "engine/network.h"
#include "graph/graph.h"

/* Takes the graph over, folds batch normalisation and what else does not depend on sizes, and
 * prepares it for the device. (transfer full) */
EnsNetwork *ens_network_new (EnsGraph *graph, EnsDevice *device, GError **error);
/* The same on a sibling's device. Weights of constants that both graphs have are packed once for
 * both. (transfer full) */
EnsNetwork *ens_network_new_beside (EnsGraph *graph, EnsNetwork *sibling, GError **error);
