/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/compose.h"

#include <string.h>

EnsCompose
ens_compose_new (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  return (EnsCompose) {
      .step = step, .import = import, .error = error, .opset = ENS_OP_NEWEST_OPSET};
}

/* Inputs and outputs */

gboolean
ens_compose_has_input (const EnsCompose *compose, guint input)
{
  return input < compose->step->n_inputs && compose->step->inputs[input] != NULL;
}

void
ens_compose_check_inputs (EnsCompose *compose, guint min, guint max)
{
  const EnsOnnxStep *step = compose->step;

  if (step->n_inputs < min || step->n_inputs > max || step->proto->n_output < 1)
    ens_compose_fail (compose, ENS_ERROR_FORMAT, "%u inputs, expected %u to %u", step->n_inputs,
                      min, max);
  for (guint i = 0; i < min && !compose->failed; i++)
    if (!ens_compose_has_input (compose, i))
      ens_compose_fail (compose, ENS_ERROR_FORMAT, "input %u is absent, but is not optional", i);
}

const char *
ens_compose_input (const EnsCompose *compose, guint input)
{
  return ens_compose_has_input (compose, input) ? compose->step->inputs[input]->name : "";
}

EnsTensor *
ens_compose_contents (EnsCompose *compose, guint input)
{
  EnsOnnxTensor *tensor;
  EnsTensor *contents;

  if (compose->failed)
    return NULL;
  tensor = compose->step->inputs[input];
  if (!ens_onnx_tensor_is_known (compose->import, tensor)) {
    ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                      "input %u, “%s”, must be known before running", input, tensor->name);
    return NULL;
  }
  contents = ens_onnx_tensor_contents (compose->import, tensor, compose->error);
  compose->failed = contents == NULL;
  return contents;
}

EnsOnnxTensor *
ens_compose_find (const EnsCompose *compose, const char *name)
{
  return compose->failed ? NULL : ens_onnx_import_find (compose->import, name);
}

gboolean
ens_compose_wants (const EnsCompose *compose, guint output)
{
  const Onnx__NodeProto *proto = compose->step->proto;

  return output < proto->n_output && *proto->output[output] != '\0'
         && g_hash_table_contains (compose->import->read, proto->output[output]);
}

/* A name like "NODE/SUFFIX" that no tensor of the file has. */
static char *
make_name (const EnsCompose *compose, const char *suffix)
{
  const EnsOnnxImport *import = compose->import;
  char *name = g_strdup_printf ("%s/%s", compose->step->name, suffix);

  for (guint i = 2;
       ens_onnx_import_find (import, name) != NULL || g_hash_table_contains (import->written, name);
       i++) {
    g_free (name);
    name = g_strdup_printf ("%s/%s%u", compose->step->name, suffix, i);
  }
  return name;
}

/* Constants */

EnsTensor *
ens_compose_tensor (EnsCompose *compose, EnsType type, const EnsShape *shape, EnsOnnxTensor *source)
{
  gint64 n = ens_shape_elements (shape);
  gboolean is_first = source != NULL && source->stored;

  if (compose->failed)
    return NULL;
  if (n < 0 || n > G_MAXINT64 / 8
      || (!is_first && !ens_onnx_import_take (compose->import, (gsize)n * ens_type_size (type)))) {
    ens_compose_fail (compose, ENS_ERROR_RESOURCE,
                      "what it is composed of would take far more memory than the file");
    return NULL;
  }
  if (source != NULL)
    source->stored = FALSE;
  return ens_tensor_new (type, shape);
}

const char *
ens_compose_known (EnsCompose *compose, const char *suffix, EnsTensor *contents)
{
  g_autofree char *name = NULL;
  EnsOnnxTensor *tensor;

  if (contents == NULL)
    return "";
  name = make_name (compose, suffix);
  tensor = ens_onnx_import_add (compose->import, name, NULL);
  tensor->type = contents->type;
  tensor->shape = contents->shape;
  tensor->contents = contents;
  tensor->provisional = TRUE;
  return tensor->name;
}

const char *
ens_compose_number (EnsCompose *compose, double number)
{
  float value = (float)number;

  return ens_compose_known (compose, "number",
                            ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, &value));
}

const char *
ens_compose_list (EnsCompose *compose, const gint64 *values, guint n)
{
  return ens_compose_known (compose, "list",
                            ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (n), values));
}

/* Attributes */

EnsAttributes *
ens_compose_int (const char *name, gint64 value)
{
  EnsAttributes *attributes = ens_attributes_new ();

  ens_attributes_set_int (attributes, name, value);
  return attributes;
}

EnsAttributes *
ens_compose_ints (const char *name, const gint64 *values, guint n)
{
  EnsAttributes *attributes = ens_attributes_new ();

  ens_attributes_set_ints (attributes, name, values, n);
  return attributes;
}

