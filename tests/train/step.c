/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of training on a graph whose gradient is known by hand: y = x · scale + bias per channel,
 * the loss the mean of (y − target)². */
#include "train/step.h"

#include "build.h"
#include "check-main.h"
#include "ops/registry.h"

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
  test_add ("training", test_training);
  TEST_ADD_ROWS ("errors", test_errors, error_rows);
  return test_run ();
}
