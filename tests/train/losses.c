/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Losses and their gradients by hand. */
#include "train/losses.h"

#include "build.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "passes/backward.h"

#define MAX_VALUES 6

typedef enum {
  CROSS,
  CROSS_INDEX,
  BINARY,
  CONTOUR,
  CONTOUR_PLAIN,
  SQUARED,
  ABSOLUTE,
  SQUARES_REAL,
  SQUARES_FAKE,
  LOGISTIC_REAL,
  LOGISTIC_FAKE
} Kind;

typedef struct {
  const char *name;
  Kind kind;
  EnsShape shape; /* of x */
  float x[MAX_VALUES], targets[MAX_VALUES];
  gboolean weighted;
  float weights[MAX_VALUES];
  double loss;
  double gradient[MAX_VALUES];
} LossRow;

#define S2 0.11920292 /* 1 / (1 + e²) */

static const LossRow rows[] = {
    {"cross-entropy",
     CROSS,
     {2, {1, 2}},
     {0, 2},
     {1, 0},
     .loss = 2.1269280,
     .gradient = {S2 - 1, 1 - S2}},
    {"soft-targets",
     CROSS,
     {2, {1, 2}},
     {0, 0},
     {0.25, 0.75},
     .loss = 0.69314718,
     .gradient = {0.25, -0.25}},
    {"part-of-a-target",
     CROSS,
     {2, {1, 2}},
     {0, 0},
     {0.5, 0},
     .loss = 0.34657359,
     .gradient = {-0.25, 0.25}},
    {"mean",
     CROSS,
     {2, {2, 2}},
     {0, 2, 0, 0},
     {0, 1, 1, 0},
     .loss = (0.12692801 + 0.69314718) / 2,
     .gradient = {S2 / 2, -S2 / 2, -0.25, 0.25}},
    {"weights",
     CROSS,
     {2, {2, 2}},
     {0, 2, 0, 0},
     {0, 1, 1, 0},
     TRUE,
     {3, 1},
     .loss = (3 * 0.12692801 + 0.69314718) / 4,
     .gradient = {0.75 * S2, -0.75 * S2, -0.125, 0.125}},
    {"no-weight", CROSS, {2, {2, 2}}, {0, 2, 0, 0}, {0, 1, 1, 0}, TRUE, {0, 0}},
    {"far", CROSS, {2, {1, 2}}, {-20000, 20000}, {1, 0}, .loss = 40000, .gradient = {-1, 1}},
    {"indices",
     CROSS_INDEX,
     {2, {2, 2}},
     {0, 2, 0, 0},
     {1, 0},
     .loss = (0.12692801 + 0.69314718) / 2,
     .gradient = {S2 / 2, -S2 / 2, -0.25, 0.25}},
    {"index-left-out",
     CROSS_INDEX,
     {2, {2, 2}},
     {0, 2, 0, 0},
     {1, -1},
     .loss = 0.12692801,
     .gradient = {S2, -S2, 0, 0}},
    {"binary",
     BINARY,
     {1, {2}},
     {2, 0},
     {0, 1},
     .loss = (2.1269280 + 0.69314718) / 2,
     .gradient = {(1 - S2) / 2, -0.25}},
    {"binary-weights",
     BINARY,
     {1, {2}},
     {2, 0},
     {0, 1},
     TRUE,
     {1, 4},
     .loss = (2.1269280 + 4 * 0.69314718) / 5,
     .gradient = {(1 - S2) / 5, -0.4}},
    {"binary-far",
     BINARY,
     {1, {2}},
     {-20000, 20000},
     {1, 0},
     .loss = 20000,
     .gradient = {-0.5, 0.5}},
    {"contour",
     CONTOUR,
     {4, {1, 2, 2, 1}},
     {2, 5, 0, 2},
     {1, 0.29f, 0, 0},
     .loss = (2 * 0.12692801 + 1.1 * (0.69314718 + 2.1269280)) / 4.2,
     .gradient = {-2 * S2 / 4.2, 0, 0.55 / 4.2, 1.1 * (1 - S2) / 4.2}},
    {"contour-by-picture",
     CONTOUR,
     {4, {2, 1, 3, 1}},
     {0},
     {0.3f, 0, 0.1f, 1, 1, 0},
     .loss = 0.69314718,
     .gradient = {-0.25 / 2.45, 0.275 / 2.45, 0, -0.5 / 3 / 2.45, -0.5 / 3 / 2.45, 1.1 / 3 / 2.45}},
    {"contour-plain",
     CONTOUR_PLAIN,
     {4, {1, 2, 2, 1}},
     {2, 5, 0, 2},
     {1, -1, 0, 0},
     .loss = (0.12692801 + 0.69314718 + 2.1269280) / 3,
     .gradient = {-S2 / 3, 0, 0.5 / 3, (1 - S2) / 3}},
    {"contour-none", CONTOUR, {4, {1, 1, 3, 1}}, {2, 5, 0}, {0, -1, 0.2f}},
    {"squared", SQUARED, {1, {2}}, {1, 5}, {3, 4}, .loss = 2.5, .gradient = {-2, 1}},
    {"squared-masked",
     SQUARED,
     {1, {3}},
     {1, 5, 9},
     {3, 4, 0},
     TRUE,
     {1, 3, 0},
     .loss = 1.75,
     .gradient = {-1, 1.5, 0}},
    {"absolute", ABSOLUTE, {1, {2}}, {1, 5}, {3, 4}, .loss = 1.5, .gradient = {-0.5, 0.5}},
    {"least-squares-real", SQUARES_REAL, {1, {2}}, {3, 1}, .loss = 2, .gradient = {2, 0}},
    {"least-squares-fake", SQUARES_FAKE, {1, {2}}, {3, 1}, .loss = 5, .gradient = {3, 1}},
    {"logistic-real", LOGISTIC_REAL, {1, {1}}, {2}, .loss = 0.12692801, .gradient = {-S2}},
    {"logistic-fake", LOGISTIC_FAKE, {1, {1}}, {2}, .loss = 2.1269280, .gradient = {1 - S2}},
};

