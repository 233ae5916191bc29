/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of pooling. That of a maximum, MaxPoolGrad, goes to the first position of each window
 * where the maximum is; that of a mean is a transposed convolution. */
#include "graph/infer.h"
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/pool.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <string.h>

#include "push/max-pool-grad.h"

enum { INPUT, OUTPUT, OUTPUT_GRADIENT };

static const EnsAttribute max_pool_grad_attributes[] = {
    ENS_SLIDING_ATTRIBUTES (EnsPoolParams, ENS_ATTRIBUTE_REQUIRED),
    {"ceil_mode", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsPoolParams, ceil_mode)},
    ENS_ATTRIBUTE_END};

static gboolean
check_output (const EnsOperands *operands, guint input, const EnsGeometry *geometry, GError **error)
{
  const EnsShape *found = &operands->inputs[input]->shape;
  EnsShape expected = operands->inputs[INPUT]->shape;
  guint spatial = expected.rank - 2;

  for (guint i = 0; i < spatial; i++)
    expected.dims[1 + i] = geometry->output[ENS_MAX_SPATIAL - spatial + i];
  if (!ens_shape_equal (found, &expected)) {
    g_autofree char *found_text = ens_shape_to_string (found);
    g_autofree char *expected_text = ens_shape_to_string (&expected);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "input %u is %s, expected %s, as the pooling's output", input, found_text,
                         expected_text);
  }
  return TRUE;
}

static gboolean
max_pool_grad_shape (EnsOperands *operands, GError **error)
{
  EnsGeometry geometry;

  return ens_check_type (operands, INPUT, ENS_TYPES_REAL, error)
         && ens_check_same_types (operands, OUTPUT, error)
         && ens_pool_resolve (operands, &geometry, error)
         && check_output (operands, OUTPUT, &geometry, error)
         && check_output (operands, OUTPUT_GRADIENT, &geometry, error)
         && ens_set_output_like_input (operands, error);
}

/* The reference. */

static void
clear (const EnsView *view)
{
  for (gsize row = 0; row < ens_view_rows (view); row++)
    for (gsize column = 0; column < ens_view_columns (view); column++)
      ens_view_set_real (view, row * (gsize)view->pitch + column, 0);
}

/* Adds one output element's gradient where its maximum comes from. */
static void
add_to_maximum (const EnsOperands *operands, const EnsPositions *to, gsize channel)
{
  const EnsView *x = operands->inputs[INPUT], *y = operands->inputs[OUTPUT];
  const EnsView *dy = operands->inputs[OUTPUT_GRADIENT], *dx = operands->outputs[0];
  const EnsGeometry *geometry = to->geometry;
  double maximum = ens_view_real (
      y, ens_geometry_offset (y, geometry->output, to->batch, to->position) + channel);
  double gradient = ens_view_real (
      dy, ens_geometry_offset (dy, geometry->output, to->batch, to->position) + channel);
  EnsTaps taps = {.geometry = geometry, .position = to->position};

  while (ens_taps_next (&taps)) {
    gsize at = ens_geometry_offset (x, geometry->input, to->batch, taps.at) + channel;
    gsize dx_at = ens_geometry_offset (dx, geometry->input, to->batch, taps.at) + channel;

    if (ens_view_real (x, at) == maximum) {
      ens_view_set_real (dx, dx_at, ens_view_real (dx, dx_at) + gradient);
      return;
    }
  }
}

static void
max_pool_grad_reference (const EnsOperands *operands)
{
  EnsGeometry geometry;
  EnsPositions to = {.geometry = &geometry};

  ens_pool_resolve (operands, &geometry, NULL);
  clear (operands->outputs[0]);
  while (ens_positions_next (&to))
    for (gsize channel = 0; channel < (gsize)geometry.channels; channel++)
      add_to_maximum (operands, &to, channel);
}

