/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layered-layout.h"

#include <string.h>

/* How often the order of layers is improved, and places are. */
#define N_ORDER_SWEEPS 12
#define N_PLACE_SWEEPS 12

/* Edges that would pass more layers in all go straight. */
#define MAX_PASSES 100000

/* The room of an edge that passes a layer. */
#define PASS_WIDTH 10.0

/* How straight an edge is to be between boxes, at one and between two passes. */
static const double edge_weights[] = {2, 1, 8};

/* A box or the pass of an edge. */
typedef struct {
  guint layer;
  guint place; /* in the layer */
  gboolean is_pass;
  double width, x;       /* of the middle */
  double rank;           /* while the order is improved */
  GArray *above, *below; /* items beside it in the layers beside its own */
} Item;

typedef struct {
  Layout *layout;
  GArray *items;     /* Item: the boxes, then passes by edge */
  guint *first_pass; /* by edge: its passes; n_edges + 1 */
  GPtrArray *layers; /* GArray of items */
} Layers;

static Item *
get_item (const Layers *layers, guint i)
{
  return &g_array_index (layers->items, Item, i);
}

static guint
get_guint (const GArray *array, guint i)
{
  return g_array_index (array, guint, i);
}

static guint
add_item (Layers *layers, guint layer, double width, gboolean is_pass)
{
  Item item = {.layer = layer, .width = width, .is_pass = is_pass};

  item.above = g_array_new (FALSE, FALSE, sizeof (guint));
  item.below = g_array_new (FALSE, FALSE, sizeof (guint));
  g_array_append_val (layers->items, item);
  return layers->items->len - 1;
}

static void
clear_item (gpointer data)
{
  Item *item = data;

  g_array_unref (item->above);
  g_array_unref (item->below);
}

static void
connect (Layers *layers, guint upper, guint lower)
{
  g_array_append_val (get_item (layers, upper)->below, lower);
  g_array_append_val (get_item (layers, lower)->above, upper);
}

/* -- layers -- */

/* Boxes that read nothing stand right above what reads them. */
static void
find_layers (const Layout *layout, guint *layers)
{
  g_autofree guint *lowest = g_new (guint, layout->n_boxes);
  g_autofree gboolean *reads = g_new0 (gboolean, layout->n_boxes);

  memset (layers, 0, layout->n_boxes * sizeof *layers);
  memset (lowest, 0xff, layout->n_boxes * sizeof *lowest);
  for (guint e = 0; e < layout->n_edges; e++) {
    const LayoutEdge *edge = &layout->edges[e];

    layers[edge->to] = MAX (layers[edge->to], layers[edge->from] + 1);
    reads[edge->to] = TRUE;
  }
  for (guint e = 0; e < layout->n_edges; e++)
    lowest[layout->edges[e].from] =
        MIN (lowest[layout->edges[e].from], layers[layout->edges[e].to]);
  for (guint b = 0; b < layout->n_boxes; b++)
    if (!reads[b] && lowest[b] != G_MAXUINT)
      layers[b] = lowest[b] - 1;
}

static void
add_passes (Layers *layers, guint edge)
{
  const LayoutEdge *ends = &layers->layout->edges[edge];
  guint from = get_item (layers, ends->from)->layer, to = get_item (layers, ends->to)->layer;
  guint last = ends->from;

  if (layers->items->len - layers->layout->n_boxes + (to - from) > MAX_PASSES)
    return;
  for (guint l = from + 1; l < to; l++) {
    guint pass = add_item (layers, l, PASS_WIDTH, TRUE);

    connect (layers, last, pass);
    last = pass;
  }
  connect (layers, last, ends->to);
}