static EnsValue *
add_constant (EnsGraph *graph, const EnsShape *shape, const float *values)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, shape, values);

  return ens_graph_add_constant (graph, "constant", tensor);
}

static EnsValue *
add_indices (EnsGraph *graph, gint64 n, const float *values)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_INT64, &ENS_SHAPE (n));

  for (gint64 i = 0; i < n; i++)
    ((gint64 *)tensor->data)[i] = (gint64)values[i];
  return ens_graph_add_constant (graph, "indices", tensor);
}

static EnsValue *
add_loss (EnsGraph *graph, EnsValue *x, const LossRow *row)
{
  gboolean by_row = row->kind == CROSS || row->kind == CROSS_INDEX;
  const EnsShape *of_weights = by_row ? &ENS_SHAPE (row->shape.dims[0]) : &row->shape;
  EnsValue *weights = row->weighted ? add_constant (graph, of_weights, row->weights) : NULL;
  EnsValue *targets = row->kind == CROSS_INDEX
                          ? add_indices (graph, row->shape.dims[0], row->targets)
                          : add_constant (graph, &row->shape, row->targets);

  switch (row->kind) {
  case CROSS:
  case CROSS_INDEX:
    return ens_loss_cross_entropy (graph, x, targets, weights);
  case BINARY:
    return ens_loss_binary_cross_entropy (graph, x, targets, weights);
  case CONTOUR:
  case CONTOUR_PLAIN:
    return ens_loss_contour (graph, x, targets, row->kind == CONTOUR);
  case SQUARED:
    return ens_loss_squared_error (graph, x, targets, weights);
  case ABSOLUTE:
    return ens_loss_absolute_error (graph, x, targets, weights);
  case SQUARES_REAL:
  case SQUARES_FAKE:
    return ens_loss_adversarial (graph, ENS_ADVERSARIAL_LEAST_SQUARES, x,
                                 row->kind == SQUARES_REAL);
  default:
    return ens_loss_adversarial (graph, ENS_ADVERSARIAL_LOGISTIC, x, row->kind == LOGISTIC_REAL);
  }
}

START_TEST (test_loss)
{
  const LossRow *row = &rows[_i];
  g_autoptr (EnsGraph) graph = ens_graph_new ("loss");
  EnsValue *x = ens_graph_add_input (graph, "x", ENS_TYPE_FLOAT32, &row->shape), *gradient = NULL;
  EnsValue *loss = add_loss (graph, x, row);
  g_autoptr (EnsTensor) values = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &row->shape, row->x);
  g_autoptr (GPtrArray) outputs = NULL;
  g_autoptr (GError) error = NULL;

  ens_infer_graph (graph, &row->shape, &error);
  ck_assert_no_error (error);
  ens_graph_backward (graph, loss, &x, 1, &gradient, &error);
  ck_assert_no_error (error);
  ens_graph_add_output (graph, loss);
  ens_graph_add_output (graph, gradient);
  outputs = ens_interpret (graph, &values, &error);
  ck_assert_no_error (error);
  ck_assert_double_eq_tol (*(float *)((EnsTensor *)outputs->pdata[0])->data, row->loss,
                           1e-6 * (1 + row->loss));
  for (gint64 i = 0; i < ens_shape_elements (&row->shape); i++)
    ck_assert_double_eq_tol (((float *)((EnsTensor *)outputs->pdata[1])->data)[i], row->gradient[i],
                             1e-6);
}
END_TEST

START_TEST (test_sum)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("loss");
  EnsValue *x = ens_graph_add_input (graph, "x", ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR);
  g_autoptr (EnsTensor) value = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR);
  g_autoptr (GPtrArray) outputs = NULL;

  *(float *)value->data = 3;
  ck_assert (ens_loss_add (graph, x, 2, NULL) == x);
  ens_graph_add_output (graph, ens_loss_add (graph, x, 2, x));
  ens_graph_add_output (graph, ens_loss_add (graph, NULL, 2, x));
  outputs = ens_interpret (graph, &value, NULL);
  ck_assert_double_eq (*(float *)((EnsTensor *)outputs->pdata[0])->data, 9);
  ck_assert_double_eq (*(float *)((EnsTensor *)outputs->pdata[1])->data, 6);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/losses");
  TEST_ADD_ROWS ("loss", test_loss, rows);
  test_add ("sum", test_sum);
  return test_run ();
}
