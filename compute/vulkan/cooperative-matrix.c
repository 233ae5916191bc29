/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cooperative matrices: the shapes that a device has, and the mode that is used. */
#include "vulkan/physical.h"

/* Tiles of compute/ops/conv-tiles.c can be divided into what divides these. */
#define MAX_M 16
#define MAX_N 32
#define MAX_K 32
/* Rows of A and B in shared memory are read from there on at multiples of this. */
#define ALIGNMENT 8

static gboolean
divides (guint32 part, guint32 whole)
{
  return part > 0 && whole % part == 0;
}

static gboolean
is_usable (const VkCooperativeMatrixPropertiesKHR *matrix)
{
  return matrix->AType == VK_COMPONENT_TYPE_FLOAT16_KHR
         && matrix->BType == VK_COMPONENT_TYPE_FLOAT16_KHR
         && matrix->CType == VK_COMPONENT_TYPE_FLOAT32_KHR
         && matrix->ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR
         && matrix->scope == VK_SCOPE_SUBGROUP_KHR;
}

static guint32
measure (const EnsMatrixShape *shape)
{
  return shape->m * shape->n * shape->k;
}

/* 16 × 16 × 16 where there is a choice: the shape that all tensor units of today have. */
static gboolean
is_better (const EnsMatrixShape *shape, const EnsMatrixShape *than)
{
  const guint32 usual = 16 * 16 * 16;

  return measure (than) != usual && (measure (shape) == usual || measure (shape) > measure (than));
}

static void
note_fragment (EnsVulkanPhysical *physical, const EnsMatrixShape *shape)
{
  EnsMatrixShape *fragment = &physical->traits.matrices.fragment;

  if (physical->n_matrices < ENS_MAX_MATRICES)
    physical->matrices[physical->n_matrices++] = *shape;
  if (divides (shape->m, MAX_M) && divides (shape->n, MAX_N) && divides (shape->k, MAX_K)
      && divides (ALIGNMENT, shape->n) && divides (ALIGNMENT, shape->k)
      && is_better (shape, fragment))
    *fragment = *shape;
}

static gboolean
list_fragments (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk, GError **error)
{
  g_autofree VkCooperativeMatrixPropertiesKHR *list = NULL;
  guint32 n = 0;

  ENS_VK (vk, physical->name, GetPhysicalDeviceCooperativeMatrixPropertiesKHR, physical->handle, &n,
          NULL);
  list = g_new0 (VkCooperativeMatrixPropertiesKHR, n);
  for (guint i = 0; i < n; i++)
    list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  ENS_VK (vk, physical->name, GetPhysicalDeviceCooperativeMatrixPropertiesKHR, physical->handle, &n,
          list);
  for (guint i = 0; i < n; i++)
    if (is_usable (&list[i]))
      note_fragment (physical, &(EnsMatrixShape) {list[i].MSize, list[i].NSize, list[i].KSize});
  return TRUE;
error:
  return FALSE;
}

/* Flexible dimensions */

static gboolean
is_flexible (const VkCooperativeMatrixFlexibleDimensionsPropertiesNV *matrix, VkScopeKHR scope)
{
  return matrix->AType == VK_COMPONENT_TYPE_FLOAT16_KHR
         && matrix->BType == VK_COMPONENT_TYPE_FLOAT16_KHR
         && matrix->CType == VK_COMPONENT_TYPE_FLOAT32_KHR
         && matrix->ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && !matrix->saturatingAccumulation
         && matrix->scope == scope;
}

/* Keeps them in order. */
static void
note_group (EnsGpuMatrices *matrices, const EnsMatrixGroup *group)
{
  guint at = matrices->n_groups;

  if (at == ENS_MAX_MATRIX_GROUPS || group->invocations == 0 || measure (&group->unit) == 0)
    return;
  matrices->n_groups++;
  for (; at > 0 && matrices->groups[at - 1].invocations > group->invocations; at--)
    matrices->groups[at] = matrices->groups[at - 1];
  matrices->groups[at] = *group;
}

