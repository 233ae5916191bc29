/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of GridSample, of inputs X, the grid and dY. GridSampleGradMap: each element of X gets
 * what the positions that read it have, with the weights that they read it with.
 * GridSampleGradGrid: each coordinate gets how fast what is read changes along its axis. */
#include <string.h>

#include "ops/gradient.h"
#include "ops/grid-sample.h"
#include "ops/record.h"
#include "ops/registry.h"

#include "push/grid-sample-grad.h"

enum { OUTPUT_GRADIENT = ENS_GRID_POSITIONS + 1 };

static const char *const modes[] = {"linear", "nearest", "cubic", NULL};
static const char *const paddings[] = {"zeros", "border", "reflection", NULL};

static const EnsAttribute attributes[] = {
    {"align_corners", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsGridParams, align_corners)},
    {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsGridParams, mode), .names = modes},
    {"padding_mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsGridParams, padding), .names = paddings},
    ENS_ATTRIBUTE_END};

static gboolean
set_shape (EnsOperands *operands, guint like, GError **error)
{
  const EnsShape *dy = &operands->inputs[OUTPUT_GRADIENT]->shape;
  EnsShape y;

  if (!ens_grid_check (operands, &y, error)
      || !ens_check_same_types (operands, OUTPUT_GRADIENT, error))
    return FALSE;
  if (!ens_shape_equal (dy, &y)) {
    g_autofree char *found = ens_shape_to_string (dy), *expected = ens_shape_to_string (&y);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input 2 is %s, expected %s", found,
                         expected);
  }
  return ens_set_output (operands, 0, operands->inputs[like]->type, &operands->inputs[like]->shape,
                         error);
}

static gboolean
map_shape (EnsOperands *operands, GError **error)
{
  return set_shape (operands, ENS_GRID_X, error);
}

static gboolean
grid_shape (EnsOperands *operands, GError **error)
{
  return set_shape (operands, ENS_GRID_POSITIONS, error);
}

/* The references. */

static void
map_reference (const EnsOperands *operands)
{
  const EnsView *dy = operands->inputs[OUTPUT_GRADIENT], *dx = operands->outputs[0];
  gsize n = ens_view_elements (dy) > 0 ? ens_view_rows (dy) : 0, columns = ens_view_columns (dx);
  EnsGridCorners corners;

  for (gsize i = 0; i < ens_view_elements (dx); i++)
    ens_view_set_real (dx, i, 0);
  for (gsize pixel = 0; pixel < n; pixel++) {
    ens_grid_find_corners (operands, &dy->shape, pixel, &corners);
    for (guint k = 0; k < corners.n; k++)
      for (gsize c = 0; c < columns; c++) {
        gsize at = corners.at[k] * columns + c;

        ens_view_set_real (dx, at,
                           ens_view_real (dx, at)
                               + corners.weight[k] * ens_view_real (dy, pixel * columns + c));
      }
  }
}

static void
set_coordinates (const EnsOperands *operands, gsize pixel, const double *slopes)
{
  const EnsShape *y = &operands->inputs[OUTPUT_GRADIENT]->shape;

  for (guint axis = 0; axis < ens_grid_axes (operands); axis++)
    ens_view_set_real (operands->outputs[0], ens_grid_offset (y, pixel, axis), slopes[axis]);
}

/* dy · x of a corner. */
typedef double (*DotFunc) (const EnsView *dy, gsize dy_at, const EnsView *x, gsize x_at, gsize n);

static void
differentiate_pixels (const EnsOperands *operands, gsize begin, gsize end, DotFunc dot)
{
  const EnsView *x = operands->inputs[ENS_GRID_X], *dy = operands->inputs[OUTPUT_GRADIENT];
  gsize columns = ens_view_columns (x);
  EnsGridCorners corners;

  for (gsize pixel = begin; pixel < end; pixel++) {
    double slopes[ENS_GRID_MAX_AXES] = {0};

    ens_grid_find_corners (operands, &dy->shape, pixel, &corners);
    for (guint k = 0; k < corners.n; k++) {
      double value = dot (dy, pixel * columns, x, corners.at[k] * columns, columns);

      for (guint axis = 0; axis < ens_grid_axes (operands); axis++)
        slopes[axis] += corners.slope[k][axis] * value;
    }
    set_coordinates (operands, pixel, slopes);
  }
}

static double
dot_reals (const EnsView *dy, gsize dy_at, const EnsView *x, gsize x_at, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += ens_view_real (dy, dy_at + i) * ens_view_real (x, x_at + i);
  return sum;
}

static gsize
count_pixels (const EnsOperands *operands)
{
  return ens_view_elements (operands->inputs[ENS_GRID_POSITIONS]) / ens_grid_axes (operands);
}

static void
grid_reference (const EnsOperands *operands)
{
  differentiate_pixels (operands, 0, count_pixels (operands), dot_reals);
}

/* The fast kernels. */

ENS_CLONES static double
dot_floats (const EnsView *dy, gsize dy_at, const EnsView *x, gsize x_at, gsize n)
{
  const float *a = (const float *)dy->data + dy_at, *b = (const float *)x->data + x_at;
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += (double)a[i] * (double)b[i];
  return sum;
}

static void
grid_range (gconstpointer data, gsize begin, gsize end)
{
  differentiate_pixels (data, begin, end, dot_floats);
}

static void
grid_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  ens_parallel (context->pool, count_pixels (operands),
                32 + 8 * ens_view_columns (operands->inputs[ENS_GRID_X]), grid_range, operands);
}

#define PART 16 /* channels that a thread adds up alone */

ENS_CLONES static void
add_scaled (float *to, float weight, const float *from, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] += weight * from[i];
}

