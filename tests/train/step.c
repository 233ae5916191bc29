/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of training on a graph whose gradient is known by hand: y = x · scale + bias per channel,
 * the loss the mean of (y − target)². */
#include "train/step.h"

#include "build.h"
#include "check-main.h"
#include "ops/registry.h"
#include "passes/rewrite.h"

#define N 4
#define CHANNELS 3

typedef struct {
  Builder builder;
  EnsDevice *device;
  EnsShape shapes[2];
  EnsStepParams params;
} Fixture;

static EnsValue *
add_vector (EnsGraph *graph, const char *name, float value)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (CHANNELS));

  for (guint i = 0; i < CHANNELS; i++)
    ((float *)tensor->data)[i] = value;
  return ens_graph_add_constant (graph, name, tensor);
}

static void
fixture_init (Fixture *fixture)
{
  EnsGraph *graph;
  EnsValue *x, *y, *target;

  builder_init (&fixture->builder, 1);
  graph = fixture->builder.graph;
  fixture->device = ens_device_open ("cpu", 1, NULL);
  fixture->shapes[0] = fixture->shapes[1] = ENS_SHAPE (N, CHANNELS);
  x = build_input (&fixture->builder, &ENS_SHAPE (-1, CHANNELS));
  target = build_input (&fixture->builder, &ENS_SHAPE (-1, CHANNELS));
  y = ens_graph_apply (graph, &ens_op_prelu, &(EnsBinaryParams) {0}, x,
                       add_vector (graph, "slope", 0.5f), NULL);
  ens_graph_rename (graph, y, "y");
  ens_graph_add_output (graph, y);
  y = ens_graph_apply (graph, &ens_op_sub, &(EnsBinaryParams) {0}, y, target, NULL);
  y = ens_graph_apply (graph, &ens_op_mul, &(EnsBinaryParams) {0}, y, y, NULL);
  y = ens_graph_apply (graph, &ens_op_reduce_mean, &(EnsReduceParams) {0}, y, NULL);
  ens_graph_rename (graph, y, "loss");
  fixture->params =
      (EnsStepParams) {.graph = graph, .loss = "loss", .input_shapes = fixture->shapes};
}

