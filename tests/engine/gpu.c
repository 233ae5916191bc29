/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans on a GPU that is too small, or fails: batches are split, the device is recreated after a
 * loss, and the CPU takes over in the end, always with the right numbers. */
#include <string.h>

#include "build.h"
#include "check-main.h"
#include "engine/device-private.h"
#include "engine/network-private.h"
#include "engine/plan-private.h"
#include "vulkan/functions.h"

#define BATCH 5
#define N_INPUT (BATCH * 8 * 8 * 16)
#define N_OUTPUT (BATCH * 16)

static EnsVulkanFunctions real;
static struct {
  VkDeviceSize largest; /* allocation that succeeds; 0: any */
  guint32 range;        /* bytes that can be bound to a shader; 0: as many as there are */
  guint n_lost;         /* submissions that will fail */
  guint n_refused;      /* devices that can't be opened from now on */
  gboolean scarce;      /* no allocation succeeds until some memory is freed */
} state;

static VKAPI_ATTR VkResult VKAPI_CALL
allocate (VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *a,
          VkDeviceMemory *memory)
{
  return state.scarce || (state.largest > 0 && info->allocationSize > state.largest)
             ? VK_ERROR_OUT_OF_DEVICE_MEMORY
             : real.AllocateMemory (device, info, a, memory);
}

static VKAPI_ATTR void VKAPI_CALL
free_memory (VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *a)
{
  state.scarce = FALSE;
  real.FreeMemory (device, memory, a);
}

static VKAPI_ATTR VkResult VKAPI_CALL
submit (VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence)
{
  if (state.n_lost == 0)
    return real.QueueSubmit (queue, n, submits, fence);
  state.n_lost--;
  return VK_ERROR_DEVICE_LOST;
}

static VKAPI_ATTR VkResult VKAPI_CALL
open_device (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
             const VkAllocationCallbacks *a, VkDevice *device)
{
  if (state.n_refused == 0)
    return real.CreateDevice (physical, info, a, device);
  state.n_refused--;
  return VK_ERROR_INITIALIZATION_FAILED;
}

static VKAPI_ATTR void VKAPI_CALL
get_properties (VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *properties)
{
  real.GetPhysicalDeviceProperties2 (physical, properties);
  if (state.range > 0)
    properties->properties.limits.maxStorageBufferRange = state.range;
}

static void
wrap (EnsVulkanFunctions *vk, gpointer data)
{
#define WRAP(name, function)                      \
  if (vk->name != NULL && vk->name != function) { \
    real.name = vk->name;                         \
    vk->name = function;                          \
  }
  WRAP (AllocateMemory, allocate)
  WRAP (FreeMemory, free_memory)
  WRAP (QueueSubmit, submit)
  WRAP (CreateDevice, open_device)
  WRAP (GetPhysicalDeviceProperties2, get_properties)
#undef WRAP
}

/* What a result depends on besides its own image, so that the batch can't be split. */
typedef enum {
  NOTHING,
  MEAN,  /* of all images, which is subtracted from each */
  COUNT, /* of images, by which each is multiplied */
} Dependence;

static EnsValue *
depend (Builder *b, EnsValue *x, Dependence dependence)
{
  const EnsReduceParams mean = {.axes = {1, TRUE, {0}}, .keepdims = TRUE};
  EnsValue *count;

  if (dependence == NOTHING)
    return x;
  if (dependence == MEAN)
    return build (b, "Sub", NULL, x, build (b, "ReduceMean", &mean, x, NULL), NULL);
  count = build (b, "Shape", &(EnsShapeParams) {0, 1}, x, NULL);
  count = build (b, "Cast", &(EnsCastParams) {ENS_TYPE_FLOAT32}, count, NULL);
  return build (b, "Mul", NULL, x, count, NULL);
}

static EnsGraph *
build_graph (Dependence dependence)
{
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (BATCH, 8, 8, 16));
  x = build (&b, "Tanh", NULL, build (&b, "Relu", NULL, x, NULL), NULL);
  x = build (&b, "GlobalAveragePool", NULL, x, NULL);
  ens_graph_add_output (b.graph, depend (&b, x, dependence));
  return g_steal_pointer (&b.graph);
}

static EnsPlan *
make_plan (EnsDevice *device, Dependence dependence)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsNetwork) network = ens_network_new (build_graph (dependence), device, &error);
  EnsPlan *plan;

  ck_assert_no_error (error);
  plan = ens_network_plan (network, &ENS_SHAPE (BATCH, 8, 8, 16), &error);
  ck_assert_no_error (error);
  return plan;
}

static void
run_plan (EnsPlan *plan, float *output)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  g_autoptr (EnsTensor) input = random_tensor (rand, &ENS_SHAPE (N_INPUT));
  g_autoptr (GError) error = NULL;

  memset (output, 0xff, N_OUTPUT * sizeof *output);
  ens_plan_run (plan, (const gconstpointer[]) {input->data}, (const gpointer[]) {output}, &error);
  ck_assert_no_error (error);
}

