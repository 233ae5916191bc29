/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/op-attributes.h"

#include <string.h>

#include "graph/op.h"

#define MAX_LIST 128

/* The numbers of onnx.proto's TensorProto.DataType. */
static const gint64 type_numbers[ENS_N_TYPES] = {
    [ENS_TYPE_FLOAT32] = 1, [ENS_TYPE_FLOAT16] = 10, [ENS_TYPE_FLOAT64] = 11, [ENS_TYPE_INT64] = 7,
    [ENS_TYPE_INT32] = 6,   [ENS_TYPE_INT8] = 3,     [ENS_TYPE_UINT8] = 2,    [ENS_TYPE_BOOL] = 9,
};

/* Reading */

static gboolean
refuse (const EnsParse *parse, const EnsAttribute *row, GError **error, const char *found,
        const char *expected)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s: attribute “%s” is %s, expected %s%s",
               parse->node, row->name, found, expected, row->advice != NULL ? row->advice : "");
  return FALSE;
}

static gboolean
check_range (const EnsParse *parse, const EnsAttribute *row, gint64 value, GError **error)
{
  g_autofree char *found = NULL;
  g_autofree char *expected = NULL;

  if ((row->min == 0 && row->max == 0) || (value >= row->min && value <= row->max))
    return TRUE;
  found = g_strdup_printf ("%" G_GINT64_FORMAT, value);
  if (row->max == G_MAXINT64)
    expected = g_strdup_printf ("%" G_GINT64_FORMAT " or more", row->min);
  else
    expected = g_strdup_printf ("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, row->min, row->max);
  return refuse (parse, row, error, found, expected);
}

static gboolean
read_int (const EnsParse *parse, const EnsAttribute *row, gpointer member, GError **error)
{
  gint64 value = ens_attributes_int (parse->attributes, row->name, row->integer);

  if (row->kind == ENS_ATTRIBUTE_FLAG)
    *(gboolean *)member = value != 0;
  else
    *(gint64 *)member = value;
  return check_range (parse, row, value, error);
}

static gboolean
check_int (const EnsParse *parse, const EnsAttribute *row, gint64 supported, GError **error)
{
  gint64 value = ens_attributes_int (parse->attributes, row->name, supported);
  g_autofree char *found = NULL;
  g_autofree char *expected = NULL;

  if (value == supported)
    return TRUE;
  found = g_strdup_printf ("%" G_GINT64_FORMAT, value);
  expected = g_strdup_printf ("%" G_GINT64_FORMAT, supported);
  return refuse (parse, row, error, found, expected);
}

/* The number of the attribute's name among those that are known. */
static gboolean
read_name (const EnsParse *parse, const EnsAttribute *row, guint *number, GError **error)
{
  const char *name = ens_attributes_string (parse->attributes, row->name, NULL);
  g_autofree char *found = NULL;
  g_autofree char *expected = NULL;

  *number = (guint)row->integer;
  if (name == NULL)
    return TRUE;
  for (guint i = 0; row->names[i] != NULL; i++)
    if (strcmp (name, row->names[i]) == 0) {
      *number = i;
      return TRUE;
    }
  found = g_strdup_printf ("“%s”", name);
  expected = g_strjoinv (", ", (char **)row->names);
  return refuse (parse, row, error, found, expected);
}

static gboolean
read_string (const EnsParse *parse, const EnsAttribute *row, char *member, GError **error)
{
  const char *string = row->kind == ENS_ATTRIBUTE_STRINGS
                           ? ens_attributes_strings (parse->attributes, row->name, "")
                           : ens_attributes_string (parse->attributes, row->name, "");
  g_autofree char *expected = NULL;

  if (g_strlcpy (member, string, row->length) < row->length)
    return TRUE;
  expected = g_strdup_printf ("at most %u characters", row->length - 1);
  return refuse (parse, row, error, string, expected);
}

static gboolean
read_type (const EnsParse *parse, const EnsAttribute *row, EnsType *member, GError **error)
{
  gint64 number = ens_attributes_int (parse->attributes, row->name, 0);
  g_autofree char *found = NULL;

  *member = ENS_N_TYPES;
  if (!ens_attributes_has (parse->attributes, row->name))
    return TRUE;
  for (guint i = 0; i < ENS_N_TYPES; i++)
    if (type_numbers[i] == number) {
      *member = i;
      return TRUE;
    }
  found = g_strdup_printf ("ONNX's type %" G_GINT64_FORMAT, number);
  return refuse (parse, row, error, found,
                 "that of float32, float16, float64, int64, int32, int8, uint8 or bool");
}

/* All elements that a list does not give. */
static void
fill_list (const EnsAttribute *row, gpointer params)
{
  gint64 *values = G_STRUCT_MEMBER_P (params, row->offset);

  for (guint i = 0; row->kind == ENS_ATTRIBUTE_INTS && i < row->length; i++)
    values[i] = row->integer;
}

static gboolean
read_list (const EnsParse *parse, const EnsAttribute *row, gpointer params, GError **error)
{
  gboolean ints = row->kind == ENS_ATTRIBUTE_INTS;
  gsize size = ints ? sizeof (gint64) : sizeof (float);
  guint parts = row->second != 0 ? 2 : 1, *count = G_STRUCT_MEMBER_P (params, row->count), n;
  gint64 integers[MAX_LIST];
  float reals[MAX_LIST];
  const char *values = ints ? (const char *)integers : (const char *)reals;

  fill_list (row, params);
  if (row->present != 0)
    G_STRUCT_MEMBER (gboolean, params, row->present) =
        ens_attributes_has (parse->attributes, row->name);
  n = ints ? ens_attributes_ints (parse->attributes, row->name, integers, parts * row->length)
           : ens_attributes_floats (parse->attributes, row->name, reals, parts * row->length);
  if (n == 0)
    return TRUE;
  if (n % parts != 0 || (*count != 0 && n != parts * *count)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 *count != 0 ? "%s: attribute “%s” has %u values, expected %u"
                             : "%s: attribute “%s” has %u values, expected two per axis",
                 parse->node, row->name, n, parts * *count);
    return FALSE;
  }
  *count = n / parts;
  memcpy (G_STRUCT_MEMBER_P (params, row->offset), values, *count * size);
  if (row->second != 0)
    memcpy (G_STRUCT_MEMBER_P (params, row->second), values + *count * size, *count * size);
  return TRUE;
}

