/* What runs a plan: one kind for each kind of device. */
#pragma once

#include "engine/device-private.h"
#include "engine/plan-private.h"
#include "engine/weights.h"
#include "graph/op.h"

typedef struct _EnsRunner EnsRunner;

typedef struct {
  void (*free) (EnsRunner *runner);
  gsize (*get_arena_size) (const EnsRunner *runner);
  guint (*get_n_nodes) (const EnsRunner *runner);
  /* As ens_plan_profile (); one thread at a time. */
  gboolean (*run) (EnsRunner *runner, const gconstpointer *inputs, const gpointer *outputs,
                   EnsNodeTime *times, GError **error);
  /* Runs several of this class at the same time; FALSE, and no harm done, if they have to run one
   * by one, from arrays of inputs. NULL: they always have. */
  gboolean (*run_together) (EnsRunner *const *runners, const EnsSampledRun *runs, guint n,
                            EnsVulkanPreprocessor *preprocessor);
} EnsRunnerClass;

struct _EnsRunner {
  const EnsRunnerClass *class;
};

/* What a runner is made for. */
typedef struct {
  const EnsGraph *graph;    /* load-time passes have run */
  const EnsGraph *inferred; /* its copy, with the shapes to run on; outlives the runner */
  EnsDevice *device;
  EnsWeights *weights; /* outlives the runner */
} EnsRunnerParams;

/* (transfer full) */
EnsRunner *ens_cpu_runner_new (const EnsRunnerParams *params, GError **error);
EnsRunner *ens_vulkan_runner_new (const EnsRunnerParams *params, GError **error);
