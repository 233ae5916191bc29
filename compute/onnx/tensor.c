/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors of ONNX files.
 *
 * Floating-point numbers of 16 and 64 bits become float32, which is what the CPU computes in. */
#include <string.h>

#include "base/float16.h"
#include "onnx/onnx-private.h"

/* Turns n numbers as they lie in a file, little-endian and in any alignment, into ours. */
typedef void (*Convert) (const guint8 *source, gpointer target, gsize n);

static void
copy_8 (const guint8 *source, gpointer target, gsize n)
{
  memcpy (target, source, n);
}

static void
copy_32 (const guint8 *source, gpointer target, gsize n)
{
  guint32 *numbers = target;

  memcpy (target, source, n * 4);
  for (gsize i = 0; G_BYTE_ORDER == G_BIG_ENDIAN && i < n; i++)
    numbers[i] = GUINT32_FROM_LE (numbers[i]);
}

static void
copy_64 (const guint8 *source, gpointer target, gsize n)
{
  guint64 *numbers = target;

  memcpy (target, source, n * 8);
  for (gsize i = 0; G_BYTE_ORDER == G_BIG_ENDIAN && i < n; i++)
    numbers[i] = GUINT64_FROM_LE (numbers[i]);
}

static void
convert_bool (const guint8 *source, gpointer target, gsize n)
{
  for (gsize i = 0; i < n; i++)
    ((guint8 *)target)[i] = source[i] != 0;
}

static void
convert_float16 (const guint8 *source, gpointer target, gsize n)
{
  for (gsize i = 0; i < n; i++)
    ((float *)target)[i] = ens_float16_to_float ((guint16)(source[2 * i] | source[2 * i + 1] << 8));
}

static void
convert_bfloat16 (const guint8 *source, gpointer target, gsize n)
{
  for (gsize i = 0; i < n; i++)
    ((float *)target)[i] =
        ens_float_from_bits ((guint32)(source[2 * i] | source[2 * i + 1] << 8) << 16);
}

static void
convert_float64 (const guint8 *source, gpointer target, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    double value;

    copy_64 (source + 8 * i, &value, 1);
    ((float *)target)[i] = (float)value;
  }
}

static void
convert_int16 (const guint8 *source, gpointer target, gsize n)
{
  for (gsize i = 0; i < n; i++)
    ((gint32 *)target)[i] = (gint16)(source[2 * i] | source[2 * i + 1] << 8);
}

static void
convert_uint16 (const guint8 *source, gpointer target, gsize n)
{
  for (gsize i = 0; i < n; i++)
    ((gint32 *)target)[i] = source[2 * i] | source[2 * i + 1] << 8;
}

/* Two in a byte, the first in its low bits. */
static void
convert_int4 (const guint8 *source, gpointer target, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    int bits = source[i / 2] >> i % 2 * 4 & 15;

    ((gint8 *)target)[i] = (gint8)(bits < 8 ? bits : bits - 16);
  }
}

static void
convert_uint4 (const guint8 *source, gpointer target, gsize n)
{
  for (gsize i = 0; i < n; i++)
    ((guint8 *)target)[i] = source[i / 2] >> i % 2 * 4 & 15;
}

