/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/operands.h"

#include <math.h>
#include <string.h>

#define NAME(upper, name, number, formula, of, derivative) [number] = #name,

const char *const ens_activation_names[ENS_N_ACTIVATIONS + 1] = {[ENS_ACTIVATION_NONE] = "None",
                                                                 ENS_ACTIVATIONS (NAME)};

double
ens_activation_apply (const EnsFusedActivation *activation, double x)
{
  return ens_activation_value (activation->kind, x, activation->alpha, activation->beta);
}

/* Checks. */

static char *
list_types (guint types)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < ENS_N_TYPES; i++)
    if (types & ENS_TYPES (i))
      g_string_append_printf (text, "%s%s", text->len > 0 ? " or " : "", ens_type_name (i));
  return g_string_free (text, FALSE);
}

gboolean
ens_check_type (const EnsOperands *operands, guint input, guint types, GError **error)
{
  const EnsView *view = ens_operands_input (operands, input);
  g_autofree char *expected = NULL;

  if (view == NULL || (types & ENS_TYPES (view->type)))
    return TRUE;
  expected = list_types (types);
  return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED, "input %u is %s, expected %s", input,
                       ens_type_name (view->type), expected);
}

gboolean
ens_check_same_types (const EnsOperands *operands, guint input, GError **error)
{
  for (guint i = input; i < operands->n_inputs; i++) {
    const EnsView *view = operands->inputs[i];

    if (view != NULL && view->type != operands->inputs[0]->type)
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "input %u is %s, expected %s as input 0", i, ens_type_name (view->type),
                           ens_type_name (operands->inputs[0]->type));
  }
  return TRUE;
}

gboolean
ens_check_rank (const EnsOperands *operands, guint input, guint min, guint max, GError **error)
{
  const EnsView *view = ens_operands_input (operands, input);
  g_autofree char *found = NULL;

  if (view == NULL || (view->shape.rank >= min && view->shape.rank <= max))
    return TRUE;
  found = ens_shape_to_string (&view->shape);
  if (min == max)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u is %s, expected rank %u",
                         input, found, min);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u is %s, expected rank %u to %u",
                       input, found, min, max);
}

gboolean
ens_check_vector (const EnsOperands *operands, guint input, gint64 length, GError **error)
{
  const EnsView *view = ens_operands_input (operands, input);
  g_autofree char *found = NULL;

  if (view == NULL || (view->shape.rank == 1 && view->shape.dims[0] == length))
    return TRUE;
  found = ens_shape_to_string (&view->shape);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "input %u is %s, expected a vector of %" G_GINT64_FORMAT, input, found,
                       length);
}

gboolean
ens_check_axis (const EnsOperands *operands, gint64 axis, guint rank, guint *normal, GError **error)
{
  if (axis < -(gint64)rank || axis >= (gint64)rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "axis %" G_GINT64_FORMAT " does not exist in a tensor of rank %u", axis,
                         rank);
  *normal = axis < 0 ? axis + rank : axis;
  return TRUE;
}

gboolean
ens_check_axes (const EnsOperands *operands, const EnsList *axes, guint rank, EnsList *normal,
                GError **error)
{
  guint seen = 0;

  *normal = (EnsList) {.present = axes->present, .n = axes->n};
  for (guint i = 0; i < axes->n; i++) {
    guint axis = 0;

    if (!ens_check_axis (operands, axes->values[i], rank, &axis, error))
      return FALSE;
    if (seen & 1u << axis)
      return ens_op_error (operands, error, ENS_ERROR_SHAPE, "axis %u is named twice", axis);
    seen |= 1u << axis;
    normal->values[i] = axis;
  }
  return TRUE;
}

