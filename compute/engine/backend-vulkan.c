/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a plan on a GPU, and on the CPU where the GPU fails: after a device loss the device is
 * recreated once and the run repeated; if that fails too, the CPU runs the plan from then on.
 *
 * With float16 storage, if the device was opened so: layers that overflow fall back to float32, and
 * the run that overflowed is repeated. */
#include "engine/backend.h"

#include "engine/vulkan-batch.h"
#include "passes/rewrite.h"
#include "passes/store-float16.h"

typedef struct {
  EnsBackend parent;
  EnsGraph *graph;
  const EnsGraph *inferred;
  EnsDevice *device;
  EnsWeights *weights;
  EnsVulkanDevice *vulkan;    /* what the batch runs on */
  EnsVulkanBatch *batch;      /* NULL: not made yet, or dropped */
  gboolean float16;           /* values are stored as float16 … */
  GHashTable *float32_values; /* … except these: their names */
  GHashTable *float32_nodes;  /* names of nodes that compute in float32, on the CPU */
  guint n_fallbacks;          /* how often values were added to float32_values */
  EnsBackend *cpu;            /* what runs the plan since the GPU failed for good; or NULL */
  guint n_nodes;              /* when the plan was made */
  EnsNetwork *network;        /* that it is being planned for; NULL from then on */
} VulkanBackend;

static EnsTensor *
to_float16 (gpointer data, EnsTensor *constant)
{
  return ens_weights_to_float16 (data, constant);
}

/* What work on the GPU is asked for with: a run, or making the batch alone. */
typedef struct {
  const EnsBackendRun *run; /* NULL: prepare only */
  GCancellable *cancellable;
} Request;

/* Repeated when float16 nodes turn out to run on the CPU, so that these compute in float32. */
static gboolean
make_batch (VulkanBackend *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (EnsVulkanWeights) weights = ens_weights_ref_vulkan (self->weights, self->vulkan);
  const EnsFloat16Policy float16 = {to_float16, self->weights, self->float32_values,
                                    self->float32_nodes};
  const EnsVulkanContext context = {
      .device = self->vulkan,
      .weights = weights,
      .pool = ens_device_get_pool (self->device),
      .cpu_weights = self->weights->packed,
      .cancellable = cancellable,
  };
  const EnsVulkanBatchSource source = {
      .graph = self->graph,
      .inferred = self->inferred,
      .context = &context,
      .float16 = self->float16 ? &float16 : NULL,
      .network = self->network,
  };
  guint n_float32_nodes;

  self->batch = ens_vulkan_batch_new (&source, error);
  if (self->batch == NULL || !self->float16)
    return self->batch != NULL;
  n_float32_nodes = g_hash_table_size (self->float32_nodes);
  ens_vulkan_batch_list_float16_on_cpu (self->batch, self->float32_nodes);
  if (g_hash_table_size (self->float32_nodes) == n_float32_nodes)
    return TRUE;
  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  return make_batch (self, cancellable, error);
}

static gboolean
run_batch (VulkanBackend *self, const EnsBackendRun *run, GError **error)
{
  EnsBackendRun untimed = *run;

  /* After a fallback to float32 there are other nodes than the caller has room for. */
  if (self->n_nodes != ens_vulkan_batch_get_n_steps (self->batch))
    untimed.times = NULL;
  return ens_vulkan_batch_run (self->batch, &untimed, error);
}

/* float16 overflows */

/* How often layers fall back to float32 before the whole network does. The last time, all layers
 * behind them fall back too. */
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
add_float32_values (VulkanBackend *self, GHashTable *names)
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

/* Whether the last run overflowed. Then the values that did are stored as float32 from now on; all
 * values, if that was tried often enough. */
static gboolean
fall_back_to_float32 (VulkanBackend *self)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (!self->float16
      || !ens_vulkan_batch_take_overflows (self->batch, self->n_fallbacks + 1 == MAX_FALLBACKS,
                                           names))
    return FALSE;
  self->float16 = add_float32_values (self, names) > 0 && self->n_fallbacks++ < MAX_FALLBACKS;
  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  return TRUE;
}

