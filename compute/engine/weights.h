/* A network's weights in the forms that the executors of its device want, shared by all plans. */
#pragma once

#include "cpu/weights.h"
#include "engine/device.h"
#include "vulkan/weights.h"

typedef struct {
  gatomicrefcount references;
  EnsPackedWeights *packed; /* for the CPU */
  EnsVulkanWeights *vulkan; /* NULL: the device is no GPU */
} EnsWeights;

/* (transfer full) */
EnsWeights *ens_weights_new (EnsDevice *device);
EnsWeights *ens_weights_ref (EnsWeights *weights);
void ens_weights_unref (EnsWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsWeights, ens_weights_unref)

/* Bytes of all forms. Any thread. */
gsize ens_weights_get_size (EnsWeights *weights);
