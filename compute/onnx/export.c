/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks as ONNX files.
 *
 * The reverse of import: operators on spatial maps, and those that follow any order, are written
 * with channels first; between them and the others stand Transposes, which import takes out again.
 */
#include "onnx/export.h"

#include <string.h>

#include "base/files.h"
#include "onnx/onnx.h"

/* The file format has a version of its own, which comes with an opset. */
static gint64
find_ir_version (gint64 opset)
{
  return opset < 15 ? 7 : opset < 19 ? 8 : 9;
}

static void
export_init (EnsOnnxExport *export, EnsGraph *graph)
{
  *export = (EnsOnnxExport) {
      .graph = graph,
      .forms = g_new0 (EnsOnnxForms, graph->values->len),
      .names = g_hash_table_new (g_str_hash, g_str_equal),
      .memory = g_ptr_array_new_with_free_func (g_free),
      .tensors = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref),
      .nodes = g_ptr_array_new (),
      .initializers = g_ptr_array_new (),
      .inputs = g_ptr_array_new (),
      .outputs = g_ptr_array_new (),
      .opset = ENS_ONNX_OPSET,
  };
  for (guint i = 0; i < graph->values->len; i++) {
    const EnsValue *value = g_ptr_array_index (graph->values, i);

    export->forms[i].name = value->name;
    g_hash_table_add (export->names, value->name);
  }
  for (guint i = 0; i < graph->outputs->len; i++)
    export->forms[((EnsValue *)g_ptr_array_index (graph->outputs, i))->index].is_output = TRUE;
}

