/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executors that run at the same time: what each gives alone, bit for bit, and no more barriers
 * than the longest of them needs. */
#include "planned.h"
#include "random-graph.h"

#include <string.h>

#include "check-main.h"
#include "vulkan/functions.h"

#define N_EXECUTORS 3
#define N_ROUNDS 12

static EnsVulkanFunctions real;
static guint n_barriers;           /* recorded so far */
static GCancellable *when_submits; /* is cancelled by the next submission; NULL: nothing is */

static VKAPI_ATTR void VKAPI_CALL
count_barrier (VkCommandBuffer commands, VkPipelineStageFlags from, VkPipelineStageFlags to,
               VkDependencyFlags flags, uint32_t n, const VkMemoryBarrier *memory,
               uint32_t n_buffers, const VkBufferMemoryBarrier *buffers, uint32_t n_images,
               const VkImageMemoryBarrier *images)
{
  n_barriers++;
  real.CmdPipelineBarrier (commands, from, to, flags, n, memory, n_buffers, buffers, n_images,
                           images);
}

static VKAPI_ATTR VkResult VKAPI_CALL
submit (VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence)
{
  if (when_submits != NULL)
    g_cancellable_cancel (when_submits);
  return real.QueueSubmit (queue, n, submits, fence);
}

static void
wrap (EnsVulkanFunctions *vk, gpointer data)
{
  if (vk->QueueSubmit != NULL && vk->QueueSubmit != submit) {
    real.QueueSubmit = vk->QueueSubmit;
    vk->QueueSubmit = submit;
  }
  if (vk->CmdPipelineBarrier == NULL || vk->CmdPipelineBarrier == count_barrier)
    return;
  real.CmdPipelineBarrier = vk->CmdPipelineBarrier;
  vk->CmdPipelineBarrier = count_barrier;
}

typedef struct {
  const char *name;
  EnsVulkanOptions options;
} Mode;

static const Mode modes[] = {
    {"shared-memory", {.wrap = wrap}},
    {"copying", {.wrap = wrap, .staged = TRUE}},
    {"validated-copying", {.wrap = wrap, .staged = TRUE, .validation = TRUE}},
};

/* An executor with what it reads and what it gave alone. */
typedef struct {
  Planned planned;
  GPtrArray *inputs, *alone, *together; /* EnsTensor */
} Part;

static void
part_init (Part *part, const EnsGraph *graph, guint32 seed, EnsVulkanDevice *device,
           EnsThreadPool *pool)
{
  g_autofree gpointer *inputs = NULL, *outputs = NULL;
  g_autoptr (GError) error = NULL;

  planned_init (&part->planned, graph, device, pool);
  part->inputs = random_inputs (graph, seed);
  part->alone = make_outputs (graph);
  part->together = make_outputs (graph);
  inputs = list_data (part->inputs);
  outputs = list_data (part->alone);
  ens_vulkan_executor_run (part->planned.executor, (const gconstpointer *)inputs, outputs, NULL,
                           NULL, &error);
  ck_assert_no_error (error);
}

static void
part_clear (Part *part)
{
  planned_clear (&part->planned);
  g_ptr_array_unref (part->inputs);
  g_ptr_array_unref (part->alone);
  g_ptr_array_unref (part->together);
}

static void
part_init_random (Part *part, guint32 seed, EnsVulkanDevice *device, EnsThreadPool *pool)
{
  g_auto (Builder) b;

  builder_init (&b, seed);
  build_random_graph (&b);
  part_init (part, b.graph, seed, device, pool);
}

/* Runs parts[order[0]], parts[order[1]] … together. */
static gboolean
run_together (const Part *parts, const guint *order, guint n, GCancellable *cancellable)
{
  EnsVulkanRun runs[N_EXECUTORS] = {{NULL}};
  g_autoptr (GError) error = NULL;
  gboolean done;

  for (guint i = 0; i < n; i++) {
    const Part *part = &parts[order[i]];

    for (guint k = 0; k < part->together->len; k++) {
      EnsTensor *tensor = g_ptr_array_index (part->together, k);

      memset (tensor->data, 0xff, ens_tensor_size (tensor));
    }
    runs[i] =
        (EnsVulkanRun) {part->planned.executor, (const gconstpointer *)list_data (part->inputs),
                        list_data (part->together)};
  }
  done = ens_vulkan_executors_run (runs, n, cancellable, &error);
  if (cancellable == NULL)
    ck_assert_no_error (error);
  ck_assert (done || g_error_matches (error, ENS_ERROR, ENS_ERROR_CANCELLED));
  for (guint i = 0; i < n; i++) {
    g_free ((gpointer)runs[i].inputs);
    g_free ((gpointer)runs[i].outputs);
  }
  return done;
}

static void
check_together (const Part *parts, const guint *order, guint n)
{
  run_together (parts, order, n, NULL);
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < parts[order[i]].alone->len; k++) {
      const EnsTensor *alone = g_ptr_array_index (parts[order[i]].alone, k);
      const EnsTensor *together = g_ptr_array_index (parts[order[i]].together, k);

      ck_assert_bytes_eq (together->data, ens_tensor_size (together), alone->data,
                          ens_tensor_size (alone));
    }
}

