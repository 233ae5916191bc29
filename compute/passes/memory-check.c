/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An independent check of a memory plan: two values that live at the same time and use the same
 * bytes must be related through views. */
#include "base/fail.h"
#include "passes/memory-private.h"

typedef struct {
  const EnsMemoryPlan *plan;
  const EnsGraph *graph;
  int *born, *dies; /* by value index: node positions */
  guint *marks;     /* by value index: the last search that has met it */
  guint search;
  gint64 steps; /* that may still be made */
} Checker;

/* Values are compared pair by pair as far as so many comparisons go: all pairs of networks with
 * twenty thousand values that live at the same time. */
#define MAX_STEPS (G_GINT64_CONSTANT (1) << 28)

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

/* Whether the node at this position only says that its outputs are its inputs' elements. A
 * concatenation says so of those inputs at least that lie in it. */
static gboolean
moves_nothing (const Checker *checker, const EnsValue *value)
{
  return value->producer != NULL
         && (value->producer->op == ens_op_find ("Concat")
             || checker->plan->skip[checker->born[value->index]]);
}

/* All that `value`'s elements come from without having been moved, itself first. Stops at `other`,
 * or at what the search before has met. (transfer full) */
static gboolean
search_origins (Checker *checker, const EnsValue *value, const EnsValue *other, gboolean look)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  guint before = checker->search++;

  g_ptr_array_add (open, (gpointer)value);
  while (open->len > 0 && checker->steps-- > 0) {
    const EnsValue *found = g_ptr_array_steal_index_fast (open, open->len - 1);
    const EnsNode *producer = moves_nothing (checker, found) ? found->producer : NULL;

    if (found == other || (look && checker->marks[found->index] == before))
      return TRUE;
    if (checker->marks[found->index] == checker->search)
      continue;
    checker->marks[found->index] = checker->search;
    for (guint i = 0; producer != NULL && i < producer->n_inputs; i++)
      if (producer->inputs[i] != NULL)
        g_ptr_array_add (open, producer->inputs[i]);
  }
  return FALSE;
}

/* b was computed later. */
static gboolean
are_related (Checker *checker, const EnsValue *a, const EnsValue *b)
{
  return search_origins (checker, b, a, FALSE) || search_origins (checker, a, NULL, TRUE);
}

static gboolean
check_pair (Checker *checker, const EnsValue *a, const EnsValue *b, GError **error)
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
  /* Computed in place by the last node that reads it. */
  if (checker->dies[a->index] == checker->born[b->index]
      && (b->producer->op->flags & (ENS_OP_IN_PLACE | ENS_OP_RESIDUAL_IN_PLACE))
      && places[a->index].offset == places[b->index].offset
      && places[a->index].pitch == places[b->index].pitch && ens_shape_equal (&a->shape, &b->shape))
    return TRUE;
  if (are_related (checker, a, b) || checker->steps <= 0)
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
      && value->producer != NULL && !moves_nothing (checker, value))
    return fail (checker, error, "“%s” would be written to memory that is read-only", value->name);
  return TRUE;
}

/* Values that live while the node at `position` runs: others are taken out. */
static void
drop_dead (Checker *checker, GPtrArray *alive, int position)
{
  for (guint i = alive->len; i-- > 0;) {
    const EnsValue *value = g_ptr_array_index (alive, i);

    if (checker->dies[value->index] < position)
      g_ptr_array_remove_index_fast (alive, i);
  }
  checker->steps -= alive->len;
}

static gboolean
check_scratch (const Checker *checker, const GPtrArray *alive, guint position, gsize size,
               GError **error)
{
  gsize start = checker->plan->scratch[position];

  if (size == 0)
    return TRUE;
  if (start + size > checker->plan->arena_size)
    return fail (checker, error, "scratch memory of “%s” reaches beyond the arena",
                 ens_graph_node (checker->graph, position)->name);
  for (guint i = 0; i < alive->len; i++) {
    const EnsValue *value = g_ptr_array_index (alive, i);
    const EnsPlace *place = &checker->plan->places[value->index];

    if (place->kind == ENS_PLACE_ARENA && place->offset < start + size
        && start < place->offset + extent (value, place))
      return fail (checker, error, "“%s” would be overwritten by scratch memory of “%s”",
                   value->name, ens_graph_node (checker->graph, position)->name);
  }
  return TRUE;
}

/* Against all that live when it is computed, among which it then is. */
static gboolean
check_value (Checker *checker, const EnsValue *value, GPtrArray *alive, GError **error)
{
  if (!check_place (checker, value, error))
    return FALSE;
  if (value->constant != NULL)
    return TRUE;
  for (guint i = 0; i < alive->len && checker->steps > 0; i++)
    if (!check_pair (checker, g_ptr_array_index (alive, i), value, error))
      return FALSE;
  g_ptr_array_add (alive, (gpointer)value);
  return TRUE;
}

static gboolean
check_node (Checker *checker, guint position, gsize scratch_size, GPtrArray *alive, GError **error)
{
  const EnsNode *node = ens_graph_node (checker->graph, position);

  drop_dead (checker, alive, (int)position);
  for (guint i = 0; i < node->n_outputs; i++)
    if (!check_value (checker, node->outputs[i], alive, error))
      return FALSE;
  return check_scratch (checker, alive, position, scratch_size, error);
}

gboolean
ens_memory_plan_check (const EnsMemoryPlan *plan, const EnsGraph *graph, const gsize *scratch_sizes,
                       GError **error)
{
  g_autofree int *born = g_new (int, plan->n_values), *dies = g_new (int, plan->n_values);
  g_autofree guint *marks = g_new0 (guint, plan->n_values);
  g_autoptr (GPtrArray) alive = g_ptr_array_new ();
  Checker checker = {plan, graph, born, dies, marks, 0, MAX_STEPS};

  note_lifetimes (&checker);
  for (guint i = 0; i < plan->n_values; i++)
    if (ens_graph_value (graph, i)->producer == NULL
        && !check_value (&checker, ens_graph_value (graph, i), alive, error))
      return FALSE;
  for (guint i = 0; i < plan->n_nodes; i++)
    if (!check_node (&checker, i, scratch_sizes[i], alive, error))
      return FALSE;
  return TRUE;
}
