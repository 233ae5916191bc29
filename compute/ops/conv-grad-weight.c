/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ConvGradWeight: the gradients of a convolution's weights and bias. (That of its input is a
 * ConvTranspose.) */
#include "kernels/conv-gradient.h"
#include "ops/conv-direct.h"
#include "ops/example.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "ops/sliding.h"

#include <string.h>

#include "push/conv-grad-weight-sum.h"
#include "push/conv-grad-weight.h"
#include "push/reduce.h"

enum { INPUT, OUTPUT_GRADIENT };
enum { WEIGHTS, BIAS };

static const EnsAttribute conv_grad_weight_attributes[] = {
    ENS_SLIDING_ATTRIBUTES (EnsConvGradWeightParams, ENS_ATTRIBUTE_REQUIRED),
    {"group", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsConvGradWeightParams, group), .integer = 1},
    ENS_ATTRIBUTE_END};

static gboolean
resolve (const EnsOperands *operands, EnsGeometry *geometry, GError **error)
{
  const EnsConvGradWeightParams *params = operands->params;

  return ens_sliding_resolve (operands, &params->sliding, params->sliding.kernel, FALSE, geometry,
                              error);
}

static gint64
count_filters (const EnsOperands *operands)
{
  const EnsShape *shape = &operands->inputs[OUTPUT_GRADIENT]->shape;

  return shape->dims[shape->rank - 1];
}

/* dY has the shape of the convolution's output. */
static gboolean
check_output (const EnsOperands *operands, const EnsGeometry *geometry, GError **error)
{
  const EnsShape *found = &operands->inputs[OUTPUT_GRADIENT]->shape;
  EnsShape expected = operands->inputs[INPUT]->shape;
  guint spatial = expected.rank - 2;

  for (guint i = 0; i < spatial; i++)
    expected.dims[1 + i] = geometry->output[ENS_MAX_SPATIAL - spatial + i];
  expected.dims[1 + spatial] = found->rank > 0 ? found->dims[found->rank - 1] : 1;
  if (!ens_shape_equal (found, &expected)) {
    g_autofree char *found_text = ens_shape_to_string (found);
    g_autofree char *expected_text = ens_shape_to_string (&expected);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "the output's gradient is %s, expected %s, as the convolution's output",
                         found_text, expected_text);
  }
  return TRUE;
}

static gboolean
check_groups (const EnsOperands *operands, const EnsGeometry *geometry, GError **error)
{
  const EnsConvGradWeightParams *params = operands->params;

  if (params->group < 1 || geometry->channels % params->group != 0
      || count_filters (operands) % params->group != 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%" G_GINT64_FORMAT " channels and %" G_GINT64_FORMAT
                         " filters are not %" G_GINT64_FORMAT " equal groups",
                         geometry->channels, count_filters (operands), params->group);
  return ens_check_length (operands, "the number of filters", count_filters (operands), 1, error);
}

static gboolean
conv_grad_weight_shape (EnsOperands *operands, GError **error)
{
  const EnsConvGradWeightParams *params = operands->params;
  EnsType type = operands->inputs[INPUT]->type;
  EnsShape weights = operands->inputs[INPUT]->shape;
  EnsGeometry geometry;

  if (!ens_check_type (operands, INPUT, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, OUTPUT_GRADIENT, error)
      || !ens_check_rank (operands, INPUT, 3, 2 + ENS_MAX_SPATIAL, error)
      || !resolve (operands, &geometry, error) || !check_output (operands, &geometry, error)
      || !check_groups (operands, &geometry, error))
    return FALSE;
  weights.dims[0] = count_filters (operands);
  for (guint i = 0; i + 2 < weights.rank; i++)
    weights.dims[1 + i] = params->sliding.kernel[i];
  weights.dims[weights.rank - 1] = geometry.channels / params->group;
  return ens_set_output (operands, WEIGHTS, type, &weights, error)
         && (operands->n_outputs <= BIAS
             || ens_set_output (operands, BIAS, type, &ENS_SHAPE (count_filters (operands)),
                                error));
}

