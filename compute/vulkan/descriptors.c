/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/descriptors.h"

#include <string.h>

#include "push/push.h"

#define OVERFLOW_SIZE sizeof (guint32)

/* Bytes from one dispatch's overflow word to the next one's. */
static gsize
get_overflow_pitch (const EnsVulkanDevice *device)
{
  return MAX (device->physical.offset_alignment, OVERFLOW_SIZE);
}

/* The descriptor of one binding. */
typedef struct {
  VkDescriptorBufferInfo buffer;
  VkBufferView texels;
} Bound;

static gboolean
create_pool (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device, const GArray *dispatches,
             GError **error)
{
  VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1},
                                  {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 1}};
  const VkDescriptorPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
      .maxSets = dispatches->len,
      .poolSizeCount = G_N_ELEMENTS (sizes),
      .pPoolSizes = sizes,
  };

  for (guint i = 0; i < dispatches->len; i++) {
    const EnsVulkanPipelineKey *key = &g_array_index (dispatches, EnsVulkanDispatch, i).key;

    for (guint j = 0; j < key->n_bindings; j++)
      sizes[key->texels >> j & 1].descriptorCount++;
    sizes[0].descriptorCount += ens_vulkan_pipeline_checks (key);
  }
  ENS_VK_DEVICE (device, CreateDescriptorPool, device->handle, &info, NULL, &descriptors->pool);
  return TRUE;
error:
  return FALSE;
}

static gboolean
allocate_sets (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device,
               const EnsVulkanPipeline *const *pipelines, guint n, GError **error)
{
  g_autofree VkDescriptorSetLayout *layouts = g_new (VkDescriptorSetLayout, n);
  const VkDescriptorSetAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
      .descriptorPool = descriptors->pool,
      .descriptorSetCount = n,
      .pSetLayouts = layouts,
  };

  for (guint i = 0; i < n; i++)
    layouts[i] = pipelines[i]->set_layout;
  descriptors->sets = g_new0 (VkDescriptorSet, n);
  ENS_VK_DEVICE (device, AllocateDescriptorSets, device->handle, &info, descriptors->sets);
  return TRUE;
error:
  return FALSE;
}

/* Texels are vectors of four elements. */
static gboolean
bind_texels (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device, EnsType storage,
             Bound *bound, GError **error)
{
  VkBufferViewCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
      .buffer = bound->buffer.buffer,
      .format = storage == ENS_TYPE_FLOAT16 ? VK_FORMAT_R16G16B16A16_SFLOAT
                                            : VK_FORMAT_R32G32B32A32_SFLOAT,
      .offset = bound->buffer.offset,
  };
  gsize texel = 4 * ens_type_size (storage);

  info.range = (bound->buffer.range + texel - 1) / texel * texel;
  ENS_VK_DEVICE (device, CreateBufferView, device->handle, &info, NULL, &bound->texels);
  g_array_append_val (descriptors->texel_views, bound->texels);
  return TRUE;
error:
  return FALSE;
}

/* Bindings start at an offset that the device allows; push constants give shaders the distance from
 * there to the first element. */
static gboolean
bind (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device, EnsVulkanDispatch *dispatch,
      guint i, Bound *bound, GError **error)
{
  const EnsVulkanRegion *region = dispatch->views[i]->region;
  gsize before = region->offset % device->physical.offset_alignment;
  gsize unit = ens_type_size (dispatch->views[i]->view.type);
  gboolean texels = dispatch->key.texels >> i & 1;

  bound->buffer = (VkDescriptorBufferInfo) {region->buffer->handle, region->offset - before,
                                            (region->size + before + 3) / 4 * 4};
  dispatch->push[i] = (guint32)(before / (texels ? 4 * unit : unit));
  return !texels || bind_texels (descriptors, device, dispatch->key.shader->storage, bound, error);
}

