/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What operators record of a plan through EnsCommands (graph/commands.h), and how the executor
 * drives it. */
#pragma once

#include "graph/commands.h"
#include "passes/memory.h"
#include "vulkan/pipelines.h"
#include "vulkan/weights-private.h"

/* A tensor on the device: the view that operators get, and its memory. */
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

/* The dispatches of one plan. tables: the buffer that tables will be in. */
typedef struct _EnsVulkanRecording EnsVulkanRecording;

EnsVulkanRecording *ens_vulkan_recording_new (EnsVulkanDevice *device, EnsVulkanWeights *weights,
                                              const EnsVulkanBuffer *tables);
void ens_vulkan_recording_free (EnsVulkanRecording *recording);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanRecording, ens_vulkan_recording_free)

/* Lets a node's operator record its dispatches. FALSE, and nothing recorded, if its operator has no
 * shader for it or the device can't bind its operands; *reason says why, a static string. */
gboolean ens_vulkan_recording_add (EnsVulkanRecording *recording, const EnsOperands *operands,
                                   guint position, const char **reason);

/* Whether the node that was refused last is only too large. */
gboolean ens_vulkan_recording_is_too_large (const EnsVulkanRecording *recording);

/* Bytes of scratch memory that the node recorded last asked for. */
gsize ens_vulkan_recording_get_scratch_size (const EnsVulkanRecording *recording);

/* EnsVulkanDispatch, in order. */
const GArray *ens_vulkan_recording_get_dispatches (const EnsVulkanRecording *recording);
/* EnsVulkanScratch of all nodes. */
const GPtrArray *ens_vulkan_recording_get_scratch (const EnsVulkanRecording *recording);
/* The contents of the tables' buffer. */
const GByteArray *ens_vulkan_recording_get_tables (const EnsVulkanRecording *recording);
