/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BatchNormalizationGrad, of inputs dY, X, scale, mean and variance: outputs dX and the gradients
 * of scale and bias. With n pixels and x̂ = (x − mean) / √(variance + ε),
 *
 *   dscale = Σ dy x̂,  dbias = Σ dy,
 *   dx = scale / √(variance + ε) · dy                                     with fixed statistics,
 *   dx = scale / √(variance + ε) · (dy − dbias / n − x̂ dscale / n)        with the batch's own. */
#include "ops/gradient.h"
#include "ops/pixel-tiles.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>
#include <string.h>

#include "push/batch-normalization-grad.h"

enum { DY, X, SCALE, MEAN, VARIANCE };
enum { DX, DSCALE, DBIAS, N_OUTPUTS };

static const EnsAttribute attributes[] = {
    {"epsilon", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsBatchGradParams, epsilon), .real = 1e-5F},
    {"training_mode", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsBatchGradParams, batch_statistics)},
    ENS_ATTRIBUTE_END};

static gboolean
shape (EnsOperands *operands, GError **error)
{
  const EnsShape *shape = &operands->inputs[DY]->shape, *x = &operands->inputs[X]->shape;
  g_autofree char *expected = ens_shape_to_string (shape), *found = ens_shape_to_string (x);

  if (!ens_check_type (operands, DY, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, X, error)
      || !ens_check_rank (operands, DY, 2, ENS_MAX_RANK, error))
    return FALSE;
  if (!ens_shape_equal (shape, x))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input 1 is %s, expected %s", found,
                         expected);
  for (guint i = SCALE; i <= VARIANCE; i++)
    if (!ens_check_vector (operands, i, shape->dims[shape->rank - 1], error))
      return FALSE;
  for (guint i = DSCALE; i < operands->n_outputs; i++)
    if (!ens_set_output (operands, i, operands->inputs[DY]->type,
                         &ENS_SHAPE (shape->dims[shape->rank - 1]), error))
      return FALSE;
  return ens_set_output_like_input (operands, error);
}

/* dx = dy · by_dy + x · by_x + offset */
typedef struct {
  double by_dy, by_x, offset;
} Line;

static double
get (const EnsOperands *operands, guint input, gsize channel)
{
  return ens_view_real (operands->inputs[input], channel);
}

static double
inverse_deviation (const EnsOperands *operands, gsize channel)
{
  const EnsBatchGradParams *params = operands->params;

  return 1 / sqrt (get (operands, VARIANCE, channel) + (double)params->epsilon);
}

/* Sets the gradients of scale and bias, of the sums of dy and of dy · (x − mean). */
static Line
finish_channel (const EnsOperands *operands, gsize channel, double sum, double product)
{
  const EnsBatchGradParams *params = operands->params;
  double n = (double)ens_view_rows (operands->inputs[X]);
  double inverse = inverse_deviation (operands, channel);
  double scale = get (operands, SCALE, channel) * inverse;
  Line line = {.by_dy = scale};

  ens_view_set_real (operands->outputs[DSCALE], channel, product * inverse);
  ens_view_set_real (operands->outputs[DBIAS], channel, sum);
  if (params->batch_statistics) {
    line.by_x = -scale * product * inverse * inverse / n;
    line.offset = -scale * sum / n - line.by_x * get (operands, MEAN, channel);
  }
  return line;
}

static void
reference_channel (const EnsOperands *operands, gsize channel)
{
  const EnsView *dy = operands->inputs[DY], *x = operands->inputs[X], *dx = operands->outputs[DX];
  gsize rows = ens_view_rows (x);
  double sum = 0, product = 0, mean = get (operands, MEAN, channel);
  Line line;

  for (gsize i = 0; i < rows; i++) {
    double slope = ens_view_real (dy, i * (gsize)dy->pitch + channel);

    sum += slope;
    product += slope * (ens_view_real (x, i * (gsize)x->pitch + channel) - mean);
  }
  line = finish_channel (operands, channel, sum, product);
  for (gsize i = 0; i < rows; i++)
    ens_view_set_real (dx, i * (gsize)dx->pitch + channel,
                       line.by_dy * ens_view_real (dy, i * (gsize)dy->pitch + channel)
                           + line.by_x * ens_view_real (x, i * (gsize)x->pitch + channel)
                           + line.offset);
}

