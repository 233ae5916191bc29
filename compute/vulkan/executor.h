/* Runs a graph with concrete shapes on a GPU.
 *
 * Everything is decided, allocated and recorded when the executor is made: running it copies the
 * inputs in, submits what was recorded and copies the outputs out. Nodes that no shader takes run
 * on the CPU, between two submissions; the log names them at INFO. */
#pragma once

#include "graph/node-time.h"
#include "graph/op.h"
#include "vulkan/preprocessor.h"
#include "vulkan/weights.h"

typedef struct _EnsVulkanExecutor EnsVulkanExecutor;

/* What an executor works with; it takes references. */
typedef struct {
  EnsVulkanDevice *device;
  EnsVulkanWeights *weights;
  EnsThreadPool *pool;           /* for nodes on the CPU, and for making pipelines */
  EnsPackedWeights *cpu_weights; /* likewise; must outlive the executor */
  /* Fail with ENS_ERROR_RESOURCE rather than run a node on the CPU because it is too large. */
  gboolean whole;
  /* Arrays for inputs of FLOAT16 hold floats of 32 bits, which are converted. */
  gboolean float32_arrays;
} EnsVulkanContext;

/* Takes the graph over; its shapes must have been inferred. (transfer full) */
EnsVulkanExecutor *ens_vulkan_executor_new (EnsGraph *graph, const EnsVulkanContext *context,
                                            GError **error);
void ens_vulkan_executor_free (EnsVulkanExecutor *executor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanExecutor, ens_vulkan_executor_free)

/* Bytes on the device beside the weights. */
gsize ens_vulkan_executor_get_size (const EnsVulkanExecutor *executor);
/* Nodes that do something, and how many of them run on the CPU. */
guint ens_vulkan_executor_get_n_steps (const EnsVulkanExecutor *executor);
guint ens_vulkan_executor_get_n_cpu_steps (const EnsVulkanExecutor *executor);
/* Barriers between commands of one run. */
guint ens_vulkan_executor_get_n_barriers (const EnsVulkanExecutor *executor);

/* Adds the names of nodes that run on the CPU on numbers of 16 bits, which it is slow at. */
void ens_vulkan_executor_list_half_on_cpu (const EnsVulkanExecutor *executor, GHashTable *names);

/* Whether runs since this was asked last have stored what is no finite number in 16 bits. Adds the
 * names of the values it was first seen in, of those behind them too if `all`. A table of names, or
 * NULL. */
gboolean ens_vulkan_executor_take_overflows (EnsVulkanExecutor *executor, gboolean all,
                                             GHashTable *names);

/* Dense arrays of the graph's input and output shapes. times: NULL, or one element for each step,
 * to which what is known of it is added. One thread at a time. */
gboolean ens_vulkan_executor_run (EnsVulkanExecutor *executor, const gconstpointer *inputs,
                                  const gpointer *outputs, EnsNodeTime *times, GError **error);

/* What an executor runs on. */
typedef struct {
  EnsVulkanExecutor *executor;
  const gconstpointer *inputs; /* NULL: they are sampled on the device … */
  const gpointer *outputs;
  const EnsBatchTable *tables; /* … as these say, one for each input */
} EnsVulkanRun;

/* Runs different executors of one device at the same time: one submission for all, as far as no
 * nodes run on the CPU. preprocessor: NULL if nothing is sampled. One thread at a time. */
gboolean ens_vulkan_executors_run (const EnsVulkanRun *runs, guint n,
                                   EnsVulkanPreprocessor *preprocessor, GError **error);
