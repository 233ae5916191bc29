/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes of a network that is written. */
#include <string.h>

#include "onnx/export.h"

static gboolean
refuse (const EnsNode *node, GError **error, const char *missing)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "node “%s” (%s) can't be written to an ONNX file: ONNX has no %s", node->name,
               node->op->name, missing);
  return FALSE;
}

/* A node on its way into the file. */
typedef struct {
  EnsOnnxExport *export;
  const EnsNode *node;
  guint rank;            /* the highest of its inputs' */
  gboolean first;        /* is written with channels first */
  gpointer params;       /* for that order */
  GPtrArray *attributes; /* Onnx__AttributeProto */
  GPtrArray *inputs, *outputs;
  const char *internal; /* an attribute that ONNX does not have, or NULL */
} Step;

static void
step_init (Step *step, EnsOnnxExport *export, const EnsNode *node)
{
  *step = (Step) {.export = export, .node = node};
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL)
      step->rank = MAX (step->rank, node->inputs[i]->shape.rank);
  step->params = g_memdup2 (node->params, node->op->params_size);
  step->attributes = g_ptr_array_new ();
  step->inputs = g_ptr_array_new ();
  step->outputs = g_ptr_array_new ();
}

static void
step_clear (Step *step)
{
  g_free (step->params);
  g_ptr_array_unref (step->attributes);
  g_ptr_array_unref (step->inputs);
  g_ptr_array_unref (step->outputs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Step, step_clear)

/* Order of dimensions */

/* Whether an input is stretched to the others' rank. */
static gboolean
is_broadcast (const Step *step, const EnsValue *input)
{
  return step->node->op->layout == ENS_LAYOUT_FOLLOWS && step->node->op->permute == NULL
         && input->shape.rank > 0 && input->shape.rank < step->rank;
}

static gboolean
can_go_first (const Step *step)
{
  const EnsNode *node = step->node;
  gboolean some_last = FALSE;

  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];

    if (input == NULL)
      continue;
    some_last |= input->shape.rank == step->rank && step->export->forms[input->index].is_last;
    if (is_broadcast (step, input) && !ens_onnx_export_is_constant (input))
      return FALSE;
  }
  return some_last && step->rank >= 3;
}

static void
choose_order (Step *step)
{
  const EnsOp *op = step->node->op;
  EnsPermutation to_last = ens_permutation_to_last (step->rank);

  if (op->layout != ENS_LAYOUT_FOLLOWS)
    step->first = op->layout == ENS_LAYOUT_SPATIAL;
  else if (can_go_first (step))
    step->first = op->permute == NULL || op->permute (step->params, step->rank, to_last.from);
  if (!step->first && op->params_size > 0)
    memcpy (step->params, step->node->params, op->params_size);
}

/* A constant of lower rank than the node's other inputs, brought into their order. */
static const char *
permute_operand (const Step *step, const EnsValue *value)
{
  EnsPermutation to_first = ens_permutation_to_first (step->rank);
  g_autoptr (EnsTensor) permuted = ens_tensor_permute_operand (value->constant, &to_first);

  /* An output's name belongs to the form that the graph gives out. */
  if (step->export->forms[value->index].is_output)
    return ens_onnx_export_initializer (step->export, value->name, permuted);
  return ens_onnx_export_constant (step->export, value, permuted);
}

static void
add_inputs (Step *step)
{
  for (guint i = 0; i < step->node->n_inputs; i++) {
    const EnsValue *input = step->node->inputs[i];
    const char *name = "";

    if (input != NULL && i > 0 && ens_onnx_export_is_quantised (step->node))
      continue;
    if (input != NULL && step->first && is_broadcast (step, input))
      name = permute_operand (step, input);
    else if (input != NULL)
      name = ens_onnx_export_form (step->export, input, step->first);
    g_ptr_array_add (step->inputs, (gpointer)name);
  }
}

static void
add_outputs (Step *step)
{
  for (guint i = 0; i < step->node->n_outputs; i++) {
    const EnsValue *output = step->node->outputs[i];
    EnsOnnxForms *forms = &step->export->forms[output->index];
    gboolean first =
        step->first && output->shape.rank >= 3
        && (step->node->op->layout == ENS_LAYOUT_SPATIAL || output->shape.rank == step->rank);

    forms->is_last = first;
    if (!first && forms->last != NULL)
      forms->name = forms->last;
    *(first ? &forms->first : &forms->plain) = ens_onnx_export_name (step->export, output, first);
    g_ptr_array_add (step->outputs, (gpointer)(first ? forms->first : forms->plain));
  }
}

