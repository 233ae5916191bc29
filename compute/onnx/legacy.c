/* Nodes of opset 1 to 6, made into those of opset 7.
 *
 * Source: the change log of ONNX's operators,
 * https://github.com/onnx/onnx/blob/main/docs/Changelog.md
 */
#include <string.h>

#include "onnx/import.h"

/* The last opset of which these rules speak. */
#define LAST_OPSET 6

/* Known contents with trailing dimensions of 1. */
static gboolean
append_to_known (EnsOnnxStep *step, EnsOnnxImport *import, guint input, guint rank, GError **error)
{
  EnsOnnxTensor *tensor = step->inputs[input];
  g_autoptr (EnsTensor) contents = ens_onnx_tensor_contents (import, tensor, error);
  g_autoptr (EnsTensor) longer = NULL;
  EnsShape shape = tensor->shape;

  if (contents == NULL)
    return FALSE;
  while (shape.rank < rank)
    shape.dims[shape.rank++] = 1;
  longer = ens_tensor_new_copy (contents->type, &shape, contents->data);
  step->inputs[input] = ens_onnx_import_known (import, tensor->name, longer);
  return TRUE;
}

/* The input gets trailing dimensions of 1 until it has `rank`. */
static gboolean
append_dims (EnsOnnxStep *step, EnsOnnxImport *import, guint input, guint rank, GError **error)
{
  EnsOnnxTensor *tensor = step->inputs[input];
  guint missing = rank - tensor->shape.rank;
  g_autoptr (EnsAttributes) attributes = NULL;
  gint64 axes[ENS_MAX_RANK];
  EnsValue *value;

  if (ens_onnx_tensor_is_known (import, tensor))
    return append_to_known (step, import, input, rank, error);
  for (guint i = 0; i < missing; i++)
    axes[i] = tensor->shape.rank + i;
  attributes = ens_attributes_new ();
  ens_attributes_set_ints (attributes, "axes", axes, missing);
  value = ens_onnx_tensor_value (import, tensor, FALSE, error);
  if (value == NULL)
    return FALSE;
  value = ens_onnx_import_make (import, "Unsqueeze", attributes, value, error);
  if (value == NULL)
    return FALSE;
  step->inputs[input] = ens_onnx_import_wrap (import, value);
  return TRUE;
}

/* Operators of two inputs, of which the second may be stretched, from dimension `axis` of the first
 * on or along the last ones. Since opset 7 the second is always stretched along the last ones. */
static gboolean
raise_broadcast (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  gboolean stretched = ens_attributes_int (step->attributes, "broadcast", 0) != 0;
  gboolean given = ens_attributes_has (step->attributes, "axis");
  gint64 axis = ens_attributes_int (step->attributes, "axis", 0), rank, end;

  if (!stretched || !given || step->n_inputs != 2 || !step->inputs[0] || !step->inputs[1])
    return TRUE;
  rank = step->inputs[0]->shape.rank;
  if (axis < 0)
    axis += rank;
  end = axis + step->inputs[1]->shape.rank;
  if (axis < 0 || end > rank)
    return ens_onnx_step_fail (step, error, ENS_ERROR_SHAPE,
                               "an input of %u dimensions can't begin at axis %" G_GINT64_FORMAT
                               " of %" G_GINT64_FORMAT,
                               step->inputs[1]->shape.rank, axis, rank);
  return end == rank || step->inputs[1]->shape.rank == 0
         || append_dims (step, import, 1, (guint)(rank - axis), error);
}

/* The slope has one number per channel, and no dimensions behind that. */
static gboolean
raise_prelu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  if (step->n_inputs != 2 || !step->inputs[0] || !step->inputs[1]
      || step->inputs[1]->shape.rank != 1 || step->inputs[0]->shape.rank < 3)
    return TRUE;
  return append_dims (step, import, 1, step->inputs[0]->shape.rank - 1, error);
}

