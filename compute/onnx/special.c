/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that are more a way to write a file than something to compute. */
#include <string.h>

#include "onnx/functions.h"
#include "onnx/import.h"
#include "onnx/onnx.h"

/* Gives a tensor known contents. */
static gboolean
add_known (EnsOnnxStep *step, EnsOnnxImport *import, EnsTensor *contents, GError **error)
{
  EnsOnnxTensor *tensor = ens_onnx_import_add (import, step->proto->output[0], error);

  if (tensor == NULL)
    return FALSE;
  tensor->type = contents->type;
  tensor->shape = contents->shape;
  tensor->contents = ens_tensor_ref (contents);
  step->done = TRUE;
  return TRUE;
}

static EnsTensor *
read_constant (EnsAttributes *attributes)
{
  EnsTensor *tensor = ens_attributes_tensor (attributes, "value");
  float real;
  gint64 integer;

  if (tensor != NULL)
    return ens_tensor_ref (tensor);
  if (ens_attributes_has (attributes, "value_float")) {
    real = ens_attributes_float (attributes, "value_float", 0);
    return ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, &real);
  }
  if (ens_attributes_has (attributes, "value_int")) {
    integer = ens_attributes_int (attributes, "value_int", 0);
    return ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE_SCALAR, &integer);
  }
  return NULL;
}

static EnsTensor *
read_constant_list (EnsAttributes *attributes, gsize n)
{
  g_autofree gint64 *integers = g_new0 (gint64, n);
  g_autofree float *reals = g_new0 (float, n);
  guint length;

  if (ens_attributes_has (attributes, "value_ints")) {
    length = ens_attributes_ints (attributes, "value_ints", integers, (guint)n);
    return ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (length), integers);
  }
  if (ens_attributes_has (attributes, "value_floats")) {
    length = ens_attributes_floats (attributes, "value_floats", reals, (guint)n);
    return ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (length), reals);
  }
  return NULL;
}

static gboolean
import_constant (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  const Onnx__NodeProto *proto = step->proto;
  g_autoptr (EnsTensor) contents = NULL;

  if (proto->n_attribute != 1 || proto->n_output != 1 || proto->n_input != 0)
    return ens_onnx_step_fail (
        step, error, ENS_ERROR_FORMAT,
        "expected one attribute, no input and one output, found %" G_GSIZE_FORMAT
        ", %" G_GSIZE_FORMAT " and %" G_GSIZE_FORMAT,
        proto->n_attribute, proto->n_input, proto->n_output);
  contents = read_constant (step->attributes);
  if (contents == NULL)
    contents = read_constant_list (
        step->attributes, MAX (proto->attribute[0]->n_ints, proto->attribute[0]->n_floats));
  if (!ens_attributes_finish (step->attributes, step->what, error)
      || !add_known (step, import, contents, error))
    return FALSE;
  /* A function's may have been copied many times. */
  ens_onnx_import_find (import, proto->output[0])->stored = step->function == NULL;
  return TRUE;
}

static gboolean
has_known_input (const EnsOnnxStep *step, const EnsOnnxImport *import)
{
  return step->n_inputs == 1 && step->inputs[0] != NULL && step->proto->n_output == 1
         && ens_onnx_tensor_is_known (import, step->inputs[0]);
}

static gboolean
import_identity (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  g_autoptr (EnsTensor) contents = NULL;

  if (!has_known_input (step, import))
    return TRUE;
  if (!ens_attributes_finish (step->attributes, step->what, error))
    return FALSE;
  contents = ens_onnx_tensor_contents (import, step->inputs[0], error);
  return contents != NULL && add_known (step, import, contents, error);
}

/* What a network that takes channels last makes channels first is there with channels last. */
static gboolean
take_as_last (EnsOnnxStep *step, EnsOnnxImport *import, EnsValue *value, GError **error)
{
  EnsOnnxTensor *tensor = ens_onnx_import_add (import, step->proto->output[0], error);

  if (tensor == NULL)
    return FALSE;
  ens_onnx_tensor_set_value (tensor, value, TRUE);
  step->done = TRUE;
  return TRUE;
}

