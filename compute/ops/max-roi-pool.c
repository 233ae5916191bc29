/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaxRoiPool: each region of a map as a map of one size, whose elements are maxima over parts of
 * the region (Girshick, "Fast R-CNN", 2015, section 2.1). Inputs X (N, height, width, C), regions
 * (R, 5), each the number of its image, and x and y of two corners that belong to it. Output (R,
 * rows, columns, C); parts beyond the map are zeroes. */
#include "ops/max-roi-pool.h"

#include <math.h>

#include "ops/gradient.h"
#include "ops/record.h"
#include "ops/registry.h"

enum { X = ENS_MAX_ROI_POOL_X, REGIONS = ENS_MAX_ROI_POOL_REGIONS };

static const EnsAttribute max_roi_pool_attributes[] = {ENS_MAX_ROI_POOL_ATTRIBUTES,
                                                       ENS_ATTRIBUTE_END};

gboolean
ens_max_roi_pool_resolve (const EnsOperands *operands, EnsShape *output, GError **error)
{
  const EnsMaxRoiPoolParams *params = operands->params;
  const EnsShape *x = &operands->inputs[X]->shape, *regions = &operands->inputs[REGIONS]->shape;

  if (!ens_check_type (operands, X, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, REGIONS, error)
      || !ens_check_rank (operands, X, 4, 4, error)
      || !ens_check_rank (operands, REGIONS, 2, 2, error))
    return FALSE;
  if (params->rank != 2)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "“pooled_shape” has %u numbers, expected rows and columns", params->rank);
  if (regions->dims[1] != 5)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "regions have %" G_GINT64_FORMAT
                         " numbers, expected 5: an image's, and x and y of two corners",
                         regions->dims[1]);
  if (MAX (x->dims[1], x->dims[2]) > ENS_MAX_ROI_POOL_REACH)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "the map is %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
                         ", expected sides of at most %d",
                         x->dims[1], x->dims[2], ENS_MAX_ROI_POOL_REACH);
  *output = ENS_SHAPE (regions->dims[0], params->size[0], params->size[1], x->dims[3]);
  return TRUE;
}

static gboolean
max_roi_pool_shape (EnsOperands *operands, GError **error)
{
  EnsShape output;

  return ens_max_roi_pool_resolve (operands, &output, error)
         && ens_set_output (operands, 0, operands->inputs[X]->type, &output, error);
}

/* Parts overlap by a row and a column at most. */
double
ens_max_roi_pool_visits (const EnsOperands *operands)
{
  const EnsMaxRoiPoolParams *params = operands->params;
  const EnsShape *x = &operands->inputs[X]->shape;

  return (double)operands->inputs[REGIONS]->shape.dims[0] * (double)x->dims[3]
         * (double)(x->dims[1] + 2 * params->size[0]) * (double)(x->dims[2] + 2 * params->size[1]);
}

/* Nothing that is no number, and nothing that does not fit. */
static gint64
read_coordinate (const EnsOperands *operands, gsize at)
{
  const EnsMaxRoiPoolParams *params = operands->params;
  float value = (float)ens_view_real (operands->inputs[REGIONS], at) * params->scale;

  if (!(value > -ENS_MAX_ROI_POOL_REACH))
    return -ENS_MAX_ROI_POOL_REACH;
  return value < ENS_MAX_ROI_POOL_REACH ? (gint64)roundf (value) : ENS_MAX_ROI_POOL_REACH;
}

static gint64
read_image (const EnsOperands *operands, gsize region)
{
  double image = ens_view_real (operands->inputs[REGIONS], 5 * region);

  return image >= 0 && image < (double)operands->inputs[X]->shape.dims[0] ? (gint64)image : -1;
}

EnsMaxRoiPoolBin
ens_max_roi_pool_find (const EnsOperands *operands, gsize number)
{
  const EnsMaxRoiPoolParams *params = operands->params;
  gsize columns = (gsize)params->size[1], n = (gsize)params->size[0] * columns;
  gsize region = number / n, place[] = {number % n / columns, number % columns};
  EnsMaxRoiPoolBin bin = {.image = read_image (operands, region)};

  for (guint i = 0; i < 2 && bin.image >= 0; i++) {
    gint64 start = read_coordinate (operands, 5 * region + 2 - i);
    gint64 last = read_coordinate (operands, 5 * region + 4 - i);
    gint64 length = MAX (last - start + 1, 1), of = params->size[i], at = (gint64)place[i];
    gint64 side = operands->inputs[X]->shape.dims[1 + i];

    bin.begin[i] = CLAMP (start + at * length / of, 0, side);
    bin.end[i] = CLAMP (start + ((at + 1) * length + of - 1) / of, 0, side);
  }
  return bin;
}

