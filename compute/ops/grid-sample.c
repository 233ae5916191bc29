/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GridSample: a map read at positions that a grid tells (Jaderberg et al., "Spatial Transformer
 * Networks", 2015). Inputs X (N, height, width, C) and the grid, as import brings it from ONNX's
 * (N, rows, columns, 2): (N, columns, 2, rows); of each position first x, then y, from −1 to 1. Or
 * X (N, depth, height, width, C) and, of (N, planes, rows, columns, 3), the grid (N, rows, columns,
 * 3, planes); z is last. */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/grid-sample.h"

enum { X, GRID };

typedef struct {
  guint mode, padding; /* ENS_GRID_… of push/grid-sample.h */
  gboolean align_corners;
} GridParams;

static const char *const old_modes[] = {"bilinear", "nearest", "bicubic", NULL};
static const char *const modes[] = {"linear", "nearest", "cubic", NULL};
static const char *const paddings[] = {"zeros", "border", "reflection", NULL};

static const EnsAttribute grid_attributes[] = {
    {"align_corners", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (GridParams, align_corners)},
    {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (GridParams, mode), .names = old_modes, .until = 19},
    {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (GridParams, mode), .names = modes, .since = 20},
    {"padding_mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (GridParams, padding), .names = paddings},
    ENS_ATTRIBUTE_END};

/* Axes of the map, along which positions are given. */
static guint
count_axes (const EnsOperands *operands)
{
  return operands->inputs[X]->shape.rank - 2;
}

static gboolean
check_grid (const EnsOperands *operands, GError **error)
{
  const EnsShape *x = &operands->inputs[X]->shape, *grid = &operands->inputs[GRID]->shape;
  g_autofree char *found = NULL;

  if (grid->rank == x->rank && grid->dims[0] == x->dims[0]
      && grid->dims[grid->rank - 2] == count_axes (operands))
    return TRUE;
  found = ens_shape_to_string (grid);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "the grid is %s, expected %" G_GINT64_FORMAT " images of positions of %u",
                       found, x->dims[0], count_axes (operands));
}

static gboolean
grid_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *x = &operands->inputs[X]->shape, *grid = &operands->inputs[GRID]->shape;
  EnsShape shape = *x;

  if (!ens_check_type (operands, X, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, GRID, error))
    return FALSE;
  if (x->rank < 4 || x->rank > 5)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "input 0 has rank %u, supported are maps of two or three axes", x->rank);
  if (!check_grid (operands, error))
    return FALSE;
  if (ens_shape_elements (x) == 0 && ens_shape_elements (grid) > 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "the map has no elements");
  shape.dims[1] = grid->dims[grid->rank - 1];
  for (guint i = 2; i + 1 < x->rank; i++)
    shape.dims[i] = grid->dims[i - 1];
  return ens_set_output (operands, 0, operands->inputs[X]->type, &shape, error);
}

/* Along one axis */

static double
denormalise (double position, gint64 length, gboolean align_corners)
{
  double n = (double)length;

  return align_corners ? (position + 1) / 2 * (n - 1) : ((position + 1) * n - 1) / 2;
}

/* Mirrored at `low` and `high` until it is between. */
static double
reflect (double position, double low, double high)
{
  double range = high - low, beyond;

  if (range <= 0)
    return low;
  beyond = fmod (fabs (position - low), 2 * range);
  return beyond <= range ? low + beyond : high - (beyond - range);
}

static double
pad_position (const GridParams *params, double position, gint64 length)
{
  double last = (double)length - 1;

  if (params->padding == ENS_GRID_BORDER)
    return fmin (fmax (position, 0), last);
  if (params->padding != ENS_GRID_REFLECTION)
    return position;
  position =
      params->align_corners ? reflect (position, 0, last) : reflect (position, -0.5, last + 0.5);
  return fmin (fmax (position, 0), last);
}

/* Neighbours of a position, and their weights. */
typedef struct {
  guint n;
  gint64 index[4]; /* −1: a zero */
  double weight[4];
} Neighbours;

