/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every Vulkan call fails once: opening a device, making an executor, running and measuring it, and
 * sampling its inputs must give an error that names the call, leave nothing behind, and never
 * crash. What fails while a DMABuf is imported is no error: the frame is copied. */
#include "random-graph.h"

#include <string.h>
#include <unistd.h>

#include "check-main.h"
#include "cpu/weights.h"
#include "fake-dma-buf.h"
#include "passes/passes.h"
#include "planned.h"
#include "vision/batch-table.h"
#include "vulkan/executor.h"
#include "vulkan/functions.h"

/* The table is exchanged through these: Vulkan's functions get no pointer to pass on. */
static EnsVulkanFunctions real;
static struct {
  guint fail_at; /* the call that fails, counted from 1; 0: none */
  VkResult result;
  guint n_calls;
  const char *failed;  /* its name */
  gboolean importing;  /* a DMABuf: from its buffer to that one's memory */
  gboolean was_import; /* that failed */
  int n_objects;       /* made and not destroyed */
} state;

static gboolean
fails (const char *name)
{
  if (++state.n_calls != state.fail_at)
    return FALSE;
  state.failed = name;
  state.was_import = state.importing;
  return TRUE;
}

/* Calls that can fail. */
#define CALL(name, parameters, arguments)                           \
  static VKAPI_ATTR VkResult VKAPI_CALL wrapped_##name parameters   \
  {                                                                 \
    return fails ("vk" #name) ? state.result : real.name arguments; \
  }

/* … and make an object, which has to be destroyed. */
#define MAKE(name, object, info)                                                          \
  static VKAPI_ATTR VkResult VKAPI_CALL wrapped_##name (                                  \
      VkDevice device, const info *i, const VkAllocationCallbacks *a, object *made)       \
  {                                                                                       \
    VkResult result = fails ("vk" #name) ? state.result : real.name (device, i, a, made); \
                                                                                          \
    if (result == VK_SUCCESS)                                                             \
      state.n_objects++;                                                                  \
    return result;                                                                        \
  }

#define DESTROY(name, object)                                                       \
  static VKAPI_ATTR void VKAPI_CALL wrapped_##name (VkDevice device, object made,   \
                                                    const VkAllocationCallbacks *a) \
  {                                                                                 \
    state.n_objects--;                                                              \
    real.name (device, made, a);                                                    \
  }

CALL (EnumerateInstanceVersion, (uint32_t * version), (version))
CALL (EnumeratePhysicalDevices, (VkInstance instance, uint32_t *n, VkPhysicalDevice *devices),
      (instance, n, devices))
CALL (EnumerateDeviceExtensionProperties,
      (VkPhysicalDevice device, const char *layer, uint32_t *n, VkExtensionProperties *list),
      (device, layer, n, list))
CALL (AllocateCommandBuffers,
      (VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *buffers),
      (device, info, buffers))
CALL (AllocateDescriptorSets,
      (VkDevice device, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *sets),
      (device, info, sets))
CALL (BeginCommandBuffer, (VkCommandBuffer commands, const VkCommandBufferBeginInfo *info),
      (commands, info))
CALL (EndCommandBuffer, (VkCommandBuffer commands), (commands))
CALL (GetMemoryFdPropertiesKHR,
      (VkDevice device, VkExternalMemoryHandleTypeFlagBits type, int fd,
       VkMemoryFdPropertiesKHR *properties),
      (device, type, fd, properties))
CALL (MapMemory,
      (VkDevice device, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,
       VkMemoryMapFlags flags, void **data),
      (device, memory, offset, size, flags, data))
CALL (GetQueryPoolResults,
      (VkDevice device, VkQueryPool pool, uint32_t first, uint32_t n, size_t size, void *data,
       VkDeviceSize stride, VkQueryResultFlags flags),
      (device, pool, first, n, size, data, stride, flags))
CALL (QueueSubmit, (VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence),
      (queue, n, submits, fence))
CALL (ResetFences, (VkDevice device, uint32_t n, const VkFence *fences), (device, n, fences))
CALL (WaitForFences,
      (VkDevice device, uint32_t n, const VkFence *fences, VkBool32 all, uint64_t timeout),
      (device, n, fences, all, timeout))

