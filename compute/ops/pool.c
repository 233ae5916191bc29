/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool. */
#include "kernels/pooling.h"
#include "ops/example.h"
#include "ops/per-image.h"
#include "ops/pool.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>
#include <string.h>

#include "push/pool.h"
#include "push/reduce.h"

#define POOL_ATTRIBUTES                                                    \
  ENS_SLIDING_ATTRIBUTES (EnsPoolParams, ENS_ATTRIBUTE_REQUIRED),          \
  {                                                                        \
    "ceil_mode", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsPoolParams, ceil_mode) \
  }

static const EnsAttribute max_pool_attributes[] = {
    POOL_ATTRIBUTES,
    /* How Indices number rows and columns; they are not computed. */
    {"storage_order", ENS_ATTRIBUTE_IGNORED},
    ENS_ATTRIBUTE_END};

static const EnsAttribute average_pool_attributes[] = {
    POOL_ATTRIBUTES,
    {"count_include_pad", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsPoolParams, count_include_pad)},
    ENS_ATTRIBUTE_END};

gboolean
ens_pool_resolve (const EnsOperands *operands, EnsGeometry *geometry, GError **error)
{
  const EnsPoolParams *params = operands->params;

  return ens_sliding_resolve (operands, &params->sliding, params->sliding.kernel, params->ceil_mode,
                              geometry, error);
}

double
ens_pool_visits (const EnsOperands *operands)
{
  EnsGeometry geometry;
  double n;

  ens_pool_resolve (operands, &geometry, NULL);
  n = ens_geometry_count_taps (&geometry) * (double)geometry.batch * (double)geometry.channels;
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    n *= (double)geometry.output[i];
  return n;
}

/* The first and the last tap of a window along an axis that lie inside the input; none if last <
 * first. */
static void
taps_inside (const EnsGeometry *geometry, guint i, gint64 position, gint64 *first, gint64 *last)
{
  gint64 start = position * geometry->strides[i] - geometry->pads_begin[i];
  gint64 dilation = geometry->dilations[i];

  *first = start < 0 ? (-start + dilation - 1) / dilation : 0;
  *last = geometry->input[i] - 1 - start;
  *last = *last < 0 ? -1 : MIN (*last / dilation, geometry->kernel[i] - 1);
}

gboolean
ens_pool_check_windows (const EnsOperands *operands, const EnsGeometry *geometry, GError **error)
{
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    for (gint64 position = 0; position < geometry->output[i]; position++) {
      gint64 first, last;

      taps_inside (geometry, i, position, &first, &last);
      if (last < first)
        return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                             "window %" G_GINT64_FORMAT
                             " along spatial axis %u lies in the padding",
                             position, i + operands->inputs[0]->shape.rank - 2 - ENS_MAX_SPATIAL);
    }
  return TRUE;
}

static gboolean
pool_shape (EnsOperands *operands, GError **error)
{
  EnsGeometry geometry;

  return ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
         && ens_pool_resolve (operands, &geometry, error)
         && ens_pool_check_windows (operands, &geometry, error)
         && ens_set_sliding_output (operands, &geometry, geometry.channels, error);
}

/* The windows of the global operators are the whole input. */
static gboolean
resolve_global (const EnsOperands *operands, EnsGeometry *geometry, GError **error)
{
  return ens_sliding_resolve (operands, &ENS_SLIDING_DEFAULT, operands->inputs[0]->shape.dims + 1,
                              FALSE, geometry, error);
}

static gboolean
global_shape (EnsOperands *operands, GError **error)
{
  EnsGeometry geometry;

  return ens_check_type (operands, 0, ENS_TYPES_REAL, error)
         && resolve_global (operands, &geometry, error)
         && ens_set_sliding_output (operands, &geometry, geometry.channels, error);
}

/* References. */

typedef struct {
  double max, sum;
  gint64 count;
} Statistics;

