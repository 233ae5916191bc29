/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network-drawing.h"

#include "../report/html.h"
#include "drawing-resources.h"
#include "graph/op.h"
#include "network-boxes.h"
#include "network-text.h"

#define STYLE "/gst-ensemble/drawing/network.css"

#define MARGIN 24.0
#define HEAD_HEIGHT 104.0
#define HEAD_WIDTH 760.0
#define BOX_WIDTH 232.0
#define LINE_HEIGHT 15.0
#define BAR_HEIGHT 4.0
/* Of a frame, around the boxes in it. */
#define FRAME_GAP 14.0
#define FRAME_LABEL 32.0

/* Characters that fit into a box. */
#define MAX_TITLE 28
#define MAX_TEXT 31

/* Nodes that a box's hover text lists. */
#define MAX_HOVER 24

typedef struct {
  const NetworkDrawing *drawing;
  NetworkGroups *groups;
  NetworkBoxes boxes;
  GHashTable *taps; /* names */
  Layout layout;
  GString *svg;
} Picture;

/* -- text -- */

/* The last of a group's values that can be tapped; NULL: none can. */
static const char *
find_tap (const Picture *picture, const NetworkGroup *group)
{
  for (guint i = group->nodes->len; i-- > 0;) {
    const char *name = ((const EnsNode *)group->nodes->pdata[i])->outputs[0]->name;

    if (g_hash_table_contains (picture->taps, name))
      return name;
  }
  return NULL;
}

static double
get_share (const Picture *picture, double multiply_adds)
{
  return multiply_adds / MAX (picture->groups->multiply_adds, 1);
}

/* Such as "118 M · 2.9 % · 9.41 k parameters"; NULL: it costs nothing. (transfer full) */
static char *
describe_cost (const Picture *picture, double multiply_adds, gint64 parameters)
{
  g_autofree char *count = network_format_count (multiply_adds);
  g_autofree char *numbers = network_format_count ((double)parameters);
  GString *text = g_string_new (NULL);

  if (multiply_adds > 0)
    g_string_append_printf (text, "%s · %.1f %%", count, 100 * get_share (picture, multiply_adds));
  if (parameters > 0)
    g_string_append_printf (text, "%s%s parameters", text->len > 0 ? " · " : "", numbers);
  if (text->len > 0)
    return g_string_free (text, FALSE);
  g_string_free (text, TRUE);
  return NULL;
}

/* What a box says, from top to bottom. Owned texts; NULL: there is none. */
typedef struct {
  char *title, *more, *name, *shape, *cost;
  gboolean tapped;
} BoxText;

static void
box_text_clear (BoxText *text)
{
  g_free (text->title);
  g_free (text->more);
  g_free (text->name);
  g_free (text->shape);
  g_free (text->cost);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoxText, box_text_clear)

static void
set_group_text (const Picture *picture, const NetworkGroup *group, BoxText *text)
{
  const EnsNode *last = group->nodes->pdata[group->nodes->len - 1];
  g_autofree char *title = network_describe_node (group->main);
  g_autofree char *more = network_describe_rest (group);
  const char *tap = find_tap (picture, group);

  text->title = network_shorten (title, MAX_TITLE);
  text->more = more != NULL ? network_shorten (more, MAX_TEXT) : NULL;
  text->name = network_shorten (tap != NULL ? tap : group->main->name, MAX_TEXT - 2);
  text->tapped = tap != NULL;
  text->shape = network_describe_shape (&last->outputs[0]->shape);
  text->cost = describe_cost (picture, group->multiply_adds, group->parameters);
}

static void
set_text (const Picture *picture, const NetworkBox *box, BoxText *text)
{
  const EnsValue *value = box->group != NULL ? box->group->value : box->output;

  if (value == NULL) {
    set_group_text (picture, box->group, text);
    return;
  }
  text->title = g_strdup (box->group != NULL ? "Input" : "Output");
  text->name = network_shorten (value->name, MAX_TEXT);
  text->shape = network_describe_shape (&value->shape);
}

static guint
count_lines (const BoxText *text)
{
  return 3 + (text->more != NULL) + (text->cost != NULL);
}

/* -- where it stands -- */