static void
max_pool_grad_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *x = operands->inputs[INPUT], *y = operands->inputs[OUTPUT];
  const EnsView *dy = operands->inputs[OUTPUT_GRADIENT], *dx = operands->outputs[0];
  EnsPoolingGradientArguments arguments = {.input = x->data,
                                           .output = y->data,
                                           .output_gradient = dy->data,
                                           .input_pitch = (gsize)x->pitch,
                                           .output_pitch = (gsize)y->pitch,
                                           .output_gradient_pitch = (gsize)dy->pitch,
                                           .input_gradient = dx->data,
                                           .input_gradient_pitch = (gsize)dx->pitch};
  EnsPoolingShape shape;
  EnsGeometry geometry;

  ens_pool_resolve (operands, &geometry, NULL);
  shape = ens_pool_kernel_shape (&geometry);
  if (ens_geometry_is_flat (&geometry))
    ens_max_pooling_gradient_run (ens_kernels_get (), &shape, &arguments, context->pool);
  else
    max_pool_grad_reference (operands);
}

/* On a GPU. */

static void
copy_axes (gint32 *to, const gint64 *from)
{
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    to[i] = (gint32)from[i];
}

static gboolean
max_pool_grad_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  enum { GROUP = 128, LANES = 4 };
  const EnsView *x = operands->inputs[INPUT], *y = operands->inputs[OUTPUT];
  const EnsView *dy = operands->inputs[OUTPUT_GRADIENT], *dx = operands->outputs[0];
  EnsMaxPoolGradPush push = {.channels = (guint32)ens_view_columns (x),
                             .pixels = (guint32)ens_view_rows (x),
                             .x_pitch = (guint32)x->pitch,
                             .y_pitch = (guint32)y->pitch,
                             .dy_pitch = (guint32)dy->pitch,
                             .dx_pitch = (guint32)dx->pitch};
  EnsDispatch dispatch = {.shader = "max-pool-grad",
                          .bindings = {{x, ENS_ACCESS_READ},
                                       {y, ENS_ACCESS_READ},
                                       {dy, ENS_ACCESS_READ},
                                       {dx, ENS_ACCESS_WRITE}},
                          .n_bindings = 4,
                          .push = &push,
                          .push_size = sizeof push};
  EnsGeometry geometry;
  double taps;

  ens_pool_resolve (operands, &geometry, NULL);
  taps = ens_geometry_count_taps (&geometry);
  if (!ens_record_storage (operands, INPUT, OUTPUT_GRADIENT + 1, &dispatch.storage)
      || taps * taps > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (ens_view_elements (dx) == 0)
    return TRUE;
  copy_axes (push.x_size, geometry.input);
  copy_axes (push.y_size, geometry.output);
  copy_axes (push.kernel, geometry.kernel);
  copy_axes (push.stride, geometry.strides);
  copy_axes (push.dilation, geometry.dilations);
  copy_axes (push.pad, geometry.pads_begin);
  ens_commands_cover (commands, &dispatch,
                      (gsize)push.pixels * ((push.channels + LANES - 1) / LANES), GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

/* Gradients of the pooling operators. */

static EnsValue *
apply_max_pool_grad (EnsGradient *gradient, const EnsPoolParams *params)
{
  const EnsNode *node = gradient->node;

  return ens_gradient_apply (gradient, &ens_op_max_pool_grad, params, node->inputs[0],
                             node->outputs[0], gradient->outputs[0], NULL);
}

gboolean
ens_max_pool_gradient (EnsGradient *gradient, GError **error)
{
  gradient->inputs[0] = apply_max_pool_grad (gradient, gradient->node->params);
  return TRUE;
}

gboolean
ens_global_max_pool_gradient (EnsGradient *gradient, GError **error)
{
  const EnsShape *shape = &gradient->node->inputs[0]->shape;
  EnsPoolParams params = {.sliding = ENS_SLIDING_DEFAULT};

  params.sliding.rank = shape->rank - 2;
  for (guint i = 0; i < params.sliding.rank; i++)
    params.sliding.kernel[i] = shape->dims[1 + i];
  gradient->inputs[0] = apply_max_pool_grad (gradient, &params);
  return TRUE;
}

gboolean
ens_global_average_pool_gradient (EnsGradient *gradient, GError **error)
{
  const EnsValue *x = gradient->node->inputs[0];
  EnsValue *dy = gradient->outputs[0];
  double pixels = (double)ens_shape_span (&x->shape, 1, x->shape.rank - 1);
  EnsValue *share = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy,
                                        ens_gradient_number (gradient, dy->type, 1 / pixels), NULL);

  gradient->inputs[0] = ens_gradient_expand (gradient, share, &x->shape);
  return TRUE;
}

/* 1 / count of each window, (1, spatial …, 1). */
static EnsValue *
add_shares (EnsGradient *gradient, const EnsGeometry *geometry)
{
  const EnsPoolParams *params = gradient->node->params;
  EnsShape shape = gradient->outputs[0]->shape;
  g_autofree char *name = g_strdup_printf ("%s:shares", gradient->node->name);
  g_autoptr (EnsTensor) tensor = NULL;
  EnsGeometry one = *geometry;
  EnsPositions to = {.geometry = &one};
  EnsView view;
  gsize i = 0;

  shape.dims[0] = shape.dims[shape.rank - 1] = one.batch = 1;
  tensor = ens_tensor_new (gradient->outputs[0]->type, &shape);
  view = ens_view_dense (tensor->type, &shape, tensor->data);
  for (; ens_positions_next (&to); i++) {
    EnsTaps taps = {.geometry = geometry, .position = to.position};
    gint64 count = 0;

    while (ens_taps_next (&taps))
      count++;
    if (params->count_include_pad)
      count = ens_pool_count_padded (geometry, to.position);
    ens_view_set_real (&view, i, 1 / (double)count);
  }
  return ens_graph_add_constant (gradient->graph, name, tensor);
}

/* A weight of one for each position of the window, (C, kernel …, 1). */
static EnsValue *
add_ones (EnsGradient *gradient, const EnsGeometry *geometry, guint rank)
{
  EnsValue *one = ens_gradient_number (gradient, gradient->outputs[0]->type, 1);
  EnsShape shape = {.rank = rank + 2, .dims = {geometry->channels}}, ones = shape;

  for (guint i = 0; i < rank; i++)
    shape.dims[1 + i] = geometry->kernel[ENS_MAX_SPATIAL - rank + i];
  shape.dims[1 + rank] = 1;
  for (guint i = 0; i < ones.rank; i++)
    ones.dims[i] = 1;
  return ens_gradient_expand (gradient, ens_gradient_reshape (gradient, one, &ones), &shape);
}

gboolean
ens_average_pool_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  guint rank = node->inputs[0]->shape.rank - 2;
  g_auto (EnsNodeViews) views;
  EnsConvTransposeParams params = {0};
  EnsGeometry geometry;
  EnsValue *shares;

  ens_node_views_init (&views, node);
  if (!ens_pool_resolve (&views.operands, &geometry, error))
    return FALSE;
  ens_geometry_get_transposed (&geometry, rank, &params);
  params.group = geometry.channels;
  shares = ens_gradient_apply (gradient, &ens_op_mul, NULL, gradient->outputs[0],
                               add_shares (gradient, &geometry), NULL);
  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_conv_transpose, &params, shares,
                                            add_ones (gradient, &geometry, rank), NULL);
  return TRUE;
}

static const EnsOpExample max_pool_grad_examples[] = {
    {"2x9x8x6 2x5x4x6 2x5x4x6", &(const EnsPoolParams) {.sliding = ENS_EXAMPLE_WINDOW (3, 2, 1)}},
    {NULL}};

const EnsOp ens_op_max_pool_grad = {.name = "MaxPoolGrad",
                                    .min_inputs = 3,
                                    .max_inputs = 3,
                                    .min_outputs = 1,
                                    .max_outputs = 1,
                                    .layout = ENS_LAYOUT_SPATIAL,
                                    .flags = ENS_OP_PITCHED | ENS_OP_INTERNAL,
                                    .params_size = sizeof (EnsPoolParams),
                                    .attributes = max_pool_grad_attributes,
                                    .shape = max_pool_grad_shape,
                                    .visits = ens_pool_visits,
                                    .reference = max_pool_grad_reference,
                                    .cpu = max_pool_grad_cpu,
                                    .gpu = max_pool_grad_gpu,
                                    .per_image = ens_per_image_elementwise,
                                    .example = max_pool_grad_examples};
