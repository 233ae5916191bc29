/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* time-gradient THREADS LAYER BATCH HEIGHT WIDTH CHANNELS FILTERS KERNEL STRIDE PAD GROUPS
 *
 * One layer, `conv`, `dense` or `max-pool`, on the CPU: the output, and from the output's gradient
 * those of input and weights. Weights are no constants, as in training. For each line of standard
 * input it runs once and prints the milliseconds, of processor time if there is one thread; at the
 * end, each node's share. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpu/executor.h"
#include "cpu/weights.h"
#include "graph/infer.h"
#include "ops/gradient.h"
#include "ops/params.h"
#include "ops/registry.h"

enum { BATCH, HEIGHT, WIDTH, CHANNELS, FILTERS, KERNEL, STRIDE, PAD, GROUPS, N_SIZES };

static EnsValue *
add_input (EnsGraph *graph, const EnsShape *shape)
{
  return ens_graph_add_input (graph, NULL, ENS_TYPE_FLOAT32, shape);
}

static EnsSliding
make_sliding (const gint64 *sizes)
{
  gint64 kernel = sizes[KERNEL], stride = sizes[STRIDE], pad = sizes[PAD];

  return (EnsSliding) {.rank = 2,
                       .kernel = {kernel, kernel},
                       .strides = {stride, stride, 1},
                       .dilations = {1, 1, 1},
                       .pads_begin = {pad, pad},
                       .pads_end = {pad, pad}};
}

static EnsNode *
add_layer (EnsGraph *graph, const char *layer, const gint64 *sizes)
{
  EnsConvParams conv = {.sliding = make_sliding (sizes), .group = sizes[GROUPS]};
  EnsPoolParams pool = {.sliding = conv.sliding};
  EnsGemmParams gemm = {.trans_b = TRUE, .alpha = 1, .beta = 1};
  EnsShape image = ENS_SHAPE (sizes[BATCH], sizes[HEIGHT], sizes[WIDTH], sizes[CHANNELS]);
  EnsShape rows = ENS_SHAPE (sizes[BATCH], sizes[CHANNELS]);
  EnsShape filters =
      ENS_SHAPE (sizes[FILTERS], sizes[KERNEL], sizes[KERNEL], sizes[CHANNELS] / sizes[GROUPS]);
  EnsShape matrix = ENS_SHAPE (sizes[FILTERS], sizes[CHANNELS]);
  gboolean dense = strcmp (layer, "dense") == 0;
  EnsValue *inputs[] = {add_input (graph, dense ? &rows : &image), NULL};

  if (strcmp (layer, "max-pool") == 0)
    return ens_graph_add_node (graph, &ens_op_max_pool, layer, &pool, inputs, 1, 1);
  inputs[1] = add_input (graph, dense ? &matrix : &filters);
  if (dense)
    return ens_graph_add_node (graph, &ens_op_gemm, layer, &gemm, inputs, 2, 1);
  return ens_graph_add_node (graph, &ens_op_conv, layer, &conv, inputs, 2, 1);
}

static EnsGraph *
make_graph (const char *layer, const gint64 *sizes, GError **error)
{
  g_autoptr (EnsGraph) graph = ens_graph_new (layer);
  EnsNode *node = add_layer (graph, layer, sizes);
  EnsValue *output_gradient, *input_gradients[2] = {NULL};
  gboolean wanted[] = {TRUE, TRUE};
  EnsGradient gradient = {graph, node, &output_gradient, wanted, input_gradients};

  if (!ens_infer_node (node, FALSE, error))
    return NULL;
  output_gradient = add_input (graph, &node->outputs[0]->shape);
  if (!node->op->gradient (&gradient, error))
    return NULL;
  ens_graph_add_output (graph, node->outputs[0]);
  for (guint i = 0; i < node->n_inputs; i++)
    ens_graph_add_output (graph, input_gradients[i]);
  return g_steal_pointer (&graph);
}

/* Random numbers of the values' sizes. (transfer full) */
static GPtrArray *
make_arrays (const GPtrArray *values)
{
  GPtrArray *arrays = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < values->len; i++) {
    const EnsValue *value = g_ptr_array_index (values, i);
    gint64 n = ens_shape_elements (&value->shape);
    float *array = g_new (float, n);

    for (gint64 k = 0; k < n; k++)
      array[k] = (float)g_rand_double_range (random, -1, 1);
    g_ptr_array_add (arrays, array);
  }
  return arrays;
}

static void
print_nodes (EnsExecutor *executor, const EnsNodeTime *times, guint n_runs)
{
  for (guint i = 0; i < ens_executor_get_n_steps (executor); i++) {
    double ms = (double)times[i].nanoseconds / n_runs / 1e6;

    printf ("%9.3f ms %7.1f GFLOP/s  %-16s %s\n", ms, times[i].flops / ms / 1e6, times[i].op,
            times[i].kernel);
  }
}

static double
now (guint threads)
{
  return threads == 1 ? (double)clock () / CLOCKS_PER_SEC : (double)g_get_monotonic_time () / 1e6;
}

static void
measure (EnsExecutor *executor, guint threads)
{
  const EnsGraph *graph = ens_executor_get_graph (executor);
  g_autoptr (GPtrArray) inputs = make_arrays (graph->inputs);
  g_autoptr (GPtrArray) outputs = make_arrays (graph->outputs);
  g_autofree EnsNodeTime *times = g_new0 (EnsNodeTime, ens_executor_get_n_steps (executor));
  gpointer arena = aligned_alloc (64, ens_executor_get_arena_size (executor) + 64);
  char line[16];
  guint n = 0;

  for (; fgets (line, sizeof line, stdin) != NULL; n++) {
    double start = now (threads);

    ens_executor_run (executor, (const gconstpointer *)inputs->pdata, outputs->pdata, arena, times,
                      NULL);
    printf ("%.4f\n", (now (threads) - start) * 1e3);
    fflush (stdout);
  }
  print_nodes (executor, times, MAX (n, 1));
  free (arena);
}

int
main (int argc, char **argv)
{
  g_autoptr (EnsPackedWeights) weights = ens_packed_weights_new ();
  g_autoptr (EnsThreadPool) pool = NULL;
  g_autoptr (EnsExecutor) executor = NULL;
  g_autoptr (GError) error = NULL;
  gint64 sizes[N_SIZES];
  EnsGraph *graph;

  setlocale (LC_ALL, "");
  if (argc != 3 + N_SIZES) {
    g_printerr ("usage: %s THREADS LAYER BATCH HEIGHT WIDTH CHANNELS FILTERS KERNEL STRIDE PAD "
                "GROUPS\n",
                argv[0]);
    return EXIT_FAILURE;
  }
  for (guint i = 0; i < N_SIZES; i++)
    sizes[i] = atoi (argv[3 + i]);
  graph = make_graph (argv[2], sizes, &error);
  if (graph == NULL) {
    g_printerr ("%s\n", error->message);
    return EXIT_FAILURE;
  }
  pool = ens_thread_pool_new ((guint)atoi (argv[1]));
  executor = ens_executor_new (graph, pool, weights, NULL, NULL);
  measure (executor, (guint)atoi (argv[1]));
  return EXIT_SUCCESS;
}
