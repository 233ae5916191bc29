/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations that nodes apply to their results. */
#pragma once

#include "ops/params.h"

/* Where the node keeps the activation it applies to its result; NULL if it can't, or node is
 * NULL. */
EnsFusedActivation *ens_node_fused_activation (const EnsNode *node);