static gboolean
read_tensor (const EnsParse *parse, const EnsAttribute *row, gpointer member, GError **error)
{
  EnsTensor *tensor = ens_attributes_tensor (parse->attributes, row->name);
  const char *expected = tensor != NULL ? row->read (tensor, member) : NULL;
  g_autofree char *shape = NULL;

  if (expected == NULL)
    return TRUE;
  shape = ens_shape_to_string (&tensor->shape);
  return refuse (parse, row, error, shape, expected);
}

static gboolean
read_row (const EnsParse *parse, const EnsAttribute *row, gpointer params, GError **error)
{
  gpointer member = G_STRUCT_MEMBER_P (params, row->offset);
  guint number;

  if ((row->flags & ENS_ATTRIBUTE_REQUIRED) && !ens_attributes_has (parse->attributes, row->name)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: attribute “%s” is missing", parse->node,
                 row->name);
    return FALSE;
  }
  switch (row->kind) {
  case ENS_ATTRIBUTE_INT:
  case ENS_ATTRIBUTE_FLAG:
    return read_int (parse, row, member, error);
  case ENS_ATTRIBUTE_FLOAT:
    *(float *)member = ens_attributes_float (parse->attributes, row->name, row->real);
    return TRUE;
  case ENS_ATTRIBUTE_NAME:
    return read_name (parse, row, member, error);
  case ENS_ATTRIBUTE_STRING:
  case ENS_ATTRIBUTE_STRINGS:
    return read_string (parse, row, member, error);
  case ENS_ATTRIBUTE_TYPE:
    return read_type (parse, row, member, error);
  case ENS_ATTRIBUTE_INTS:
  case ENS_ATTRIBUTE_FLOATS:
    return read_list (parse, row, params, error);
  case ENS_ATTRIBUTE_TENSOR:
    return read_tensor (parse, row, member, error);
  case ENS_ATTRIBUTE_FIXED:
    return row->names != NULL ? read_name (parse, row, &number, error)
                              : check_int (parse, row, row->integer, error);
  case ENS_ATTRIBUTE_OUTPUTS:
    G_STRUCT_MEMBER (gboolean, params, row->present) =
        ens_attributes_has (parse->attributes, row->name);
    return check_int (parse, row, parse->n_outputs, error);
  case ENS_ATTRIBUTE_INPUT:
  case ENS_ATTRIBUTE_IGNORED:
    ens_attributes_ignore (parse->attributes, row->name);
    break;
  }
  return TRUE;
}

