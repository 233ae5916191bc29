/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The classifier of two branches: what it is made of, what the contour network sees, what learns.
 */
#include "networks/fused.h"

#include "build.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "ops/registry.h"
#include "train/losses.h"
#include "train/step.h"

static const EnsNormalise rgb = {ENS_ORDER_RGB, {120, 110, 100}, {0.02F, 0.01F, 0.015F}};
static const EnsNormalise other_rgb = {ENS_ORDER_RGB, {90, 95, 80}, {0.03F, 0.02F, 0.01F}};
static const EnsNormalise bgr = {ENS_ORDER_BGR, {90, 95, 80}, {0.03F, 0.02F, 0.01F}};

/* -- the networks -- */

/* Two maps of 6 and 7 channels and classes. strides: of the two. */
static EnsGraph *
build_backbone (const gint64 strides[2])
{
  EnsGraph *graph = ens_graph_new ("backbone");
  EnsLayers layers = {graph, 3};
  EnsMap x = {ens_graph_add_input (graph, "pixels", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, 32, 32, 3)),
              3};

  x = ens_layers_conv (&layers, "early", x,
                       &(EnsConvLayer) {6, 3, .stride = (guint)strides[0], .bias = TRUE});
  x = ens_layers_activate (&layers, "early/relu", &ens_op_relu, 0, x);
  x = ens_layers_conv (&layers, "late", x,
                       &(EnsConvLayer) {7, 3, .stride = (guint)strides[1], .bias = TRUE});
  x = ens_layers_activate (&layers, "late/relu", &ens_op_relu, 0, x);
  x = ens_layers_average (&layers, "mean", x);
  x = ens_layers_fully_connected (&layers, "labels", x, 4);
  ens_graph_add_output (graph, x.value);
  return graph;
}

static EnsGraph *
build_contour (EnsContourUnify unify)
{
  const EnsContourParams params = {.n_levels = 3,
                                   .channels = {4, 4, 8},
                                   .unify = {unify, unify, unify},
                                   .n_unified = 2,
                                   .seed = 5};
  g_autoptr (EnsGraph) graph = ens_contour_new (&params, NULL);

  return ens_contour_drop_head (graph);
}

typedef struct {
  const char *name;
  gint64 strides[2];
  EnsContourUnify unify;
  EnsFusedKind kind;
  const char *tap;
  gint64 side;     /* of the fused map for pictures of 32 × 32 */
  gint64 channels; /* of the last map */
} Row;

static const Row rows[] = {
    {"usual", {2, 2}, ENS_CONTOUR_LINEAR, ENS_FUSED_CONVOLVE, NULL, 8, 5},
    {"concat", {2, 2}, ENS_CONTOUR_LINEAR, ENS_FUSED_CONCAT, NULL, 8, 7 + 6},
    {"early-map", {2, 2}, ENS_CONTOUR_NEAREST, ENS_FUSED_CONCAT, "early/relu", 16, 6 + 6},
    {"transposed", {2, 1}, ENS_CONTOUR_TRANSPOSED, ENS_FUSED_CONVOLVE, NULL, 16, 5},
    {"coarse", {4, 4}, ENS_CONTOUR_TRANSPOSED, ENS_FUSED_CONCAT, NULL, 2, 7 + 6},
};

typedef struct {
  EnsGraph *backbone, *contour;
  EnsFusedParams params;
} Fixture;

static void
fixture_init (Fixture *fixture, const Row *row)
{
  fixture->backbone = build_backbone (row->strides);
  fixture->contour = build_contour (row->unify);
  fixture->params = ENS_FUSED_DEFAULTS;
  fixture->params.backbone = fixture->backbone;
  fixture->params.contour = fixture->contour;
  fixture->params.backbone_pixels = bgr;
  fixture->params.contour_pixels = rgb;
  fixture->params.size = 32;
  fixture->params.tap = row->tap;
  fixture->params.kind = row->kind;
  fixture->params.filters = 5;
  fixture->params.n_classes = 4;
}

