/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/report.h"

#include "vulkan/physical.h"

static void
free_report (gpointer data)
{
  EnsVulkanReport *report = data;

  g_free (report->name);
  g_free (report->driver);
  g_free (report->vulkan);
  g_free (report->uuid);
  g_free (report->subgroup);
  g_free (report->matrices);
  g_free (report->shaders);
  g_free (report);
}

static const char *
name_kind (VkPhysicalDeviceType type)
{
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return "graphics card";
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return "integrated";
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
    return "virtual";
  case VK_PHYSICAL_DEVICE_TYPE_CPU:
    return "software";
  default:
    return "unknown";
  }
}

static const char *
describe_float16 (const EnsVulkanPhysical *physical)
{
  if (!physical->storage16)
    return "no";
  return physical->float16 ? "storage and arithmetic" : "storage";
}

static char *
describe_subgroup (const EnsVulkanPhysical *physical)
{
  guint size = physical->traits.subgroup_size;

  return physical->subgroup_control && physical->min_subgroup < physical->max_subgroup
             ? g_strdup_printf ("%u invocations, %u to %u by choice", size, physical->min_subgroup,
                                physical->max_subgroup)
             : g_strdup_printf ("%u invocations", size);
}

static char *
list_matrices (const EnsVulkanPhysical *physical)
{
  const EnsGpuMatrices *matrices = &physical->traits.matrices;
  GString *text = g_string_new (physical->n_matrices == 0 ? "none" : NULL);

  for (guint i = 0; i < physical->n_matrices; i++)
    g_string_append_printf (text, "%s%u×%u×%u", i > 0 ? ", " : "", physical->matrices[i].m,
                            physical->matrices[i].n, physical->matrices[i].k);
  for (guint i = 0; i < matrices->n_groups; i++)
    g_string_append_printf (text, ", multiples of %u×%u×%u by %u invocations",
                            matrices->groups[i].unit.m, matrices->groups[i].unit.n,
                            matrices->groups[i].unit.k, matrices->groups[i].invocations);
  if (matrices->tensors)
    g_string_append (text, ", tensor addressing");
  return g_string_free (text, FALSE);
}

static const char *
describe_imports (const EnsVulkanPhysical *physical)
{
  return physical->dma_buf ? "DMABuf" : "no";
}

static char *
describe_variants (const EnsGpuTraits *traits)
{
  static const char *const matrices[] = {
      [ENS_MATRIX_MODE_NONE] = "",
      [ENS_MATRIX_MODE_SUBGROUP] = "; subgroup cooperative matrices for float16",
      [ENS_MATRIX_MODE_WORKGROUP] = "; workgroup cooperative matrices for float16"};

  return g_strdup_printf ("float32%s%s", traits->prefers_texels ? ", texel buffers" : "",
                          traits->prefers_texels ? "" : matrices[traits->matrices.use]);
}

static EnsVulkanReport *
make_report (const EnsVulkanPhysical *physical)
{
  const EnsDriverQuirk *quirk = ens_vulkan_find_quirk (physical->driver_id);
  EnsVulkanReport *report = g_new0 (EnsVulkanReport, 1);

  *report = (EnsVulkanReport) {
      .index = physical->index,
      .name = g_strdup (physical->name),
      .kind = name_kind (physical->type),
      .driver = g_strdup (physical->driver),
      .vulkan = ens_vulkan_version_to_string (physical->api_version),
      .uuid = ens_vulkan_uuid_to_string (physical->uuid),
      .memory = physical->local_memory,
      .subgroup = describe_subgroup (physical),
      .float16 = describe_float16 (physical),
      .matrices = list_matrices (physical),
      .imports = describe_imports (physical),
      .timeline = physical->timeline,
      .shaders = describe_variants (&physical->traits),
      .quirk = quirk != NULL ? quirk->reason : NULL,
      .unfit = physical->unfit,
  };
  return report;
}

GPtrArray *
ens_vulkan_report (const EnsVulkanOptions *options, GError **error)
{
  EnsVulkanOptions defaults = ens_vulkan_options_from_environment ();
  const EnsVulkanOptions *chosen = options != NULL ? options : &defaults;
  g_autoptr (EnsVulkanInstance) instance = ens_vulkan_instance_new (chosen, error);
  g_autoptr (GArray) list = instance != NULL ? ens_vulkan_list (instance, error) : NULL;
  GPtrArray *reports;

  if (list == NULL)
    return NULL;
  reports = g_ptr_array_new_with_free_func (free_report);
  for (guint i = 0; i < list->len; i++) {
    EnsVulkanPhysical *physical = &g_array_index (list, EnsVulkanPhysical, i);

    ens_vulkan_physical_apply (physical, chosen);
    g_ptr_array_add (reports, make_report (physical));
  }
  return reports;
}