/* A row of another opset, or one whose name an earlier row has spoken for. */
static gboolean
is_passed (const EnsAttribute *rows, const EnsAttribute *row, gint64 opset)
{
  if (row->until != 0 && opset > row->until)
    return TRUE;
  return row > rows && strcmp (row[-1].name, row->name) == 0 && !is_passed (rows, row - 1, opset);
}

gboolean
ens_op_read_attributes (const EnsOp *op, const EnsParse *parse, gpointer params, GError **error)
{
  g_autoptr (EnsAttributes) none = ens_attributes_new ();
  EnsParse by_default = *parse;
  g_autoptr (GError) reason = NULL;

  by_default.attributes = none;
  if (op->params_size > 0)
    memset (params, 0, op->params_size);
  for (const EnsAttribute *row = op->attributes; row != NULL && row->name != NULL; row++) {
    gboolean reads = parse->internal || !(row->flags & ENS_ATTRIBUTE_INTERNAL);

    if (!is_passed (op->attributes, row, parse->opset)
        && !read_row (reads ? parse : &by_default, row, params, error))
      return FALSE;
  }
  if (ens_attributes_finish (parse->attributes, parse->node, &reason))
    return TRUE;
  g_set_error (error, ENS_ERROR, reason->code, "%s (opset %" G_GINT64_FORMAT ")", reason->message,
               parse->opset);
  return FALSE;
}

/* Writing */

static gboolean
all_are_default (const EnsAttribute *row, gconstpointer params, guint n)
{
  const gint64 *first = G_STRUCT_MEMBER_P (params, row->offset);
  const gint64 *second = G_STRUCT_MEMBER_P (params, row->second != 0 ? row->second : row->offset);

  for (guint i = 0; i < n; i++)
    if (first[i] != row->integer || second[i] != row->integer)
      return FALSE;
  return TRUE;
}

static void
write_list (const EnsAttribute *row, gconstpointer params, EnsAttributes *attributes)
{
  guint n = G_STRUCT_MEMBER (guint, params, row->count);
  const gint64 *first = G_STRUCT_MEMBER_P (params, row->offset);
  gint64 values[MAX_LIST];

  if (row->present != 0
          ? !G_STRUCT_MEMBER (gboolean, params, row->present)
          : n == 0 || (row->kind == ENS_ATTRIBUTE_INTS && all_are_default (row, params, n)))
    return;
  if (row->kind == ENS_ATTRIBUTE_FLOATS) {
    ens_attributes_set_floats (attributes, row->name, G_STRUCT_MEMBER_P (params, row->offset), n);
    return;
  }
  memcpy (values, first, n * sizeof *values);
  if (row->second != 0)
    memcpy (values + n, G_STRUCT_MEMBER_P (params, row->second), n * sizeof *values);
  ens_attributes_set_ints (attributes, row->name, values, row->second != 0 ? 2 * n : n);
}