static void
check_output (EnsPlan *plan, Dependence dependence)
{
  g_autoptr (EnsDevice) cpu = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsPlan) reference = make_plan (cpu, dependence);
  float found[N_OUTPUT], expected[N_OUTPUT];

  run_plan (plan, found);
  run_plan (reference, expected);
  ck_assert_double_lt (relative_error (found, expected, N_OUTPUT), 1e-5);
}

/* range: of the state. */
static EnsDevice *
open_gpu (guint32 range, gboolean float16)
{
  const EnsVulkanOptions options = {.wrap = wrap, .no_texels = range > 0, .float16 = float16};
  g_autoptr (GError) error = NULL;
  EnsDevice *device;

  memset (&state, 0, sizeof state);
  state.range = range;
  device = ens_device_open_vulkan ("", 1, &options, &error);
  if (device == NULL)
    test_skip (error->message);
  return device;
}

/* What happens, and the words of the warning that there must be. */
typedef struct {
  const char *name;
  VkDeviceSize largest;
  guint32 range;
  guint n_lost, n_refused;
  const char *warning;
  guint n_submits; /* of a run */
  Dependence dependence;
} Row;

static const Row rows[] = {
    {.name = "sound", .n_submits = 1},
    {.name = "split", .largest = 30000, .n_submits = 2},
    {.name = "split for bindings", .range = 3 * 8 * 8 * 16 * 4, .n_submits = 2},
    {.name = "not split for bindings",
     .range = 3 * 8 * 8 * 16 * 4,
     .n_submits = 1,
     .dependence = MEAN},
    {.name = "not split",
     .largest = 30000,
     .warning = "falls back to the CPU: .*VK_ERROR_OUT_OF_DEVICE_MEMORY",
     .dependence = MEAN},
    {.name = "not split for the count",
     .range = 3 * 8 * 8 * 16 * 4,
     .n_submits = 1,
     .dependence = COUNT},
    {.name = "bindings too small for one image", .range = 8 * 8 * 16, .n_submits = 0},
    {.name = "too small for one image",
     .largest = 100,
     .warning = "falls back to the CPU: .*VK_ERROR_OUT_OF_DEVICE_MEMORY"},
    {.name = "lost once", .n_lost = 1, .warning = "recreated after device loss", .n_submits = 1},
    {.name = "lost for good",
     .n_lost = 1,
     .n_refused = 1,
     .warning = "falls back to the CPU: .*VK_ERROR_DEVICE_LOST"},
    {.name = "lost again", .n_lost = 2, .warning = "falls back to the CPU: .*VK_ERROR_DEVICE_LOST"},
};

static guint
count_submits (EnsDevice *device)
{
  g_autoptr (EnsVulkanDevice) vulkan = ens_device_ref_vulkan (device);

  return vulkan != NULL ? ens_vulkan_device_get_counters (vulkan).n_submits : 0;
}

static void
check_whole (EnsPlan *plan, gboolean whole)
{
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (ens_plan_check_whole (plan, &error), whole);
  if (!whole)
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_RESOURCE);
}

START_TEST (check_row)
{
  const Row *row = &rows[_i];
  g_autoptr (EnsDevice) device = open_gpu (row->range, FALSE);
  g_autoptr (EnsPlan) plan = NULL;
  g_autofree char *warning = NULL;
  guint before;

  if (device == NULL)
    return;
  state.largest = row->largest;
  plan = make_plan (device, row->dependence);
  state.n_lost = row->n_lost;
  state.n_refused = row->n_refused;
  check_output (plan, row->dependence);
  before = count_submits (device);
  check_output (plan, row->dependence);
  ck_assert_uint_eq (count_submits (device) - before, row->n_submits);
  check_whole (plan, row->n_submits == 1);
  warning = ens_device_take_warning (device);
  if (row->warning == NULL)
    ck_assert_ptr_null (warning);
  else
    ck_assert (g_regex_match_simple (row->warning, warning, 0, 0));
  ck_assert_ptr_null (ens_device_take_warning (device));
}
END_TEST

/* A GPU that was given up is not tried again. */
START_TEST (test_given_up)
{
  g_autoptr (EnsDevice) device = open_gpu (0, FALSE);
  g_autoptr (EnsPlan) plan = NULL, next = NULL;

  if (device == NULL)
    return;
  plan = make_plan (device, NOTHING);
  state.n_lost = state.n_refused = G_MAXUINT;
  check_output (plan, NOTHING);
  g_free (ens_device_take_warning (device));
  next = make_plan (device, NOTHING);
  check_output (next, NOTHING);
  ck_assert_ptr_null (ens_device_take_warning (device));
}
END_TEST

static EnsPlan *
plan_images (EnsNetwork *network, guint n)
{
  g_autoptr (GError) error = NULL;
  EnsPlan *plan = ens_network_plan (network, &ENS_SHAPE (n, 8, 8, 16), &error);

  ck_assert_no_error (error);
  return plan;
}

