/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quantised networks compute with the real numbers that their integers stand for, rounded as those
 * are. */
#include <math.h>
#include <string.h>

#include "check-main.h"
#include "cpu/interpret.h"
#include "models.h"
#include "onnx/onnx.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define INT8 ONNX__TENSOR_PROTO__DATA_TYPE__INT8
#define UINT8 ONNX__TENSOR_PROTO__DATA_TYPE__UINT8
#define INT32 ONNX__TENSOR_PROTO__DATA_TYPE__INT32

#define NUMBERS(...) \
  (const double[])   \
  {                  \
    __VA_ARGS__      \
  }
#define SCALAR(model, name, type, value) \
  model_add_numbers (model, name, type, &ENS_SHAPE_SCALAR, NUMBERS (value))

static void
add_cast (Onnx__ModelProto *model, const char *input, const char *output)
{
  node_add_int (model_add_node (model, "Cast", input, output), "to", FLOAT);
}

static void
saturation (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (4));
  SCALAR (model, "scale", FLOAT, 0.125);
  SCALAR (model, "zero", UINT8, 128);
  model_add_node (model, "QuantizeLinear", "x scale zero", "q");
  model_add_node (model, "DequantizeLinear", "q scale zero", "y");
}

/* Quantised from 0 on: exporters leave out the Relu before it. */
static void
without_zero (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (4));
  SCALAR (model, "scale", FLOAT, 0.125);
  model_add_node (model, "QuantizeLinear", "x scale", "q");
  model_add_node (model, "DequantizeLinear", "q scale", "y");
}

static void
weights_per_filter (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 1, 1, 2));
  model_add_numbers (model, "w", INT8, &ENS_SHAPE (2, 1, 1, 1), NUMBERS (10, 20));
  model_add_numbers (model, "scales", FLOAT, &ENS_SHAPE (2), NUMBERS (0.5, 0.25));
  model_add_numbers (model, "zeros", INT8, &ENS_SHAPE (2), NUMBERS (0, 10));
  node_add_int (model_add_node (model, "DequantizeLinear", "w scales zeros", "wr"), "axis", 0);
  model_add_node (model, "Conv", "x wr", "y");
}

/* Weights of a network trained for quantisation are still real: rounded at once. */
static void
weights_rounded (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (2));
  model_add_numbers (model, "w", FLOAT, &ENS_SHAPE (2), NUMBERS (0.26, 100));
  SCALAR (model, "scale", FLOAT, 0.125);
  SCALAR (model, "zero", INT8, 0);
  model_add_node (model, "QuantizeLinear", "w scale zero", "q");
  model_add_node (model, "DequantizeLinear", "q scale zero", "wr");
  model_add_node (model, "Add", "x wr", "y");
}

static void
qlinear_conv (Onnx__ModelProto *model)
{
  model_add_input (model, "x", UINT8, &ENS_SHAPE (1, 1, 1, 2));
  SCALAR (model, "xs", FLOAT, 0.5);
  SCALAR (model, "xz", UINT8, 128);
  model_add_numbers (model, "w", INT8, &ENS_SHAPE (1, 1, 1, 1), NUMBERS (4));
  SCALAR (model, "ws", FLOAT, 0.25);
  SCALAR (model, "wz", INT8, 0);
  SCALAR (model, "ys", FLOAT, 0.015625);
  SCALAR (model, "yz", UINT8, 0);
  model_add_numbers (model, "b", INT32, &ENS_SHAPE (1), NUMBERS (8));
  model_add_node (model, "QLinearConv", "x xs xz w ws wz ys yz b", "q");
  model_add_node (model, "MaxPool", "q", "p");
  node_add_ints (model->graph->node[1], "kernel_shape", (const gint64[]) {1, 1}, 2);
  model_add_node (model, "DequantizeLinear", "p ys yz", "y");
}

