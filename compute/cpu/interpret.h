/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs graphs by the operators' references alone: every value in memory of its own, no pass, no
 * plan. Slow; what everything else is compared with. */
#pragma once

#include "graph/graph.h"

/* inputs: one tensor for each graph input, of concrete shape. Returns the graph's outputs,
 * EnsTensor. (transfer full) */
GPtrArray *ens_interpret (const EnsGraph *graph, EnsTensor *const *inputs, GError **error);
