/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: tensors.
 *
 * A tensor is a shape, an element type and memory. Images and feature maps are NHWC: dims[0] is the
 * batch, dims[1] height, dims[2] width, dims[3] channels. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ENS_MAX_RANK 8

typedef enum {
  ENS_TYPE_FLOAT32,
  ENS_TYPE_FLOAT16,
  ENS_TYPE_FLOAT64,
  ENS_TYPE_INT64,
  ENS_TYPE_INT32,
  ENS_TYPE_INT8,
  ENS_TYPE_UINT8,
  ENS_TYPE_BOOL,
  ENS_N_TYPES,
} EnsType;

/* Bytes of one element. */
gsize ens_type_size (EnsType type);

/* The type's name as ONNX writes it in lower case, such as "float32". */
const char *ens_type_name (EnsType type);

/* rank 0 is a scalar of one element. A dimension may be 0 (no elements) and, in graphs whose shapes
 * have not been inferred yet, -1 (unknown). */
typedef struct {
  guint rank;
  gint64 dims[ENS_MAX_RANK];
} EnsShape;

/* ENS_SHAPE (1, 224, 224, 3) is an EnsShape of rank 4; ENS_SHAPE_SCALAR one of rank 0. */
#define ENS_SHAPE(...) \
  ((EnsShape) {.rank = sizeof ((gint64[]) {__VA_ARGS__}) / sizeof (gint64), .dims = {__VA_ARGS__}})
#define ENS_SHAPE_SCALAR ((EnsShape) {.rank = 0})

/* Product of all dimensions; -1 if one is unknown or the product does not fit. */
gint64 ens_shape_elements (const EnsShape *shape);
/* Product of the dimensions [from, to). */
gint64 ens_shape_span (const EnsShape *shape, guint from, guint to);
gboolean ens_shape_equal (const EnsShape *a, const EnsShape *b);
/* "1x224x224x3", "scalar" for rank 0, "?" for an unknown dimension. (transfer full) */
char *ens_shape_to_string (const EnsShape *shape);

/* A reference-counted tensor that owns its memory (64-byte aligned, dense). Immutable once shared
 * between threads. */
typedef struct {
  EnsType type;
  EnsShape shape;
  gpointer data;
  /*< private >*/
  gatomicrefcount references;
  GDestroyNotify free_data;
  gpointer owner;
} EnsTensor;

/* A tensor of zeroes. Aborts on negative dimensions or memory exhaustion: check sizes that come
 * from files first (ens_shape_elements). (transfer full) */
EnsTensor *ens_tensor_new (EnsType type, const EnsShape *shape);
/* A copy of `data`, which holds as many elements as the shape says. (transfer full) */
EnsTensor *ens_tensor_new_copy (EnsType type, const EnsShape *shape, gconstpointer data);
/* Wraps memory that lives until free_data (owner) is called. (transfer full) */
EnsTensor *ens_tensor_new_wrapped (EnsType type, const EnsShape *shape, gpointer data,
                                   GDestroyNotify free_data, gpointer owner);
EnsTensor *ens_tensor_ref (EnsTensor *tensor);
void ens_tensor_unref (EnsTensor *tensor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsTensor, ens_tensor_unref)

/* Bytes the elements take. */
gsize ens_tensor_size (const EnsTensor *tensor);

G_END_DECLS
