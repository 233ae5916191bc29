/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv, with what fusion may add: a residual and an activation. */
#include "graph/infer.h"
#include "kernels/conv.h"
#include "ops/conv-direct.h"
#include "ops/conv-gpu.h"
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "ops/sliding.h"

#include <string.h>

enum { INPUT, WEIGHTS, BIAS, RESIDUAL };

static const EnsAttribute conv_attributes[] = {
    ENS_SLIDING_ATTRIBUTES (EnsConvParams, 0),
    {"group", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsConvParams, group), .integer = 1},
    ENS_ACTIVATION_ATTRIBUTES (EnsConvParams),
    ENS_ATTRIBUTE_END};

static gboolean
resolve (const EnsOperands *operands, EnsGeometry *geometry, GError **error)
{
  const EnsConvParams *params = operands->params;

  return ens_sliding_resolve (operands, &params->sliding, operands->inputs[WEIGHTS]->shape.dims + 1,
                              FALSE, geometry, error);
}

/* Weights are (M, kernel …, C / group), the kernel as attributes say if they do. */
static gboolean
check_weights (const EnsOperands *operands, GError **error)
{
  const EnsConvParams *params = operands->params;
  const EnsShape *input = &operands->inputs[INPUT]->shape;
  const EnsShape *weights = &operands->inputs[WEIGHTS]->shape;
  guint rank = input->rank;
  g_autofree char *found = ens_shape_to_string (weights);

  if (weights->rank != rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "weights are %s, expected rank %u as the input", found, rank);
  if (params->group < 1 || weights->dims[0] < 1 || weights->dims[0] % params->group != 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "weights are %s, expected filters in %" G_GINT64_FORMAT " equal groups",
                         found, params->group);
  if (params->group > input->dims[rank - 1]
      || weights->dims[rank - 1] * params->group != input->dims[rank - 1])
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "weights are %s in %" G_GINT64_FORMAT
                         " groups, expected them for an input of %" G_GINT64_FORMAT " channels",
                         found, params->group, input->dims[rank - 1]);
  for (guint i = 0; i < params->sliding.rank; i++)
    if (params->sliding.kernel[i] != 0
        && (i + 2 >= rank || params->sliding.kernel[i] != weights->dims[1 + i]))
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "weights are %s, expected the kernel that attribute kernel_shape says",
                           found);
  return TRUE;
}

static gboolean
conv_shape (EnsOperands *operands, GError **error)
{
  const EnsView *residual = ens_operands_input (operands, RESIDUAL);
  gint64 filters;
  EnsGeometry geometry;

  if (!ens_check_type (operands, INPUT, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, WEIGHTS, error)
      || !ens_check_rank (operands, INPUT, 3, 2 + ENS_MAX_SPATIAL, error)
      || !check_weights (operands, error) || !resolve (operands, &geometry, error))
    return FALSE;
  filters = operands->inputs[WEIGHTS]->shape.dims[0];
  if (!ens_check_length (operands, "the number of filters", filters, 1, error)
      || !ens_check_vector (operands, BIAS, filters, error)
      || !ens_set_sliding_output (operands, &geometry, filters, error))
    return FALSE;
  if (residual != NULL && !ens_shape_equal (&residual->shape, &operands->outputs[0]->shape)) {
    g_autofree char *found = ens_shape_to_string (&residual->shape);
    g_autofree char *expected = ens_shape_to_string (&operands->outputs[0]->shape);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "the residual is %s, expected %s", found,
                         expected);
  }
  return TRUE;
}

static double
conv_flops (const EnsOperands *operands)
{
  const EnsShape *weights = &operands->inputs[WEIGHTS]->shape;

  return 2. * (double)ens_shape_elements (&operands->outputs[0]->shape)
         * (double)ens_shape_span (weights, 1, weights->rank);
}

/* The reference: the sum over one window, group and filter, tap by tap. */

typedef struct {
  const EnsOperands *operands;
  EnsGeometry geometry;
  gint64 group_channels, group_filters;
} Reference;

static double
sum_tap (const Reference *reference, gsize input_at, gsize weights_at)
{
  double sum = 0;

  for (gint64 c = 0; c < reference->group_channels; c++)
    sum += ens_view_real (reference->operands->inputs[INPUT], input_at + (gsize)c)
           * ens_view_real (reference->operands->inputs[WEIGHTS], weights_at + (gsize)c);
  return sum;
}