static void
write_int (const EnsAttribute *row, gint64 value, EnsAttributes *attributes)
{
  if (value != row->integer || (row->flags & ENS_ATTRIBUTE_REQUIRED))
    ens_attributes_set_int (attributes, row->name, value);
}

static void
write_tensor (const EnsAttribute *row, gconstpointer member, EnsAttributes *attributes)
{
  g_autoptr (EnsTensor) tensor = row->write (member);

  ens_attributes_set_tensor (attributes, row->name, tensor);
}

static void
write_row (const EnsAttribute *row, gconstpointer params, EnsAttributes *attributes)
{
  gconstpointer member = G_STRUCT_MEMBER_P (params, row->offset);

  switch (row->kind) {
  case ENS_ATTRIBUTE_INT:
    write_int (row, *(const gint64 *)member, attributes);
    break;
  case ENS_ATTRIBUTE_FLAG:
    write_int (row, *(const gboolean *)member, attributes);
    break;
  case ENS_ATTRIBUTE_FLOAT:
    if (*(const float *)member != row->real)
      ens_attributes_set_float (attributes, row->name, *(const float *)member);
    break;
  case ENS_ATTRIBUTE_NAME:
    if (*(const guint *)member != row->integer || (row->flags & ENS_ATTRIBUTE_REQUIRED))
      ens_attributes_set_string (attributes, row->name, row->names[*(const guint *)member]);
    break;
  case ENS_ATTRIBUTE_STRING:
    ens_attributes_set_string (attributes, row->name, member);
    break;
  case ENS_ATTRIBUTE_STRINGS:
    if (*(const char *)member != '\0')
      ens_attributes_set_strings (attributes, row->name, member);
    break;
  case ENS_ATTRIBUTE_TYPE:
    if (*(const EnsType *)member != ENS_N_TYPES)
      ens_attributes_set_int (attributes, row->name, type_numbers[*(const EnsType *)member]);
    break;
  case ENS_ATTRIBUTE_INTS:
  case ENS_ATTRIBUTE_FLOATS:
    write_list (row, params, attributes);
    break;
  case ENS_ATTRIBUTE_TENSOR:
    write_tensor (row, member, attributes);
    break;
  case ENS_ATTRIBUTE_FIXED:
  case ENS_ATTRIBUTE_IGNORED:
  case ENS_ATTRIBUTE_INPUT:
  case ENS_ATTRIBUTE_OUTPUTS:
    break;
  }
}

void
ens_op_write_attributes (const EnsOp *op, gconstpointer params, guint n_outputs, gint64 opset,
                         EnsAttributes *attributes)
{
  for (const EnsAttribute *row = op->attributes; row != NULL && row->name != NULL; row++) {
    if (row->until != 0)
      continue;
    if (row->kind != ENS_ATTRIBUTE_OUTPUTS)
      write_row (row, params, attributes);
    else if ((opset >= row->since || G_STRUCT_MEMBER (gboolean, params, row->present))
             && G_STRUCT_MEMBER (guint, params, row->count) == 0)
      ens_attributes_set_int (attributes, row->name, n_outputs);
  }
}

const EnsAttribute *
ens_op_find_attribute (const EnsOp *op, const char *name)
{
  for (const EnsAttribute *row = op->attributes; row != NULL && row->name != NULL; row++)
    if (row->until == 0 && strcmp (row->name, name) == 0)
      return row;
  return NULL;
}

char *
ens_node_attributes_to_string (const EnsNode *node)
{
  g_autoptr (EnsAttributes) attributes = ens_attributes_new ();

  ens_op_write_attributes (node->op, node->params, node->n_outputs, 0, attributes);
  return ens_attributes_to_string (attributes);
}
