/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks as they are grouped and drawn. */
#include "drawing/network-drawing.h"

#include "check-main.h"
#include "drawing/network-groups.h"
#include "graph/infer.h"
#include "networks/contour.h"
#include "networks/residual.h"
#include "networks/style.h"
#include "ops/registry.h"
#include "random-graph.h"

/* -- groups -- */

static EnsValue *
conv (Builder *builder, EnsValue *x, gint64 filters, gint64 kernel, gint64 stride)
{
  return build_conv (builder, x, (ConvRow) {filters, kernel, stride, kernel / 2});
}

static EnsValue *
relu (Builder *builder, EnsValue *x)
{
  return build (builder, "Relu", NULL, x, NULL);
}

static EnsValue *
add (Builder *builder, EnsValue *a, EnsValue *b)
{
  return build (builder, "Add", NULL, a, b, NULL);
}

/* x + conv (relu (conv (x))) */
static EnsValue *
block (Builder *builder, EnsValue *x, gint64 kernel)
{
  EnsValue *y = conv (builder, relu (builder, conv (builder, x, 8, kernel, 1)), 8, kernel, 1);

  return relu (builder, add (builder, x, y));
}

static EnsValue *
build_chain (Builder *builder, EnsValue *x)
{
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};

  x = relu (builder, build_batch_norm (builder, conv (builder, x, 8, 3, 1)));
  pool.sliding.rank = 2;
  pool.sliding.kernel[0] = pool.sliding.kernel[1] = 2;
  pool.sliding.strides[0] = pool.sliding.strides[1] = 2;
  x = build (builder, "MaxPool", &pool, x, NULL);
  return build_gemm (builder, build_flatten (builder, x), 5);
}

static EnsValue *
build_blocks (Builder *builder, EnsValue *x)
{
  x = conv (builder, x, 8, 3, 1);
  for (guint i = 0; i < 3; i++)
    x = block (builder, x, 3);
  return block (builder, x, 5);
}

static EnsValue *
build_branches (Builder *builder, EnsValue *x)
{
  EnsValue *parts[2];

  x = conv (builder, x, 8, 1, 1);
  parts[0] = conv (builder, x, 4, 1, 1);
  parts[1] = conv (builder, x, 4, 3, 1);
  return build_concat (builder, 3, parts, 2);
}

/* x · sigmoid (x) reads one group twice. */
static EnsValue *
build_swish (Builder *builder, EnsValue *x)
{
  x = conv (builder, x, 8, 1, 1);
  return build (builder, "Mul", NULL, x, build (builder, "Sigmoid", NULL, x, NULL), NULL);
}

/* The first copy reads another place of its group than the others do. */
static EnsValue *
build_other_start (Builder *builder, EnsValue *x)
{
  x = relu (builder, build_batch_norm (builder, conv (builder, x, 8, 3, 1)));
  for (guint i = 0; i < 3; i++)
    x = block (builder, x, 3);
  return conv (builder, x, 5, 1, 1);
}

static const struct {
  const char *name;
  EnsValue *(*build) (Builder *builder, EnsValue *x);
  const char *groups; /* operators < groups that are read; repeats */
} group_rows[] = {
    {"chain", build_chain,
     "input; Conv BatchNormalization Relu < 0; MaxPool Transpose Flatten < 1; Gemm < 2"},
    {"blocks", build_blocks,
     "input; Conv < 0; Conv Relu < 1; Conv < 2; Add Relu < 1 3; Conv Relu < 4; Conv < 5; "
     "Add Relu < 4 6; Conv Relu < 7; Conv < 8; Add Relu < 7 9; Conv Relu < 10; Conv < 11; "
     "Add Relu < 10 12; 3 times 2-4"},
    {"branches", build_branches, "input; Conv < 0; Conv < 1; Conv < 1; Concat < 2 3"},
    {"swish", build_swish, "input; Conv Sigmoid Mul < 0"},
    {"other-start", build_other_start,
     "input; Conv BatchNormalization Relu < 0; Conv Relu < 1; Conv < 2; Add Relu < 1 3; "
     "Conv Relu < 4; Conv < 5; Add Relu < 4 6; Conv Relu < 7; Conv < 8; Add Relu < 7 9; "
     "Conv < 10; 3 times 2-4"},
};

