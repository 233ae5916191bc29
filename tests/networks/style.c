/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The networks of camera styles: sizes, identity before training, gradients, files. */
#include "networks/style.h"

#include <math.h>

#include "build.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "ops/registry.h"
#include "train/losses.h"
#include "train/step.h"

typedef struct {
  const char *name;
  gboolean position;
  gint64 rows, columns;
} SizeRow;

static const SizeRow sizes[] = {
    {"even", FALSE, 16, 12},    {"odd", FALSE, 13, 11},        {"smallest", FALSE, 5, 5},
    {"position", TRUE, 16, 12}, {"odd-position", TRUE, 9, 14},
};

static EnsTensor *
make_pictures (const SizeRow *row)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  return random_tensor (rand, &ENS_SHAPE (2, row->rows, row->columns, 3));
}

static float *
get_floats (const GPtrArray *tensors, guint i)
{
  return ((const EnsTensor *)g_ptr_array_index (tensors, i))->data;
}

/* Draws the last layer's weights, too. */
static void
disturb (EnsGraph *graph)
{
  EnsTensor *weights = ens_graph_find (graph, "last.weight")->constant;
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);

  for (gint64 i = 0; i < ens_shape_elements (&weights->shape); i++)
    ((float *)weights->data)[i] = (float)g_rand_double_range (rand, -0.5, 0.5);
}

START_TEST (test_identity)
{
  const SizeRow *row = &sizes[_i];
  g_autoptr (EnsGraph) graph = ens_style_generator_new (&(EnsStyleParams) {0, row->position, 3});
  g_autoptr (EnsTensor) pictures = make_pictures (row);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) outputs = ens_interpret (graph, &pictures, &error), later = NULL;
  float largest = 0;

  ck_assert_no_error (error);
  ck_assert_bytes_eq (get_floats (outputs, 0), ens_tensor_size (outputs->pdata[0]), pictures->data,
                      ens_tensor_size (pictures));
  disturb (graph);
  later = ens_interpret (graph, &pictures, &error);
  ck_assert_no_error (error);
  for (gint64 i = 0; i < ens_shape_elements (&pictures->shape); i++) {
    float x = ((float *)pictures->data)[i], residual = get_floats (later, 1)[i];

    ck_assert_double_eq (get_floats (later, 0)[i], x + residual);
    largest = MAX (largest, ABS (residual));
  }
  ck_assert_double_le (largest, 0.5);
  ck_assert_double_gt (largest, 0.01);
}
END_TEST

/* Before training, in the other colours; what is learnt comes on top. */
START_TEST (test_colours)
{
  const EnsStyleParams params = {.seed = 3, .colours = {{0.5f, 0, -0.25f}, {0, 0.75f, 0.1f}}};
  const EnsStyleColours *colours = &params.colours;
  g_autoptr (EnsGraph) graph = ens_style_generator_new (&params);
  g_autoptr (EnsTensor) pictures = make_pictures (&sizes[1]);
  const float *x = pictures->data;

  for (guint learnt = 0; learnt < 2; learnt++) {
    g_autoptr (GPtrArray) outputs = ens_interpret (graph, &pictures, NULL);
    float largest = 0;

    for (gint64 i = 0; i < ens_shape_elements (&pictures->shape); i++) {
      float expected = x[i] * colours->factor[i % 3] + colours->offset[i % 3];

      ck_assert_double_eq (get_floats (outputs, 0)[i], x[i] + get_floats (outputs, 1)[i]);
      largest = MAX (largest, ABS (get_floats (outputs, 1)[i] - expected));
    }
    if (learnt)
      ck_assert_double_gt (largest, 0.01);
    else
      ck_assert_double_lt (largest, 1e-6);
    disturb (graph);
  }
}
END_TEST

/* A grey picture: without a position, and padded by reflection, all pixels get the same; with one,
 * the corners differ. */