static VkWriteDescriptorSet
describe_write (VkDescriptorSet set, guint binding, gboolean texels, const Bound *bound)
{
  return (VkWriteDescriptorSet) {
      .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
      .dstSet = set,
      .dstBinding = binding,
      .descriptorCount = 1,
      .descriptorType =
          texels ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
      .pBufferInfo = &bound->buffer,
      .pTexelBufferView = &bound->texels,
  };
}

static gboolean
write_set (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device, EnsVulkanDispatch *dispatch,
           guint number, GError **error)
{
  VkDescriptorSet set = descriptors->sets[number];
  Bound bound[ENS_MAX_BINDINGS + 1];
  VkWriteDescriptorSet writes[ENS_MAX_BINDINGS + 1];
  guint n = dispatch->key.n_bindings;

  for (guint i = 0; i < n; i++) {
    if (!bind (descriptors, device, dispatch, i, &bound[i], error))
      return FALSE;
    writes[i] = describe_write (set, i, dispatch->key.texels >> i & 1, &bound[i]);
  }
  if (ens_vulkan_pipeline_checks (&dispatch->key)) {
    bound[n].buffer = (VkDescriptorBufferInfo) {
        descriptors->overflows.handle, number * get_overflow_pitch (device), OVERFLOW_SIZE};
    writes[n] = describe_write (set, ENS_OVERFLOW_BINDING, FALSE, &bound[n]);
    n++;
  }
  device->vk.UpdateDescriptorSets (device->handle, n, writes, 0, NULL);
  return TRUE;
}

static gboolean
create_overflows (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device,
                  const GArray *dispatches, GError **error)
{
  gsize size = dispatches->len * get_overflow_pitch (device);
  gboolean any = FALSE;

  for (guint i = 0; i < dispatches->len && !any; i++)
    any = ens_vulkan_pipeline_checks (&g_array_index (dispatches, EnsVulkanDispatch, i).key);
  if (!any)
    return TRUE;
  if (!ens_vulkan_buffer_init (&descriptors->overflows, device, ENS_BUFFER_READBACK, size, error))
    return FALSE;
  memset (descriptors->overflows.mapped, 0, size);
  return TRUE;
}

gboolean
ens_vulkan_descriptors_init (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device,
                             const GArray *dispatches, const EnsVulkanPipeline *const *pipelines,
                             GError **error)
{
  descriptors->texel_views = g_array_new (FALSE, FALSE, sizeof (VkBufferView));
  if (dispatches->len == 0)
    return TRUE;
  if (!create_overflows (descriptors, device, dispatches, error)
      || !create_pool (descriptors, device, dispatches, error)
      || !allocate_sets (descriptors, device, pipelines, dispatches->len, error))
    return FALSE;
  for (guint i = 0; i < dispatches->len; i++)
    if (!write_set (descriptors, device, &g_array_index (dispatches, EnsVulkanDispatch, i), i,
                    error))
      return FALSE;
  return TRUE;
}

void
ens_vulkan_descriptors_clear (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device)
{
  for (guint i = 0; descriptors->texel_views != NULL && i < descriptors->texel_views->len; i++)
    device->vk.DestroyBufferView (device->handle,
                                  g_array_index (descriptors->texel_views, VkBufferView, i), NULL);
  g_clear_pointer (&descriptors->texel_views, g_array_unref);
  if (descriptors->pool != VK_NULL_HANDLE)
    device->vk.DestroyDescriptorPool (device->handle, descriptors->pool, NULL);
  g_free (descriptors->sets);
  ens_vulkan_buffer_clear (&descriptors->overflows, device);
  *descriptors = (EnsVulkanDescriptors) {0};
}

gboolean
ens_vulkan_descriptors_take_overflow (const EnsVulkanDescriptors *descriptors,
                                      const EnsVulkanDevice *device, guint dispatch)
{
  guint32 *word;

  if (descriptors->overflows.mapped == NULL)
    return FALSE;
  word = (guint32 *)(descriptors->overflows.mapped + dispatch * get_overflow_pitch (device));
  if (*word == 0)
    return FALSE;
  *word = 0;
  return TRUE;
}
