/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of a plan in order, with the memory they touch. They are recorded into command
 * buffers, one for each stretch between nodes that run on the CPU. */
#pragma once

#include "vulkan/command-pool.h"
#include "vulkan/cpu-step.h"
#include "vulkan/descriptors.h"
#include "vulkan/hazards.h"

typedef enum {
  ENS_COMMAND_DISPATCH,
  ENS_COMMAND_COPY,
  ENS_COMMAND_FILL, /* with NaN */
  ENS_COMMAND_CPU,
  ENS_COMMAND_ACQUIRE,
  ENS_COMMAND_RELEASE,
} EnsVulkanCommandKind;

typedef struct {
  EnsVulkanCommandKind kind;
  guint node;                 /* number of the step it belongs to; G_MAXUINT: none */
  guint dispatch;             /* its number */
  EnsVulkanRegion from, to;   /* COPY; FILL, ACQUIRE, RELEASE: to */
  gsize run, pitch;           /* COPY: bytes of each row, and from one row to the next */
  EnsVulkanCpuStep *cpu_step; /* CPU */
} EnsVulkanCommand;

/* A command buffer, and the node that runs on the CPU when it has run. */
typedef struct {
  VkCommandBuffer commands;   /* VK_NULL_HANDLE: nothing to submit */
  EnsVulkanCpuStep *cpu_step; /* NULL: none */
  guint node;                 /* number of that step */
} EnsVulkanSegment;

typedef struct {
  GArray *commands;  /* EnsVulkanCommand */
  GArray *hazards;   /* EnsHazard, one for each command */
  GPtrArray *labels; /* by step: its name in debuggers; or NULL */
} EnsVulkanProgram;

void ens_vulkan_program_init (EnsVulkanProgram *program);
void ens_vulkan_program_clear (EnsVulkanProgram *program);

/* Appending. Regions must be final. */
void ens_vulkan_program_dispatch (EnsVulkanProgram *program, const EnsVulkanDispatch *dispatch,
                                  guint number, guint node);
void ens_vulkan_program_copy (EnsVulkanProgram *program, const EnsVulkanRegion *from,
                              const EnsVulkanRegion *to);
/* The same for the elements of a view only, which have the same layout in both regions: the gaps
 * between its rows keep their contents. */
void ens_vulkan_program_copy_view (EnsVulkanProgram *program, const EnsView *view,
                                   const EnsVulkanRegion *from, const EnsVulkanRegion *to);
void ens_vulkan_program_poison (EnsVulkanProgram *program, const EnsVulkanRegion *region);
/* Queue family ownership transfers of an imported buffer: from the driver that has written it,
 * before all commands that read it, and back to it, after them. */
void ens_vulkan_program_acquire (EnsVulkanProgram *program, const EnsVulkanRegion *region);
void ens_vulkan_program_release (EnsVulkanProgram *program, const EnsVulkanRegion *region);
void ens_vulkan_program_run_cpu (EnsVulkanProgram *program, EnsVulkanCpuStep *step, guint node);
/* What follows is another submission. */
void ens_vulkan_program_cut (EnsVulkanProgram *program);

/* Places barriers; with the validation layers on they are checked too. */
gboolean ens_vulkan_program_place_barriers (EnsVulkanProgram *program, gboolean validation,
                                            GError **error);

/* Parameters for recording a program. */
typedef struct {
  EnsVulkanDevice *device;
  const char *name;           /* of the command buffers, in debuggers */
  EnsVulkanCommandPool *pool; /* of ens_vulkan_program_record () */
  const GArray *dispatches;   /* EnsVulkanDispatch */
  const EnsVulkanPipeline *const *pipelines;
  const EnsVulkanDescriptors *descriptors;
  /* VK_NULL_HANDLE, or timestamps: 2 · step when it begins, 2 · step + 1 when it ends. Steps then
   * run one after the other. */
  VkQueryPool queries;
  /* NULL, or a staging buffer whose copies are left out, since their data is there already. */
  const EnsVulkanBuffer *left_out;
} EnsVulkanRecorder;

/* Records the segments, an array of EnsVulkanSegment. NULL on error. (transfer full) */
GArray *ens_vulkan_program_record (const EnsVulkanProgram *program,
                                   const EnsVulkanRecorder *recorder, GError **error);

/* A program that is recorded among others. */
typedef struct {
  const EnsVulkanProgram *program;
  EnsVulkanRecorder recorder;
} EnsVulkanPart;

/* Records the commands of n programs up to their first node on the CPU, level by level: commands
 * between two barriers of one program run beside those of the others, so that there are no more
 * barriers than the longest program needs. No program may write memory that another one touches.
 * VK_NULL_HANDLE on error; else the commands belong to the pool. */
VkCommandBuffer ens_vulkan_program_record_joint (const EnsVulkanPart *parts, guint n,
                                                 EnsVulkanCommandPool *pool, GError **error);
