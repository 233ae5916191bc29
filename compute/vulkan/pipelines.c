/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/pipelines.h"

#include <string.h>

#include "base/error.h"
#include "push/push.h"
#include "vulkan/debug.h"
#include "vulkan/pipeline-cache.h"

static guint
hash_pipeline (gconstpointer data)
{
  const EnsVulkanPipelineKey *key = data;
  guint hash = g_direct_hash (key->shader) * 31 + key->texels;

  for (guint i = 0; i < key->n_constants; i++)
    hash = hash * 31 + key->constants[i];
  return hash;
}

static gboolean
equal_pipelines (gconstpointer a, gconstpointer b)
{
  /* Without the padding at the end, which assignments need not copy. */
  return memcmp (a, b,
                 G_STRUCT_OFFSET (EnsVulkanPipelineKey, full_subgroups)
                     + sizeof ((EnsVulkanPipelineKey *)NULL)->full_subgroups)
         == 0;
}

gboolean
ens_vulkan_pipelines_init (EnsVulkanDevice *device, GError **error)
{
  device->pipelines = g_hash_table_new (hash_pipeline, equal_pipelines);
  device->refused = g_hash_table_new_full (hash_pipeline, equal_pipelines, g_free, NULL);
  return ens_vulkan_pipeline_cache_open (device, error);
}

/* Making */

static VkDescriptorSetLayoutBinding
describe_binding (guint binding, gboolean texels)
{
  return (VkDescriptorSetLayoutBinding) {
      .binding = binding,
      .descriptorType =
          texels ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
      .descriptorCount = 1,
      .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
  };
}

static gboolean
create_layouts (EnsVulkanPipeline *pipeline, EnsVulkanDevice *device, GError **error)
{
  const EnsVulkanPipelineKey *key = &pipeline->key;
  VkDescriptorSetLayoutBinding bindings[ENS_MAX_BINDINGS + 1];
  const VkDescriptorSetLayoutCreateInfo set_info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .bindingCount = key->n_bindings + ens_vulkan_pipeline_checks (key),
      .pBindings = bindings,
  };
  const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, key->push_size};
  const VkPipelineLayoutCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
      .setLayoutCount = 1,
      .pSetLayouts = &pipeline->set_layout,
      .pushConstantRangeCount = key->push_size > 0,
      .pPushConstantRanges = &push,
  };

  for (guint i = 0; i < key->n_bindings; i++)
    bindings[i] = describe_binding (i, key->texels >> i & 1);
  if (ens_vulkan_pipeline_checks (key))
    bindings[key->n_bindings] = describe_binding (ENS_OVERFLOW_BINDING, FALSE);
  ENS_VK_DEVICE (device, CreateDescriptorSetLayout, device->handle, &set_info, NULL,
                 &pipeline->set_layout);
  ENS_VK_DEVICE (device, CreatePipelineLayout, device->handle, &info, NULL, &pipeline->layout);
  return TRUE;
error:
  return FALSE;
}

static VkShaderModule
create_module (const EnsShader *shader, EnsVulkanDevice *device, GError **error)
{
  const VkShaderModuleCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
      .codeSize = shader->n_words * sizeof *shader->words,
      .pCode = shader->words,
  };
  VkShaderModule module;

  ENS_VK_DEVICE (device, CreateShaderModule, device->handle, &info, NULL, &module);
  return module;
error:
  return VK_NULL_HANDLE;
}

