/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks of 8-bit integers, loaded as the networks of real numbers that they stand for.
 *
 * A quantised tensor q stands for the real numbers (q − zero point) · scale (Jacob et al.,
 * "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
 * 2018). Import keeps those: weights are dequantised once, and nodes become those of real
 * arithmetic, without the rounding to 256 steps. What is kept is saturation, because networks rely
 * on it: a Relu before a quantisation from 0 on is often left out. */
#include <math.h>
#include <string.h>

#include "onnx/import.h"

/* What a node of the file becomes: nodes of other operators between tensors by name. */

/* A name like "NAME/SUFFIX" that no tensor of the file has. */
static char *
make_name (const EnsOnnxImport *import, const char *name, const char *suffix)
{
  char *unique = g_strdup_printf ("%s/%s", name, suffix);

  while (ens_onnx_import_find (import, unique) != NULL
         || g_hash_table_contains (import->written, unique)) {
    char *longer = g_strconcat (unique, "'", NULL);

    g_free (unique);
    unique = longer;
  }
  return unique;
}

/* Adds a tensor with known contents and returns its name; takes the contents over. */
static const char *
add_known (EnsOnnxImport *import, const char *name, const char *suffix, EnsTensor *contents)
{
  g_autofree char *unique = make_name (import, name, suffix);
  EnsOnnxTensor *tensor = ens_onnx_import_add (import, unique, NULL);

  tensor->type = contents->type;
  tensor->shape = contents->shape;
  tensor->contents = contents;
  return tensor->name;
}

static const char *
add_number (EnsOnnxImport *import, const char *name, const char *suffix, double number)
{
  float value = (float)number;

  return add_known (import, name, suffix,
                    ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, &value));
}

#define MAX_INPUTS 3

typedef struct {
  const char *op;
  const char *inputs[MAX_INPUTS]; /* up to a NULL */
  const char *output;
  Onnx__AttributeProto **attributes;
  gsize n_attributes;
} NewNode;

static gboolean
add_node (const EnsOnnxStep *step, EnsOnnxImport *import, const NewNode *node, GError **error)
{
  Onnx__NodeProto proto = ONNX__NODE_PROTO__INIT;
  char *inputs[MAX_INPUTS], *output = (char *)node->output;

  for (guint i = 0; i < MAX_INPUTS && node->inputs[i] != NULL; i++)
    inputs[proto.n_input++] = (char *)node->inputs[i];
  proto.op_type = (char *)node->op;
  proto.name = (char *)step->name;
  proto.input = inputs;
  proto.n_output = 1;
  proto.output = &output;
  proto.n_attribute = node->n_attributes;
  proto.attribute = node->attributes;
  return ens_onnx_import_node (import, &proto, error);
}

/* The node is done: its attributes went to the nodes that stand for it. */
static gboolean
finish (EnsOnnxStep *step, EnsOnnxImport *import)
{
  step->done = TRUE;
  if (import->n_quantised++ == 0)
    import->first_quantised = g_strdup (step->what);
  return TRUE;
}

/* Scales and zero points */

typedef struct {
  gint64 n; /* 1, or one per position along the axis */
  double *scales, *zeros;
  double low, high; /* what the integers can hold */
} Quantisation;

static void
quantisation_clear (Quantisation *quantisation)
{
  g_free (quantisation->scales);
  g_free (quantisation->zeros);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Quantisation, quantisation_clear)

static double
get_number (const EnsTensor *tensor, gint64 i)
{
  switch (tensor->type) {
  case ENS_TYPE_FLOAT32:
    return ((const float *)tensor->data)[i];
  case ENS_TYPE_INT64:
    return (double)((const gint64 *)tensor->data)[i];
  case ENS_TYPE_INT32:
    return ((const gint32 *)tensor->data)[i];
  case ENS_TYPE_INT8:
    return ((const gint8 *)tensor->data)[i];
  default:
    return ((const guint8 *)tensor->data)[i];
  }
}

