/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "base/cancel.h"
#include "engine/device-private.h"
#include "engine/limits.h"
#include "engine/network-private.h"
#include "engine/plan-private.h"
#include "onnx/onnx.h"
#include "passes/passes.h"

typedef struct {
  EnsShape *shapes; /* of the inputs */
  EnsPlan *plan;
  gsize size;   /* ens_plan_get_own_size () */
  guint64 used; /* number of the latest request for it */
} CachedPlan;

struct _EnsNetwork {
  gatomicrefcount references;
  EnsDevice *device;
  EnsGraph *graph;     /* never changed once the network exists */
  char **output_names; /* as they were before passes */
  char **notes;
  EnsWeights *weights;
  EnsTurn turn;       /* guards what follows; kept while planning */
  GQueue *plans;      /* CachedPlan, the one used last first */
  gsize plans_size;   /* bytes */
  guint64 n_requests; /* for plans */
  guint64 n_dropped;  /* the request when memory was short and idle plans were dropped; 0: never */
};

/* On GPUs: their plans share memory that may run out. */
static struct {
  GMutex lock;
  GPtrArray *list; /* NULL: none yet */
} networks;

static void
enlist (EnsNetwork *network)
{
  if (!ens_device_is_gpu (network->device))
    return;
  g_mutex_lock (&networks.lock);
  if (networks.list == NULL)
    networks.list = g_ptr_array_new ();
  g_ptr_array_add (networks.list, network);
  g_mutex_unlock (&networks.lock);
}

static void
delist (EnsNetwork *network)
{
  g_mutex_lock (&networks.lock);
  if (networks.list != NULL && g_ptr_array_remove_fast (networks.list, network)
      && networks.list->len == 0)
    g_clear_pointer (&networks.list, g_ptr_array_unref);
  g_mutex_unlock (&networks.lock);
}

static void
free_cached_plan (gpointer data)
{
  CachedPlan *cached = data;

  ens_plan_unref (cached->plan);
  g_free (cached->shapes);
  g_free (cached);
}

static char **
get_output_names (const EnsGraph *graph)
{
  char **names = g_new0 (char *, graph->outputs->len + 1);

  for (guint i = 0; i < graph->outputs->len; i++)
    names[i] = g_strdup (((const EnsValue *)g_ptr_array_index (graph->outputs, i))->name);
  return names;
}

static EnsNetwork *
make_network (EnsGraph *graph, EnsDevice *device, EnsWeights *weights, GError **error)
{
  g_autoptr (EnsGraph) taken = graph;
  g_auto (GStrv) output_names = get_output_names (graph);
  EnsNetwork *network;

  if (!ens_passes_load (taken, error))
    return NULL;
  network = g_new0 (EnsNetwork, 1);
  g_atomic_ref_count_init (&network->references);
  network->device = ens_device_ref (device);
  network->graph = g_steal_pointer (&taken);
  network->output_names = g_steal_pointer (&output_names);
  network->notes = ens_graph_get_notes (network->graph);
  network->weights = ens_weights_ref (weights);
  network->plans = g_queue_new ();
  ens_turn_init (&network->turn);
  enlist (network);
  return network;
}

EnsNetwork *
ens_network_new (EnsGraph *graph, EnsDevice *device, GError **error)
{
  g_autoptr (EnsWeights) weights = ens_weights_new ();

  return make_network (graph, device, weights, error);
}

EnsNetwork *
ens_network_new_beside (EnsGraph *graph, EnsNetwork *sibling, GError **error)
{
  return make_network (graph, sibling->device, sibling->weights, error);
}

EnsNetwork *
ens_network_load (const char *path, EnsDevice *device, GError **error)
{
  EnsGraph *graph;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (device != NULL, NULL);

  graph = ens_onnx_import (path, NULL, error);
  return graph != NULL ? ens_network_new (graph, device, error) : NULL;
}

EnsNetwork *
ens_network_load_convolutional (const char *path, guint size, EnsDevice *device, GError **error)
{
  const EnsOnnxOptions options = {.nominal_size = size};
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) reason = NULL;
  const EnsValue *input;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (size > 0, NULL);
  g_return_val_if_fail (device != NULL, NULL);

  graph = ens_onnx_import (path, &options, error);
  if (graph == NULL)
    return NULL;
  input = ens_graph_only_input (graph);
  if (input == NULL || input->shape.rank != 4) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: a network with one input of images was expected", path);
    return NULL;
  }
  if (!ens_pass_convolutionalise (graph, &ENS_SHAPE (1, size, size, input->shape.dims[3]), &reason)
      && reason != NULL) {
    g_propagate_prefixed_error (error, g_steal_pointer (&reason), "%s: ", path);
    return NULL;
  }
  return ens_network_new (g_steal_pointer (&graph), device, error);
}