START_TEST (test_position)
{
  g_autoptr (EnsGraph) graph = ens_style_generator_new (&(EnsStyleParams) {0, _i, 3});
  g_autoptr (EnsTensor) grey = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 10, 7, 3));
  g_autoptr (GPtrArray) outputs = NULL;
  const float *residual;
  double difference;

  disturb (graph);
  outputs = ens_interpret (graph, &grey, NULL);
  residual = get_floats (outputs, 1);
  difference = ABS (residual[0] - residual[3 * (10 * 7 - 1)]);
  if (_i)
    ck_assert_double_gt (difference, 1e-3);
  else
    ck_assert_double_lt (difference, 1e-6);
}
END_TEST

/* The residuals of a grey picture whose pixels [begin, end) are a little lighter. (transfer full)
 */
static GPtrArray *
lighten (const EnsGraph *graph, guint begin, guint end)
{
  g_autoptr (EnsTensor) picture = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 9, 9, 3));

  for (guint i = 3 * begin; i < 3 * end; i++)
    ((float *)picture->data)[i] = 0.01f;
  return ens_interpret (graph, &picture, NULL);
}

/* How much that changes, at most. */
static double
respond (const EnsGraph *graph, guint begin, guint end)
{
  g_autoptr (GPtrArray) before = lighten (graph, 0, 0), after = lighten (graph, begin, end);
  double largest = 0;

  for (guint i = 0; i < 3 * 9 * 9; i++)
    largest =
        fmax (largest, fabs ((double)get_floats (after, 1)[i] - (double)get_floats (before, 1)[i]));
  return largest;
}

/* A pixel that differs from those around it counts for more than a picture that is lighter. */
START_TEST (test_details)
{
  g_autoptr (EnsGraph) graph = ens_style_generator_new (&(EnsStyleParams) {.seed = 3});

  disturb (graph);
  ck_assert_double_gt (respond (graph, 4 * 9 + 4, 4 * 9 + 5), 4 * respond (graph, 0, 9 * 9));
}
END_TEST

START_TEST (test_too_small)
{
  g_autoptr (EnsGraph) graph = ens_style_generator_new (&(EnsStyleParams) {0});
  g_autoptr (GError) error = NULL;

  ck_assert (!ens_infer_graph (graph, &ENS_SHAPE (1, 16, 4, 3), &error));
  ck_assert_contains (error->message, "don't fit an axis of 1 in mode reflect");
}
END_TEST

static gboolean
contains (GBytes *bytes, const char *text)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  return memmem (data, size, text, strlen (text)) != NULL;
}

/* In the file the picture stays in the order that it has there: pads and crops that are computed
 * follow it. */
START_TEST (test_file)
{
  g_autoptr (EnsGraph) graph =
      ens_style_generator_new (&(EnsStyleParams) {0, sizes[_i].position, 3});
  g_autoptr (EnsGraph) again = NULL;
  g_autoptr (EnsTensor) pictures = make_pictures (&sizes[_i]);
  g_autoptr (GPtrArray) expected = NULL, found = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  disturb (graph);
  bytes = ens_onnx_export_bytes (graph, &error);
  ck_assert_no_error (error);
  ck_assert (!contains (bytes, "pictures:nhwc"));
  again = ens_onnx_import_bytes (bytes, "style.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  expected = ens_interpret (graph, &pictures, NULL);
  found = ens_interpret (again, &pictures, &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    ck_assert_bytes_eq (get_floats (found, i), ens_tensor_size (found->pdata[i]),
                        get_floats (expected, i), ens_tensor_size (expected->pdata[i]));
}
END_TEST

/* -- features and discriminator -- */

START_TEST (test_features)
{
  g_autoptr (EnsGraph) graph = ens_style_features_new (4);
  g_autoptr (EnsTensor) input = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 9, 8, 3));
  g_autoptr (GPtrArray) outputs = NULL;
  const float *features;

  /* Red is 1 in the pixel (1, 1), green is 0.5 everywhere. */
  for (guint i = 0; i < 9 * 8; i++)
    ((float *)input->data)[3 * i + 1] = 0.5f;
  ((float *)input->data)[3 * (8 + 1)] = 1;
  outputs = ens_interpret (graph, &input, NULL);
  features = get_floats (outputs, 0);
  ck_assert_uint_eq (ens_tensor_size (outputs->pdata[0]), 2 * 2 * 6 * sizeof (float));
  ck_assert_double_eq_tol (features[0], 1.0 / 16, 1e-6);
  ck_assert_double_eq_tol (features[1], 0.5, 1e-6);
  /* In the pixel 8 / 9; 1 / 9 in the 8 around it, of which the 3 × 3 blurs at the border count it
   * by reflection once more: (0, 0) 4 times, its 2 + 2 neighbours on the border twice. */
  ck_assert_double_eq_tol (features[3], (8.0 + 4 + 4 * 2 + 3) / 9 / 16, 1e-6);
  ck_assert_double_eq_tol (features[4], 0, 1e-6);
  ck_assert_double_eq_tol (features[6], 0, 1e-6);
}
END_TEST