/* The contents of an input that has to be known; NULL with an error. (transfer full) */
static EnsTensor *
read_input (const EnsOnnxStep *step, EnsOnnxImport *import, guint input, GError **error)
{
  EnsOnnxTensor *tensor = step->inputs[input];

  if (ens_onnx_tensor_is_known (import, tensor))
    return ens_onnx_tensor_contents (import, tensor, error);
  ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                      "input %u, a scale or zero point, must be known before running", input);
  return NULL;
}

static gboolean
is_present (const EnsOnnxStep *step, guint input)
{
  return input < step->n_inputs && step->inputs[input] != NULL;
}

/* Numbers of an input, as many as `n` or a single one for all; absent: all `absent`. (transfer
 * full) */
static double *
read_numbers (const EnsOnnxStep *step, EnsOnnxImport *import, guint input, gint64 n, double absent,
              GError **error)
{
  g_autoptr (EnsTensor) contents = NULL;
  double *numbers;
  gint64 found;

  if (is_present (step, input) && (contents = read_input (step, import, input, error)) == NULL)
    return NULL;
  found = contents != NULL ? ens_shape_elements (&contents->shape) : 1;
  if (found != 1 && found != n) {
    ens_onnx_step_fail (step, error, ENS_ERROR_SHAPE,
                        "input %u has %" G_GINT64_FORMAT
                        " scales or zero points, expected 1 or %" G_GINT64_FORMAT,
                        input, found, n);
    return NULL;
  }
  numbers = g_new (double, (gsize)n);
  for (gint64 i = 0; i < n; i++)
    numbers[i] = contents != NULL ? get_number (contents, found == 1 ? 0 : i) : absent;
  return numbers;
}

/* Input `scale` (G_MAXUINT: scales of 1) and the one behind it, `zero`, for n positions. */
static gboolean
read_quantisation (const EnsOnnxStep *step, EnsOnnxImport *import, guint scale, guint zero,
                   gint64 n, Quantisation *quantisation, GError **error)
{
  *quantisation = (Quantisation) {.n = n, .high = 255};
  quantisation->scales = read_numbers (step, import, scale, n, 1, error);
  if (quantisation->scales == NULL)
    return FALSE;
  quantisation->zeros = read_numbers (step, import, zero, n, 0, error);
  if (quantisation->zeros == NULL)
    return FALSE;
  for (gint64 i = 0; i < n; i++)
    if (!(quantisation->scales[i] > 0) || !isfinite (quantisation->scales[i]))
      return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT, "a scale is %g",
                                 quantisation->scales[i]);
  if (is_present (step, zero) && step->inputs[zero]->type == ENS_TYPE_INT8) {
    quantisation->low = -128;
    quantisation->high = 127;
  }
  return TRUE;
}

/* How many scales an input may have: one, or one per position along the axis. */
static gint64
count_scales (const EnsOnnxStep *step, guint scale, const EnsShape *shape, gint64 axis)
{
  gboolean several = is_present (step, scale) && step->inputs[scale]->shape.rank == 1
                     && step->inputs[scale]->shape.dims[0] != 1;

  return several && axis >= 0 && axis < shape->rank ? shape->dims[axis] : 1;
}

/* Real numbers */

/* Element i of a tensor lies at this position along the axis. */
static gint64
find_position (const EnsShape *shape, gint64 axis, gint64 n, gint64 i)
{
  return n == 1 ? 0 : i / ens_shape_span (shape, (guint)axis + 1, shape->rank) % n;
}

/* (transfer full) */
static EnsTensor *
dequantise (const EnsTensor *integers, gint64 axis, const Quantisation *quantisation)
{
  EnsTensor *reals = ens_tensor_new (ENS_TYPE_FLOAT32, &integers->shape);
  gint64 n = ens_shape_elements (&integers->shape);

  for (gint64 i = 0; i < n; i++) {
    gint64 at = find_position (&integers->shape, axis, quantisation->n, i);

    ((float *)reals->data)[i] =
        (float)((get_number (integers, i) - quantisation->zeros[at]) * quantisation->scales[at]);
  }
  return reals;
}