static gboolean
create_pipeline (EnsVulkanPipeline *pipeline, EnsVulkanDevice *device, GError **error)
{
  const EnsVulkanPipelineKey *key = &pipeline->key;
  VkSpecializationMapEntry entries[ENS_MAX_CONSTANTS];
  const VkSpecializationInfo constants = {
      .mapEntryCount = key->n_constants,
      .pMapEntries = entries,
      .dataSize = key->n_constants * sizeof *key->constants,
      .pData = key->constants,
  };
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroups = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
      .requiredSubgroupSize = device->physical.traits.subgroup_size,
  };
  VkComputePipelineCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .pName = "main",
                .pSpecializationInfo = &constants},
      .layout = pipeline->layout,
  };

  if (key->full_subgroups && device->physical.subgroup_control) {
    info.stage.pNext = &subgroups;
    info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
  }
  for (guint i = 0; i < key->n_constants; i++)
    entries[i] = (VkSpecializationMapEntry) {i, i * sizeof *key->constants, sizeof *key->constants};
  info.stage.module = create_module (key->shader, device, error);
  if (info.stage.module == VK_NULL_HANDLE)
    return FALSE;
  ENS_VK_DEVICE (device, CreateComputePipelines, device->handle, device->pipeline_cache, 1, &info,
                 NULL, &pipeline->handle);
  device->vk.DestroyShaderModule (device->handle, info.stage.module, NULL);
  return TRUE;
error:
  device->vk.DestroyShaderModule (device->handle, info.stage.module, NULL);
  return FALSE;
}

/* The shader, its storage and its specialisation constants: “conv.float16 64,8,1”. */
static void
name_pipeline (const EnsVulkanPipeline *pipeline, const EnsVulkanDevice *device)
{
  const EnsVulkanPipelineKey *key = &pipeline->key;
  g_autoptr (GString) constants = NULL;

  if (!ens_vulkan_device_has_names (device))
    return;
  constants = g_string_new (NULL);
  for (guint i = 0; i < key->n_constants; i++)
    g_string_append_printf (constants, "%s%u", i > 0 ? "," : "", key->constants[i]);
  ens_vulkan_device_name (device, VK_OBJECT_TYPE_PIPELINE, (guint64)pipeline->handle, "%s.%s %s",
                          key->shader->stem, ens_type_name (key->shader->storage), constants->str);
}

static void
free_pipeline (EnsVulkanPipeline *pipeline, EnsVulkanDevice *device)
{
  if (pipeline->handle != VK_NULL_HANDLE)
    device->vk.DestroyPipeline (device->handle, pipeline->handle, NULL);
  if (pipeline->layout != VK_NULL_HANDLE)
    device->vk.DestroyPipelineLayout (device->handle, pipeline->layout, NULL);
  if (pipeline->set_layout != VK_NULL_HANDLE)
    device->vk.DestroyDescriptorSetLayout (device->handle, pipeline->set_layout, NULL);
  g_free (pipeline);
}

void
ens_vulkan_pipelines_clear (EnsVulkanDevice *device)
{
  GHashTableIter iter;
  gpointer pipeline;

  if (device->pipelines == NULL)
    return;
  g_hash_table_iter_init (&iter, device->pipelines);
  while (g_hash_table_iter_next (&iter, &pipeline, NULL))
    free_pipeline (pipeline, device);
  g_clear_pointer (&device->pipelines, g_hash_table_unref);
  g_clear_pointer (&device->refused, g_hash_table_unref);
  if (device->pipeline_cache != VK_NULL_HANDLE)
    device->vk.DestroyPipelineCache (device->handle, device->pipeline_cache, NULL);
}

/* Pipelines in the making. */
typedef struct {
  EnsVulkanDevice *device;
  GPtrArray *pipelines; /* EnsVulkanPipeline */
  GMutex lock;
  GError *error; /* the first */
} Batch;

static void
make_one (gpointer data, guint task, guint worker)
{
  Batch *batch = data;
  EnsVulkanPipeline *pipeline = g_ptr_array_index (batch->pipelines, task);
  GError *error = NULL;

  if (create_layouts (pipeline, batch->device, &error)
      && create_pipeline (pipeline, batch->device, &error)) {
    name_pipeline (pipeline, batch->device);
    return;
  }
  g_mutex_lock (&batch->lock);
  if (batch->error == NULL)
    batch->error = g_steal_pointer (&error);
  g_mutex_unlock (&batch->lock);
  g_clear_error (&error);
}