static void
qlinear_matmul (Onnx__ModelProto *model)
{
  model_add_input (model, "x", UINT8, &ENS_SHAPE (1, 2));
  SCALAR (model, "xs", FLOAT, 0.5);
  SCALAR (model, "xz", UINT8, 10);
  model_add_numbers (model, "w", UINT8, &ENS_SHAPE (2, 2), NUMBERS (1, 2, 3, 4));
  model_add_numbers (model, "ws", FLOAT, &ENS_SHAPE (2), NUMBERS (0.5, 2));
  model_add_numbers (model, "wz", UINT8, &ENS_SHAPE (2), NUMBERS (0, 2));
  SCALAR (model, "ys", FLOAT, 0.125);
  SCALAR (model, "yz", INT8, 0);
  model_add_node (model, "QLinearMatMul", "x xs xz w ws wz ys yz", "y");
}

static void
add_integer_product (Onnx__ModelProto *model, const char *inputs)
{
  model_add_numbers (model, "w", INT8, &ENS_SHAPE (2, 1), NUMBERS (3, 4));
  SCALAR (model, "wz", INT8, 1);
  model_add_node (model, "MatMulInteger", inputs, "i");
  add_cast (model, "i", "r");
}

/* As quantize_dynamic () of ONNX Runtime writes it: the weights' scale is 0.5. */
static void
dynamic (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 2));
  SCALAR (model, "ws", FLOAT, 0.5);
  model_add_node (model, "DynamicQuantizeLinear", "x", "q qs qz");
  add_integer_product (model, "q w qz wz");
  model_add_node (model, "Mul", "qs ws", "s");
  model_add_node (model, "Mul", "r s", "y");
}

static void
integer_product (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 2));
  SCALAR (model, "qs", FLOAT, 0.25);
  SCALAR (model, "qz", INT8, 0);
  SCALAR (model, "s", FLOAT, 0.125);
  model_add_node (model, "QuantizeLinear", "x qs qz", "q");
  add_integer_product (model, "q w qz wz");
  model_add_node (model, "Mul", "r s", "y");
}

static void
integer_conv (Onnx__ModelProto *model)
{
  model_add_input (model, "x", UINT8, &ENS_SHAPE (1, 1, 2, 1));
  model_add_numbers (model, "w", UINT8, &ENS_SHAPE (1, 1, 1, 1), NUMBERS (7));
  SCALAR (model, "xz", UINT8, 3);
  SCALAR (model, "wz", UINT8, 5);
  model_add_node (model, "ConvInteger", "x w xz wz", "y");
}

/* Contents as bytes, of types that the builder does not know. */
static void
add_bytes (Onnx__ModelProto *model, const char *name, int type, const EnsShape *shape,
           const char *bytes, gsize size)
{
  Onnx__TensorProto *tensor = model_add_numbers (model, name, UINT8, &ENS_SHAPE (0), NULL);

  tensor->data_type = type;
  tensor->n_dims = shape->rank;
  tensor->dims = g_renew (gint64, tensor->dims, MAX (shape->rank, 1));
  memcpy (tensor->dims, shape->dims, shape->rank * sizeof *tensor->dims);
  tensor->raw_data.data = g_memdup2 (bytes, size);
  tensor->raw_data.len = size;
}

static void
sixteen_bits (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (4));
  SCALAR (model, "scale", FLOAT, 0.125);
  add_bytes (model, "zero", ONNX__TENSOR_PROTO__DATA_TYPE__UINT16, &ENS_SHAPE_SCALAR, "\x08\x00",
             2);
  model_add_node (model, "QuantizeLinear", "x scale zero", "q");
  model_add_node (model, "DequantizeLinear", "q scale zero", "y");
}

static void
four_bits (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (4));
  SCALAR (model, "scale", FLOAT, 0.5);
  add_bytes (model, "zero", 21, &ENS_SHAPE_SCALAR, "\x08", 1);
  model_add_node (model, "QuantizeLinear", "x scale zero", "q");
  model_add_node (model, "DequantizeLinear", "q scale zero", "y");
}

/* 1, -2, 3 and -8, two of them to a scale. */
static void
four_bits_in_blocks (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 4));
  add_bytes (model, "w", 22, &ENS_SHAPE (4, 1), "\xe1\x83", 2);
  model_add_numbers (model, "scales", FLOAT, &ENS_SHAPE (2, 1), NUMBERS (0.5, 10));
  node_add_int (model_add_node (model, "DequantizeLinear", "w scales", "wr"), "axis", 0);
  node_add_int (model->graph->node[0], "block_size", 2);
  model_add_node (model, "MatMul", "x wr", "y");
}