/* Rounded and saturated as integers would be. (transfer full) */
static EnsTensor *
round_reals (const EnsTensor *exact, gint64 axis, const Quantisation *quantisation)
{
  EnsTensor *rounded = ens_tensor_new (ENS_TYPE_FLOAT32, &exact->shape);
  gint64 n = ens_shape_elements (&exact->shape);

  for (gint64 i = 0; i < n; i++) {
    gint64 at = find_position (&exact->shape, axis, quantisation->n, i);
    double scale = quantisation->scales[at], zero = quantisation->zeros[at];
    double q = nearbyint (get_number (exact, i) / scale) + zero;

    ((float *)rounded->data)[i] =
        (float)((fmin (fmax (q, quantisation->low), quantisation->high) - zero) * scale);
  }
  return rounded;
}

/* A vector as an operand for tensors of this shape, along the axis. */
static const char *
add_vector (const EnsOnnxStep *step, EnsOnnxImport *import, const char *suffix,
            const double *numbers, gint64 n, const EnsShape *shape, gint64 axis)
{
  EnsShape vector = {.rank = n > 1 ? shape->rank - (guint)axis : 0};
  EnsTensor *contents;

  for (guint i = 0; i < vector.rank; i++)
    vector.dims[i] = i == 0 ? n : 1;
  contents = ens_tensor_new (ENS_TYPE_FLOAT32, &vector);
  for (gint64 i = 0; i < n; i++)
    ((float *)contents->data)[i] = (float)numbers[i];
  return add_known (import, step->name, suffix, contents);
}

/* Nodes that dequantise integers which are not known: inputs of the graph. */
static gboolean
add_dequantisation (const EnsOnnxStep *step, EnsOnnxImport *import, const EnsOnnxTensor *integers,
                    gint64 axis, const Quantisation *quantisation, const char *output,
                    GError **error)
{
  Onnx__AttributeProto to = ONNX__ATTRIBUTE_PROTO__INIT, *attributes[] = {&to};
  g_autofree char *cast = make_name (import, output, "cast");
  g_autofree char *centred = make_name (import, output, "centred");
  const char *zeros, *scales;

  to.name = (char *)"to";
  to.has_type = to.has_i = TRUE;
  to.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
  to.i = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  zeros = add_vector (step, import, "zero", quantisation->zeros, quantisation->n, &integers->shape,
                      axis);
  scales = add_vector (step, import, "scale", quantisation->scales, quantisation->n,
                       &integers->shape, axis);
  return add_node (step, import, &(NewNode) {"Cast", {integers->name}, cast, attributes, 1}, error)
         && add_node (step, import, &(NewNode) {"Sub", {cast, zeros}, centred}, error)
         && add_node (step, import, &(NewNode) {"Mul", {centred, scales}, output}, error);
}

/* Where an operator has its inputs: a quantised tensor, its scale and its zero point. */
typedef struct {
  guint tensor, scale, zero; /* scale G_MAXUINT: 1 */
  gint64 axis;               /* along which there may be several scales */
} Operand;

/* The name of a tensor with the operand's real numbers, or NULL. What the file says of the scale of
 * a tensor that has real numbers already makes no difference. (transfer full) */
static char *
find_reals (const EnsOnnxStep *step, EnsOnnxImport *import, const Operand *operand, GError **error)
{
  EnsOnnxTensor *tensor = step->inputs[operand->tensor];
  g_autofree char *name = NULL;
  g_auto (Quantisation) quantisation = {0};
  gint64 n = count_scales (step, operand->scale, &tensor->shape, operand->axis);

  if (tensor->type == ENS_TYPE_FLOAT32)
    return g_strdup (tensor->name);
  if (!read_quantisation (step, import, operand->scale, operand->zero, n, &quantisation, error))
    return NULL;
  if (ens_onnx_tensor_is_known (import, tensor)) {
    g_autoptr (EnsTensor) integers = ens_onnx_tensor_contents (import, tensor, error);

    return integers != NULL ? g_strdup (add_known (
               import, tensor->name, "real", dequantise (integers, operand->axis, &quantisation)))
                            : NULL;
  }
  name = make_name (import, step->name, tensor->name);
  return add_dequantisation (step, import, tensor, operand->axis, &quantisation, name, error)
             ? g_steal_pointer (&name)
             : NULL;
}