static void
describe_group (GString *text, const NetworkGroups *groups, guint g)
{
  const NetworkGroup *group = &g_array_index (groups->groups, NetworkGroup, g);
  gboolean reads = FALSE;

  g_string_append (text, text->len > 0 ? "; " : "");
  if (group->value != NULL)
    g_string_append (text, "input");
  for (guint n = 0; n < group->nodes->len; n++)
    g_string_append_printf (text, "%s%s", n > 0 ? " " : "",
                            ((const EnsNode *)group->nodes->pdata[n])->op->name);
  for (guint e = 0; e < groups->edges->len; e++) {
    const NetworkEdge *edge = &g_array_index (groups->edges, NetworkEdge, e);

    if (edge->to != g)
      continue;
    g_string_append_printf (text, "%s %u", reads ? "" : " <", edge->from);
    reads = TRUE;
  }
}

static char *
describe (const NetworkGroups *groups)
{
  GString *text = g_string_new (NULL);

  for (guint g = 0; g < groups->groups->len; g++)
    describe_group (text, groups, g);
  for (guint r = 0; r < groups->repeats->len; r++) {
    const NetworkRepeat *repeat = &g_array_index (groups->repeats, NetworkRepeat, r);

    g_string_append_printf (text, "; %u times %u-%u", repeat->n_copies, repeat->first,
                            repeat->first + repeat->length - 1);
  }
  return g_string_free (text, FALSE);
}

START_TEST (test_groups)
{
  g_auto (Builder) builder = {0};
  g_autoptr (NetworkGroups) groups = NULL;
  g_autofree char *found = NULL;
  EnsValue *x;

  builder_init (&builder, 1);
  x = build_input (&builder, &ENS_SHAPE (1, 8, 8, 3));
  ens_graph_add_output (builder.graph, group_rows[_i].build (&builder, x));
  groups = network_groups_new (builder.graph);
  found = describe (groups);
  ck_assert_str_eq (found, group_rows[_i].groups);
}
END_TEST

START_TEST (test_cost)
{
  g_auto (Builder) builder = {0};
  g_autoptr (NetworkGroups) groups = NULL;
  const NetworkGroup *group;

  builder_init (&builder, 1);
  ens_graph_add_output (builder.graph,
                        build_chain (&builder, build_input (&builder, &ENS_SHAPE (2, 8, 8, 3))));
  groups = network_groups_new (builder.graph);
  group = &g_array_index (groups->groups, NetworkGroup, 1);
  ck_assert_double_eq (group->multiply_adds, 2 * 8 * 8 * 8 * 27);
  ck_assert_int_eq (group->parameters, 8 * 27 + 8 + 4 * 8);
  ck_assert_str_eq (group->main->op->name, "Conv");
  group = &g_array_index (groups->groups, NetworkGroup, 3);
  ck_assert_double_eq (group->multiply_adds, 2 * 128 * 5);
  ck_assert (group->is_last);
  ck_assert_double_eq (groups->multiply_adds, 2 * 8 * 8 * 8 * 27 + 2 * 128 * 5);
}
END_TEST

/* -- pictures -- */

static EnsGraph *
make_contour (guint variant)
{
  EnsContourParams params = ENS_CONTOUR_DEFAULT;
  g_autoptr (GError) error = NULL;
  EnsGraph *graph;

  params.module = (EnsContourModule)variant;
  params.unify[1] = (EnsContourUnify)variant;
  graph = ens_contour_new (&params, &error);
  ck_assert_no_error (error);
  return graph;
}