static void
fixture_clear (Fixture *fixture)
{
  builder_clear (&fixture->builder);
  ens_device_unref (fixture->device);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static const float x[N * CHANNELS] = {-1, 2, -3, 4, -5, 6, -7, 8, -9, 1, -2, 3};

/* What a slope of 0.25 gives. */
static void
make_target (float *target)
{
  for (guint i = 0; i < N * CHANNELS; i++)
    target[i] = x[i] < 0 ? 0.25f * x[i] : x[i];
}

START_TEST (test_gradient)
{
  static const char *const outputs[] = {"y", NULL};
  float target[N * CHANNELS], y[N * CHANNELS], gradients[CHANNELS], loss;
  EnsStepArrays arrays = {(const gconstpointer[]) {x, target}, (const gpointer[]) {y}, gradients};
  g_autoptr (EnsStep) step = NULL;
  g_autoptr (GError) error = NULL;
  const EnsParameter *parameters;
  g_auto (Fixture) f;
  guint n;

  fixture_init (&f);
  make_target (target);
  f.params.outputs = outputs;
  step = ens_step_new (&f.params, f.device, &error);
  ck_assert_no_error (error);
  parameters = ens_step_get_parameters (step, &n);
  ck_assert_uint_eq (n, 1);
  ck_assert_str_eq (parameters[0].name, "slope");
  ck_assert_int_eq (parameters[0].kind, ENS_PARAMETER_SCALE);
  ck_assert (ens_step_run (step, &arrays, &loss, &error));
  /* Negative x: −1 −7; −5 −2; −3 −9. The loss is Σ (0.25 x)² / 12, its gradient Σ 0.5 x² / 12. */
  ck_assert_double_eq_tol (loss, 0.0625 * (1 + 49 + 25 + 4 + 9 + 81) / 12, 1e-6);
  ck_assert_double_eq_tol (gradients[0], 0.5 * (1 + 49) / 12, 1e-5);
  ck_assert_double_eq_tol (gradients[1], 0.5 * (25 + 4) / 12, 1e-5);
  ck_assert_double_eq_tol (gradients[2], 0.5 * (9 + 81) / 12, 1e-5);
  ck_assert_double_eq_tol (y[0], -0.5, 1e-6);
}
END_TEST

/* Slopes are looked up in a table: rows that are not looked up get no gradient. */
START_TEST (test_table)
{
  static const float rows[] = {0.5f, 9, 0.5f, 9};
  static const gint64 numbers[CHANNELS] = {2, 0, 2};
  g_autoptr (EnsTensor) table = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (4), rows);
  g_autoptr (EnsTensor) indices =
      ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (CHANNELS), numbers);
  float target[N * CHANNELS], gradients[4], loss;
  EnsStepArrays arrays = {(const gconstpointer[]) {x, target}, NULL, gradients};
  g_autoptr (EnsStep) step = NULL;
  g_autoptr (GError) error = NULL;
  const EnsParameter *parameters;
  EnsValue *slope, *inputs[2];
  g_auto (Fixture) f;
  guint n;

  fixture_init (&f);
  make_target (target);
  slope = ens_graph_find (f.builder.graph, "slope");
  inputs[0] = ens_graph_add_constant (f.builder.graph, "table", table);
  inputs[1] = ens_graph_add_constant (f.builder.graph, "indices", indices);
  ens_graph_replace_uses (f.builder.graph, slope,
                          ens_graph_insert (f.builder.graph, ens_graph_node (f.builder.graph, 0),
                                            &ens_op_gather, &(EnsAxisParams) {0}, inputs, 2));
  step = ens_step_new (&f.params, f.device, &error);
  ck_assert_no_error (error);
  parameters = ens_step_get_parameters (step, &n);
  ck_assert_uint_eq (n, 1);
  ck_assert_str_eq (parameters[0].name, "table");
  ck_assert_int_eq (parameters[0].kind, ENS_PARAMETER_BIAS);
  ck_assert (ens_step_run (step, &arrays, &loss, &error));
  ck_assert_double_eq_tol (gradients[0], 0.5 * (25 + 4) / 12, 1e-5);
  ck_assert_double_eq_tol (gradients[2], 0.5 * (1 + 49 + 9 + 81) / 12, 1e-5);
  ck_assert (gradients[1] == 0 && gradients[3] == 0);
}
END_TEST

START_TEST (test_training)
{
  float target[N * CHANNELS], gradients[CHANNELS], loss = 0, *values;
  EnsStepArrays arrays = {(const gconstpointer[]) {x, target}, NULL, gradients};
  g_autoptr (EnsStep) step = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Fixture) f;
  const float *stored;
  gsize n;

  fixture_init (&f);
  make_target (target);
  step = ens_step_new (&f.params, f.device, &error);
  ck_assert_no_error (error);
  values = ens_step_get_values (step, &n);
  ck_assert_uint_eq (n, CHANNELS);
  for (guint i = 0; i < 200; i++) {
    ck_assert (ens_step_run (step, &arrays, &loss, &error));
    for (guint k = 0; k < n; k++)
      values[k] -= 0.1f * gradients[k];
  }
  ck_assert_double_lt (loss, 1e-6);
  ck_assert (ens_step_store (step, f.builder.graph, &error));
  stored = ens_graph_find (f.builder.graph, "slope")->constant->data;
  for (guint i = 0; i < CHANNELS; i++)
    ck_assert_double_eq_tol (stored[i], 0.25, 1e-3);
}
END_TEST

/* A second slope behind the first one: the gradients of test_gradient, once the first is 1. */
static void
build_second (Fixture *fixture)
{
  EnsGraph *graph = fixture->builder.graph;
  EnsValue *y = ens_graph_find (graph, "y");

  y = ens_graph_apply (graph, &ens_op_prelu, &(EnsBinaryParams) {0}, y,
                       add_vector (graph, "second", 0.5f), NULL);
  y = ens_graph_apply (graph, &ens_op_sub, &(EnsBinaryParams) {0}, y, graph->inputs->pdata[1],
                       NULL);
  y = ens_graph_apply (graph, &ens_op_mul, &(EnsBinaryParams) {0}, y, y, NULL);
  y = ens_graph_apply (graph, &ens_op_reduce_mean, &(EnsReduceParams) {0}, y, NULL);
  ens_graph_rename (graph, y, "second-loss");
}

