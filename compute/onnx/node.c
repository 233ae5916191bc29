/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes of ONNX files. */
#include <string.h>

#include "graph/infer.h"
#include "onnx/import.h"

static void
step_clear (EnsOnnxStep *step)
{
  g_free (step->what);
  g_clear_pointer (&step->attributes, ens_attributes_free);
  g_free (step->inputs);
  g_free (step->params);
}

/* Inputs */

static gboolean
find_inputs (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  step->inputs = g_new0 (EnsOnnxTensor *, step->proto->n_input);
  for (gsize i = 0; i < step->proto->n_input; i++) {
    const char *name = step->proto->input[i];

    if (*name == '\0')
      continue;
    step->inputs[i] = ens_onnx_import_find (import, name);
    if (step->inputs[i] == NULL && g_hash_table_contains (import->written, name))
      return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT,
                                 "input “%s” is computed later, so the graph is cyclic", name);
    if (step->inputs[i] == NULL)
      return ens_onnx_step_fail (
          step, error, ENS_ERROR_FORMAT,
          "input “%s” is neither an input nor an initializer of the graph, and no node "
          "computes it",
          name);
    step->n_inputs = (guint)i + 1;
  }
  return TRUE;
}

/* Makes known contents an attribute; not all contents can be one. */
static gboolean
set_attribute (EnsOnnxStep *step, const EnsAttribute *row, const EnsTensor *contents)
{
  const char *name = row->name;
  gint64 n = ens_shape_elements (&contents->shape);
  gboolean is_list = row->kind == ENS_ATTRIBUTE_INTS && contents->shape.rank == 1;

  if (contents->shape.rank > 1 || n > G_MAXUINT16)
    return FALSE;
  if (contents->type == ENS_TYPE_FLOAT32 && row->kind == ENS_ATTRIBUTE_FLOAT && n == 1) {
    ens_attributes_set_float (step->attributes, name, *(const float *)contents->data);
  } else if (contents->type == ENS_TYPE_FLOAT32 && row->kind == ENS_ATTRIBUTE_FLOATS) {
    ens_attributes_set_floats (step->attributes, name, contents->data, (guint)n);
  } else if (contents->type == ENS_TYPE_INT64 && is_list) {
    ens_attributes_set_ints (step->attributes, name, contents->data, (guint)n);
  } else if (contents->type == ENS_TYPE_INT32 && is_list) {
    g_autofree gint64 *values = g_new (gint64, (gsize)n);

    for (gint64 i = 0; i < n; i++)
      values[i] = ((const gint32 *)contents->data)[i];
    ens_attributes_set_ints (step->attributes, name, values, (guint)n);
  } else {
    return FALSE;
  }
  return TRUE;
}

/* What newer opsets have as inputs becomes attributes again, so that axes in it can be renumbered.
 */
static gboolean
fold_inputs (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  const EnsAttribute *row = step->op->attributes;

  for (; row != NULL && row->name != NULL; row++) {
    EnsOnnxTensor **input = &step->inputs[row->input];
    g_autoptr (EnsTensor) contents = NULL;

    if (row->input == 0 || row->input >= step->n_inputs || row->kind == ENS_ATTRIBUTE_INPUT
        || *input == NULL || !ens_onnx_tensor_is_known (import, *input)
        || ens_attributes_has (step->attributes, row->name))
      continue;
    contents = ens_onnx_tensor_contents (import, *input, error);
    if (contents == NULL)
      return FALSE;
    if (set_attribute (step, row, contents))
      *input = NULL;
  }
  while (step->n_inputs > 0 && step->inputs[step->n_inputs - 1] == NULL)
    step->n_inputs--;
  return TRUE;
}

static gboolean
check_inputs (EnsOnnxStep *step, GError **error)
{
  const EnsOp *op = step->op;

  if (step->n_inputs < op->min_inputs || step->n_inputs > op->max_inputs)
    return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT, "%u inputs, expected %u to %u",
                               step->n_inputs, op->min_inputs, op->max_inputs);
  for (guint i = 0; i < op->min_inputs; i++)
    if (step->inputs[i] == NULL)
      return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT,
                                 "input %u is absent, but is not optional", i);
  return TRUE;
}

/* Whether the number of outputs is part of what the operator means: Split. */
static gboolean
counts_outputs (const EnsOp *op)
{
  for (const EnsAttribute *row = op->attributes; row != NULL && row->name != NULL; row++)
    if (row->kind == ENS_ATTRIBUTE_OUTPUTS)
      return TRUE;
  return FALSE;
}

/* Optional outputs that nothing reads are left out, also those that the operator does not compute:
 * Dropout's mask, what batch normalisation has for training. */