EnsAttributes *
ens_compose_float (const char *name, float value)
{
  EnsAttributes *attributes = ens_attributes_new ();

  ens_attributes_set_float (attributes, name, value);
  return attributes;
}

EnsAttributes *
ens_compose_string (const char *name, const char *value)
{
  EnsAttributes *attributes = ens_attributes_new ();

  ens_attributes_set_string (attributes, name, value);
  return attributes;
}

EnsAttributes *
ens_compose_rest (EnsCompose *compose)
{
  EnsAttributes *rest = g_steal_pointer (&compose->step->attributes);

  compose->step->attributes = ens_attributes_new ();
  return rest;
}

/* Parts */

void
ens_compose_many (EnsCompose *compose, const char *op, EnsAttributes *attributes,
                  const char *const *inputs, guint n_inputs, const char **outputs, guint n_outputs)
{
  Onnx__NodeProto proto = ONNX__NODE_PROTO__INIT;
  g_autoptr (EnsAttributes) owned = attributes;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (owned == NULL)
    owned = ens_attributes_new ();
  for (guint i = 0; i < n_outputs && !compose->failed; i++) {
    g_autofree char *suffix = i == 0 ? g_strdup (op) : g_strdup_printf ("%s:%u", op, i);

    g_ptr_array_add (names,
                     outputs[i] != NULL ? g_strdup (outputs[i]) : make_name (compose, suffix));
  }
  proto.op_type = (char *)op;
  proto.input = (char **)inputs;
  proto.n_input = n_inputs;
  proto.output = (char **)names->pdata;
  proto.n_output = names->len;
  if (!compose->failed)
    compose->failed = !ens_onnx_import_part (compose->import, &proto, g_steal_pointer (&owned),
                                             compose->opset, compose->step->what, compose->error);
  for (guint i = 0; i < n_outputs; i++) {
    EnsOnnxTensor *tensor = compose->failed || *(char *)names->pdata[i] == '\0'
                                ? NULL
                                : ens_onnx_import_find (compose->import, names->pdata[i]);

    if (tensor != NULL && outputs[i] == NULL)
      tensor->provisional = TRUE;
    outputs[i] = tensor != NULL ? tensor->name : "";
  }
}

#define MAX_INPUTS 16

const char *
ens_compose (EnsCompose *compose, const char *op, EnsAttributes *attributes, const char *input, ...)
{
  const char *inputs[MAX_INPUTS] = {input}, *output = NULL;
  guint n = 1;
  va_list arguments;

  va_start (arguments, input);
  while (n < MAX_INPUTS && (inputs[n] = va_arg (arguments, const char *)) != NULL)
    n++;
  va_end (arguments);
  ens_compose_many (compose, op, attributes, inputs, n, &output, 1);
  return output;
}

const char *
ens_compose_transpose (EnsCompose *compose, const char *input, const gint64 *perm, guint n)
{
  return ens_compose (compose, "Transpose", ens_compose_ints ("perm", perm, n), input, NULL);
}

const char *
ens_compose_reshape (EnsCompose *compose, const char *input, const gint64 *shape, guint n)
{
  return ens_compose (compose, "Reshape", NULL, input, ens_compose_list (compose, shape, n), NULL);
}

const char *
ens_compose_add_input (EnsCompose *compose, const char *x, guint input)
{
  return ens_compose_has_input (compose, input)
             ? ens_compose (compose, "Add", NULL, x, ens_compose_input (compose, input), NULL)
             : x;
}

const char *
ens_compose_to_first (EnsCompose *compose, gboolean channels_last, const char *x)
{
  return channels_last ? ens_compose_transpose (compose, x, (const gint64[]) {0, 3, 1, 2}, 4) : x;
}

const char *
ens_compose_to_last (EnsCompose *compose, gboolean channels_last, const char *x)
{
  return channels_last ? ens_compose_transpose (compose, x, (const gint64[]) {0, 2, 3, 1}, 4) : x;
}

/* Results */

/* The part that computes a result is called as the node. */
static void
name_node (const EnsCompose *compose, const EnsOnnxTensor *tensor)
{
  const EnsValue *value = tensor->computed_last ? tensor->last : tensor->first;

  if (tensor->provisional && value != NULL && value->producer != NULL
      && strcmp (value->producer->name, tensor->name) == 0)
    ens_graph_rename_node (compose->import->graph, value->producer, compose->step->name);
}

void
ens_compose_result (EnsCompose *compose, guint output, const char *name)
{
  EnsOnnxTensor *tensor = ens_compose_find (compose, name);

  if (tensor != NULL)
    name_node (compose, tensor);
  if (tensor != NULL)
    compose->failed = !ens_onnx_import_alias (compose->import, tensor,
                                              compose->step->proto->output[output], compose->error);
}

gboolean
ens_compose_finish (EnsCompose *compose)
{
  const EnsOnnxStep *step = compose->step;

  compose->step->done = TRUE;
  return !compose->failed && ens_attributes_finish (step->attributes, step->what, compose->error);
}
