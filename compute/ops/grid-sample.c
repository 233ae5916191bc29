/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GridSample: a map read at positions that a grid tells (Jaderberg et al., "Spatial Transformer
 * Networks", 2015). Inputs X (N, height, width, C) and the grid, as import brings it from ONNX's
 * (N, rows, columns, 2): (N, columns, 2, rows); of each position first x, then y, from −1 to 1. Or
 * X (N, depth, height, width, C) and, of (N, planes, rows, columns, 3), the grid (N, rows, columns,
 * 3, planes); z is last. */
#include "ops/grid-sample.h"

#include <math.h>

#include "ops/record.h"
#include "ops/registry.h"

#include "push/grid-sample.h"

static const char *const old_modes[] = {"bilinear", "nearest", "bicubic", NULL};
static const char *const modes[] = {"linear", "nearest", "cubic", NULL};
static const char *const paddings[] = {"zeros", "border", "reflection", NULL};

static const EnsAttribute grid_attributes[] = {
    {"align_corners", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsGridParams, align_corners)},
    {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsGridParams, mode), .names = old_modes, .until = 19},
    {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsGridParams, mode), .names = modes, .since = 20},
    {"padding_mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsGridParams, padding), .names = paddings},
    ENS_ATTRIBUTE_END};

guint
ens_grid_axes (const EnsOperands *operands)
{
  return operands->inputs[ENS_GRID_X]->shape.rank - 2;
}

static gboolean
check_grid (const EnsOperands *operands, GError **error)
{
  const EnsShape *x = &operands->inputs[ENS_GRID_X]->shape;
  const EnsShape *grid = &operands->inputs[ENS_GRID_POSITIONS]->shape;
  g_autofree char *found = NULL;

  if (grid->rank == x->rank && grid->dims[0] == x->dims[0]
      && grid->dims[grid->rank - 2] == ens_grid_axes (operands))
    return TRUE;
  found = ens_shape_to_string (grid);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "the grid is %s, expected %" G_GINT64_FORMAT " images of positions of %u",
                       found, x->dims[0], ens_grid_axes (operands));
}

gboolean
ens_grid_check (const EnsOperands *operands, EnsShape *y, GError **error)
{
  const EnsShape *x = &operands->inputs[ENS_GRID_X]->shape;
  const EnsShape *grid = &operands->inputs[ENS_GRID_POSITIONS]->shape;

  if (!ens_check_type (operands, ENS_GRID_X, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, ENS_GRID_POSITIONS, error))
    return FALSE;
  if (x->rank < 4 || x->rank > 2 + ENS_GRID_MAX_AXES)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "input 0 has rank %u, supported are maps of two or three axes", x->rank);
  if (!check_grid (operands, error))
    return FALSE;
  if (ens_shape_elements (x) == 0 && ens_shape_elements (grid) > 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "the map has no elements");
  *y = *x;
  y->dims[1] = grid->dims[grid->rank - 1];
  for (guint i = 2; i + 1 < x->rank; i++)
    y->dims[i] = grid->dims[i - 1];
  return TRUE;
}

static gboolean
grid_shape (EnsOperands *operands, GError **error)
{
  EnsShape y;

  return ens_grid_check (operands, &y, error)
         && ens_set_output (operands, 0, operands->inputs[ENS_GRID_X]->type, &y, error);
}

/* Along one axis */

static double
denormalise (double position, gint64 length, gboolean align_corners)
{
  double n = (double)length;

  return align_corners ? (position + 1) / 2 * (n - 1) : ((position + 1) * n - 1) / 2;
}

/* Mirrored at `low` and `high` until it is between; the slope turns with each time. */
static double
reflect (double position, double low, double high, double *slope)
{
  double range = high - low, beyond;

  if (range <= 0) {
    *slope = 0;
    return low;
  }
  beyond = fmod (fabs (position - low), 2 * range);
  if ((position < low) != (beyond > range))
    *slope = -*slope;
  return beyond <= range ? low + beyond : high - (beyond - range);
}

