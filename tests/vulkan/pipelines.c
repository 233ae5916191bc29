/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a driver fails to compile is tried once and left out for good; what memory was too short for
 * is tried again. */
#include "vulkan/pipelines.h"

#include "check-main.h"

static PFN_vkCreateComputePipelines real;
static VkResult result; /* of all calls, unless VK_SUCCESS */
static guint n_calls;

static VKAPI_ATTR VkResult VKAPI_CALL
create (VkDevice device, VkPipelineCache cache, uint32_t n, const VkComputePipelineCreateInfo *info,
        const VkAllocationCallbacks *a, VkPipeline *made)
{
  n_calls++;
  return result == VK_SUCCESS ? real (device, cache, n, info, a, made) : result;
}

static void
wrap (EnsVulkanFunctions *vk, gpointer data)
{
  if (vk->CreateComputePipelines == NULL || vk->CreateComputePipelines == create)
    return;
  real = vk->CreateComputePipelines;
  vk->CreateComputePipelines = create;
}

typedef struct {
  const char *name;
  VkResult result;
  guint n_refused;
  gboolean again; /* succeeds when the driver is well */
} Row;

static const Row rows[] = {
    {"fails", VK_ERROR_INITIALIZATION_FAILED, 1, FALSE},
    {"out-of-memory", VK_ERROR_OUT_OF_DEVICE_MEMORY, 0, TRUE},
    {"succeeds", VK_SUCCESS, 0, TRUE},
};

START_TEST (check_row)
{
  const Row *row = &rows[_i];
  const EnsVulkanOptions options = {.wrap = wrap};
  const EnsVulkanPipelineKey key = {.shader = ens_shader_find ("copy", ENS_TYPE_FLOAT32),
                                    .n_bindings = ENS_MAX_BINDINGS,
                                    .push_size = 128};
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsVulkanDevice) device = ens_vulkan_device_open ("", &options, &error);

  if (device == NULL) {
    test_skip (error->message);
    return;
  }
  n_calls = 0;
  result = row->result;
  ck_assert_int_eq (ens_vulkan_pipelines_try (device, &key), result == VK_SUCCESS);
  ck_assert_uint_eq (n_calls, 1);
  ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_refused, row->n_refused);
  result = VK_SUCCESS;
  ck_assert_int_eq (ens_vulkan_pipelines_try (device, &key), row->again);
  ck_assert_uint_eq (n_calls, row->result != VK_SUCCESS && row->again ? 2 : 1);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vulkan/pipelines");
  TEST_ADD_ROWS (NULL, check_row, rows);
  return test_run ();
}
