/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/memory-private.h"

#include <stdlib.h>

/* Of a cache line, and what the widest vector loads like. */
#define ALIGNMENT 64

static gsize
round_up (gsize size)
{
  return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Classes of one value each, with lifetimes. */

static void
init_class (EnsMemoryPlanner *planner, const EnsValue *value)
{
  EnsMemoryClass *class = &planner->classes[value->index];

  planner->links[value->index].parent = planner->roots[value->index] = value->index;
  class->kind = value->constant != NULL ? ENS_PLACE_CONSTANT : ENS_PLACE_ARENA;
  class->index = value->index;
  class->size = ens_value_size (value);
  class->first = class->last = -1;
  class->pitched = value->shape.rank > 0;
}

/* The node at `position` uses the class; nodes come in the order of their times. */
static void
note_use (EnsMemoryPlanner *planner, EnsMemoryClass *class, guint position)
{
  int time = (int)planner->times[position];

  if (time > class->last)
    class->last_users = 0;
  if (class->last_users == 0 || class->last_user != position)
    class->last_users++;
  class->last = time;
  class->last_user = position;
}

static void
note_node (EnsMemoryPlanner *planner, guint position)
{
  const EnsNode *node = ens_graph_node (planner->graph, position);
  gboolean pitched = (node->op->flags & ENS_OP_PITCHED) || node->op->kind == ENS_KIND_VIEW;

  for (guint i = 0; i < node->n_inputs; i++) {
    EnsMemoryClass *class;

    if (node->inputs[i] == NULL)
      continue;
    class = &planner->classes[node->inputs[i]->index];
    note_use (planner, class, position);
    class->pitched = class->pitched && pitched;
  }
  for (guint i = 0; i < node->n_outputs; i++) {
    EnsMemoryClass *class = &planner->classes[node->outputs[i]->index];

    note_use (planner, class, position);
    class->first = class->last;
    class->pitched = class->pitched && pitched;
  }
}

static void
init_classes (EnsMemoryPlanner *planner)
{
  const EnsGraph *graph = planner->graph;

  for (guint i = 0; i < graph->values->len; i++)
    init_class (planner, ens_graph_value (graph, i));
  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (graph->inputs, i);

    planner->classes[input->index].kind = ENS_PLACE_INPUT;
    planner->classes[input->index].index = i;
  }
  for (guint i = 0; i < graph->nodes->len; i++)
    note_node (planner, i);
  for (guint i = 0; i < graph->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (graph->outputs, i);

    planner->classes[output->index].last = G_MAXINT;
  }
}

static guint *
copy_times (const EnsGraph *graph, const guint *levels)
{
  guint *times = g_new (guint, graph->nodes->len);

  for (guint i = 0; i < graph->nodes->len; i++)
    times[i] = levels != NULL ? levels[i] : i;
  return times;
}

EnsMemoryPlan *
ens_memory_plan_new (const EnsGraph *graph)
{
  return ens_memory_plan_new_by_level (graph, NULL);
}

EnsMemoryPlan *
ens_memory_plan_new_by_level (const EnsGraph *graph, const guint *levels)
{
  EnsMemoryPlan *plan = g_new0 (EnsMemoryPlan, 1);
  g_autofree EnsMemoryLink *links = g_new0 (EnsMemoryLink, graph->values->len);
  g_autofree guint *roots = g_new (guint, graph->values->len);
  EnsMemoryPlanner planner = {.graph = graph, .links = links, .roots = roots};

  plan->n_values = graph->values->len;
  plan->n_nodes = graph->nodes->len;
  plan->places = g_new0 (EnsPlace, plan->n_values);
  plan->scratch = g_new0 (gsize, plan->n_nodes);
  plan->skip = planner.skip = g_new0 (gboolean, plan->n_nodes);
  plan->classes = planner.classes = g_new0 (EnsMemoryClass, plan->n_values);
  planner.times = plan->times = copy_times (graph, levels);
  init_classes (&planner);
  ens_memory_share (&planner);
  ens_memory_locate_all (&planner, plan->places);
  for (guint i = 0; i < plan->n_values; i++)
    plan->classes[i].root = links[i].parent == i;
  return plan;
}

void
ens_memory_plan_free (EnsMemoryPlan *plan)
{
  g_free (plan->classes);
  g_free (plan->times);
  g_free (plan->scratch);
  g_free (plan->skip);
  g_free (plan->places);
  g_free (plan);
}

/* Offsets in the arena. */

typedef struct {
  gsize size;
  int first, last;
  gsize *offset;
} Block;

static gint
compare_sizes (gconstpointer a, gconstpointer b)
{
  const Block *x = a, *y = b;

  if (x->size != y->size)
    return x->size > y->size ? -1 : 1;
  return x->first - y->first;
}

/* The smallest gap that is large enough between the placed blocks that live at the same time, or
 * the end of the last of them. `placed` is sorted by offset. */
static gsize
find_gap (const GPtrArray *placed, const Block *block)
{
  gsize end = 0, best = G_MAXSIZE, best_size = G_MAXSIZE;

  for (guint i = 0; i < placed->len; i++) {
    const Block *other = g_ptr_array_index (placed, i);

    if (other->first > block->last || other->last < block->first)
      continue;
    if (*other->offset >= end + block->size && *other->offset - end < best_size) {
      best = end;
      best_size = *other->offset - end;
    }
    end = MAX (end, *other->offset + other->size);
  }
  return best != G_MAXSIZE ? best : end;
}

