/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which nodes of a graph can run in parallel. */
#pragma once

#include "graph/graph.h"

/* Puts the nodes into the order of their levels, and returns these by position, never falling: a
 * node's level is one above the highest among those that compute its inputs, so that nodes of one
 * level don't depend on each other. A view has the level of its input. (transfer full) */
guint *ens_graph_order_by_level (EnsGraph *graph);
