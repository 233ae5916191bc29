/* An executor as its files see it: executor.c decides what runs where and lays memory out,
 * executor-run.c puts it into commands and runs them, profile.c measures. */
#pragma once

#include "passes/memory.h"
#include "vulkan/executor.h"
#include "vulkan/program.h"

/* A node that does something. */
typedef struct {
  const EnsNode *node;
  guint position; /* in the graph */
  EnsOperands operands;
  guint first_dispatch, n_dispatches;
  EnsVulkanCpuStep *cpu_step; /* NULL: it runs on the GPU */
} EnsVulkanStep;

struct _EnsVulkanExecutor {
  EnsVulkanDevice *device;
  EnsVulkanWeights *weights;
  EnsPool *pool;
  EnsGraph *graph;
  EnsMemoryPlan *memory;
  EnsVulkanView *views;     /* by value index */
  EnsVulkanRegion *regions; /* by value index */
  EnsVulkanStep *steps;
  guint n_steps, n_cpu_steps;
  EnsCommands *commands;

  EnsVulkanBuffer block; /* the arena, then inputs, then outputs */
  gsize *input_offsets, *output_offsets;
  EnsVulkanBuffer tables;
  /* Where the CPU can't reach the block: inputs, outputs, and what nodes on the CPU read and write,
   * in memory that it can reach. */
  EnsVulkanBuffer upload, readback, exchange;
  gpointer scratch; /* of nodes on the CPU */

  const EnsVulkanPipeline **pipelines; /* by dispatch */
  EnsVulkanDescriptors descriptors;
  EnsVulkanCommandPool command_pool;
  EnsVulkanProgram program;
  GArray *segments; /* EnsVulkanSegment */
  /* The same without copying inputs in; NULL before the first run that needs no copies. */
  GArray *sampled;

  VkQueryPool queries; /* VK_NULL_HANDLE before the first profiled run */
  GArray *profiled;    /* EnsVulkanSegment, with timestamps */
};

static inline gsize
ens_vulkan_align (gsize size)
{
  return (size + ENS_VULKAN_ALIGNMENT - 1) / ENS_VULKAN_ALIGNMENT * ENS_VULKAN_ALIGNMENT;
}

/* Records the program; queries, left_out: of EnsVulkanRecorder. (transfer full) */
GArray *ens_vulkan_executor_record (EnsVulkanExecutor *executor, VkQueryPool queries,
                                    const EnsVulkanBuffer *left_out, GError **error);

/* Prepares profiled runs, and adds what the last one has measured on the GPU. */
gboolean ens_vulkan_executor_start_profile (EnsVulkanExecutor *executor, GError **error);
gboolean ens_vulkan_executor_read_profile (EnsVulkanExecutor *executor, EnsNodeTime *times,
                                           GError **error);

/* Puts the steps into commands, with all copies that they need; allocates what is copied through.
 * Memory must have been laid out. */
gboolean ens_vulkan_executor_write_program (EnsVulkanExecutor *executor, GError **error);
