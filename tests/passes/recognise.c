/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations and normalizations that exporters write as several operators. */
#include "build.h"

#include "check-main.h"
#include "passes/passes.h"

START_TEST (test_recognise_gate)
{
  EnsUnaryParams hard = {1 / 6.0f, 0.5f}, other = {0.2f, 0.5f};
  g_auto (Builder) b;
  EnsValue *x, *gate;

  builder_init (&b, 11);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (1, 3, 3, 2)), (ConvRow) {.filters = 4});
  x = build (&b, "Mul", NULL, build (&b, "Sigmoid", NULL, x, NULL), x, NULL);
  x = build_conv (&b, x, (ConvRow) {.filters = 4});
  x = build (&b, "Mul", NULL, x, build (&b, "HardSigmoid", &hard, x, NULL), NULL);
  /* Another slope, and a gate of something else. */
  x = build_conv (&b, x, (ConvRow) {.filters = 4});
  x = build (&b, "Mul", NULL, x, build (&b, "HardSigmoid", &other, x, NULL), NULL);
  gate = build (&b, "Sigmoid", NULL, build_conv (&b, x, (ConvRow) {.filters = 4}), NULL);
  x = build (&b, "Mul", NULL, x, gate, NULL);
  /* Read besides. */
  x = build_conv (&b, x, (ConvRow) {.filters = 4});
  gate = build (&b, "Mul", NULL, x, build (&b, "Sigmoid", NULL, x, NULL), NULL);
  x = build (&b, "Add", NULL, gate, x, NULL);
  /* Scaled. */
  gate = build (&b, "Mul", NULL, x, build_number (&b, 1.702F), NULL);
  x = build (&b, "Mul", NULL, build (&b, "Sigmoid", NULL, gate, NULL), x, NULL);
  check_pass (&b, x, ens_pass_recognise_activation,
              "Conv Swish Conv HardSwish Conv HardSigmoid Mul Conv Sigmoid Mul Conv Swish Add "
              "Swish");
}
END_TEST

/* The ways in which exporters write it. */
START_TEST (test_recognise_gelu)
{
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 13);
  x = build_input (&b, &ENS_SHAPE (2, 5, 7));
  y = build (&b, "Div", NULL, x, build_number (&b, 1.41421354F), NULL);
  y = build (&b, "Add", NULL, build (&b, "Erf", NULL, y, NULL), build_number (&b, 1), NULL);
  y = build (&b, "Mul", NULL, x, y, NULL);
  x = build (&b, "Mul", NULL, y, build_number (&b, 0.5F), NULL);
  /* Halved before. */
  y = build (&b, "Mul", NULL, x, build_number (&b, 0.70710677F), NULL);
  y = build (&b, "Add", NULL, build_number (&b, 1), build (&b, "Erf", NULL, y, NULL), NULL);
  x = build (&b, "Mul", NULL, build (&b, "Mul", NULL, x, build_number (&b, 0.5F), NULL), y, NULL);
  /* Another number. */
  y = build (&b, "Mul", NULL, x, build_number (&b, 0.8F), NULL);
  y = build (&b, "Add", NULL, build (&b, "Erf", NULL, y, NULL), build_number (&b, 1), NULL);
  y = build (&b, "Mul", NULL, x, y, NULL);
  x = build (&b, "Mul", NULL, y, build_number (&b, 0.5F), NULL);
  check_pass (&b, x, ens_pass_recognise_activation, "Gelu Gelu Mul Erf Add Mul Mul");
}
END_TEST

START_TEST (test_recognise_gelu_tanh)
{
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 14);
  x = build_input (&b, &ENS_SHAPE (2, 5, 7));
  y = build (&b, "Pow", NULL, x, build_number (&b, 3), NULL);
  y = build (&b, "Add", NULL, x, build (&b, "Mul", NULL, y, build_number (&b, 0.044715F), NULL),
             NULL);
  y = build (&b, "Tanh", NULL, build (&b, "Mul", NULL, y, build_number (&b, 0.7978846F), NULL),
             NULL);
  y = build (&b, "Add", NULL, y, build_number (&b, 1), NULL);
  x = build (&b, "Mul", NULL, build (&b, "Mul", NULL, x, build_number (&b, 0.5F), NULL), y, NULL);
  /* √(2 / π) · x · (1 + 0.044715 · x · x) */
  y = build (&b, "Mul", NULL, build (&b, "Mul", NULL, x, build_number (&b, 0.044715F), NULL), x,
             NULL);
  y = build (&b, "Add", NULL, build_number (&b, 1), y, NULL);
  y = build (&b, "Mul", NULL, build (&b, "Mul", NULL, x, build_number (&b, 0.7978846F), NULL), y,
             NULL);
  y = build (&b, "Add", NULL, build_number (&b, 1), build (&b, "Tanh", NULL, y, NULL), NULL);
  y = build (&b, "Mul", NULL, build (&b, "Mul", NULL, y, x, NULL), build_number (&b, 0.5F), NULL);
  check_pass (&b, y, ens_pass_recognise_activation, "Gelu Gelu");
}
END_TEST