static void
export_clear (EnsOnnxExport *export)
{
  g_free (export->forms);
  g_hash_table_unref (export->names);
  g_ptr_array_unref (export->memory);
  g_ptr_array_unref (export->tensors);
  g_ptr_array_unref (export->nodes);
  g_ptr_array_unref (export->initializers);
  g_ptr_array_unref (export->inputs);
  g_ptr_array_unref (export->outputs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsOnnxExport, export_clear)

/* Whether the name is another one with the suffix that import gives to values with channels first.
 */
static gboolean
is_first_of (const char *name, const char *last)
{
  return g_str_has_prefix (name, last)
         && (strcmp (name + strlen (last), ":nchw") == 0
             || strcmp (name + strlen (last), ":channels-first") == 0);
}

/* Import calls a value that it has to bring from ONNX's order to ours "NAME:nchw" and the result
 * NAME. In the file they are one tensor, NAME. */
static void
find_last_names (EnsOnnxExport *export)
{
  for (guint i = 0; i < export->graph->nodes->len; i++) {
    const EnsNode *node = g_ptr_array_index (export->graph->nodes, i);
    EnsPermutation permutation, to_last;
    EnsOnnxForms *from;

    if (node->op->kind != ENS_KIND_TRANSPOSE)
      continue;
    to_last = ens_permutation_to_last (node->inputs[0]->shape.rank);
    from = &export->forms[node->inputs[0]->index];
    if (from->last == NULL && !from->is_output
        && is_first_of (node->inputs[0]->name, node->outputs[0]->name)
        && ens_onnx_read_permutation (node->params, to_last.rank, &permutation)
        && ens_permutation_equal (&permutation, &to_last))
      from->last = node->outputs[0]->name;
  }
}

/* Inputs and outputs */

static Onnx__TensorShapeProto__Dimension *
make_dimension (EnsOnnxExport *export, const char *value, guint axis, gint64 size)
{
  Onnx__TensorShapeProto__Dimension *dim = ens_onnx_export_message (
      export, Onnx__TensorShapeProto__Dimension, ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);
  g_autofree char *name = axis == 0 ? g_strdup ("batch") : g_strdup_printf ("%s_%u", value, axis);

  if (size >= 0) {
    dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    dim->dim_value = size;
  } else {
    dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    dim->dim_param = ens_onnx_export_text (export, name);
  }
  return dim;
}

/* Declares an input or output of this shape, -1 for open dimensions, in the graph's order. */
static Onnx__ValueInfoProto *
declare (EnsOnnxExport *export, const EnsValue *value, const EnsShape *shape)
{
  Onnx__ValueInfoProto *info =
      ens_onnx_export_message (export, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
  Onnx__TypeProto *type = ens_onnx_export_message (export, Onnx__TypeProto, ONNX__TYPE_PROTO__INIT);
  Onnx__TypeProto__Tensor *tensor =
      ens_onnx_export_message (export, Onnx__TypeProto__Tensor, ONNX__TYPE_PROTO__TENSOR__INIT);
  EnsPermutation order = ens_permutation_to_first (shape->rank);
  g_autoptr (GPtrArray) dims = g_ptr_array_new ();

  for (guint i = 0; i < shape->rank; i++)
    g_ptr_array_add (dims, make_dimension (export, value->name, i,
                                           shape->dims[shape->rank == 4 ? order.from[i] : i]));
  tensor->has_elem_type = TRUE;
  tensor->elem_type = ens_onnx_type_number (value->type);
  tensor->shape =
      ens_onnx_export_message (export, Onnx__TensorShapeProto, ONNX__TENSOR_SHAPE_PROTO__INIT);
  tensor->shape->n_dim = dims->len;
  tensor->shape->dim = ens_onnx_export_list (export, dims);
  type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  type->tensor_type = tensor;
  info->name = value->name;
  info->type = type;
  return info;
}

static void
add_inputs (EnsOnnxExport *export, const EnsGraph *declared)
{
  for (guint i = 0; i < export->graph->inputs->len; i++) {
    const EnsValue *value = g_ptr_array_index (export->graph->inputs, i);
    const EnsValue *twin = g_ptr_array_index (declared->inputs, i);
    EnsOnnxForms *forms = &export->forms[value->index];

    forms->is_last = value->shape.rank == 4;
    *(forms->is_last ? &forms->first : &forms->plain) = value->name;
    g_ptr_array_add (export->inputs, declare (export, value, &twin->shape));
  }
}

static void
add_outputs (EnsOnnxExport *export, const EnsGraph *inferred)
{
  for (guint i = 0; i < export->graph->outputs->len; i++) {
    const EnsValue *value = g_ptr_array_index (export->graph->outputs, i);
    const EnsValue *twin = g_ptr_array_index (inferred->outputs, i);

    ens_onnx_export_form (export, value, value->shape.rank == 4);
    g_ptr_array_add (export->outputs, declare (export, value, &twin->shape));
  }
}

/* The file */

/* What a file says of itself. */
typedef struct {
  const EnsOnnxProperty *properties;
  guint n;
} About;

static void
add_properties (EnsOnnxExport *export, const About *about, Onnx__ModelProto *model)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();

  for (guint i = 0; i < about->n; i++) {
    Onnx__StringStringEntryProto entry = ONNX__STRING_STRING_ENTRY_PROTO__INIT;

    entry.key = (char *)about->properties[i].key;
    entry.value = (char *)about->properties[i].value;
    g_ptr_array_add (entries, ens_onnx_export_keep (export, &entry, sizeof entry));
  }
  model->n_metadata_props = entries->len;
  model->metadata_props = ens_onnx_export_list (export, entries);
}

static GBytes *
pack (EnsOnnxExport *export, const About *about)
{
  Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
  Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
  Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
  g_autofree char *name = g_path_get_basename (export->graph->name);
  guint8 *data;
  gsize size;

  opset.domain = "";
  opset.has_version = TRUE;
  opset.version = export->opset;
  graph.name = name;
  graph.n_node = export->nodes->len;
  graph.node = (Onnx__NodeProto **)export->nodes->pdata;
  graph.n_initializer = export->initializers->len;
  graph.initializer = (Onnx__TensorProto **)export->initializers->pdata;
  graph.n_input = export->inputs->len;
  graph.input = (Onnx__ValueInfoProto **)export->inputs->pdata;
  graph.n_output = export->outputs->len;
  graph.output = (Onnx__ValueInfoProto **)export->outputs->pdata;
  model.has_ir_version = TRUE;
  model.ir_version = find_ir_version (export->opset);
  model.producer_name = "gst-ensemble";
  model.n_opset_import = 1;
  model.opset_import = &opsets;
  model.graph = &graph;
  add_properties (export, about, &model);
  size = onnx__model_proto__get_packed_size (&model);
  data = g_malloc (size);
  onnx__model_proto__pack (&model, data);
  return g_bytes_new_take (data, size);
}

static GBytes *
export_graph (EnsGraph *inferred, const EnsGraph *declared, const About *about, GError **error)
{
  g_auto (EnsOnnxExport) export;

  export_init (&export, inferred);
  find_last_names (&export);
  ens_onnx_export_find_bounds (&export);
  add_inputs (&export, declared);
  for (guint i = 0; i < inferred->nodes->len; i++)
    ens_onnx_export_raise_opset (&export, g_ptr_array_index (inferred->nodes, i));
  for (guint i = 0; i < inferred->nodes->len; i++)
    if (!ens_onnx_export_node (&export, g_ptr_array_index (inferred->nodes, i), error))
      return NULL;
  add_outputs (&export, inferred);
  return pack (&export, about);
}

static GBytes *
export_described (const EnsGraph *graph, const About *about, GError **error)
{
  g_autoptr (EnsGraph) inferred = ens_onnx_infer_open (graph, error);

  return inferred != NULL ? export_graph (inferred, graph, about, error) : NULL;
}

GBytes *
ens_onnx_export_bytes (const EnsGraph *graph, GError **error)
{
  return export_described (graph, &(const About) {0}, error);
}

gboolean
ens_onnx_export (const EnsGraph *graph, const char *path, GError **error)
{
  return ens_onnx_export_described (graph, NULL, 0, path, error);
}

gboolean
ens_onnx_export_described (const EnsGraph *graph, const EnsOnnxProperty *properties,
                           guint n_properties, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes =
      export_described (graph, &(const About) {properties, n_properties}, error);
  gsize size;
  const char *data;

  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  if (size > G_MAXINT32) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: the network takes %" G_GSIZE_FORMAT " bytes, ONNX files hold up to 2 GiB",
                 path, size);
    return FALSE;
  }
  return ens_file_write (path, data, size, ENS_FILE_DURABLE, error);
}