/* Integers hold no more than 256 numbers, and neither do the real ones that stand for them. */
static gboolean
add_saturation (const EnsOnnxStep *step, EnsOnnxImport *import, const char *input, guint scale,
                guint zero, GError **error)
{
  g_auto (Quantisation) quantisation = {0};
  const char *output = step->proto->output[0], *low, *high;
  double unit;

  if (is_present (step, scale) && step->inputs[scale]->shape.rank > 0
      && ens_shape_elements (&step->inputs[scale]->shape) != 1)
    return ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                               "several scales for the results of a node, supported is one");
  if (!read_quantisation (step, import, scale, zero, 1, &quantisation, error))
    return FALSE;
  unit = quantisation.scales[0];
  low = add_number (import, output, "low", (quantisation.low - quantisation.zeros[0]) * unit);
  high = add_number (import, output, "high", (quantisation.high - quantisation.zeros[0]) * unit);
  if (!add_node (step, import, &(NewNode) {"Clip", {input, low, high}, output}, error))
    return FALSE;
  ens_onnx_import_find (import, output)->scale = unit;
  return TRUE;
}

/* Operators */

static gboolean
check_inputs (const EnsOnnxStep *step, guint min, guint max, GError **error)
{
  if (step->n_inputs < min || step->n_inputs > max || step->proto->n_output < 1)
    return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT, "%u inputs, expected %u to %u",
                               step->n_inputs, min, max);
  for (guint i = 0; i < min; i++)
    if (step->inputs[i] == NULL)
      return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT,
                                 "input %u is absent, but is not optional", i);
  return TRUE;
}

/* Opset 21 and 23 name the type of the result. Real numbers are all float32 here, and integers have
 * the type of their zero point. */
static gboolean
check_output_type (const EnsOnnxStep *step, GError **error)
{
  gint64 type = ens_attributes_int (step->attributes, "output_dtype", 0);

  switch (type) {
  case ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED:
  case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
  case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
  case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
  case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
    return TRUE;
  case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
    return is_present (step, 2)
           || ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                                  "int8 without a zero point is not supported");
  default:
    return ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                               "attribute “output_dtype” is ONNX's type %" G_GINT64_FORMAT
                               ", expected that of a float, uint8 or int8",
                               type);
  }
}

/* The attribute `axis` of the first input, and what says nothing new. */
static gboolean
read_axis (EnsOnnxStep *step, gint64 *axis, GError **error)
{
  guint rank = step->inputs[0]->shape.rank;

  *axis = ens_attributes_int (step->attributes, "axis", 1);
  if (*axis < 0)
    *axis += rank;
  ens_attributes_ignore (step->attributes, "saturate"); /* of types that are not read */
  ens_attributes_ignore (step->attributes, "precision");
  if (ens_attributes_int (step->attributes, "block_size", 0) != 0)
    return ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                               "scales of blocks (block_size) are not supported");
  if (!check_output_type (step, error))
    return FALSE;
  return ens_attributes_finish (step->attributes, step->what, error);
}

