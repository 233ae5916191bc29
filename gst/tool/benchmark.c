/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/resource.h>

#include "kernels/peak.h"
#include "table.h"
#include "tool.h"

typedef struct {
  gint batch, size, threads, runs;
  char *device;
} Options;

/* A network with one input and the memory for running it. */
typedef struct {
  EnsDevice *device;
  EnsNetwork *network;
  EnsPlan *plan;
  EnsShape shape;
  EnsTensor *input;
  GPtrArray *outputs; /* EnsTensor */
} Subject;

static void
subject_clear (Subject *subject)
{
  g_clear_pointer (&subject->outputs, g_ptr_array_unref);
  g_clear_pointer (&subject->input, ens_tensor_unref);
  g_clear_pointer (&subject->plan, ens_plan_unref);
  g_clear_pointer (&subject->network, ens_network_unref);
  g_clear_pointer (&subject->device, ens_device_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Subject, subject_clear)

/* The declared shape, with the user's sizes, or usual ones, where it is open. */
static gboolean
choose_shape (Subject *subject, const Options *options, const char *path, GError **error)
{
  EnsShape *shape = &subject->shape;

  if (ens_network_get_n_inputs (subject->network) != 1) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: a network with one input was expected, this one has %u", path,
                 ens_network_get_n_inputs (subject->network));
    return FALSE;
  }
  *shape = *ens_network_get_input_shape (subject->network, 0);
  if (shape->rank == 4) {
    shape->dims[0] = options->batch;
    for (guint i = 1; i < 3; i++)
      if (options->size > 0)
        shape->dims[i] = options->size;
      else if (shape->dims[i] < 0)
        shape->dims[i] = 224;
  }
  for (guint i = 0; i < shape->rank; i++)
    if (shape->dims[i] < 0)
      shape->dims[i] = i == 0 ? options->batch : 1;
  return TRUE;
}

static void
fill_random (EnsTensor *tensor)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  float *values = tensor->data;

  for (gsize i = 0; i < ens_tensor_size (tensor) / sizeof *values; i++)
    values[i] = (float)g_rand_double_range (rand, -1, 1);
}

/* A network that is fully connected for one size takes others as a convolution. */
static gboolean
plan (Subject *subject, const Options *options, const char *path, GError **error)
{
  gint64 declared = ens_network_get_input_shape (subject->network, 0)->dims[1];

  subject->plan =
      ens_network_plan (subject->network, &subject->shape, options->size > 0 ? NULL : error);
  if (subject->plan != NULL || options->size == 0)
    return subject->plan != NULL;
  g_clear_pointer (&subject->network, ens_network_unref);
  subject->network = ens_network_load_convolutional (path, declared > 0 ? (guint)declared : 224,
                                                     subject->device, error);
  if (subject->network == NULL)
    return FALSE;
  subject->plan = ens_network_plan (subject->network, &subject->shape, error);
  return subject->plan != NULL;
}

static gboolean
prepare (Subject *subject, const Options *options, const char *path, GError **error)
{
  subject->device = tool_open_device (options->device, options->threads, error);
  if (subject->device == NULL)
    return FALSE;
  subject->network = ens_network_load (path, subject->device, error);
  if (subject->network != NULL)
    tool_warn (ens_network_get_notes (subject->network));
  if (subject->network == NULL || !choose_shape (subject, options, path, error)
      || !plan (subject, options, path, error))
    return FALSE;
  subject->input = ens_tensor_new (ENS_TYPE_FLOAT32, &subject->shape);
  fill_random (subject->input);
  subject->outputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  for (guint i = 0; i < ens_network_get_n_outputs (subject->network); i++)
    g_ptr_array_add (subject->outputs, ens_tensor_new (ENS_TYPE_FLOAT32, ens_plan_get_output_shape (
                                                                             subject->plan, i)));
  return TRUE;
}

/* Runs once; times is NULL or an array for the profile. */
static gboolean
run_once (Subject *subject, EnsNodeTime *times, GError **error)
{
  gconstpointer inputs[] = {subject->input->data};
  g_autofree gpointer *outputs = g_new (gpointer, subject->outputs->len);

  for (guint i = 0; i < subject->outputs->len; i++)
    outputs[i] = ((EnsTensor *)subject->outputs->pdata[i])->data;
  if (times != NULL)
    return ens_plan_profile (subject->plan, inputs, outputs, times, error);
  return ens_plan_run (subject->plan, inputs, outputs, error);
}

