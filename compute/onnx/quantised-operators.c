/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX's own operators of quantised networks. */
#include "onnx/quantised.h"

static const EnsQuantised first = {0, 1, 2, -1};

/* Opset 21 and 23 name the type of the result. Real numbers are all float32 here, and integers have
 * the type of their zero point. */
static void
check_output_type (EnsCompose *compose)
{
  gint64 type = ens_attributes_int (compose->step->attributes, "output_dtype", 0);

  switch (type) {
  case ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED:
  case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
  case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
  case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
  case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
    break;
  case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
  case ONNX__TENSOR_PROTO__DATA_TYPE__INT16:
  case ONNX__TENSOR_PROTO__DATA_TYPE__UINT16:
  case ENS_ONNX_INT4:
  case ENS_ONNX_UINT4:
    if (!ens_compose_has_input (compose, first.zero))
      ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                        "other types than uint8 are not supported without a zero point");
    break;
  default:
    ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                      "attribute “output_dtype” is ONNX's type %" G_GINT64_FORMAT
                      ", expected that of a float, or of integers of 4, 8 or 16 bits",
                      type);
  }
}

/* The first input, with what attributes say of it. */
static EnsQuantised
read_operand (EnsCompose *compose)
{
  EnsAttributes *attributes = compose->step->attributes;
  EnsQuantised operand = first;

  ens_compose_check_inputs (compose, 2, 3);
  operand.axis = ens_attributes_int (attributes, "axis", 1);
  if (operand.axis < 0 && !compose->failed)
    operand.axis += compose->step->inputs[0]->shape.rank;
  ens_attributes_ignore (attributes, "saturate"); /* of types that are not read */
  ens_attributes_ignore (attributes, "precision");
  operand.block = ens_attributes_int (attributes, "block_size", 0);
  if (operand.block < 0
      || (operand.block > 0 && !compose->failed
          && (operand.axis < 0 || operand.axis >= compose->step->inputs[0]->shape.rank)))
    ens_compose_fail (compose, ENS_ERROR_FORMAT,
                      "blocks of %" G_GINT64_FORMAT " along axis %" G_GINT64_FORMAT, operand.block,
                      operand.axis);
  check_output_type (compose);
  return operand;
}

gboolean
ens_onnx_import_quantize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  EnsQuantised operand = read_operand (&compose);

  if (compose.failed || !ens_onnx_tensor_is_known (import, step->inputs[0]))
    return ens_compose_finish_rounded (&compose, ens_compose_input (&compose, 0), operand.scale,
                                       operand.zero);
  ens_compose_integers (&compose, ens_compose_rounded (&compose, &operand));
  return ens_compose_finish_quantised (&compose);
}

gboolean
ens_onnx_import_dequantize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  EnsQuantised operand = read_operand (&compose);

  ens_compose_result (&compose, 0, ens_compose_reals (&compose, &operand));
  return ens_compose_finish_quantised (&compose);
}

/* The scale depends on the image. Real numbers need none: 1 and no offset. */
gboolean
ens_onnx_import_dynamic_quantize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  static const float one = 1;
  static const guint8 zero = 0;
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *parts[3];

  ens_compose_check_inputs (&compose, 1, 1);
  parts[0] = ens_compose_range_quantised (&compose, ens_compose_input (&compose, 0));
  parts[1] = ens_compose_known (&compose, "scale",
                                ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, &one));
  parts[2] = ens_compose_known (&compose, "zero",
                                ens_tensor_new_copy (ENS_TYPE_UINT8, &ENS_SHAPE_SCALAR, &zero));
  if (!compose.failed)
    ens_compose_find (&compose, parts[0])->scale = 1;
  ens_compose_integers (&compose, parts[0]);
  for (guint i = 1; i < MIN (step->proto->n_output, G_N_ELEMENTS (parts)); i++)
    if (*step->proto->output[i] != '\0')
      ens_compose_result (&compose, i, parts[i]);
  return ens_compose_finish_quantised (&compose);
}

gboolean
ens_onnx_import_qlinear_conv (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  static const EnsQuantised weights = {3, 4, 5, 0};
  EnsCompose compose = ens_compose_new (step, import, error);
  /* That of com.microsoft can. */
  gboolean last = !ens_onnx_is_own_domain (step->proto->domain)
                  && ens_attributes_int (step->attributes, "channels_last", 0) != 0;
  const char *x, *w, *y, *bias = "";

  ens_compose_check_inputs (&compose, 8, 9);
  x = ens_compose_to_first (&compose, last, ens_compose_reals (&compose, &first));
  w = ens_compose_reals (&compose, &weights);
  if (!compose.failed && ens_compose_has_input (&compose, 8))
    bias = ens_compose_bias (&compose, 8, &first, &weights, step->inputs[3]->shape.dims[0]);
  y = ens_compose (&compose, "Conv", ens_compose_rest (&compose), x, w, bias, NULL);
  return ens_compose_finish_rounded (&compose, ens_compose_to_last (&compose, last, y), 6, 7);
}

gboolean
ens_onnx_import_qlinear_matmul (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  EnsQuantised second = {3, 4, 5, -1};
  const char *a, *b;

  ens_compose_check_inputs (&compose, 8, 8);
  if (!compose.failed)
    second.axis = (gint64)step->inputs[3]->shape.rank - 1;
  a = ens_compose_reals (&compose, &first);
  b = ens_compose_reals (&compose, &second);
  return ens_compose_finish_rounded (&compose, ens_compose (&compose, "MatMul", NULL, a, b, NULL),
                                     6, 7);
}

/* Products of integers, whose scales the nodes behind multiply by. Real numbers have them already:
 * they are divided by. */
static gboolean
import_integer_product (EnsCompose *compose, const char *op, gint64 weights_axis)
{
  const EnsQuantised operands[] = {{0, ENS_NO_SCALE, 2, -1}, {1, ENS_NO_SCALE, 3, weights_axis}};
  const char *names[] = {"", ""}, *product;
  double scale = 1;

  for (guint i = 0; i < 2 && !compose->failed; i++) {
    const EnsOnnxTensor *tensor = compose->step->inputs[i];

    if (tensor->type == ENS_TYPE_FLOAT32 && tensor->scale == 0)
      ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED, "the scale of input “%s” is not known",
                        tensor->name);
    else if (tensor->type == ENS_TYPE_FLOAT32)
      scale *= tensor->scale;
    names[i] = ens_compose_reals (compose, &operands[i]);
  }
  product = ens_compose (compose, op, ens_compose_rest (compose), names[0], names[1], NULL);
  if (scale != 1)
    product =
        ens_compose (compose, "Mul", NULL, product, ens_compose_number (compose, 1 / scale), NULL);
  if (!compose->failed)
    ens_compose_find (compose, product)->scale = 1;
  ens_compose_result (compose, 0, product);
  return ens_compose_finish_quantised (compose);
}

gboolean
ens_onnx_import_conv_integer (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);

  ens_compose_check_inputs (&compose, 2, 4);
  return import_integer_product (&compose, "Conv", 0);
}

gboolean
ens_onnx_import_matmul_integer (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);

  ens_compose_check_inputs (&compose, 2, 4);
  return import_integer_product (&compose, "MatMul",
                                 compose.failed ? -1 : (gint64)step->inputs[1]->shape.rank - 1);
}
