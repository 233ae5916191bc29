/* On a GPU, and on the CPU where the GPU fails: once more on the device opened anew, and if that
 * does not help, on the CPU from then on. In 16 bits, if so asked, as long as all numbers fit. */
#include "engine/runner.h"

#include <math.h>

#include "engine/vulkan-batch.h"
#include "passes/rewrite.h"
#include "passes/store-half.h"

typedef struct {
  EnsRunner parent;
  EnsGraph *graph;
  const EnsGraph *sample;
  EnsDevice *device;
  EnsWeights *weights;
  EnsVulkanDevice *vulkan; /* what the batch runs on */
  EnsVulkanBatch *batch;   /* NULL: not made, or given up */
  gboolean half;           /* numbers are stored in 16 bits */
  EnsRunner *cpu;          /* NULL: the GPU has not been given up */
  guint n_nodes;           /* as when the plan was made */
} VulkanRunner;

/* A run, as ens_plan_profile () is asked for it. */
typedef struct {
  const gconstpointer *inputs;
  const gpointer *outputs;
  EnsNodeTime *times;
} Run;

static EnsTensor *
halve (gpointer data, EnsTensor *constant)
{
  return ens_weights_halve (data, constant);
}

/* NULL if the network can't be run in 16 bits. */
static EnsVulkanBatch *
make_half_batch (const VulkanRunner *self, const EnsVulkanContext *context, GError **error)
{
  g_autoptr (EnsGraph) graph = ens_graph_copy (self->graph);

  if (ens_graph_store_half (graph, self->sample, halve, self->weights))
    return ens_vulkan_batch_new (graph, self->sample, context, error);
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "weights of %s do not fit into 16 bits",
               self->graph->name);
  return NULL;
}

/* Whether an error is the GPU's, not the network's. */
static gboolean
is_failure (const GError *error)
{
  return g_error_matches (error, ENS_ERROR, ENS_ERROR_DEVICE)
         || g_error_matches (error, ENS_ERROR, ENS_ERROR_RESOURCE);
}

static gboolean
make_batch (VulkanRunner *self, GError **error)
{
  g_autoptr (EnsVulkanWeights) weights = ens_weights_ref_vulkan (self->weights, self->vulkan);
  g_autoptr (GError) reason = NULL;
  const EnsVulkanContext context = {
      .device = self->vulkan,
      .weights = weights,
      .pool = ens_device_get_pool (self->device),
      .cpu_weights = self->weights->packed,
  };

  if (self->half && (self->batch = make_half_batch (self, &context, &reason)) == NULL) {
    if (is_failure (reason)) {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
    ens_device_warn (self->device, "%s runs in 32 bits: %s", self->graph->name, reason->message);
    self->half = FALSE;
  }
  if (self->batch == NULL)
    self->batch = ens_vulkan_batch_new (self->graph, self->sample, &context, error);
  return self->batch != NULL;
}

/* Whether all that a run gave are numbers: what is too large for 16 bits is infinite. */
static gboolean
is_finite (const VulkanRunner *self, const gpointer *outputs)
{
  for (guint i = 0; i < self->sample->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (self->sample->outputs, i);
    gint64 n = ens_shape_elements (&output->shape);

    for (gint64 k = 0; output->type == ENS_TYPE_FLOAT32 && k < n; k++)
      if (!isfinite (((const float *)outputs[i])[k]))
        return FALSE;
  }
  return TRUE;
}

static gboolean
run_batch (VulkanRunner *self, const Run *run, GError **error)
{
  return ens_vulkan_batch_run (self->batch, run->inputs, run->outputs, run->times, error);
}

/* run: NULL to get ready alone. */
static gboolean
try_gpu (VulkanRunner *self, const Run *run, GError **error)
{
  if (self->batch == NULL && !make_batch (self, error))
    return FALSE;
  if (run == NULL)
    return TRUE;
  if (!run_batch (self, run, error))
    return FALSE;
  if (!self->half || is_finite (self, run->outputs))
    return TRUE;
  ens_device_warn (self->device, "%s runs in 32 bits from now on: a result was too large for 16",
                   self->graph->name);
  self->half = FALSE;
  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  return make_batch (self, error) && run_batch (self, run, error);
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
  const EnsRunnerParams params = {self->graph, self->sample, self->device, self->weights};

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
              EnsVulkanSampler *sampler)
{
  g_autofree EnsVulkanRun *together = g_new (EnsVulkanRun, n);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++) {
    const VulkanRunner *self = (const VulkanRunner *)runners[i];
    EnsVulkanExecutor *whole =
        self->batch != NULL ? ens_vulkan_batch_get_whole (self->batch) : NULL;

    if (whole == NULL || self->vulkan != ((const VulkanRunner *)runners[0])->vulkan)
      return FALSE;
    together[i] = (EnsVulkanRun) {whole, runs[i].inputs, runs[i].outputs, runs[i].tables};
  }
  if (!ens_vulkan_executors_run (together, n, sampler, &error)) {
    g_info ("running %u networks at the same time failed: %s", n, error->message);
    return FALSE;
  }
  for (guint i = 0; i < n; i++)
    if (((const VulkanRunner *)runners[i])->half
        && !is_finite ((const VulkanRunner *)runners[i], runs[i].outputs))
      return FALSE;
  return TRUE;
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
  self->sample = params->sample;
  self->device = ens_device_ref (params->device);
  self->weights = params->weights;
  self->vulkan = vulkan;
  self->half = ens_device_wants_half (params->device);
  if (!run_or_recover (self, NULL, error)) {
    free_runner (&self->parent);
    return NULL;
  }
  self->n_nodes = self->cpu != NULL ? self->cpu->class->get_n_nodes (self->cpu)
                                    : ens_vulkan_batch_get_n_steps (self->batch);
  return &self->parent;
}
