/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a graph with concrete shapes on a GPU.
 *
 * Everything is decided, allocated and recorded when the executor is made: a run copies the inputs,
 * submits the recorded commands and copies the outputs. Nodes without a shader run on the CPU,
 * between two submissions; the log names them at INFO. */
#pragma once

#include "base/cancel.h"
#include "graph/node-time.h"
#include "graph/op.h"
#include "vulkan/preprocessor.h"
#include "vulkan/weights.h"

typedef struct _EnsVulkanExecutor EnsVulkanExecutor;

/* Parameters of an executor, which takes references. */
typedef struct {
  EnsVulkanDevice *device;
  EnsVulkanWeights *weights;
  EnsThreadPool *pool;           /* for nodes on the CPU, and for making pipelines */
  EnsPackedWeights *cpu_weights; /* likewise; must outlive the executor */
  /* Fail with ENS_ERROR_RESOURCE rather than run a node on the CPU because it is too large. */
  gboolean whole;
  /* Arrays for inputs of FLOAT16 hold float32, which is converted. */
  gboolean float32_arrays;
  GCancellable *cancellable; /* of making the executor; may be NULL */
} EnsVulkanContext;

/* Takes ownership of the graph, whose shapes must have been inferred. (transfer full) */
EnsVulkanExecutor *ens_vulkan_executor_new (EnsGraph *graph, const EnsVulkanContext *context,
                                            GError **error);
void ens_vulkan_executor_free (EnsVulkanExecutor *executor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanExecutor, ens_vulkan_executor_free)

/* Facts about an executor. */
typedef struct {
  gsize size;        /* bytes on the device beside the weights */
  guint n_steps;     /* nodes that do something */
  guint n_cpu_steps; /* those of them that run on the CPU */
  guint n_barriers;  /* between commands of one run */
} EnsVulkanExecutorInfo;

/* (transfer none) */
const EnsVulkanExecutorInfo *ens_vulkan_executor_get_info (const EnsVulkanExecutor *executor);

/* Adds the names of nodes that run on the CPU with float16 operands, which it is slow at. */
void ens_vulkan_executor_list_float16_on_cpu (const EnsVulkanExecutor *executor, GHashTable *names);

/* Whether runs since the last call overflowed: stored as float16 what is then no finite number.
 * Adds the names of the values that overflowed first, with `all` of those computed from them too.
 * names: a set of names, or NULL. */
gboolean ens_vulkan_executor_take_overflows (EnsVulkanExecutor *executor, gboolean all,
                                             GHashTable *names);

/* Dense arrays of the graph's input and output shapes. times: NULL, or one element for each step,
 * to which what is known of it is added. Whether it was cancelled is looked at before each
 * submission, and between nodes on the CPU: outputs are undefined then. One thread at a time. */
gboolean ens_vulkan_executor_run (EnsVulkanExecutor *executor, const gconstpointer *inputs,
                                  const gpointer *outputs, EnsNodeTime *times,
                                  GCancellable *cancellable, GError **error);

/* A run of an executor. */
typedef struct {
  EnsVulkanExecutor *executor;
  const gconstpointer *inputs; /* NULL: preprocessed on the device */
  const gpointer *outputs;
  /* Where `inputs` is NULL: what, in equal parts of the batch. A part without a preprocessor is not
   * made, and its results are undefined. */
  const EnsPreprocessedImages *images;
  guint n_images;
} EnsVulkanRun;

/* Runs different executors of one device at the same time: one submission for all, as far as no
 * nodes run on the CPU, and it would not take too long to be cancelled. One thread at a time. */
gboolean ens_vulkan_executors_run (const EnsVulkanRun *runs, guint n, GCancellable *cancellable,
                                   GError **error);