static gboolean
list_groups (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk, VkScopeKHR scope,
             GError **error)
{
  g_autofree VkCooperativeMatrixFlexibleDimensionsPropertiesNV *list = NULL;
  guint32 n = 0;

  ENS_VK (vk, physical->name, GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV,
          physical->handle, &n, NULL);
  list = g_new0 (VkCooperativeMatrixFlexibleDimensionsPropertiesNV, n);
  for (guint i = 0; i < n; i++)
    list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FLEXIBLE_DIMENSIONS_PROPERTIES_NV;
  ENS_VK (vk, physical->name, GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV,
          physical->handle, &n, list);
  for (guint i = 0; i < n; i++)
    if (is_flexible (&list[i], scope)) {
      EnsMatrixGroup group = {scope == VK_SCOPE_SUBGROUP_KHR ? physical->traits.subgroup_size
                                                             : list[i].workgroupInvocations,
                              {list[i].MGranularity, list[i].NGranularity, list[i].KGranularity}};

      note_group (&physical->traits.matrices, &group);
    }
  return TRUE;
error:
  return FALSE;
}

static void
probe_limits (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk)
{
  VkPhysicalDeviceCooperativeMatrix2PropertiesNV limits = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_PROPERTIES_NV};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &limits};

  vk->GetPhysicalDeviceProperties2 (physical->handle, &properties);
  physical->traits.matrices.max_dimension = limits.cooperativeMatrixFlexibleDimensionsMaxDimension;
  physical->traits.matrices.reserved_shared =
      limits.cooperativeMatrixWorkgroupScopeReservedSharedMemory;
}

/* Where matrices of workgroups are missing but flexible dimensions are there, workgroups of one
 * subgroup take their place: not to be fast, but to test the shaders on software devices. */
static gboolean
probe_groups (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk, GError **error)
{
  VkScopeKHR scope = physical->workgroup_matrices ? VK_SCOPE_WORKGROUP_KHR : VK_SCOPE_SUBGROUP_KHR;

  physical->traits.matrices.by_subgroup = !physical->workgroup_matrices;
  /* Shaders with tensor addressing are compiled for Vulkan 1.3. */
  physical->traits.matrices.tensors =
      physical->tensors && physical->api_version >= VK_API_VERSION_1_3;
  probe_limits (physical, vk);
  return list_groups (physical, vk, scope, error);
}

gboolean
ens_vulkan_matrices_probe (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk,
                           GError **error)
{
  const EnsDriverQuirk *quirk = ens_vulkan_find_quirk (physical->driver_id);

  if (!physical->cooperative || vk->GetPhysicalDeviceCooperativeMatrixPropertiesKHR == NULL
      || (quirk != NULL && (quirk->flags & ENS_QUIRK_NO_MATRICES)))
    return TRUE;
  if (!list_fragments (physical, vk, error))
    return FALSE;
  return !physical->flexible_matrices
         || vk->GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV == NULL
         || probe_groups (physical, vk, error);
}

void
ens_vulkan_matrices_choose (EnsVulkanPhysical *physical, EnsMatrixMode wish)
{
  EnsGpuMatrices *matrices = &physical->traits.matrices;
  gboolean can = physical->traits.float16 && physical->memory_model;

  matrices->use = ENS_MATRIX_MODE_NONE;
  if (!can || wish == ENS_MATRIX_MODE_NONE)
    return;
  if (matrices->fragment.m > 0)
    matrices->use = ENS_MATRIX_MODE_SUBGROUP;
  /* Matrices of several subgroups have never run anywhere, so they are on request only. */
  if (matrices->n_groups > 0 && wish == ENS_MATRIX_MODE_WORKGROUP)
    matrices->use = ENS_MATRIX_MODE_WORKGROUP;
}
