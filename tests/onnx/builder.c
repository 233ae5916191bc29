/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "builder.h"

#include <stdlib.h>
#include <string.h>

/* Appends to a repeated field. */
#define APPEND(array, n, element) \
  ((array) = realloc ((array), ((n) + 1) * sizeof *(array)), (array)[(n)++] = (element))

#define NEW(type, init) (type *)initialised (&(type)init, sizeof (type))

static gpointer
initialised (gconstpointer contents, gsize size)
{
  gpointer copy = malloc (size);

  memcpy (copy, contents, size);
  return copy;
}

void
set_text (char **field, const char *text)
{
  free (*field);
  *field = strdup (text);
}

void
model_add_domain (Onnx__ModelProto *model, const char *domain, gint64 opset)
{
  Onnx__OperatorSetIdProto *id = NEW (Onnx__OperatorSetIdProto, ONNX__OPERATOR_SET_ID_PROTO__INIT);

  id->domain = strdup (domain);
  id->has_version = TRUE;
  id->version = opset;
  APPEND (model->opset_import, model->n_opset_import, id);
}

Onnx__ModelProto *
model_new (gint64 opset)
{
  Onnx__ModelProto *model = NEW (Onnx__ModelProto, ONNX__MODEL_PROTO__INIT);

  model_add_domain (model, "", opset);
  model->has_ir_version = TRUE;
  model->ir_version = 7;
  model->graph = NEW (Onnx__GraphProto, ONNX__GRAPH_PROTO__INIT);
  model->graph->name = strdup ("test");
  return model;
}

void
model_free (Onnx__ModelProto *model)
{
  onnx__model_proto__free_unpacked (model, NULL);
}

GBytes *
model_pack (const Onnx__ModelProto *model)
{
  gsize size = onnx__model_proto__get_packed_size (model);
  guint8 *data = g_malloc (size);

  onnx__model_proto__pack (model, data);
  return g_bytes_new_take (data, size);
}