/* Adds an input behind the others. */
static void
add_input (EnsOnnxStep *step, EnsOnnxImport *import, EnsTensor *contents)
{
  step->inputs = g_renew (EnsOnnxTensor *, step->inputs, step->n_inputs + 1);
  step->inputs[step->n_inputs++] = ens_onnx_import_known (import, step->name, contents);
}

static gboolean
raise_reshape (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  gint64 dims[ENS_MAX_RANK];
  g_autoptr (EnsTensor) shape = NULL;
  guint n;

  if (step->n_inputs != 1 || !ens_attributes_has (step->attributes, "shape"))
    return TRUE;
  n = ens_attributes_ints (step->attributes, "shape", dims, ENS_MAX_RANK);
  shape = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (MIN (n, ENS_MAX_RANK)), dims);
  add_input (step, import, shape);
  return TRUE;
}

/* Attributes that say what newer opsets leave to the exporter. */
static gboolean
ignore_is_test (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  ens_attributes_ignore (step->attributes, "is_test");
  return TRUE;
}

static gboolean
ignore_broadcast (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  ens_attributes_ignore (step->attributes, "broadcast");
  return TRUE;
}

static gboolean
raise_pad (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  gint64 pads[2 * ENS_MAX_RANK];
  guint n;

  if (!ens_attributes_has (step->attributes, "paddings"))
    return TRUE;
  n = ens_attributes_ints (step->attributes, "paddings", pads, G_N_ELEMENTS (pads));
  ens_attributes_set_ints (step->attributes, "pads", pads, MIN (n, G_N_ELEMENTS (pads)));
  return TRUE;
}

static gboolean
raise_concat (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  if (!ens_attributes_has (step->attributes, "axis"))
    ens_attributes_set_int (step->attributes, "axis", 1);
  return TRUE;
}

/* The type's number was its name. */
static gboolean
raise_cast (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  static const char *const names[] = {"UNDEFINED", "FLOAT", "UINT8",  "INT8", "UINT16",  "INT16",
                                      "INT32",     "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE"};
  const char *to;

  if (import->opset >= 6)
    return TRUE;
  to = ens_attributes_string (step->attributes, "to", "");
  for (guint i = 1; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (to, names[i]) == 0) {
      ens_attributes_set_int (step->attributes, "to", i);
      return TRUE;
    }
  return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT, "“%s” is no type to cast to", to);
}

/* The constants had four decimals. */
static gboolean
raise_selu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  if (import->opset >= 6)
    return TRUE;
  if (!ens_attributes_has (step->attributes, "alpha"))
    ens_attributes_set_float (step->attributes, "alpha", 1.6732f);
  if (!ens_attributes_has (step->attributes, "gamma"))
    ens_attributes_set_float (step->attributes, "gamma", 1.0507f);
  return TRUE;
}

static const struct {
  const char *op;
  EnsOnnxImportFunc raise;
} rules[] = {
    {"Add", raise_broadcast},
    {"And", raise_broadcast},
    {"BatchNormalization", ignore_is_test},
    {"Cast", raise_cast},
    {"Concat", raise_concat},
    {"Div", raise_broadcast},
    {"Dropout", ignore_is_test},
    {"Equal", raise_broadcast},
    {"Gemm", ignore_broadcast},
    {"Greater", raise_broadcast},
    {"Less", raise_broadcast},
    {"Mul", raise_broadcast},
    {"Or", raise_broadcast},
    {"PRelu", raise_prelu},
    {"Pad", raise_pad},
    {"Pow", raise_broadcast},
    {"Reshape", raise_reshape},
    {"Selu", raise_selu},
    {"Sub", raise_broadcast},
    {"Xor", raise_broadcast},
};

gboolean
ens_onnx_step_raise (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  const char *op = ens_onnx_text (step->proto->op_type);

  if (import->opset > LAST_OPSET)
    return TRUE;
  /* Which inputs may be overwritten; of no consequence. */
  ens_attributes_ignore (step->attributes, "consumed_inputs");
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (strcmp (op, rules[i].op) == 0)
      return rules[i].raise (step, import, error);
  return TRUE;
}