MAKE (AllocateMemory, VkDeviceMemory, VkMemoryAllocateInfo)
MAKE (CreateBufferView, VkBufferView, VkBufferViewCreateInfo)
MAKE (CreateCommandPool, VkCommandPool, VkCommandPoolCreateInfo)
MAKE (CreateDescriptorPool, VkDescriptorPool, VkDescriptorPoolCreateInfo)
MAKE (CreateDescriptorSetLayout, VkDescriptorSetLayout, VkDescriptorSetLayoutCreateInfo)
MAKE (CreateFence, VkFence, VkFenceCreateInfo)
MAKE (CreatePipelineCache, VkPipelineCache, VkPipelineCacheCreateInfo)
MAKE (CreatePipelineLayout, VkPipelineLayout, VkPipelineLayoutCreateInfo)
MAKE (CreateQueryPool, VkQueryPool, VkQueryPoolCreateInfo)
MAKE (CreateShaderModule, VkShaderModule, VkShaderModuleCreateInfo)

DESTROY (FreeMemory, VkDeviceMemory)
DESTROY (DestroyBuffer, VkBuffer)
DESTROY (DestroyBufferView, VkBufferView)
DESTROY (DestroyCommandPool, VkCommandPool)
DESTROY (DestroyDescriptorPool, VkDescriptorPool)
DESTROY (DestroyDescriptorSetLayout, VkDescriptorSetLayout)
DESTROY (DestroyFence, VkFence)
DESTROY (DestroyPipeline, VkPipeline)
DESTROY (DestroyPipelineCache, VkPipelineCache)
DESTROY (DestroyPipelineLayout, VkPipelineLayout)
DESTROY (DestroyQueryPool, VkQueryPool)
DESTROY (DestroyShaderModule, VkShaderModule)

/* The first and the last call of an import. */