static void
build_layers (Layers *layers)
{
  const Layout *layout = layers->layout;
  g_autofree guint *found = g_new (guint, layout->n_boxes);

  find_layers (layout, found);
  for (guint b = 0; b < layout->n_boxes; b++)
    add_item (layers, found[b], layout->boxes[b].width, FALSE);
  for (guint e = 0; e < layout->n_edges; e++) {
    layers->first_pass[e] = layers->items->len;
    add_passes (layers, e);
  }
  layers->first_pass[layout->n_edges] = layers->items->len;
  for (guint i = 0; i < layers->items->len; i++) {
    Item *item = get_item (layers, i);
    GArray *layer;

    while (layers->layers->len <= item->layer)
      g_ptr_array_add (layers->layers, g_array_new (FALSE, FALSE, sizeof (guint)));
    layer = layers->layers->pdata[item->layer];
    item->place = layer->len;
    g_array_append_val (layer, i);
  }
}

/* -- order -- */

static gint
compare_guint (gconstpointer a, gconstpointer b)
{
  return *(const guint *)a < *(const guint *)b ? -1 : *(const guint *)a > *(const guint *)b;
}

/* Crossings below a layer: pairs of edges of which the one further left ends further right. `tree`
 * counts ends by place, as a Fenwick tree. */
static guint64
count_layer (const Layers *layers, guint l)
{
  const GArray *layer = layers->layers->pdata[l];
  guint n = ((const GArray *)layers->layers->pdata[l + 1])->len, n_seen = 0;
  g_autofree guint *tree = g_new0 (guint, n + 1);
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (guint));
  guint64 crossings = 0;

  for (guint i = 0; i < layer->len; i++) {
    const Item *item = get_item (layers, get_guint (layer, i));

    g_array_set_size (ends, 0);
    for (guint j = 0; j < item->below->len; j++)
      g_array_append_val (ends, get_item (layers, get_guint (item->below, j))->place);
    g_array_sort (ends, compare_guint);
    for (guint j = 0; j < ends->len; j++) {
      crossings += n_seen;
      for (guint k = get_guint (ends, j) + 1; k > 0; k &= k - 1)
        crossings -= tree[k];
    }
    for (guint j = 0; j < ends->len; j++)
      for (guint k = get_guint (ends, j) + 1; k <= n; k += k & -k)
        tree[k]++;
    n_seen += ends->len;
  }
  return crossings;
}

static guint64
count_crossings (const Layers *layers)
{
  guint64 crossings = 0;

  for (guint l = 0; l + 1 < layers->layers->len; l++)
    crossings += count_layer (layers, l);
  return crossings;
}

static gint
compare_ranks (gconstpointer a, gconstpointer b, gpointer data)
{
  const Item *first = get_item (data, *(const guint *)a);
  const Item *second = get_item (data, *(const guint *)b);

  if (first->rank != second->rank)
    return first->rank < second->rank ? -1 : 1;
  return first->place < second->place ? -1 : first->place > second->place;
}

/* By the mean place of the neighbours on one side. */
static void
sort_layer (Layers *layers, guint l, gboolean by_above)
{
  GArray *layer = layers->layers->pdata[l];

  for (guint i = 0; i < layer->len; i++) {
    Item *item = get_item (layers, get_guint (layer, i));
    const GArray *beside = by_above ? item->above : item->below;

    item->rank = beside->len > 0 ? 0 : item->place;
    for (guint j = 0; j < beside->len; j++)
      item->rank += (double)get_item (layers, get_guint (beside, j))->place / beside->len;
  }
  g_array_sort_with_data (layer, compare_ranks, layers);
  for (guint i = 0; i < layer->len; i++)
    get_item (layers, get_guint (layer, i))->place = i;
}

static void
keep_places (const Layers *layers, guint *places)
{
  for (guint i = 0; i < layers->items->len; i++)
    places[i] = get_item (layers, i)->place;
}

static void
restore_places (Layers *layers, const guint *places)
{
  for (guint i = 0; i < layers->items->len; i++) {
    Item *item = get_item (layers, i);

    item->place = places[i];
    g_array_index ((GArray *)layers->layers->pdata[item->layer], guint, places[i]) = i;
  }
}