gboolean
ens_check_list (const EnsOperands *operands, guint input, EnsList *list, GError **error)
{
  const EnsView *view = ens_operands_input (operands, input);
  g_autofree char *found = NULL;

  *list = (EnsList) {.present = view != NULL};
  if (view == NULL)
    return TRUE;
  if (!ens_check_type (operands, input, ENS_TYPES_INTEGER, error))
    return FALSE;
  found = ens_shape_to_string (&view->shape);
  if (view->shape.rank > 1 || ens_view_elements (view) > ENS_MAX_RANK)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "input %u is %s, expected a list of at most %d values", input, found,
                         ENS_MAX_RANK);
  if (view->data == NULL)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "the values of input %u (“%s”) are not known before running", input,
                         operands->node->inputs[input]->name);
  list->n = ens_view_elements (view);
  for (guint i = 0; i < list->n; i++)
    list->values[i] = ens_view_integer (view, i);
  return TRUE;
}

gboolean
ens_check_list_or (const EnsOperands *operands, guint input, const EnsList *otherwise,
                   EnsList *list, GError **error)
{
  *list = *otherwise;
  return ens_operands_input (operands, input) == NULL
         || ens_check_list (operands, input, list, error);
}

gboolean
ens_check_number (const EnsOperands *operands, guint input, gint64 *number, GError **error)
{
  EnsList list;

  if (!ens_check_list (operands, input, &list, error))
    return FALSE;
  if (list.present && list.n != 1)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u has %u values, expected 1",
                         input, list.n);
  if (list.present)
    *number = list.values[0];
  return TRUE;
}

gboolean
ens_set_output (EnsOperands *operands, guint output, EnsType type, const EnsShape *shape,
                GError **error)
{
  if (!ens_shape_is_countable (shape)) {
    g_autofree char *text = ens_shape_to_string (shape);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "output %u of %s would be too large",
                         output, text);
  }
  *operands->outputs[output] = ens_view_dense (type, shape, NULL);
  return TRUE;
}

gboolean
ens_set_output_like_input (EnsOperands *operands, GError **error)
{
  return ens_set_output (operands, 0, operands->inputs[0]->type, &operands->inputs[0]->shape,
                         error);
}

gboolean
ens_broadcast (EnsShape *shape, const EnsShape *with)
{
  EnsShape wide = {.rank = MAX (shape->rank, with->rank)};

  for (guint i = 0; i < wide.rank; i++) { /* from the last axis on */
    gint64 a = i < shape->rank ? shape->dims[shape->rank - 1 - i] : 1;
    gint64 b = i < with->rank ? with->dims[with->rank - 1 - i] : 1;

    if (a != b && a != 1 && b != 1)
      return FALSE;
    wide.dims[wide.rank - 1 - i] = a == 1 ? b : a;
  }
  *shape = wide;
  return TRUE;
}

void
ens_permute_axis (gint64 *axis, guint rank, const guint *map)
{
  gint64 normal = *axis < 0 ? *axis + rank : *axis;

  /* shape () reports an axis that does not exist. */
  if (normal >= 0 && normal < rank)
    *axis = map[normal];
}

void
ens_permute_list (EnsList *axes, guint rank, const guint *map)
{
  for (guint i = 0; i < axes->n; i++)
    ens_permute_axis (&axes->values[i], rank, map);
}

gboolean
ens_permute_reduced (EnsList *axes, gboolean keepdims, guint rank, const guint *map)
{
  guint removed = 0, next = 0;

  for (guint i = 0; i < axes->n; i++)
    if (axes->values[i] >= -(gint64)rank && axes->values[i] < (gint64)rank)
      removed |= 1u << (axes->values[i] < 0 ? axes->values[i] + rank : axes->values[i]);
  for (guint i = 0; i < rank && !keepdims; i++) {
    if (removed & 1u << i)
      continue;
    if (map[i] < next)
      return FALSE;
    next = map[i];
  }
  ens_permute_list (axes, rank, map);
  return TRUE;
}

/* Elements. */

