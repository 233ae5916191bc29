/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize: which elements of the input an element of the output is made of. */
#include "ops/resize.h"

#include "ops/sliding.h"

#include <math.h>

/* Axes. */

/* Where lists have the numbers of a tensor's axis. */
static guint
list_position (guint axis, guint rank)
{
  if (rank < 3 || axis == 0)
    return axis;
  return axis + 1 == rank ? 1 : axis + 1;
}

/* The numbers of an input whose contents must be known while planning, or the params'. */
static gboolean
find_floats (const EnsOperands *operands, guint input, EnsFloats *list, GError **error)
{
  const EnsView *view = ens_operands_input (operands, input);

  if (view == NULL)
    return TRUE;
  if (!ens_check_type (operands, input, ENS_TYPES_REAL, error)
      || !ens_check_rank (operands, input, 1, 1, error))
    return FALSE;
  if (ens_view_elements (view) > G_N_ELEMENTS (list->values))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u has too many numbers", input);
  list->n = (guint)ens_view_elements (view);
  if (view->data == NULL && list->n > 0)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "the contents of input %u are not known before running", input);
  for (guint i = 0; i < list->n; i++)
    list->values[i] = (float)ens_view_real (view, i);
  return TRUE;
}

/* The params with all lists in them. */
static gboolean
gather_lists (const EnsOperands *operands, EnsResizeParams *params, GError **error)
{
  EnsList given;

  *params = *(const EnsResizeParams *)operands->params;
  given = params->sizes;
  if (!find_floats (operands, ROI, &params->roi, error)
      || !find_floats (operands, SCALES, &params->scales, error)
      || !ens_check_list_or (operands, SIZES, &given, &params->sizes, error))
    return FALSE;
  if ((params->scales.n > 0) == (params->sizes.n > 0))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "expected either scales or sizes, found %s",
                         params->scales.n > 0 ? "both" : "neither");
  return TRUE;
}

/* Lists of all of the input's axes; where sizes keep the proportions, with the scale as well. */
typedef struct {
  EnsFloats roi;
  guint n_scales, n_sizes;
  float scales[ENS_MAX_RANK];
  gint64 sizes[ENS_MAX_RANK];
} Lists;

/* Spreads the lists of these axes. */
static void
spread_lists (const EnsResizeParams *some, const EnsList *axes, const EnsShape *shape, Lists *lists)
{
  guint rank = shape->rank, n = axes->n;

  lists->n_scales = some->scales.n > 0 ? rank : 0;
  lists->n_sizes = some->sizes.n > 0 ? rank : 0;
  lists->roi.n = some->roi.n > 0 ? 2 * rank : 0;
  for (guint i = 0; i < rank; i++) {
    guint at = list_position (i, rank);

    lists->scales[at] = 1;
    lists->sizes[at] = shape->dims[i];
    lists->roi.values[at] = 0;
    lists->roi.values[rank + at] = 1;
  }
  for (guint i = 0; i < n; i++) {
    lists->scales[axes->values[i]] = some->scales.values[i];
    lists->sizes[axes->values[i]] = some->sizes.values[i];
    lists->roi.values[axes->values[i]] = some->roi.values[i];
    lists->roi.values[rank + axes->values[i]] = some->roi.n > 0 ? some->roi.values[n + i] : 1;
  }
}

/* Replaces sizes by those of one scale for all of these axes, of which none is larger, or smaller.
 */
static void
keep_proportions (EnsResizePolicy policy, const EnsList *axes, const EnsShape *shape, Lists *lists)
{
  gint64 lengths[ENS_MAX_RANK] = {0};
  float scale = policy == ENS_RESIZE_NOT_LARGER ? G_MAXFLOAT : 0;

  for (guint i = shape->rank >= 3 ? 1 : 0; i < shape->rank; i++)
    lengths[list_position (i, shape->rank)] = shape->dims[i];
  for (guint i = 0; i < axes->n; i++) {
    gint64 axis = axes->values[i];
    float ratio = (float)lists->sizes[axis] / (float)lengths[axis];

    if (lengths[axis] > 0)
      scale = policy == ENS_RESIZE_NOT_LARGER ? MIN (scale, ratio) : MAX (scale, ratio);
  }
  lists->n_scales = lists->n_sizes;
  for (guint i = 0; i < axes->n; i++) {
    gint64 axis = axes->values[i];

    lists->scales[axis] = lengths[axis] > 0 ? scale : 1;
    lists->sizes[axis] =
        lengths[axis] > 0 ? (gint64)MIN (roundf (scale * (float)lengths[axis]), 1e15f) : 0;
  }
}