static EnsGraph *
make_residual (guint variant)
{
  static const char *const names[] = {"small", "50"};
  EnsResidualParams params;
  g_autoptr (GError) error = NULL;
  EnsGraph *graph;

  ens_residual_find (names[variant], &params, &error);
  ck_assert_no_error (error);
  params.n_classes = 10;
  graph = ens_residual_build (&params, &error);
  ck_assert_no_error (error);
  return graph;
}

static EnsGraph *
make_generator (guint variant)
{
  return ens_style_generator_new (&(EnsStyleParams) {.position = variant == 1});
}

static EnsGraph *
make_discriminator (guint variant)
{
  return ens_style_discriminator_new (6, 0);
}

static EnsGraph *
make_style_features (guint variant)
{
  return ens_style_features_new (4);
}

static EnsGraph *
make_random (guint variant)
{
  g_auto (Builder) builder = {0};

  builder_init (&builder, variant);
  build_random_graph (&builder);
  return ens_graph_copy (builder.graph);
}

static const struct {
  const char *name;
  EnsGraph *(*make) (guint variant);
  guint variant;
  guint n_boxes, n_frames; /* 0: any */
} drawing_rows[] = {
    {"contour-resnet", make_contour, ENS_CONTOUR_RESNET, 33, 0},
    {"contour-densenet", make_contour, ENS_CONTOUR_DENSENET},
    {"contour-senet", make_contour, ENS_CONTOUR_SENET},
    {"residual-small", make_residual, 0},
    {"residual-50", make_residual, 1, 53, 3},
    {"generator", make_generator, 0, 29, 0},
    {"generator-position", make_generator, 1},
    {"discriminator", make_discriminator, 0, 5, 0},
    {"style-features", make_style_features, 0},
    {"random-1", make_random, 1},
    {"random-2", make_random, 2},
    {"random-3", make_random, 3},
    {"random-4", make_random, 4},
    {"random-5", make_random, 5},
    {"random-6", make_random, 6},
};

/* With shapes. */
static void
infer (EnsGraph *graph)
{
  g_autofree EnsShape *shapes = g_new (EnsShape, graph->inputs->len);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < graph->inputs->len; i++) {
    shapes[i] = ((const EnsValue *)graph->inputs->pdata[i])->shape;
    for (guint d = 0; d < shapes[i].rank; d++)
      if (shapes[i].dims[d] < 0)
        shapes[i].dims[d] = d == 0 ? 1 : 64;
  }
  ens_infer_graph (graph, shapes, &error);
  ck_assert_no_error (error);
  ens_graph_remove_unused (graph);
}

/* What is in a picture. */
typedef struct {
  guint n_groups, n_frames, n_taps, depth;
  GString *text; /* all of it */
} Found;

static void
on_start (GMarkupParseContext *context, const char *element, const char **names,
          const char **values, gpointer data, GError **error)
{
  Found *found = data;

  found->depth++;
  found->n_groups += strcmp (element, "g") == 0;
  ck_assert_msg (strcmp (element, "script") != 0, "an element of a name");
  for (guint i = 0; names[i] != NULL; i++) {
    found->n_frames += strcmp (names[i], "class") == 0 && strcmp (values[i], "frame") == 0;
    found->n_taps += strcmp (names[i], "class") == 0 && strcmp (values[i], "tap") == 0;
    ck_assert_ptr_null (strstr (values[i], "nan"));
    ck_assert_ptr_null (strstr (values[i], "inf"));
  }
}

static void
on_text (GMarkupParseContext *context, const char *text, gsize length, gpointer data,
         GError **error)
{
  g_string_append_len (((Found *)data)->text, text, (gssize)length);
}

static void
parse (const char *svg, Found *found)
{
  const GMarkupParser parser = {.start_element = on_start, .text = on_text};
  g_autoptr (GError) error = NULL;
  GMarkupParseContext *context = g_markup_parse_context_new (&parser, 0, found, NULL);

  *found = (Found) {.text = g_string_new (NULL)};
  ck_assert (g_markup_parse_context_parse (context, svg, -1, &error));
  ck_assert (g_markup_parse_context_end_parse (context, &error));
  ck_assert_no_error (error);
  g_markup_parse_context_free (context);
}

