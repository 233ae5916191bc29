/* Plans as networks make them. */
#pragma once

#include <ensemble/network.h>

#include "engine/weights.h"
#include "graph/op.h"

/* Plans `graph`, whose load-time passes have run, for concrete input shapes. (transfer full) */
EnsPlan *ens_plan_new (const EnsGraph *graph, const EnsShape *input_shapes, EnsDevice *device,
                       EnsWeights *weights, GError **error);