static Statistics
visit_window (const EnsView *input, const EnsPositions *to, gsize channel)
{
  EnsTaps taps = {.geometry = to->geometry, .position = to->position};
  Statistics statistics = {.max = -INFINITY};

  while (ens_taps_next (&taps)) {
    gsize pixel = ens_geometry_offset (input, to->geometry->input, to->batch, taps.at);
    double x = ens_view_real (input, pixel + channel);

    statistics.max = fmax (statistics.max, x);
    statistics.sum += x;
    statistics.count++;
  }
  return statistics;
}

gint64
ens_pool_count_padded (const EnsGeometry *geometry, const gint64 *position)
{
  gint64 count = 1;

  for (guint i = 0; i < ENS_MAX_SPATIAL; i++) {
    gint64 padded = geometry->pads_begin[i] + geometry->input[i] + geometry->pads_end[i];
    gint64 reach = padded - 1 - position[i] * geometry->strides[i];

    count *= MIN (reach / geometry->dilations[i] + 1, geometry->kernel[i]);
  }
  return count;
}

typedef enum { MAXIMUM, MEAN, MEAN_WITH_PADS } Method;

static void
reference (const EnsOperands *operands, const EnsGeometry *geometry, Method method)
{
  const EnsView *output = operands->outputs[0];
  EnsPositions to = {.geometry = geometry};

  while (ens_positions_next (&to)) {
    gsize at = ens_geometry_offset (output, geometry->output, to.batch, to.position);

    for (gsize channel = 0; channel < (gsize)geometry->channels; channel++) {
      Statistics statistics = visit_window (operands->inputs[0], &to, channel);

      if (method == MEAN_WITH_PADS)
        statistics.count = ens_pool_count_padded (geometry, to.position);
      ens_view_set_real (output, at + channel,
                         method == MAXIMUM ? statistics.max
                                           : statistics.sum / (double)statistics.count);
    }
  }
}

static void
max_pool_reference (const EnsOperands *operands)
{
  EnsGeometry geometry;

  ens_pool_resolve (operands, &geometry, NULL);
  reference (operands, &geometry, MAXIMUM);
}

static void
average_pool_reference (const EnsOperands *operands)
{
  const EnsPoolParams *params = operands->params;
  EnsGeometry geometry;

  ens_pool_resolve (operands, &geometry, NULL);
  reference (operands, &geometry, params->count_include_pad ? MEAN_WITH_PADS : MEAN);
}

static void
global_max_pool_reference (const EnsOperands *operands)
{
  EnsGeometry geometry;

  resolve_global (operands, &geometry, NULL);
  reference (operands, &geometry, MAXIMUM);
}

static void
global_average_pool_reference (const EnsOperands *operands)
{
  EnsGeometry geometry;

  resolve_global (operands, &geometry, NULL);
  reference (operands, &geometry, MEAN);
}

/* Fast kernels. */

static gboolean
is_fast (const EnsOperands *operands, const EnsGeometry *geometry)
{
  return ens_geometry_is_flat (geometry) && ens_view_elements (operands->outputs[0]) > 0;
}

EnsPoolingShape
ens_pool_kernel_shape (const EnsGeometry *geometry)
{
  return (EnsPoolingShape) {
      .batch = (guint)geometry->batch,
      .height = (guint)geometry->input[1],
      .width = (guint)geometry->input[2],
      .channels = (guint)geometry->channels,
      .output_height = (guint)geometry->output[1],
      .output_width = (guint)geometry->output[2],
      .kernel_height = (guint)geometry->kernel[1],
      .kernel_width = (guint)geometry->kernel[2],
      .stride_y = (guint)geometry->strides[1],
      .stride_x = (guint)geometry->strides[2],
      .dilation_y = (guint)geometry->dilations[1],
      .dilation_x = (guint)geometry->dilations[2],
      .pad_top = (guint)geometry->pads_begin[1],
      .pad_left = (guint)geometry->pads_begin[2],
      .pad_bottom = (guint)geometry->pads_end[1],
      .pad_right = (guint)geometry->pads_end[2],
  };
}

static EnsPoolingArguments
pooling_arguments (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];

  return (EnsPoolingArguments) {.input = input->data,
                                .input_pitch = (gsize)input->pitch,
                                .output = output->data,
                                .output_pitch = (gsize)output->pitch};
}