static int
compare_durations (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;

  return left < right ? -1 : left > right;
}

/* The median run's seconds. Without a number of runs, as many as fit into two seconds. */
static gboolean
measure (Subject *subject, const Options *options, double *seconds, guint *n_runs, GError **error)
{
  g_autoptr (GArray) durations = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 total = 0;

  if (!run_once (subject, NULL, error))
    return FALSE;
  while (options->runs > 0 ? durations->len < (guint)options->runs
                           : durations->len < 3 || total < 2 * G_USEC_PER_SEC) {
    gint64 start = g_get_monotonic_time (), duration;

    if (!run_once (subject, NULL, error))
      return FALSE;
    duration = g_get_monotonic_time () - start;
    total += duration;
    g_array_append_val (durations, duration);
  }
  g_array_sort (durations, compare_durations);
  *n_runs = durations->len;
  *seconds = (double)g_array_index (durations, gint64, durations->len / 2) / G_USEC_PER_SEC;
  return TRUE;
}

/* Runs whose nodes are timed. */
#define N_PROFILED 5

typedef struct {
  char *key; /* operator and kernel */
  guint n_nodes;
  double flops;
  gint64 nanoseconds;
} OpTime;

static void
op_time_free (gpointer data)
{
  OpTime *time = data;

  g_free (time->key);
  g_free (time);
}

static int
compare_op_times (gconstpointer a, gconstpointer b)
{
  const OpTime *left = *(OpTime *const *)a, *right = *(OpTime *const *)b;

  return left->nanoseconds > right->nanoseconds ? -1 : left->nanoseconds < right->nanoseconds;
}

/* Sums nodes by operator and kernel, the longest first. */
static GPtrArray *
sum_by_op (const EnsNodeTime *times, guint n)
{
  g_autoptr (GHashTable) by_key = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *sums = g_ptr_array_new_with_free_func (op_time_free);

  for (guint i = 0; i < n; i++) {
    g_autofree char *key = times[i].kernel
                               ? g_strdup_printf ("%s (%s)", times[i].op, times[i].kernel)
                               : g_strdup (times[i].op);
    OpTime *sum = g_hash_table_lookup (by_key, key);

    if (sum == NULL) {
      sum = g_new0 (OpTime, 1);
      sum->key = g_steal_pointer (&key);
      g_hash_table_insert (by_key, sum->key, sum);
      g_ptr_array_add (sums, sum);
    }
    sum->n_nodes++;
    sum->flops += times[i].flops;
    sum->nanoseconds += times[i].nanoseconds;
  }
  g_ptr_array_sort (sums, compare_op_times);
  return sums;
}

static void
print_ops (const EnsNodeTime *times, guint n)
{
  g_autoptr (GPtrArray) sums = sum_by_op (times, n);
  g_autoptr (ToolTable) table = tool_table_new ("operator|>nodes|>ms|>share|>GFLOP/s");
  gint64 total = 0;

  for (guint i = 0; i < sums->len; i++)
    total += ((OpTime *)sums->pdata[i])->nanoseconds;
  for (guint i = 0; i < sums->len; i++) {
    const OpTime *sum = sums->pdata[i];

    tool_table_row (table);
    tool_table_cell (table, "%s", sum->key);
    tool_table_cell (table, "%u", sum->n_nodes);
    tool_table_cell (table, "%.3f", (double)sum->nanoseconds / N_PROFILED / 1e6);
    tool_table_cell (table, "%.1f %%", 100.0 * (double)sum->nanoseconds / (double)MAX (total, 1));
    if (sum->flops > 0)
      tool_table_cell (table, "%.1f", sum->flops * N_PROFILED / (double)MAX (sum->nanoseconds, 1));
  }
  tool_table_print (table);
}

/* Profiles a few runs and sums up the network's operations. */
static EnsNodeTime *
profile (Subject *subject, double *flops, GError **error)
{
  guint n = ens_plan_get_n_nodes (subject->plan);
  g_autofree EnsNodeTime *times = g_new0 (EnsNodeTime, n);

  for (guint i = 0; i < N_PROFILED; i++)
    if (!run_once (subject, times, error))
      return NULL;
  *flops = 0;
  for (guint i = 0; i < n; i++)
    *flops += times[i].flops;
  return g_steal_pointer (&times);
}