/* Keys that the device has no pipeline for, each once. Lock held. */
static GPtrArray *
list_missing (EnsVulkanDevice *device, const EnsVulkanPipelineKey *keys, guint n)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (hash_pipeline, equal_pipelines);
  GPtrArray *missing = g_ptr_array_new ();

  for (guint i = 0; i < n; i++)
    if (!g_hash_table_contains (device->pipelines, &keys[i])
        && g_hash_table_add (seen, (gpointer)&keys[i])) {
      EnsVulkanPipeline *pipeline = g_new0 (EnsVulkanPipeline, 1);

      pipeline->key = keys[i];
      g_ptr_array_add (missing, pipeline);
    }
  return missing;
}

/* Takes over the pipelines that were made; those that another thread made meanwhile win. */
static void
keep (EnsVulkanDevice *device, const Batch *batch)
{
  for (guint i = 0; i < batch->pipelines->len; i++) {
    EnsVulkanPipeline *pipeline = g_ptr_array_index (batch->pipelines, i);

    if (pipeline->handle == VK_NULL_HANDLE
        || g_hash_table_contains (device->pipelines, &pipeline->key))
      free_pipeline (pipeline, device);
    else
      g_hash_table_add (device->pipelines, pipeline);
  }
}

static void
make_all (Batch *batch, EnsThreadPool *pool)
{
  if (pool != NULL)
    ens_thread_pool_run (pool, batch->pipelines->len, make_one, batch);
  else
    for (guint i = 0; i < batch->pipelines->len; i++)
      make_one (batch, i, 0);
}

gboolean
ens_vulkan_pipelines_get (EnsVulkanDevice *device, const EnsVulkanPipelineKey *keys,
                          const EnsVulkanPipeline **pipelines, guint n, EnsThreadPool *pool,
                          GError **error)
{
  g_autoptr (GPtrArray) missing = NULL;
  Batch batch = {.device = device};

  g_mutex_lock (&device->lock);
  batch.pipelines = missing = list_missing (device, keys, n);
  g_mutex_unlock (&device->lock);
  g_mutex_init (&batch.lock);
  make_all (&batch, pool);
  g_mutex_clear (&batch.lock);
  g_mutex_lock (&device->lock);
  keep (device, &batch);
  for (guint i = 0; i < n; i++)
    pipelines[i] = g_hash_table_lookup (device->pipelines, &keys[i]);
  g_mutex_unlock (&device->lock);
  if (batch.error == NULL) {
    if (missing->len > 0)
      ens_vulkan_pipeline_cache_save (device);
    return TRUE;
  }
  g_propagate_error (error, batch.error);
  return FALSE;
}

/* Being out of memory is not the pipeline's fault. */
static void
refuse (EnsVulkanDevice *device, const EnsVulkanPipelineKey *key, const GError *error)
{
  g_info ("%s: the driver fails to compile “%s”, another shader is used: %s", device->physical.name,
          key->shader->stem, error->message);
  if (g_error_matches (error, ENS_ERROR, ENS_ERROR_RESOURCE))
    return;
  g_mutex_lock (&device->lock);
  g_hash_table_add (device->refused, g_memdup2 (key, sizeof *key));
  g_mutex_unlock (&device->lock);
}

gboolean
ens_vulkan_pipelines_try (EnsVulkanDevice *device, const EnsVulkanPipelineKey *key)
{
  const EnsVulkanPipeline *pipeline;
  g_autoptr (GError) error = NULL;
  gboolean refused;

  g_mutex_lock (&device->lock);
  refused = g_hash_table_contains (device->refused, key);
  g_mutex_unlock (&device->lock);
  if (refused)
    return FALSE;
  if (ens_vulkan_pipelines_get (device, key, &pipeline, 1, NULL, &error))
    return TRUE;
  refuse (device, key, error);
  return FALSE;
}