static void
order_layers (Layers *layers)
{
  g_autofree guint *best = g_new (guint, layers->items->len);
  guint64 fewest = count_crossings (layers);
  guint n = layers->layers->len;

  keep_places (layers, best);
  for (guint sweep = 0; sweep < N_ORDER_SWEEPS && fewest > 0; sweep++) {
    guint64 crossings;

    for (guint l = 1; l < n; l++)
      sort_layer (layers, sweep % 2 == 0 ? l : n - 1 - l, sweep % 2 == 0);
    crossings = count_crossings (layers);
    if (crossings >= fewest)
      continue;
    fewest = crossings;
    keep_places (layers, best);
  }
  restore_places (layers, best);
}

/* -- places -- */

/* Neighbours that want to stand further left than there is room share it. */
typedef struct {
  double wanted, weight; /* the mean place of its items, and how much it counts */
  guint n;
} Block;

static double
distance (const Layers *layers, const Item *left, const Item *right)
{
  return (left->width + right->width) / 2 + layers->layout->column_gap;
}

/* Boxes follow boxes, if they can; what passes goes around them. */
static gboolean
follows_boxes (const Layers *layers, const Item *item, const GArray *sides[2])
{
  for (guint side = 0; side < 2 && !item->is_pass; side++)
    for (guint j = 0; sides[side] != NULL && j < sides[side]->len; j++)
      if (!get_item (layers, get_guint (sides[side], j))->is_pass)
        return TRUE;
  return FALSE;
}

/* Where an item's neighbours want it. */
static Block
find_wanted (const Layers *layers, const Item *item, gboolean above, gboolean below)
{
  const GArray *sides[] = {above ? item->above : NULL, below ? item->below : NULL};
  const gboolean boxes_only = follows_boxes (layers, item, sides);
  Block wanted = {0, 0, 1};

  for (guint side = 0; side < 2; side++)
    for (guint j = 0; sides[side] != NULL && j < sides[side]->len; j++) {
      const Item *other = get_item (layers, get_guint (sides[side], j));
      double weight = edge_weights[item->is_pass + other->is_pass];

      if (boxes_only && other->is_pass)
        continue;
      wanted.wanted += weight * other->x;
      wanted.weight += weight;
    }
  if (wanted.weight > 0)
    wanted.wanted /= wanted.weight;
  else
    wanted = (Block) {item->x, 0.1, 1};
  return wanted;
}

/* The places closest to those wanted, in the layer's order and with room for all. What has a layer
 * for itself stays on the middle line, so that chains of blocks don't drift to one side. */
static void
place_layer (Layers *layers, guint l, gboolean above, gboolean below)
{
  const GArray *layer = layers->layers->pdata[l];
  g_autofree Block *blocks = g_new (Block, layer->len);
  double offset = 0;
  guint n = 0;

  if (layer->len == 1)
    return;
  for (guint i = 0; i < layer->len; i++) {
    const Item *item = get_item (layers, get_guint (layer, i));
    Block block = find_wanted (layers, item, above, below);

    if (i > 0)
      offset += distance (layers, get_item (layers, get_guint (layer, i - 1)), item);
    block.wanted -= offset;
    for (; n > 0 && blocks[n - 1].wanted > block.wanted; n--) {
      const Block *left = &blocks[n - 1];
      double weight = left->weight + block.weight;

      block.wanted = (left->weight * left->wanted + block.weight * block.wanted) / weight;
      block.weight = weight;
      block.n += left->n;
    }
    blocks[n++] = block;
  }
  offset = 0;
  for (guint b = 0, i = 0; b < n; b++)
    for (guint end = i + blocks[b].n; i < end; i++) {
      Item *item = get_item (layers, get_guint (layer, i));

      if (i > 0)
        offset += distance (layers, get_item (layers, get_guint (layer, i - 1)), item);
      item->x = blocks[b].wanted + offset;
    }
}

static void
place_items (Layers *layers)
{
  guint n = layers->layers->len;

  for (guint sweep = 0; sweep < N_PLACE_SWEEPS; sweep++)
    for (guint l = 0; l < n; l++)
      place_layer (layers, sweep % 2 == 0 ? l : n - 1 - l,
                   sweep % 2 == 0 || sweep + 2 >= N_PLACE_SWEEPS,
                   sweep % 2 == 1 || sweep + 2 >= N_PLACE_SWEEPS);
}

