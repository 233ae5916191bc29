/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network's weights in the forms that executors want, made as they ask, shared by all plans. */
#pragma once

#include "cpu/weights.h"
#include "vulkan/weights.h"

typedef struct {
  gatomicrefcount references;
  EnsPackedWeights *packed; /* for the CPU */
  /*< private >*/
  GMutex lock;
  EnsVulkanWeights *vulkan; /* for the GPU that was asked for last, or NULL */
  GHashTable *float16;      /* float32 EnsTensor → the same as float16 */
} EnsWeights;

/* (transfer full) */
EnsWeights *ens_weights_new (void);
EnsWeights *ens_weights_ref (EnsWeights *weights);
void ens_weights_unref (EnsWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsWeights, ens_weights_unref)

/* Those for a GPU: the same for the same one. Any thread. (transfer full) */
EnsVulkanWeights *ens_weights_ref_vulkan (EnsWeights *weights, EnsVulkanDevice *vulkan);

/* A float32 constant as float16: the same for the same one. NULL if a number overflows. Any
 * thread. (transfer full) */
EnsTensor *ens_weights_to_float16 (EnsWeights *weights, EnsTensor *constant);

/* Bytes of all forms. Any thread. */
gsize ens_weights_get_size (EnsWeights *weights);
