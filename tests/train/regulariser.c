/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A regulariser of three layers, its value by hand, what an optimiser makes of it by differences.
 */
#include "train/regulariser.h"

#include "check-main.h"
#include "networks/layers.h"
#include "ops/registry.h"
#include "train/losses.h"

#define CHANNELS 2
#define CLASSES 2
#define DECAY 0.5

static const char *const names[] = {"conv.weight", "norm.scale", "norm.bias", "logits.weight",
                                    "logits.bias"};

/* Their scales and shifts have squares of 1 + 4 + 9 + 1 = 15. */
static const float values[] = {1, 1, 1, 2, 3, -1, 1, 1, 1, 1, 1, 1};

typedef struct {
  EnsGraph *graph;
  EnsStep *step;
  const EnsParameter *parameters;
  guint n;
} Fixture;

/* A picture of one channel, a convolution 1×1, batch normalisation, their mean, a classifier. */
static void
fixture_init (Fixture *f)
{
  EnsLayers layers = {.graph = ens_graph_new ("regularised")};
  const EnsShape shapes[] = {ENS_SHAPE (2, 2, 2, 1), ENS_SHAPE (2)};
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  EnsStepParams params = {.graph = layers.graph, .input_shapes = shapes, .batch_statistics = TRUE};
  g_autoptr (GError) error = NULL;
  EnsValue *labels;
  EnsMap x;

  x = (EnsMap) {ens_graph_add_input (layers.graph, "x", ENS_TYPE_FLOAT32, &shapes[0]), 1};
  x = ens_layers_conv (&layers, "conv", x, &(EnsConvLayer) {.filters = CHANNELS, .kernel = 1});
  x = ens_layers_batch_norm (&layers, "norm", x);
  x = ens_layers_average (&layers, "mean", x);
  x = ens_layers_fully_connected (&layers, "logits", x, CLASSES);
  labels = ens_graph_add_input (layers.graph, "labels", ENS_TYPE_INT64, &shapes[1]);
  params.loss = ens_loss_cross_entropy (layers.graph, x.value, labels, NULL)->name;
  f->graph = layers.graph;
  f->step = ens_step_new (&params, device, &error);
  ck_assert_no_error (error);
  f->parameters = ens_step_get_parameters (f->step, &f->n);
  ck_assert_uint_eq (f->n, G_N_ELEMENTS (names));
  for (guint i = 0; i < f->n; i++)
    ck_assert_str_eq (f->parameters[i].name, names[i]);
}

static void
fixture_clear (Fixture *f)
{
  ens_step_free (f->step);
  ens_graph_free (f->graph);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

typedef struct {
  const char *name;
  EnsRegulariser regulariser;
  double value;
  double factors[G_N_ELEMENTS (names)];
} Row;

static const Row rows[] = {
    {"sum", {ENS_REGULARISER_SUM, 0.1}, 7.5, {1, 0.1, 0.1, 1, 0}},
    {"mean", {ENS_REGULARISER_MEAN, 0.1}, 3.75, {1, 0.05, 0.05, 1, 0}},
    {"mean-as-sum", {ENS_REGULARISER_MEAN, 0.1 * 4 / 2}, 3.75, {1, 0.1, 0.1, 1, 0}},
    {"none", {ENS_REGULARISER_SUM, 0}, 7.5, {1, 0, 0, 1, 0}},
};

START_TEST (test_value)
{
  const Row *row = &rows[_i];
  EnsParameterGroup groups[G_N_ELEMENTS (names)] = {{NULL}};
  g_auto (Fixture) f;

  fixture_init (&f);
  ck_assert_uint_eq (ens_regulariser_count (f.graph, f.parameters, f.n), 2 * CHANNELS);
  ck_assert_double_eq_tol (
      ens_regulariser_measure (row->regulariser.form, f.graph, f.parameters, f.n, values),
      row->value, 1e-12);
  ens_regulariser_set_decay (&row->regulariser, f.graph, f.parameters, f.n, groups);
  for (guint i = 0; i < f.n; i++)
    ck_assert_double_eq_tol (groups[i].decay_factor, row->factors[i], 1e-12);
}
END_TEST

/* λ R's central difference by the value of an element. */
static double
differentiate (const Fixture *f, const EnsRegulariser *regulariser, gsize at)
{
  float moved[G_N_ELEMENTS (values)];
  double sides[2];

  for (guint i = 0; i < 2; i++) {
    memcpy (moved, values, sizeof values);
    moved[at] += i == 0 ? 0.5f : -0.5f;
    sides[i] = ens_regulariser_measure (regulariser->form, f->graph, f->parameters, f->n, moved);
  }
  return DECAY * regulariser->share * (sides[0] - sides[1]);
}

/* Without another gradient a step of rate 1 takes the regulariser's. */
START_TEST (test_step)
{
  const EnsOptimiserOptions options = {.kind = ENS_OPTIMISER_SGD, .decay = DECAY};
  static const float zeroes[G_N_ELEMENTS (values)];
  EnsParameterGroup groups[G_N_ELEMENTS (names)] = {{NULL}};
  float after[G_N_ELEMENTS (values)];
  g_autoptr (EnsOptimiser) optimiser = NULL;
  g_auto (Fixture) f;

  fixture_init (&f);
  for (guint i = 0; i < f.n; i++)
    groups[i] = (EnsParameterGroup) {f.parameters[i].name, f.parameters[i].size, 1};
  ens_regulariser_set_decay (&rows[_i].regulariser, f.graph, f.parameters, f.n, groups);
  optimiser = ens_optimiser_new (&options, groups, f.n);
  memcpy (after, values, sizeof values);
  ens_optimiser_step (optimiser, 1, zeroes, after);
  for (gsize i = 0; i < 2 * CHANNELS; i++) {
    gsize at = f.parameters[1].offset + i;

    ck_assert_double_eq_tol (values[at] - after[at], differentiate (&f, &rows[_i].regulariser, at),
                             1e-6);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/regulariser");
  TEST_ADD_ROWS ("value", test_value, rows);
  TEST_ADD_ROWS ("step", test_step, rows);
  return test_run ();
}