/* The last block is shorter. */
static void
blocks_along_rows (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (2, 3));
  model_add_numbers (model, "w", UINT8, &ENS_SHAPE (2, 3), NUMBERS (1, 2, 3, 4, 5, 6));
  model_add_numbers (model, "scales", FLOAT, &ENS_SHAPE (2, 2), NUMBERS (1, 10, 100, 1000));
  model_add_numbers (model, "zeros", UINT8, &ENS_SHAPE (2, 2), NUMBERS (1, 0, 0, 5));
  node_add_int (model_add_node (model, "DequantizeLinear", "w scales zeros", "wr"), "axis", 1);
  node_add_int (model->graph->node[0], "block_size", 2);
  model_add_node (model, "Add", "x wr", "y");
}

typedef struct {
  const char *name;
  void (*build) (Onnx__ModelProto *model);
  guint n_inputs;
  double input[6];
  guint n_outputs;
  double expected[6]; /* channels last */
  guint n_quantised;  /* nodes */
} Row;

static const Row rows[] = {
    {"saturation", saturation, 4, {-1, 0.3, -20, 99}, 4, {-1, 0.25, -16, 15.875}, 2},
    {"sixteen-bits", sixteen_bits, 4, {-2, 0.3, 20, 9999}, 4, {-1, 0.25, 20, 8190.875}, 2},
    {"four-bits", four_bits, 4, {-20, 0.3, 2, 20}, 4, {-4, 0.5, 2, 3.5}, 2},
    {"four-bits-in-blocks", four_bits_in_blocks, 4, {1, 10, 100, 1000}, 1, {-77009.5}, 1},
    {"blocks-along-rows",
     blocks_along_rows,
     6,
     {0, 0, 0, 0, 0, 0},
     6,
     {0, 1, 30, 400, 500, 1000},
     1},
    {"without-zero", without_zero, 4, {-1, 0.3, 20, 99}, 4, {0, 0.25, 20, 31.875}, 2},
    {"weights-per-filter", weights_per_filter, 2, {1, 2}, 4, {5, 2.5, 10, 5}, 1},
    {"weights-rounded", weights_rounded, 2, {1, 2}, 2, {1.25, 17.875}, 2},
    {"qlinear-conv", qlinear_conv, 2, {130, 140}, 2, {2, 3.984375}, 2},
    {"qlinear-matmul", qlinear_matmul, 2, {12, 14}, 2, {3.5, 8}, 1},
    {"dynamic", dynamic, 2, {1, -2}, 1, {-2}, 2},
    {"integer-product", integer_product, 2, {1, -2}, 1, {-2}, 2},
    {"integer-conv", integer_conv, 2, {4, 6}, 2, {2, 6}, 1},
};

static EnsGraph *
import_row (void (*build) (Onnx__ModelProto *model), GError **error)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;

  build (model);
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1));
  bytes = model_pack (model);
  return ens_onnx_import_bytes (bytes, "quantised.onnx", NULL, NULL, error);
}

static EnsTensor *
make_input (const EnsValue *value, const Row *row)
{
  EnsTensor *tensor = ens_tensor_new (value->type, &value->shape);

  ck_assert_int_eq (ens_shape_elements (&value->shape), row->n_inputs);
  for (guint i = 0; i < row->n_inputs; i++)
    if (value->type == ENS_TYPE_FLOAT32)
      ((float *)tensor->data)[i] = (float)row->input[i];
    else
      ((guint8 *)tensor->data)[i] = (guint8)row->input[i];
  return tensor;
}

static void
assert_note (const EnsGraph *graph, const Row *row)
{
  g_autofree char *n =
      g_strdup_printf ("quantised (%u nodes, the first is node “", row->n_quantised);

  ck_assert_uint_eq (graph->notes->len, 1);
  ck_assert_contains (g_ptr_array_index (graph->notes, 0), n);
}