static void
run_max (const EnsOperands *operands, const EnsGeometry *geometry, EnsThreadPool *pool)
{
  EnsPoolingShape shape = ens_pool_kernel_shape (geometry);
  EnsPoolingArguments arguments = pooling_arguments (operands);

  if (is_fast (operands, geometry))
    ens_max_pooling_run (ens_kernels_get (), &shape, &arguments, pool);
  else
    reference (operands, geometry, MAXIMUM);
}

static void
max_pool_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  EnsGeometry geometry;

  ens_pool_resolve (operands, &geometry, NULL);
  run_max (operands, &geometry, context->pool);
}

static void
global_max_pool_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  EnsGeometry geometry;

  resolve_global (operands, &geometry, NULL);
  run_max (operands, &geometry, context->pool);
}

static void
average_pool_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsPoolParams *params = operands->params;
  EnsPoolingArguments arguments = pooling_arguments (operands);
  EnsGeometry geometry;
  EnsPoolingShape shape;

  ens_pool_resolve (operands, &geometry, NULL);
  shape = ens_pool_kernel_shape (&geometry);
  if (is_fast (operands, &geometry))
    ens_average_pooling_run (ens_kernels_get (), &shape, params->count_include_pad, &arguments,
                             context->pool);
  else
    average_pool_reference (operands);
}

static void
global_average_pool_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  EnsPoolingArguments arguments = pooling_arguments (operands);
  EnsGeometry geometry;
  EnsPoolingShape shape;

  resolve_global (operands, &geometry, NULL);
  shape = ens_pool_kernel_shape (&geometry);
  if (is_fast (operands, &geometry))
    ens_global_average_run (ens_kernels_get (), &shape, &arguments, context->pool);
  else
    global_average_pool_reference (operands);
}

/* Shaders. */

/* Invocations of a workgroup, and channels of each. */
#define GROUP 128
#define LANES 4

static void
copy_axes (gint32 *to, const gint64 *from)
{
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    to[i] = (gint32)from[i];
}

static EnsPoolPush
pool_push (const EnsOperands *operands, const EnsGeometry *geometry)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  EnsPoolPush push = {
      .channels = (guint32)geometry->channels,
      .x_pitch = (guint32)x->pitch,
      .y_pitch = (guint32)y->pitch,
  };

  copy_axes (push.x_size, geometry->input);
  copy_axes (push.y_size, geometry->output);
  copy_axes (push.kernel, geometry->kernel);
  copy_axes (push.stride, geometry->strides);
  copy_axes (push.dilation, geometry->dilations);
  copy_axes (push.pad, geometry->pads_begin);
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    push.padded[i] = (gint32)(geometry->pads_begin[i] + geometry->input[i] + geometry->pads_end[i]);
  return push;
}

static gboolean
record_windows (const EnsOperands *operands, EnsCommands *commands, guint32 kind)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  EnsDispatch dispatch = {
      .shader = "pool",
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 2,
      .constants = {kind},
      .n_constants = 1,
  };
  EnsGeometry geometry;
  EnsPoolPush push;

  ens_pool_resolve (operands, &geometry, NULL);
  if (!ens_record_storage (operands, 0, 1, &dispatch.storage)
      || ens_geometry_count_taps (&geometry) > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (ens_view_elements (y) == 0)
    return TRUE;
  if (ens_commands_get_traits (commands)->prefers_texels && x->pitch % LANES == 0
      && ens_view_columns (x) % LANES == 0) {
    dispatch.shader = "pool-texels";
    dispatch.bindings[0].access = ENS_ACCESS_TEXELS;
  }
  push = pool_push (operands, &geometry);
  dispatch.push = &push;
  dispatch.push_size = sizeof push;
  dispatch.groups[0] = (push.y_size[2] * ((push.channels + LANES - 1) / LANES) + GROUP - 1) / GROUP;
  dispatch.groups[1] = push.y_size[1];
  dispatch.groups[2] = push.y_size[0] * (guint32)geometry.batch;
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static gboolean
max_pool_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record_windows (operands, commands, ENS_POOL_MAX);
}

