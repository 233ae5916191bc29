/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which values can share memory. Decided in an order in which no decision rules out a later one:
 * views; graph outputs in the caller's arrays; parts of concatenations, outermost first; parts of
 * splits; and last, when everything's lifetime is known, what is computed in place. */
#include "passes/memory-private.h"

#include "ops/params.h"

/* Shortens the way for the next time. */
static guint
find_root (const EnsMemoryPlanner *planner, guint value)
{
  guint *roots = planner->roots, root = value;

  while (roots[root] != root)
    root = roots[root];
  while (roots[value] != root) {
    guint next = roots[value];

    roots[value] = root;
    value = next;
  }
  return root;
}

static EnsMemoryClass *
class_of (const EnsMemoryPlanner *planner, const EnsValue *value)
{
  return &planner->classes[find_root (planner, value->index)];
}

static EnsPlace
locate_root (const EnsMemoryPlanner *planner, const EnsValue *value)
{
  const EnsMemoryClass *class = &planner->classes[value->index];

  return (EnsPlace) {
      .kind = class->kind, .index = class->index, .pitch = ens_shape_run (&value->shape)};
}

/* From the place of what the value is linked to. */
static EnsPlace
locate_in (const EnsMemoryPlanner *planner, const EnsValue *value, EnsPlace place)
{
  const EnsMemoryLink *link = &planner->links[value->index];
  const EnsValue *parent = ens_graph_value (planner->graph, link->parent);

  place.offset += link->offset;
  if (ens_shape_runs (&value->shape) <= 1
      || (!link->column && place.pitch == ens_shape_run (&parent->shape)))
    place.pitch = ens_shape_run (&value->shape);
  return place;
}

/* Links are as many as a file has nodes: one after the other, not by recursion. The values of
 * `path`, from the one asked for to the root, or to one that `places` has. */
static EnsPlace
follow (const EnsMemoryPlanner *planner, GPtrArray *path, EnsPlace *places, const gboolean *known)
{
  const EnsValue *value = g_ptr_array_index (path, 0);
  EnsPlace place;

  while (planner->links[value->index].parent != value->index
         && (known == NULL || !known[value->index])) {
    value = ens_graph_value (planner->graph, planner->links[value->index].parent);
    g_ptr_array_add (path, (gpointer)value);
  }
  place =
      known != NULL && known[value->index] ? places[value->index] : locate_root (planner, value);
  for (guint i = path->len; i-- > 0;) {
    const EnsValue *step = g_ptr_array_index (path, i);

    if (step != value)
      place = locate_in (planner, step, place);
    if (places != NULL)
      places[step->index] = place;
  }
  return place;
}

EnsPlace
ens_memory_locate (const EnsMemoryPlanner *planner, const EnsValue *value)
{
  g_autoptr (GPtrArray) path = g_ptr_array_new ();

  g_ptr_array_add (path, (gpointer)value);
  return follow (planner, path, NULL, NULL);
}

void
ens_memory_locate_all (const EnsMemoryPlanner *planner, EnsPlace *places)
{
  const GPtrArray *values = planner->graph->values;
  g_autofree gboolean *known = g_new0 (gboolean, values->len);
  g_autoptr (GPtrArray) path = g_ptr_array_new ();

  for (guint i = 0; i < values->len; i++) {
    g_ptr_array_set_size (path, 0);
    g_ptr_array_add (path, g_ptr_array_index (values, i));
    follow (planner, path, places, known);
    for (guint j = 0; j < path->len; j++)
      known[((const EnsValue *)g_ptr_array_index (path, j))->index] = TRUE;
  }
}

/* Whether the value's memory is all of its class's. */
static gboolean
covers_class (const EnsMemoryPlanner *planner, const EnsValue *value)
{
  for (guint i = value->index; planner->links[i].parent != i; i = planner->links[i].parent)
    if (planner->links[i].offset != 0 || planner->links[i].column)
      return FALSE;
  return ens_value_size (value) == class_of (planner, value)->size;
}

static gboolean
is_dense (const EnsMemoryPlanner *planner, const EnsValue *value)
{
  return ens_memory_locate (planner, value).pitch == ens_shape_run (&value->shape);
}

static void
join_last_users (EnsMemoryClass *class, const EnsMemoryClass *joining)
{
  gboolean same =
      class->last_users == 1 && joining->last_users == 1 && class->last_user == joining->last_user;

  if (joining->last == class->last && !same)
    class->last_users += joining->last_users;
  if (joining->last <= class->last)
    return;
  class->last = joining->last;
  class->last_users = joining->last_users;
  class->last_user = joining->last_user;
}

/* Puts `part`'s whole class into the memory of `whole`, which is in another class. */
static void
unite (EnsMemoryPlanner *planner, const EnsValue *part, const EnsValue *whole, gsize offset,
       gboolean column)
{
  guint root = find_root (planner, part->index);
  const EnsMemoryClass *joining = &planner->classes[root];
  EnsMemoryClass *class = class_of (planner, whole);

  class->first = MIN (class->first, joining->first);
  join_last_users (class, joining);
  /* Pieces one behind the other would have to move apart if the whole got a pitch. */
  class->pitched = class->pitched && joining->pitched && (column || offset == 0);
  planner->links[root] = (EnsMemoryLink) {whole->index, offset, column};
  planner->roots[root] = whole->index;
}