static void
reference (const EnsOperands *operands)
{
  for (gsize c = 0; c < ens_view_columns (operands->inputs[X]); c++)
    reference_channel (operands, c);
}

typedef struct {
  const EnsOperands *operands;
  EnsPixelTiles tiles;
  float *sums, *products;       /* n_tiles × channels: of each tile */
  float *by_dy, *by_x, *offset; /* by channel */
} Work;

static Work
begin_work (const EnsOperands *operands, float *scratch)
{
  Work work = {.operands = operands, .tiles = ens_pixel_tiles (operands->inputs[X])};
  gsize channels = work.tiles.channels;

  work.sums = scratch;
  work.products = work.sums + work.tiles.n_tiles * channels;
  work.by_dy = work.products + work.tiles.n_tiles * channels;
  work.by_x = work.by_dy + channels;
  work.offset = work.by_x + channels;
  return work;
}

ENS_CLONES static void
add_pixel (const float *dy, const float *x, const float *mean, float *sums, float *products,
           gsize channels)
{
  for (gsize c = 0; c < channels; c++) {
    sums[c] += dy[c];
    products[c] += dy[c] * (x[c] - mean[c]);
  }
}

static void
sum_tiles (gconstpointer data, gsize begin, gsize end)
{
  const Work *work = data;
  const EnsView *dy = work->operands->inputs[DY], *x = work->operands->inputs[X];
  gsize channels = work->tiles.channels;

  for (gsize tile = begin; tile < end; tile++) {
    float *sums = work->sums + tile * channels, *products = work->products + tile * channels;
    const float *from_dy = ens_pixel_tile_start (dy, &work->tiles, tile);
    const float *from_x = ens_pixel_tile_start (x, &work->tiles, tile);

    memset (sums, 0, channels * sizeof *sums);
    memset (products, 0, channels * sizeof *products);
    for (gsize i = 0; i < ens_pixel_tile_size (&work->tiles, tile); i++)
      add_pixel (from_dy + i * (gsize)dy->pitch, from_x + i * (gsize)x->pitch,
                 work->operands->inputs[MEAN]->data, sums, products, channels);
  }
}

static void
join_tiles (const Work *work, gsize channel)
{
  double sum = 0, product = 0;
  Line line;

  for (gsize tile = 0; tile < work->tiles.n_tiles; tile++) {
    sum += (double)work->sums[tile * work->tiles.channels + channel];
    product += (double)work->products[tile * work->tiles.channels + channel];
  }
  line = finish_channel (work->operands, channel, sum, product);
  work->by_dy[channel] = (float)line.by_dy;
  work->by_x[channel] = (float)line.by_x;
  work->offset[channel] = (float)line.offset;
}

ENS_CLONES static void
combine_row (const float *dy, const float *x, const Work *work, float *dx, gsize n)
{
  const float *by_dy = work->by_dy, *by_x = work->by_x, *offset = work->offset;

  for (gsize i = 0; i < n; i++)
    dx[i] = dy[i] * by_dy[i] + (x[i] * by_x[i] + offset[i]);
}

static void
combine_rows (gconstpointer data, gsize begin, gsize end)
{
  const Work *work = data;
  const EnsView *dy = work->operands->inputs[DY], *x = work->operands->inputs[X];
  const EnsView *dx = work->operands->outputs[DX];

  for (gsize i = begin; i < end; i++)
    combine_row ((const float *)dy->data + i * (gsize)dy->pitch,
                 (const float *)x->data + i * (gsize)x->pitch, work,
                 (float *)dx->data + i * (gsize)dx->pitch, work->tiles.channels);
}

static void
cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsPixelTiles tiles = ens_pixel_tiles (operands->inputs[X]);

  plan->kernel = "tiles";
  plan->scratch_size = (2 * tiles.n_tiles + 3) * tiles.channels * sizeof (float);
}