/* A Transpose in the file may cancel one of ours. */
static gboolean
import_transpose (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  guint n_values;
  EnsPermutation permutation, to_first;
  EnsOnnxTensor *tensor;
  EnsValue *value, *transposed;

  if (step->op == NULL || step->n_inputs != 1 || step->inputs[0] == NULL
      || step->proto->n_output != 1)
    return TRUE;
  if (!ens_onnx_step_parse (step, error))
    return FALSE;
  if (!ens_onnx_read_permutation (step->params, step->inputs[0]->shape.rank, &permutation))
    return ens_onnx_step_fail (step, error, ENS_ERROR_SHAPE,
                               "“perm” is not an order of the input's %u dimensions",
                               step->inputs[0]->shape.rank);
  value = ens_onnx_tensor_value (import, step->inputs[0], FALSE, error);
  if (value == NULL)
    return FALSE;
  /* What transposes cancel in is this value again. */
  g_hash_table_add (import->kept, value);
  to_first = ens_permutation_to_first (permutation.rank);
  /* Of three axes, the last is more often that of tokens' elements than of a row of pixels. */
  if (permutation.rank >= 4 && ens_permutation_equal (&permutation, &to_first))
    return take_as_last (step, import, value, error);
  n_values = import->graph->values->len;
  transposed = ens_onnx_import_transpose (import, value, &permutation, error);
  tensor = transposed != NULL ? ens_onnx_import_add (import, step->proto->output[0], error) : NULL;
  if (tensor == NULL)
    return FALSE;
  if (transposed->index >= n_values) {
    ens_graph_rename (import->graph, transposed, tensor->name);
    ens_graph_rename_node (import->graph, transposed->producer, step->name);
  }
  ens_onnx_tensor_set_value (tensor, transposed, FALSE);
  step->done = TRUE;
  return TRUE;
}

/* A network saved with a fixed batch may write the batch's size into the shapes that it reshapes
 * to. 0, "as in the input", means the same there, and holds for other batches too. */
static gboolean
import_reshape (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  g_autoptr (EnsTensor) shape = NULL;
  EnsOnnxTensor *data = step->n_inputs == 2 ? step->inputs[0] : NULL;
  g_autoptr (EnsTensor) opened = NULL;

  if (data == NULL || step->inputs[1] == NULL || data->shape.rank == 0
      || !ens_onnx_tensor_is_known (import, step->inputs[1])
      || ens_attributes_int (step->attributes, "allowzero", 0) != 0)
    return TRUE;
  shape = ens_onnx_tensor_contents (import, step->inputs[1], error);
  if (shape == NULL)
    return FALSE;
  if (shape->type != ENS_TYPE_INT64 || ens_shape_elements (&shape->shape) < 1
      || *(gint64 *)shape->data != data->shape.dims[0]
      || data->shape.dims[0] != import->nominal_batch)
    return TRUE;
  opened = ens_tensor_new_copy (shape->type, &shape->shape, shape->data);
  *(gint64 *)opened->data = 0;
  step->inputs[1] = ens_onnx_import_known (import, step->inputs[1]->name, opened);
  return TRUE;
}

/* Up to opset 5 a type was given by its name. */
static gboolean
number_type (EnsOnnxStep *step, GError **error)
{
  static const char *const names[] = {"UNDEFINED", "FLOAT", "UINT8",  "INT8", "UINT16",  "INT16",
                                      "INT32",     "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE"};
  const char *to = ens_attributes_string (step->attributes, "to", "");

  for (guint i = 1; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (to, names[i]) == 0) {
      ens_attributes_set_int (step->attributes, "to", i);
      return TRUE;
    }
  return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT, "“%s” is no type to cast to", to);
}

/* The result is the input. */
static gboolean
leave_out_cast (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  step->done = TRUE;
  return ens_onnx_step_parse (step, error)
         && ens_onnx_import_alias (import, step->inputs[0], step->proto->output[0], error);
}

/* To the type there is they do nothing. */
static gboolean
import_cast (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  gint64 to;
  EnsType type;

  if (step->opset < 6 && !number_type (step, error))
    return FALSE;
  to = ens_attributes_int (step->attributes, "to", 0);
  if (step->n_inputs == 1 && step->inputs[0] != NULL && step->proto->n_output == 1
      && ens_onnx_type ((int)CLAMP (to, 0, G_MAXINT), step->what, &type, NULL)
      && type == step->inputs[0]->type)
    return leave_out_cast (step, import, error);
  return TRUE;
}