void
ens_view_strides (const EnsView *view, gint64 *strides)
{
  guint rank = view->shape.rank;
  gint64 stride = 1;

  for (guint i = rank; i-- > 0;) {
    strides[i] = stride;
    stride = i == rank - 1 ? view->pitch : stride * view->shape.dims[i];
  }
}

void
ens_view_broadcast_strides (const EnsView *view, const EnsShape *shape, gint64 *strides)
{
  gint64 own[ENS_MAX_RANK];
  guint missing = shape->rank - view->shape.rank;

  ens_view_strides (view, own);
  for (guint i = 0; i < shape->rank; i++)
    strides[i] = i < missing || view->shape.dims[i - missing] == 1 ? 0 : own[i - missing];
}

gboolean
ens_type_is_real (EnsType type)
{
  return (ENS_TYPES_REAL & ENS_TYPES (type)) != 0;
}

static double
half_to_double (guint16 half)
{
  guint exponent = half >> 10 & 31, fraction = half & 1023;
  double magnitude;

  if (exponent == 31)
    magnitude = fraction != 0 ? NAN : INFINITY;
  else if (exponent == 0)
    magnitude = ldexp (fraction, -24);
  else
    magnitude = ldexp (fraction + 1024, (int)exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

/* Rounds to the nearest, ties to even (nearbyint's default mode). */
static guint16
half_from_double (double value)
{
  guint16 sign = signbit (value) ? 0x8000 : 0;
  double magnitude = fabs (value), fraction;
  int exponent;

  if (isnan (value))
    return sign | 0x7e00;
  if (magnitude == 0)
    return sign;
  if (magnitude >= 65520) /* halfway from the largest to 2¹⁶ */
    return sign | 0x7c00;
  frexp (magnitude, &exponent);
  exponent = MAX (exponent - 11, -24);
  fraction = nearbyint (ldexp (magnitude, -exponent));
  /* A fraction rounded up to 2048 carries into the exponent by itself. */
  return sign + (guint16)fraction + (guint16)((exponent + 24) << 10);
}

double
ens_view_real (const EnsView *view, gsize offset)
{
  switch (view->type) {
  case ENS_TYPE_FLOAT32:
    return ((const float *)view->data)[offset];
  case ENS_TYPE_FLOAT16:
    return half_to_double (((const guint16 *)view->data)[offset]);
  case ENS_TYPE_FLOAT64:
    return ((const double *)view->data)[offset];
  default:
    return (double)ens_view_integer (view, offset);
  }
}

gint64
ens_view_integer (const EnsView *view, gsize offset)
{
  switch (view->type) {
  case ENS_TYPE_INT64:
    return ((const gint64 *)view->data)[offset];
  case ENS_TYPE_INT32:
    return ((const gint32 *)view->data)[offset];
  case ENS_TYPE_INT8:
    return ((const gint8 *)view->data)[offset];
  case ENS_TYPE_UINT8:
  case ENS_TYPE_BOOL:
    return ((const guint8 *)view->data)[offset];
  default: {
    double value = ens_view_real (view, offset);

    if (isnan (value))
      return 0;
    return value >= 0x1p63 ? G_MAXINT64 : value < -0x1p63 ? G_MININT64 : (gint64)value;
  }
  }
}

void
ens_view_set_real (const EnsView *view, gsize offset, double value)
{
  switch (view->type) {
  case ENS_TYPE_FLOAT32:
    ((float *)view->data)[offset] = (float)value;
    break;
  case ENS_TYPE_FLOAT16:
    ((guint16 *)view->data)[offset] = half_from_double (value);
    break;
  case ENS_TYPE_FLOAT64:
    ((double *)view->data)[offset] = value;
    break;
  case ENS_TYPE_BOOL:
    ((guint8 *)view->data)[offset] = value != 0;
    break;
  default: /* outside int64 a conversion is undefined in C: saturate */
    ens_view_set_integer (view, offset,
                          isnan (value)     ? 0
                          : value >= 0x1p63 ? G_MAXINT64
                          : value < -0x1p63 ? G_MININT64
                                            : (gint64)value);
  }
}

void
ens_view_set_integer (const EnsView *view, gsize offset, gint64 value)
{
  switch (view->type) {
  case ENS_TYPE_INT64:
    ((gint64 *)view->data)[offset] = value;
    break;
  case ENS_TYPE_INT32:
    ((gint32 *)view->data)[offset] = (gint32)value;
    break;
  case ENS_TYPE_INT8:
    ((gint8 *)view->data)[offset] = (gint8)value;
    break;
  case ENS_TYPE_UINT8:
    ((guint8 *)view->data)[offset] = (guint8)value;
    break;
  case ENS_TYPE_BOOL:
    ((guint8 *)view->data)[offset] = value != 0;
    break;
  default:
    ens_view_set_real (view, offset, (double)value);
  }
}

void
ens_view_copy_element (const EnsView *to, gsize to_offset, const EnsView *from, gsize from_offset)
{
  gsize size = ens_type_size (to->type);

  memcpy ((char *)to->data + to_offset * size, (const char *)from->data + from_offset * size, size);
}

void
ens_walk_begin (EnsWalk *walk, const EnsShape *shape, const EnsView *const *views, guint n)
{
  *walk = (EnsWalk) {.shape = *shape, .n = n, .remaining = (gsize)ens_shape_elements (shape)};
  for (guint i = 0; i < n; i++)
    if (views[i] != NULL)
      ens_view_broadcast_strides (views[i], shape, walk->strides[i]);
}

void
ens_walk_next (EnsWalk *walk)
{
  if (--walk->remaining == 0)
    return;
  for (guint axis = walk->shape.rank; axis-- > 0;) {
    gboolean carry = ++walk->index[axis] == walk->shape.dims[axis];
    gint64 steps = carry ? 1 - walk->shape.dims[axis] : 1;

    for (guint i = 0; i < walk->n; i++)
      walk->offsets[i] += (gsize)(steps * walk->strides[i][axis]);
    if (!carry)
      return;
    walk->index[axis] = 0;
  }
}

double
ens_visit_input (const EnsOperands *operands)
{
  return (double)ens_view_elements (operands->inputs[0]);
}

/* Parallel ranges. */

/* A task should take some tens of microseconds, or handing it out costs more than it gains. */
#define TASK_COST 32768
#define TASKS_PER_THREAD 4

/* … and some tenths of a millisecond pass until it is looked whether it was cancelled. */
#define PIECE_COST 0x1p20

typedef struct {
  EnsRangeFunc func;
  gconstpointer data;
  gsize n, piece;
  guint n_tasks;
  EnsThreadPool *pool;
} Ranges;

static void
range_task (gpointer data, guint task, guint worker)
{
  const Ranges *ranges = data;
  gsize from = ranges->n / ranges->n_tasks * task + MIN (task, ranges->n % ranges->n_tasks);
  gsize to = ranges->n / ranges->n_tasks * (task + 1) + MIN (task + 1, ranges->n % ranges->n_tasks);

  for (; from < to && !ens_thread_pool_is_cancelled (ranges->pool); from += ranges->piece)
    ranges->func (ranges->data, from, MIN (from + ranges->piece, to));
}

void
ens_parallel (EnsThreadPool *pool, gsize n, double cost, EnsRangeFunc func, gconstpointer data)
{
  gsize most = (gsize)ens_thread_pool_get_threads (pool) * TASKS_PER_THREAD;
  Ranges ranges = {.func = func,
                   .data = data,
                   .n = n,
                   .piece = (gsize)MAX (PIECE_COST / MAX (cost, 1), 1),
                   .pool = pool};

  if (n == 0)
    return;
  most = (gsize)MIN ((double)n * cost / TASK_COST + 1, (double)most);
  ranges.n_tasks = (guint)MIN (most, n);
  ens_thread_pool_run (pool, ranges.n_tasks, range_task, &ranges);
}