/* -- coordinates -- */

typedef struct {
  double top, bottom; /* of the highest box */
} Extent;

static void
move_to_zero (Layers *layers)
{
  double left = 0, right = 0;

  for (guint i = 0; i < layers->items->len; i++) {
    const Item *item = get_item (layers, i);

    left = i == 0 ? item->x - item->width / 2 : MIN (left, item->x - item->width / 2);
    right = i == 0 ? item->x + item->width / 2 : MAX (right, item->x + item->width / 2);
  }
  for (guint i = 0; i < layers->items->len; i++)
    get_item (layers, i)->x -= left;
  layers->layout->width = right - left;
}

static void
find_extents (Layers *layers, Extent *extents)
{
  Layout *layout = layers->layout;
  double y = 0;

  for (guint l = 0; l < layers->layers->len; l++) {
    const GArray *layer = layers->layers->pdata[l];
    double above = 0, height = 0, below = 0;

    for (guint i = 0; i < layer->len; i++) {
      const LayoutBox *box = &layout->boxes[get_guint (layer, i)];

      if (get_guint (layer, i) >= layout->n_boxes)
        continue;
      above = MAX (above, box->above);
      height = MAX (height, box->height);
      below = MAX (below, box->below);
    }
    extents[l] = (Extent) {y + above, y + above + height};
    layout->height = extents[l].bottom + below;
    y = layout->height + layout->layer_gap;
  }
}

static void
add_vertical (LayoutEdge *edge, double x, double top, double bottom)
{
  LayoutPoint points[] = {{x, top}, {x, bottom}};

  g_array_append_vals (edge->points, points, 2);
}

static void
draw_edge (const Layers *layers, guint e, const Extent *extents)
{
  LayoutEdge *edge = &layers->layout->edges[e];
  const LayoutBox *from = &layers->layout->boxes[edge->from];
  const LayoutBox *to = &layers->layout->boxes[edge->to];

  edge->points = g_array_new (FALSE, FALSE, sizeof (LayoutPoint));
  add_vertical (edge, from->x + from->width / 2, from->y + from->height,
                extents[get_item (layers, edge->from)->layer].bottom);
  for (guint i = layers->first_pass[e]; i < layers->first_pass[e + 1]; i++) {
    const Item *pass = get_item (layers, i);

    add_vertical (edge, pass->x, extents[pass->layer].top, extents[pass->layer].bottom);
  }
  add_vertical (edge, to->x + to->width / 2, extents[get_item (layers, edge->to)->layer].top,
                to->y);
}

static void
set_coordinates (Layers *layers)
{
  Layout *layout = layers->layout;
  g_autofree Extent *extents = g_new (Extent, layers->layers->len);

  move_to_zero (layers);
  find_extents (layers, extents);
  for (guint b = 0; b < layout->n_boxes; b++) {
    const Item *item = get_item (layers, b);
    const Extent *extent = &extents[item->layer];

    layout->boxes[b].x = item->x - item->width / 2;
    layout->boxes[b].y = (extent->top + extent->bottom - layout->boxes[b].height) / 2;
  }
  for (guint e = 0; e < layout->n_edges; e++)
    draw_edge (layers, e, extents);
}

/* -- all of it -- */

void
layout_run (Layout *layout)
{
  Layers layers = {layout, g_array_new (FALSE, FALSE, sizeof (Item)),
                   g_new (guint, layout->n_edges + 1),
                   g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref)};

  g_array_set_clear_func (layers.items, clear_item);
  build_layers (&layers);
  order_layers (&layers);
  place_items (&layers);
  set_coordinates (&layers);
  g_array_unref (layers.items);
  g_ptr_array_unref (layers.layers);
  g_free (layers.first_pass);
}

void
layout_clear (Layout *layout)
{
  for (guint e = 0; e < layout->n_edges; e++)
    g_clear_pointer (&layout->edges[e].points, g_array_unref);
}
