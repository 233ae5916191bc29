/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks from graphs, for the layers that build graphs. */
#pragma once

#include "engine/network.h"
#include "graph/graph.h"

/* Takes ownership of the graph, runs the passes that don't depend on sizes, such as folding batch
 * normalisation, and prepares it for the device. (transfer full) */
EnsNetwork *ens_network_new (EnsGraph *graph, EnsDevice *device, GError **error);
/* The same on a sibling's device. Weights of constants that both graphs have are packed once for
 * both. (transfer full) */
EnsNetwork *ens_network_new_beside (EnsGraph *graph, EnsNetwork *sibling, GError **error);

/* Keeps this plan no longer, so that the next one of its shapes is made anew; not if another thread
 * plans just now. */
void ens_network_drop_plan (EnsNetwork *network, const EnsPlan *plan);

/* Memory is short for a plan of this network on a GPU, whose planning calls: frees the plans on
 * that GPU that nobody uses, of all networks but those that are planned for otherwise. Whether
 * there were any. Seldom for one network: plans that can't be in memory together would else be made
 * again and again. */
gboolean ens_network_drop_idle_plans (EnsNetwork *network);
