/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "onnx/onnx-private.h"

static const char *const type_names[] = {
    [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH] = "a graph",
    [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS] = "graphs",
    [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS] = "tensors",
    [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR] = "a sparse tensor",
    [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS] = "sparse tensors",
    [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTO] = "a type",
    [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTOS] = "types",
};

/* Files of the first versions of ONNX do not say the type. */
static int
guess_type (const Onnx__AttributeProto *proto)
{
  if (proto->has_type && proto->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED)
    return (int)proto->type;
  if (proto->has_f)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
  if (proto->has_i)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
  if (proto->has_s)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
  if (proto->t != NULL)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
  if (proto->g != NULL)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
  if (proto->n_floats > 0)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
  if (proto->n_ints > 0)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
  return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED;
}

static gboolean
read_string (EnsAttributes *attributes, const Onnx__AttributeProto *proto, const char *what,
             GError **error)
{
  /* An empty field has no data. */
  const char *data = proto->s.len > 0 ? (const char *)proto->s.data : "";
  g_autofree char *text = g_strndup (data, proto->s.len);

  if (!g_utf8_validate_len (data, proto->s.len, NULL)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s is not UTF-8 text", what);
    return FALSE;
  }
  ens_attributes_set_string (attributes, proto->name, text);
  return TRUE;
}

/* Joined by commas, which none of them may have. */
static gboolean
read_strings (EnsAttributes *attributes, const Onnx__AttributeProto *proto, const char *what,
              GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < proto->n_strings; i++) {
    const char *data = (const char *)proto->strings[i].data;
    gsize length = proto->strings[i].len;

    if (length == 0 || !g_utf8_validate_len (data, length, NULL) || memchr (data, ',', length)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                   "%s has a string that is empty, no UTF-8 text, or has a comma", what);
      return FALSE;
    }
    if (i > 0)
      g_string_append_c (text, ',');
    g_string_append_len (text, data, (gssize)length);
  }
  ens_attributes_set_strings (attributes, proto->name, text->str);
  return TRUE;
}

static gboolean
read_tensor (EnsAttributes *attributes, const Onnx__AttributeProto *proto, const char *what,
             EnsOnnxFiles *files, GError **error)
{
  g_autoptr (EnsTensor) tensor = NULL;

  if (proto->t == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s should be a tensor and has none", what);
    return FALSE;
  }
  tensor = ens_onnx_tensor_read (proto->t, what, files, error);
  if (tensor == NULL)
    return FALSE;
  ens_attributes_set_tensor (attributes, proto->name, tensor);
  return TRUE;
}

static gboolean
read_attribute (EnsAttributes *attributes, const Onnx__AttributeProto *proto, const char *what,
                EnsOnnxFiles *files, GError **error)
{
  int type = guess_type (proto);

  switch (type) {
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
    ens_attributes_set_float (attributes, proto->name, proto->f);
    return TRUE;
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
    ens_attributes_set_int (attributes, proto->name, proto->i);
    return TRUE;
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
    return read_string (attributes, proto, what, error);
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
    return read_strings (attributes, proto, what, error);
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
    return read_tensor (attributes, proto, what, files, error);
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
    ens_attributes_set_floats (attributes, proto->name, proto->floats, (guint)proto->n_floats);
    return TRUE;
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
    ens_attributes_set_ints (attributes, proto->name, proto->ints, (guint)proto->n_ints);
    return TRUE;
  default:
    break;
  }
  if (type > 0 && type < (int)G_N_ELEMENTS (type_names) && type_names[type] != NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s is %s, which is not supported", what,
                 type_names[type]);
  else
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s has no type", what);
  return FALSE;
}

EnsAttributes *
ens_onnx_attributes_read (const Onnx__NodeProto *proto, const char *node, EnsOnnxFiles *files,
                          GError **error)
{
  g_autoptr (EnsAttributes) attributes = ens_attributes_new ();

  for (gsize i = 0; i < proto->n_attribute; i++) {
    const Onnx__AttributeProto *attribute = proto->attribute[i];
    const char *name = ens_onnx_text (attribute->name);
    g_autofree char *what = g_strdup_printf ("%s: attribute “%s”", node, name);

    if (*name == '\0' || ens_attributes_has (attributes, name)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s %s", what,
                   *name == '\0' ? "has no name" : "appears twice");
      return NULL;
    }
    /* Branches are read when it is known which. */
    if (attribute->g != NULL && g_strcmp0 (proto->op_type, "If") == 0)
      continue;
    if (!read_attribute (attributes, attribute, what, files, error))
      return NULL;
  }
  return g_steal_pointer (&attributes);
}
