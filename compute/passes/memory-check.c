/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An independent check of a memory plan: two values that live at the same time and use the same
 * bytes must be related through views. */
#include "base/fail.h"
#include "passes/memory-private.h"

typedef struct {
  const EnsMemoryPlan *plan;
  const EnsGraph *graph;
  int *born, *dies; /* by value index: node positions */
} Checker;

#define fail(checker, error, ...) \
  ens_fail (error, ENS_ERROR_RESOURCE, (checker)->graph->name, "memory plan: " __VA_ARGS__)

static void
note_lifetimes (Checker *checker)
{
  const EnsGraph *graph = checker->graph;

  for (guint i = 0; i < graph->values->len; i++)
    checker->born[i] = checker->dies[i] = -1;
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    for (guint j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] != NULL)
        checker->dies[node->inputs[j]->index] = i;
    for (guint j = 0; j < node->n_outputs; j++)
      checker->born[node->outputs[j]->index] = checker->dies[node->outputs[j]->index] = i;
  }
  for (guint i = 0; i < graph->outputs->len; i++)
    checker->dies[((EnsValue *)g_ptr_array_index (graph->outputs, i))->index] = graph->nodes->len;
}

/* Bytes from a value's first element to the end of its last one. */
static gsize
extent (const EnsValue *value, const EnsPlace *place)
{
  gint64 run = ens_shape_run (&value->shape), runs = ens_shape_runs (&value->shape);

  return run == 0 || runs == 0
             ? 0
             : (gsize)((runs - 1) * place->pitch + run) * ens_type_size (value->type);
}

/* Whether two values use the same bytes. */
static gboolean
touch (const EnsValue *a, const EnsPlace *p, const EnsValue *b, const EnsPlace *q)
{
  gsize row = (gsize)p->pitch * ens_type_size (a->type);
  gsize p_run, q_run, shift;

  if (p->kind != q->kind || (p->kind != ENS_PLACE_ARENA && p->index != q->index)
      || p->offset + extent (a, p) <= q->offset || q->offset + extent (b, q) <= p->offset)
    return FALSE;
  if (row != (gsize)q->pitch * ens_type_size (b->type))
    return TRUE;
  /* Rows of the same pitch: compare within one row, seen from a's start. */
  p_run = (gsize)ens_shape_run (&a->shape) * ens_type_size (a->type);
  q_run = (gsize)ens_shape_run (&b->shape) * ens_type_size (b->type);
  shift = q->offset >= p->offset ? (q->offset - p->offset) % row
                                 : (row - (p->offset - q->offset) % row) % row;
  return shift < p_run || shift + q_run > row;
}

/* Whether the node only says that its outputs are its inputs' elements. A concatenation says so of
 * those inputs at least that lie in it. */
static gboolean
moves_nothing (const Checker *checker, const EnsNode *node)
{
  guint position;

  if (node == NULL)
    return FALSE;
  return node->op == ens_op_find ("Concat")
         || (g_ptr_array_find (checker->graph->nodes, node, &position)
             && checker->plan->skip[position]);
}

/* Calls itself for all that `value`'s elements come from without having been moved: marks it in
 * `origins`, or, if `look` is set, tells whether one is marked there. */
static gboolean
walk_origins (const Checker *checker, const EnsValue *value, gboolean *origins, gboolean look)
{
  if (look && origins[value->index])
    return TRUE;
  if (!look)
    origins[value->index] = TRUE;
  if (!moves_nothing (checker, value->producer))
    return FALSE;
  for (guint i = 0; i < value->producer->n_inputs; i++)
    if (value->producer->inputs[i] != NULL
        && walk_origins (checker, value->producer->inputs[i], origins, look))
      return TRUE;
  return FALSE;
}

static gboolean
are_related (const Checker *checker, const EnsValue *a, const EnsValue *b)
{
  g_autofree gboolean *origins = g_new0 (gboolean, checker->plan->n_values);

  walk_origins (checker, a, origins, FALSE);
  return walk_origins (checker, b, origins, TRUE);
}

static gboolean
check_pair (const Checker *checker, const EnsValue *a, const EnsValue *b, GError **error)
{
  const EnsPlace *places = checker->plan->places;

  if (checker->born[a->index] > checker->born[b->index]) {
    const EnsValue *swap = a;

    a = b;
    b = swap;
  }
  if (checker->dies[a->index] < checker->born[b->index]
      || !touch (a, &places[a->index], b, &places[b->index]))
    return TRUE;
  if (are_related (checker, a, b))
    return TRUE;
  /* Computed in place by the last node that reads it. */
  if (checker->dies[a->index] == checker->born[b->index]
      && (b->producer->op->flags & (ENS_OP_IN_PLACE | ENS_OP_RESIDUAL_IN_PLACE))
      && places[a->index].offset == places[b->index].offset
      && places[a->index].pitch == places[b->index].pitch && ens_shape_equal (&a->shape, &b->shape))
    return TRUE;
  return fail (checker, error, "“%s” would be overwritten by “%s”", a->name, b->name);
}

static gboolean
check_place (const Checker *checker, const EnsValue *value, GError **error)
{
  const EnsPlace *place = &checker->plan->places[value->index];

  if (place->kind == ENS_PLACE_ARENA
      && place->offset + extent (value, place) > checker->plan->arena_size)
    return fail (checker, error, "“%s” reaches beyond the arena", value->name);
  if ((place->kind == ENS_PLACE_INPUT || place->kind == ENS_PLACE_CONSTANT)
      && value->producer != NULL && !moves_nothing (checker, value->producer))
    return fail (checker, error, "“%s” would be written to memory that is read-only", value->name);
  return TRUE;
}

static gboolean
check_scratch (const Checker *checker, guint position, gsize size, GError **error)
{
  gsize start = checker->plan->scratch[position];

  if (size == 0)
    return TRUE;
  if (start + size > checker->plan->arena_size)
    return fail (checker, error, "scratch memory of “%s” reaches beyond the arena",
                 ens_graph_node (checker->graph, position)->name);
  for (guint i = 0; i < checker->plan->n_values; i++) {
    const EnsValue *value = ens_graph_value (checker->graph, i);
    const EnsPlace *place = &checker->plan->places[i];

    if (place->kind == ENS_PLACE_ARENA && checker->born[i] <= (int)position
        && checker->dies[i] >= (int)position && place->offset < start + size
        && start < place->offset + extent (value, place))
      return fail (checker, error, "“%s” would be overwritten by scratch memory of “%s”",
                   value->name, ens_graph_node (checker->graph, position)->name);
  }
  return TRUE;
}

gboolean
ens_memory_plan_check (const EnsMemoryPlan *plan, const EnsGraph *graph, const gsize *scratch_sizes,
                       GError **error)
{
  g_autofree int *born = g_new (int, plan->n_values), *dies = g_new (int, plan->n_values);
  Checker checker = {plan, graph, born, dies};

  note_lifetimes (&checker);
  for (guint i = 0; i < plan->n_values; i++) {
    const EnsValue *value = ens_graph_value (graph, i);

    if (!check_place (&checker, value, error))
      return FALSE;
    for (guint j = 0; j < i && value->constant == NULL; j++)
      if (ens_graph_value (graph, j)->constant == NULL
          && !check_pair (&checker, value, ens_graph_value (graph, j), error))
        return FALSE;
  }
  for (guint i = 0; i < plan->n_nodes; i++)
    if (!check_scratch (&checker, i, scratch_sizes[i], error))
      return FALSE;
  return TRUE;
}