static void
cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  Work work = begin_work (operands, context->scratch);

  ens_parallel (context->pool, work.tiles.n_tiles, 2 * ENS_PIXEL_TILE, sum_tiles, &work);
  for (gsize c = 0; c < work.tiles.channels; c++)
    join_tiles (&work, c);
  ens_parallel (context->pool, work.tiles.pixels, work.tiles.channels, combine_rows, &work);
}

/* Sums by channel first, then a line for each element. */

/* Invocations of a workgroup of elementwise shaders, and elements of each. */
#define GROUP 128
#define LANES 4

static EnsDispatch
begin_dispatch (const EnsOperands *operands, EnsBatchNormalizationGradPush *push)
{
  const EnsBatchGradParams *params = operands->params;
  const EnsView *dy = operands->inputs[DY], *dx = operands->outputs[DX];
  EnsDispatch dispatch = {.shader = "batch-normalization-grad",
                          .storage = dy->type,
                          .n_bindings = VARIANCE + 1 + N_OUTPUTS,
                          .constants = {1, 0},
                          .n_constants = 2,
                          .push = push,
                          .push_size = sizeof *push};

  *push = (EnsBatchNormalizationGradPush) {.rows = (guint32)ens_view_rows (dy),
                                           .columns = (guint32)ens_view_columns (dy),
                                           .dy_pitch = (guint32)dy->pitch,
                                           .x_pitch = (guint32)operands->inputs[X]->pitch,
                                           .dx_pitch = (guint32)dx->pitch,
                                           .epsilon = params->epsilon,
                                           .batch_statistics = params->batch_statistics};
  for (guint i = DY; i <= VARIANCE; i++)
    dispatch.bindings[i] = (EnsBinding) {operands->inputs[i], ENS_ACCESS_READ};
  return dispatch;
}

static gboolean
gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *const *outputs = (const EnsView *const *)operands->outputs;
  EnsBatchNormalizationGradPush push;
  EnsDispatch dispatch = begin_dispatch (operands, &push);
  EnsType storage;

  dispatch.constants[0] = ens_tile_across (&(EnsTileLines) {
      .columns = MAX (push.rows, ENS_TILE), .passes = 1, .neighbours = push.columns > 1});
  if (!ens_record_storage (operands, DY, VARIANCE + 1, &storage)
      || ens_view_elements (outputs[DX]) == 0 || dispatch.constants[0] == 0)
    return FALSE;
  dispatch.bindings[5] = (EnsBinding) {outputs[DSCALE], ENS_ACCESS_WRITE};
  dispatch.bindings[6] = (EnsBinding) {outputs[DBIAS], ENS_ACCESS_WRITE};
  dispatch.n_bindings = 7;
  ens_tile_cover (commands, &dispatch, push.columns);
  ens_commands_dispatch (commands, &dispatch);

  dispatch.shader = "batch-normalization-grad-finish";
  dispatch.n_constants = 0;
  dispatch.bindings[5].access = dispatch.bindings[6].access = ENS_ACCESS_READ;
  dispatch.bindings[7] = (EnsBinding) {outputs[DX], ENS_ACCESS_WRITE};
  dispatch.n_bindings = 8;
  ens_commands_cover (commands, &dispatch, (gsize)push.rows * ((push.columns + LANES - 1) / LANES),
                      GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static const EnsOpExample examples[] = {{"2x5x4x7 2x5x4x7 =7 =7 =7",
                                         &(const EnsBatchGradParams) {1e-3f, TRUE}, .n_outputs = 3,
                                         .positive = TRUE},
                                        {NULL}};

const EnsOp ens_op_batch_normalization_grad = {.name = "BatchNormalizationGrad",
                                               .min_inputs = 5,
                                               .max_inputs = 5,
                                               .min_outputs = N_OUTPUTS,
                                               .max_outputs = N_OUTPUTS,
                                               .layout = ENS_LAYOUT_SPATIAL,
                                               .flags = ENS_OP_PITCHED | ENS_OP_IN_PLACE
                                                        | ENS_OP_INTERNAL,
                                               .params_size = sizeof (EnsBatchGradParams),
                                               .attributes = attributes,
                                               .shape = shape,
                                               .reference = reference,
                                               .cpu = cpu,
                                               .cpu_plan = cpu_plan,
                                               .gpu = gpu,
                                               .example = examples};