/* Orders in which commands are recorded, reused, and recorded again. */
static const struct {
  guint order[N_EXECUTORS], n;
} orders[] = {{{0, 1, 2}, 3}, {{0, 1, 2}, 3}, {{0, 2, 1}, 3}, {{0, 1}, 2},
              {{2, 1, 0}, 3}, {{0, 1, 2}, 3}, {{1}, 1}};

START_TEST (test_random_graphs)
{
  const Mode *mode = &modes[_i];
  g_autoptr (EnsVulkanDevice) device = open_device (&mode->options);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  Part parts[N_EXECUTORS];

  for (guint32 round = 0; device != NULL && round < N_ROUNDS; round++) {
    for (guint i = 0; i < N_EXECUTORS; i++)
      part_init_random (&parts[i], N_EXECUTORS * round + i, device, pool);
    for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
      check_together (parts, orders[i].order, orders[i].n);
    /* One in the place of another that is gone. */
    part_clear (&parts[1]);
    part_init_random (&parts[1], 1000 + round, device, pool);
    check_together (parts, orders[0].order, orders[0].n);
    for (guint i = 0; i < N_EXECUTORS; i++)
      part_clear (&parts[i]);
  }
  if (device != NULL)
    ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_messages, 0);
}
END_TEST

/* As many nodes one after the other, none in place. */
static void
part_init_chain (Part *part, guint length, EnsVulkanDevice *device, EnsThreadPool *pool)
{
  EnsPoolParams params = {.sliding = ENS_SLIDING_DEFAULT};
  g_auto (Builder) b;
  EnsValue *x;

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++)
    params.sliding.kernel[i] = 2;
  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (1, 16, 16, 4));
  for (guint i = 0; i < length; i++)
    x = build (&b, "MaxPool", &params, x, NULL);
  ens_graph_add_output (b.graph, x);
  part_init (part, b.graph, 1, device, pool);
}

/* Chains of 3, 7 and 5 nodes: six barriers between the levels of the longest one, and one at the
 * end. The second time nothing is recorded. */
START_TEST (test_barriers)
{
  static const guint lengths[N_EXECUTORS] = {3, 7, 5};
  const EnsVulkanOptions options = {.wrap = wrap};
  g_autoptr (EnsVulkanDevice) device = open_device (&options);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  Part parts[N_EXECUTORS];
  guint n_submits;

  if (device == NULL)
    return;
  for (guint i = 0; i < N_EXECUTORS; i++)
    part_init_chain (&parts[i], lengths[i], device, pool);
  n_barriers = 0;
  n_submits = ens_vulkan_device_get_counters (device).n_submits;
  check_together (parts, orders[0].order, N_EXECUTORS);
  ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_submits - n_submits, 1);
  ck_assert_uint_eq (n_barriers, 6 + 1);
  check_together (parts, orders[0].order, N_EXECUTORS);
  ck_assert_uint_eq (n_barriers, 6 + 1);
  for (guint i = 0; i < N_EXECUTORS; i++)
    part_clear (&parts[i]);
}
END_TEST

/* 0.5 G operations. */
static void
part_init_heavy (Part *part, EnsVulkanDevice *device, EnsThreadPool *pool)
{
  const EnsShape shape = ENS_SHAPE (640, 640);
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 1);
  x = build_input (&b, &shape);
  ens_graph_add_output (b.graph, build (&b, "MatMul", NULL, x, build_constant (&b, &shape), NULL));
  part_init (part, b.graph, 1, device, pool);
}

/* More than a submission should take: one after the other, and whether they were cancelled is
 * looked at between them. */
START_TEST (test_heavy)
{
  const EnsVulkanOptions options = {.wrap = wrap};
  g_autoptr (EnsVulkanDevice) device = open_device (&options);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Part parts[N_EXECUTORS];
  guint before;

  if (device == NULL)
    return;
  for (guint i = 0; i < N_EXECUTORS; i++)
    part_init_heavy (&parts[i], device, pool);
  before = ens_vulkan_device_get_counters (device).n_submits;
  check_together (parts, orders[0].order, N_EXECUTORS);
  ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_submits - before, N_EXECUTORS);
  when_submits = cancellable;
  before = ens_vulkan_device_get_counters (device).n_submits;
  ck_assert (!run_together (parts, orders[0].order, N_EXECUTORS, cancellable));
  ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_submits - before, 1);
  when_submits = NULL;
  check_together (parts, orders[0].order, N_EXECUTORS);
  for (guint i = 0; i < N_EXECUTORS; i++)
    part_clear (&parts[i]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vulkan/joint");
  TEST_ADD_ROWS ("random-graphs", test_random_graphs, modes);
  test_add ("barriers", test_barriers);
  test_add ("heavy", test_heavy);
  return test_run ();
}
