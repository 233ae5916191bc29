/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* com.microsoft's operators of 8-bit networks. */
#include <string.h>

#include "onnx/contributed.h"
#include "onnx/quantised.h"

static const EnsQuantised first = {0, 1, 2, -1}, second = {3, 4, 5, -1};

/* "QLinearSigmoid" → "Sigmoid". */
static const char *
find_real_operator (const EnsCompose *compose)
{
  return ens_onnx_text (compose->step->proto->op_type) + strlen ("QLinear");
}

static gboolean
read_channels_last (EnsCompose *compose)
{
  return ens_attributes_int (compose->step->attributes, "channels_last", 0) != 0;
}

/* One input, one output: X, its scale and zero point, Y's scale and zero point. */
gboolean
ens_onnx_import_qlinear_unary (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gboolean channels_last = read_channels_last (&compose);
  const char *x, *y;

  ens_compose_check_inputs (&compose, 2, 5);
  if (!compose.failed && !ens_compose_has_input (&compose, 3))
    ens_compose_fail (&compose, ENS_ERROR_FORMAT, "input 3, the scale of the output, is absent");
  /* Softmax has the axes of the opset that it was made from. */
  compose.opset = ens_attributes_int (step->attributes, "opset", compose.opset);
  x = ens_compose_reals (&compose, &first);
  x = ens_compose_to_first (&compose, channels_last, x);
  y = ens_compose (&compose, find_real_operator (&compose), ens_compose_rest (&compose), x, NULL);
  compose.opset = ENS_OP_NEWEST_OPSET;
  y = ens_compose_to_last (&compose, channels_last, y);
  return ens_compose_finish_rounded (&compose, y, 3, 4);
}

/* A, its scale and zero point, B, its scale and zero point, C's scale and zero point. */
gboolean
ens_onnx_import_qlinear_binary (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *a, *b, *c;

  ens_compose_check_inputs (&compose, 2, 8);
  for (guint i = second.tensor; i <= 6 && !compose.failed; i += i == second.tensor ? 1 : 2)
    if (!ens_compose_has_input (&compose, i))
      ens_compose_fail (&compose, ENS_ERROR_FORMAT, "input %u is absent, but is not optional", i);
  a = ens_compose_reals (&compose, &first);
  b = ens_compose_reals (&compose, &second);
  c = ens_compose (&compose, find_real_operator (&compose), NULL, a, b, NULL);
  return ens_compose_finish_rounded (&compose, c, 6, 7);
}

#define CONCAT_FIRST 2

/* Y's scale and zero point, then three inputs for each tensor. */
gboolean
ens_onnx_import_qlinear_concat (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  guint n = (MAX (step->n_inputs, CONCAT_FIRST) - CONCAT_FIRST + 2) / 3;
  g_autofree const char **parts = g_new0 (const char *, MAX (n, 1));
  const char *y = NULL;

  ens_compose_check_inputs (&compose, CONCAT_FIRST + 2, G_MAXINT);
  for (guint i = 0; i < n; i++) {
    EnsQuantised part = {CONCAT_FIRST + 3 * i, CONCAT_FIRST + 3 * i + 1, CONCAT_FIRST + 3 * i + 2,
                         -1};

    if (!compose.failed
        && (!ens_compose_has_input (&compose, part.tensor)
            || !ens_compose_has_input (&compose, part.scale)))
      ens_compose_fail (&compose, ENS_ERROR_FORMAT, "input %u or its scale is absent", part.tensor);
    parts[i] = ens_compose_reals (&compose, &part);
  }
  ens_compose_many (&compose, "Concat", ens_compose_rest (&compose), parts, n, &y, 1);
  return ens_compose_finish_rounded (&compose, y, 0, 1);
}

/* Condition, X, its scale and zero point, Y, its scale and zero point, Z's scale and zero point. */
gboolean
ens_onnx_import_qlinear_where (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *x, *y;

  ens_compose_check_inputs (&compose, 9, 9);
  x = ens_compose_reals (&compose, &(EnsQuantised) {1, 2, 3, -1});
  y = ens_compose_reals (&compose, &(EnsQuantised) {4, 5, 6, -1});
  return ens_compose_finish_rounded (
      &compose, ens_compose (&compose, "Where", NULL, ens_compose_input (&compose, 0), x, y, NULL),
      7, 8);
}

/* As Gemm, with a bias of 32 bits that alpha multiplies, too. Without a scale of the result that is
 * of real numbers. */
gboolean
ens_onnx_import_qgemm (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gboolean transposed = ens_attributes_int (step->attributes, "transB", 0) != 0;
  EnsQuantised weights = {3, 4, 5, transposed ? 0 : 1};
  const char *a, *b, *bias = "", *y;

  ens_attributes_set_float (step->attributes, "beta",
                            ens_attributes_float (step->attributes, "alpha", 1));
  ens_compose_check_inputs (&compose, 5, 9);
  a = ens_compose_reals (&compose, &first);
  b = ens_compose_reals (&compose, &weights);
  if (!compose.failed && ens_compose_has_input (&compose, 6))
    bias =
        ens_compose_bias (&compose, 6, &first, &weights, step->inputs[3]->shape.dims[weights.axis]);
  y = ens_compose (&compose, "Gemm", ens_compose_rest (&compose), a, b, bias, NULL);
  if (ens_compose_has_input (&compose, 7))
    return ens_compose_finish_rounded (&compose, y, 7, 8);
  ens_compose_result (&compose, 0, y);
  return ens_compose_finish_quantised (&compose);
}

/* Products of which only the weights stay quantised, or whose result is of real numbers. */
static gboolean
finish_product (EnsCompose *compose, const char *a, const EnsQuantised *weights, guint bias)
{
  EnsQuantised columns = *weights;
  const char *b, *y;

  if (!compose->failed)
    columns.axis = (gint64)compose->step->inputs[weights->tensor]->shape.rank - 1;
  b = ens_compose_reals (compose, &columns);
  y = ens_compose (compose, "MatMul", NULL, a, b, NULL);
  if (ens_compose_has_input (compose, bias))
    y = ens_compose (compose, "Add", NULL, y, ens_compose_input (compose, bias), NULL);
  ens_compose_result (compose, 0, y);
  return ens_compose_finish_quantised (compose);
}

gboolean
ens_onnx_import_dynamic_matmul (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *a;

  ens_compose_check_inputs (&compose, 3, 5);
  a = ens_compose_range_quantised (&compose, ens_compose_input (&compose, 0));
  return finish_product (&compose, a, &(EnsQuantised) {1, 2, 3, -1}, 4);
}

gboolean
ens_onnx_import_matmul_to_float (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *a;

  ens_compose_check_inputs (&compose, 4, 7);
  a = ens_compose_reals (&compose, &(EnsQuantised) {0, 2, 4, -1});
  return finish_product (&compose, a, &(EnsQuantised) {1, 3, 5, -1}, 6);
}
