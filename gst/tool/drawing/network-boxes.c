/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network-boxes.h"

#include "graph/op.h"

/* What is being made. */
typedef struct {
  NetworkBoxes *boxes;
  const EnsGraph *graph;
  const NetworkGroups *groups;
  guint *by_group; /* the box of a group: that of the first copy */
} Builder;

const NetworkBox *
network_boxes_get (const NetworkBoxes *boxes, guint b)
{
  return &g_array_index (boxes->boxes, NetworkBox, b);
}

static guint
get_copy (const NetworkRepeat *repeat, guint g)
{
  return (g - repeat->first) / repeat->length;
}

static gboolean
is_in_repeat (const NetworkRepeat *repeat, guint g)
{
  return g >= repeat->first && get_copy (repeat, g) < repeat->n_copies;
}

static void
add_boxes (Builder *builder)
{
  const GArray *groups = builder->groups->groups, *repeats = builder->groups->repeats;
  const GPtrArray *outputs = builder->graph->outputs;

  for (guint g = 0, r = 0; g < groups->len; g++) {
    NetworkBox box = {.group = &g_array_index (groups, NetworkGroup, g), .g = g};

    while (r < repeats->len && g >= g_array_index (repeats, NetworkRepeat, r).first
           && !is_in_repeat (&g_array_index (repeats, NetworkRepeat, r), g))
      r++;
    if (r < repeats->len && is_in_repeat (&g_array_index (repeats, NetworkRepeat, r), g))
      box.repeat = &g_array_index (repeats, NetworkRepeat, r);
    if (box.repeat != NULL && get_copy (box.repeat, g) > 0) {
      builder->by_group[g] = builder->by_group[g - box.repeat->length];
      continue;
    }
    builder->by_group[g] = builder->boxes->boxes->len;
    g_array_append_val (builder->boxes->boxes, box);
  }
  for (guint i = 0; i < outputs->len; i++) {
    NetworkBox box = {.output = outputs->pdata[i], .family = "ends"};

    g_array_append_val (builder->boxes->boxes, box);
  }
}

static gint
compare_edges (gconstpointer a, gconstpointer b)
{
  const LayoutEdge *first = a, *second = b;

  if (first->to != second->to)
    return first->to < second->to ? -1 : 1;
  return first->from < second->from ? -1 : first->from > second->from;
}

/* Edges from one copy to the next are what a frame stands for. */
static gboolean
is_between_copies (const Builder *builder, const NetworkEdge *edge)
{
  const NetworkRepeat *repeat =
      network_boxes_get (builder->boxes, builder->by_group[edge->from])->repeat;

  return repeat != NULL && is_in_repeat (repeat, edge->to)
         && get_copy (repeat, edge->from) != get_copy (repeat, edge->to);
}

static guint
find_source (const Builder *builder, const EnsValue *value)
{
  for (guint g = 0; g < builder->groups->groups->len; g++) {
    const NetworkGroup *group = &g_array_index (builder->groups->groups, NetworkGroup, g);

    if (group->value == value
        || (group->is_last && value->producer != NULL
            && g_ptr_array_find (group->nodes, value->producer, NULL)))
      return builder->by_group[g];
  }
  return G_MAXUINT;
}

/* Each once, in order. */
static void
add_edges (Builder *builder)
{
  const GArray *edges = builder->groups->edges;
  GArray *found = g_array_new (FALSE, TRUE, sizeof (LayoutEdge));
  guint n = 0;

  for (guint e = 0; e < edges->len; e++) {
    const NetworkEdge *edge = &g_array_index (edges, NetworkEdge, e);
    LayoutEdge drawn = {builder->by_group[edge->from], builder->by_group[edge->to], NULL};

    if (!is_between_copies (builder, edge))
      g_array_append_val (found, drawn);
  }
  for (guint b = 0; b < builder->boxes->boxes->len; b++) {
    LayoutEdge drawn = {0, b, NULL};

    if (network_boxes_get (builder->boxes, b)->output == NULL)
      continue;
    drawn.from = find_source (builder, network_boxes_get (builder->boxes, b)->output);
    if (drawn.from != G_MAXUINT)
      g_array_append_val (found, drawn);
  }
  g_array_sort (found, compare_edges);
  for (guint e = 0; e < found->len; e++)
    if (n == 0
        || compare_edges (&g_array_index (found, LayoutEdge, e),
                          &g_array_index (found, LayoutEdge, n - 1))
               != 0)
      g_array_index (found, LayoutEdge, n++) = g_array_index (found, LayoutEdge, e);
  builder->boxes->n_edges = n;
  builder->boxes->edges = (LayoutEdge *)g_array_free (found, FALSE);
}

static const char *
choose_family (const NetworkBox *box)
{
  EnsOpKind kind;

  if (box->group == NULL || box->group->value != NULL)
    return "ends";
  kind = box->group->main->op->kind;
  if (box->group->has_weights)
    return "weights";
  if (kind == ENS_KIND_PRODUCT)
    return "product";
  if (kind == ENS_KIND_POOL || kind == ENS_KIND_GLOBAL_POOL)
    return "pool";
  return box->joins ? "join" : "light";
}

static void
choose_families (Builder *builder)
{
  for (guint e = 1; e < builder->boxes->n_edges; e++)
    if (builder->boxes->edges[e].to == builder->boxes->edges[e - 1].to)
      g_array_index (builder->boxes->boxes, NetworkBox, builder->boxes->edges[e].to).joins = TRUE;
  for (guint b = 0; b < builder->boxes->boxes->len; b++)
    g_array_index (builder->boxes->boxes, NetworkBox, b).family =
        choose_family (network_boxes_get (builder->boxes, b));
}

void
network_boxes_init (NetworkBoxes *boxes, const EnsGraph *graph, const NetworkGroups *groups)
{
  g_autofree guint *by_group = g_new (guint, groups->groups->len);
  Builder builder = {boxes, graph, groups, by_group};

  boxes->boxes = g_array_new (FALSE, FALSE, sizeof (NetworkBox));
  add_boxes (&builder);
  add_edges (&builder);
  choose_families (&builder);
}

void
network_boxes_clear (NetworkBoxes *boxes)
{
  g_clear_pointer (&boxes->boxes, g_array_unref);
  g_clear_pointer (&boxes->edges, g_free);
}
