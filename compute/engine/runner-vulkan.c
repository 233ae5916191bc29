/* On a GPU, and on the CPU where the GPU fails: once more on the device opened anew, and if that
 * does not help, on the CPU from then on.
 *
 * In 16 bits, if so asked. Layers whose numbers turn out not to fit compute with 32 from then on,
 * and what gave such numbers is run again. */
#include "engine/runner.h"

#include "engine/vulkan-batch.h"
#include "passes/rewrite.h"
#include "passes/store-float16.h"

typedef struct {
  EnsRunner parent;
  EnsGraph *graph;
  const EnsGraph *inferred;
  EnsDevice *device;
  EnsWeights *weights;
  EnsVulkanDevice *vulkan;    /* what the batch runs on */
  EnsVulkanBatch *batch;      /* NULL: not made, or given up */
  gboolean half;              /* numbers are stored in 16 bits … */
  GHashTable *float32_values; /* … but for these values: their names */
  GHashTable *float32_nodes;  /* nodes that compute with 32 bits, on the CPU: their names */
  guint n_fallbacks;          /* how often some were added */
  EnsRunner *cpu;             /* NULL: the GPU has not been given up */
  guint n_nodes;              /* as when the plan was made */
} VulkanRunner;

/* A run, as ens_plan_profile () is asked for it. */
typedef struct {
  const gconstpointer *inputs;
  const gpointer *outputs;
  EnsNodeTime *times;
} Run;

static EnsTensor *
to_float16 (gpointer data, EnsTensor *constant)
{
  return ens_weights_to_float16 (data, constant);
}

/* Again where nodes turn out to run on the CPU, so that these compute with 32 bits. */
static gboolean
make_batch (VulkanRunner *self, GError **error)
{
  g_autoptr (EnsVulkanWeights) weights = ens_weights_ref_vulkan (self->weights, self->vulkan);
  const EnsFloat16Policy float16 = {to_float16, self->weights, self->float32_values,
                                    self->float32_nodes};
  const EnsVulkanContext context = {
      .device = self->vulkan,
      .weights = weights,
      .pool = ens_device_get_pool (self->device),
      .cpu_weights = self->weights->packed,
  };
  const EnsVulkanBatchSource source = {
      .graph = self->graph,
      .inferred = self->inferred,
      .context = &context,
      .float16 = self->half ? &float16 : NULL,
  };
  guint n_float32_nodes;

  self->batch = ens_vulkan_batch_new (&source, error);
  if (self->batch == NULL || !self->half)
    return self->batch != NULL;
  n_float32_nodes = g_hash_table_size (self->float32_nodes);
  ens_vulkan_batch_list_half_on_cpu (self->batch, self->float32_nodes);
  if (g_hash_table_size (self->float32_nodes) == n_float32_nodes)
    return TRUE;
  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  return make_batch (self, error);
}

static gboolean
run_batch (VulkanRunner *self, const Run *run, GError **error)
{
  /* What computes in other types has other nodes than the caller has made room for. */
  EnsNodeTime *times =
      self->n_nodes == ens_vulkan_batch_get_n_steps (self->batch) ? run->times : NULL;

  return ens_vulkan_batch_run (self->batch, run->inputs, run->outputs, times, error);
}

/* Numbers of 16 bits */

/* How often layers are widened before the whole network is. The last time, all that are behind them
 * are too. */
#define MAX_FALLBACKS 6

/* Up to three names of values, “a”, “b”, … (transfer full) */
static char *
list_names (GHashTable *names)
{
  GString *text = g_string_new (NULL);
  GHashTableIter iter;
  gpointer name;
  guint n = 0;

  g_hash_table_iter_init (&iter, names);
  while (n < 3 && g_hash_table_iter_next (&iter, &name, NULL))
    g_string_append_printf (text, "%s“%s”", n++ > 0 ? ", " : "", (const char *)name);
  if (g_hash_table_size (names) > n)
    g_string_append (text, ", …");
  return g_string_free (text, FALSE);
}