static double
sum_window (const Reference *reference, const EnsPositions *to, gint64 filter)
{
  const EnsGeometry *geometry = &reference->geometry;
  const EnsView *input = reference->operands->inputs[INPUT];
  const EnsView *weights = reference->operands->inputs[WEIGHTS];
  gint64 n_taps = geometry->kernel[0] * geometry->kernel[1] * geometry->kernel[2];
  gint64 first = filter / reference->group_filters * reference->group_channels;
  EnsTaps taps = {.geometry = geometry, .position = to->position};
  double sum = 0;

  while (ens_taps_next (&taps))
    sum += sum_tap (reference,
                    ens_geometry_offset (input, geometry->input, to->batch, taps.at) + (gsize)first,
                    (gsize)((filter * n_taps + taps.tap) * weights->pitch));
  return sum;
}

static void
finish_pixel (const Reference *reference, const EnsPositions *to)
{
  const EnsOperands *operands = reference->operands;
  const EnsConvParams *params = operands->params;
  const EnsView *bias = ens_operands_input (operands, BIAS);
  const EnsView *residual = ens_operands_input (operands, RESIDUAL);
  const EnsView *output = operands->outputs[0];
  const gint64 *sizes = reference->geometry.output;
  gint64 filters = operands->inputs[WEIGHTS]->shape.dims[0];
  gsize at = ens_geometry_offset (output, sizes, to->batch, to->position);

  for (gint64 filter = 0; filter < filters; filter++) {
    double x = sum_window (reference, to, filter);

    if (bias != NULL)
      x += ens_view_real (bias, (gsize)filter);
    if (residual != NULL)
      x += ens_view_real (residual, ens_geometry_offset (residual, sizes, to->batch, to->position)
                                        + (gsize)filter);
    ens_view_set_real (output, at + (gsize)filter, ens_activation_apply (&params->activation, x));
  }
}

static void
conv_reference (const EnsOperands *operands)
{
  const EnsConvParams *params = operands->params;
  Reference reference = {.operands = operands};
  EnsPositions to = {.geometry = &reference.geometry};

  resolve (operands, &reference.geometry, NULL);
  reference.group_channels = reference.geometry.channels / params->group;
  reference.group_filters = operands->inputs[WEIGHTS]->shape.dims[0] / params->group;
  while (ens_positions_next (&to))
    finish_pixel (&reference, &to);
}

/* The fast kernels. */

typedef struct {
  EnsConvPlan plan;
  gconstpointer packed; /* NULL: weights are packed before each run, at scratch + plan's own */
} State;

static void
pack (gpointer plan, const EnsTensor *constant, gpointer packed, EnsThreadPool *pool)
{
  EnsConvWeights weights = ens_conv_weights (&((const EnsConvPlan *)plan)->shape, constant->data);

  ens_conv_pack (plan, &weights, packed, pool);
}

static EnsConvShape
conv_kernel_shape (const EnsOperands *operands, const EnsGeometry *geometry)
{
  const EnsConvParams *params = operands->params;

  return ens_geometry_conv_shape (geometry, operands->inputs[WEIGHTS]->shape.dims[0],
                                  params->group);
}

static gsize
align (gsize size)
{
  return (size + 63) / 64 * 64;
}

static void
conv_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  const EnsConvParams *params = operands->params;
  EnsTensor *constant = operands->node->inputs[WEIGHTS]->constant;
  State *state;
  EnsGeometry geometry;
  EnsConvShape shape;

  plan->kernel = "reference";
  resolve (operands, &geometry, NULL);
  if (!ens_geometry_is_flat (&geometry) || !ens_view_is_dense (operands->inputs[WEIGHTS])
      || ens_view_elements (operands->outputs[0]) == 0)
    return;
  shape = conv_kernel_shape (operands, &geometry);
  shape.repacked = constant == NULL;
  state = g_new0 (State, 1);
  ens_conv_plan (&state->plan, &shape, ens_kernels_get (), plan->n_threads);
  plan->state = state;
  plan->free_state = g_free;
  plan->kernel = ens_conv_algorithm_name (state->plan.algorithm);
  plan->scratch_size = align (state->plan.scratch_size * sizeof (float));
  if (constant != NULL) {
    /* Groups change the packed form, too. */
    g_autofree char *kind =
        g_strdup_printf ("conv/%d/%" G_GINT64_FORMAT, state->plan.pack, params->group);

    state->packed =
        ens_packed_weights_get (plan, constant, g_intern_string (kind),
                                state->plan.packed_size * sizeof (float), pack, &state->plan);
  } else {
    plan->scratch_size += state->plan.packed_size * sizeof (float);
  }
}

