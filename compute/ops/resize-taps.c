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

/* Makes lists of some axes lists of all. */
static gboolean
spread_lists (const EnsOperands *operands, EnsResizeParams *params, GError **error)
{
  const EnsShape *shape = &operands->inputs[INPUT]->shape;
  EnsResizeParams some = *params;
  guint rank = shape->rank, n = MAX (some.scales.n, some.sizes.n);
  EnsList axes;

  if (!some.axes.present)
    return TRUE;
  if (!ens_check_axes (operands, &some.axes, rank, &axes, error))
    return FALSE;
  if (n != axes.n || (some.roi.n != 0 && some.roi.n != 2 * n))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "lists for %u axes, but “axes” has %u",
                         n, axes.n);
  params->scales.n = some.scales.n > 0 ? rank : 0;
  params->sizes.n = some.sizes.n > 0 ? rank : 0;
  params->roi.n = some.roi.n > 0 ? 2 * rank : 0;
  for (guint i = 0; i < rank; i++) {
    guint at = list_position (i, rank);

    params->scales.values[at] = 1;
    params->sizes.values[at] = shape->dims[i];
    params->roi.values[at] = 0;
    params->roi.values[rank + at] = 1;
  }
  for (guint i = 0; i < n; i++) {
    params->scales.values[axes.values[i]] = some.scales.values[i];
    params->sizes.values[axes.values[i]] = some.sizes.values[i];
    params->roi.values[axes.values[i]] = some.roi.values[i];
    params->roi.values[rank + axes.values[i]] = some.roi.n > 0 ? some.roi.values[n + i] : 1;
  }
  return TRUE;
}

/* The params with all lists in them, of lengths that fit the input. */
static gboolean
find_lists (const EnsOperands *operands, EnsResizeParams *params, GError **error)
{
  guint rank = operands->inputs[INPUT]->shape.rank;
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
  if (!spread_lists (operands, params, error))
    return FALSE;
  if (params->scales.n + params->sizes.n != rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%u scales or sizes, expected %u as the input has dimensions",
                         params->scales.n + params->sizes.n, rank);
  if (params->coordinates == ENS_RESIZE_CROP && params->roi.n != 2 * rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "%u numbers as roi, expected %u",
                         params->roi.n, 2 * rank);
  return TRUE;
}

/* The batch is never resized. Files with a fixed batch have its size among the sizes, which is not
 * read. */
static gboolean
check_batch (const EnsOperands *operands, const EnsResizeParams *params, GError **error)
{
  return params->scales.n == 0 || params->scales.values[0] == 1
         || ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                          "the batch is scaled by %g, supported is 1",
                          (double)params->scales.values[0]);
}

static gboolean
resolve_axis (const EnsOperands *operands, const EnsResizeParams *params, guint i,
              EnsResizeAxis *axis, GError **error)
{
  const EnsShape *shape = &operands->inputs[INPUT]->shape;
  guint at = list_position (i, shape->rank);

  *axis =
      (EnsResizeAxis) {.length = shape->dims[i], .resized = shape->dims[i], .scale = 1, .end = 1};
  if (!ens_check_length (operands, "the input's size", axis->length, 0, error))
    return FALSE;
  if (i == 0 && shape->rank >= 3)
    return check_batch (operands, params, error);
  if (params->sizes.n > 0) {
    axis->resized = params->sizes.values[at];
    axis->scale = (double)axis->resized / (double)MAX (axis->length, 1);
  } else {
    float resized = floorf (params->scales.values[at] * (float)axis->length);

    axis->scale = params->scales.values[at];
    if (!(axis->scale > 0) || !(resized < 1e9f))
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "can't scale %" G_GINT64_FORMAT " by %g", axis->length, axis->scale);
    axis->resized = (gint64)resized;
  }
  if (params->coordinates == ENS_RESIZE_CROP) {
    axis->start = params->roi.values[at];
    axis->end = params->roi.values[shape->rank + at];
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
  if (!find_lists (operands, params, error))
    return FALSE;
  for (guint i = 0; i < operands->inputs[INPUT]->shape.rank; i++)
    if (!resolve_axis (operands, params, i, &axes[i], error))
      return FALSE;
  return TRUE;
}

/* EnsResizeTaps. */

/* Where output element i lies on the input's axis. */
static double
find_position (const EnsResizeParams *params, const EnsResizeAxis *axis, gint64 i)
{
  double last = (double)(axis->length - 1), last_resized = (double)(axis->resized - 1);

  switch (params->coordinates) {
  case ENS_RESIZE_PYTORCH_HALF_PIXEL:
    return axis->resized > 1 ? ((double)i + 0.5) / axis->scale - 0.5 : 0;
  case ENS_RESIZE_ALIGN_CORNERS:
    return axis->resized > 1 ? (double)i * last / last_resized : 0;
  case ENS_RESIZE_ASYMMETRIC:
    return (double)i / axis->scale;
  case ENS_RESIZE_TF_HALF_PIXEL:
    return ((double)i + 0.5) / axis->scale;
  case ENS_RESIZE_CROP:
    if (axis->resized == 1)
      return 0.5 * (axis->start + axis->end) * last;
    return axis->start * last + (double)i * (axis->end - axis->start) * last / last_resized;
  case ENS_RESIZE_HALF_PIXEL:
    break;
  }
  return ((double)i + 0.5) / axis->scale - 0.5;
}

static double
round_position (EnsResizeRounding rounding, double x)
{
  switch (rounding) {
  case ENS_RESIZE_PREFER_CEIL:
    return floor (x + 0.5);
  case ENS_RESIZE_FLOOR:
    return floor (x);
  case ENS_RESIZE_CEIL:
    return ceil (x);
  case ENS_RESIZE_PREFER_FLOOR:
    break;
  }
  return ceil (x - 0.5);
}

static void
set_cubic_weights (double a, double t, double *weights)
{
  double u = 1 - t;

  weights[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
  weights[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
  weights[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
  weights[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
}

/* EnsResizeTaps beyond the ends show the elements there, or count for nothing. */
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

EnsResizeTaps
ens_resize_find_taps (const EnsResizeParams *params, const EnsResizeAxis *axis, gint64 i)
{
  EnsResizeTaps taps = {.n = 1, .weights = {1}};
  double x, below;

  /* No formula moves elements of an axis that stays as it is. */
  if (ens_resize_stays (axis)) {
    taps.at[0] = i;
    return taps;
  }
  x = find_position (params, axis, i);
  if (params->coordinates == ENS_RESIZE_CROP && !(x >= 0 && x <= (double)(axis->length - 1)))
    return (EnsResizeTaps) {0};
  below = params->mode == ENS_RESIZE_NEAREST ? round_position (params->rounding, x) : floor (x);
  if (params->mode == ENS_RESIZE_LINEAR) {
    taps.n = 2;
    taps.weights[0] = 1 - (x - below);
    taps.weights[1] = x - below;
  } else if (params->mode == ENS_RESIZE_CUBIC) {
    taps.n = 4;
    set_cubic_weights (params->cubic_a, x - below, taps.weights);
    below--;
  }
  for (guint k = 0; k < taps.n; k++)
    taps.at[k] = (gint64)below + k;
  keep_inside (params, axis, &taps);
  return taps;
}