gboolean
ens_onnx_import_quantize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  g_auto (Quantisation) quantisation = {0};
  g_autoptr (EnsTensor) exact = NULL;
  EnsOnnxTensor *output;
  gint64 axis, n;

  if (!check_inputs (step, 2, 3, error) || !read_axis (step, &axis, error))
    return FALSE;
  if (!ens_onnx_tensor_is_known (import, step->inputs[0]))
    return add_saturation (step, import, step->inputs[0]->name, 1, 2, error)
           && finish (step, import);
  n = count_scales (step, 1, &step->inputs[0]->shape, axis);
  exact = ens_onnx_tensor_contents (import, step->inputs[0], error);
  if (exact == NULL || !read_quantisation (step, import, 1, 2, n, &quantisation, error)
      || (output = ens_onnx_import_add (import, step->proto->output[0], error)) == NULL)
    return FALSE;
  output->contents = round_reals (exact, axis, &quantisation);
  output->type = output->contents->type;
  output->shape = output->contents->shape;
  output->scale = n == 1 ? quantisation.scales[0] : 0;
  return finish (step, import);
}

gboolean
ens_onnx_import_dequantize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  g_autofree char *reals = NULL;
  gint64 axis;

  if (!check_inputs (step, 2, 3, error) || !read_axis (step, &axis, error))
    return FALSE;
  reals = find_reals (step, import, &(Operand) {0, 1, 2, axis}, error);
  return reals != NULL
         && add_node (step, import, &(NewNode) {"Identity", {reals}, step->proto->output[0]}, error)
         && finish (step, import);
}

/* The scale would depend on the image. Real numbers need none: 1 and no offset. */
gboolean
ens_onnx_import_dynamic_quantize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  static const float one = 1;
  static const guint8 zero = 0;
  char **names = step->proto->output;
  const struct {
    EnsType type;
    gconstpointer number;
  } rows[] = {{ENS_TYPE_FLOAT32, &one}, {ENS_TYPE_UINT8, &zero}};

  if (!check_inputs (step, 1, 1, error)
      || !ens_attributes_finish (step->attributes, step->what, error)
      || !add_node (step, import, &(NewNode) {"Identity", {step->inputs[0]->name}, names[0]},
                    error))
    return FALSE;
  ens_onnx_import_find (import, names[0])->scale = 1;
  for (gsize i = 1; i < MIN (step->proto->n_output, 3); i++) {
    EnsOnnxTensor *tensor = ens_onnx_import_add (import, names[i], error);

    if (tensor == NULL)
      return FALSE;
    tensor->type = rows[i - 1].type;
    tensor->shape = ENS_SHAPE_SCALAR;
    tensor->contents = ens_tensor_new_copy (tensor->type, &tensor->shape, rows[i - 1].number);
  }
  return finish (step, import);
}

/* The bias is of 32 bits, its scale the product of the other two. */
static const char *
add_bias (const EnsOnnxStep *step, EnsOnnxImport *import, gint64 filters, GError **error)
{
  g_auto (Quantisation) x = {0};
  g_auto (Quantisation) w = {0};
  g_autoptr (EnsTensor) integers = NULL;

  if (!read_quantisation (step, import, 1, 2, 1, &x, error)
      || !read_quantisation (step, import, 4, 5, filters, &w, error)
      || (integers = read_input (step, import, 8, error)) == NULL)
    return NULL;
  if (integers->shape.rank != 1 || integers->shape.dims[0] != filters) {
    ens_onnx_step_fail (step, error, ENS_ERROR_SHAPE, "the bias is no vector of %" G_GINT64_FORMAT,
                        filters);
    return NULL;
  }
  for (gint64 i = 0; i < filters; i++) {
    w.scales[i] *= x.scales[0];
    w.zeros[i] = 0;
  }
  return add_known (import, step->name, "bias", dequantise (integers, 0, &w));
}

