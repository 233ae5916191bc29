/* Plans as networks make them. */
#pragma once

#include "engine/network.h"
#include "engine/weights.h"
#include "graph/op.h"
#include "vulkan/preprocessor.h"

/* Plans `graph`, whose load-time passes have run, for concrete input shapes. (transfer full) */
EnsPlan *ens_plan_new (const EnsGraph *graph, const EnsShape *input_shapes, EnsDevice *device,
                       EnsWeights *weights, GError **error);

/* A run whose inputs may be sampled where they are read. */
typedef struct {
  EnsPlan *plan;
  const gconstpointer *inputs; /* NULL: sampled, as the tables say, one for each input */
  const gpointer *outputs;
  const EnsBatchTable *tables;
} EnsSampledRun;

/* As ens_plans_run (), of at least one, from the preprocessor's frame. FALSE, and no harm done, if
 * that can't be done now or never can; ens_plans_run () then can, from arrays of inputs. */
gboolean ens_plans_run_sampled (const EnsSampledRun *runs, guint n,
                                EnsVulkanPreprocessor *preprocessor);