/* Two steps that share a parameter: the second one takes it as it is, wherever it lies. */
START_TEST (test_beside)
{
  float target[N * CHANNELS], gradients[CHANNELS], values[CHANNELS], loss;
  EnsStepArrays arrays = {(const gconstpointer[]) {x, target}, NULL, gradients};
  g_autoptr (EnsStep) first = NULL, second = NULL;
  g_autoptr (GError) error = NULL;
  const EnsParameter *parameters;
  g_auto (Fixture) f;
  guint n;

  fixture_init (&f);
  build_second (&f);
  make_target (target);
  first = ens_step_new (&f.params, f.device, &error);
  ck_assert_no_error (error);
  f.params.loss = "second-loss";
  f.params.beside = (EnsStep *const[]) {first, NULL};
  second = ens_step_new (&f.params, f.device, &error);
  ck_assert_no_error (error);
  parameters = ens_step_get_parameters (second, &n);
  ck_assert_uint_eq (n, 1);
  ck_assert_str_eq (parameters[0].name, "second");
  ck_assert (ens_step_run (second, &arrays, &loss, &error));
  ck_assert_double_eq_tol (loss, 0, 1e-12);
  if (_i)
    ens_step_place_values (first, values);
  for (guint i = 0; i < CHANNELS; i++)
    ens_step_get_values (first, &(gsize) {0})[i] = 1;
  ck_assert (ens_step_run (second, &arrays, &loss, &error));
  ck_assert_double_eq_tol (loss, 0.0625 * (1 + 49 + 25 + 4 + 9 + 81) / 12, 1e-6);
  ck_assert_double_eq_tol (gradients[0], 0.5 * (1 + 49) / 12, 1e-5);
}
END_TEST

START_TEST (test_beside_shape)
{
  g_autoptr (EnsTensor) one = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1));
  g_autoptr (EnsStep) first = NULL;
  g_autoptr (GError) error = NULL;
  EnsValue *slope;
  g_auto (Fixture) f;

  fixture_init (&f);
  build_second (&f);
  first = ens_step_new (&f.params, f.device, NULL);
  slope = ens_graph_find (f.builder.graph, "slope");
  ens_tensor_unref (slope->constant);
  slope->constant = ens_tensor_ref (one);
  slope->shape = one->shape;
  f.params.loss = "second-loss";
  f.params.beside = (EnsStep *const[]) {first, NULL};
  ck_assert_ptr_null (ens_step_new (&f.params, f.device, &error));
  ck_assert_contains (error->message, "“slope”: expected 3 as in the step beside it, found 1");
}
END_TEST

/* y = dropout (batch norm (x)), the loss the mean of y². */
static void
build_normal (Fixture *fixture)
{
  EnsGraph *graph = fixture->builder.graph;
  EnsValue *values[5] = {graph->inputs->pdata[0]}, *y;

  for (guint i = 1; i < 5; i++)
    values[i] = add_vector (graph, (const char *[]) {"", "scale", "shift", "mean", "variance"}[i],
                            i == 1 || i == 4 ? 1 : 0);
  y = ens_graph_add_node (graph, &ens_op_batch_normalization, "normal",
                          &(EnsNormalizationParams) {1e-5f}, values, 5, 1)
          ->outputs[0];
  y = ens_graph_apply (graph, &ens_op_dropout, &(EnsDropoutParams) {0.5f}, y, NULL);
  y = ens_graph_apply (graph, &ens_op_mul, &(EnsBinaryParams) {0}, y, y, NULL);
  y = ens_graph_apply (graph, &ens_op_reduce_mean, &(EnsReduceParams) {0}, y, NULL);
  ens_graph_rename (graph, y, "square");
  fixture->params.loss = "square";
  fixture->params.batch_statistics = TRUE;
  fixture->params.momentum = 0.1;
}

typedef struct {
  const char *name, *frozen;
  gboolean batch_statistics;
  guint n_statistics;
  float mean, variance; /* of channel 0 after a step */
} StatisticsRow;

/* Channel 0 is −1 4 −7 1: mean −0.75, squares of differences 64.75. */
static const StatisticsRow statistics_rows[] = {
    {"batch", NULL, TRUE, 2, 0.1f * -0.75f, 0.9f + 0.1f * 64.75f / 3},
    {"fixed", NULL, FALSE, 0, 0, 1},
    {"frozen", "normal", TRUE, 0, 0, 1},
};

