/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes and edges as they are placed. */
#include "drawing/layered-layout.h"

#include <stdio.h>
#include <stdlib.h>

#include "check-main.h"

enum { MAX_EDGES = 64, MAX_BOXES = 40, WIDTH = 40, HEIGHT = 20, GAP = 10 };

typedef struct {
  const char *name;
  const char *edges;  /* "from-to" */
  const char *layers; /* of boxes */
  guint crossings;    /* of edges, as few as there can be */
} Row;

static const Row rows[] = {
    {"single", "", "0", 0},
    {"chain", "0-1 1-2 2-3", "0 1 2 3", 0},
    {"residual", "0-1 1-2 0-3 2-3", "0 1 2 3", 0},
    {"branches", "0-1 0-2 0-3 2-4 1-5 3-5 4-5", "0 1 1 1 2 3", 0},
    /* Sources stand right above what reads them. */
    {"late-source", "0-1 1-2 2-4 3-4", "0 1 2 2 3", 0},
    /* In the order given the edges would cross. */
    {"crossed", "0-3 1-2 2-5 3-4", "0 0 1 1 2 2", 0},
    {"crossed-twice", "0-5 1-4 2-3 3-8 4-7 5-6", "0 0 0 1 1 1 2 2 2", 0},
    {"complete", "0-2 1-2 0-3 1-3", "0 0 1 1", 1},
    {"nested", "0-1 1-2 2-3 1-3 3-4 0-4 0-5 4-5", "0 1 2 3 4 5", 0},
    {"islands", "0-1 2-3", "0 1 0 1", 0},
};

typedef struct {
  Layout layout;
  LayoutBox boxes[MAX_BOXES];
  LayoutEdge edges[MAX_EDGES];
} Fixture;

static void
read_row (const Row *row, Fixture *fixture)
{
  g_auto (GStrv) edges = g_strsplit (row->edges, " ", -1);
  g_auto (GStrv) layers = g_strsplit (row->layers, " ", -1);

  *fixture = (Fixture) {
      .layout = {.n_boxes = g_strv_length (layers), .column_gap = GAP, .layer_gap = GAP}};
  for (guint e = 0; edges[e] != NULL && *edges[e] != '\0'; e++) {
    LayoutEdge *edge = &fixture->edges[fixture->layout.n_edges++];

    ck_assert_int_eq (sscanf (edges[e], "%u-%u", &edge->from, &edge->to), 2);
  }
  for (guint b = 0; b < fixture->layout.n_boxes; b++)
    fixture->boxes[b] = (LayoutBox) {.width = WIDTH, .height = HEIGHT, .above = b == 1 ? 7 : 0};
  fixture->layout.boxes = fixture->boxes;
  fixture->layout.edges = fixture->edges;
  /* As the layout asks for them. */
  for (guint i = 1; i < fixture->layout.n_edges; i++)
    for (guint j = i; j > 0 && fixture->edges[j].to < fixture->edges[j - 1].to; j--) {
      LayoutEdge edge = fixture->edges[j];

      fixture->edges[j] = fixture->edges[j - 1];
      fixture->edges[j - 1] = edge;
    }
}

static gboolean
overlap (const LayoutBox *a, const LayoutBox *b)
{
  return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height
         && b->y < a->y + a->height;
}

static LayoutPoint
get_point (const LayoutEdge *edge, guint i)
{
  return g_array_index (edge->points, LayoutPoint, i);
}

static void
check_edge (const Layout *layout, const LayoutEdge *edge)
{
  const LayoutBox *from = &layout->boxes[edge->from], *to = &layout->boxes[edge->to];
  guint n = edge->points->len;

  ck_assert_uint_ge (n, 4);
  ck_assert_double_eq_tol (get_point (edge, 0).y, from->y + from->height, 1e-9);
  ck_assert_double_eq_tol (get_point (edge, n - 1).y, to->y, 1e-9);
  for (guint i = 1; i < n; i++) {
    LayoutPoint last = get_point (edge, i - 1), point = get_point (edge, i);

    ck_assert_double_ge (point.y, last.y);
    if (i % 2 == 1)
      ck_assert_double_eq (point.x, last.x);
    for (guint b = 0; b < layout->n_boxes; b++) {
      const LayoutBox *box = &layout->boxes[b];

      ck_assert_msg (b == edge->from || b == edge->to || i % 2 == 0 || point.x < box->x
                         || point.x > box->x + box->width || point.y <= box->y
                         || last.y >= box->y + box->height,
                     "edge %u-%u runs through box %u", edge->from, edge->to, b);
    }
  }
}