/* Frames need room above their first boxes and below their last ones. */
static void
make_room (Picture *picture)
{
  for (guint b = 0; b < picture->boxes.boxes->len; b++)
    if (network_boxes_get (&picture->boxes, b)->repeat != NULL) {
      picture->layout.boxes[b].above = FRAME_LABEL + FRAME_GAP;
      picture->layout.boxes[b].below = FRAME_GAP;
    }
  for (guint e = 0; e < picture->layout.n_edges; e++) {
    const LayoutEdge *edge = &picture->layout.edges[e];
    const NetworkRepeat *repeat = network_boxes_get (&picture->boxes, edge->from)->repeat;

    if (repeat == NULL || network_boxes_get (&picture->boxes, edge->to)->repeat != repeat)
      continue;
    picture->layout.boxes[edge->from].below = 0;
    picture->layout.boxes[edge->to].above = 0;
  }
}

static void
place (Picture *picture)
{
  Layout *layout = &picture->layout;

  layout->n_boxes = picture->boxes.boxes->len;
  layout->edges = picture->boxes.edges;
  layout->n_edges = picture->boxes.n_edges;
  layout->boxes = g_new0 (LayoutBox, layout->n_boxes);
  layout->column_gap = 18;
  layout->layer_gap = 30;
  for (guint b = 0; b < layout->n_boxes; b++) {
    g_auto (BoxText) text = {0};

    set_text (picture, network_boxes_get (&picture->boxes, b), &text);
    layout->boxes[b].width = BOX_WIDTH;
    layout->boxes[b].height =
        10 + LINE_HEIGHT * count_lines (&text) + (text.cost != NULL ? BAR_HEIGHT + 4 : 0);
  }
  make_room (picture);
  layout_run (layout);
}

/* -- drawing -- */

