/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An executor as its files see it: executor.c decides what runs where and lays memory out,
 * executor-write.c puts it into commands, executor-run.c runs them, executor-joint.c those of
 * several, profile.c measures, overflow.c lists float16 overflows. */
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
  gboolean overflowed;        /* on the CPU: stored what is no finite number as float16 */
} EnsVulkanStep;

/* Another executor in joint commands, or the one that keeps them. */
typedef struct {
  guint serial;
  gboolean preprocessed; /* its inputs are made on the device */
} EnsVulkanPartner;

/* Commands of several executors. */
typedef struct {
  EnsVulkanPartner *partners;
  guint n;
  EnsVulkanCommandPool pool;
  VkCommandBuffer commands; /* VK_NULL_HANDLE: none yet */
} EnsVulkanJoint;

void ens_vulkan_joint_clear (EnsVulkanJoint *joint, EnsVulkanDevice *device);

struct _EnsVulkanExecutor {
  guint serial; /* no other one of the device's has it, ever */
  EnsVulkanDevice *device;
  EnsVulkanWeights *weights;
  EnsThreadPool *pool;
  EnsGraph *graph;
  gboolean float32_arrays; /* of EnsVulkanContext */
  EnsMemoryPlan *memory;
  EnsVulkanView *views;     /* by value index */
  EnsVulkanRegion *regions; /* by value index */
  EnsVulkanStep *steps;
  EnsVulkanExecutorInfo info;
  EnsVulkanRecording *recording;

  EnsVulkanBuffer block; /* the arena, then inputs, then outputs */
  gsize *input_offsets, *output_offsets;
  gboolean *overflowed_inputs; /* whether input i held no finite number as float16 */
  EnsVulkanBuffer tables;
  /* Staging memory where the CPU can't reach the block: inputs, outputs, and operands of nodes on
   * the CPU. */
  EnsVulkanBuffer upload, readback, exchange;
  gpointer scratch; /* of nodes on the CPU */

  const EnsVulkanPipeline **pipelines; /* by dispatch */
  EnsVulkanDescriptors descriptors;
  EnsVulkanCommandPool command_pool;
  EnsVulkanProgram program;
  GArray *segments;        /* EnsVulkanSegment */
  double first_operations; /* of the first segment */
  EnsVulkanJoint joint;

  VkQueryPool queries; /* VK_NULL_HANDLE before the first profiled run */
  GArray *profiled;    /* EnsVulkanSegment, with timestamps */
};

static inline gsize
ens_vulkan_align (gsize size)
{
  return (size + ENS_VULKAN_ALIGNMENT - 1) / ENS_VULKAN_ALIGNMENT * ENS_VULKAN_ALIGNMENT;
}

/* Whether the CPU can't reach the block, so that everything has to be copied. */
static inline gboolean
ens_vulkan_executor_is_staged (const EnsVulkanExecutor *executor)
{
  return executor->block.mapped == NULL;
}

/* The parameters for recording the program. */
EnsVulkanRecorder ens_vulkan_executor_get_recorder (const EnsVulkanExecutor *executor);
/* Records the program; queries: of EnsVulkanRecorder. (transfer full) */
GArray *ens_vulkan_executor_record (EnsVulkanExecutor *executor, VkQueryPool queries,
                                    GError **error);

EnsVulkanRegion ens_vulkan_executor_get_input (const EnsVulkanExecutor *executor, guint i);
const EnsVulkanView *ens_vulkan_executor_get_output (const EnsVulkanExecutor *executor, guint i);
/* Offset of output i in the readback buffer. */
gsize ens_vulkan_executor_get_readback_offset (const EnsVulkanExecutor *executor, guint i);

/* What runs. */
typedef struct {
  const GArray *segments;    /* EnsVulkanSegment */
  EnsNodeTime *times;        /* may be NULL */
  GCancellable *cancellable; /* may be NULL */
} EnsVulkanSegments;

/* The parts of a run: arrays to where the program finds them, all that comes behind the commands of
 * the first segment, which have run, and results to arrays. */
void ens_vulkan_executor_take_inputs (EnsVulkanExecutor *executor, const gconstpointer *inputs);
gboolean ens_vulkan_executor_finish_segments (EnsVulkanExecutor *executor,
                                              const EnsVulkanSegments *run, GError **error);
void ens_vulkan_executor_give_outputs (const EnsVulkanExecutor *executor, const gpointer *outputs);

/* Prepares profiled runs, and adds what the last one has measured on the GPU. */
gboolean ens_vulkan_executor_start_profile (EnsVulkanExecutor *executor, GError **error);
gboolean ens_vulkan_executor_read_profile (EnsVulkanExecutor *executor, EnsNodeTime *times,
                                           GError **error);

/* Operations that a submission should take at most: it can't be cancelled. */
double ens_vulkan_get_most_operations (const EnsVulkanDevice *device);

/* Puts the steps into commands, with all copies that they need; allocates what is copied through.
 * Memory must have been laid out. */
gboolean ens_vulkan_executor_write_program (EnsVulkanExecutor *executor, GError **error);