/* Up to opset 12, Softmax works over all axes from `axis` on together. Where that is the last one
 * it is what newer opsets call Softmax. */
static gboolean
import_softmax (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  gint64 axis, rank;

  if (step->opset >= 13 || step->n_inputs != 1 || step->inputs[0] == NULL)
    return TRUE;
  rank = step->inputs[0]->shape.rank;
  axis = ens_attributes_int (step->attributes, "axis", 1);
  if (axis != -1 && axis != rank - 1)
    return TRUE;
  ens_attributes_set_int (step->attributes, "axis", rank - 1);
  step->opset = 13;
  return TRUE;
}

/* Upsample, and Resize before opset 11, have no region, and know one kind of coordinates. Their
 * scales come where Resize has the region. */
static void
raise_resize (EnsOnnxStep *step, const char *rounding)
{
  const char *mode = ens_attributes_string (step->attributes, "mode", "nearest");

  ens_attributes_set_string (step->attributes, "coordinate_transformation_mode", "asymmetric");
  ens_attributes_set_string (step->attributes, "nearest_mode", rounding);
  ens_attributes_set_string (step->attributes, "mode",
                             strcmp (mode, "bilinear") == 0 ? "linear" : mode);
  if (step->n_inputs != 2)
    return;
  step->inputs = g_renew (EnsOnnxTensor *, step->inputs, 3);
  step->inputs[2] = step->inputs[1];
  step->inputs[1] = NULL;
  step->n_inputs = 3;
}

/* Sizes count the batch, too, which Resize does not touch. */
static gboolean
check_resized_batch (const EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  const EnsOnnxTensor *sizes = step->n_inputs == 4 ? step->inputs[3] : NULL;
  const EnsOnnxTensor *data = step->n_inputs > 0 ? step->inputs[0] : NULL;
  g_autoptr (EnsTensor) contents = NULL;

  if (sizes == NULL || data == NULL || data->shape.rank < 3
      || ens_attributes_has (step->attributes, "axes") || !ens_onnx_tensor_is_known (import, sizes))
    return TRUE;
  contents = ens_onnx_tensor_contents (import, step->inputs[3], error);
  if (contents == NULL)
    return FALSE;
  if (contents->type != ENS_TYPE_INT64 || ens_shape_elements (&contents->shape) < 1
      || *(const gint64 *)contents->data == data->shape.dims[0])
    return TRUE;
  return ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                             "a batch of %" G_GINT64_FORMAT " is resized to %" G_GINT64_FORMAT
                             ", supported is to leave it as it is",
                             data->shape.dims[0], *(const gint64 *)contents->data);
}

/* The nearest element before opset 11, as ONNX's tests of opset 10 and ONNX Runtime have it: the
 * one before of an axis that is enlarged, the one behind of one that is made smaller. */
static gboolean
find_old_rounding (const EnsOnnxStep *step, EnsOnnxImport *import, const char **rounding,
                   GError **error)
{
  gboolean enlarges = FALSE, shrinks = FALSE;
  g_autoptr (EnsTensor) scales = NULL;

  *rounding = "floor";
  if (step->n_inputs != 2 || step->inputs[1] == NULL
      || !ens_onnx_tensor_is_known (import, step->inputs[1]))
    return TRUE;
  scales = ens_onnx_tensor_contents (import, step->inputs[1], error);
  if (scales == NULL)
    return FALSE;
  for (gint64 i = 0; scales->type == ENS_TYPE_FLOAT32 && i < ens_shape_elements (&scales->shape);
       i++) {
    enlarges = enlarges || ((const float *)scales->data)[i] > 1;
    shrinks = shrinks || ((const float *)scales->data)[i] < 1;
  }
  if (shrinks && enlarges
      && strcmp (ens_attributes_string (step->attributes, "mode", "nearest"), "nearest") == 0)
    return ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                               "some axes are enlarged and others made smaller, which the nearest "
                               "element of opset 11 and later alone is supported for");
  *rounding = shrinks ? "ceil" : "floor";
  return TRUE;
}