static const struct {
  int onnx;
  const char *name;
  gsize size; /* in a file; 0: not supported */
  EnsType type;
  Convert convert;
  gboolean quantised; /* known weights and zero points alone */
  guint per_size;     /* so many numbers in `size` bytes; 0: one */
} types[] = {
    {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, "float32", 4, ENS_TYPE_FLOAT32, copy_32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, "float16", 2, ENS_TYPE_FLOAT32, convert_float16},
    {ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16, "bfloat16", 2, ENS_TYPE_FLOAT32, convert_bfloat16},
    {ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, "float64", 8, ENS_TYPE_FLOAT32, convert_float64},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT64, "int64", 8, ENS_TYPE_INT64, copy_64},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT32, "int32", 4, ENS_TYPE_INT32, copy_32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT8, "int8", 1, ENS_TYPE_INT8, copy_8},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, "uint8", 1, ENS_TYPE_UINT8, copy_8},
    {ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, "bool", 1, ENS_TYPE_BOOL, convert_bool},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT16, "int16", 2, ENS_TYPE_INT32, convert_int16, TRUE},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT16, "uint16", 2, ENS_TYPE_INT32, convert_uint16, TRUE},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT32, "uint32", 0},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT64, "uint64", 0},
    {ONNX__TENSOR_PROTO__DATA_TYPE__STRING, "strings", 0},
    {ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX64, "complex64", 0},
    {ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX128, "complex128", 0},
    /* Of newer files than the onnx.proto that this is built with. */
    {17, "float8e4m3fn", 0},
    {18, "float8e4m3fnuz", 0},
    {19, "float8e5m2", 0},
    {20, "float8e5m2fnuz", 0},
    {ENS_ONNX_UINT4, "uint4", 1, ENS_TYPE_UINT8, convert_uint4, TRUE, 2},
    {ENS_ONNX_INT4, "int4", 1, ENS_TYPE_INT8, convert_int4, TRUE, 2},
    {23, "float4e2m1", 0},
    {24, "float8e8m0", 0},
    {25, "uint2", 0},
    {26, "int2", 0},
};

/* Bytes of n numbers in a file. */
static gsize
measure (int row, gsize n)
{
  guint per_size = MAX (types[row].per_size, 1);

  return (n / per_size + (n % per_size != 0)) * types[row].size;
}

/* The type's row, or -1 with an error. */
static int
find_type (int onnx_type, gboolean quantised, const char *what, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    if (types[i].onnx != onnx_type)
      continue;
    if (types[i].size > 0 && (quantised || !types[i].quantised))
      return (int)i;
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s is of type %s, which is not supported; supported are float32, float16, "
                 "bfloat16, float64, int64, int32, int8, uint8 and bool",
                 what, types[i].name);
    return -1;
  }
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s is of type %d, which ONNX does not have",
               what, onnx_type);
  return -1;
}

gboolean
ens_onnx_type (int onnx_type, const char *what, EnsType *type, GError **error)
{
  int row = find_type (onnx_type, FALSE, what, error);

  if (row < 0)
    return FALSE;
  *type = types[row].type;
  return TRUE;
}

const char *
ens_onnx_type_name (int onnx_type)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].onnx == onnx_type)
      return types[i].name;
  return NULL;
}

int
ens_onnx_type_number (EnsType type)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].size > 0 && strcmp (types[i].name, ens_type_name (type)) == 0)
      return types[i].onnx;
  g_return_val_if_reached (ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED);
}

static gboolean
read_shape (const Onnx__TensorProto *proto, const char *what, EnsShape *shape, GError **error)
{
  if (proto->n_dims > ENS_MAX_RANK) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s has %" G_GSIZE_FORMAT " dimensions, supported are %d", what, proto->n_dims,
                 ENS_MAX_RANK);
    return FALSE;
  }
  shape->rank = (guint)proto->n_dims;
  for (guint i = 0; i < shape->rank; i++) {
    shape->dims[i] = proto->dims[i];
    if (shape->dims[i] < 0) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s has a dimension of %" G_GINT64_FORMAT,
                   what, shape->dims[i]);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
is_external (const Onnx__TensorProto *proto)
{
  return proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

/* How many numbers the field for typed contents holds. */
static gsize
count_typed (const Onnx__TensorProto *proto)
{
  switch (proto->data_type) {
  case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
    return proto->n_float_data;
  case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
    return proto->n_double_data;
  case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
    return proto->n_int64_data;
  default:
    return proto->n_int32_data;
  }
}

/* Contents in the file itself have to be as many as the shape says. Products of dimensions that
 * overflow match nothing. */
static gboolean
check_size (const Onnx__TensorProto *proto, const char *what, int row, const EnsShape *shape,
            GError **error)
{
  gint64 n = ens_shape_elements (shape);
  gsize found = proto->raw_data.len > 0 ? proto->raw_data.len : count_typed (proto);
  g_autofree char *text = NULL;

  if (n >= 0 && n <= G_MAXINT64 / 8) {
    gsize bytes = measure (row, (gsize)n);

    if (is_external (proto) || found == (proto->raw_data.len > 0 ? bytes : bytes / types[row].size))
      return TRUE;
  }
  text = ens_shape_to_string (shape);
  if (is_external (proto))
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s can't be as large as %s", what, text);
  else if (proto->raw_data.len > 0)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s is %s %s, but has %" G_GSIZE_FORMAT " bytes of contents", what,
                 types[row].name, text, proto->raw_data.len);
  else
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s is %s %s, but has %" G_GSIZE_FORMAT " numbers as contents", what,
                 types[row].name, text, found);
  return FALSE;
}

