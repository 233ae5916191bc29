/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/about.h"

#include "base/files.h"
#include "onnx/onnx-private.h"

static char *
describe_producer (const Onnx__ModelProto *model)
{
  const char *name = ens_onnx_text (model->producer_name);
  const char *version = ens_onnx_text (model->producer_version);

  if (*name == '\0')
    return NULL;
  return *version != '\0' ? g_strdup_printf ("%s %s", name, version) : g_strdup (name);
}

static gint64
get_dimension (const Onnx__TensorShapeProto *shape, guint i)
{
  const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];

  return dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? dim->dim_value
                                                                                 : -1;
}

static gboolean
is_channels (gint64 dimension)
{
  return dimension == 1 || dimension == 3;
}

static gboolean
has_channels_last (const Onnx__ModelProto *model)
{
  const Onnx__GraphProto *graph = model->graph;

  for (gsize i = 0; graph != NULL && i < graph->n_input; i++) {
    const Onnx__TypeProto *type = graph->input[i]->type;
    const Onnx__TensorShapeProto *shape;

    if (type == NULL || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
      continue;
    shape = type->tensor_type->shape;
    if (shape != NULL && shape->n_dim == 4)
      return is_channels (get_dimension (shape, 3)) && !is_channels (get_dimension (shape, 1));
  }
  return FALSE;
}

static void
add_types (GHashTable *types, Onnx__ValueInfoProto *const *values, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    const Onnx__TypeProto *type = values[i]->type;
    const char *name = type != NULL && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
                           ? ens_onnx_type_name (type->tensor_type->elem_type)
                           : NULL;

    if (name != NULL)
      g_hash_table_insert (types, g_strdup (ens_onnx_text (values[i]->name)), (gpointer)name);
  }
}

EnsOnnxAbout *
ens_onnx_about_read (const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = ens_file_map (path, error);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (Onnx__ModelProto) model = NULL;
  EnsOnnxAbout *about;

  if (file != NULL) {
    bytes = g_mapped_file_get_bytes (file);
    model = ens_onnx_parse (bytes, error);
  }
  if (model == NULL) {
    g_prefix_error (error, "%s: ", path);
    return NULL;
  }
  about = g_new0 (EnsOnnxAbout, 1);
  about->producer = describe_producer (model);
  about->properties = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  about->types = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (model->graph != NULL) {
    add_types (about->types, model->graph->input, model->graph->n_input);
    add_types (about->types, model->graph->output, model->graph->n_output);
  }
  about->channels_last = has_channels_last (model);
  for (gsize i = 0; i < model->n_metadata_props; i++)
    g_hash_table_insert (about->properties,
                         g_utf8_strdown (ens_onnx_text (model->metadata_props[i]->key), -1),
                         g_strdup (ens_onnx_text (model->metadata_props[i]->value)));
  return about;
}

void
ens_onnx_about_free (EnsOnnxAbout *about)
{
  if (about == NULL)
    return;
  g_free (about->producer);
  g_hash_table_unref (about->properties);
  g_hash_table_unref (about->types);
  g_free (about);
}