static gboolean
count_outputs (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  char **names = step->proto->output;
  guint min = MAX (step->op->min_outputs, 1), n = (guint)step->proto->n_output;

  while (n > min && !counts_outputs (step->op)
         && (*names[n - 1] == '\0' || !g_hash_table_contains (import->read, names[n - 1])))
    n--;
  if (n > step->op->max_outputs)
    return ens_onnx_step_fail (step, error, ENS_ERROR_UNSUPPORTED,
                               "output %u, “%s”, is not supported", n - 1, names[n - 1]);
  if (n < min)
    return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT, "%u outputs, expected at least %u", n,
                               min);
  step->n_outputs = n;
  return TRUE;
}

/* What becomes float32 in files becomes that where an attribute asks for its type. */
static void
widen_types (const EnsOnnxStep *step)
{
  for (const EnsAttribute *row = step->op->attributes; row != NULL && row->name != NULL; row++) {
    gint64 type =
        row->kind == ENS_ATTRIBUTE_TYPE ? ens_attributes_int (step->attributes, row->name, 0) : 0;

    if (type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16
        || type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16
        || type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE)
      ens_attributes_set_int (step->attributes, row->name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
  }
}

gboolean
ens_onnx_step_parse (EnsOnnxStep *step, GError **error)
{
  const EnsOp *op = step->op;
  EnsParse parse = {.node = step->what,
                    .opset = step->opset,
                    .n_outputs = step->n_outputs,
                    .attributes = step->attributes};

  step->params = g_malloc0 (op->params_size);
  widen_types (step);
  return ens_op_read_attributes (op, &parse, step->params, error);
}

/* Order of dimensions */

static guint
max_rank (const EnsOnnxStep *step)
{
  guint rank = 0;

  for (guint i = 0; i < step->n_inputs; i++)
    if (step->inputs[i] != NULL)
      rank = MAX (rank, step->inputs[i]->shape.rank);
  return rank;
}

/* Whether an operator that works in any order has inputs with channels last, and all others can be
 * brought into that order; then its params are. */
static gboolean
follows_last (EnsOnnxStep *step, const EnsOnnxImport *import)
{
  guint rank = max_rank (step);
  EnsPermutation to_first = ens_permutation_to_first (rank);
  g_autofree gpointer params = g_memdup2 (step->params, step->op->params_size);
  gboolean some_last = FALSE;

  for (guint i = 0; i < step->n_inputs; i++) {
    const EnsOnnxTensor *input = step->inputs[i];

    if (input == NULL)
      continue;
    some_last |= input->shape.rank == rank && input->computed_last;
    if (step->op->permute == NULL && input->shape.rank > 0 && input->shape.rank < rank
        && !ens_onnx_tensor_is_known (import, input))
      return FALSE;
  }
  if (!some_last || rank < 3)
    return FALSE;
  if (step->op->permute != NULL && !step->op->permute (params, rank, to_first.from))
    return FALSE;
  if (params != NULL)
    memcpy (step->params, params, step->op->params_size);
  return TRUE;
}

/* A known operand of lower rank than its node's others, brought into their order. */
static EnsValue *
permute_operand (EnsOnnxImport *import, EnsOnnxTensor *tensor, guint rank, GError **error)
{
  g_autoptr (EnsTensor) contents = ens_onnx_tensor_contents (import, tensor, error);
  g_autoptr (EnsTensor) permuted = NULL;
  EnsPermutation to_last = ens_permutation_to_last (rank);

  if (contents == NULL)
    return NULL;
  permuted = ens_tensor_permute_operand (contents, &to_last);
  return ens_graph_add_constant (import->graph, tensor->name, permuted);
}

static EnsValue *
input_value (const EnsOnnxStep *step, EnsOnnxImport *import, EnsOnnxTensor *input, guint rank,
             GError **error)
{
  gboolean broadcasts = step->op->layout == ENS_LAYOUT_FOLLOWS && step->op->permute == NULL;

  if (step->last && broadcasts && input->shape.rank > 0 && input->shape.rank < rank)
    return permute_operand (import, input, rank, error);
  return ens_onnx_tensor_value (import, input, step->last, error);
}

static gboolean
add_outputs (const EnsOnnxStep *step, EnsOnnxImport *import, EnsNode *node, guint rank,
             GError **error)
{
  for (guint i = 0; i < step->n_outputs; i++) {
    const char *name = step->proto->output[i];
    EnsValue *value = node->outputs[i];
    gboolean last =
        step->last && (step->op->layout == ENS_LAYOUT_SPATIAL || value->shape.rank == rank);
    EnsOnnxTensor *tensor;

    if (*name == '\0')
      continue;
    tensor = ens_onnx_import_add (import, name, error);
    if (tensor == NULL)
      return FALSE;
    ens_graph_rename (import->graph, value, name);
    ens_onnx_tensor_set_value (tensor, value, last);
  }
  return TRUE;
}

static gboolean
add_node (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  g_autofree EnsValue **values = g_new0 (EnsValue *, step->n_inputs);
  guint rank = max_rank (step);
  EnsNode *node;

  step->last = step->op->layout == ENS_LAYOUT_SPATIAL
               || (step->op->layout == ENS_LAYOUT_FOLLOWS && follows_last (step, import));
  for (guint i = 0; i < step->n_inputs; i++) {
    if (step->inputs[i] == NULL)
      continue;
    values[i] = input_value (step, import, step->inputs[i], rank, error);
    if (values[i] == NULL)
      return FALSE;
  }
  node = ens_onnx_import_apply (import, step->op, step->name, step->params, values, step->n_inputs,
                                step->n_outputs, error);
  return node != NULL && add_outputs (step, import, node, rank, error);
}

static void
keep_inputs (EnsOnnxImport *import, const EnsNode *node)
{
  gboolean known = TRUE;

  for (guint i = 0; i < node->n_outputs; i++)
    known &= node->outputs[i]->constant != NULL;
  for (guint i = 0; i < node->n_inputs && !known; i++)
    if (node->inputs[i] != NULL && node->inputs[i]->constant != NULL)
      g_hash_table_add (import->kept, node->inputs[i]);
}

EnsNode *
ens_onnx_import_apply (EnsOnnxImport *import, const EnsOp *op, const char *name,
                       gconstpointer params, EnsValue *const *inputs, guint n_inputs,
                       guint n_outputs, GError **error)
{
  EnsNode *node = ens_graph_add_node (import->graph, op, name, params, inputs, n_inputs, n_outputs);
  gboolean known = TRUE;

  for (guint i = 0; i < n_inputs; i++)
    if (inputs[i] != NULL)
      known &= inputs[i]->constant != NULL && !g_hash_table_contains (import->samples, inputs[i]);
  if (!ens_infer_node (node, TRUE, error))
    return NULL;
  keep_inputs (import, node);
  for (guint i = 0; i < n_outputs; i++) {
    EnsTensor *contents = node->outputs[i]->constant;

    if (contents == NULL)
      continue;
    if (!known)
      g_hash_table_add (import->samples, node->outputs[i]);
    if (!ens_onnx_import_take (import, ens_tensor_size (contents))
        || (i == 0 && !ens_onnx_import_take_steps (import, node))) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
                   "node “%s” (%s): nodes without inputs compute far more than the file holds",
                   node->name, op->name);
      return NULL;
    }
  }
  return node;
}

