/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans as networks make them. */
#pragma once

#include "engine/network.h"
#include "engine/weights.h"
#include "graph/op.h"
#include "vulkan/preprocessor.h"

typedef struct {
  EnsDevice *device;
  EnsWeights *weights;
  GCancellable *cancellable; /* of the planning; may be NULL */
  EnsNetwork *network;       /* that it is planned for; NULL: none has plans */
} EnsPlanContext;

/* Plans `graph`, whose load-time passes have run, for concrete input shapes. (transfer full) */
EnsPlan *ens_plan_new (const EnsGraph *graph, const EnsShape *input_shapes,
                       const EnsPlanContext *context, GError **error);

/* Whether others than the caller hold it. */
gboolean ens_plan_is_shared (EnsPlan *plan);

/* The graph as a plan has it, within the device's limits, or NULL: inferred for these shapes, or
 * for a group of images where it takes no others. group: set to how many images that are; 0: all.
 * (transfer full) */
EnsGraph *ens_plan_infer (const EnsGraph *graph, const EnsShape *input_shapes, EnsDevice *device,
                          guint *group, GError **error);

/* A run of a plan. */
typedef struct {
  EnsPlan *plan;
  const gconstpointer *inputs; /* as of ens_plan_run (); NULL: preprocessed on the device */
  const gpointer *outputs;
  /* Where `inputs` is NULL: as of EnsVulkanRun. */
  const EnsPreprocessedImages *images;
  guint n_images;
} EnsPlanRun;

/* Runs plans of one device, all different and with arrays as inputs, at the same time where the
 * device can: on a GPU with one submission, or few where that would take long. Else as
 * ens_plan_run (), one after the other. */
gboolean ens_plans_run (const EnsPlanRun *runs, guint n, GCancellable *cancellable, GError **error);

/* Runs at least one plan at the same time, with inputs that preprocessors make from their frames.
 * Returns FALSE without side effects if the device can't do that, now or ever; callers then make
 * arrays of inputs and call ens_plans_run (). */
gboolean ens_plans_run_preprocessed (const EnsPlanRun *runs, guint n, GCancellable *cancellable);

/* FALSE with an error if the plan is none for ens_plans_run_preprocessed (): ENS_ERROR_RESOURCE if
 * one of fewer images might be, else ENS_ERROR_UNSUPPORTED. */
gboolean ens_plan_check_whole (EnsPlan *plan, GError **error);

/* Whether what a plan makes of each image depends on that image alone. */
gboolean ens_plan_is_per_image (EnsPlan *plan);