static void
add_text (const Picture *picture, const char *style, double x, double y, const char *text)
{
  html_add (picture->svg, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>", style, x, y, text);
}

static void
add_rect (const Picture *picture, const char *style, double x, double y, double width,
          double height, double radius)
{
  html_add (picture->svg,
            "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "rx=\"%.1f\"/>",
            style, x, y, width, height, radius);
}

static void
add_diamond (const Picture *picture, double x, double y)
{
  html_add (picture->svg, "<path class=\"tap\" d=\"M%.1f %.1fl4 4l-4 4l-4 -4z\"/>", x, y - 4);
}

static void
add_node_hover (const Picture *picture, const EnsNode *node)
{
  g_autofree char *name = html_clean (node->name);
  g_autofree char *attributes = ens_node_attributes_to_string (node);
  g_autofree char *clean = html_clean (attributes);
  g_autofree char *shape = ens_shape_to_string (&node->outputs[0]->shape);

  html_add (picture->svg, "%s: %s%s%s, %s\n", name, node->op->name, *clean != '\0' ? " " : "",
            clean, shape);
}

/* Names of the same group in other copies. */
static void
add_copies_hover (const Picture *picture, const NetworkBox *box)
{
  guint n = MIN (box->repeat->n_copies, MAX_HOVER);

  for (guint i = 1; i < n; i++) {
    const NetworkGroup *copy =
        &g_array_index (picture->groups->groups, NetworkGroup, box->g + i * box->repeat->length);
    const char *tap = find_tap (picture, copy);
    g_autofree char *name = html_clean (tap != NULL ? tap : copy->main->name);

    html_add (picture->svg, "%s%s", i == 1 ? "the same: " : ", ", name);
  }
}

static void
add_hover (const Picture *picture, const NetworkBox *box)
{
  const GPtrArray *nodes = box->group->nodes;

  g_string_append (picture->svg, "<title>");
  for (guint i = 0; i < MIN (nodes->len, MAX_HOVER); i++)
    add_node_hover (picture, nodes->pdata[i]);
  if (nodes->len > MAX_HOVER)
    html_add (picture->svg, "and %u more\n", nodes->len - MAX_HOVER);
  if (box->repeat != NULL)
    add_copies_hover (picture, box);
  g_string_append (picture->svg, "</title>");
}

static void
add_bar (const Picture *picture, const LayoutBox *place, double x, double y, double share)
{
  double width = place->width - 2 * x, length = width * share;

  add_rect (picture, "room", place->x + x, y, width, BAR_HEIGHT, 2);
  if (length >= 0.5)
    add_rect (picture, "share", place->x + x, y, length, BAR_HEIGHT, MIN (length / 2, 2));
}

static void
draw_text (const Picture *picture, const LayoutBox *place, const BoxText *text,
           double multiply_adds)
{
  const double x = place->x + 14;
  double y = place->y + 17;

  add_text (picture, "title", x, y, text->title);
  if (text->more != NULL)
    add_text (picture, "more", x, y += LINE_HEIGHT, text->more);
  y += LINE_HEIGHT;
  if (text->tapped)
    add_diamond (picture, x + 4, y - 4);
  add_text (picture, "name", text->tapped ? x + 12 : x, y, text->name);
  add_text (picture, "shape", x, y += LINE_HEIGHT, text->shape);
  if (text->cost == NULL)
    return;
  add_text (picture, "cost", x, y += LINE_HEIGHT, text->cost);
  add_bar (picture, place, 14, y + 5, get_share (picture, multiply_adds));
}

static void
draw_box (const Picture *picture, guint b)
{
  const NetworkBox *box = network_boxes_get (&picture->boxes, b);
  const LayoutBox *place = &picture->layout.boxes[b];
  g_auto (BoxText) text = {0};

  set_text (picture, box, &text);
  g_string_append (picture->svg, "<g>");
  if (box->group != NULL && box->group->value == NULL)
    add_hover (picture, box);
  add_rect (picture, "box", place->x, place->y, place->width, place->height, 6);
  add_rect (picture, box->family, place->x, place->y + 6, 4, place->height - 12, 2);
  draw_text (picture, place, &text, box->group != NULL ? box->group->multiply_adds : 0);
  g_string_append (picture->svg, "</g>\n");
}

static void
draw_edge (const Picture *picture, const LayoutEdge *edge)
{
  const GArray *points = edge->points;
  const LayoutPoint *end = &g_array_index (points, LayoutPoint, points->len - 1);

  g_string_append (picture->svg, "<path class=\"edge\" d=\"");
  for (guint i = 0; i < points->len; i++) {
    const LayoutPoint *point = &g_array_index (points, LayoutPoint, i);

    if (i == 0 || i % 2 == 1) {
      html_add (picture->svg, "%c%.1f %.1f", i == 0 ? 'M' : 'L', point->x, point->y);
    } else {
      const LayoutPoint *last = point - 1;
      double middle = (last->y + point->y) / 2;

      html_add (picture->svg, "C%.1f %.1f %.1f %.1f %.1f %.1f", last->x, middle, point->x, middle,
                point->x, point->y);
    }
  }
  html_add (picture->svg, "\"/><path class=\"arrow\" d=\"M%.1f %.1fl-4 -7h8z\"/>\n", end->x,
            end->y);
}

/* The extent of a frame's boxes, and of edges that pass beside them. */
typedef struct {
  double left, top, right, bottom;
} Extent;

static Extent
find_extent (const Picture *picture, const NetworkRepeat *repeat)
{
  const Layout *layout = &picture->layout;
  Extent extent = {G_MAXDOUBLE, G_MAXDOUBLE, 0, 0};

  for (guint b = 0; b < layout->n_boxes; b++) {
    const LayoutBox *box = &layout->boxes[b];

    if (network_boxes_get (&picture->boxes, b)->repeat != repeat)
      continue;
    extent.left = MIN (extent.left, box->x);
    extent.top = MIN (extent.top, box->y);
    extent.right = MAX (extent.right, box->x + box->width);
    extent.bottom = MAX (extent.bottom, box->y + box->height);
  }
  for (guint e = 0; e < layout->n_edges; e++)
    for (guint i = 0; i < layout->edges[e].points->len; i++) {
      const LayoutPoint *point = &g_array_index (layout->edges[e].points, LayoutPoint, i);

      if (point->y < extent.top || point->y > extent.bottom)
        continue;
      extent.left = MIN (extent.left, point->x);
      extent.right = MAX (extent.right, point->x);
    }
  return extent;
}

static void
draw_frame (const Picture *picture, const NetworkRepeat *repeat)
{
  const Extent extent = find_extent (picture, repeat);
  const double left = extent.left - FRAME_GAP, top = extent.top - FRAME_LABEL;

  add_rect (picture, "frame", left, top, extent.right + FRAME_GAP - left,
            extent.bottom + FRAME_GAP - top, 10);
}

/* Over the edges. */
static void
draw_frame_label (const Picture *picture, const NetworkRepeat *repeat)
{
  const Extent extent = find_extent (picture, repeat);
  g_autofree char *label = NULL;
  g_autofree char *cost = NULL;
  double multiply_adds = 0;
  gint64 parameters = 0;

  for (guint i = 0; i < repeat->length * repeat->n_copies; i++) {
    const NetworkGroup *group =
        &g_array_index (picture->groups->groups, NetworkGroup, repeat->first + i);

    multiply_adds += group->multiply_adds;
    parameters += group->parameters;
  }
  cost = describe_cost (picture, multiply_adds, parameters);
  label = g_strdup_printf ("× %u%s%s", repeat->n_copies, cost != NULL ? " = " : "",
                           cost != NULL ? cost : "");
  add_text (picture, "times", extent.left, extent.top - FRAME_LABEL + 16, label);
}

/* -- the head -- */

static void
draw_legend (const Picture *picture, double y)
{
  static const struct {
    const char *style, *text;
    double x;
  } keys[] = {{"weights", "with weights", 0},
              {"product", "product", 100},
              {"pool", "pooling", 172},
              {"join", "joins branches", 242},
              {"light", "other", 344},
              {"tap", "can be tapped (taps=NAME)", 400},
              {"share", "share of the cost", 592}};

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    const double x = MARGIN + keys[i].x;

    if (g_str_equal (keys[i].style, "tap"))
      add_diamond (picture, x + 4, y - 4);
    else if (g_str_equal (keys[i].style, "share"))
      add_rect (picture, keys[i].style, x - 8, y - 6, 16, BAR_HEIGHT, 2);
    else
      add_rect (picture, keys[i].style, x, y - 9, 4, 10, 2);
    add_text (picture, "note", x + 12, y, keys[i].text);
  }
}