static Onnx__ValueInfoProto *
new_value_info (const char *name, int type, const EnsShape *shape)
{
  Onnx__ValueInfoProto *info = NEW (Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
  Onnx__TypeProto__Tensor *tensor = NEW (Onnx__TypeProto__Tensor, ONNX__TYPE_PROTO__TENSOR__INIT);

  info->name = strdup (name);
  info->type = NEW (Onnx__TypeProto, ONNX__TYPE_PROTO__INIT);
  info->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  info->type->tensor_type = tensor;
  tensor->has_elem_type = TRUE;
  tensor->elem_type = type;
  tensor->shape = NEW (Onnx__TensorShapeProto, ONNX__TENSOR_SHAPE_PROTO__INIT);
  for (guint i = 0; i < shape->rank; i++) {
    Onnx__TensorShapeProto__Dimension *dim =
        NEW (Onnx__TensorShapeProto__Dimension, ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);

    if (shape->dims[i] == -1) {
      dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
      dim->dim_param = strdup ("open");
    } else {
      dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
      dim->dim_value = shape->dims[i];
    }
    APPEND (tensor->shape->dim, tensor->shape->n_dim, dim);
  }
  return info;
}

Onnx__ValueInfoProto *
model_add_input (Onnx__ModelProto *model, const char *name, int type, const EnsShape *shape)
{
  Onnx__ValueInfoProto *info = new_value_info (name, type, shape);

  APPEND (model->graph->input, model->graph->n_input, info);
  return info;
}

Onnx__ValueInfoProto *
model_add_output (Onnx__ModelProto *model, const char *name, int type, const EnsShape *shape)
{
  Onnx__ValueInfoProto *info = new_value_info (name, type, shape);

  APPEND (model->graph->output, model->graph->n_output, info);
  return info;
}

static Onnx__TensorProto *
new_tensor (const char *name, int type, const EnsShape *shape)
{
  Onnx__TensorProto *tensor = NEW (Onnx__TensorProto, ONNX__TENSOR_PROTO__INIT);
  gboolean is_float = type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  gint64 n = ens_shape_elements (shape);

  tensor->name = strdup (name);
  tensor->has_data_type = TRUE;
  tensor->data_type = type;
  for (guint i = 0; i < shape->rank; i++)
    APPEND (tensor->dims, tensor->n_dims, shape->dims[i]);
  tensor->has_raw_data = TRUE;
  tensor->raw_data.len = (gsize)n * (is_float ? 4 : 8);
  tensor->raw_data.data = malloc (tensor->raw_data.len);
  for (gint64 i = 0; i < n; i++) {
    gint64 integer = GINT64_TO_LE (i + 1);
    float real = (float)(i + 1);

    memcpy (tensor->raw_data.data + i * (is_float ? 4 : 8),
            is_float ? (gpointer)&real : (gpointer)&integer, is_float ? 4 : 8);
  }
  return tensor;
}

Onnx__TensorProto *
model_add_initializer (Onnx__ModelProto *model, const char *name, int type, const EnsShape *shape)
{
  Onnx__TensorProto *tensor = new_tensor (name, type, shape);

  APPEND (model->graph->initializer, model->graph->n_initializer, tensor);
  return tensor;
}

Onnx__TensorProto *
model_add_numbers (Onnx__ModelProto *model, const char *name, int type, const EnsShape *shape,
                   const double *values)
{
  Onnx__TensorProto *tensor = model_add_initializer (model, name, type, shape);
  gboolean is_float = type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  gboolean is_wide = is_float || type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32;
  gint64 n = ens_shape_elements (shape);

  tensor->raw_data.len = (gsize)n * (is_wide ? 4 : 1);
  for (gint64 i = 0; i < n; i++) {
    float real = (float)values[i];
    gint32 integer = GINT32_TO_LE ((gint32)values[i]);

    if (is_wide)
      memcpy (tensor->raw_data.data + i * 4, is_float ? (gpointer)&real : (gpointer)&integer, 4);
    else
      tensor->raw_data.data[i] = (guint8)integer;
  }
  return tensor;
}

Onnx__TensorProto *
model_add_int64s (Onnx__ModelProto *model, const char *name, const gint64 *values, gsize n)
{
  Onnx__TensorProto *tensor = model_add_initializer (
      model, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, &ENS_SHAPE ((gint64)n));

  memcpy (tensor->raw_data.data, values, n * sizeof *values);
  return tensor;
}

static void
append_names (char ***names, gsize *n_names, const char *list)
{
  g_auto (GStrv) words = g_strsplit (list, " ", -1);

  for (guint i = 0; words[i] != NULL && *list != '\0'; i++)
    APPEND (*names, *n_names, strdup (strcmp (words[i], "-") == 0 ? "" : words[i]));
}

Onnx__NodeProto *
model_add_node (Onnx__ModelProto *model, const char *op, const char *inputs, const char *outputs)
{
  Onnx__NodeProto *node = NEW (Onnx__NodeProto, ONNX__NODE_PROTO__INIT);
  g_autofree char *name = g_strdup_printf ("%s%u", op, (guint)model->graph->n_node);

  node->name = strdup (name);
  node->op_type = strdup (op);
  append_names (&node->input, &node->n_input, inputs);
  append_names (&node->output, &node->n_output, outputs);
  APPEND (model->graph->node, model->graph->n_node, node);
  return node;
}

void
model_add_nodes (Onnx__ModelProto *model, const char *text)
{
  g_auto (GStrv) nodes = g_strsplit (text, ";", -1);

  for (guint i = 0; nodes[i] != NULL; i++) {
    g_auto (GStrv) sides = g_strsplit (nodes[i], ">", 2);
    g_auto (GStrv) words = g_strsplit (sides[0], " ", 2);

    model_add_node (model, words[0], words[1], sides[1]);
  }
}

Onnx__AttributeProto *
node_add_attribute (Onnx__NodeProto *node, const char *name, int type)
{
  Onnx__AttributeProto *attribute = NEW (Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);

  attribute->name = strdup (name);
  attribute->has_type = TRUE;
  attribute->type = type;
  APPEND (node->attribute, node->n_attribute, attribute);
  return attribute;
}

void
node_add_int (Onnx__NodeProto *node, const char *name, gint64 value)
{
  Onnx__AttributeProto *attribute =
      node_add_attribute (node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

  attribute->has_i = TRUE;
  attribute->i = value;
}

void
node_add_float (Onnx__NodeProto *node, const char *name, float value)
{
  Onnx__AttributeProto *attribute =
      node_add_attribute (node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

  attribute->has_f = TRUE;
  attribute->f = value;
}

void
node_add_ints (Onnx__NodeProto *node, const char *name, const gint64 *values, gsize n)
{
  Onnx__AttributeProto *attribute =
      node_add_attribute (node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

  for (gsize i = 0; i < n; i++)
    APPEND (attribute->ints, attribute->n_ints, values[i]);
}

void
node_add_floats (Onnx__NodeProto *node, const char *name, const float *values, gsize n)
{
  Onnx__AttributeProto *attribute =
      node_add_attribute (node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);

  for (gsize i = 0; i < n; i++)
    APPEND (attribute->floats, attribute->n_floats, values[i]);
}

void
node_add_string (Onnx__NodeProto *node, const char *name, const char *value)
{
  Onnx__AttributeProto *attribute =
      node_add_attribute (node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

  attribute->has_s = TRUE;
  attribute->s.len = strlen (value);
  attribute->s.data = (guint8 *)strdup (value);
}

Onnx__TensorProto *
node_add_tensor (Onnx__NodeProto *node, const char *name, int type, const EnsShape *shape)
{
  Onnx__AttributeProto *attribute =
      node_add_attribute (node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);

  attribute->t = new_tensor (name, type, shape);
  return attribute->t;
}

static void
add_entry (Onnx__TensorProto *tensor, const char *key, const char *value)
{
  Onnx__StringStringEntryProto *entry =
      NEW (Onnx__StringStringEntryProto, ONNX__STRING_STRING_ENTRY_PROTO__INIT);

  entry->key = strdup (key);
  entry->value = strdup (value);
  APPEND (tensor->external_data, tensor->n_external_data, entry);
}

void
tensor_set_external (Onnx__TensorProto *tensor, const char *location, const char *offset,
                     const char *length)
{
  tensor->has_data_location = TRUE;
  tensor->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  tensor->has_raw_data = FALSE;
  free (tensor->raw_data.data);
  tensor->raw_data = (ProtobufCBinaryData) {0};
  if (location != NULL)
    add_entry (tensor, "location", location);
  if (offset != NULL)
    add_entry (tensor, "offset", offset);
  if (length != NULL)
    add_entry (tensor, "length", length);
}
