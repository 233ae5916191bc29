/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backends, which run a plan: one for the CPU, one for GPUs. */
#pragma once

#include "base/cancel.h"
#include "engine/device-private.h"
#include "engine/plan-private.h"
#include "engine/weights.h"
#include "graph/op.h"

typedef struct _EnsBackend EnsBackend;

/* What describes a node of a plan, in bytes: it is in the inferred graph and in the executor's
 * copy, with views and tables of its kernel. The heap grows by 1600 to 3600 bytes a node with a
 * plan on the CPU of MobileNet v1, ResNet-20 or SqueezeNet 1.1 for one more size of batch: rounded
 * up. */
#define ENS_PLAN_NODE_SIZE ((gsize)4096)
/* The same in each further executor's copy. */
#define ENS_PLAN_COPY_SIZE (ENS_PLAN_NODE_SIZE / 2)

/* A run: the arguments of ens_plan_profile (). */
typedef struct {
  const gconstpointer *inputs;
  const gpointer *outputs;
  EnsNodeTime *times;        /* may be NULL */
  GCancellable *cancellable; /* may be NULL */
} EnsBackendRun;

typedef struct {
  void (*free) (EnsBackend *backend);
  gsize (*get_arena_size) (const EnsBackend *backend);
  /* Bytes of the arena unless other plans use the same one, and of copies of the graph beyond the
   * first. */
  gsize (*get_own_size) (const EnsBackend *backend);
  guint (*get_n_nodes) (const EnsBackend *backend);
  /* As ens_plan_profile (); one thread at a time. */
  gboolean (*run) (EnsBackend *backend, const EnsBackendRun *run, GError **error);
  /* Runs several of this class at the same time. Returns FALSE without side effects if the runs
   * can't be batched; callers then run them one by one, from arrays of inputs. NULL if batching is
   * not supported. */
  gboolean (*run_together) (EnsBackend *const *backends, const EnsPlanRun *runs, guint n,
                            GCancellable *cancellable);
  /* Whether run_together () can take it as it is now. */
  gboolean (*is_whole) (const EnsBackend *backend);
} EnsBackendClass;

struct _EnsBackend {
  const EnsBackendClass *class;
};

/* Parameters of a backend. */
typedef struct {
  const EnsGraph *graph;    /* load-time passes have run */
  const EnsGraph *inferred; /* its copy, with the shapes to run on; outlives the backend */
  EnsDevice *device;
  EnsWeights *weights;       /* outlives the backend */
  GCancellable *cancellable; /* of the planning; may be NULL */
  EnsNetwork *network;       /* as in EnsPlanContext */
} EnsBackendParams;

/* (transfer full) */
EnsBackend *ens_cpu_backend_new (const EnsBackendParams *params, GError **error);
EnsBackend *ens_vulkan_backend_new (const EnsBackendParams *params, GError **error);