static void
warn_of_fallback (VulkanBackend *self)
{
  g_autofree char *names = list_names (self->float32_values);

  if (self->float16)
    ens_device_warn (self->device, "%s: float16 overflow, these layers fall back to float32: %s",
                     self->graph->name, names);
  else
    ens_device_warn (self->device,
                     "%s: float16 overflow in too many layers, all fall back to float32: %s",
                     self->graph->name, names);
}

/* Repeats the run until nothing overflows. */
static gboolean
run_without_overflow (VulkanBackend *self, const EnsBackendRun *run, GError **error)
{
  gboolean fell_back = FALSE, again;

  do {
    if ((self->batch == NULL && !make_batch (self, run->cancellable, error))
        || !run_batch (self, run, error))
      return FALSE;
    again = fall_back_to_float32 (self);
    fell_back = fell_back || again;
  } while (again);
  if (fell_back)
    warn_of_fallback (self);
  return TRUE;
}

/* Failures */

static gboolean
try_gpu (VulkanBackend *self, const Request *request, GError **error)
{
  if (request->run != NULL)
    return run_without_overflow (self, request->run, error);
  return self->batch != NULL || make_batch (self, request->cancellable, error);
}

/* Whether an error is the GPU's, not the network's. */
static gboolean
is_failure (const GError *error)
{
  return g_error_matches (error, ENS_ERROR, ENS_ERROR_DEVICE)
         || g_error_matches (error, ENS_ERROR, ENS_ERROR_RESOURCE);
}

/* Frees what is on the lost device, and recreates the device. */
static gboolean
recreate_device (VulkanBackend *self)
{
  EnsVulkanDevice *recreated = ens_device_recreate_vulkan (self->device, self->vulkan);

  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  if (recreated == NULL)
    return FALSE;
  ens_vulkan_device_unref (self->vulkan);
  self->vulkan = recreated;
  return TRUE;
}

static gboolean
fall_back_to_cpu (VulkanBackend *self, const GError *reason, GCancellable *cancellable,
                  GError **error)
{
  const EnsBackendParams params = {self->graph, self->inferred, self->device, self->weights,
                                   cancellable};

  g_clear_pointer (&self->batch, ens_vulkan_batch_free);
  self->cpu = ens_cpu_backend_new (&params, error);
  if (self->cpu == NULL)
    return FALSE;
  ens_device_warn (self->device, "%s falls back to the CPU: %s", self->graph->name,
                   reason->message);
  return TRUE;
}