static EnsEpilogue
conv_epilogue (const EnsOperands *operands)
{
  const EnsConvParams *params = operands->params;
  const EnsView *bias = ens_operands_input (operands, BIAS);
  const EnsView *residual = ens_operands_input (operands, RESIDUAL);

  return (EnsEpilogue) {.bias = bias != NULL ? bias->data : NULL,
                        .residual = residual != NULL ? residual->data : NULL,
                        .residual_pitch = residual != NULL ? (gsize)residual->pitch : 0,
                        .activation = params->activation.kind,
                        .alpha = params->activation.alpha,
                        .beta = params->activation.beta};
}

static void
conv_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const State *state = context->state;
  const EnsView *input = operands->inputs[INPUT], *output = operands->outputs[0];
  EnsEpilogue epilogue = conv_epilogue (operands);
  EnsConvArguments arguments = {.input = input->data,
                                .input_pitch = (gsize)input->pitch,
                                .output = output->data,
                                .output_pitch = (gsize)output->pitch,
                                .epilogue = &epilogue,
                                .scratch = context->scratch};

  if (state == NULL) {
    conv_reference (operands);
    return;
  }
  arguments.packed = state->packed;
  if (state->packed == NULL) {
    float *packed = (float *)context->scratch
                    + align (state->plan.scratch_size * sizeof (float)) / sizeof (float);
    EnsConvWeights weights = ens_conv_weights (&state->plan.shape, operands->inputs[WEIGHTS]->data);

    ens_conv_pack (&state->plan, &weights, packed, context->pool);
    arguments.packed = packed;
  }
  ens_conv_run (&state->plan, &arguments, context->pool);
}

/* On a GPU. */

static gboolean
conv_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsConvParams *params = operands->params;
  const EnsView *y = operands->outputs[0], *weights = operands->inputs[WEIGHTS];
  const EnsView *bias = ens_operands_input (operands, BIAS);
  const EnsView *residual = ens_operands_input (operands, RESIDUAL);
  EnsGeometry geometry;
  EnsType storage;
  EnsGpuConv conv = {.x = operands->inputs[INPUT],
                     .y = y,
                     .constant = operands->node->inputs[WEIGHTS]->constant,
                     .weights = weights,
                     .bias = bias,
                     .residual = residual,
                     .x_pitch = (guint)operands->inputs[INPUT]->pitch,
                     .y_pitch = (guint)y->pitch,
                     .residual_pitch = residual != NULL ? (guint)residual->pitch : 0,
                     .activation = &params->activation};

  resolve (operands, &geometry, NULL);
  if (!ens_record_storage (operands, INPUT, RESIDUAL + 1, &storage) || !ens_view_is_dense (weights)
      || ens_view_elements (y) == 0)
    return FALSE;
  if (ens_geometry_is_flat (&geometry)) {
    conv.shape = conv_kernel_shape (operands, &geometry);
    if (ens_gpu_conv_record (&conv, commands))
      return TRUE;
  }
  return ens_conv_direct_record (&(EnsConvDirect) {.shader = "conv-direct",
                                                   .geometry = &geometry,
                                                   .groups = params->group,
                                                   .x = conv.x,
                                                   .weights = weights,
                                                   .bias = bias,
                                                   .residual = residual,
                                                   .y = y,
                                                   .activation = &params->activation},
                                 commands);
}

static gboolean
conv_per_image (const EnsNode *node)
{
  return ens_node_constant (node, INPUT) == NULL && ens_node_constant (node, WEIGHTS) != NULL
         && (ens_node_input (node, BIAS) == NULL || ens_node_constant (node, BIAS) != NULL);
}

