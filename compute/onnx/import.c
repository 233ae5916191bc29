/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks from ONNX files.
 *
 * Nodes are added in the file's order, each with its shapes inferred at a nominal size, because
 * where dimensions move depends on ranks. Contents that follow from that size (of Shape and what is
 * computed from it) are forgotten again at the end: the graph holds for all sizes. Which size that
 * is, and whether others are sound, is the part of import-sizes.c. */
#include "onnx/import.h"

#include <string.h>

#include "base/files.h"
#include "onnx/onnx.h"
#include "ops/params.h"

static void
tensor_free (gpointer data)
{
  EnsOnnxTensor *tensor = data;

  g_clear_pointer (&tensor->contents, ens_tensor_unref);
  g_free (tensor);
}

EnsOnnxTensor *
ens_onnx_import_find (const EnsOnnxImport *import, const char *name)
{
  return g_hash_table_lookup (import->tensors, name);
}

static gboolean
check_name (const EnsOnnxImport *import, const char *name, GError **error)
{
  if (*name != '\0' && ens_onnx_import_find (import, name) == NULL)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               *name == '\0' ? "a tensor has no name" : "the name “%s” is given twice", name);
  return FALSE;
}

EnsOnnxTensor *
ens_onnx_import_add (EnsOnnxImport *import, const char *name, GError **error)
{
  EnsOnnxTensor *tensor;

  if (!check_name (import, name, error))
    return NULL;
  tensor = g_new0 (EnsOnnxTensor, 1);
  tensor->name = g_string_chunk_insert (import->names, name);
  g_ptr_array_add (import->all, tensor);
  g_hash_table_insert (import->tensors, (gpointer)tensor->name, tensor);
  return tensor;
}

static void
rename_tensor (EnsOnnxImport *import, EnsOnnxTensor *tensor, const char *name)
{
  EnsValue *values[] = {tensor->first, tensor->last};

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    if (values[i] != NULL && strcmp (values[i]->name, tensor->name) == 0)
      ens_graph_rename (import->graph, values[i], name);
  tensor->name = name;
  tensor->provisional = FALSE;
}

gboolean
ens_onnx_import_alias (EnsOnnxImport *import, EnsOnnxTensor *tensor, const char *name,
                       GError **error)
{
  char *kept;

  if (!check_name (import, name, error))
    return FALSE;
  kept = g_string_chunk_insert (import->names, name);
  g_hash_table_insert (import->tensors, kept, tensor);
  tensor->aliased = TRUE;
  if (tensor->provisional)
    rename_tensor (import, tensor, kept);
  return TRUE;
}

EnsOnnxTensor *
ens_onnx_import_known (EnsOnnxImport *import, const char *name, EnsTensor *contents)
{
  EnsOnnxTensor *tensor = g_new0 (EnsOnnxTensor, 1);

  tensor->name = g_string_chunk_insert (import->names, name);
  tensor->type = contents->type;
  tensor->shape = contents->shape;
  tensor->contents = ens_tensor_ref (contents);
  g_ptr_array_add (import->all, tensor);
  return tensor;
}

EnsOnnxTensor *
ens_onnx_import_wrap (EnsOnnxImport *import, EnsValue *value)
{
  EnsOnnxTensor *tensor = g_new0 (EnsOnnxTensor, 1);

  tensor->name = g_string_chunk_insert (import->names, value->name);
  ens_onnx_tensor_set_value (tensor, value, FALSE);
  g_ptr_array_add (import->all, tensor);
  return tensor;
}

void
ens_onnx_import_init (EnsOnnxImport *import, const char *name, gsize file_size)
{
  import->graph = ens_graph_new (name);
  import->all = g_ptr_array_new_with_free_func (tensor_free);
  import->bodies = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_onnx_body_free);
  import->choices = g_string_new (NULL);
  import->names = g_string_chunk_new (4096);
  import->tensors = g_hash_table_new (g_str_hash, g_str_equal);
  import->written = g_hash_table_new (g_str_hash, g_str_equal);
  import->read = g_hash_table_new (g_str_hash, g_str_equal);
  import->samples = g_hash_table_new (NULL, NULL);
  import->kept = g_hash_table_new (NULL, NULL);
  import->declared = g_array_new (FALSE, FALSE, sizeof (EnsShape));
  import->budget = 64 << 20;
  import->work = 64 << 20;
  import->steps = 0x1p29;
  ens_onnx_import_raise (import, file_size);
}

void
ens_onnx_import_clear (EnsOnnxImport *import)
{
  g_clear_pointer (&import->graph, ens_graph_free);
  g_clear_pointer (&import->first_quantised, g_free);
  ens_onnx_functions_clear (&import->functions);
  g_hash_table_unref (import->tensors);
  g_hash_table_unref (import->written);
  g_hash_table_unref (import->read);
  g_hash_table_unref (import->samples);
  g_hash_table_unref (import->kept);
  g_ptr_array_unref (import->all);
  g_ptr_array_unref (import->bodies);
  g_string_free (import->choices, TRUE);
  g_string_chunk_free (import->names);
  g_array_unref (import->declared);
}