static void
share_view (EnsMemoryPlanner *planner, guint position)
{
  const EnsNode *node = ens_graph_node (planner->graph, position);
  const EnsValue *input = node->inputs[0], *output = node->outputs[0];

  if (node->op->kind != ENS_KIND_VIEW || node->n_outputs > 1)
    return;
  if (ens_shape_run (&input->shape) != ens_shape_run (&output->shape))
    planner->classes[output->index].pitched = FALSE;
  unite (planner, output, input, 0, FALSE);
  planner->skip[position] = TRUE;
}

static void
share_output (EnsMemoryPlanner *planner, guint i)
{
  const EnsValue *output = g_ptr_array_index (planner->graph->outputs, i);
  EnsMemoryClass *class = class_of (planner, output);

  if (class->kind != ENS_PLACE_ARENA)
    return;
  class->kind = ENS_PLACE_OUTPUT;
  class->index = i;
}

/* How a tensor is divided along an axis: into runs of columns, or, when nothing but ones precedes
 * the axis, into contiguous pieces. FALSE: neither. */
static gboolean
divides (const EnsShape *whole, gint64 axis, gboolean *column)
{
  if (axis < 0)
    axis += whole->rank;
  *column = ens_shape_span (whole, 0, axis) > 1;
  return !*column || axis == (gint64)whole->rank - 1;
}

/* Whether `part`, all of its class, may become a piece of `whole`. */
static gboolean
can_be_piece (const EnsMemoryPlanner *planner, const EnsValue *part, const EnsValue *whole,
              gboolean column)
{
  const EnsMemoryClass *class = class_of (planner, part);

  return class->kind == ENS_PLACE_ARENA && class != class_of (planner, whole)
         && covers_class (planner, part) && (column ? class->pitched : is_dense (planner, whole));
}

static void
share_concat (EnsMemoryPlanner *planner, guint position)
{
  const EnsNode *node = ens_graph_node (planner->graph, position);
  const EnsValue *whole = node->outputs[0];
  const EnsAxisParams *params = node->params;
  gboolean all = TRUE, column;
  gsize offset = 0;

  if (!divides (&whole->shape, params->axis, &column))
    return;
  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *part = node->inputs[i];

    if (can_be_piece (planner, part, whole, column))
      unite (planner, part, whole, offset, column);
    else
      all = FALSE;
    offset += column ? (gsize)ens_shape_run (&part->shape) * ens_type_size (part->type)
                     : ens_value_size (part);
  }
  planner->skip[position] = all;
}

static void
share_split (EnsMemoryPlanner *planner, guint position)
{
  const EnsNode *node = ens_graph_node (planner->graph, position);
  const EnsValue *whole = node->inputs[0];
  const EnsSplitParams *params = node->params;
  gboolean column;
  gsize offset = 0;

  if (!divides (&whole->shape, params->axis, &column))
    return;
  for (guint i = 0; i < node->n_outputs; i++)
    if (!can_be_piece (planner, node->outputs[i], whole, column))
      return;
  for (guint i = 0; i < node->n_outputs; i++) {
    const EnsValue *part = node->outputs[i];

    unite (planner, part, whole, offset, column);
    offset += column ? (gsize)ens_shape_run (&part->shape) * ens_type_size (part->type)
                     : ens_value_size (part);
  }
  planner->skip[position] = TRUE;
}

/* Whether the node, the last to read its input `i`, may put its output there. */
static gboolean
can_overwrite (const EnsMemoryPlanner *planner, guint position, guint i)
{
  const EnsNode *node = ens_graph_node (planner->graph, position);
  const EnsValue *input = ens_node_input (node, i), *output = node->outputs[0];
  const EnsMemoryClass *class;

  if (input == NULL || input->type != output->type
      || !ens_shape_equal (&input->shape, &output->shape))
    return FALSE;
  class = class_of (planner, input);
  for (guint j = 0; j < node->n_inputs; j++)
    if (j != i && node->inputs[j] != NULL && class_of (planner, node->inputs[j]) == class)
      return FALSE;
  return class->kind == ENS_PLACE_ARENA && class->last == (int)planner->times[position]
         && class->last_users == 1 && class != class_of (planner, output)
         && covers_class (planner, input) && (class->pitched || is_dense (planner, output));
}

static void
share_in_place (EnsMemoryPlanner *planner, guint position)
{
  const EnsNode *node = ens_graph_node (planner->graph, position);
  guint residual = node->op->max_inputs - 1;

  if ((node->op->flags & ENS_OP_IN_PLACE) && can_overwrite (planner, position, 0))
    unite (planner, node->inputs[0], node->outputs[0], 0, FALSE);
  else if ((node->op->flags & ENS_OP_RESIDUAL_IN_PLACE)
           && can_overwrite (planner, position, residual))
    unite (planner, node->inputs[residual], node->outputs[0], 0, FALSE);
}

void
ens_memory_share (EnsMemoryPlanner *planner)
{
  const EnsGraph *graph = planner->graph;
  const EnsOp *concat = ens_op_find ("Concat"), *split = ens_op_find ("Split");

  for (guint i = 0; i < graph->nodes->len; i++)
    share_view (planner, i);
  for (guint i = 0; i < graph->outputs->len; i++)
    share_output (planner, i);
  for (guint i = graph->nodes->len; i-- > 0;)
    if (ens_graph_node (graph, i)->op == concat)
      share_concat (planner, i);
  for (guint i = 0; i < graph->nodes->len; i++)
    if (ens_graph_node (graph, i)->op == split)
      share_split (planner, i);
  for (guint i = 0; i < graph->nodes->len; i++)
    share_in_place (planner, i);
}