/* √(mean (d²) + ε) */
static EnsValue *
build_root_with (Builder *b, EnsValue *square, gint64 axis, EnsValue *epsilon)
{
  EnsReduceParams mean = {.axes = {1, TRUE, {axis}}, .keepdims = TRUE};
  EnsValue *sum =
      build (b, "Add", NULL, build (b, "ReduceMean", &mean, square, NULL), epsilon, NULL);

  return build (b, "Sqrt", NULL, sum, NULL);
}

static EnsValue *
build_root (Builder *b, EnsValue *square, gint64 axis)
{
  return build_root_with (b, square, axis, build_number (b, 1e-5F));
}

/* Numbers whose rank the result has, too: ε, the power, and 1 of the reciprocal. */
static const struct {
  gboolean epsilon, power, one; /* of rank 4 */
  const char *ops;
} rank_rows[] = {
    {FALSE, FALSE, FALSE, "RMSNormalization"},
    {TRUE, FALSE, FALSE, "Pow ReduceMean Add Sqrt Div Mul"},
    {FALSE, TRUE, FALSE, "Pow ReduceMean Add Sqrt Div Mul"},
    {FALSE, FALSE, TRUE, "Pow ReduceMean Add Sqrt Div Mul"},
};

static EnsValue *
build_number_of_rank (Builder *b, float number, gboolean higher)
{
  g_autoptr (EnsTensor) tensor =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 1, 1, 1), &number);

  return higher ? ens_graph_add_constant (b->graph, "number", tensor) : build_number (b, number);
}

START_TEST (test_normalization_ranks)
{
  g_auto (Builder) b;
  EnsValue *x, *square, *root;

  builder_init (&b, 16);
  x = build_input (&b, &ENS_SHAPE (2, 5, 7));
  square = build (&b, "Pow", NULL, x, build_number_of_rank (&b, 2, rank_rows[_i].power), NULL);
  root = build_root_with (&b, square, -1, build_number_of_rank (&b, 1e-5F, rank_rows[_i].epsilon));
  root = build (&b, "Div", NULL, build_number_of_rank (&b, 1, rank_rows[_i].one), root, NULL);
  check_pass (&b, build (&b, "Mul", NULL, x, root, NULL), ens_pass_recognise_normalization,
              rank_rows[_i].ops);
}
END_TEST

START_TEST (test_recognise_normalization)
{
  EnsReduceParams mean = {.axes = {1, TRUE, {-1}}, .keepdims = TRUE};
  g_auto (Builder) b;
  EnsValue *x, *d, *root;

  builder_init (&b, 15);
  x = build_input (&b, &ENS_SHAPE (2, 5, 7));
  d = build (&b, "Sub", NULL, x, build (&b, "ReduceMean", &mean, x, NULL), NULL);
  root = build_root (&b, build (&b, "Pow", NULL, d, build_number (&b, 2), NULL), 2);
  x = build (&b, "Mul", NULL, build (&b, "Div", NULL, d, root, NULL),
             build_constant (&b, &ENS_SHAPE (7)), NULL);
  x = build (&b, "Add", NULL, x, build_constant (&b, &ENS_SHAPE (1, 1, 7)), NULL);
  /* By the root of the mean square, without a scale; and the reciprocal. */
  root = build_root (&b, build (&b, "Mul", NULL, x, x, NULL), -1);
  x = build (&b, "Div", NULL, x, root, NULL);
  x = build (&b, "Add", NULL, x, build_constant (&b, &ENS_SHAPE (2, 5, 7)), NULL);
  root = build (&b, "Reciprocal", NULL, build_root (&b, build (&b, "Mul", NULL, x, x, NULL), -1),
                NULL);
  x = build (&b, "Mul", NULL, build (&b, "Mul", NULL, x, root, NULL),
             build_constant (&b, &ENS_SHAPE (7)), NULL);
  /* Along another axis. */
  root = build_root (&b, build (&b, "Mul", NULL, x, x, NULL), 1);
  check_pass (&b, build (&b, "Div", NULL, x, root, NULL), ens_pass_recognise_normalization,
              "LayerNormalization RMSNormalization Add RMSNormalization Mul ReduceMean Add Sqrt "
              "Div");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/recognise");
  test_add ("activation/gate", test_recognise_gate);
  test_add ("activation/gelu", test_recognise_gelu);
  test_add ("activation/gelu-tanh", test_recognise_gelu_tanh);
  test_add ("normalization", test_recognise_normalization);
  TEST_ADD_LOOP ("normalization-ranks", test_normalization_ranks, rank_rows);
  return test_run ();
}