/* Where what is beyond the map is read, and how fast that moves with the position. */
static double
pad_position (const EnsGridParams *params, double position, gint64 length, double *slope)
{
  double last = (double)length - 1;

  *slope = 1;
  if (params->padding == ENS_GRID_ZEROS)
    return position;
  if (params->padding == ENS_GRID_REFLECTION)
    position = params->align_corners ? reflect (position, 0, last, slope)
                                     : reflect (position, -0.5, last + 0.5, slope);
  if (position < 0 || position > last)
    *slope = 0;
  return fmin (fmax (position, 0), last);
}

/* Neighbours of a position, their weights, and how these change with the grid's value. */
typedef struct {
  guint n;
  gint64 index[4]; /* −1: a zero */
  double weight[4], slope[4];
} Neighbours;

/* Keys' cubic convolution, "Cubic convolution interpolation for digital image processing", 1981. */
#define CUBIC_A (-0.75)

static double
cubic_weight (double distance)
{
  const double a = CUBIC_A;
  double x = fabs (distance);

  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static double
cubic_slope (double distance)
{
  const double a = CUBIC_A;
  double x = fabs (distance), slope = 0;

  if (x <= 1)
    slope = (3 * (a + 2) * x - 2 * (a + 3)) * x;
  else if (x < 2)
    slope = (3 * a * x - 10 * a) * x + 8 * a;
  return distance < 0 ? -slope : slope;
}

/* A position as an index; beyond what can be counted with, and of what is not a number, outside. */
static gint64
to_index (double position, gint64 length)
{
  return position >= 0 && position < (double)length ? (gint64)position : -1;
}

static Neighbours
find_cubic (const EnsGridParams *params, double position, gint64 length, double scale)
{
  Neighbours neighbours = {.n = 4};
  double first = floor (position) - 1, ignored;

  for (guint i = 0; i < neighbours.n; i++) {
    double at = first + i;

    neighbours.weight[i] = cubic_weight (position - at);
    neighbours.slope[i] = scale * cubic_slope (position - at);
    neighbours.index[i] =
        to_index (nearbyint (pad_position (params, at, length, &ignored)), length);
  }
  return neighbours;
}

static Neighbours
find_neighbours (const EnsGridParams *params, double position, gint64 length)
{
  double scale = (double)(params->align_corners ? length - 1 : length) / 2, slope, first;
  Neighbours neighbours = {.n = 2};

  position = denormalise (position, length, params->align_corners);
  if (params->mode == ENS_GRID_CUBIC)
    return find_cubic (params, position, length, scale);
  position = pad_position (params, position, length, &slope);
  if (params->mode == ENS_GRID_NEAREST)
    return (Neighbours) {1, {to_index (nearbyint (position), length)}, {1}, {0}};
  first = floor (position);
  for (guint i = 0; i < neighbours.n; i++) {
    neighbours.weight[i] = 1 - fabs (position - (first + i));
    neighbours.slope[i] = i == 0 ? -scale * slope : scale * slope;
    neighbours.index[i] = to_index (first + i, length);
  }
  return neighbours;
}

/* One position, all channels. */

/* The first axis of Y is the grid's last. */
gsize
ens_grid_offset (const EnsShape *y, gsize pixel, guint axis)
{
  guint n = y->rank - 2;
  gsize first = (gsize)y->dims[1], inner = (gsize)ens_shape_span (y, 2, n + 1);
  gsize image = pixel / inner / first, row = pixel / inner % first, rest = pixel % inner;

  return ((image * inner + rest) * n + (n - 1 - axis)) * first + row;
}

/* Corner i of a box of neighbours: one of them along each axis. FALSE: one is a zero. */
static gboolean
take_corner (const EnsShape *x, const Neighbours *near, guint i, EnsGridCorners *corners)
{
  guint n = x->rank - 2, k = corners->n, chosen[ENS_GRID_MAX_AXES];
  gsize at = corners->at[k];
  double weight = 1;

  for (guint axis = n; axis-- > 0; i /= near[axis].n)
    chosen[axis] = i % near[axis].n;
  for (guint axis = 0; axis < n; axis++) {
    gint64 index = near[axis].index[chosen[axis]];

    if (index < 0)
      return FALSE;
    at = at * (gsize)x->dims[1 + axis] + (gsize)index;
    weight *= near[axis].weight[chosen[axis]];
  }
  corners->at[k] = at;
  corners->weight[k] = weight;
  for (guint axis = 0; axis < n; axis++) {
    corners->slope[k][axis] = near[axis].slope[chosen[axis]];
    for (guint other = 0; other < n; other++)
      if (other != axis)
        corners->slope[k][axis] *= near[other].weight[chosen[other]];
  }
  return TRUE;
}

void
ens_grid_find_corners (const EnsOperands *operands, const EnsShape *y, gsize pixel,
                       EnsGridCorners *corners)
{
  const EnsShape *x = &operands->inputs[ENS_GRID_X]->shape;
  const EnsView *grid = operands->inputs[ENS_GRID_POSITIONS];
  guint n = ens_grid_axes (operands), all = 1;
  gsize image = pixel / (gsize)ens_shape_span (y, 1, n + 1);
  Neighbours near[ENS_GRID_MAX_AXES];

  for (guint axis = 0; axis < n; axis++) {
    near[axis] =
        find_neighbours (operands->params, ens_view_real (grid, ens_grid_offset (y, pixel, axis)),
                         x->dims[1 + axis]);
    all *= near[axis].n;
  }
  corners->n = 0;
  for (guint i = 0; i < all; i++) {
    corners->at[corners->n] = image;
    if (take_corner (x, near, i, corners))
      corners->n++;
  }
}

static void
sample_pixels (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const EnsView *x = operands->inputs[ENS_GRID_X], *y = operands->outputs[0];
  EnsGridCorners corners;

  for (gsize pixel = begin; pixel < end; pixel++) {
    ens_grid_find_corners (operands, &y->shape, pixel, &corners);
    for (gsize c = 0; c < ens_view_columns (y); c++) {
      double sum = 0;

      for (guint k = 0; k < corners.n; k++)
        sum += corners.weight[k] * ens_view_real (x, corners.at[k] * (gsize)x->pitch + c);
      ens_view_set_real (y, pixel * (gsize)y->pitch + c, sum);
    }
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
  const EnsGridParams *params = operands->params;
  const EnsView *x = operands->inputs[ENS_GRID_X], *y = operands->outputs[0];
  EnsGridSamplePush push = {.n = (guint32)ens_view_elements (y),
                            .x_size = {(gint32)x->shape.dims[1], (gint32)x->shape.dims[2]},
                            .rows = (guint32)y->shape.dims[1],
                            .columns = (guint32)y->shape.dims[2],
                            .channels = (guint32)y->shape.dims[3]};
  EnsDispatch dispatch = {.shader = "grid-sample",
                          .bindings = {{x, ENS_ACCESS_READ},
                                       {operands->inputs[ENS_GRID_POSITIONS], ENS_ACCESS_READ},
                                       {y, ENS_ACCESS_WRITE}},
                          .n_bindings = 3,
                          .constants = {params->mode, params->padding, params->align_corners},
                          .n_constants = 3,
                          .push = &push,
                          .push_size = sizeof push};

  if (x->shape.rank != 4
      || !ens_record_storage (operands, ENS_GRID_X, ENS_GRID_POSITIONS + 1, &dispatch.storage))
    return FALSE;
  if (push.n > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

gboolean
ens_grid_per_image (const EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i]->constant != NULL)
      return FALSE;
  return TRUE;
}

static const EnsOpExample grid_examples[] = {
    {"2x5x6x3 2x4x2x7", &(const EnsGridParams) {ENS_GRID_LINEAR, ENS_GRID_BORDER, TRUE}},
    {"2x5x6x3 2x4x2x7", &(const EnsGridParams) {ENS_GRID_CUBIC, ENS_GRID_REFLECTION, FALSE}},
    {NULL}};

const EnsOp ens_op_grid_sample = {.name = "GridSample",
                                  .min_inputs = 2,
                                  .max_inputs = 2,
                                  .min_outputs = 1,
                                  .max_outputs = 1,
                                  .layout = ENS_LAYOUT_SPATIAL,
                                  .params_size = sizeof (EnsGridParams),
                                  .versions = {.since = 16},
                                  .attributes = grid_attributes,
                                  .shape = grid_shape,
                                  .reference = grid_reference,
                                  .cpu = grid_cpu,
                                  .gpu = grid_gpu,
                                  .gradient = ens_grid_gradient,
                                  .per_image = ens_grid_per_image,
                                  .example = grid_examples};