static VKAPI_ATTR VkResult VKAPI_CALL
wrapped_CreateBuffer (VkDevice device, const VkBufferCreateInfo *info,
                      const VkAllocationCallbacks *a, VkBuffer *buffer)
{
  VkResult result;

  state.importing = state.importing || info->pNext != NULL;
  result = fails ("vkCreateBuffer") ? state.result : real.CreateBuffer (device, info, a, buffer);
  if (result == VK_SUCCESS)
    state.n_objects++;
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrapped_BindBufferMemory (VkDevice device, VkBuffer buffer, VkDeviceMemory memory,
                          VkDeviceSize offset)
{
  VkResult result = fails ("vkBindBufferMemory")
                        ? state.result
                        : real.BindBufferMemory (device, buffer, memory, offset);

  state.importing = FALSE;
  return result;
}

/* Those with other parameters. */

static VKAPI_ATTR VkResult VKAPI_CALL
wrapped_CreateInstance (const VkInstanceCreateInfo *info, const VkAllocationCallbacks *a,
                        VkInstance *instance)
{
  VkResult result =
      fails ("vkCreateInstance") ? state.result : real.CreateInstance (info, a, instance);

  if (result == VK_SUCCESS)
    state.n_objects++;
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
wrapped_DestroyInstance (VkInstance instance, const VkAllocationCallbacks *a)
{
  state.n_objects--;
  real.DestroyInstance (instance, a);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrapped_CreateDevice (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                      const VkAllocationCallbacks *a, VkDevice *device)
{
  VkResult result =
      fails ("vkCreateDevice") ? state.result : real.CreateDevice (physical, info, a, device);

  if (result == VK_SUCCESS)
    state.n_objects++;
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
wrapped_DestroyDevice (VkDevice device, const VkAllocationCallbacks *a)
{
  state.n_objects--;
  real.DestroyDevice (device, a);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrapped_CreateComputePipelines (VkDevice device, VkPipelineCache cache, uint32_t n,
                                const VkComputePipelineCreateInfo *infos,
                                const VkAllocationCallbacks *a, VkPipeline *pipelines)
{
  VkResult result = fails ("vkCreateComputePipelines")
                        ? state.result
                        : real.CreateComputePipelines (device, cache, n, infos, a, pipelines);

  if (result == VK_SUCCESS)
    state.n_objects += (int)n;
  return result;
}

#define FUNCTIONS(X)                     \
  X (EnumerateInstanceVersion)           \
  X (EnumeratePhysicalDevices)           \
  X (EnumerateDeviceExtensionProperties) \
  X (AllocateCommandBuffers)             \
  X (AllocateDescriptorSets)             \
  X (BeginCommandBuffer)                 \
  X (EndCommandBuffer)                   \
  X (BindBufferMemory)                   \
  X (GetMemoryFdPropertiesKHR)           \
  X (MapMemory)                          \
  X (GetQueryPoolResults)                \
  X (QueueSubmit)                        \
  X (ResetFences)                        \
  X (WaitForFences)                      \
  X (AllocateMemory)                     \
  X (CreateBuffer)                       \
  X (CreateBufferView)                   \
  X (CreateCommandPool)                  \
  X (CreateDescriptorPool)               \
  X (CreateDescriptorSetLayout)          \
  X (CreateFence)                        \
  X (CreatePipelineCache)                \
  X (CreatePipelineLayout)               \
  X (CreateQueryPool)                    \
  X (CreateShaderModule)                 \
  X (CreateInstance)                     \
  X (CreateDevice)                       \
  X (CreateComputePipelines)             \
  X (FreeMemory)                         \
  X (DestroyBuffer)                      \
  X (DestroyBufferView)                  \
  X (DestroyCommandPool)                 \
  X (DestroyDescriptorPool)              \
  X (DestroyDescriptorSetLayout)         \
  X (DestroyFence)                       \
  X (DestroyPipeline)                    \
  X (DestroyPipelineCache)               \
  X (DestroyPipelineLayout)              \
  X (DestroyQueryPool)                   \
  X (DestroyShaderModule)                \
  X (DestroyInstance)                    \
  X (DestroyDevice)

static void
wrap (EnsVulkanFunctions *vk, gpointer data)
{
#define WRAP(name)                                      \
  if (vk->name != NULL && vk->name != wrapped_##name) { \
    real.name = vk->name;                               \
    vk->name = wrapped_##name;                          \
  }
  FUNCTIONS (WRAP)
#undef WRAP
}

static void
wrap_imports (EnsVulkanFunctions *vk, gpointer data)
{
  fake_dma_buf_wrap (vk, NULL);
  wrap (vk, data);
}

/* A network with shaders, and with nodes that run on the CPU because they have integers. */
static EnsGraph *
build_network (void)
{
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (1, 4, 4, 8));
  y = build (&b, "Relu", NULL, x, NULL);
  y = build (&b, "Cast", &(EnsCastParams) {.to = ENS_TYPE_INT32}, y, NULL);
  y = build (&b, "Cast", &(EnsCastParams) {.to = ENS_TYPE_FLOAT32}, y, NULL);
  y = build (&b, "Add", NULL, y, build_constant (&b, &ENS_SHAPE (1, 4, 4, 8)), NULL);
  y = build (&b, "Softmax", &(EnsSoftmaxParams) {.axis = -1}, y, NULL);
  ens_graph_add_output (b.graph, build (&b, "Tanh", NULL, y, NULL));
  return g_steal_pointer (&b.graph);
}

/* The network's 128 numbers, sampled from a gray frame that lies in a DMABuf. */
static gboolean
run_sampled (EnsVulkanDevice *device, EnsVulkanExecutor *executor, GError **error)
{
  static const EnsNormalise gray = {ENS_ORDER_GRAY, {0}, {1}};
  const EnsFramedResize sampling = {
      .framing = ENS_FRAMING_STRETCH, .width = 32, .height = 4, .normalise = &gray};
  const guint8 pixels[6 * 5] = {0};
  gint fd = fake_dma_buf_new (4096);
  const EnsFrame frame = {ENS_PIXELS_GRAY8,        6, 5, {pixels}, {6}, .n_dma_bufs = 1,
                          .dma_bufs = {{.fd = fd}}};
  g_autoptr (EnsVulkanPreprocessor) preprocessor = ens_vulkan_preprocessor_new ();
  g_auto (EnsBatchTable) table = {0};
  EnsPackedFrame packed;
  float output[128];
  gboolean done;

  ens_packed_frame_init (&packed, &frame, ens_vulkan_device_get_info (device)->max_import);
  ens_vulkan_preprocessor_set_frame (preprocessor, &packed);
  ens_batch_table_init (&table, &(EnsBatchSource) {&frame, &packed, &ENS_RECT_WHOLE, 1}, &sampling);
  done = ens_vulkan_executors_run (&(EnsVulkanRun) {executor, NULL, (const gpointer[]) {output},
                                                    &(EnsPreprocessedImages) {preprocessor, &table},
                                                    1},
                                   1, NULL, error);
  close (fd);
  return done;
}

static gboolean
run_network (EnsVulkanDevice *device, GError **error)
{
  g_autoptr (EnsVulkanWeights) weights = ens_vulkan_weights_new (device);
  g_autoptr (EnsPackedWeights) cpu_weights = ens_packed_weights_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autoptr (EnsVulkanExecutor) executor = ens_vulkan_executor_new (
      build_network (), &(EnsVulkanContext) {device, weights, pool, cpu_weights}, error);
  float input[128] = {0}, output[128];
  g_autofree EnsNodeTime *times = NULL;

  if (executor == NULL)
    return FALSE;
  times = g_new0 (EnsNodeTime, ens_vulkan_executor_get_info (executor)->n_steps);
  return ens_vulkan_executor_run (executor, (const gconstpointer[]) {input},
                                  (const gpointer[]) {output}, NULL, NULL, error)
         && ens_vulkan_executor_run (executor, (const gconstpointer[]) {input},
                                     (const gpointer[]) {output}, times, NULL, error)
         && run_sampled (device, executor, error);
}

static gboolean
try (const EnsVulkanOptions *options, guint fail_at, VkResult result, GError **error)
{
  g_autoptr (EnsVulkanDevice) device = NULL;

  memset (&state, 0, sizeof state);
  state.fail_at = fail_at;
  state.result = result;
  device = ens_vulkan_device_open ("", options, error);
  return device != NULL && run_network (device, error);
}

static gboolean
has_device (void)
{
  g_autoptr (EnsVulkanDevice) device = open_device (NULL);

  return device != NULL;
}

typedef struct {
  const char *name;
  gboolean staged;
  VkResult result;
  const char *text;
  EnsErrorCode code;
  gboolean imports;
} Row;

static const Row rows[] = {
    {"memory", FALSE, VK_ERROR_OUT_OF_DEVICE_MEMORY, "VK_ERROR_OUT_OF_DEVICE_MEMORY",
     ENS_ERROR_RESOURCE},
    {"lost", FALSE, VK_ERROR_DEVICE_LOST, "VK_ERROR_DEVICE_LOST", ENS_ERROR_DEVICE},
    {"copying", TRUE, VK_ERROR_OUT_OF_HOST_MEMORY, "VK_ERROR_OUT_OF_HOST_MEMORY",
     ENS_ERROR_RESOURCE},
    {"importing", FALSE, VK_ERROR_OUT_OF_DEVICE_MEMORY, "VK_ERROR_OUT_OF_DEVICE_MEMORY",
     ENS_ERROR_RESOURCE, TRUE},
};

/* Nothing has failed in the end: all calls have been tried. */
static void
check_end (const Row *row, guint n_calls, guint n_import_calls)
{
  test_message ("%u calls failed once each, %u of an import", n_calls, n_import_calls);
  ck_assert_uint_eq (n_import_calls, row->imports && fake_dma_buf.n_imports > 0 ? 4 : 0);
}

START_TEST (test_failures)
{
  const Row *row = &rows[_i];
  const EnsVulkanOptions options = {.staged = row->staged,
                                    .wrap = row->imports ? wrap_imports : wrap};
  guint n_import_calls = 0, n_descriptors;

  if (!has_device ())
    return;
  n_descriptors = fake_dma_buf_count_descriptors ();
  for (guint i = 1;; i++) {
    g_autoptr (GError) error = NULL;
    gboolean done = try (&options, i, row->result, &error);

    ck_assert_int_eq (state.n_objects, 0);
    ck_assert_int_eq (fake_dma_buf.n_live, 0);
    ck_assert_uint_eq (fake_dma_buf_count_descriptors (), n_descriptors);
    if (state.failed == NULL) {
      ck_assert_no_error (error);
      ck_assert (done);
      check_end (row, i - 1, n_import_calls);
      return;
    }
    if (state.was_import) {
      ck_assert_no_error (error);
      ck_assert (done);
      n_import_calls++;
      continue;
    }
    ck_assert_error (error, ENS_ERROR, (int)row->code);
    ck_assert_contains (error->message, state.failed);
    ck_assert_contains (error->message, row->text);
    ck_assert (!done);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vulkan/failures");
  TEST_ADD_ROWS (NULL, test_failures, rows);
  return test_run ();
}
