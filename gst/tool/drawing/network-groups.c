/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network-groups.h"

#include "graph/infer.h"
#include "network-repeats.h"

gint64
network_count_parameters (const EnsNode *node)
{
  gint64 n = 0;

  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && node->inputs[i]->constant != NULL
        && node->inputs[i]->producer == NULL && node->inputs[i]->type == ENS_TYPE_FLOAT32
        && ens_shape_elements (&node->inputs[i]->shape) > 1)
      n += ens_shape_elements (&node->inputs[i]->shape);
  return n;
}

/* -- which nodes go together -- */

/* What is being built. */
typedef struct {
  NetworkGroups *groups;
  NetworkPlace *by_value;
} Builder;

/* What does not depend on the graph's inputs counts as a constant. */
static gboolean
is_computed (const Builder *builder, const EnsValue *value)
{
  return value != NULL && builder->by_value[value->index].group != NETWORK_NO_GROUP;
}

static gboolean
has_weights (const Builder *builder, const EnsNode *node)
{
  for (guint i = 0; i < MIN (node->n_inputs, ENS_MAX_PARAMETERS); i++)
    if (node->op->parameters[i] == ENS_PARAMETER_WEIGHT && node->inputs[i] != NULL
        && !is_computed (builder, node->inputs[i]))
      return TRUE;
  return FALSE;
}

/* Whether a map loses elements, but for those of its channels alone. */
static gboolean
shrinks_map (const EnsNode *node)
{
  const EnsValue *in = node->n_inputs > 0 ? node->inputs[0] : NULL;
  const EnsShape *out = &node->outputs[0]->shape;
  gint64 n = 0;

  for (guint i = 0; i < node->n_outputs; i++)
    n += ens_shape_elements (&node->outputs[i]->shape);
  return in != NULL && in->shape.rank == 4 && n < ens_shape_elements (&in->shape)
         && !(out->rank == 4 && ens_shape_span (out, 0, 3) == ens_shape_span (&in->shape, 0, 3));
}

static gboolean
stands_alone (const Builder *builder, const EnsNode *node)
{
  EnsOpKind kind = node->op->kind;

  return kind == ENS_KIND_POOL || kind == ENS_KIND_GLOBAL_POOL || kind == ENS_KIND_PRODUCT
         || has_weights (builder, node) || node->op->flops != NULL || shrinks_map (node);
}

static gboolean
depends_on_input (const Builder *builder, const EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (is_computed (builder, node->inputs[i]))
      return TRUE;
  return FALSE;
}

/* The only group that a node reads; NETWORK_NO_GROUP: none, several, or an input of the graph. */
static guint
find_only_group (const Builder *builder, const EnsNode *node)
{
  guint found = NETWORK_NO_GROUP;

  for (guint i = 0; i < node->n_inputs; i++) {
    guint group;

    if (!is_computed (builder, node->inputs[i]))
      continue;
    group = builder->by_value[node->inputs[i]->index].group;
    if (found != NETWORK_NO_GROUP && group != found)
      return NETWORK_NO_GROUP;
    found = group;
  }
  if (found == NETWORK_NO_GROUP
      || g_array_index (builder->groups->groups, NetworkGroup, found).value != NULL)
    return NETWORK_NO_GROUP;
  return found;
}

static guint
add_group (Builder *builder, const EnsValue *input)
{
  NetworkGroup group = {.value = input, .nodes = g_ptr_array_new ()};

  g_array_append_val (builder->groups->groups, group);
  return builder->groups->groups->len - 1;
}

static void
clear_group (gpointer data)
{
  g_ptr_array_unref (((NetworkGroup *)data)->nodes);
}

static void
add_node (Builder *builder, EnsNode *node)
{
  guint g = find_only_group (builder, node);
  double multiply_adds = ens_node_count_flops (node) / 2;
  gint64 parameters = network_count_parameters (node);
  NetworkGroup *group;

  if (!depends_on_input (builder, node))
    return;
  if (g == NETWORK_NO_GROUP || stands_alone (builder, node))
    g = add_group (builder, NULL);
  group = &g_array_index (builder->groups->groups, NetworkGroup, g);
  if (group->main == NULL)
    group->main = node;
  g_ptr_array_add (group->nodes, node);
  group->multiply_adds += multiply_adds;
  group->parameters += parameters;
  group->has_weights = group->has_weights || has_weights (builder, node);
  builder->groups->multiply_adds += multiply_adds;
  builder->groups->parameters += parameters;
  for (guint i = 0; i < node->n_outputs; i++)
    builder->by_value[node->outputs[i]->index] = (NetworkPlace) {g, group->nodes->len - 1};
}

/* -- what reads what -- */

static void
add_edge (Builder *builder, guint from, guint to, guint *last_reader)
{
  NetworkEdge edge = {from, to};

  if (from == to || last_reader[from] == to)
    return;
  last_reader[from] = to;
  g_array_append_val (builder->groups->edges, edge);
}

static gint
compare_edges (gconstpointer a, gconstpointer b)
{
  const NetworkEdge *first = a, *second = b;

  if (first->to != second->to)
    return first->to < second->to ? -1 : 1;
  return first->from < second->from ? -1 : first->from > second->from;
}

static void
add_edges (Builder *builder)
{
  const GArray *groups = builder->groups->groups;
  g_autofree guint *last_reader = g_new (guint, groups->len);

  for (guint g = 0; g < groups->len; g++)
    last_reader[g] = G_MAXUINT;
  for (guint g = 0; g < groups->len; g++) {
    const GPtrArray *nodes = g_array_index (groups, NetworkGroup, g).nodes;

    for (guint n = 0; n < nodes->len; n++) {
      const EnsNode *node = nodes->pdata[n];

      for (guint i = 0; i < node->n_inputs; i++)
        if (is_computed (builder, node->inputs[i]))
          add_edge (builder, builder->by_value[node->inputs[i]->index].group, g, last_reader);
    }
  }
  g_array_sort (builder->groups->edges, compare_edges);
}

/* -- all of it -- */

NetworkGroups *
network_groups_new (const EnsGraph *graph)
{
  NetworkGroups *groups = g_new0 (NetworkGroups, 1);
  g_autofree NetworkPlace *by_value = g_new (NetworkPlace, graph->values->len);
  Builder builder = {groups, by_value};

  groups->groups = g_array_new (FALSE, FALSE, sizeof (NetworkGroup));
  g_array_set_clear_func (groups->groups, clear_group);
  groups->edges = g_array_new (FALSE, FALSE, sizeof (NetworkEdge));
  for (guint i = 0; i < graph->values->len; i++)
    by_value[i] = (NetworkPlace) {NETWORK_NO_GROUP, 0};
  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = graph->inputs->pdata[i];

    by_value[input->index].group = add_group (&builder, input);
  }
  for (guint i = 0; i < graph->nodes->len; i++)
    add_node (&builder, graph->nodes->pdata[i]);
  for (guint i = 0; i < graph->outputs->len; i++) {
    const EnsValue *output = graph->outputs->pdata[i];

    if (is_computed (&builder, output))
      g_array_index (groups->groups, NetworkGroup, by_value[output->index].group).is_last = TRUE;
  }
  add_edges (&builder);
  groups->repeats = network_find_repeats (groups, by_value);
  return groups;
}

void
network_groups_free (NetworkGroups *groups)
{
  g_array_unref (groups->groups);
  g_array_unref (groups->edges);
  g_array_unref (groups->repeats);
  g_free (groups);
}