/* Attributes */

/* A list or number as the contents of an input. (transfer full) */
static EnsTensor *
make_input (const EnsAttributeValue *attribute)
{
  EnsShape list = ENS_SHAPE (attribute->n_values);

  switch (attribute->kind) {
  case ENS_ATTRIBUTE_VALUE_INT:
    return ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE_SCALAR, &attribute->integer);
  case ENS_ATTRIBUTE_VALUE_FLOAT:
    return ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, &attribute->real);
  case ENS_ATTRIBUTE_VALUE_INTS:
    return ens_tensor_new_copy (ENS_TYPE_INT64, &list, attribute->integers);
  case ENS_ATTRIBUTE_VALUE_FLOATS:
    return ens_tensor_new_copy (ENS_TYPE_FLOAT32, &list, attribute->reals);
  case ENS_ATTRIBUTE_VALUE_TENSOR:
    return ens_tensor_ref (attribute->tensor);
  case ENS_ATTRIBUTE_VALUE_STRING:
  case ENS_ATTRIBUTE_VALUE_STRINGS:
    break;
  }
  g_return_val_if_reached (NULL);
}

static void
add_strings (EnsOnnxExport *export, Onnx__AttributeProto *proto, const char *joined)
{
  g_auto (GStrv) parts = g_strsplit (joined, ",", -1);
  guint n = g_strv_length (parts);
  g_autofree ProtobufCBinaryData *strings = g_new0 (ProtobufCBinaryData, n + 1);

  for (guint i = 0; i < n; i++) {
    strings[i].len = strlen (parts[i]);
    strings[i].data = (guint8 *)ens_onnx_export_text (export, parts[i]);
  }
  proto->n_strings = n;
  proto->strings = ens_onnx_export_keep (export, strings, n * sizeof *strings);
}

static Onnx__AttributeProto *
make_attribute (EnsOnnxExport *export, const char *name, const EnsAttributeValue *attribute)
{
  Onnx__AttributeProto *proto =
      ens_onnx_export_message (export, Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);
  gsize n = attribute->n_values;

  proto->name = ens_onnx_export_text (export, name);
  proto->has_type = TRUE;
  switch (attribute->kind) {
  case ENS_ATTRIBUTE_VALUE_INT:
    proto->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    proto->has_i = TRUE;
    proto->i = attribute->integer;
    break;
  case ENS_ATTRIBUTE_VALUE_FLOAT:
    proto->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    proto->has_f = TRUE;
    proto->f = attribute->real;
    break;
  case ENS_ATTRIBUTE_VALUE_STRING:
    proto->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    proto->has_s = TRUE;
    proto->s.len = strlen (attribute->string);
    proto->s.data = (guint8 *)ens_onnx_export_text (export, attribute->string);
    break;
  case ENS_ATTRIBUTE_VALUE_STRINGS:
    proto->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
    add_strings (export, proto, attribute->string);
    break;
  case ENS_ATTRIBUTE_VALUE_INTS:
    proto->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
    proto->n_ints = n;
    proto->ints = ens_onnx_export_keep (export, attribute->integers, n * sizeof (gint64));
    break;
  case ENS_ATTRIBUTE_VALUE_FLOATS:
    proto->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
    proto->n_floats = n;
    proto->floats = ens_onnx_export_keep (export, attribute->reals, n * sizeof (float));
    break;
  case ENS_ATTRIBUTE_VALUE_TENSOR:
    proto->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    proto->t = ens_onnx_export_tensor (export, name, attribute->tensor);
    break;
  }
  return proto;
}