EnsNetwork *
ens_network_ref (EnsNetwork *network)
{
  g_atomic_ref_count_inc (&network->references);
  return network;
}

void
ens_network_unref (EnsNetwork *network)
{
  if (!g_atomic_ref_count_dec (&network->references))
    return;
  delist (network);
  g_queue_free_full (network->plans, free_cached_plan);
  ens_weights_unref (network->weights);
  ens_graph_free (network->graph);
  g_strfreev (network->output_names);
  g_strfreev (network->notes);
  ens_device_unref (network->device);
  ens_turn_clear (&network->turn);
  g_free (network);
}

guint
ens_network_get_n_inputs (EnsNetwork *network)
{
  return network->graph->inputs->len;
}

guint
ens_network_get_n_outputs (EnsNetwork *network)
{
  return network->graph->outputs->len;
}

static const EnsValue *
get_input (EnsNetwork *network, guint i)
{
  g_return_val_if_fail (i < network->graph->inputs->len, NULL);
  return g_ptr_array_index (network->graph->inputs, i);
}

const char *
ens_network_get_input_name (EnsNetwork *network, guint i)
{
  const EnsValue *input = get_input (network, i);

  return input != NULL ? input->name : NULL;
}

const EnsShape *
ens_network_get_input_shape (EnsNetwork *network, guint i)
{
  const EnsValue *input = get_input (network, i);

  return input != NULL ? &input->shape : NULL;
}

const char *
ens_network_get_output_name (EnsNetwork *network, guint i)
{
  g_return_val_if_fail (i < network->graph->outputs->len, NULL);
  return network->output_names[i];
}

const char *const *
ens_network_get_notes (EnsNetwork *network)
{
  return (const char *const *)network->notes;
}

gsize
ens_network_get_weights_size (EnsNetwork *network)
{
  gsize size = ens_weights_get_size (network->weights);

  for (guint i = 0; i < network->graph->values->len; i++) {
    const EnsValue *value = g_ptr_array_index (network->graph->values, i);

    if (value->constant != NULL)
      size += ens_tensor_size (value->constant);
  }
  return size;
}

/* Plans */

static gboolean
has_shapes (const CachedPlan *cached, const EnsShape *shapes, guint n)
{
  for (guint i = 0; i < n; i++)
    if (!ens_shape_equal (&cached->shapes[i], &shapes[i]))
      return FALSE;
  return TRUE;
}

/* The plan for these shapes, which is now the latest, or NULL. */
static CachedPlan *
find_plan (EnsNetwork *network, const EnsShape *shapes)
{
  for (GList *link = network->plans->head; link != NULL; link = link->next)
    if (has_shapes (link->data, shapes, network->graph->inputs->len)) {
      g_queue_unlink (network->plans, link);
      g_queue_push_head_link (network->plans, link);
      return link->data;
    }
  return NULL;
}

/* The plans of so many requests stay whatever their size: work that goes round several plans, as
 * batches of 64, 32 and 4 windows do, would else make each of them again every time. */
#define LATEST_REQUESTS 4

static gboolean
can_drop (const EnsNetwork *network)
{
  const CachedPlan *oldest = g_queue_peek_tail (network->plans);

  return oldest != NULL && network->n_requests - oldest->used >= LATEST_REQUESTS;
}

/* Those that were used longest ago, until the others fit. */
static void
drop_plans (EnsNetwork *network)
{
  gsize limit = ens_limits_get_plans (network->device);

  while (network->plans_size > limit && can_drop (network)) {
    CachedPlan *dropped = g_queue_pop_tail (network->plans);

    network->plans_size -= dropped->size;
    free_cached_plan (dropped);
  }
}

/* Turn taken. */
static void
drop (EnsNetwork *network, GList *link)
{
  CachedPlan *cached = link->data;

  network->plans_size -= cached->size;
  g_queue_delete_link (network->plans, link);
  free_cached_plan (cached);
}