static gboolean
import_resize (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  const char *rounding;

  if (step->opset < 11) {
    if (!find_old_rounding (step, import, &rounding, error))
      return FALSE;
    raise_resize (step, rounding);
  }
  return check_resized_batch (step, import, error);
}

static gboolean
import_upsample (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  float scales[4] = {1, 1, 1, 1};

  step->op = ens_op_find ("Resize");
  if (ens_attributes_has (step->attributes, "height_scale")) {
    scales[2] = ens_attributes_float (step->attributes, "height_scale", 1);
    scales[3] = ens_attributes_float (step->attributes, "width_scale", 1);
    ens_attributes_set_floats (step->attributes, "scales", scales, G_N_ELEMENTS (scales));
  }
  raise_resize (step, "floor");
  return TRUE;
}

/* Casts to the type of a tensor whose contents don't matter. */
static gboolean
import_cast_like (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  if (step->n_inputs != 2 || step->inputs[0] == NULL || step->inputs[1] == NULL)
    return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT, "expected two inputs");
  step->op = ens_op_find ("Cast");
  step->n_inputs = 1;
  ens_attributes_set_int (step->attributes, "to", ens_onnx_type_number (step->inputs[1]->type));
  return TRUE;
}

static const struct {
  const char *name;
  EnsOnnxImportFunc func;
} specials[] = {
    {"AffineGrid", ens_onnx_import_affine_grid},
    {"Attention", ens_onnx_import_cached_attention},
    {"BatchNormalization", ens_onnx_import_batch_normalization},
    {"Cast", import_cast},
    {"CastLike", import_cast_like},
    {"CenterCropPad", ens_onnx_import_center_crop_pad},
    {"Col2Im", ens_onnx_import_col2im},
    {"Constant", import_constant},
    {"ConvInteger", ens_onnx_import_conv_integer},
    {"DequantizeLinear", ens_onnx_import_dequantize},
    {"DynamicQuantizeLinear", ens_onnx_import_dynamic_quantize},
    {"GlobalLpPool", ens_onnx_import_global_lp_pool},
    {"Hardmax", ens_onnx_import_hardmax},
    {"Identity", import_identity},
    {"If", ens_onnx_import_if},
    {"LogSoftmax", import_softmax},
    {"LpPool", ens_onnx_import_lp_pool},
    {"MatMulInteger", ens_onnx_import_matmul_integer},
    {"MeanVarianceNormalization", ens_onnx_import_mean_variance},
    {"QLinearConv", ens_onnx_import_qlinear_conv},
    {"QLinearMatMul", ens_onnx_import_qlinear_matmul},
    {"QuantizeLinear", ens_onnx_import_quantize},
    {"Reshape", import_reshape},
    {"Resize", import_resize},
    {"SimplifiedLayerNormalization", ens_onnx_import_simplified_layer_normalization},
    {"Scatter", ens_onnx_import_scatter},
    {"Shrink", ens_onnx_import_shrink},
    {"Softmax", import_softmax},
    {"SwiGLU", ens_onnx_import_swiglu},
    {"Transpose", import_transpose},
    {"Upsample", import_upsample},
};

EnsOnnxImportFunc
ens_onnx_find_special (const char *domain, const char *op)
{
  if (!ens_onnx_is_own_domain (domain))
    return ens_onnx_find_contributed (domain, op);
  for (guint i = 0; i < G_N_ELEMENTS (specials); i++)
    if (strcmp (op, specials[i].name) == 0)
      return specials[i].func;
  return NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

char **
ens_onnx_list_operators (void)
{
  GPtrArray *names = g_ptr_array_new ();

  for (const EnsOp *const *op = ens_op_list (); *op != NULL; op++)
    if (!((*op)->flags & ENS_OP_INTERNAL))
      g_ptr_array_add (names, g_strdup ((*op)->name));
  for (guint i = 0; i < G_N_ELEMENTS (specials); i++)
    if (ens_op_find (specials[i].name) == NULL)
      g_ptr_array_add (names, g_strdup (specials[i].name));
  ens_onnx_list_contributed (names);
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}
