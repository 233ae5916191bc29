#include "engine/weights.h"

EnsWeights *
ens_weights_new (void)
{
  EnsWeights *weights = g_new0 (EnsWeights, 1);

  g_atomic_ref_count_init (&weights->references);
  g_mutex_init (&weights->lock);
  weights->packed = ens_packed_weights_new ();
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
  g_mutex_clear (&weights->lock);
  g_free (weights);
}

EnsVulkanWeights *
ens_weights_ref_vulkan (EnsWeights *weights, EnsVulkanDevice *vulkan)
{
  EnsVulkanWeights *found;

  g_mutex_lock (&weights->lock);
  if (weights->vulkan != NULL && ens_vulkan_weights_get_device (weights->vulkan) != vulkan)
    g_clear_pointer (&weights->vulkan, ens_vulkan_weights_unref);
  if (weights->vulkan == NULL)
    weights->vulkan = ens_vulkan_weights_new (vulkan);
  found = ens_vulkan_weights_ref (weights->vulkan);
  g_mutex_unlock (&weights->lock);
  return found;
}

gsize
ens_weights_get_size (EnsWeights *weights)
{
  gsize size = ens_packed_weights_get_size (weights->packed);

  g_mutex_lock (&weights->lock);
  if (weights->vulkan != NULL)
    size += ens_vulkan_weights_get_size (weights->vulkan);
  g_mutex_unlock (&weights->lock);
  return size;
}
