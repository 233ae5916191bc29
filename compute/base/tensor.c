/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tensor.h"

#include <string.h>

#include "base/block.h"

static const struct {
  const char *name;
  gsize size;
} types[ENS_N_TYPES] = {
    [ENS_TYPE_FLOAT32] = {"float32", 4}, [ENS_TYPE_FLOAT16] = {"float16", 2},
    [ENS_TYPE_FLOAT64] = {"float64", 8}, [ENS_TYPE_INT64] = {"int64", 8},
    [ENS_TYPE_INT32] = {"int32", 4},     [ENS_TYPE_INT8] = {"int8", 1},
    [ENS_TYPE_UINT8] = {"uint8", 1},     [ENS_TYPE_BOOL] = {"bool", 1},
};

gsize
ens_type_size (EnsType type)
{
  return types[type].size;
}

const char *
ens_type_name (EnsType type)
{
  return types[type].name;
}

gint64
ens_shape_span (const EnsShape *shape, guint from, guint to)
{
  gint64 product = 1;
  gboolean fits = TRUE, empty = FALSE;

  for (guint i = from; i < to; i++) {
    if (shape->dims[i] < 0)
      return -1;
    empty |= shape->dims[i] == 0;
    fits = fits && !__builtin_mul_overflow (product, shape->dims[i], &product);
  }
  return empty ? 0 : fits ? product : -1;
}

gint64
ens_shape_elements (const EnsShape *shape)
{
  return ens_shape_span (shape, 0, shape->rank);
}

gboolean
ens_shape_equal (const EnsShape *a, const EnsShape *b)
{
  return a->rank == b->rank && memcmp (a->dims, b->dims, a->rank * sizeof *a->dims) == 0;
}

char *
ens_shape_to_string (const EnsShape *shape)
{
  GString *text = g_string_new (shape->rank == 0 ? "scalar" : NULL);

  for (guint i = 0; i < shape->rank; i++) {
    if (i > 0)
      g_string_append_c (text, 'x');
    if (shape->dims[i] < 0)
      g_string_append_c (text, '?');
    else
      g_string_append_printf (text, "%" G_GINT64_FORMAT, shape->dims[i]);
  }
  return g_string_free (text, FALSE);
}

EnsTensor *
ens_tensor_new_wrapped (EnsType type, const EnsShape *shape, gpointer data,
                        GDestroyNotify free_data, gpointer owner)
{
  EnsTensor *tensor = g_new (EnsTensor, 1);

  tensor->type = type;
  tensor->shape = *shape;
  tensor->data = data;
  tensor->free_data = free_data;
  tensor->owner = owner;
  g_atomic_ref_count_init (&tensor->references);
  return tensor;
}

EnsTensor *
ens_tensor_new (EnsType type, const EnsShape *shape)
{
  gint64 n = ens_shape_elements (shape);
  gsize size;
  gpointer data;

  g_return_val_if_fail (n >= 0, NULL);
  size = MAX ((gsize)n * ens_type_size (type), 1);
  data = ens_block_new (size);
  memset (data, 0, size);
  return ens_tensor_new_wrapped (type, shape, data, ens_block_free, data);
}

EnsTensor *
ens_tensor_new_copy (EnsType type, const EnsShape *shape, gconstpointer data)
{
  EnsTensor *tensor = ens_tensor_new (type, shape);

  g_return_val_if_fail (tensor != NULL, NULL);
  if (ens_tensor_size (tensor) > 0)
    memcpy (tensor->data, data, ens_tensor_size (tensor));
  return tensor;
}

EnsTensor *
ens_tensor_ref (EnsTensor *tensor)
{
  g_atomic_ref_count_inc (&tensor->references);
  return tensor;
}

void
ens_tensor_unref (EnsTensor *tensor)
{
  if (!g_atomic_ref_count_dec (&tensor->references))
    return;
  if (tensor->free_data != NULL)
    tensor->free_data (tensor->owner);
  g_free (tensor);
}

gsize
ens_tensor_size (const EnsTensor *tensor)
{
  return (gsize)ens_shape_elements (&tensor->shape) * ens_type_size (tensor->type);
}