static double
conv_grad_weight_flops (const EnsOperands *operands)
{
  const EnsShape *weights = &operands->outputs[WEIGHTS]->shape;

  return 2. * (double)ens_shape_elements (&operands->inputs[OUTPUT_GRADIENT]->shape)
         * (double)ens_shape_span (weights, 1, weights->rank);
}

/* The reference: one weight after another, over all output positions. */

typedef struct {
  const EnsOperands *operands;
  EnsGeometry geometry;
} Reference;

static gboolean
find_input (const EnsPositions *to, const gint64 *tap, gint64 *at)
{
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++) {
    at[i] = ens_geometry_find_input (to->geometry, i, to->position[i], tap[i]);
    if (at[i] < 0)
      return FALSE;
  }
  return TRUE;
}

static double
sum_products (const Reference *reference, gsize filter, const gint64 *tap, gsize channel)
{
  const EnsGeometry *geometry = &reference->geometry;
  const EnsView *x = reference->operands->inputs[INPUT];
  const EnsView *dy = reference->operands->inputs[OUTPUT_GRADIENT];
  EnsPositions to = {.geometry = geometry};
  gint64 at[ENS_MAX_SPATIAL];
  double sum = 0;

  while (ens_positions_next (&to))
    if (find_input (&to, tap, at))
      sum += ens_view_real (x, ens_geometry_offset (x, geometry->input, to.batch, at) + channel)
             * ens_view_real (dy, ens_geometry_offset (dy, geometry->output, to.batch, to.position)
                                      + filter);
  return sum;
}

static void
set_weights (const Reference *reference)
{
  const EnsConvGradWeightParams *params = reference->operands->params;
  const EnsView *weights = reference->operands->outputs[WEIGHTS];
  const gint64 *kernel = reference->geometry.kernel;
  gsize columns = ens_view_columns (weights), rows = ens_view_rows (weights);
  gsize taps = (gsize)(kernel[0] * kernel[1] * kernel[2]);
  gsize filters = rows / taps / (gsize)params->group; /* of a group */

  for (gsize row = 0; row < rows; row++) {
    gsize filter = row / taps;
    gint64 at = (gint64)(row % taps);
    gint64 tap[] = {at / kernel[2] / kernel[1], at / kernel[2] % kernel[1], at % kernel[2]};

    for (gsize c = 0; c < columns; c++)
      ens_view_set_real (weights, row * (gsize)weights->pitch + c,
                         sum_products (reference, filter, tap, filter / filters * columns + c));
  }
}

static void
set_bias (const EnsOperands *operands)
{
  const EnsView *dy = operands->inputs[OUTPUT_GRADIENT], *bias = operands->outputs[BIAS];

  for (gsize filter = 0; filter < ens_view_columns (dy); filter++) {
    double sum = 0;

    for (gsize row = 0; row < ens_view_rows (dy); row++)
      sum += ens_view_real (dy, row * (gsize)dy->pitch + filter);
    ens_view_set_real (bias, filter, sum);
  }
}

static void
conv_grad_weight_reference (const EnsOperands *operands)
{
  Reference reference = {.operands = operands};

  resolve (operands, &reference.geometry, NULL);
  set_weights (&reference);
  if (operands->n_outputs > BIAS)
    set_bias (operands);
}

static EnsConvShape
kernel_shape (const EnsOperands *operands, const EnsGeometry *geometry)
{
  const EnsConvGradWeightParams *params = operands->params;

  return ens_geometry_conv_shape (geometry, count_filters (operands), params->group);
}

static void
conv_grad_weight_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsConvGradientPlan *state;
  EnsConvShape shape;
  EnsGeometry geometry;

  plan->kernel = "reference";
  resolve (operands, &geometry, NULL);
  if (!ens_geometry_is_flat (&geometry) || geometry.batch == 0
      || !ens_view_is_dense (operands->outputs[WEIGHTS]))
    return;
  shape = kernel_shape (operands, &geometry);
  state = g_new0 (EnsConvGradientPlan, 1);
  ens_conv_gradient_plan (state, &shape, ens_kernels_get (), plan->n_threads);
  plan->state = state;
  plan->free_state = g_free;
  plan->kernel = state->algorithm;
  plan->scratch_size = state->scratch_size * sizeof (float);
}