static const gint64 score_sizes[][4] = {{32, 16, 8, 4}, {31, 17, 8, 5}, {1, 1, 1, 1}};

START_TEST (test_scores)
{
  const gint64 *size = score_sizes[_i];
  g_autoptr (EnsGraph) graph = ens_style_discriminator_new (6, 1);
  const EnsShape *shape;

  ck_assert (ens_infer_graph (graph, &ENS_SHAPE (2, size[0], size[1], 6), NULL));
  shape = &ens_graph_find (graph, "scores")->shape;
  ck_assert_int_eq (shape->dims[1], size[2]);
  ck_assert_int_eq (shape->dims[2], size[3]);
  ck_assert_int_eq (shape->dims[3], 1);
}
END_TEST

/* -- training -- */

/* pictures → generator → features → discriminator → loss of the generator. */
static EnsGraph *
join (gboolean position)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("adversarial");
  g_autoptr (EnsGraph) generator = ens_style_generator_new (&(EnsStyleParams) {0, position, 3});
  g_autoptr (EnsGraph) features = ens_style_features_new (4);
  g_autoptr (EnsGraph) discriminator = ens_style_discriminator_new (6, 5);
  const EnsGraph *const parts[] = {generator, features, discriminator};
  static const char *const names[] = {"g", "f", "d"};
  EnsValue *x =
      ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autoptr (GPtrArray) values = ens_graph_embed (graph, parts[i], names[i], &x);

    x = values->pdata[((EnsValue *)parts[i]->outputs->pdata[0])->index];
  }
  x = ens_loss_adversarial (graph, ENS_ADVERSARIAL_LEAST_SQUARES, x, TRUE);
  ens_graph_rename (graph, x, "loss");
  ens_graph_add_output (graph, x);
  return g_steal_pointer (&graph);
}

static gboolean
is_generators (gpointer data, const char *name, EnsParameterKind kind)
{
  return g_str_has_prefix (name, "g/");
}

static gboolean
is_last_bias (gpointer data, const char *name, EnsParameterKind kind)
{
  return g_str_has_suffix (name, "last.bias");
}

/* Whether the gradient of a parameter is not all zeroes. */
static gboolean
has_gradient (const EnsStep *step, const float *gradients, const char *name)
{
  guint n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n);

  for (guint i = 0; i < n; i++)
    for (gsize k = 0; k < parameters[i].size; k++)
      if (strcmp (parameters[i].name, name) == 0 && gradients[parameters[i].offset + k] != 0)
        return TRUE;
  return FALSE;
}