static gboolean
average_pool_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsPoolParams *params = operands->params;

  return record_windows (operands, commands,
                         params->count_include_pad ? ENS_POOL_MEAN_WITH_PADS : ENS_POOL_MEAN);
}

/* Whole images are reduced as tensors are. */
static gboolean
record_global (const EnsOperands *operands, EnsCommands *commands, guint32 kind)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  gint64 pixels = ens_shape_span (&x->shape, 1, x->shape.rank - 1);
  EnsReduction reduction = {
      .kind = kind,
      .x = x,
      .y = y,
      .kept = {.n = 2,
               .rank = 2,
               .dims = {x->shape.dims[0], (gint64)ens_view_columns (x)},
               .strides = {{y->pitch, 1}, {pixels * x->pitch, 1}}},
      .reduced = {.n = 1, .rank = 1, .dims = {pixels}, .strides = {{x->pitch}}},
  };
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  return ens_record_reduction (commands, &reduction);
}

static gboolean
global_max_pool_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record_global (operands, commands, ENS_REDUCE_MAX);
}

static gboolean
global_average_pool_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record_global (operands, commands, ENS_REDUCE_MEAN);
}

static gboolean
pool_is_identity (const EnsNode *node)
{
  const EnsSliding *sliding = &((const EnsPoolParams *)node->params)->sliding;

  if (sliding->rank == 0)
    return FALSE;
  for (guint i = 0; i < sliding->rank; i++)
    if (sliding->kernel[i] != 1 || sliding->strides[i] != 1 || sliding->pads_begin[i] != 0
        || sliding->pads_end[i] != 0)
      return FALSE;
  return TRUE;
}

static const EnsOpExample pool_examples[] = {
    {"2x9x8x6", &(const EnsPoolParams) {.sliding = ENS_EXAMPLE_WINDOW (3, 2, 1)}}, {NULL}};
static const EnsOpExample global_examples[] = {{"2x5x4x7"}, {NULL}};

#define POOL_OP(id, onnx)                                               \
  const EnsOp ens_op_##id = {.name = onnx,                              \
                             .min_inputs = 1,                           \
                             .max_inputs = 1,                           \
                             .min_outputs = 1,                          \
                             .max_outputs = 1,                          \
                             .layout = ENS_LAYOUT_SPATIAL,              \
                             .kind = ENS_KIND_POOL,                     \
                             .flags = ENS_OP_PITCHED,                   \
                             .params_size = sizeof (EnsPoolParams),     \
                             .attributes = id##_attributes,             \
                             .shape = pool_shape,                       \
                             .visits = ens_pool_visits,                 \
                             .reference = id##_reference,               \
                             .cpu = id##_cpu,                           \
                             .gpu = id##_gpu,                           \
                             .gradient = ens_##id##_gradient,           \
                             .per_image = ens_per_image_with_constants, \
                             .example = pool_examples,                  \
                             .is_identity = pool_is_identity}

#define GLOBAL_OP(id, onnx)                                             \
  const EnsOp ens_op_##id = {.name = onnx,                              \
                             .min_inputs = 1,                           \
                             .max_inputs = 1,                           \
                             .min_outputs = 1,                          \
                             .max_outputs = 1,                          \
                             .layout = ENS_LAYOUT_SPATIAL,              \
                             .kind = ENS_KIND_GLOBAL_POOL,              \
                             .flags = ENS_OP_PITCHED,                   \
                             .shape = global_shape,                     \
                             .visits = ens_visit_input,                 \
                             .reference = id##_reference,               \
                             .cpu = id##_cpu,                           \
                             .gpu = id##_gpu,                           \
                             .gradient = ens_##id##_gradient,           \
                             .per_image = ens_per_image_with_constants, \
                             .example = global_examples}

POOL_OP (max_pool, "MaxPool");
POOL_OP (average_pool, "AveragePool");
GLOBAL_OP (global_max_pool, "GlobalMaxPool");
GLOBAL_OP (global_average_pool, "GlobalAveragePool");