static gboolean
find_lists (const EnsOperands *operands, const EnsResizeParams *params, Lists *lists,
            GError **error)
{
  const EnsShape *shape = &operands->inputs[INPUT]->shape;
  guint n = params->scales.n + params->sizes.n;
  EnsList axes = {.n = shape->rank};

  for (guint i = 0; i < axes.n; i++)
    axes.values[i] = i;
  if (params->axes.present && !ens_check_axes (operands, &params->axes, shape->rank, &axes, error))
    return FALSE;
  if (n != axes.n)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         params->axes.present
                             ? "lists for %u axes, but “axes” has %u"
                             : "%u scales or sizes, expected %u as the input has dimensions",
                         n, axes.n);
  if (params->roi.n != 2 * n
      && (params->coordinates == ENS_RESIZE_CROP || (params->axes.present && params->roi.n > 0)))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "%u numbers as roi, expected %u",
                         params->roi.n, 2 * n);
  spread_lists (params, &axes, shape, lists);
  if (params->policy != ENS_RESIZE_STRETCH && lists->n_sizes > 0)
    keep_proportions (params->policy, &axes, shape, lists);
  return TRUE;
}

/* The batch is never resized. Files with a fixed batch have its size among the sizes, which is not
 * read. */
static gboolean
check_batch (const EnsOperands *operands, const Lists *lists, GError **error)
{
  return lists->n_sizes > 0 || lists->scales[0] == 1
         || ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                          "the batch is scaled by %g, supported is 1", (double)lists->scales[0]);
}

static gboolean
resolve_size (const EnsOperands *operands, const Lists *lists, guint at, EnsResizeAxis *axis,
              GError **error)
{
  double resized;

  if (lists->n_scales > 0)
    axis->scale = lists->scales[at];
  if (lists->n_sizes > 0) {
    axis->resized = lists->sizes[at];
    if (lists->n_scales == 0)
      axis->scale = (float)axis->resized / (float)MAX (axis->length, 1);
    return TRUE;
  }
  resized = (double)floorf (axis->scale * (float)axis->length);
  if (!(axis->scale > 0) || !(resized < 1e9))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "can't scale %" G_GINT64_FORMAT " by %g",
                         axis->length, (double)axis->scale);
  axis->resized = (gint64)resized;
  return TRUE;
}

static gboolean
resolve_axis (const EnsOperands *operands, const EnsResizeParams *params, const Lists *lists,
              guint i, EnsResizeAxis *axis, GError **error)
{
  const EnsShape *shape = &operands->inputs[INPUT]->shape;
  guint at = list_position (i, shape->rank);

  *axis =
      (EnsResizeAxis) {.length = shape->dims[i], .resized = shape->dims[i], .scale = 1, .end = 1};
  if (!ens_check_length (operands, "the input's size", axis->length, 0, error))
    return FALSE;
  if (i == 0 && shape->rank >= 3)
    return check_batch (operands, lists, error);
  if (!resolve_size (operands, lists, at, axis, error))
    return FALSE;
  if (params->coordinates == ENS_RESIZE_CROP) {
    axis->start = lists->roi.values[at];
    axis->end = lists->roi.values[shape->rank + at];
  }
  return ens_check_length (operands, "the output's size", axis->resized, axis->length > 0 ? 1 : 0,
                           error)
         && (axis->length > 0 || axis->resized == 0
             || ens_op_error (operands, error, ENS_ERROR_SHAPE,
                              "there is nothing to make %" G_GINT64_FORMAT " elements of",
                              axis->resized));
}

gboolean
ens_resize_resolve (const EnsOperands *operands, EnsResizeParams *params, EnsResizeAxis *axes,
                    GError **error)
{
  Lists lists = {0};

  if (!gather_lists (operands, params, error) || !find_lists (operands, params, &lists, error))
    return FALSE;
  for (guint i = 0; i < operands->inputs[INPUT]->shape.rank; i++)
    if (!resolve_axis (operands, params, &lists, i, &axes[i], error))
      return FALSE;
  return TRUE;
}

/* EnsResizeTaps. */

/* Where output element i lies on the input's axis. Which element is the nearest, and whether there
 * is one, turns on the last bit of positions that are about whole or halfway: so all is of the
 * precision, and in the order, of ONNX Runtime. */
static float
find_position (const EnsResizeParams *params, const EnsResizeAxis *axis, gint64 i)
{
  float length = (float)axis->length, resized = (float)axis->resized, x = (float)i;
  float centre = (x + 0.5F) / axis->scale;

  switch (params->coordinates) {
  case ENS_RESIZE_PYTORCH_HALF_PIXEL:
    return axis->resized > 1 ? centre - 0.5F : 0;
  case ENS_RESIZE_ALIGN_CORNERS:
    return axis->resized > 1 ? x * (length - 1) / (resized - 1) : 0;
  case ENS_RESIZE_ASYMMETRIC:
    return x / axis->scale;
  case ENS_RESIZE_TF_HALF_PIXEL:
    return centre;
  case ENS_RESIZE_CROP:
    if (axis->resized == 1)
      return 0.5F * (axis->start + axis->end) * (length - 1);
    return axis->start * (length - 1)
           + x * (axis->end - axis->start) * (length - 1) / (resized - 1);
  case ENS_RESIZE_HALF_PIXEL_SYMMETRIC:
    /* What rounding the size has cut off is missing on both sides. */
    return (float)((double)(length / 2 * (1 - resized / (axis->scale * length)))
                   + ((double)x + 0.5) / (double)axis->scale - 0.5);
  case ENS_RESIZE_HALF_PIXEL:
    break;
  }
  return centre - 0.5F;
}