gssize
ens_max_roi_pool_maximum (const EnsView *x, const EnsMaxRoiPoolBin *bin, gsize channel)
{
  double maximum = 0;
  gssize found = -1;

  for (gint64 row = bin->begin[0]; row < bin->end[0]; row++)
    for (gint64 column = bin->begin[1]; column < bin->end[1]; column++) {
      gint64 pixel = (bin->image * x->shape.dims[1] + row) * x->shape.dims[2] + column;
      gsize at = (gsize)(pixel * x->pitch) + channel;
      double value = ens_view_real (x, at);

      if (found < 0 || value > maximum) {
        maximum = value;
        found = (gssize)at;
      }
    }
  return found;
}

static void
pool_bins (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];

  for (gsize i = begin; i < end; i++) {
    EnsMaxRoiPoolBin bin = ens_max_roi_pool_find (operands, i);

    for (gsize c = 0; c < ens_view_columns (y); c++) {
      gssize at = ens_max_roi_pool_maximum (x, &bin, c);

      ens_view_set_real (y, i * (gsize)y->pitch + c, at >= 0 ? ens_view_real (x, (gsize)at) : 0);
    }
  }
}

static void
max_roi_pool_reference (const EnsOperands *operands)
{
  if (ens_view_elements (operands->outputs[0]) > 0)
    pool_bins (operands, 0, ens_view_rows (operands->outputs[0]));
}

/* The reference on all threads. */
static void
max_roi_pool_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *y = operands->outputs[0];
  gsize bins = ens_view_rows (y);

  if (ens_view_elements (y) > 0)
    ens_parallel (context->pool, bins, 4 * ens_max_roi_pool_visits (operands) / (double)bins,
                  pool_bins, operands);
}

/* On a GPU. */

EnsMaxRoiPoolPush
ens_max_roi_pool_push (const EnsOperands *operands)
{
  const EnsMaxRoiPoolParams *params = operands->params;
  const EnsView *x = operands->inputs[X];
  EnsMaxRoiPoolPush push = {.n = (guint32)ens_view_elements (operands->outputs[0]),
                            .channels = (guint32)x->shape.dims[3],
                            .x_pitch = (guint32)x->pitch,
                            .images = (gint32)x->shape.dims[0],
                            .regions = (gint32)operands->inputs[REGIONS]->shape.dims[0],
                            .scale = params->scale};

  for (guint i = 0; i < 2; i++) {
    push.x_size[i] = (gint32)x->shape.dims[1 + i];
    push.y_size[i] = (gint32)params->size[i];
  }
  return push;
}

static gboolean
max_roi_pool_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  enum { GROUP = 128 };
  EnsMaxRoiPoolPush push = ens_max_roi_pool_push (operands);
  EnsDispatch dispatch = {.shader = "max-roi-pool",
                          .bindings = {{operands->inputs[X], ENS_ACCESS_READ},
                                       {operands->inputs[REGIONS], ENS_ACCESS_READ},
                                       {operands->outputs[0], ENS_ACCESS_WRITE}},
                          .n_bindings = 3,
                          .push = &push,
                          .push_size = sizeof push};

  /* A part may be the whole map. */
  if (!ens_record_storage (operands, X, REGIONS + 1, &dispatch.storage)
      || ens_shape_span (&operands->inputs[X]->shape, 1, 3) > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (push.n > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

/* Rows and columns of regions have none: they are rounded. */
static gboolean
max_roi_pool_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;

  if (gradient->wanted[X])
    gradient->inputs[X] =
        ens_gradient_apply (gradient, &ens_op_max_roi_pool_grad, node->params, node->inputs[X],
                            node->inputs[REGIONS], gradient->outputs[0], NULL);
  return TRUE;
}

static const EnsOpExample max_roi_pool_examples[] = {
    {"1x7x6x3 =3x5", &(const EnsMaxRoiPoolParams) {.rank = 2, .size = {2, 3}, .scale = 5},
     .positive = TRUE},
    {NULL}};

const EnsOp ens_op_max_roi_pool = {.name = "MaxRoiPool",
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .min_outputs = 1,
                                   .max_outputs = 1,
                                   .layout = ENS_LAYOUT_SPATIAL,
                                   .params_size = sizeof (EnsMaxRoiPoolParams),
                                   .attributes = max_roi_pool_attributes,
                                   .shape = max_roi_pool_shape,
                                   .visits = ens_max_roi_pool_visits,
                                   .reference = max_roi_pool_reference,
                                   .cpu = max_roi_pool_cpu,
                                   .gpu = max_roi_pool_gpu,
                                   .gradient = max_roi_pool_gradient,
                                   .example = max_roi_pool_examples};
