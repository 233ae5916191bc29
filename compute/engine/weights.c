#include "engine/weights.h"

EnsWeights *
ens_weights_new (EnsDevice *device)
{
  EnsWeights *weights = g_new0 (EnsWeights, 1);
  EnsVulkanDevice *vulkan = ens_device_get_vulkan (device);

  g_atomic_ref_count_init (&weights->references);
  weights->packed = ens_packed_weights_new ();
  if (vulkan != NULL)
    weights->vulkan = ens_vulkan_weights_new (vulkan);
  return weights;
}

EnsWeights *
ens_weights_ref (EnsWeights *weights)
{
  g_atomic_ref_count_inc (&weights->references);
  return weights;
}

void
ens_weights_unref (EnsWeights *weights)
{
  if (!g_atomic_ref_count_dec (&weights->references))
    return;
  g_clear_pointer (&weights->vulkan, ens_vulkan_weights_unref);
  ens_packed_weights_unref (weights->packed);
  g_free (weights);
}

gsize
ens_weights_get_size (EnsWeights *weights)
{
  gsize size = ens_packed_weights_get_size (weights->packed);

  return weights->vulkan != NULL ? size + ens_vulkan_weights_get_size (weights->vulkan) : size;
}