static void
conv_grad_weight_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *x = operands->inputs[INPUT], *dy = operands->inputs[OUTPUT_GRADIENT];
  EnsConvGradientArguments arguments = {
      .input = x->data,
      .input_pitch = (gsize)x->pitch,
      .output_gradient = dy->data,
      .output_pitch = (gsize)dy->pitch,
      .weights_gradient = operands->outputs[WEIGHTS]->data,
      .bias_gradient = operands->n_outputs > BIAS ? operands->outputs[BIAS]->data : NULL,
      .scratch = context->scratch};

  if (context->state == NULL)
    conv_grad_weight_reference (operands);
  else
    ens_conv_gradient_run (context->state, &arguments, context->pool);
}

/* On a GPU: sums of slices of the pixels, then of slices. */

/* Pixels of a slice: so many that an invocation may count them, and so few that there are enough
 * slices to keep the device busy. */
#define MAX_SLICE_PIXELS 32768
#define MIN_SLICE_PIXELS 256
/* Floats that all slices' sums may take. */
#define MAX_SUMS ((gsize)1 << 25)
/* In groups of fewer filters or columns a tile would be mostly empty. */
#define MIN_TILE 8

static gsize
divide_up (gsize n, gsize by)
{
  return (n + by - 1) / by;
}

/* How many slices there are, if each takes so many workgroups. */
static gsize
count_slices (gsize pixels, gsize groups, gsize weights, const EnsGpuTraits *traits)
{
  gsize slices =
      MIN (divide_up (traits->busy_groups, groups), divide_up (pixels, MIN_SLICE_PIXELS));

  return MAX (MIN (slices, MAX_SUMS / weights), divide_up (pixels, MAX_SLICE_PIXELS));
}

static EnsConvGradWeightPush
make_push (const EnsOperands *operands, const EnsGeometry *geometry)
{
  const EnsConvGradWeightParams *params = operands->params;
  const EnsView *x = operands->inputs[INPUT], *dy = operands->inputs[OUTPUT_GRADIENT];
  const gint64 *kernel = geometry->kernel;

  return (EnsConvGradWeightPush) {
      .x_pitch = (guint32)x->pitch,
      .dy_pitch = (guint32)dy->pitch,
      .filters = (guint32)count_filters (operands),
      .group_channels = (guint32)(geometry->channels / params->group),
      .group_filters = (guint32)(count_filters (operands) / params->group),
      .taps = (guint32)(kernel[0] * kernel[1] * kernel[2]),
      .pixels = (guint32)ens_view_rows (dy),
  };
}

/* Sets slices and workgroups. FALSE if there are more than the device takes. */
static gboolean
cover (EnsConvGradWeightPush *push, EnsDispatch *dispatch, EnsCommands *commands)
{
  const EnsGpuTraits *traits = ens_commands_get_traits (commands);
  gsize columns = (gsize)push->taps * push->group_channels, weights = push->filters * columns;
  gsize groups = push->filters / push->group_filters, slices;
  gboolean tiles = MIN (push->group_filters, columns) >= MIN_TILE;

  dispatch->groups[0] = (guint32)divide_up (push->group_filters, ENS_CONV_GRAD_TILE);
  dispatch->groups[1] = (guint32)divide_up (columns, ENS_CONV_GRAD_TILE);
  slices = count_slices (push->pixels,
                         tiles ? dispatch->groups[0] * dispatch->groups[1] * groups
                               : divide_up (weights, 64),
                         weights, traits);
  push->slice_pixels = (guint32)divide_up (push->pixels, slices);
  slices = divide_up (push->pixels, push->slice_pixels);
  if (slices * weights > G_MAXINT32)
    return FALSE;
  push->n = (guint32)(slices * weights);
  dispatch->groups[2] = (guint32)(groups * slices);
  dispatch->shader = tiles ? "conv-grad-weight" : "conv-grad-weight-direct";
  if (!tiles)
    ens_commands_cover (commands, dispatch, push->n, 64);
  for (guint i = 0; i < 3; i++)
    if (dispatch->groups[i] > traits->max_groups[i])
      return FALSE;
  return TRUE;
}