/* Positions so near to halfway are taken for it, as by ONNX Runtime 1.32: rounding has moved them.
 */
#define HALFWAY 1e-6

/* In double precision, where adding a half is exact. */
static double
round_position (EnsResizeRounding rounding, double x)
{
  switch (rounding) {
  case ENS_RESIZE_PREFER_CEIL:
    return floor (x + 0.5 + HALFWAY);
  case ENS_RESIZE_FLOOR:
    return floor (x);
  case ENS_RESIZE_CEIL:
    return ceil (x);
  case ENS_RESIZE_PREFER_FLOOR:
    break;
  }
  return ceil (x - 0.5 - HALFWAY);
}

/* Weight of an element at distance x. */

static double
triangle (double x)
{
  return MAX (1 - fabs (x), 0);
}

static double
cubic (double a, double x)
{
  x = fabs (x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/* How much wider the filter is than between neighbours. */
static double
find_width (const EnsResizeParams *params, const EnsResizeAxis *axis)
{
  return params->antialias && params->mode != ENS_RESIZE_NEAREST ? MAX (1 / (double)axis->scale, 1)
                                                                 : 1;
}

/* Elements on either side of a position that count. */
static gint64
find_reach (const EnsResizeParams *params, const EnsResizeAxis *axis)
{
  double reach = params->mode == ENS_RESIZE_CUBIC ? 2 : 1;

  return (gint64)ceil (MIN (reach * find_width (params, axis), 1e9));
}

/* Taps beyond the ends show the elements there, or count for nothing. */
static void
keep_inside (const EnsResizeParams *params, const EnsResizeAxis *axis, EnsResizeTaps *taps)
{
  double sum = 0;

  for (guint k = 0; k < taps->n; k++) {
    gint64 at = CLAMP (taps->at[k], 0, axis->length - 1);

    if (params->exclude_outside && at != taps->at[k])
      taps->weights[k] = 0;
    taps->at[k] = at;
    sum += taps->weights[k];
  }
  for (guint k = 0; params->exclude_outside && k < taps->n; k++)
    taps->weights[k] /= sum;
}

gboolean
ens_resize_stays (const EnsResizeAxis *axis)
{
  return axis->resized == axis->length && axis->scale == 1 && axis->start == 0 && axis->end == 1;
}

guint
ens_resize_count_taps (const EnsResizeParams *params, const EnsResizeAxis *axis)
{
  if (ens_resize_stays (axis) || params->mode == ENS_RESIZE_NEAREST)
    return 1;
  return 2 * (guint)find_reach (params, axis);
}

void
ens_resize_taps_init (EnsResizeTaps *taps, const EnsResizeParams *params, const EnsResizeAxis *axis)
{
  guint n = ens_resize_count_taps (params, axis);

  *taps = (EnsResizeTaps) {n, g_new (gint64, n), g_new (double, n)};
}

void
ens_resize_taps_clear (EnsResizeTaps *taps)
{
  g_clear_pointer (&taps->at, g_free);
  g_clear_pointer (&taps->weights, g_free);
}

/* The elements around x, weighted by their distances. */
static void
weigh (const EnsResizeParams *params, const EnsResizeAxis *axis, double x, EnsResizeTaps *taps)
{
  double width = find_width (params, axis), sum = 0;
  gint64 first = (gint64)floor (x) + 1 - find_reach (params, axis);

  for (guint k = 0; k < taps->n; k++) {
    double distance = (x - (double)(first + k)) / width;

    taps->at[k] = first + k;
    taps->weights[k] = params->mode == ENS_RESIZE_CUBIC ? cubic ((double)params->cubic_a, distance)
                                                        : triangle (distance);
    sum += taps->weights[k];
  }
  for (guint k = 0; k < taps->n && width > 1; k++)
    taps->weights[k] /= sum;
}

static void
take_one (EnsResizeTaps *taps, gint64 at)
{
  taps->n = 1;
  taps->at[0] = at;
  taps->weights[0] = 1;
}

void
ens_resize_find_taps (const EnsResizeParams *params, const EnsResizeAxis *axis, gint64 i,
                      EnsResizeTaps *taps)
{
  double x;

  /* No formula moves elements of an axis that stays as it is. */
  if (ens_resize_stays (axis)) {
    take_one (taps, i);
    return;
  }
  x = (double)find_position (params, axis, i);
  taps->n = ens_resize_count_taps (params, axis);
  if (params->coordinates == ENS_RESIZE_CROP && !(x >= 0 && x <= (double)(axis->length - 1))) {
    taps->n = 0;
    return;
  }
  if (params->mode == ENS_RESIZE_NEAREST)
    take_one (taps, (gint64)round_position (params->rounding, x));
  else
    weigh (params, axis, x, taps);
  keep_inside (params, axis, taps);
}