START_TEST (test_row)
{
  const Row *row = &rows[_i];
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = import_row (row->build, &error);
  g_autoptr (EnsGraph) copy = NULL;
  g_autoptr (EnsTensor) input = NULL;
  g_autoptr (GPtrArray) outputs = NULL;
  const EnsTensor *output;

  ck_assert_no_error (error);
  copy = ens_graph_copy (graph);
  assert_note (copy, row);
  input = make_input (g_ptr_array_index (graph->inputs, 0), row);
  outputs = ens_interpret (graph, (EnsTensor *[]) {input}, &error);
  ck_assert_no_error (error);
  output = g_ptr_array_index (outputs, 0);
  ck_assert_int_eq (output->type, ENS_TYPE_FLOAT32);
  ck_assert_int_eq (ens_shape_elements (&output->shape), row->n_outputs);
  for (guint i = 0; i < row->n_outputs; i++)
    ck_assert_double_eq_tol (((const float *)output->data)[i], row->expected[i], 1e-6);
}
END_TEST

/* What can't be */

static void
computed_scale (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (4));
  model_add_input (model, "scale", FLOAT, &ENS_SHAPE (1));
  model_add_node (model, "QuantizeLinear", "x scale", "y");
}

static void
negative_scale (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (4));
  SCALAR (model, "scale", FLOAT, -1);
  model_add_node (model, "QuantizeLinear", "x scale", "y");
}

static void
uneven_scales (Onnx__ModelProto *model)
{
  model_add_numbers (model, "x", INT8, &ENS_SHAPE (2, 3), NUMBERS (1, 2, 3, 4, 5, 6));
  model_add_numbers (model, "scale", FLOAT, &ENS_SHAPE (2), NUMBERS (1, 2));
  model_add_node (model, "DequantizeLinear", "x scale", "y");
}

static void
several_scales (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (2, 2));
  model_add_numbers (model, "scale", FLOAT, &ENS_SHAPE (2), NUMBERS (1, 2));
  model_add_node (model, "QuantizeLinear", "x scale", "y");
}

static void
unknown_scale (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 2));
  add_integer_product (model, "x w");
  model_add_node (model, "Identity", "r", "y");
}

static void
odd_blocks (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (4));
  model_add_numbers (model, "w", INT8, &ENS_SHAPE (4), NUMBERS (1, 2, 3, 4));
  model_add_numbers (model, "scales", FLOAT, &ENS_SHAPE (3), NUMBERS (1, 1, 1));
  node_add_int (model_add_node (model, "DequantizeLinear", "w scales", "y"), "axis", 0);
  node_add_int (model->graph->node[0], "block_size", 2);
}

static void
absent_input (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 2));
  model_add_node (model, "DequantizeLinear", "x", "y");
}

static const struct {
  void (*build) (Onnx__ModelProto *model);
  int code;
  const char *message;
} errors_errors[] = {
    {computed_scale, ENS_ERROR_UNSUPPORTED,
     "node “QuantizeLinear0” (QuantizeLinear): input 1, “scale”, must be known before "
     "running"},
    {negative_scale, ENS_ERROR_FORMAT, "a scale is -1"},
    {uneven_scales, ENS_ERROR_SHAPE, "input 1 has 2 scales or zero points, expected 1 or 3"},
    {several_scales, ENS_ERROR_UNSUPPORTED, "several scales for the results of a node"},
    {unknown_scale, ENS_ERROR_UNSUPPORTED, "the scale of input “x” is not known"},
    {odd_blocks, ENS_ERROR_SHAPE, "input 1 has 3 scales or zero points, expected 1 or 2"},
    {absent_input, ENS_ERROR_FORMAT, "1 inputs, expected 2 to 3"},
};

START_TEST (test_errors)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = import_row (errors_errors[_i].build, &error);

  ck_assert_ptr_null (graph);
  ck_assert_error (error, ENS_ERROR, errors_errors[_i].code);
  ck_assert_contains (error->message, errors_errors[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("graph/onnx-quantised");
  TEST_ADD_ROWS (NULL, test_row, rows);
  TEST_ADD_LOOP ("errors", test_errors, errors_errors);
  return test_run ();
}
