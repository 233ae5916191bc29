/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/indices.h"

gboolean
ens_check_index_type (const EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 1, ENS_TYPES (ENS_TYPE_INT64) | ENS_TYPES (ENS_TYPE_INT32),
                         error);
}

static gboolean
check_index (const EnsOperands *operands, gint64 index, gint64 length, GError **error)
{
  if (index >= -length && index < length)
    return TRUE;
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "index %" G_GINT64_FORMAT " is outside an axis of %" G_GINT64_FORMAT, index,
                       length);
}

gboolean
ens_check_indices (const EnsOperands *operands, gint64 length, GError **error)
{
  const EnsView *indices = operands->inputs[1];
  gsize n = ens_view_elements (indices);

  if (length == 0 && n > 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "nothing to gather from");
  for (gsize i = 0; indices->data != NULL && i < n; i++)
    if (!check_index (operands, ens_view_integer (indices, i), length, error))
      return FALSE;
  return TRUE;
}

static gsize
normalise (gint64 index, gint64 length)
{
  return (gsize)CLAMP (index < 0 ? index + length : index, 0, length - 1);
}

/* Elements */

static gboolean
check_elements (const EnsOperands *operands, guint axis, GError **error)
{
  const EnsShape *data = &operands->inputs[0]->shape, *indices = &operands->inputs[1]->shape;
  gboolean fits = indices->rank == data->rank;

  for (guint i = 0; i < data->rank && fits; i++)
    fits = i == axis || indices->dims[i] <= data->dims[i];
  if (!fits) {
    g_autofree char *expected = ens_shape_to_string (data);
    g_autofree char *found = ens_shape_to_string (indices);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "indices are %s, expected at most %s but for axis %u", found, expected,
                         axis);
  }
  return ens_check_index_type (operands, error)
         && ens_check_indices (operands, data->dims[axis], error);
}

static gsize
find_element (const EnsShape *data, const EnsView *indices, guint axis, gsize i)
{
  gsize at = 0, stride = 1, rest = i;

  for (guint k = data->rank; k-- > 0;) {
    gsize length = (gsize)indices->shape.dims[k];
    gsize index =
        k == axis ? normalise (ens_view_integer (indices, i), data->dims[k]) : rest % length;

    at += index * stride;
    rest /= length;
    stride *= (gsize)data->dims[k];
  }
  return at;
}

/* Tuples */

static guint
count_axes (const EnsShape *indices)
{
  return (guint)indices->dims[indices->rank - 1];
}

static gboolean
check_tuple_values (const EnsOperands *operands, guint batch, GError **error)
{
  const EnsShape *data = &operands->inputs[0]->shape;
  const EnsView *indices = operands->inputs[1];
  guint axes = count_axes (&indices->shape);
  gsize n = ens_view_elements (indices);

  for (guint i = 0; i < axes && n > 0; i++)
    if (data->dims[batch + i] == 0)
      return ens_op_error (operands, error, ENS_ERROR_SHAPE, "nothing to gather from");
  for (gsize i = 0; indices->data != NULL && i < n; i++)
    if (!check_index (operands, ens_view_integer (indices, i), data->dims[batch + i % axes], error))
      return FALSE;
  return TRUE;
}

static gboolean
check_tuples (const EnsOperands *operands, guint batch, GError **error)
{
  const EnsShape *data = &operands->inputs[0]->shape, *indices = &operands->inputs[1]->shape;
  gboolean fits = indices->rank > batch && data->rank >= batch && indices->rank > 0
                  && indices->dims[indices->rank - 1] <= (gint64)(data->rank - batch);

  for (guint i = 0; i < batch && fits; i++)
    fits = indices->dims[i] == data->dims[i];
  if (!fits) {
    g_autofree char *of = ens_shape_to_string (data);
    g_autofree char *found = ens_shape_to_string (indices);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "indices are %s, which tell no places in %s", found, of);
  }
  return ens_check_index_type (operands, error) && check_tuple_values (operands, batch, error);
}

static gsize
find_tuple (const EnsShape *data, const EnsView *indices, guint batch, gsize i)
{
  guint axes = count_axes (&indices->shape);
  gsize per_batch = (gsize)ens_shape_span (&indices->shape, batch, indices->shape.rank - 1);
  gsize at = i / per_batch;

  for (guint k = 0; k < axes; k++)
    at = at * (gsize)data->dims[batch + k]
         + normalise (ens_view_integer (indices, i * axes + k), data->dims[batch + k]);
  return at;
}

/* Behind the tuples' own axes come those of a run. */
static gboolean
shape_tuples (const EnsOperands *operands, guint batch, EnsShape *shape, GError **error)
{
  const EnsShape *data = &operands->inputs[0]->shape, *indices = &operands->inputs[1]->shape;

  *shape = *indices;
  shape->rank--;
  for (guint i = batch + count_axes (indices); i < data->rank; i++) {
    if (shape->rank == ENS_MAX_RANK)
      return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                           "what the indices name has more than %d dimensions", ENS_MAX_RANK);
    shape->dims[shape->rank++] = data->dims[i];
  }
  return TRUE;
}

/* Both */

gboolean
ens_check_indexing (const EnsOperands *operands, const EnsIndexing *indexing, EnsShape *shape,
                    GError **error)
{
  if (indexing->tuples)
    return check_tuples (operands, indexing->batch, error)
           && shape_tuples (operands, indexing->batch, shape, error);
  *shape = operands->inputs[1]->shape;
  return check_elements (operands, indexing->axis, error);
}

gsize
ens_indexing_run (const EnsOperands *operands, const EnsIndexing *indexing)
{
  const EnsShape *data = &operands->inputs[0]->shape, *indices = &operands->inputs[1]->shape;

  return indexing->tuples
             ? (gsize)ens_shape_span (data, indexing->batch + count_axes (indices), data->rank)
             : 1;
}

gsize
ens_indexing_find (const EnsOperands *operands, const EnsIndexing *indexing, gsize i)
{
  const EnsShape *data = &operands->inputs[0]->shape;

  return indexing->tuples ? find_tuple (data, operands->inputs[1], indexing->batch, i)
                          : find_element (data, operands->inputs[1], indexing->axis, i);
}