static void
fixture_clear (Fixture *fixture)
{
  ens_graph_free (fixture->backbone);
  ens_graph_free (fixture->contour);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static EnsGraph *
build_fused (const Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  EnsGraph *graph = ens_fused_new (&fixture->params, &error);

  ck_assert_no_error (error);
  ck_assert (ens_graph_validate (graph, NULL));
  return graph;
}

/* -- shapes and files -- */

START_TEST (test_shapes)
{
  const Row *row = &rows[_i];
  g_auto (Fixture) fixture = {0};
  g_autoptr (EnsGraph) graph = NULL, again = NULL;
  g_autofree char *map = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  const EnsValue *value;

  fixture_init (&fixture, row);
  graph = build_fused (&fixture);
  bytes = ens_onnx_export_bytes (graph, &error);
  ck_assert_no_error (error);
  again = ens_onnx_import_bytes (bytes, "fused.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  ens_infer_graph (again, &ENS_SHAPE (2, 32, 32, 3), &error);
  ck_assert_no_error (error);
  map = ens_fused_name_map (&fixture.params);
  value = ens_graph_find (again, map);
  ck_assert_ptr_nonnull (value);
  ck_assert (ens_shape_equal (&value->shape, &ENS_SHAPE (2, row->side, row->side, row->channels)));
  value = ens_graph_find (again, ENS_FUSED_LOGITS);
  ck_assert (ens_shape_equal (&value->shape, &ENS_SHAPE (2, 4)));
  ck_assert_uint_eq (again->inputs->len, 1);
  ck_assert_str_eq (((EnsValue *)again->inputs->pdata[0])->name, "pixels");
  ck_assert (ens_contour_compare_weights (again, "contour/", fixture.contour, &error));
}
END_TEST

/* -- what the contour network sees -- */

static const struct {
  const char *name;
  const EnsNormalise *backbone;
} orders[] = {{"same", &rgb}, {"other", &other_rgb}, {"reversed", &bgr}};

static EnsTensor *
normalise (const guint8 *pixels, const EnsNormalise *normalise)
{
  EnsTensor *tensor = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 12, 10, 3));

  for (guint i = 0; i < 12 * 10 * 3; i++) {
    guint c = i % 3, k = normalise->order == ENS_ORDER_BGR ? 2 - c : c;

    ((float *)tensor->data)[i] = (pixels[i - c + k] - normalise->mean[c]) * normalise->scale[c];
  }
  return tensor;
}

/* With a map of the picture's size, its own feature of the same picture in its own normalisation.
 */
START_TEST (test_pixels)
{
  static const Row row = {"full", {1, 1}, ENS_CONTOUR_LINEAR, ENS_FUSED_CONCAT, NULL, 0, 0};
  g_auto (Fixture) fixture = {0};
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (EnsTensor) input = NULL, own_input = NULL, found = NULL, expected = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  guint8 pixels[12 * 10 * 3];

  for (guint i = 0; i < sizeof pixels; i++)
    pixels[i] = (guint8)g_rand_int_range (rand, 0, 256);
  fixture_init (&fixture, &row);
  fixture.params.backbone_pixels = *orders[_i].backbone;
  graph = build_fused (&fixture);
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, ens_graph_find (graph, ENS_FUSED_FEATURE));
  input = normalise (pixels, orders[_i].backbone);
  own_input = normalise (pixels, &rgb);
  found = run_graph (graph, input);
  expected = run_graph (fixture.contour, own_input);
  ck_assert (ens_shape_equal (&found->shape, &expected->shape));
  ck_assert_double_lt (
      relative_error (found->data, expected->data, (gsize)ens_shape_elements (&expected->shape)),
      1e-4);
}
END_TEST

/* Without contours the result does not depend on them. */
START_TEST (test_without)
{
  g_auto (Fixture) fixture = {0};
  g_autoptr (EnsGraph) graph = NULL, other = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  g_autoptr (EnsTensor) input = random_tensor (rand, &ENS_SHAPE (1, 32, 32, 3));
  g_autoptr (EnsTensor) a = NULL, b = NULL;

  fixture_init (&fixture, &rows[0]);
  fixture.params.without_contour = _i == 0;
  graph = build_fused (&fixture);
  ens_graph_free (fixture.contour);
  fixture.contour = build_contour (ENS_CONTOUR_NEAREST);
  fixture.params.contour = fixture.contour;
  fixture.params.contour_pixels = other_rgb;
  other = build_fused (&fixture);
  a = run_graph (graph, input);
  b = run_graph (other, input);
  ck_assert_int_eq (memcmp (a->data, b->data, ens_tensor_size (a)) == 0, _i == 0);
}
END_TEST

