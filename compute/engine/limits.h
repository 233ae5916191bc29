/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory and arithmetic a plan may take: a file of a few bytes can ask for more than any
 * machine has. Checked while planning, before anything is allocated or run. */
#pragma once

#include "engine/device.h"
#include "graph/op.h"

/* What they come to. */
gsize ens_limits_get_memory (const EnsLimits *limits);
guint64 ens_limits_get_operations (const EnsLimits *limits);

/* Bytes of plans that a network keeps for later: ENSEMBLE_PLAN_MEMORY, or what suits the device. */
gsize ens_limits_get_plans (EnsDevice *device);

/* Operations of all nodes of a graph with inferred shapes. Elementwise ones count one for each
 * element. */
double ens_graph_count_operations (const EnsGraph *inferred);
/* "3.6 G": for people. (transfer full) */
char *ens_format_operations (double operations);

/* FALSE, with an error that names the node which takes most, and the figures, if one value alone is
 * larger than the memory, or an image takes more operations. */
gboolean ens_limits_check_graph (const EnsLimits *limits, const EnsGraph *inferred, GError **error);
/* The same for `size` bytes of intermediate values. */
gboolean ens_limits_check_memory (const EnsLimits *limits, const EnsGraph *inferred, gsize size,
                                  GError **error);