/* The model's head */

static gboolean
check_model (const Onnx__ModelProto *model, GError **error)
{
  if (model->graph == NULL) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT,
                         "the file holds no graph (is it an ONNX model, and complete?)");
    return FALSE;
  }
  if (model->n_opset_import == 0) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT,
                         "the file does not say its opset (is it complete?)");
    return FALSE;
  }
  if (model->graph->n_sparse_initializer > 0) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                         "sparse initializers are not supported");
    return FALSE;
  }
  return TRUE;
}

static void
note_read (char *name, gpointer import)
{
  GHashTable *read = ((EnsOnnxImport *)import)->read;

  g_hash_table_insert (read, name, GUINT_TO_POINTER (ens_onnx_count_reads (import, name) + 1));
}

static void
collect_names (EnsOnnxImport *import, const EnsOnnxBody *body)
{
  for (guint i = 0; i < body->nodes->len; i++) {
    Onnx__NodeProto *node = g_array_index (body->nodes, EnsOnnxBodyNode, i).proto;

    for (gsize j = 0; j < node->n_output; j++)
      g_hash_table_insert (import->written, node->output[j], node);
    ens_onnx_node_foreach_read (node, note_read, import);
  }
  for (guint i = 0; i < body->outputs->len; i++)
    note_read (g_ptr_array_index (body->outputs, i), import);
}

static gboolean
add_initializers (EnsOnnxImport *import, const Onnx__GraphProto *proto, GError **error)
{
  for (gsize i = 0; i < proto->n_initializer; i++) {
    const char *name = ens_onnx_text (proto->initializer[i]->name);
    g_autofree char *what = g_strdup_printf ("tensor “%s”", name);
    EnsOnnxTensor *tensor = ens_onnx_import_add (import, name, error);

    if (tensor == NULL
        || !ens_onnx_tensor_check (proto->initializer[i], what, &tensor->type, &tensor->shape,
                                   error))
      return FALSE;
    tensor->initializer = proto->initializer[i];
    tensor->stored = TRUE;
    tensor->onnx_type = proto->initializer[i]->data_type;
  }
  return TRUE;
}

/* The body of the graph or of a branch, and what it says of its tensors. */
static const EnsOnnxBody *
add_body (EnsOnnxImport *import, const Onnx__GraphProto *graph, const Onnx__FunctionProto *function,
          GError **error)
{
  EnsOnnxBody *body = ens_onnx_body_new (&import->functions, graph, function, error);

  if (body == NULL)
    return NULL;
  g_ptr_array_add (import->bodies, body);
  if (!ens_onnx_check_operators (import->bodies, &import->functions, error))
    return NULL;
  collect_names (import, body);
  for (guint i = 0; i < body->notes->len; i++)
    ens_graph_add_note (import->graph, "%s", (const char *)g_ptr_array_index (body->notes, i));
  return add_initializers (import, graph, error) ? body : NULL;
}

static gboolean
import_nodes (EnsOnnxImport *import, const EnsOnnxBody *body, GError **error)
{
  for (guint i = 0; i < body->nodes->len; i++) {
    const EnsOnnxBodyNode *node = &g_array_index (body->nodes, EnsOnnxBodyNode, i);

    if (!ens_onnx_import_node (import, node, error))
      return FALSE;
  }
  return TRUE;
}

/* Branches within branches, also by functions that they call. */
#define MAX_DEPTH 64

const EnsOnnxBody *
ens_onnx_import_branch (EnsOnnxImport *import, const EnsOnnxStep *step,
                        const Onnx__GraphProto *graph, GError **error)
{
  const EnsOnnxBody *body;
  gboolean done;

  if (import->depth >= MAX_DEPTH) {
    ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT,
                        "a function calls itself in a branch, or branches are more than %d deep",
                        MAX_DEPTH);
    return NULL;
  }
  import->depth++;
  body = add_body (import, graph, step->function, error);
  done = body != NULL && import_nodes (import, body, error);
  import->depth--;
  return done ? body : NULL;
}

/* Inputs */

/* The declared dimensions, -1 for open ones. */
static gboolean
read_dims (const Onnx__TensorShapeProto *proto, const char *what, EnsShape *shape, GError **error)
{
  if (proto->n_dim > ENS_MAX_RANK) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s has %" G_GSIZE_FORMAT " dimensions, supported are %d", what, proto->n_dim,
                 ENS_MAX_RANK);
    return FALSE;
  }
  shape->rank = (guint)proto->n_dim;
  for (guint i = 0; i < shape->rank; i++) {
    const Onnx__TensorShapeProto__Dimension *dim = proto->dim[i];

    shape->dims[i] = -1;
    if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
      shape->dims[i] = dim->dim_value;
    if (shape->dims[i] < -1 || shape->dims[i] > G_MAXINT32) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s has a dimension of %" G_GINT64_FORMAT,
                   what, shape->dims[i]);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