/* -- what learns -- */

static double
sum_gradient (const EnsStep *step, const float *gradients, const char *name)
{
  guint n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n);
  double sum = 0;

  for (guint i = 0; i < n; i++) {
    ck_assert (!g_str_has_prefix (parameters[i].name, "contour/"));
    for (gsize k = 0; k < parameters[i].size && strcmp (parameters[i].name, name) == 0; k++)
      sum += fabs ((double)gradients[parameters[i].offset + k]);
  }
  return sum;
}

/* The gradient reaches head and backbone, and not the contour network. */
START_TEST (test_gradient)
{
  static const char *const frozen[] = {ENS_FUSED_FEATURE, NULL};
  const EnsShape shapes[] = {ENS_SHAPE (2, 16, 16, 3), ENS_SHAPE (2, 4)};
  g_auto (Fixture) fixture = {0};
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (EnsTensor) pixels = random_tensor (rand, &shapes[0]);
  g_autoptr (EnsTensor) targets = random_tensor (rand, &shapes[1]);
  g_autoptr (EnsStep) step = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree float *gradients = NULL;
  EnsValue *target;
  float loss;
  gsize n;

  fixture_init (&fixture, &rows[_i]);
  graph = build_fused (&fixture);
  target = ens_graph_add_input (graph, "target", ENS_TYPE_FLOAT32, &shapes[1]);
  ens_graph_rename (graph, ens_loss_squared_error (graph, graph->outputs->pdata[0], target, NULL),
                    "loss");
  step = ens_step_new (&(EnsStepParams) {.graph = graph,
                                         .loss = "loss",
                                         .input_shapes = shapes,
                                         .frozen = frozen,
                                         .batch_statistics = TRUE,
                                         .momentum = 0.1},
                       device, &error);
  ck_assert_no_error (error);
  ens_step_get_values (step, &n);
  gradients = g_new0 (float, n);
  ck_assert (ens_step_run (
      step,
      &(EnsStepArrays) {.inputs = (const gconstpointer[]) {pixels->data, targets->data},
                        .gradients = gradients},
      &loss, NULL));
  ck_assert_double_gt (sum_gradient (step, gradients, "early.weight"), 0);
  ck_assert_double_gt (sum_gradient (step, gradients, "logits.weight"), 0);
}
END_TEST

/* -- refusals -- */

START_TEST (test_refusals)
{
  static const struct {
    const char *tap, *message;
  } taps[] = {{"nothing", "there is no value “nothing”"},
              {"mean", "value “mean”: expected a map, found 1x7"}};
  g_auto (Fixture) fixture = {0};
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, &rows[0]);
  fixture.params.tap = taps[_i].tap;
  ck_assert_ptr_null (ens_fused_new (&fixture.params, &error));
  ck_assert_contains (error->message, taps[_i].message);
}
END_TEST

START_TEST (test_grey)
{
  g_auto (Fixture) fixture = {0};
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, &rows[0]);
  fixture.params.backbone_pixels.order = ENS_ORDER_GRAY;
  ck_assert_ptr_null (ens_fused_new (&fixture.params, &error));
  ck_assert_contains (error->message, "expected one input of float32 images with 3 channels");
}
END_TEST

START_TEST (test_no_contour)
{
  g_auto (Fixture) fixture = {0};
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, &rows[0]);
  fixture.params.contour = fixture.backbone;
  ck_assert_ptr_null (ens_fused_new (&fixture.params, &error));
  ck_assert_contains (error->message, "backbone: expected a contour network");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("networks/fused");
  TEST_ADD_ROWS ("shapes", test_shapes, rows);
  TEST_ADD_ROWS ("pixels", test_pixels, orders);
  test_add_loop ("without", test_without, 2);
  TEST_ADD_ROWS ("gradient", test_gradient, rows);
  test_add_loop ("refusals", test_refusals, 2);
  test_add ("grey", test_grey);
  test_add ("no-contour", test_no_contour);
  return test_run ();
}
