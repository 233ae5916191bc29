/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A node that runs on the CPU between two submissions, because no shader takes it. */
#pragma once

#include "graph/op.h"
#include "vulkan/recording.h"

typedef struct {
  EnsOperands operands; /* their views point to memory that the CPU reaches */
  EnsView *views;       /* inputs, then outputs */
  EnsCpuPlan plan;
  void (*run) (const EnsOperands *operands, const EnsCpuContext *context); /* NULL: reference */
} EnsVulkanCpuStep;

/* Chooses the kernel. ens_vulkan_cpu_step_place () sets the operands' addresses afterwards. */
EnsVulkanCpuStep *ens_vulkan_cpu_step_new (const EnsOperands *operands, EnsThreadPool *pool,
                                           EnsPackedWeights *weights);
void ens_vulkan_cpu_step_free (EnsVulkanCpuStep *step);

/* Sets the address of operand i (inputs, then outputs). */
void ens_vulkan_cpu_step_place (EnsVulkanCpuStep *step, guint i, gpointer data);
void ens_vulkan_cpu_step_run (const EnsVulkanCpuStep *step, EnsThreadPool *pool, gpointer scratch);