EnsValue *
ens_onnx_import_make (EnsOnnxImport *import, const char *name, EnsAttributes *attributes,
                      EnsValue *input, GError **error)
{
  const EnsOp *op = ens_op_find (name);
  g_autofree gpointer params = g_malloc0 (op->params_size);
  EnsParse parse = {.node = name, .opset = import->opset, .n_outputs = 1, .attributes = attributes};
  EnsNode *node;

  if (!ens_op_read_attributes (op, &parse, params, error))
    return NULL;
  node = ens_onnx_import_apply (import, op, NULL, params, &input, 1, 1, error);
  return node != NULL ? node->outputs[0] : NULL;
}

/* From the file to the graph */

static void
step_init (EnsOnnxStep *step, const Onnx__NodeProto *proto, gint64 opset)
{
  const char *op = ens_onnx_text (proto->op_type);

  *step = (EnsOnnxStep) {.proto = proto, .opset = opset, .name = ens_onnx_node_name (proto)};
  step->op = ens_onnx_is_own_domain (proto->domain) ? ens_op_find (op)
                                                    : ens_op_find_in (proto->domain, op);
  step->special = ens_onnx_find_special (proto->domain, op);
  step->what = g_strdup_printf ("node “%s” (%s)", step->name, op);
}

static gboolean
import_operator (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  return fold_inputs (step, import, error) && check_inputs (step, error)
         && count_outputs (step, import, error) && ens_onnx_step_parse (step, error)
         && add_node (step, import, error);
}

static gboolean
import_step (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  return step->attributes != NULL && find_inputs (step, import, error)
         && ens_onnx_step_raise (step, import, error)
         && (step->special == NULL || step->special (step, import, error))
         && (step->done || import_operator (step, import, error));
}

gboolean
ens_onnx_import_node (EnsOnnxImport *import, const EnsOnnxBodyNode *node, GError **error)
{
  EnsOnnxStep step;
  gboolean done;

  step_init (&step, node->proto, ens_onnx_body_get_opset (node, import->model));
  step.function = node->function;
  step.attributes = ens_onnx_attributes_read (node->proto, step.what, import->files, error);
  done = import_step (&step, import, error);
  step_clear (&step);
  if (done)
    ens_onnx_import_release (import, node->proto);
  return done;
}

gboolean
ens_onnx_import_part (EnsOnnxImport *import, const Onnx__NodeProto *proto,
                      EnsAttributes *attributes, gint64 opset, const char *what, GError **error)
{
  EnsOnnxStep step;
  gboolean done;

  step_init (&step, proto, opset);
  g_free (step.what);
  step.what = g_strdup (what);
  step.attributes = attributes;
  done = import_step (&step, import, error);
  step_clear (&step);
  return done;
}