static void
draw_head (const Picture *picture)
{
  g_autofree char *title = network_shorten (picture->drawing->title, 70);
  g_autofree char *multiply_adds = network_format_count (picture->groups->multiply_adds);
  g_autofree char *parameters = network_format_count (picture->groups->parameters);
  g_autofree char *sum =
      g_strdup_printf ("%s multiply-adds, %s parameters, %u operators", multiply_adds, parameters,
                       picture->drawing->graph->nodes->len);

  add_text (picture, "head", MARGIN, MARGIN + 16, title);
  add_text (picture, "total", MARGIN, MARGIN + 38, sum);
  draw_legend (picture, MARGIN + 62);
}

static void
open_svg (const Picture *picture, double width, double height)
{
  g_autoptr (GBytes) style =
      g_resource_lookup_data (drawing_get_resource (), STYLE, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_autofree char *title = html_clean (picture->drawing->title);
  gsize size;
  const char *text = g_bytes_get_data (style, &size);

  html_add (picture->svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\">\n<title>%s</title>\n<style>\n",
            width, height, width, height, title);
  g_string_append_len (picture->svg, text, (gssize)size);
  g_string_append (picture->svg, "</style>\n");
  add_rect (picture, "page", 0, 0, width, height, 0);
}

static void
draw (Picture *picture)
{
  const Layout *layout = &picture->layout;
  const double room = layout->width + 2 * (MARGIN + FRAME_GAP);
  const double width = MAX (room, HEAD_WIDTH);
  const GArray *repeats = picture->groups->repeats;

  open_svg (picture, width, layout->height + HEAD_HEIGHT + MARGIN);
  draw_head (picture);
  html_add (picture->svg, "\n<g transform=\"translate(%.1f %.1f)\">\n", (width - layout->width) / 2,
            HEAD_HEIGHT);
  for (guint r = 0; r < repeats->len; r++)
    draw_frame (picture, &g_array_index (repeats, NetworkRepeat, r));
  for (guint e = 0; e < layout->n_edges; e++)
    draw_edge (picture, &layout->edges[e]);
  for (guint r = 0; r < repeats->len; r++)
    draw_frame_label (picture, &g_array_index (repeats, NetworkRepeat, r));
  for (guint b = 0; b < layout->n_boxes; b++)
    draw_box (picture, b);
  g_string_append (picture->svg, "</g>\n</svg>\n");
}

char *
network_draw (const NetworkDrawing *drawing)
{
  g_autoptr (NetworkGroups) groups = network_groups_new (drawing->graph);
  g_autoptr (GHashTable) taps = g_hash_table_new (g_str_hash, g_str_equal);
  Picture picture = {
      .drawing = drawing, .groups = groups, .taps = taps, .svg = g_string_new (NULL)};

  for (guint i = 0; drawing->taps != NULL && drawing->taps[i] != NULL; i++)
    g_hash_table_add (taps, (gpointer)drawing->taps[i]);
  network_boxes_init (&picture.boxes, drawing->graph, groups);
  place (&picture);
  draw (&picture);
  layout_clear (&picture.layout);
  g_free (picture.layout.boxes);
  network_boxes_clear (&picture.boxes);
  return g_string_free (picture.svg, FALSE);
}