/* Takes the names over and returns how many of them are new. */
static guint
add_float32_values (VulkanRunner *self, GHashTable *names)
{
  guint before = g_hash_table_size (self->float32_values);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_hash_table_iter_steal (&iter);
    g_hash_table_add (self->float32_values, name);
  }
  return g_hash_table_size (self->float32_values) - before;
}

/* Whether numbers of the last run did not fit into 16 bits. Then those values are wide from now on,
 * or, if that was of no help, all are. */
static gboolean
widen (VulkanRunner *self)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (!self->half
      || !ens_vulkan_batch_take_overflows (self->batch, self->n_fallbacks + 1 == MAX_FALLBACKS,
                                           names))
    return FALSE;
  self->half = add_float32_values (self, names) > 0 && self->n_fallbacks++ < MAX_FALLBACKS;
  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  return TRUE;
}

static void
warn_of_wide (VulkanRunner *self)
{
  g_autofree char *names = list_names (self->float32_values);

  if (self->half)
    ens_device_warn (self->device,
                     "%s computes with 32 bits from now on what is too large for 16: %s",
                     self->graph->name, names);
  else
    ens_device_warn (self->device,
                     "%s computes with 32 bits from now on, too much is too large for 16: %s",
                     self->graph->name, names);
}

/* Runs, and runs again as long as numbers have not fitted. */
static gboolean
run_until_fit (VulkanRunner *self, const Run *run, GError **error)
{
  gboolean widened = FALSE, again;

  do {
    if ((self->batch == NULL && !make_batch (self, error)) || !run_batch (self, run, error))
      return FALSE;
    again = widen (self);
    widened = widened || again;
  } while (again);
  if (widened)
    warn_of_wide (self);
  return TRUE;
}

/* Failures */

/* run: NULL to get ready alone. */
static gboolean
try_gpu (VulkanRunner *self, const Run *run, GError **error)
{
  if (run != NULL)
    return run_until_fit (self, run, error);
  return self->batch != NULL || make_batch (self, error);
}

/* Whether an error is the GPU's, not the network's. */
static gboolean
is_failure (const GError *error)
{
  return g_error_matches (error, ENS_ERROR, ENS_ERROR_DEVICE)
         || g_error_matches (error, ENS_ERROR, ENS_ERROR_RESOURCE);
}

/* Gives up what is on the device, and takes the same device opened anew. */
static gboolean
renew (VulkanRunner *self)
{
  EnsVulkanDevice *renewed = ens_device_renew_vulkan (self->device, self->vulkan);

  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  if (renewed == NULL)
    return FALSE;
  ens_vulkan_device_unref (self->vulkan);
  self->vulkan = renewed;
  return TRUE;
}

static gboolean
give_up (VulkanRunner *self, const GError *reason, GError **error)
{
  const EnsRunnerParams params = {self->graph, self->inferred, self->device, self->weights};

  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  self->cpu = ens_cpu_runner_new (&params, error);
  if (self->cpu == NULL)
    return FALSE;
  ens_device_warn (self->device, "%s now runs on the CPU: %s", self->graph->name, reason->message);
  return TRUE;
}