/* What a graph's constant has for channel 0. */
static float
get_constant (const EnsGraph *graph, const char *name)
{
  return *(const float *)ens_graph_find (graph, name)->constant->data;
}

START_TEST (test_statistics)
{
  const StatisticsRow *row = &statistics_rows[_i];
  const char *const frozen[] = {row->frozen, NULL};
  float gradients[2 * CHANNELS], loss;
  EnsStepArrays arrays = {(const gconstpointer[]) {x, x}, NULL, gradients};
  g_autoptr (EnsStep) step = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Fixture) f;
  guint n;

  fixture_init (&f);
  build_normal (&f);
  f.params.batch_statistics = row->batch_statistics;
  f.params.frozen = frozen;
  step = ens_step_new (&f.params, f.device, &error);
  if (row->frozen != NULL) {
    ck_assert_contains (error->message, "depends on no parameter that is trained");
    return;
  }
  ck_assert_no_error (error);
  ens_step_get_statistics (step, &n);
  ck_assert_uint_eq (n, row->n_statistics);
  ck_assert (ens_step_run (step, &arrays, &loss, &error));
  ck_assert (ens_step_store (step, f.builder.graph, &error));
  ck_assert_double_eq_tol (get_constant (f.builder.graph, "mean"), row->mean, 1e-6);
  ck_assert_double_eq_tol (get_constant (f.builder.graph, "variance"), row->variance, 1e-5);
}
END_TEST

static float
run_dropout (EnsStep *step, guint64 number)
{
  float gradients[2 * CHANNELS], loss;

  ck_assert (ens_step_run (
      step, &(EnsStepArrays) {(const gconstpointer[]) {x, x}, NULL, gradients, number}, &loss,
      NULL));
  return loss;
}

START_TEST (test_dropout)
{
  g_autoptr (EnsStep) step = NULL, other = NULL;
  g_auto (Fixture) f;
  double sum = 0;

  fixture_init (&f);
  build_normal (&f);
  step = ens_step_new (&f.params, f.device, NULL);
  f.params.seed = 1;
  other = ens_step_new (&f.params, f.device, NULL);
  ck_assert_double_eq (run_dropout (step, 7), run_dropout (step, 7));
  ck_assert_double_ne (run_dropout (step, 7), run_dropout (step, 8));
  ck_assert_double_ne (run_dropout (step, 7), run_dropout (other, 7));
  /* Of normalised numbers, half are 0 and half twice as large: the mean square is 2. */
  for (guint i = 0; i < 200; i++)
    sum += (double)run_dropout (step, i);
  ck_assert_double_eq_tol (sum / 200, 2, 0.15);
}
END_TEST

typedef struct {
  const char *name, *loss, *frozen, *error;
} ErrorRow;

static const ErrorRow error_rows[] = {
    {"no-loss", "profit", NULL, "there is no value “profit”, the loss"},
    {"no-frozen", "loss", "z", "there is no value “z”, which is to be frozen"},
    {"not-one", "y", NULL, "the loss “y” is float32 4x3, expected one real number"},
    {"all-frozen", "loss", "y", "the loss “loss” depends on no parameter that is trained"},
};

START_TEST (test_errors)
{
  const ErrorRow *row = &error_rows[_i];
  const char *const frozen[] = {row->frozen, NULL};
  g_autoptr (GError) error = NULL;
  g_auto (Fixture) f;

  fixture_init (&f);
  f.params.loss = row->loss;
  f.params.frozen = frozen;
  ck_assert_ptr_null (ens_step_new (&f.params, f.device, &error));
  ck_assert_contains (error->message, row->error);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/step");
  test_add ("gradient", test_gradient);
  test_add ("table", test_table);
  test_add ("training", test_training);
  test_add_loop ("beside", test_beside, 2);
  test_add ("beside-shape", test_beside_shape);
  TEST_ADD_ROWS ("statistics", test_statistics, statistics_rows);
  test_add ("dropout", test_dropout);
  TEST_ADD_ROWS ("errors", test_errors, error_rows);
  return test_run ();
}