void
ens_network_drop_plan (EnsNetwork *network, const EnsPlan *plan)
{
  if (!ens_turn_try (&network->turn))
    return;
  for (GList *link = network->plans->head; link != NULL; link = link->next)
    if (((const CachedPlan *)link->data)->plan == plan) {
      drop (network, link);
      break;
    }
  ens_turn_leave (&network->turn);
}

/* Turn taken. */
static guint
drop_idle (EnsNetwork *network)
{
  guint n = 0;

  for (GList *link = network->plans->head, *next; link != NULL; link = next) {
    next = link->next;
    if (ens_plan_is_shared (((const CachedPlan *)link->data)->plan))
      continue;
    drop (network, link);
    n++;
  }
  return n;
}

/* Whether plans of both are in the memory of one GPU. */
static gboolean
is_beside (const EnsNetwork *a, const EnsNetwork *b)
{
  return strcmp (ens_device_get_name (a->device), ens_device_get_name (b->device)) == 0;
}

/* Requests between two times that plans are dropped for one network. */
#define DROP_INTERVAL 64

gboolean
ens_network_drop_idle_plans (EnsNetwork *network)
{
  guint n = 0;

  if (network->n_dropped > 0 && network->n_requests - network->n_dropped < DROP_INTERVAL)
    return FALSE;
  network->n_dropped = network->n_requests;
  g_mutex_lock (&networks.lock);
  for (guint i = 0; networks.list != NULL && i < networks.list->len; i++) {
    EnsNetwork *other = g_ptr_array_index (networks.list, i);

    if (other == network) {
      n += drop_idle (other);
    } else if (is_beside (other, network) && ens_turn_try (&other->turn)) {
      n += drop_idle (other);
      ens_turn_leave (&other->turn);
    }
  }
  g_mutex_unlock (&networks.lock);
  if (n > 0)
    g_info ("%s: memory is short, %u plans that nobody uses are dropped", network->graph->name, n);
  return n > 0;
}

static CachedPlan *
make_plan (EnsNetwork *network, const EnsShape *shapes, GCancellable *cancellable, GError **error)
{
  const EnsPlanContext context = {network->device, network->weights, cancellable, network};
  EnsPlan *plan = ens_plan_new (network->graph, shapes, &context, error);
  CachedPlan *cached;

  if (plan == NULL)
    return NULL;
  cached = g_new0 (CachedPlan, 1);
  cached->plan = plan;
  cached->shapes = g_memdup2 (shapes, network->graph->inputs->len * sizeof *shapes);
  cached->size = ens_plan_get_own_size (plan);
  g_queue_push_head (network->plans, cached);
  network->plans_size += cached->size;
  return cached;
}

EnsPlan *
ens_network_plan_cancellable (EnsNetwork *network, const EnsShape *input_shapes,
                              GCancellable *cancellable, GError **error)
{
  CachedPlan *cached;
  EnsPlan *plan = NULL;

  g_return_val_if_fail (input_shapes != NULL, NULL);

  if (!ens_turn_take (&network->turn, cancellable)) {
    ens_check_cancelled (cancellable, error);
    return NULL;
  }
  network->n_requests++;
  cached = find_plan (network, input_shapes);
  if (cached == NULL)
    cached = make_plan (network, input_shapes, cancellable, error);
  if (cached != NULL) {
    cached->used = network->n_requests;
    drop_plans (network);
    plan = ens_plan_ref (cached->plan);
  }
  ens_turn_leave (&network->turn);
  return plan;
}

EnsPlan *
ens_network_plan (EnsNetwork *network, const EnsShape *input_shapes, GError **error)
{
  return ens_network_plan_cancellable (network, input_shapes, NULL, error);
}

gboolean
ens_network_check (EnsNetwork *network, const EnsShape *input_shapes, GError **error)
{
  guint group;
  g_autoptr (EnsGraph) inferred =
      ens_plan_infer (network->graph, input_shapes, network->device, &group, error);

  return inferred != NULL;
}

double
ens_network_count_operations (EnsNetwork *network, const EnsShape *input_shapes, GError **error)
{
  const double batch = (double)input_shapes[0].dims[0];
  guint group;
  g_autoptr (EnsGraph) inferred =
      ens_plan_infer (network->graph, input_shapes, network->device, &group, error);

  if (inferred == NULL)
    return 0;
  return ens_graph_count_operations (inferred) * (group > 0 ? ceil (batch / group) : 1);
}
