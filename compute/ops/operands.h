/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operators' files share: checks for shape (), and access to elements of any type for
 * references. */
#pragma once

#include "graph/op.h"

#include "base/simd.h"
#include "ops/params.h"

extern const char *const ens_activation_names[];

/* The attributes that are the member `activation` of a struct. */
#define ENS_ACTIVATION_ATTRIBUTES(type)                                                          \
  {"activation", ENS_ATTRIBUTE_NAME, ENS_ATTRIBUTE_INTERNAL, ENS_MEMBER (type, activation.kind), \
   .names = ens_activation_names},                                                               \
      {"activation_alpha", ENS_ATTRIBUTE_FLOAT, ENS_ATTRIBUTE_INTERNAL,                          \
       ENS_MEMBER (type, activation.alpha)},                                                     \
  {                                                                                              \
    "activation_beta", ENS_ATTRIBUTE_FLOAT, ENS_ATTRIBUTE_INTERNAL,                              \
        ENS_MEMBER (type, activation.beta)                                                       \
  }

/* A fused activation on one value. */
double ens_activation_apply (const EnsFusedActivation *activation, double x);

/* Checks. All return FALSE with an error set by ens_op_error (). */

#define ENS_TYPES(type) (1u << (type))
#define ENS_TYPES_REAL (1u << ENS_TYPE_FLOAT32 | 1u << ENS_TYPE_FLOAT16 | 1u << ENS_TYPE_FLOAT64)
#define ENS_TYPES_INTEGER \
  (1u << ENS_TYPE_INT64 | 1u << ENS_TYPE_INT32 | 1u << ENS_TYPE_INT8 | 1u << ENS_TYPE_UINT8)
#define ENS_TYPES_NUMBER (ENS_TYPES_REAL | ENS_TYPES_INTEGER)
#define ENS_TYPES_ANY (ENS_TYPES_NUMBER | 1u << ENS_TYPE_BOOL)

gboolean ens_check_type (const EnsOperands *operands, guint input, guint types, GError **error);
/* All inputs from `input` on that are present have the type of input 0. */
gboolean ens_check_same_types (const EnsOperands *operands, guint input, GError **error);
gboolean ens_check_rank (const EnsOperands *operands, guint input, guint min, guint max,
                         GError **error);
/* Input has one dimension of this length. */
gboolean ens_check_vector (const EnsOperands *operands, guint input, gint64 length, GError **error);
/* An axis in [−rank, rank) → [0, rank). */
gboolean ens_check_axis (const EnsOperands *operands, gint64 axis, guint rank, guint *normal,
                         GError **error);
/* The same for a list without repetitions. */
gboolean ens_check_axes (const EnsOperands *operands, const EnsList *axes, guint rank,
                         EnsList *normal, GError **error);
/* The integers of an input whose contents must be known while planning. Absent: not present. */
gboolean ens_check_list (const EnsOperands *operands, guint input, EnsList *list, GError **error);
/* The same, or what params hold if the input is absent. */
gboolean ens_check_list_or (const EnsOperands *operands, guint input, const EnsList *otherwise,
                            EnsList *list, GError **error);
/* The one integer of an input whose contents must be known while planning. *number keeps its value
 * if the input is absent. */
gboolean ens_check_number (const EnsOperands *operands, guint input, gint64 *number,
                           GError **error);
/* Sets the type and shape of an output, dense. An error if it would be too large. */
gboolean ens_set_output (EnsOperands *operands, guint output, EnsType type, const EnsShape *shape,
                         GError **error);
/* Output 0 is as input 0. */
gboolean ens_set_output_like_input (EnsOperands *operands, GError **error);

/* Same shapes after numpy's broadcasting: `shape` grows to hold `with` too. */
gboolean ens_broadcast (EnsShape *shape, const EnsShape *with);

/* permute () for one axis and for a list. */
void ens_permute_axis (gint64 *axis, guint rank, const guint *map);
void ens_permute_list (EnsList *axes, guint rank, const guint *map);
/* permute () for operators that remove these axes, or leave them with length 1 (keepdims). FALSE,
 * and nothing changed, if the axes that remain would change their order. */
gboolean ens_permute_reduced (EnsList *axes, gboolean keepdims, guint rank, const guint *map);

/* Elements, in C order whatever the pitch. */

static inline gsize
ens_view_columns (const EnsView *view)
{
  return view->shape.rank > 0 ? (gsize)view->shape.dims[view->shape.rank - 1] : 1;
}

static inline gsize
ens_view_rows (const EnsView *view)
{
  return view->shape.rank > 1 ? (gsize)ens_shape_span (&view->shape, 0, view->shape.rank - 1) : 1;
}

static inline gsize
ens_view_elements (const EnsView *view)
{
  return (gsize)ens_shape_elements (&view->shape);
}

static inline gboolean
ens_view_is_dense (const EnsView *view)
{
  return ens_view_rows (view) <= 1 || (gsize)view->pitch == ens_view_columns (view);
}

/* Elements from the first one to that of index i. */
static inline gsize
ens_view_offset (const EnsView *view, gsize i)
{
  gsize columns = ens_view_columns (view);

  return i / columns * (gsize)view->pitch + i % columns;
}

/* Strides in elements of each dimension. */
void ens_view_strides (const EnsView *view, gint64 *strides);
/* Strides of an input over the index space of `shape`, to which it broadcasts: 0 where it repeats.
 */
void ens_view_broadcast_strides (const EnsView *view, const EnsShape *shape, gint64 *strides);

gboolean ens_type_is_real (EnsType type);
/* Element at an offset (not an index). Integers are exact as integers. */
double ens_view_real (const EnsView *view, gsize offset);
gint64 ens_view_integer (const EnsView *view, gsize offset);
void ens_view_set_real (const EnsView *view, gsize offset, double value);
void ens_view_set_integer (const EnsView *view, gsize offset, gint64 value);
/* One element to another view of the same type, as bytes. */
void ens_view_copy_element (const EnsView *to, gsize to_offset, const EnsView *from,
                            gsize from_offset);

/* Walks an index space in C order: offsets of several strided arrays per step. */
#define ENS_MAX_WALK 4

typedef struct {
  EnsShape shape;
  guint n;
  gint64 strides[ENS_MAX_WALK][ENS_MAX_RANK];
  gint64 index[ENS_MAX_RANK];
  gsize offsets[ENS_MAX_WALK];
  gsize remaining;
} EnsWalk;

/* visits () of operators that look once at each element of input 0. */
double ens_visit_input (const EnsOperands *operands);

/* A walk over `shape` along views that broadcast to it; NULL views stay at offset 0. */
void ens_walk_begin (EnsWalk *walk, const EnsShape *shape, const EnsView *const *views, guint n);
void ens_walk_next (EnsWalk *walk);

/* Work on [begin, end). */
typedef void (*EnsRangeFunc) (gconstpointer data, gsize begin, gsize end);
/* Splits [0, n) over the pool; `cost` is about the number of elementary steps of one of them. */
void ens_parallel (EnsThreadPool *pool, gsize n, double cost, EnsRangeFunc func,
                   gconstpointer data);