static void
add_attribute (const char *name, const EnsAttributeValue *attribute, gpointer data)
{
  Step *step = data;
  const EnsAttribute *row = ens_op_find_attribute (step->node->op, name);

  if (row->flags & ENS_ATTRIBUTE_INTERNAL)
    step->internal = name;
  if (row->input == 0 || step->export->opset < row->input_since) {
    g_ptr_array_add (step->attributes, make_attribute (step->export, name, attribute));
  } else {
    g_autoptr (EnsTensor) tensor = make_input (attribute);
    g_autofree char *label = g_strdup_printf ("%s:%s", step->node->name, name);

    while (step->inputs->len <= row->input)
      g_ptr_array_add (step->inputs, (gpointer) "");
    g_ptr_array_index (step->inputs, row->input) =
        (gpointer)ens_onnx_export_initializer (step->export, label, tensor);
  }
}

static void
raise_opset (const char *name, const EnsAttributeValue *attribute, gpointer data)
{
  EnsOnnxExport *export = ((Step *)data)->export;

  export->opset =
      MAX (export->opset, ens_op_find_attribute (((Step *)data)->node->op, name)->since);
}

void
ens_onnx_export_raise_opset (EnsOnnxExport *export, const EnsNode *node)
{
  g_autoptr (EnsAttributes) attributes = ens_attributes_new ();

  export->opset = MAX (export->opset, node->op->versions.since);
  ens_op_write_attributes (node->op, node->params, node->n_outputs, 0, attributes);
  ens_attributes_foreach (attributes, raise_opset, &(Step) {.export = export, .node = node});
}

/* Nodes */

static gboolean
check_op (const EnsNode *node, GError **error)
{
  if ((node->op->flags & ENS_OP_INTERNAL) && !ens_onnx_export_is_quantised (node))
    return refuse (node, error, "such operator");
  return TRUE;
}

static gboolean
add_node (EnsOnnxExport *export, const EnsNode *node, GError **error)
{
  g_auto (Step) step;
  g_autoptr (EnsAttributes) attributes = ens_attributes_new ();
  Onnx__NodeProto *proto;

  step_init (&step, export, node);
  choose_order (&step);
  add_inputs (&step);
  add_outputs (&step);
  if (ens_onnx_export_is_quantised (node)) {
    ens_onnx_export_quantised (export, node, g_ptr_array_index (step.inputs, 0),
                               g_ptr_array_index (step.outputs, 0));
    return TRUE;
  }
  ens_op_write_attributes (node->op, step.params, node->n_outputs, export->opset, attributes);
  ens_attributes_foreach (attributes, add_attribute, &step);
  if (step.internal != NULL) {
    g_autofree char *missing = g_strdup_printf ("attribute “%s”", step.internal);

    return refuse (node, error, missing);
  }
  proto = ens_onnx_export_add (export, node->op->name, node->name, step.inputs, step.outputs);
  proto->n_attribute = step.attributes->len;
  proto->attribute = ens_onnx_export_list (export, step.attributes);
  return TRUE;
}

/* A Transpose between our order and channels first only says that one value is the other's other
 * form. */
static gboolean
alias_transpose (EnsOnnxExport *export, const EnsNode *node)
{
  const EnsValue *input = node->inputs[0], *output = node->outputs[0];
  const EnsOnnxForms *from = &export->forms[input->index];
  EnsOnnxForms *to = &export->forms[output->index];
  EnsPermutation to_last = ens_permutation_to_last (input->shape.rank);
  EnsPermutation permutation;
  const char *base = from->is_last ? from->first : from->plain;

  if (input->shape.rank < 3
      || !ens_onnx_read_permutation (node->params, input->shape.rank, &permutation))
    return FALSE;
  if (from->is_last)
    permutation = ens_permutation_compose (&to_last, &permutation);
  if (base == NULL || (to->is_output && strcmp (base, to->name) != 0))
    return FALSE;
  if (ens_permutation_is_identity (&permutation)) {
    to->plain = base;
    return TRUE;
  }
  to->is_last = ens_permutation_equal (&permutation, &to_last);
  if (to->is_last) {
    to->first = base;
    to->node = node->name;
  }
  return to->is_last;
}

gboolean
ens_onnx_export_node (EnsOnnxExport *export, const EnsNode *node, GError **error)
{
  if (!check_op (node, error))
    return FALSE;
  if (ens_onnx_export_computes_bounds (export, node))
    return TRUE;
  if (node->op->kind == ENS_KIND_TRANSPOSE && alias_transpose (export, node))
    return TRUE;
  return add_node (export, node, error);
}