static EnsValue *
input_gradient (EnsGradient *gradient, const EnsGeometry *geometry)
{
  const EnsConvParams *params = gradient->node->params;
  EnsConvTransposeParams transposed = {.group = params->group};

  ens_geometry_get_transposed (geometry, gradient->node->inputs[INPUT]->shape.rank - 2,
                               &transposed);
  return ens_gradient_apply (gradient, &ens_op_conv_transpose, &transposed, gradient->outputs[0],
                             gradient->node->inputs[WEIGHTS], NULL);
}

static gboolean
conv_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsConvParams *params = node->params;
  EnsConvGradWeightParams of_weights = {.group = params->group};
  gboolean bias = ens_node_input (node, BIAS) != NULL && gradient->wanted[BIAS];
  g_auto (EnsNodeViews) views;
  EnsGeometry geometry;

  ens_node_views_init (&views, node);
  if (!resolve (&views.operands, &geometry, error))
    return FALSE;
  ens_geometry_get_sliding (&geometry, node->inputs[INPUT]->shape.rank - 2, &of_weights.sliding);
  if (gradient->wanted[INPUT])
    gradient->inputs[INPUT] = input_gradient (gradient, &geometry);
  if (gradient->wanted[WEIGHTS] || bias) {
    EnsNode *products = ens_gradient_add (
        gradient, &ens_op_conv_grad_weight, &of_weights,
        (EnsValue *[]) {node->inputs[INPUT], gradient->outputs[0]}, 2, bias ? 2 : 1);

    if (gradient->wanted[WEIGHTS])
      gradient->inputs[WEIGHTS] = products->outputs[0];
    if (bias)
      gradient->inputs[BIAS] = products->outputs[1];
  }
  if (ens_node_input (node, RESIDUAL) != NULL)
    gradient->inputs[RESIDUAL] = gradient->outputs[0];
  return TRUE;
}

#define EXAMPLE(shapes, size, stride, pad, groups)                       \
  {                                                                      \
    shapes, &(const EnsConvParams)                                       \
    {                                                                    \
      .sliding = ENS_EXAMPLE_WINDOW (size, stride, pad), .group = groups \
    }                                                                    \
  }

/* The large ones go by the larger tiles of ops/conv-tiles.c, if a GPU has up to about 200
 * processors: of 128 × 128 and 128 × 64, as windows and as dense rows. */
static const EnsOpExample conv_examples[] = {EXAMPLE ("2x9x8x6 =10x3x3x6 =10", 3, 1, 1, 1),
                                             EXAMPLE ("2x9x8x6 =10x1x1x6 =10", 1, 1, 0, 1),
                                             EXAMPLE ("2x9x8x6 =6x3x3x1 =6", 3, 2, 1, 6),
                                             EXAMPLE ("1x160x160x4 =128x3x3x4 =128", 3, 1, 1, 1),
                                             EXAMPLE ("1x160x160x8 =64x3x3x8 =64", 3, 1, 1, 1),
                                             EXAMPLE ("1x160x160x36 =128x1x1x36 =128", 1, 1, 0, 1),
                                             EXAMPLE ("1x160x160x8 =64x1x1x8 =64", 1, 1, 0, 1),
                                             {NULL}};

const EnsOp ens_op_conv = {.name = "Conv",
                           .min_inputs = 2,
                           .max_inputs = 4,
                           .min_outputs = 1,
                           .max_outputs = 1,
                           .layout = ENS_LAYOUT_SPATIAL,
                           .flags = ENS_OP_FUSES | ENS_OP_PITCHED | ENS_OP_RESIDUAL_IN_PLACE,
                           .params_size = sizeof (EnsConvParams),
                           .attributes = conv_attributes,
                           .parameters = {[1] = ENS_PARAMETER_WEIGHT, [2] = ENS_PARAMETER_BIAS},
                           .shape = conv_shape,
                           .flops = conv_flops,
                           .reference = conv_reference,
                           .cpu = conv_cpu,
                           .cpu_plan = conv_cpu_plan,
                           .gpu = conv_gpu,
                           .gradient = conv_gradient,
                           .per_image = conv_per_image,
                           .example = conv_examples,
                           .activation_offset = G_STRUCT_OFFSET (EnsConvParams, activation)};