/* Memory that plans of another size or network hold makes room, unless they are in use. */
static const struct {
  const char *name;
  gboolean same, used;
} scarce_rows[] = {
    {"idle", TRUE, FALSE},
    {"idle-elsewhere", FALSE, FALSE},
    {"in-use", TRUE, TRUE},
};

START_TEST (check_scarce)
{
  g_autoptr (EnsDevice) device = open_gpu (0, FALSE);
  g_autoptr (EnsNetwork) network = NULL, other = NULL;
  g_autoptr (EnsPlan) first = NULL, plan = NULL;
  g_autofree char *warning = NULL;

  if (device == NULL)
    return;
  network = ens_network_new (build_graph (MEAN), device, NULL);
  other = ens_network_new (build_graph (MEAN), device, NULL);
  first = plan_images (scarce_rows[_i].same ? network : other, BATCH);
  if (!scarce_rows[_i].used)
    g_clear_pointer (&first, ens_plan_unref);
  state.scarce = TRUE;
  plan = plan_images (network, 4);
  warning = ens_device_take_warning (device);
  ck_assert_int_eq (warning != NULL, scarce_rows[_i].used);
}
END_TEST

/* Of plans that can't be in memory together, the later one does without the GPU for a while. */
START_TEST (test_scarce_again)
{
  g_autoptr (EnsDevice) device = open_gpu (0, FALSE);
  g_autoptr (EnsNetwork) network = NULL;
  g_autofree char *warning = NULL;

  if (device == NULL)
    return;
  network = ens_network_new (build_graph (MEAN), device, NULL);
  ens_plan_unref (plan_images (network, 3));
  state.scarce = TRUE;
  ens_plan_unref (plan_images (network, 4));
  ck_assert_ptr_null (ens_device_take_warning (device));
  state.scarce = TRUE;
  ens_plan_unref (plan_images (network, 3));
  warning = ens_device_take_warning (device);
  ck_assert_ptr_nonnull (warning);
}
END_TEST

/* Two plans by one submission; by two of their own, if the one for both fails. */
START_TEST (check_together)
{
  gboolean fails = _i;
  g_autoptr (EnsDevice) device = open_gpu (0, FALSE), cpu = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsPlan) first = NULL, second = NULL, reference = make_plan (cpu, NOTHING);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  g_autoptr (EnsTensor) input = random_tensor (rand, &ENS_SHAPE (N_INPUT));
  float found[2][N_OUTPUT] = {{0}}, expected[N_OUTPUT];
  const gconstpointer inputs[] = {input->data};
  const gpointer outputs[][1] = {{found[0]}, {found[1]}};
  g_autoptr (GError) error = NULL;
  guint before;

  if (device == NULL)
    return;
  first = make_plan (device, NOTHING);
  second = make_plan (device, NOTHING);
  run_plan (reference, expected);
  before = count_submits (device);
  state.n_lost = fails;
  ens_plans_run ((const EnsPlanRun[]) {{first, inputs, outputs[0]}, {second, inputs, outputs[1]}},
                 2, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (count_submits (device) - before, fails ? 2 : 1);
  for (guint i = 0; i < 2; i++)
    ck_assert_double_lt (relative_error (found[i], expected, N_OUTPUT), 1e-5);
}
END_TEST

/* Nodes that run on the CPU among float16 nodes compute in float32, by their fast kernels. */
START_TEST (test_half_on_cpu)
{
  g_autoptr (EnsDevice) device = open_gpu (8 * 8 * 16, TRUE);
  g_autoptr (EnsPlan) plan = NULL;
  g_autofree EnsNodeTime *times = NULL;
  float input[N_INPUT] = {0}, output[N_OUTPUT];
  guint n, n_fast = 0;

  if (device == NULL)
    return;
  plan = make_plan (device, NOTHING);
  n = ens_plan_get_n_nodes (plan);
  times = g_new0 (EnsNodeTime, n);
  ens_plan_profile (plan, (const gconstpointer[]) {input}, (const gpointer[]) {output}, times,
                    NULL);
  for (guint i = 0; i < n; i++)
    if (strcmp (times[i].op, "Cast") != 0) {
      ck_assert (g_str_has_prefix (times[i].kernel, "on the CPU: "));
      ck_assert_ptr_null (strstr (times[i].kernel, "reference"));
      n_fast++;
    }
  ck_assert_uint_gt (n_fast, 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine/gpu");
  TEST_ADD_ROWS (NULL, check_row, rows);
  test_add ("given-up", test_given_up);
  test_add ("half-on-cpu", test_half_on_cpu);
  TEST_ADD_ROWS ("scarce", check_scarce, scarce_rows);
  test_add ("scarce-again", test_scarce_again);
  test_add_row (NULL, "together", check_together, FALSE);
  test_add_row (NULL, "not-together", check_together, TRUE);
  return test_run ();
}