gboolean
ens_onnx_import_qlinear_conv (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  g_autofree char *x = NULL, *w = NULL, *exact = NULL;
  const char *bias = NULL;

  if (!check_inputs (step, 8, 9, error))
    return FALSE;
  x = find_reals (step, import, &(Operand) {0, 1, 2, -1}, error);
  w = x != NULL ? find_reals (step, import, &(Operand) {3, 4, 5, 0}, error) : NULL;
  if (w == NULL)
    return FALSE;
  if (is_present (step, 8)) {
    bias = add_bias (step, import,
                     step->inputs[3]->shape.rank > 0 ? step->inputs[3]->shape.dims[0] : 0, error);
    if (bias == NULL)
      return FALSE;
  }
  exact = make_name (import, step->proto->output[0], "exact");
  return add_node (
             step, import,
             &(NewNode) {
                 "Conv", {x, w, bias}, exact, step->proto->attribute, step->proto->n_attribute},
             error)
         && add_saturation (step, import, exact, 6, 7, error) && finish (step, import);
}

gboolean
ens_onnx_import_qlinear_matmul (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  g_autofree char *a = NULL, *b = NULL, *exact = NULL;

  if (!check_inputs (step, 8, 8, error)
      || !ens_attributes_finish (step->attributes, step->what, error))
    return FALSE;
  a = find_reals (step, import, &(Operand) {0, 1, 2, -1}, error);
  b = a != NULL ? find_reals (step, import,
                              &(Operand) {3, 4, 5, (gint64)step->inputs[3]->shape.rank - 1}, error)
                : NULL;
  exact = make_name (import, step->proto->output[0], "exact");
  return b != NULL && add_node (step, import, &(NewNode) {"MatMul", {a, b}, exact}, error)
         && add_saturation (step, import, exact, 6, 7, error) && finish (step, import);
}

/* Products of integers, whose scales the nodes behind multiply by. Real numbers have them already:
 * they are divided by. */
static gboolean
import_integer_product (EnsOnnxStep *step, EnsOnnxImport *import, const NewNode *product,
                        gint64 weights_axis, GError **error)
{
  const Operand operands[] = {{0, G_MAXUINT, 2, -1}, {1, G_MAXUINT, 3, weights_axis}};
  const char *output = step->proto->output[0], *factor;
  g_autofree char *names[2] = {NULL, NULL};
  g_autofree char *exact = make_name (import, output, "exact");
  NewNode node = *product;
  double scale = 1;

  for (guint i = 0; i < 2; i++) {
    const EnsOnnxTensor *tensor = step->inputs[operands[i].tensor];

    if (tensor->type == ENS_TYPE_FLOAT32 && tensor->scale == 0)
      return ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                                 "the scale of input “%s” is not known", tensor->name);
    if (tensor->type == ENS_TYPE_FLOAT32)
      scale *= tensor->scale;
    names[i] = find_reals (step, import, &operands[i], error);
    if (names[i] == NULL)
      return FALSE;
    node.inputs[i] = names[i];
  }
  factor = add_number (import, output, "factor", 1 / scale);
  node.output = exact;
  if (!add_node (step, import, &node, error)
      || !add_node (step, import, &(NewNode) {"Mul", {exact, factor}, output}, error))
    return FALSE;
  ens_onnx_import_find (import, output)->scale = 1;
  return finish (step, import);
}

gboolean
ens_onnx_import_conv_integer (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  NewNode conv = {
      .op = "Conv", .attributes = step->proto->attribute, .n_attributes = step->proto->n_attribute};

  return check_inputs (step, 2, 4, error) && import_integer_product (step, import, &conv, 0, error);
}

gboolean
ens_onnx_import_matmul_integer (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  NewNode matmul = {.op = "MatMul"};

  return check_inputs (step, 2, 4, error)
         && import_integer_product (step, import, &matmul, (gint64)step->inputs[1]->shape.rank - 1,
                                    error);
}

void
ens_onnx_import_note_quantised (EnsOnnxImport *import)
{
  if (import->n_quantised > 0)
    ens_graph_add_note (import->graph,
                        "the network is quantised (%u nodes, the first is %s); it was loaded "
                        "dequantised and computes in float32: its results differ a little from "
                        "those of 8-bit arithmetic, and it is as large and as slow as a float32 "
                        "network",
                        import->n_quantised, import->first_quantised);
  g_clear_pointer (&import->first_quantised, g_free);
}
