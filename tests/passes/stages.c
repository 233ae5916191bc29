/* Cutting graphs into stages, and which nodes may be run on parts of a batch. */
#include "build.h"

#include "graph/infer.h"
#include "passes/per-image.h"
#include "passes/rewrite.h"
#include "passes/stages.h"

#define BATCH 6

/* An operator on (BATCH, 6, 6, 6), dimensions that a careless check takes for the batch. */
typedef struct {
  const char *name;
  EnsValue *(*build) (Builder *builder, EnsValue *x);
  gboolean per_image;
} Row;

static EnsValue *
build_relu (Builder *b, EnsValue *x)
{
  return build (b, "Relu", NULL, x, NULL);
}

static EnsValue *
build_softmax_batch (Builder *b, EnsValue *x)
{
  return build (b, "Softmax", &(EnsSoftmaxParams) {.axis = 0}, x, NULL);
}

static EnsValue *
build_softmax_channels (Builder *b, EnsValue *x)
{
  return build (b, "Softmax", &(EnsSoftmaxParams) {.axis = -1}, x, NULL);
}

static EnsValue *
build_bias (Builder *b, EnsValue *x)
{
  return build (b, "Add", NULL, x, build_constant (b, &ENS_SHAPE (6, 6, 6)), NULL);
}

static EnsValue *
build_image_bias (Builder *b, EnsValue *x)
{
  return build (b, "Add", NULL, x, build_constant (b, &ENS_SHAPE (BATCH, 1, 1, 1)), NULL);
}

static EnsValue *
build_gate (Builder *b, EnsValue *x)
{
  return build (b, "Mul", NULL, x, build (b, "GlobalAveragePool", NULL, x, NULL), NULL);
}

/* Broadcast from the right, so that its images meet another axis. */
static EnsValue *
build_misplaced (Builder *b, EnsValue *x)
{
  EnsReduceParams mean = {.axes = {TRUE, 3, {1, 2, 3}}};

  return build (b, "Mul", NULL, x, build (b, "ReduceMean", &mean, x, NULL), NULL);
}

static EnsValue *
build_mean_batch (Builder *b, EnsValue *x)
{
  EnsReduceParams mean = {.axes = {TRUE, 1, {-4}}};

  return build (b, "ReduceMean", &mean, x, NULL);
}

static EnsValue *
build_concat_batch (Builder *b, EnsValue *x)
{
  return build_concat (b, 0, &x, 1);
}

static EnsValue *
build_concat_channels (Builder *b, EnsValue *x)
{
  return build_concat (b, 3, (EnsValue *[]) {x, x}, 2);
}

static EnsValue *
build_turn (Builder *b, EnsValue *x)
{
  return build_transpose (b, x, (const gint64[]) {1, 0, 2, 3});
}

static EnsValue *
build_first (Builder *b, EnsValue *x)
{
  return build_transpose (b, x, (const gint64[]) {0, 3, 1, 2});
}

static EnsValue *
build_vectors (Builder *b, EnsValue *x)
{
  return build_gemm (b, build_reshape (b, x, &ENS_SHAPE (BATCH, 216)), 5);
}

static EnsValue *
build_turned_product (Builder *b, EnsValue *x)
{
  EnsGemmParams params = {.trans_a = TRUE, .alpha = 1};
  EnsReduceParams mean = {.axes = {TRUE, 2, {1, 2}}};

  return build (b, "Gemm", &params, build (b, "ReduceMean", &mean, x, NULL),
                build_constant (b, &ENS_SHAPE (6, 4)), NULL);
}

static EnsValue *
build_own_weights (Builder *b, EnsValue *x)
{
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};

  return build (b, "Conv", &params, x, x, NULL);
}

static const Row rows[] = {
    {"relu", build_relu, TRUE},
    {"softmax/batch", build_softmax_batch, FALSE},
    {"softmax/channels", build_softmax_channels, TRUE},
    {"add/constant", build_bias, TRUE},
    {"add/constant-of-images", build_image_bias, FALSE},
    {"mul/gate", build_gate, TRUE},
    {"mul/misplaced", build_misplaced, FALSE},
    {"mean/batch", build_mean_batch, FALSE},
    {"concat/batch", build_concat_batch, FALSE},
    {"concat/channels", build_concat_channels, TRUE},
    {"transpose/batch", build_turn, FALSE},
    {"transpose/channels", build_first, TRUE},
    {"gemm", build_vectors, TRUE},
    {"gemm/transposed", build_turned_product, FALSE},
    {"conv/own-weights", build_own_weights, FALSE},
};