/* Runs, or prepares to. A device that is short of memory is not recreated. */
static gboolean
run_or_recover (VulkanBackend *self, const Request *request, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (try_gpu (self, request, &reason))
    return TRUE;
  if (g_error_matches (reason, ENS_ERROR, ENS_ERROR_DEVICE) && recreate_device (self)) {
    g_clear_error (&reason);
    if (try_gpu (self, request, &reason)) {
      ens_device_warn (self->device, "%s was recreated after device loss",
                       ens_device_get_description (self->device));
      return TRUE;
    }
  }
  if (is_failure (reason))
    return fall_back_to_cpu (self, reason, request->cancellable, error);
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

static void
free_backend (EnsBackend *backend)
{
  VulkanBackend *self = (VulkanBackend *)backend;

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
get_arena_size (const EnsBackend *backend)
{
  const VulkanBackend *self = (const VulkanBackend *)backend;

  return self->cpu != NULL ? self->cpu->class->get_arena_size (self->cpu)
                           : ens_vulkan_batch_get_size (self->batch);
}

static gsize
get_own_size (const EnsBackend *backend)
{
  const VulkanBackend *self = (const VulkanBackend *)backend;

  return self->cpu != NULL ? 0 : ens_vulkan_batch_get_size (self->batch);
}

static guint
get_n_nodes (const EnsBackend *backend)
{
  return ((const VulkanBackend *)backend)->n_nodes;
}

static gboolean
run (EnsBackend *backend, const EnsBackendRun *run, GError **error)
{
  VulkanBackend *self = (VulkanBackend *)backend;
  EnsBackendRun on_cpu = *run;

  if (self->cpu == NULL && !run_or_recover (self, &(Request) {run, run->cancellable}, error))
    return FALSE;
  if (self->cpu == NULL)
    return TRUE;
  /* The CPU has other nodes than the caller has room for, unless it always ran the plan. */
  if (self->n_nodes != self->cpu->class->get_n_nodes (self->cpu))
    on_cpu.times = NULL;
  return self->cpu->class->run (self->cpu, &on_cpu, error);
}

/* What runs the whole batch; NULL: it runs in parts, or on the CPU. */
static EnsVulkanExecutor *
get_whole (const VulkanBackend *self)
{
  return self->batch != NULL ? ens_vulkan_batch_get_whole (self->batch) : NULL;
}

static gboolean
is_whole (const EnsBackend *backend)
{
  return get_whole ((const VulkanBackend *)backend) != NULL;
}

/* All on one device, and each batch as a whole. A failure here happens again when the plan runs
 * alone, and is handled there. */
static gboolean
run_together (EnsBackend *const *backends, const EnsPlanRun *runs, guint n,
              GCancellable *cancellable)
{
  g_autofree EnsVulkanRun *together = g_new (EnsVulkanRun, n);
  g_autoptr (GError) error = NULL;
  gboolean overflowed = FALSE;

  for (guint i = 0; i < n; i++) {
    const VulkanBackend *self = (const VulkanBackend *)backends[i];
    EnsVulkanExecutor *whole = get_whole (self);

    if (whole == NULL || self->vulkan != ((const VulkanBackend *)backends[0])->vulkan)
      return FALSE;
    together[i] =
        (EnsVulkanRun) {whole, runs[i].inputs, runs[i].outputs, runs[i].images, runs[i].n_images};
  }
  if (!ens_vulkan_executors_run (together, n, cancellable, &error)) {
    g_info ("running %u networks at the same time failed: %s", n, error->message);
    return FALSE;
  }
  /* The same overflow happens when the plan runs alone, which handles it. */
  for (guint i = 0; i < n; i++) {
    VulkanBackend *self = (VulkanBackend *)backends[i];

    if (self->float16 && ens_vulkan_batch_take_overflows (self->batch, FALSE, NULL))
      overflowed = TRUE;
  }
  return !overflowed;
}

static const EnsBackendClass vulkan_class = {
    free_backend, get_arena_size, get_own_size, get_n_nodes, run, run_together, is_whole};

EnsBackend *
ens_vulkan_backend_new (const EnsBackendParams *params, GError **error)
{
  EnsVulkanDevice *vulkan = ens_device_ref_vulkan (params->device);
  VulkanBackend *self;

  if (vulkan == NULL) /* lost for good */
    return ens_cpu_backend_new (params, error);
  self = g_new0 (VulkanBackend, 1);
  self->parent.class = &vulkan_class;
  self->graph = ens_graph_copy (params->graph);
  self->inferred = params->inferred;
  self->device = ens_device_ref (params->device);
  self->weights = params->weights;
  self->vulkan = vulkan;
  self->network = params->network;
  self->float16 = ens_device_wants_float16 (params->device);
  self->float32_values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->float32_nodes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!run_or_recover (self, &(Request) {NULL, params->cancellable}, error)) {
    free_backend (&self->parent);
    return NULL;
  }
  self->network = NULL;
  self->n_nodes = self->cpu != NULL ? self->cpu->class->get_n_nodes (self->cpu)
                                    : ens_vulkan_batch_get_n_steps (self->batch);
  return &self->parent;
}