/* Runs, or gets ready to. A device that is short of memory is not opened anew. */
static gboolean
run_or_recover (VulkanRunner *self, const Run *run, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (try_gpu (self, run, &reason))
    return TRUE;
  if (g_error_matches (reason, ENS_ERROR, ENS_ERROR_DEVICE) && renew (self)) {
    g_clear_error (&reason);
    if (try_gpu (self, run, &reason)) {
      ens_device_warn (self->device, "%s was opened anew after it failed",
                       ens_device_get_description (self->device));
      return TRUE;
    }
  }
  if (is_failure (reason))
    return give_up (self, reason, error);
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

static void
free_runner (EnsRunner *runner)
{
  VulkanRunner *self = (VulkanRunner *)runner;

  if (self->cpu != NULL)
    self->cpu->class->free (self->cpu);
  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  g_hash_table_unref (self->float32_values);
  g_hash_table_unref (self->float32_nodes);
  ens_vulkan_device_unref (self->vulkan);
  ens_device_unref (self->device);
  ens_graph_free (self->graph);
  g_free (self);
}

static gsize
get_arena_size (const EnsRunner *runner)
{
  const VulkanRunner *self = (const VulkanRunner *)runner;

  return self->cpu != NULL ? self->cpu->class->get_arena_size (self->cpu)
                           : ens_vulkan_batch_get_size (self->batch);
}

static guint
get_n_nodes (const EnsRunner *runner)
{
  return ((const VulkanRunner *)runner)->n_nodes;
}

static gboolean
run (EnsRunner *runner, const gconstpointer *inputs, const gpointer *outputs, EnsNodeTime *times,
     GError **error)
{
  VulkanRunner *self = (VulkanRunner *)runner;

  if (self->cpu == NULL && !run_or_recover (self, &(Run) {inputs, outputs, times}, error))
    return FALSE;
  if (self->cpu == NULL)
    return TRUE;
  /* Nodes on the CPU are others than the caller has made room for, unless they always were. */
  if (self->n_nodes != self->cpu->class->get_n_nodes (self->cpu))
    times = NULL;
  return self->cpu->class->run (self->cpu, inputs, outputs, times, error);
}

/* On one device, and each in one run. What fails here fails again alone, and is dealt with there.
 */
static gboolean
run_together (EnsRunner *const *runners, const EnsSampledRun *runs, guint n,
              EnsVulkanPreprocessor *preprocessor)
{
  g_autofree EnsVulkanRun *together = g_new (EnsVulkanRun, n);
  g_autoptr (GError) error = NULL;
  gboolean fit = TRUE;

  for (guint i = 0; i < n; i++) {
    const VulkanRunner *self = (const VulkanRunner *)runners[i];
    EnsVulkanExecutor *whole =
        self->batch != NULL ? ens_vulkan_batch_get_whole (self->batch) : NULL;

    if (whole == NULL || self->vulkan != ((const VulkanRunner *)runners[0])->vulkan)
      return FALSE;
    together[i] = (EnsVulkanRun) {whole, runs[i].inputs, runs[i].outputs, runs[i].tables};
  }
  if (!ens_vulkan_executors_run (together, n, preprocessor, &error)) {
    g_info ("running %u networks at the same time failed: %s", n, error->message);
    return FALSE;
  }
  /* Numbers that did not fit won't alone either. */
  for (guint i = 0; i < n; i++) {
    VulkanRunner *self = (VulkanRunner *)runners[i];

    if (self->half && ens_vulkan_batch_take_overflows (self->batch, FALSE, NULL))
      fit = FALSE;
  }
  return fit;
}

static const EnsRunnerClass vulkan_class = {free_runner, get_arena_size, get_n_nodes, run,
                                            run_together};

EnsRunner *
ens_vulkan_runner_new (const EnsRunnerParams *params, GError **error)
{
  EnsVulkanDevice *vulkan = ens_device_ref_vulkan (params->device);
  VulkanRunner *self;

  if (vulkan == NULL) /* given up before */
    return ens_cpu_runner_new (params, error);
  self = g_new0 (VulkanRunner, 1);
  self->parent.class = &vulkan_class;
  self->graph = ens_graph_copy (params->graph);
  self->inferred = params->inferred;
  self->device = ens_device_ref (params->device);
  self->weights = params->weights;
  self->vulkan = vulkan;
  self->half = ens_device_wants_half (params->device);
  self->float32_values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->float32_nodes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!run_or_recover (self, NULL, error)) {
    free_runner (&self->parent);
    return NULL;
  }
  self->n_nodes = self->cpu != NULL ? self->cpu->class->get_n_nodes (self->cpu)
                                    : ens_vulkan_batch_get_n_steps (self->batch);
  return &self->parent;
}