static void
test_per_image (gconstpointer data)
{
  const Row *row = data;
  g_auto (Builder) b;
  g_autofree gboolean *per_image = NULL;
  gboolean all = TRUE;

  builder_init (&b, 1);
  ens_graph_add_output (b.graph, row->build (&b, build_input (&b, &ENS_SHAPE (BATCH, 6, 6, 6))));
  per_image = ens_graph_find_per_image (b.graph, BATCH);
  for (guint i = 0; i < b.graph->nodes->len; i++)
    all = all && per_image[i];
  g_assert_cmpint (all, ==, row->per_image);
}

/* Large maps on single images, the fully connected layers on the batch, what mixes images last. */
static void
test_cut (gconstpointer data)
{
  guint batch = GPOINTER_TO_UINT (data);
  const struct {
    guint chunk, n_nodes;
    EnsStageArray from, to;
  } expected[] = {
      {1, 6, ENS_STAGE_INPUT, ENS_STAGE_KEPT},
      {batch, 2, ENS_STAGE_KEPT, ENS_STAGE_OUTPUT},
  };
  EnsReduceParams max = {.axes = {TRUE, 1, {0}}, .keepdims = TRUE};
  g_auto (Builder) b;
  g_autoptr (GPtrArray) stages = NULL;
  g_autoptr (GError) error = NULL;
  EnsValue *x, *y;

  builder_init (&b, 2);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (batch, 64, 64, 4)), (ConvRow) {.filters = 32});
  y = build (&b, "Relu", NULL, build_conv (&b, x, (ConvRow) {.filters = 32}), NULL);
  x = build (&b, "Add", NULL, x, y, NULL);
  x = build (&b, "GlobalAveragePool", NULL, x, NULL);
  x = build_gemm (&b, build_reshape (&b, x, &ENS_SHAPE (batch, 32)), 10000);
  ens_graph_add_output (b.graph, build (&b, "ReduceMax", &max, x, NULL));
  stages = ens_graph_cut (b.graph, b.graph);
  g_assert_cmpuint (stages->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < stages->len; i++) {
    const EnsStage *stage = g_ptr_array_index (stages, i);

    ens_graph_validate (stage->graph, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (stage->batch, ==, batch);
    g_assert_cmpuint (stage->chunk, ==, expected[i].chunk);
    g_assert_cmpuint (stage->graph->nodes->len, ==, expected[i].n_nodes);
    g_assert_cmpuint (stage->inputs->len, ==, 1);
    g_assert_cmpint (g_array_index (stage->inputs, EnsStagePort, 0).array, ==, expected[i].from);
    g_assert_cmpuint (stage->outputs->len, ==, 1);
    g_assert_cmpint (g_array_index (stage->outputs, EnsStagePort, 0).array, ==, expected[i].to);
  }
}

/* One image, inputs that disagree, and outputs that are inputs: not cut. */
static void
test_whole (void)
{
  for (guint i = 0; i < 3; i++) {
    g_auto (Builder) b;
    g_autoptr (GPtrArray) stages = NULL;
    EnsValue *x, *y;

    builder_init (&b, 3);
    x = build_input (&b, &ENS_SHAPE (i == 0 ? 1 : 4, 64, 64, 4));
    y = build_input (&b, &ENS_SHAPE (1, 64, 64, 4));
    x = build (&b, "Add", NULL, x, y, NULL);
    if (i == 1)
      ens_graph_add_output (b.graph, y);
    ens_graph_add_output (b.graph, build_conv (&b, x, (ConvRow) {.filters = 32}));
    stages = ens_graph_cut (b.graph, b.graph);
    g_assert_cmpuint (stages->len, ==, 1);
    g_assert_cmpuint (((EnsStage *)g_ptr_array_index (stages, 0))->batch, ==, 1);
    g_assert_cmpuint (((EnsStage *)g_ptr_array_index (stages, 0))->chunk, ==, 1);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/passes/per-image/%s", rows[i].name);

    g_test_add_data_func (path, &rows[i], test_per_image);
  }
  g_test_add_data_func ("/passes/stages/cut/16", GUINT_TO_POINTER (16), test_cut);
  g_test_add_data_func ("/passes/stages/cut/7", GUINT_TO_POINTER (7), test_cut);
  g_test_add_func ("/passes/stages/whole", test_whole);
  return g_test_run ();
}