/* Of a GPU nobody knows the peak. */
static void
print_rate (EnsDevice *device, double rate)
{
  double peak;

  if (strcmp (ens_device_get_name (device), "cpu") != 0) {
    g_print ("GFLOP/s         %.1f\n", rate);
    return;
  }
  peak = ens_peak_gflops (ens_kernels_get (), ens_device_get_pool (device));
  g_print ("GFLOP/s         %.1f, %.0f %% of this machine's measured peak of %.1f\n", rate,
           100 * rate / peak, peak);
}

/* What the nodes take by the GPU's own clock: without copying inputs and outputs. */
static void
print_gpu_time (const Subject *subject, const EnsNodeTime *times)
{
  gint64 nanoseconds = 0;
  double milliseconds;

  if (strcmp (ens_device_get_name (subject->device), "cpu") == 0)
    return;
  for (guint i = 0; i < ens_plan_get_n_nodes (subject->plan); i++)
    nanoseconds += times[i].nanoseconds;
  milliseconds = (double)MAX (nanoseconds, 1) / N_PROFILED / 1e6;
  g_print ("nodes alone     %.2f images/s (%.3f ms by the GPU's clock, without copies)\n",
           (double)subject->shape.dims[0] / milliseconds * 1e3, milliseconds);
}

static void
print_matrices (EnsDevice *device)
{
  g_autofree char *matrices = ens_device_describe_matrices (device);

  if (matrices != NULL)
    g_print ("matrices        %s\n", matrices);
}

typedef struct {
  double seconds; /* of the median run */
  guint n_runs;
  double flops; /* of one run */
  const EnsNodeTime *times;
} Measurement;

static void
print_summary (const Subject *subject, const Measurement *measured)
{
  double images = (double)subject->shape.dims[0], flops = measured->flops;
  g_autofree char *shape = ens_shape_to_string (&subject->shape);
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  g_print ("device          %s\n", ens_device_get_description (subject->device));
  print_matrices (subject->device);
  g_print ("input           %s\n", shape);
  g_print ("images/s        %.2f (median of %u runs: %.3f ms)\n", images / measured->seconds,
           measured->n_runs, measured->seconds * 1e3);
  print_gpu_time (subject, measured->times);
  g_print ("GFLOP/image     %.3f\n", flops / images / 1e9);
  print_rate (subject->device, flops / measured->seconds / 1e9);
  g_print ("memory          %.1f MiB at most; arena %.1f MiB, packed weights %.1f MiB\n\n",
           (double)usage.ru_maxrss / 1024,
           (double)ens_plan_get_arena_size (subject->plan) / 1048576,
           (double)ens_network_get_weights_size (subject->network) / 1048576);
}

static gboolean
check_options (const Options *options, GError **error)
{
  return tool_check_least ("--batch", options->batch, 1, error)
         && tool_check_least ("--size", options->size, 0, error)
         && tool_check_least ("--runs", options->runs, 0, error);
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_auto (Subject) subject = {0};
  g_autofree EnsNodeTime *times = NULL;
  Measurement measured;

  if (!check_options (options, error) || !prepare (&subject, options, arguments[0], error)
      || !measure (&subject, options, &measured.seconds, &measured.n_runs, error))
    return FALSE;
  measured.times = times = profile (&subject, &measured.flops, error);
  if (times == NULL)
    return FALSE;
  print_summary (&subject, &measured);
  print_ops (times, ens_plan_get_n_nodes (subject.plan));
  return TRUE;
}

static const ToolOption option_table[] = {
    {"batch", 'b', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, batch), "N", "Images at a time (1)"},
    {"size", 's', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, size), "PIXELS",
     "Side of the square input (as the file says, else 224)"},
    {"runs", 'n', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, runs), "N",
     "Runs to measure (two seconds' worth)"},
    TOOL_OPTION_DEVICE (Options),
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_benchmark = {
    .name = "benchmark",
    .arguments = "NETWORK.onnx",
    .completions = "*.onnx",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Measure a network's speed, by operator",
    .help = "Prints images a second, the share of this machine's measured peak, the memory, and "
            "the time that each kind of operator takes.",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.batch = 1},
    .run = run,
};