static gboolean
check (const Onnx__TensorProto *proto, const char *what, int *row, EnsShape *shape, GError **error)
{
  *row = find_type (proto->data_type, TRUE, what, error);
  if (*row < 0 || !read_shape (proto, what, shape, error))
    return FALSE;
  if (proto->segment != NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s is stored in segments", what);
    return FALSE;
  }
  return check_size (proto, what, *row, shape, error);
}

gboolean
ens_onnx_tensor_check (const Onnx__TensorProto *proto, const char *what, EnsType *type,
                       EnsShape *shape, GError **error)
{
  int row;

  if (!check (proto, what, &row, shape, error))
    return FALSE;
  *type = types[row].type;
  return TRUE;
}

/* The int32 field holds all types of up to 32 bits, float16 as bits. */
static void
read_int32_field (const Onnx__TensorProto *proto, EnsTensor *tensor)
{
  for (gsize i = 0; i < proto->n_int32_data; i++) {
    gint32 value = proto->int32_data[i];

    if (proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16)
      ((float *)tensor->data)[i] = ens_float16_to_float ((guint16)value);
    else if (proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16)
      ((float *)tensor->data)[i] = ens_float_from_bits ((guint32)value << 16);
    else if (tensor->type == ENS_TYPE_BOOL)
      ((guint8 *)tensor->data)[i] = value != 0;
    else if (tensor->type == ENS_TYPE_INT32)
      ((gint32 *)tensor->data)[i] = value;
    else
      ((guint8 *)tensor->data)[i] = (guint8)value;
  }
}

static void
read_typed (const Onnx__TensorProto *proto, EnsTensor *tensor)
{
  switch (proto->data_type) {
  case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
    memcpy (tensor->data, proto->float_data, proto->n_float_data * sizeof (float));
    break;
  case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
    memcpy (tensor->data, proto->int64_data, proto->n_int64_data * sizeof (gint64));
    break;
  case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
    for (gsize i = 0; i < proto->n_double_data; i++)
      ((float *)tensor->data)[i] = (float)proto->double_data[i];
    break;
  default:
    read_int32_field (proto, tensor);
  }
}

/* Bytes of several numbers, each in an int32. */
static void
read_packed (const Onnx__TensorProto *proto, int row, EnsTensor *tensor)
{
  g_autofree guint8 *bytes = g_new (guint8, proto->n_int32_data);

  for (gsize i = 0; i < proto->n_int32_data; i++)
    bytes[i] = (guint8)proto->int32_data[i];
  types[row].convert (bytes, tensor->data, (gsize)ens_shape_elements (&tensor->shape));
}

EnsTensor *
ens_onnx_tensor_read (const Onnx__TensorProto *proto, const char *what, EnsOnnxFiles *files,
                      GError **error)
{
  const guint8 *raw = proto->raw_data.data;
  EnsTensor *tensor;
  EnsShape shape;
  gsize n;
  int row;

  if (!check (proto, what, &row, &shape, error))
    return NULL;
  n = (gsize)ens_shape_elements (&shape);
  if (is_external (proto)) {
    raw = ens_onnx_files_find (files, proto, what, measure (row, n), error);
    if (raw == NULL)
      return NULL;
  }
  tensor = ens_tensor_new (types[row].type, &shape);
  if (n == 0)
    return tensor;
  if (is_external (proto) || proto->raw_data.len > 0)
    types[row].convert (raw, tensor->data, n);
  else if (types[row].per_size > 0)
    read_packed (proto, row, tensor);
  else
    read_typed (proto, tensor);
  return tensor;
}
