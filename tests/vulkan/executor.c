/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random graphs on Vulkan against their operators' references run value by value: with all memory
 * shared, and copying as for a graphics card. Software Vulkan will do; without any, tests skip. */
#include "planned.h"
#include "random-graph.h"

#include "check-main.h"
#include "cpu/interpret.h"

#define N_GRAPHS 60

typedef struct {
  const char *name;
  EnsVulkanOptions options;
} Mode;

static const Mode modes[] = {
    {"shared-memory", {.validation = FALSE}},
    {"copying", {.staged = TRUE}},
    {"validated", {.validation = TRUE}},
    {"validated-copying", {.validation = TRUE, .staged = TRUE}},
};

/* Once as usual, once measuring every node; returns what the latter gives. */
static GPtrArray *
run_twice (EnsVulkanExecutor *executor, const EnsGraph *graph, const GPtrArray *inputs)
{
  GPtrArray *outputs = make_outputs (graph);
  g_autofree gpointer *input_data = list_data (inputs), *output_data = list_data (outputs);
  g_autofree EnsNodeTime *times =
      g_new0 (EnsNodeTime, ens_vulkan_executor_get_info (executor)->n_steps);
  g_autoptr (GError) error = NULL;

  ens_vulkan_executor_run (executor, (const gconstpointer *)input_data, output_data, NULL, NULL,
                           &error);
  ck_assert_no_error (error);
  ens_vulkan_executor_run (executor, (const gconstpointer *)input_data, output_data, times, NULL,
                           &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < ens_vulkan_executor_get_info (executor)->n_steps; i++) {
    ck_assert_ptr_nonnull (times[i].node);
    ck_assert_ptr_nonnull (times[i].kernel);
  }
  return outputs;
}

static void
check_graph (const EnsGraph *graph, guint32 seed, EnsVulkanDevice *device, EnsThreadPool *pool)
{
  g_autoptr (GPtrArray) inputs = random_inputs (graph, seed), expected = NULL, found = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Planned) planned;

  planned_init (&planned, graph, device, pool);
  expected = ens_interpret (graph, (EnsTensor **)inputs->pdata, &error);
  ck_assert_no_error (error);
  found = run_twice (planned.executor, graph, inputs);
  assert_outputs (graph, found, expected);
}

START_TEST (test_random_graphs)
{
  const Mode *mode = &modes[_i];
  g_autoptr (EnsVulkanDevice) device = open_device (&mode->options);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);

  for (guint32 seed = 0; device != NULL && seed < N_GRAPHS; seed++) {
    g_auto (Builder) b;

    builder_init (&b, seed);
    build_random_graph (&b);
    check_graph (b.graph, seed, device, pool);
  }
  if (device != NULL)
    ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_messages, 0);
}
END_TEST

/* Outputs that are inputs, constants, and the same twice. */
START_TEST (test_outputs)
{
  const Mode *mode = &modes[_i];
  g_autoptr (EnsVulkanDevice) device = open_device (&mode->options);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 1);
  if (device == NULL)
    return;
  x = build_input (&b, &ENS_SHAPE (1, 2, 3, 4));
  y = build (&b, "Relu", NULL, x, NULL);
  ens_graph_add_output (b.graph, x);
  ens_graph_add_output (b.graph, y);
  ens_graph_add_output (b.graph, build_constant (&b, &ENS_SHAPE (5)));
  ens_graph_add_output (b.graph, y);
  ens_graph_add_output (b.graph, build_reshape (&b, y, &ENS_SHAPE (24)));
  check_graph (b.graph, 1, device, pool);
}
END_TEST

static EnsValue *
build_pool (Builder *b, EnsValue *x)
{
  EnsPoolParams params = {.sliding = ENS_SLIDING_DEFAULT};

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++)
    params.sliding.kernel[i] = 2;
  return build (b, "MaxPool", &params, x, NULL);
}

/* Four branches of three nodes, none of which computes in place, and which only meet in the end: a
 * barrier between levels, and no other. */
START_TEST (test_barriers)
{
  const EnsVulkanOptions options = {.validation = FALSE};
  g_autoptr (EnsVulkanDevice) device = open_device (&options);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_auto (Builder) b;
  EnsValue *input, *branches[4];

  builder_init (&b, 1);
  input = build_input (&b, &ENS_SHAPE (1, 4, 4, 8));
  for (guint i = 0; i < G_N_ELEMENTS (branches); i++) {
    branches[i] = build_pool (&b, build_pool (&b, input));
    branches[i] = build (&b, "GlobalAveragePool", NULL, branches[i], NULL);
  }
  ens_graph_add_output (b.graph, build_concat (&b, 3, branches, G_N_ELEMENTS (branches)));
  if (device != NULL) {
    g_auto (Planned) planned;

    planned_init (&planned, b.graph, device, pool);
    ck_assert_uint_eq (ens_vulkan_executor_get_info (planned.executor)->n_cpu_steps, 0);
    ck_assert_uint_eq (ens_vulkan_executor_get_info (planned.executor)->n_barriers, 2);
    check_graph (b.graph, 1, device, pool);
  }
}
END_TEST

/* More operations than a submission should take: several, and whether it was cancelled is looked at
 * between them. */
START_TEST (test_heavy)
{
  const EnsVulkanOptions options = {.validation = FALSE};
  g_autoptr (EnsVulkanDevice) device = open_device (&options);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  const EnsShape shape = ENS_SHAPE (640, 640);
  g_auto (Builder) b;
  guint before;
  EnsValue *x;

  builder_init (&b, 1);
  x = build_input (&b, &shape);
  for (guint i = 0; i < 3; i++)
    x = build (&b, "MatMul", NULL, x, build_constant (&b, &shape), NULL);
  ens_graph_add_output (b.graph, x);
  if (device != NULL) {
    g_autoptr (GPtrArray) inputs = random_inputs (b.graph, 1), outputs = make_outputs (b.graph);
    g_autofree gpointer *input_data = list_data (inputs), *output_data = list_data (outputs);
    g_auto (Planned) planned;

    planned_init (&planned, b.graph, device, pool);
    before = ens_vulkan_device_get_counters (device).n_submits;
    ck_assert (ens_vulkan_executor_run (planned.executor, (const gconstpointer *)input_data,
                                        output_data, NULL, cancellable, &error));
    ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_submits - before, 2);
    g_cancellable_cancel (cancellable);
    ck_assert (!ens_vulkan_executor_run (planned.executor, (const gconstpointer *)input_data,
                                         output_data, NULL, cancellable, &error));
    ck_assert (g_error_matches (error, ENS_ERROR, ENS_ERROR_CANCELLED));
    ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_submits - before, 2);
    check_graph (b.graph, 1, device, pool);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vulkan/executor");
  TEST_ADD_ROWS ("random-graphs", test_random_graphs, modes);
  TEST_ADD_ROWS ("outputs", test_outputs, modes);
  test_add ("barriers", test_barriers);
  test_add ("heavy", test_heavy);
  return test_run ();
}
