/* What operators have recorded (graph/commands.h), and how the executor drives it. */
#pragma once

#include "graph/commands.h"
#include "passes/memory.h"
#include "vulkan/pipelines.h"
#include "vulkan/weights-private.h"

/* A tensor on the device: what operators see of it, and where it lies. Views that operators get
 * are the first members of these. */
typedef struct {
  EnsView view;
  EnsTensor *constant;           /* its contents, or NULL */
  const EnsPlace *place;         /* of a value of the graph; NULL: it is none */
  const EnsVulkanRegion *region; /* NULL: a constant that no dispatch reads */
} EnsVulkanView;

typedef struct {
  EnsVulkanPipelineKey key;
  EnsVulkanView *views[ENS_MAX_BINDINGS];
  EnsAccess accesses[ENS_MAX_BINDINGS];
  guint32 push[32];
  guint32 groups[3];
} EnsVulkanDispatch;

/* Scratch memory of a node; its place is known when the plan's memory has been laid out. */
typedef struct {
  EnsVulkanView view;
  EnsVulkanRegion region; /* while recording, offset counts from the node's scratch memory */
  guint node;             /* its position */
} EnsVulkanScratch;

/* The alignment of everything that shaders bind from its start. */
#define ENS_VULKAN_ALIGNMENT 256

/* Records for one plan. tables: the buffer that tables will be in. */
EnsCommands *ens_commands_new (EnsVulkanDevice *device, EnsVulkanWeights *weights,
                               const EnsVulkanBuffer *tables);
void ens_commands_free (EnsCommands *commands);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsCommands, ens_commands_free)

/* Lets a node record itself. FALSE, and nothing recorded, if its operator has no shader for it or
 * the device can't bind its operands; *reason says why, a static string. */
gboolean ens_commands_record (EnsCommands *commands, const EnsOperands *operands, guint position,
                              const char **reason);

/* Whether the node that was refused last would be taken if it were smaller. */
gboolean ens_commands_is_too_large (const EnsCommands *commands);

/* Bytes of scratch memory that the node recorded last asked for. */
gsize ens_commands_get_scratch_size (const EnsCommands *commands);

/* EnsVulkanDispatch, in order. */
const GArray *ens_commands_get_dispatches (const EnsCommands *commands);
/* EnsVulkanScratch of all nodes. */
const GPtrArray *ens_commands_get_scratch (const EnsCommands *commands);
/* What the tables' buffer holds. */
const GByteArray *ens_commands_get_tables (const EnsCommands *commands);