START_TEST (test_drawing)
{
  g_autoptr (EnsGraph) graph = drawing_rows[_i].make (drawing_rows[_i].variant);
  g_autoptr (EnsGraph) copy = NULL;
  g_autofree char *svg = NULL, *again = NULL;
  Found found;

  infer (graph);
  copy = ens_graph_copy (graph);
  svg = network_draw (&(NetworkDrawing) {graph, "a network", NULL});
  again = network_draw (&(NetworkDrawing) {copy, "a network", NULL});
  ck_assert_str_eq (svg, again);
  parse (svg, &found);
  test_message ("%u boxes, %u frames", found.n_groups - 1, found.n_frames);
  if (drawing_rows[_i].n_boxes > 0)
    ck_assert_uint_eq (found.n_groups - 1, drawing_rows[_i].n_boxes);
  if (drawing_rows[_i].n_boxes > 0 || drawing_rows[_i].n_frames > 0)
    ck_assert_uint_eq (found.n_frames, drawing_rows[_i].n_frames);
  ck_assert_uint_eq (found.n_taps, 1); /* that of the legend */
  g_string_free (found.text, TRUE);
}
END_TEST

START_TEST (test_names)
{
  static const char bad[] = "</title><script>&\"'\x01\xff\n";
  g_auto (Builder) builder = {0};
  g_autofree char *svg = NULL;
  Found found;

  builder_init (&builder, 1);
  ens_graph_add_output (builder.graph,
                        build_blocks (&builder, build_input (&builder, &ENS_SHAPE (1, 8, 8, 3))));
  for (guint i = 0; i < builder.graph->values->len; i++)
    ens_graph_rename (builder.graph, builder.graph->values->pdata[i], bad);
  for (guint i = 0; i < builder.graph->nodes->len; i++)
    ens_graph_rename_node (builder.graph, builder.graph->nodes->pdata[i], bad);
  svg = network_draw (&(NetworkDrawing) {builder.graph, bad, NULL});
  ck_assert (g_utf8_validate (svg, -1, NULL));
  parse (svg, &found);
  ck_assert_ptr_nonnull (strstr (found.text->str, "<script>&\"'\xef\xbf\xbd"));
  g_string_free (found.text, TRUE);
}
END_TEST

/* The layer that can be tapped is marked, and of a repeat the others are named. */
START_TEST (test_taps)
{
  g_auto (Builder) builder = {0};
  g_autofree char *svg = NULL;
  const char *const taps[] = {"first", "second", NULL};
  Found found;

  builder_init (&builder, 1);
  ens_graph_add_output (builder.graph,
                        build_blocks (&builder, build_input (&builder, &ENS_SHAPE (1, 8, 8, 3))));
  for (guint i = 0, n = 0; i < builder.graph->nodes->len && n < 2; i++) {
    const EnsNode *node = builder.graph->nodes->pdata[i];

    if (strcmp (node->op->name, "Add") == 0)
      ens_graph_rename (builder.graph, node->outputs[0], taps[n++]);
  }
  svg = network_draw (&(NetworkDrawing) {builder.graph, "taps", taps});
  parse (svg, &found);
  ck_assert_uint_eq (found.n_taps, 2);
  ck_assert_ptr_nonnull (strstr (found.text->str, "first"));
  ck_assert_ptr_nonnull (strstr (found.text->str, "the same: second, "));
  g_string_free (found.text, TRUE);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("network-drawing");
  TEST_ADD_ROWS ("groups", test_groups, group_rows);
  test_add ("cost", test_cost);
  TEST_ADD_ROWS (NULL, test_drawing, drawing_rows);
  test_add ("names", test_names);
  test_add ("taps", test_taps);
  return test_run ();
}
