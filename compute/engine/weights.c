/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/weights.h"

#include <math.h>

#include "ops/operands.h"

#include "push/push.h"

EnsWeights *
ens_weights_new (void)
{
  EnsWeights *weights = g_new0 (EnsWeights, 1);

  g_atomic_ref_count_init (&weights->references);
  g_mutex_init (&weights->lock);
  weights->packed = ens_packed_weights_new ();
  weights->float16 = g_hash_table_new_full (NULL, NULL, (GDestroyNotify)ens_tensor_unref,
                                            (GDestroyNotify)ens_tensor_unref);
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
  g_hash_table_unref (weights->float16);
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

static EnsTensor *
convert (const EnsTensor *constant)
{
  g_autoptr (EnsTensor) converted = ens_tensor_new (ENS_TYPE_FLOAT16, &constant->shape);
  EnsView from = ens_view_dense (constant->type, &constant->shape, constant->data);
  EnsView to = ens_view_dense (converted->type, &converted->shape, converted->data);
  gsize n = ens_view_elements (&from);

  for (gsize i = 0; i < n; i++) {
    double number = ens_view_real (&from, i);

    if (!(fabs (number) <= ENS_FLOAT16_MAX))
      return NULL;
    ens_view_set_real (&to, i, number);
  }
  return g_steal_pointer (&converted);
}

EnsTensor *
ens_weights_to_float16 (EnsWeights *weights, EnsTensor *constant)
{
  EnsTensor *converted;

  g_mutex_lock (&weights->lock);
  converted = g_hash_table_lookup (weights->float16, constant);
  if (converted == NULL && (converted = convert (constant)) != NULL)
    g_hash_table_insert (weights->float16, ens_tensor_ref (constant), converted);
  if (converted != NULL)
    ens_tensor_ref (converted);
  g_mutex_unlock (&weights->lock);
  return converted;
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
