/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trains a classifier on one batch for training.py and speed comparisons.
 *
 * usage: train-network NETWORK BATCH HEIGHT WIDTH STEPS RATE THREADS [DEVICE [MEGABYTES]]
 *
 * Standard input: pictures, float32 NHWC, then a label for each, int64. The loss is the softmax
 * cross-entropy of the network's first output, the optimiser plain gradient descent. Standard
 * output: a line for each parameter, "NAME DIMENSIONS"; "statistics"; a line for each statistic; an
 * empty line; gradients of the first step, float32, and statistics after it; losses of all steps.
 * Standard error: the least seconds of a step, of processor time too, megabytes of intermediate
 * values, and of the process at most. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "onnx/onnx.h"
#include "train/losses.h"
#include "train/step.h"

typedef struct {
  const char *path, *device;
  gint64 batch, height, width;
  guint steps, threads, megabytes;
  float rate;
} Options;

static void
fail (const GError *error)
{
  fprintf (stderr, "%s\n", error != NULL ? error->message : "standard input ends early");
  exit (1);
}

static gpointer
read_array (gsize size)
{
  gpointer data = g_malloc (size);

  if (fread (data, 1, size, stdin) != size)
    fail (NULL);
  return data;
}

static EnsStep *
make_step (const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open (options->device, options->threads, &error);
  g_autoptr (EnsGraph) graph = device ? ens_onnx_import (options->path, NULL, &error) : NULL;
  const EnsShape shapes[] = {ENS_SHAPE (options->batch, options->height, options->width, 3),
                             ENS_SHAPE (options->batch)};
  EnsStepParams params = {.graph = graph,
                          .input_shapes = shapes,
                          .batch_statistics = TRUE,
                          .momentum = 0.1,
                          .memory_limit = (gsize)options->megabytes * 1000000};
  EnsValue *labels;
  EnsStep *step;

  if (graph == NULL)
    fail (error);
  labels = ens_graph_add_input (graph, "labels", ENS_TYPE_INT64, &ENS_SHAPE (-1));
  params.loss = ens_loss_cross_entropy (graph, graph->outputs->pdata[0], labels, NULL)->name;
  step = ens_step_new (&params, device, &error);
  if (step == NULL)
    fail (error);
  return step;
}

static void
print_parameters (const EnsParameter *parameters, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *shape = ens_shape_to_string (&parameters[i].shape);

    printf ("%s %s\n", parameters[i].name, shape);
  }
}

/* Megabytes that this process took at most. */
static double
get_peak (void)
{
  g_autofree char *status = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  line = strstr (status, "VmHWM:");
  return line != NULL ? g_ascii_strtod (line + strlen ("VmHWM:"), NULL) * 1024 / 1e6 : 0;
}

static void
train (EnsStep *step, const Options *options, const EnsStepArrays *arrays)
{
  g_autofree float *losses = g_new (float, options->steps);
  gsize n, n_statistics;
  float *values = ens_step_get_values (step, &n);
  const float *statistics = ens_step_get_statistic_values (step, &n_statistics);
  g_autoptr (GError) error = NULL;
  double best = G_MAXDOUBLE, processor = G_MAXDOUBLE;

  for (guint i = 0; i < options->steps; i++) {
    gint64 start = g_get_monotonic_time ();
    clock_t processor_start = clock ();

    if (!ens_step_run (step, arrays, &losses[i], &error))
      fail (error);
    for (gsize k = 0; k < n; k++)
      values[k] -= options->rate * arrays->gradients[k];
    best = MIN (best, (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC);
    processor = MIN (processor, (double)(clock () - processor_start) / CLOCKS_PER_SEC);
    if (i > 0)
      continue;
    fwrite (arrays->gradients, sizeof (float), n, stdout);
    fwrite (statistics, sizeof (float), n_statistics, stdout);
  }
  fwrite (losses, sizeof *losses, options->steps, stdout);
  fprintf (stderr, "%.4f %.4f %.1f %.1f\n", best, processor,
           (double)ens_step_get_arena_size (step) / 1e6, get_peak ());
}

int
main (int argc, char **argv)
{
  Options options;
  g_autoptr (EnsStep) step = NULL;
  g_autofree float *pictures = NULL, *gradients = NULL;
  g_autofree gint64 *labels = NULL;
  const EnsParameter *list;
  gsize size;
  guint n;

  if (argc < 8)
    return 2;
  options = (Options) {argv[1],
                       argc > 8 ? argv[8] : "cpu",
                       atoi (argv[2]),
                       atoi (argv[3]),
                       atoi (argv[4]),
                       (guint)atoi (argv[5]),
                       (guint)atoi (argv[7]),
                       argc > 9 ? (guint)atoi (argv[9]) : 0,
                       (float)g_ascii_strtod (argv[6], NULL)};
  step = make_step (&options);
  pictures =
      read_array ((gsize)(options.batch * options.height * options.width) * 3 * sizeof *pictures);
  labels = read_array ((gsize)options.batch * sizeof *labels);
  list = ens_step_get_parameters (step, &n);
  print_parameters (list, n);
  puts ("statistics");
  list = ens_step_get_statistics (step, &n);
  print_parameters (list, n);
  puts ("");
  ens_step_get_values (step, &size);
  gradients = g_new (float, size);
  train (step, &options,
         &(EnsStepArrays) {(const gconstpointer[]) {pictures, labels}, NULL, gradients});
  return 0;
}