/* The discriminator's weights are not trained; the gradient passes through it. */
START_TEST (test_training)
{
  const SizeRow *row = &sizes[_i];
  g_autoptr (EnsGraph) graph = join (row->position);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsTensor) pictures = make_pictures (row);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsStep) step = ens_step_new (&(EnsStepParams) {.graph = graph,
                                                             .loss = "loss",
                                                             .input_shapes = &pictures->shape,
                                                             .is_trained = is_generators},
                                           device, &error);
  g_autofree float *gradients = NULL;
  const EnsParameter *parameters;
  EnsStepArrays arrays = {.inputs = (const gconstpointer[]) {pictures->data}};
  float loss, later = 0, *values;
  guint n_parameters;
  gsize n;

  ck_assert_no_error (error);
  parameters = ens_step_get_parameters (step, &n_parameters);
  for (guint i = 0; i < n_parameters; i++)
    ck_assert (g_str_has_suffix (parameters[i].name, ".weight")
               || g_str_has_suffix (parameters[i].name, ".bias"));
  ck_assert_uint_eq (n_parameters, 2 * (3 + 2 * 3 + 2 + 1));
  values = ens_step_get_values (step, &n);
  arrays.gradients = gradients = g_new0 (float, n);
  ck_assert (ens_step_run (step, &arrays, &loss, NULL));
  ck_assert (has_gradient (step, gradients, "g/last.weight"));
  /* Nothing passes a layer of zeroes until the first step is made. */
  ck_assert (!has_gradient (step, gradients, "g/down1.weight"));
  for (guint i = 0; i < 20; i++) {
    for (gsize k = 0; k < n; k++)
      values[k] -= 0.01f * gradients[k];
    ck_assert (ens_step_run (step, &arrays, &later, NULL));
  }
  ck_assert (has_gradient (step, gradients, "g/down1.weight"));
  ck_assert_double_lt (later, loss);
}
END_TEST

/* y + G(y), y = x + G(x): the weights are there once, and get the sum of both gradients. */
START_TEST (test_shared)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("twice");
  g_autoptr (EnsGraph) generator = ens_style_generator_new (&(EnsStyleParams) {0, FALSE, 3});
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  const EnsShape shape = ENS_SHAPE (1, 8, 8, 3);
  EnsValue *x = ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &shape);
  float pictures[8 * 8 * 3] = {0}, gradients[3], loss;
  EnsStepArrays arrays = {(const gconstpointer[]) {pictures}, NULL, gradients};
  g_autoptr (EnsStep) step = NULL;
  guint n;

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GPtrArray) values = ens_graph_embed (graph, generator, i == 0 ? "a" : "b", &x);

    x = values->pdata[((EnsValue *)generator->outputs->pdata[0])->index];
  }
  x = ens_graph_apply (graph, &ens_op_reduce_mean, &(EnsReduceParams) {0}, x, NULL);
  ens_graph_rename (graph, x, "loss");
  step = ens_step_new (
      &(EnsStepParams) {
          .graph = graph, .loss = "loss", .input_shapes = &shape, .is_trained = is_last_bias},
      device, NULL);
  ens_step_get_parameters (step, &n);
  ck_assert_uint_eq (n, 1);
  ck_assert (ens_step_run (step, &arrays, &loss, NULL));
  /* Of each channel a third of the mean, times the range and the last layer's factor, twice. */
  for (guint i = 0; i < 3; i++)
    ck_assert_double_eq_tol (gradients[i], 2 * 0.5 * 0.3 / 3, 1e-6);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("networks/style");
  TEST_ADD_ROWS ("identity", test_identity, sizes);
  test_add ("colours", test_colours);
  test_add_loop ("position", test_position, 2);
  test_add ("details", test_details);
  test_add ("too-small", test_too_small);
  TEST_ADD_ROWS ("file", test_file, sizes);
  test_add ("features", test_features);
  TEST_ADD_LOOP ("scores", test_scores, score_sizes);
  test_add ("shared", test_shared);
  TEST_ADD_ROWS ("training", test_training, sizes);
  return test_run ();
}