/* Some channels of an image. */
static void
add_part (const EnsOperands *operands, gsize image, gsize first, gsize n)
{
  const EnsView *dy = operands->inputs[OUTPUT_GRADIENT], *dx = operands->outputs[0];
  gsize columns = ens_view_columns (dx), images = (gsize)dx->shape.dims[0];
  gsize rows = ens_view_rows (dx) / images, pixels = ens_view_rows (dy) / images;
  float *to = (float *)dx->data + first;
  EnsGridCorners corners;

  for (gsize row = image * rows; row < (image + 1) * rows; row++)
    memset (to + row * columns, 0, n * sizeof *to);
  for (gsize pixel = image * pixels; pixel < (image + 1) * pixels; pixel++) {
    const float *from = (const float *)dy->data + pixel * columns + first;

    ens_grid_find_corners (operands, &dy->shape, pixel, &corners);
    for (guint k = 0; k < corners.n; k++)
      add_scaled (to + corners.at[k] * columns, (float)corners.weight[k], from, n);
  }
}

static void
map_range (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  gsize columns = ens_view_columns (operands->outputs[0]), parts = (columns + PART - 1) / PART;

  for (gsize i = begin; i < end; i++) {
    gsize first = i % parts * PART;

    add_part (operands, i / parts, first, MIN (columns - first, PART));
  }
}

static void
map_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *dx = operands->outputs[0];
  gsize images = (gsize)dx->shape.dims[0];

  if (ens_view_elements (dx) > 0)
    ens_parallel (context->pool, images * ((ens_view_columns (dx) + PART - 1) / PART),
                  64 * ens_view_rows (operands->inputs[OUTPUT_GRADIENT]) / images, map_range,
                  operands);
}

/* On a GPU an invocation computes up to four channels of an element of X, for which it goes through
 * all positions of the image; or a position's coordinates, for which it goes through all channels.
 */

static gboolean
record (const EnsOperands *operands, EnsCommands *commands, gboolean of_grid)
{
  enum { GROUP = 128, LANES = 4 };
  const EnsGridParams *params = operands->params;
  const EnsView *x = operands->inputs[ENS_GRID_X], *dy = operands->inputs[OUTPUT_GRADIENT];
  gsize pixels = count_pixels (operands), loops;
  EnsGridSampleGradPush push = {.x_size = {(gint32)x->shape.dims[1], (gint32)x->shape.dims[2]},
                                .rows = (guint32)dy->shape.dims[1],
                                .columns = (guint32)dy->shape.dims[2],
                                .channels = (guint32)dy->shape.dims[3]};
  EnsDispatch dispatch = {
      .shader = "grid-sample-grad",
      .bindings = {{x, ENS_ACCESS_READ},
                   {operands->inputs[ENS_GRID_POSITIONS], ENS_ACCESS_READ},
                   {dy, ENS_ACCESS_READ},
                   {operands->outputs[0], ENS_ACCESS_WRITE}},
      .n_bindings = 4,
      .constants = {params->mode, params->padding, params->align_corners, of_grid},
      .n_constants = 4,
      .push = &push,
      .push_size = sizeof push};

  if (x->shape.rank != 4
      || !ens_record_storage (operands, ENS_GRID_X, OUTPUT_GRADIENT + 1, &dispatch.storage))
    return FALSE;
  if (ens_view_elements (operands->outputs[0]) == 0)
    return TRUE;
  loops = of_grid ? 16 * (ens_view_columns (x) / LANES + 1) : pixels / (gsize)x->shape.dims[0];
  if (ens_view_elements (dy) == 0 || loops > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  push.n = (guint32)(of_grid ? pixels
                             : ens_view_rows (x) * ((ens_view_columns (x) + LANES - 1) / LANES));
  ens_commands_cover (commands, &dispatch, push.n, GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static gboolean
map_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record (operands, commands, FALSE);
}

static gboolean
grid_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record (operands, commands, TRUE);
}

gboolean
ens_grid_gradient (EnsGradient *gradient, GError **error)
{
  const EnsOp *const ops[] = {&ens_op_grid_sample_grad_map, &ens_op_grid_sample_grad_grid};
  const EnsNode *node = gradient->node;

  for (guint i = ENS_GRID_X; i <= ENS_GRID_POSITIONS; i++)
    if (gradient->wanted[i])
      gradient->inputs[i] =
          ens_gradient_apply (gradient, ops[i], node->params, node->inputs[ENS_GRID_X],
                              node->inputs[ENS_GRID_POSITIONS], gradient->outputs[0], NULL);
  return TRUE;
}

static const EnsOpExample examples[] = {
    {"2x5x6x3 2x4x2x7 2x7x4x3", &(const EnsGridParams) {ENS_GRID_LINEAR, ENS_GRID_BORDER, TRUE}},
    {"2x5x6x3 2x4x2x7 2x7x4x3",
     &(const EnsGridParams) {ENS_GRID_CUBIC, ENS_GRID_REFLECTION, FALSE}},
    {NULL}};

#define GRAD_OP(id, title)                     \
  const EnsOp ens_op_grid_sample_grad_##id = { \
      .name = title,                           \
      .min_inputs = 3,                         \
      .max_inputs = 3,                         \
      .min_outputs = 1,                        \
      .max_outputs = 1,                        \
      .layout = ENS_LAYOUT_SPATIAL,            \
      .flags = ENS_OP_INTERNAL,                \
      .params_size = sizeof (EnsGridParams),   \
      .attributes = attributes,                \
      .shape = id##_shape,                     \
      .reference = id##_reference,             \
      .cpu = id##_cpu,                         \
      .gpu = id##_gpu,                         \
      .per_image = ens_grid_per_image,         \
      .example = examples,                     \
  }

GRAD_OP (map, "GridSampleGradMap");
GRAD_OP (grid, "GridSampleGradGrid");