/* Keys' cubic convolution, "Cubic convolution interpolation for digital image processing", 1981. */
static double
cubic_weight (double distance)
{
  const double a = -0.75;
  double x = fabs (distance);

  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/* A position as an index; beyond what can be counted with, and of what is not a number, outside. */
static gint64
to_index (double position, gint64 length)
{
  return position >= 0 && position < (double)length ? (gint64)position : -1;
}

static Neighbours
find_neighbours (const GridParams *params, double position, gint64 length)
{
  Neighbours neighbours = {.n = params->mode == ENS_GRID_CUBIC ? 4 : 2};
  double first;

  position = denormalise (position, length, params->align_corners);
  if (params->mode == ENS_GRID_NEAREST) {
    position = nearbyint (pad_position (params, position, length));
    return (Neighbours) {1, {to_index (position, length)}, {1}};
  }
  if (params->mode == ENS_GRID_LINEAR)
    position = pad_position (params, position, length);
  first = floor (position) - (params->mode == ENS_GRID_CUBIC ? 1 : 0);
  for (guint i = 0; i < neighbours.n; i++) {
    double at = first + i, distance = position - at;

    neighbours.weight[i] =
        params->mode == ENS_GRID_CUBIC ? cubic_weight (distance) : 1 - fabs (distance);
    if (params->mode == ENS_GRID_CUBIC)
      at = nearbyint (pad_position (params, at, length));
    neighbours.index[i] = to_index (at, length);
  }
  return neighbours;
}

/* One position, all channels. */

/* A coordinate of a pixel of the output, whose first axis is the grid's last. */
static double
read_grid (const EnsOperands *operands, gsize pixel, guint axis)
{
  const EnsView *grid = operands->inputs[GRID];
  const gint64 *dims = operands->outputs[0]->shape.dims;
  guint n = count_axes (operands);
  gsize first = (gsize)dims[1], inner = n == 2 ? (gsize)dims[2] : (gsize)(dims[2] * dims[3]);
  gsize image = pixel / inner / first, row = pixel / inner % first, rest = pixel % inner;

  return ens_view_real (grid, ((image * inner + rest) * n + axis) * first + row);
}

/* The sum over the neighbours along an axis of what those of the axes behind it come to; `at`: the
 * index so far. */
static double
sum_neighbours (const EnsOperands *operands, const Neighbours *near, guint axis, gsize at,
                gsize channel)
{
  const EnsView *x = operands->inputs[X];
  double sum = 0;

  if (axis > count_axes (operands))
    return ens_view_real (x, at * (gsize)x->pitch + channel);
  for (guint i = 0; i < near[axis].n; i++)
    if (near[axis].index[i] >= 0)
      sum +=
          near[axis].weight[i]
          * sum_neighbours (operands, near, axis + 1,
                            at * (gsize)x->shape.dims[axis] + (gsize)near[axis].index[i], channel);
  return sum;
}

static void
sample_pixels (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  guint n = count_axes (operands);
  gsize pixels = (gsize)ens_shape_span (&y->shape, 1, n + 1);

  for (gsize pixel = begin; pixel < end; pixel++) {
    Neighbours near[ENS_MAX_RANK]; /* by axis of X */

    for (guint axis = 1; axis <= n; axis++)
      near[axis] = find_neighbours (operands->params, read_grid (operands, pixel, n - axis),
                                    x->shape.dims[axis]);
    for (gsize c = 0; c < ens_view_columns (y); c++)
      ens_view_set_real (y, pixel * (gsize)y->pitch + c,
                         sum_neighbours (operands, near, 1, pixel / pixels, c));
  }
}

static void
grid_reference (const EnsOperands *operands)
{
  if (ens_view_elements (operands->outputs[0]) > 0)
    sample_pixels (operands, 0, ens_view_rows (operands->outputs[0]));
}

static void
grid_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *y = operands->outputs[0];

  if (ens_view_elements (y) > 0)
    ens_parallel (context->pool, ens_view_rows (y), 32 * ens_view_columns (y), sample_pixels,
                  operands);
}

#define GROUP 128

static gboolean
grid_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const GridParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  EnsGridSamplePush push = {.n = (guint32)ens_view_elements (y),
                            .x_size = {(gint32)x->shape.dims[1], (gint32)x->shape.dims[2]},
                            .rows = (guint32)y->shape.dims[1],
                            .columns = (guint32)y->shape.dims[2],
                            .channels = (guint32)y->shape.dims[3]};
  EnsDispatch dispatch = {.shader = "grid-sample",
                          .bindings = {{x, ENS_ACCESS_READ},
                                       {operands->inputs[GRID], ENS_ACCESS_READ},
                                       {y, ENS_ACCESS_WRITE}},
                          .n_bindings = 3,
                          .constants = {params->mode, params->padding, params->align_corners},
                          .n_constants = 3,
                          .push = &push,
                          .push_size = sizeof push};

  if (x->shape.rank != 4 || !ens_record_storage (operands, X, GRID + 1, &dispatch.storage))
    return FALSE;
  if (push.n > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

/* A grid of each image, or the same one for all. */
static gboolean
grid_per_image (const EnsNode *node)
{
  return node->inputs[X]->constant == NULL && node->inputs[GRID]->constant == NULL;
}

static const EnsOpExample grid_examples[] = {
    {"2x5x6x3 2x4x2x7", &(const GridParams) {ENS_GRID_LINEAR, ENS_GRID_BORDER, TRUE}},
    {"2x5x6x3 2x4x2x7", &(const GridParams) {ENS_GRID_CUBIC, ENS_GRID_REFLECTION, FALSE}},
    {NULL}};

const EnsOp ens_op_grid_sample = {.name = "GridSample",
                                  .min_inputs = 2,
                                  .max_inputs = 2,
                                  .min_outputs = 1,
                                  .max_outputs = 1,
                                  .layout = ENS_LAYOUT_SPATIAL,
                                  .params_size = sizeof (GridParams),
                                  .versions = {.since = 16},
                                  .attributes = grid_attributes,
                                  .shape = grid_shape,
                                  .reference = grid_reference,
                                  .cpu = grid_cpu,
                                  .gpu = grid_gpu,
                                  .per_image = grid_per_image,
                                  .example = grid_examples};