static GArray *
list_blocks (EnsMemoryPlan *plan, const gsize *scratch_sizes)
{
  GArray *blocks = g_array_new (FALSE, FALSE, sizeof (Block));

  for (guint i = 0; i < plan->n_values; i++) {
    EnsMemoryClass *class = &plan->classes[i];
    Block block = {round_up (class->size), class->first, class->last, &class->offset};

    if (class->root && class->kind == ENS_PLACE_ARENA && class->size > 0)
      g_array_append_val (blocks, block);
  }
  for (guint i = 0; i < plan->n_nodes; i++) {
    int time = (int)plan->times[i];
    Block block = {round_up (scratch_sizes[i]), time, time, &plan->scratch[i]};

    if (scratch_sizes[i] > 0)
      g_array_append_val (blocks, block);
  }
  g_array_sort (blocks, compare_sizes);
  return blocks;
}

/* Keeps the placed blocks sorted by offset. */
static void
insert_placed (GPtrArray *placed, Block *block)
{
  guint low = 0, high = placed->len;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (*((const Block *)g_ptr_array_index (placed, middle))->offset > *block->offset)
      high = middle;
    else
      low = middle + 1;
  }
  g_ptr_array_insert (placed, (gint)low, block);
}

/* The best places: each block, the largest first, is compared with all that have theirs. */
static gsize
place_by_size (GArray *blocks)
{
  g_autoptr (GPtrArray) placed = g_ptr_array_new ();
  gsize end = 0;

  for (guint i = 0; i < blocks->len; i++) {
    Block *block = &g_array_index (blocks, Block, i);

    *block->offset = find_gap (placed, block);
    end = MAX (end, *block->offset + block->size);
    insert_placed (placed, block);
  }
  return end;
}

/* ---- Many blocks ---- */

/* So many blocks are placed one after the other in time, which needs somewhat more memory, but not
 * a time that grows with their square. */
#define MANY_BLOCKS 4096
/* Of the gaps that were left, so many are looked at. */
#define MAX_GAPS 64

typedef struct {
  gsize offset, size;
} Gap;

static gint
compare_firsts (gconstpointer a, gconstpointer b)
{
  const Block *x = a, *y = b;

  return x->first != y->first ? (x->first < y->first ? -1 : 1) : compare_sizes (a, b);
}

static gint
compare_lasts (gconstpointer a, gconstpointer b)
{
  const Block *x = *(Block *const *)a, *y = *(Block *const *)b;

  return x->last != y->last ? (x->last < y->last ? -1 : 1) : (x > y) - (x < y);
}

/* Takes the block's memory from the smallest of the latest gaps that is large enough, or from the
 * end. */
static void
take_gap (GArray *gaps, Block *block, gsize *end)
{
  guint best = G_MAXUINT;
  Gap *gap;

  for (guint i = gaps->len; i-- > 0 && gaps->len - i <= MAX_GAPS;) {
    gap = &g_array_index (gaps, Gap, i);
    if (gap->size >= block->size
        && (best == G_MAXUINT || gap->size < g_array_index (gaps, Gap, best).size))
      best = i;
  }
  if (best == G_MAXUINT) {
    *block->offset = *end;
    *end += block->size;
    return;
  }
  gap = &g_array_index (gaps, Gap, best);
  *block->offset = gap->offset;
  gap->offset += block->size;
  gap->size -= block->size;
  if (gap->size == 0)
    g_array_remove_index_fast (gaps, best);
}

static gsize
place_by_time (GArray *blocks)
{
  g_autoptr (GArray) gaps = g_array_new (FALSE, FALSE, sizeof (Gap));
  g_autofree Block **ending = g_new (Block *, blocks->len);
  guint n_ended = 0;
  gsize end = 0;

  g_array_sort (blocks, compare_firsts);
  for (guint i = 0; i < blocks->len; i++)
    ending[i] = &g_array_index (blocks, Block, i);
  if (blocks->len > 0)
    qsort (ending, blocks->len, sizeof *ending, compare_lasts);
  for (guint i = 0; i < blocks->len; i++) {
    Block *block = &g_array_index (blocks, Block, i);

    for (; ending[n_ended]->last < block->first; n_ended++) {
      const Gap gap = {*ending[n_ended]->offset, ending[n_ended]->size};

      g_array_append_val (gaps, gap);
    }
    take_gap (gaps, block, &end);
  }
  return end;
}

void
ens_memory_plan_lay_out (EnsMemoryPlan *plan, const gsize *scratch_sizes)
{
  g_autoptr (GArray) blocks = list_blocks (plan, scratch_sizes);

  plan->arena_size = blocks->len < MANY_BLOCKS ? place_by_size (blocks) : place_by_time (blocks);
  for (guint i = 0; i < plan->n_values; i++)
    if (plan->places[i].kind == ENS_PLACE_ARENA)
      plan->places[i].offset += plan->classes[plan->places[i].index].offset;
}