/* Between the layers; edges from one box or to one box don't cross there. */
static guint
count_crossings (const Layout *layout)
{
  guint n = 0;

  for (guint a = 0; a < layout->n_edges; a++)
    for (guint b = 0; b < a; b++)
      for (guint i = 1; i + 1 < layout->edges[a].points->len; i += 2)
        for (guint j = 1; j + 1 < layout->edges[b].points->len; j += 2) {
          LayoutPoint a0 = get_point (&layout->edges[a], i),
                      a1 = get_point (&layout->edges[a], i + 1);
          LayoutPoint b0 = get_point (&layout->edges[b], j),
                      b1 = get_point (&layout->edges[b], j + 1);

          n += a0.y == b0.y && (a0.x - b0.x) * (a1.x - b1.x) < 0;
        }
  return n;
}

START_TEST (test_rows)
{
  const Row *row = &rows[_i];
  g_auto (GStrv) layers = g_strsplit (row->layers, " ", -1);
  Fixture fixture;
  Layout *layout = &fixture.layout;

  read_row (row, &fixture);
  layout_run (layout);
  for (guint b = 0; b < layout->n_boxes; b++) {
    const LayoutBox *box = &layout->boxes[b];

    ck_assert_double_ge (box->x, 0);
    ck_assert_double_le (box->x + box->width, layout->width + 1e-9);
    ck_assert_double_ge (box->y, box->above);
    ck_assert_double_le (box->y + box->height, layout->height + 1e-9);
    for (guint other = 0; other < b; other++) {
      ck_assert_msg (!overlap (box, &layout->boxes[other]), "%u lies on %u", b, other);
      if (strcmp (layers[b], layers[other]) == 0)
        ck_assert_double_eq (box->y, layout->boxes[other].y);
      else
        ck_assert_int_eq (box->y < layout->boxes[other].y, atoi (layers[b]) < atoi (layers[other]));
    }
  }
  for (guint e = 0; e < layout->n_edges; e++)
    check_edge (layout, &layout->edges[e]);
  ck_assert_uint_eq (count_crossings (layout), row->crossings);
  layout_clear (layout);
}
END_TEST

/* Blocks with a shortcut stand below each other, however many there are. */
START_TEST (test_chain_stays_straight)
{
  Fixture fixture = {.layout = {.n_boxes = 31, .n_edges = 40, .column_gap = GAP, .layer_gap = GAP}};
  Layout *layout = &fixture.layout;
  guint n = 0;

  layout->boxes = fixture.boxes;
  layout->edges = fixture.edges;
  for (guint b = 0; b < layout->n_boxes; b++) {
    layout->boxes[b] = (LayoutBox) {.width = WIDTH, .height = HEIGHT};
    if (b > 0)
      layout->edges[n++] = (LayoutEdge) {b - 1, b, NULL};
    if (b > 0 && b % 3 == 0)
      layout->edges[n++] = (LayoutEdge) {b - 3, b, NULL};
  }
  ck_assert_uint_eq (n, layout->n_edges);
  layout_run (layout);
  for (guint b = 3; b < layout->n_boxes; b += 3)
    ck_assert_double_eq_tol (layout->boxes[b].x, layout->boxes[0].x, 1e-9);
  ck_assert_double_le (layout->width, 2 * WIDTH);
  layout_clear (layout);
}
END_TEST

/* Many long edges go straight, in reasonable time. */
START_TEST (test_many_passes)
{
  enum { N = 3000 };
  Layout layout = {.n_boxes = N, .column_gap = GAP, .layer_gap = GAP};

  layout.boxes = g_new0 (LayoutBox, N);
  layout.edges = g_new0 (LayoutEdge, 2 * N);
  for (guint b = 1; b < N; b++) {
    layout.edges[layout.n_edges++] = (LayoutEdge) {b - 1, b, NULL};
    if (b > 1)
      layout.edges[layout.n_edges++] = (LayoutEdge) {0, b, NULL};
  }
  layout_run (&layout);
  for (guint e = 0; e < layout.n_edges; e++)
    ck_assert_uint_ge (layout.edges[e].points->len, 4);
  layout_clear (&layout);
  g_free (layout.boxes);
  g_free (layout.edges);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("layered-layout");
  TEST_ADD_ROWS (NULL, test_rows, rows);
  test_add ("chain-stays-straight", test_chain_stays_straight);
  test_add ("many-passes", test_many_passes);
  return test_run ();
}