static void
record_sum (const EnsView *sums, const EnsView *dw, guint32 slices, EnsCommands *commands)
{
  EnsConvGradWeightSumPush push = {.n = (guint32)ens_view_elements (dw),
                                   .slices = slices,
                                   .columns = (guint32)ens_view_columns (dw),
                                   .pitch = (guint32)dw->pitch};
  EnsDispatch dispatch = {.shader = "conv-grad-weight-sum",
                          .storage = dw->type,
                          .bindings = {{sums, ENS_ACCESS_READ}, {dw, ENS_ACCESS_WRITE}},
                          .n_bindings = 2,
                          .push = &push,
                          .push_size = sizeof push};

  ens_commands_cover (commands, &dispatch, push.n, 64);
  ens_commands_dispatch (commands, &dispatch);
}

static gboolean
record_bias (const EnsView *dy, const EnsView *bias, EnsCommands *commands)
{
  EnsReduction reduction = {
      .kind = ENS_REDUCE_SUM,
      .x = dy,
      .y = bias,
      .kept = {.n = 2, .rank = 1, .dims = {(gint64)ens_view_columns (dy)}, .strides = {{1}, {1}}},
      .reduced = {
          .n = 1, .rank = 1, .dims = {(gint64)ens_view_rows (dy)}, .strides = {{dy->pitch}}}};

  return ens_record_reduction (commands, &reduction);
}

static gboolean
conv_grad_weight_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *x = operands->inputs[INPUT], *dy = operands->inputs[OUTPUT_GRADIENT];
  const EnsView *dw = operands->outputs[WEIGHTS];
  EnsGeometry geometry;
  EnsConvGradWeightPush push;
  EnsDispatch dispatch = {.bindings = {{x, ENS_ACCESS_READ}, {dy, ENS_ACCESS_READ}},
                          .n_bindings = 4,
                          .push = &push,
                          .push_size = sizeof push};
  const EnsView *sums;

  resolve (operands, &geometry, NULL);
  push = make_push (operands, &geometry);
  if (!ens_record_storage (operands, INPUT, OUTPUT_GRADIENT + 1, &dispatch.storage)
      || push.pixels == 0 || !cover (&push, &dispatch, commands)
      || (operands->n_outputs > BIAS && !record_bias (dy, operands->outputs[BIAS], commands)))
    return FALSE;
  sums = ens_commands_scratch (commands, push.n * sizeof (float));
  dispatch.bindings[2] = (EnsBinding) {sums, ENS_ACCESS_WRITE};
  dispatch.bindings[3] = (EnsBinding) {ens_conv_record_axes (&geometry, commands), ENS_ACCESS_READ};
  ens_commands_dispatch (commands, &dispatch);
  record_sum (sums, dw, push.n / (guint32)ens_view_elements (dw), commands);
  return TRUE;
}

#define EXAMPLE(shapes, size, stride, pad, groups)                       \
  {                                                                      \
    shapes, &(const EnsConvGradWeightParams)                             \
    {                                                                    \
      .sliding = ENS_EXAMPLE_WINDOW (size, stride, pad), .group = groups \
    }                                                                    \
  }

static const EnsOpExample conv_grad_weight_examples[] = {
    EXAMPLE ("2x9x8x6 2x9x8x10", 3, 1, 1, 1), EXAMPLE ("2x9x8x6 2x5x4x6", 3, 2, 1, 6), {NULL}};

const EnsOp ens_op_conv_grad_weight = {.name = "ConvGradWeight",
                                       .min_inputs = 2,
                                       .max_inputs = 2,
                                       .min_outputs = 1,
                                       .max_outputs = 2,
                                       .layout = ENS_LAYOUT_SPATIAL,
                                       .flags = ENS_OP_PITCHED | ENS_OP_INTERNAL,
                                       .params_size = sizeof (EnsConvGradWeightParams),
                                       .attributes = conv_grad_weight_attributes,
                                       .shape = conv_grad_weight_shape,
                                       .flops = conv_grad_weight_flops,
                                       .reference = conv_grad_weight_reference,
                                       .cpu = conv_grad_weight_cpu,
                                       .cpu_plan = conv_grad_weight_cpu_plan,
                                       .gpu = conv_grad_weight_gpu,
                                       .example = conv_grad_weight_examples};
