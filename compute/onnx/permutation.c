/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "onnx/onnx-private.h"
#include "ops/params.h"

EnsPermutation
ens_permutation_to_last (guint rank)
{
  EnsPermutation permutation = {.rank = rank};

  for (guint i = 0; i < rank; i++)
    permutation.from[i] = rank < 3 || i == 0 ? i : i + 1 < rank ? i + 1 : 1;
  return permutation;
}

EnsPermutation
ens_permutation_to_first (guint rank)
{
  EnsPermutation permutation = {.rank = rank};

  for (guint i = 0; i < rank; i++)
    permutation.from[i] = rank < 3 || i == 0 ? i : i == 1 ? rank - 1 : i - 1;
  return permutation;
}

EnsPermutation
ens_permutation_compose (const EnsPermutation *a, const EnsPermutation *b)
{
  EnsPermutation permutation = {.rank = a->rank};

  for (guint i = 0; i < a->rank; i++)
    permutation.from[i] = a->from[b->from[i]];
  return permutation;
}

gboolean
ens_permutation_is_identity (const EnsPermutation *permutation)
{
  for (guint i = 0; i < permutation->rank; i++)
    if (permutation->from[i] != i)
      return FALSE;
  return TRUE;
}

gboolean
ens_permutation_equal (const EnsPermutation *a, const EnsPermutation *b)
{
  return a->rank == b->rank && memcmp (a->from, b->from, a->rank * sizeof *a->from) == 0;
}

gboolean
ens_onnx_read_permutation (gconstpointer params, guint rank, EnsPermutation *permutation)
{
  const EnsList *perm = &((const EnsTransposeParams *)params)->perm;
  guint seen = 0;

  *permutation = (EnsPermutation) {.rank = rank};
  for (guint i = 0; i < rank; i++) {
    gint64 axis = perm->n == 0 ? rank - 1 - i : i < perm->n ? perm->values[i] : -1;

    if (axis < 0 || axis >= rank)
      return FALSE;
    permutation->from[i] = (guint)axis;
    seen |= 1u << axis;
  }
  return seen == (1u << rank) - 1 && (perm->n == 0 || perm->n == rank);
}

/* Copies n elements that lie `stride` bytes apart. */
static void
gather (guint8 *target, const guint8 *source, gint64 n, gint64 stride, gsize size)
{
  if (size == 4) {
    for (gint64 i = 0; i < n; i++)
      memcpy (target + 4 * i, source + i * stride, 4);
  } else {
    for (gint64 i = 0; i < n; i++)
      memcpy (target + (gsize)i * size, source + i * stride, size);
  }
}

EnsTensor *
ens_tensor_permute (EnsTensor *tensor, const EnsPermutation *permutation)
{
  guint rank = permutation->rank;
  gsize size = ens_type_size (tensor->type);
  gint64 index[ENS_MAX_RANK] = {0}, strides[ENS_MAX_RANK], n_rows, last;
  EnsShape shape = {.rank = rank};
  EnsTensor *permuted;
  guint8 *target;

  if (ens_permutation_is_identity (permutation))
    return ens_tensor_ref (tensor);
  for (guint i = 0; i < rank; i++)
    shape.dims[i] = tensor->shape.dims[permutation->from[i]];
  permuted = ens_tensor_new (tensor->type, &shape);
  if (ens_shape_elements (&shape) == 0)
    return permuted;
  for (guint i = 0; i < rank; i++)
    strides[i] = ens_shape_span (&tensor->shape, permutation->from[i] + 1, rank) * (gint64)size;
  target = permuted->data;
  last = shape.dims[rank - 1];
  n_rows = ens_shape_span (&shape, 0, rank - 1);
  for (gint64 row = 0; row < n_rows; row++) {
    const guint8 *source = tensor->data;

    for (guint i = 0; i + 1 < rank; i++)
      source += index[i] * strides[i];
    gather (target, source, last, strides[rank - 1], size);
    target += (gsize)last * size;
    for (guint i = rank - 1; i-- > 0 && ++index[i] == shape.dims[i];)
      index[i] = 0;
  }
  return permuted;
}

/* The same contents in another shape. (transfer full) */
static EnsTensor *
reshape (EnsTensor *tensor, const EnsShape *shape)
{
  return ens_tensor_new_wrapped (tensor->type, shape, tensor->data,
                                 (GDestroyNotify)ens_tensor_unref, ens_tensor_ref (tensor));
}

EnsTensor *
ens_tensor_permute_operand (EnsTensor *tensor, const EnsPermutation *permutation)
{
  guint rank = permutation->rank, leading = rank - tensor->shape.rank, n = 0;
  EnsShape aligned = {.rank = rank}, stripped;
  g_autoptr (EnsTensor) whole = NULL;
  g_autoptr (EnsTensor) permuted = NULL;

  for (guint i = 0; i < rank; i++)
    aligned.dims[i] = i < leading ? 1 : tensor->shape.dims[i - leading];
  whole = reshape (tensor, &aligned);
  permuted = ens_tensor_permute (whole, permutation);
  while (n + 1 < rank && permuted->shape.dims[n] == 1)
    n++;
  stripped.rank = rank - n;
  memcpy (stripped.dims, permuted->shape.dims + n, stripped.rank * sizeof *stripped.dims);
  return reshape (permuted, &stripped);
}