read_input_type (const Onnx__ValueInfoProto *proto, const char *what, EnsType *type,
                 EnsShape *shape, GError **error)
{
  const Onnx__TypeProto__Tensor *tensor;

  if (proto->type == NULL || proto->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s is not a tensor", what);
    return FALSE;
  }
  tensor = proto->type->tensor_type;
  if (tensor->shape == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s has no declared shape, not even a number of dimensions; export the network "
                 "again with one, of which heights and widths may be open",
                 what);
    return FALSE;
  }
  return ens_onnx_type (tensor->elem_type, what, type, error)
         && read_dims (tensor->shape, what, shape, error);
}

static EnsShape
permute_shape (const EnsShape *shape, const EnsPermutation *permutation)
{
  EnsShape permuted = {.rank = shape->rank};

  for (guint i = 0; i < shape->rank; i++)
    permuted.dims[i] = shape->dims[permutation->from[i]];
  return permuted;
}

static gboolean
add_input (EnsOnnxImport *import, const Onnx__ValueInfoProto *info, GError **error)
{
  const char *name = ens_onnx_text (info->name);
  g_autofree char *what = g_strdup_printf ("input “%s”", name);
  EnsOnnxTensor *tensor = ens_onnx_import_add (import, name, error);
  EnsPermutation to_last = ens_permutation_to_last (4);
  EnsShape declared, shape;
  gboolean given_last, last;
  EnsValue *value;

  if (tensor == NULL || !read_input_type (info, what, &tensor->type, &declared, error))
    return FALSE;
  given_last = declared.rank == 4 && ens_onnx_is_given_last (import, name, &declared);
  last = declared.rank == 4 && !given_last;
  if (last)
    declared = permute_shape (&declared, &to_last);
  if (import->any_size && declared.rank == 4)
    declared.dims[1] = declared.dims[2] = -1;
  shape = declared;
  if (declared.rank == 4 && declared.dims[3] < 0)
    shape.dims[3] = import->nominal_channels;
  shape = ens_onnx_nominal_shape (&shape, declared.rank == 4 ? 3 : 1, 1, import->nominal_size);
  if (ens_shape_elements (&shape) < 0) {
    g_autofree char *text = ens_shape_to_string (&shape);

    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s can't be as large as %s", what, text);
    return FALSE;
  }
  g_array_append_val (import->declared, declared);
  value = ens_graph_add_input (import->graph, name, tensor->type, &shape);
  ens_onnx_tensor_set_value (tensor, value, last);
  if (import->graph->inputs->len == 1 && shape.rank > 0)
    import->nominal_batch = shape.dims[0];
  return TRUE;
}

/* Files of older versions list initializers among the inputs. */
static gboolean
add_inputs (EnsOnnxImport *import, const Onnx__GraphProto *proto, GError **error)
{
  for (gsize i = 0; i < proto->n_input; i++) {
    const EnsOnnxTensor *tensor =
        ens_onnx_import_find (import, ens_onnx_text (proto->input[i]->name));

    if (tensor != NULL && tensor->initializer != NULL)
      continue;
    if (!add_input (import, proto->input[i], error))
      return FALSE;
  }
  return TRUE;
}

/* The whole */

/* Forgets what holds for the nominal size alone, except the shapes of computed values. */
static void
forget_samples (EnsOnnxImport *import)
{
  GHashTableIter samples;
  gpointer value;

  g_hash_table_iter_init (&samples, import->samples);
  while (g_hash_table_iter_next (&samples, &value, NULL))
    g_clear_pointer (&((EnsValue *)value)->constant, ens_tensor_unref);
  for (guint i = 0; i < import->graph->inputs->len; i++)
    ((EnsValue *)g_ptr_array_index (import->graph->inputs, i))->shape =
        g_array_index (import->declared, EnsShape, i);
}

EnsGraph *
ens_onnx_import_graph (EnsOnnxImport *import, const Onnx__ModelProto *model, GError **error)
{
  const EnsOnnxBody *body;

  if (!check_model (model, error))
    return NULL;
  import->model = model;
  ens_onnx_functions_init (&import->functions, model, &import->budget);
  import->opset = ens_onnx_find_opset (model, NULL);
  body = add_body (import, model->graph, NULL, error);
  if (body == NULL || !add_inputs (import, model->graph, error)
      || !import_nodes (import, body, error) || !ens_onnx_import_outputs (import, body, error))
    return NULL;
  forget_samples (import);
  ens_onnx_import_note_quantised (import);
  ens_graph_remove_unused (import->graph);
  if (!ens_graph_validate (import->graph, error))
    return NULL;
  return g_steal_pointer (&import->graph);
}
