/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ConvTranspose: what a convolution's input gradient is, used to enlarge maps. */
#include "graph/infer.h"
#include "kernels/conv-transpose.h"
#include "ops/conv-direct.h"
#include "ops/conv-gpu.h"
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "ops/sliding.h"

enum { INPUT, WEIGHTS, BIAS };

/* Parameters. */

static const EnsAttribute transpose_attributes[] = {
    ENS_SLIDING_ATTRIBUTES (EnsConvTransposeParams, 0),
    {"group", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsConvTransposeParams, group), .integer = 1},
    {"output_padding", ENS_SPATIAL_MEMBER (EnsConvTransposeParams, output_padding)},
    {"output_shape", ENS_SPATIAL_MEMBER (EnsConvTransposeParams, output_shape),
     .present = G_STRUCT_OFFSET (EnsConvTransposeParams, has_output_shape)},
    ENS_ATTRIBUTE_END};

/* Shapes. */

/* Pads that leave an output of that size; where even none make it too small it ends with elements
 * that no input reaches. */
static void
pad_to (EnsGeometry *geometry, guint i, gint64 full, gint64 output, gboolean upper)
{
  gint64 pads = MAX (full - output, 0);

  geometry->pads_begin[i] = upper ? pads / 2 : pads - pads / 2;
  geometry->pads_end[i] = pads - geometry->pads_begin[i];
  geometry->output[i] = output;
}

static gboolean
resolve_axis (const EnsOperands *operands, EnsGeometry *geometry, guint i, guint axis,
              GError **error)
{
  const EnsConvTransposeParams *params = operands->params;
  gint64 output_padding = params->output_padding[axis], full;

  if (!ens_check_length (operands, "output_padding", output_padding, 0, error))
    return FALSE;
  full = (geometry->input[i] - 1) * geometry->strides[i]
         + (geometry->kernel[i] - 1) * geometry->dilations[i] + 1 + output_padding;
  if (params->has_output_shape)
    pad_to (geometry, i, full, params->output_shape[axis],
            params->sliding.auto_pad == ENS_AUTO_PAD_SAME_UPPER);
  else if (params->sliding.auto_pad == ENS_AUTO_PAD_SAME_UPPER
           || params->sliding.auto_pad == ENS_AUTO_PAD_SAME_LOWER)
    pad_to (geometry, i, full, geometry->input[i] * geometry->strides[i],
            params->sliding.auto_pad == ENS_AUTO_PAD_SAME_UPPER);
  else
    geometry->output[i] = full - geometry->pads_begin[i] - geometry->pads_end[i];
  return ens_check_length (operands, "the output's size", geometry->output[i], 1, error);
}

/* The checks of lengths are those of a convolution whose kernel fits everywhere. */
static gboolean
resolve (const EnsOperands *operands, EnsGeometry *geometry, GError **error)
{
  static const gint64 ones[ENS_MAX_SPATIAL] = {1, 1, 1};
  const EnsConvTransposeParams *params = operands->params;
  const EnsShape *weights = &operands->inputs[WEIGHTS]->shape;
  EnsSliding sliding = params->sliding;
  guint rank, first;

  sliding.auto_pad =
      sliding.auto_pad == ENS_AUTO_PAD_VALID ? ENS_AUTO_PAD_VALID : ENS_AUTO_PAD_NOTSET;
  if (!ens_sliding_resolve (operands, &sliding, ones, FALSE, geometry, error))
    return FALSE;
  rank = operands->inputs[INPUT]->shape.rank - 2;
  first = ENS_MAX_SPATIAL - rank;
  for (guint i = first; i < ENS_MAX_SPATIAL; i++) {
    geometry->kernel[i] = weights->dims[1 + i - first];
    if (!ens_check_length (operands, "the kernel's size", geometry->kernel[i], 1, error)
        || !resolve_axis (operands, geometry, i, i - first, error))
      return FALSE;
  }
  return TRUE;
}

/* Weights are (C, kernel …, M / group), the kernel as attributes say if they do. */
static gboolean
check_weights (const EnsOperands *operands, GError **error)
{
  const EnsConvTransposeParams *params = operands->params;
  const EnsShape *input = &operands->inputs[INPUT]->shape;
  const EnsShape *weights = &operands->inputs[WEIGHTS]->shape;
  guint rank = input->rank;
  g_autofree char *found = ens_shape_to_string (weights);

  if (weights->rank != rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "weights are %s, expected rank %u as the input", found, rank);
  if (weights->dims[0] != input->dims[rank - 1] || params->group < 1
      || weights->dims[0] % params->group != 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "weights are %s, expected them for an input of %" G_GINT64_FORMAT
                         " channels in %" G_GINT64_FORMAT " equal groups",
                         found, input->dims[rank - 1], params->group);
  for (guint i = 0; i < params->sliding.rank; i++)
    if (params->sliding.kernel[i] != 0
        && (i + 2 >= rank || params->sliding.kernel[i] != weights->dims[1 + i]))
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "weights are %s, expected the kernel that attribute kernel_shape says",
                           found);
  return TRUE;
}

static gint64
count_filters (const EnsOperands *operands)
{
  const EnsConvTransposeParams *params = operands->params;
  const EnsShape *weights = &operands->inputs[WEIGHTS]->shape;

  return weights->dims[weights->rank - 1] * params->group;
}

static gboolean
transpose_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *weights = &operands->inputs[WEIGHTS]->shape;
  EnsGeometry geometry;

  return ens_check_type (operands, INPUT, ENS_TYPES_REAL, error)
         && ens_check_same_types (operands, WEIGHTS, error)
         && ens_check_rank (operands, INPUT, 3, 2 + ENS_MAX_SPATIAL, error)
         && check_weights (operands, error) && resolve (operands, &geometry, error)
         && ens_check_length (operands, "the number of filters of a group",
                              weights->dims[weights->rank - 1], 1, error)
         && ens_check_length (operands, "the number of filters", count_filters (operands), 1, error)
         && ens_check_vector (operands, BIAS, count_filters (operands), error)
         && ens_set_sliding_output (operands, &geometry, count_filters (operands), error);
}

static double
transpose_flops (const EnsOperands *operands)
{
  const EnsShape *weights = &operands->inputs[WEIGHTS]->shape;

  return 2. * (double)ens_shape_elements (&operands->inputs[INPUT]->shape)
         * (double)ens_shape_span (weights, 1, weights->rank);
}

/* The reference: one output element. */

typedef struct {
  const EnsOperands *operands;
  EnsGeometry geometry;
  gint64 group_channels, group_filters;
} Reference;

static double
sum_channels (const Reference *reference, gsize pixel, gint64 tap, gint64 filter)
{
  const EnsView *input = reference->operands->inputs[INPUT];
  const EnsView *weights = reference->operands->inputs[WEIGHTS];
  const gint64 *kernel = reference->geometry.kernel;
  gint64 taps = kernel[0] * kernel[1] * kernel[2];
  gint64 first = filter / reference->group_filters * reference->group_channels;
  double sum = 0;

  for (gint64 c = first; c < first + reference->group_channels; c++)
    sum += ens_view_real (input, pixel + (gsize)c)
           * ens_view_real (weights, (gsize)((c * taps + tap) * weights->pitch
                                             + filter % reference->group_filters));
  return sum;
}

static double
sum_taps (const Reference *reference, const EnsPositions *to, gint64 filter)
{
  const EnsGeometry *geometry = &reference->geometry;
  const EnsView *input = reference->operands->inputs[INPUT];
  EnsTaps taps = {.geometry = geometry, .position = to->position, .transposed = TRUE};
  double sum = 0;

  while (ens_taps_next (&taps))
    sum +=
        sum_channels (reference, ens_geometry_offset (input, geometry->input, to->batch, taps.at),
                      taps.tap, filter);
  return sum;
}

static void
finish_pixel (const Reference *reference, const EnsPositions *to)
{
  const EnsView *bias = ens_operands_input (reference->operands, BIAS);
  const EnsView *output = reference->operands->outputs[0];
  gsize at = ens_geometry_offset (output, reference->geometry.output, to->batch, to->position);

  for (gint64 filter = 0; filter < count_filters (reference->operands); filter++) {
    double sum = sum_taps (reference, to, filter);

    if (bias != NULL)
      sum += ens_view_real (bias, (gsize)filter);
    ens_view_set_real (output, at + (gsize)filter, sum);
  }
}

static void
transpose_reference (const EnsOperands *operands)
{
  const EnsConvTransposeParams *params = operands->params;
  Reference reference = {.operands = operands};
  EnsPositions to = {.geometry = &reference.geometry};

  resolve (operands, &reference.geometry, NULL);
  reference.group_channels = reference.geometry.channels / params->group;
  reference.group_filters = count_filters (operands) / params->group;
  while (ens_positions_next (&to))
    finish_pixel (&reference, &to);
}

/* The fast kernels. */

typedef struct {
  EnsConvTransposePlan plan;
  gconstpointer packed; /* NULL: weights are packed before each run, at the end of scratch */
} State;

static void
pack (gpointer plan, const EnsTensor *constant, gpointer packed, EnsThreadPool *pool)
{
  ens_conv_transpose_pack (plan, constant->data, packed, pool);
}

/* The convolution from the output to the input. */
static EnsConvShape
inverse_shape (const EnsOperands *operands, const EnsGeometry *geometry)
{
  const EnsConvTransposeParams *params = operands->params;
  EnsConvShape shape = ens_geometry_conv_shape (geometry, geometry->channels, params->group);

  shape.height = (guint)geometry->output[1];
  shape.width = (guint)geometry->output[2];
  shape.channels = (guint)count_filters (operands);
  shape.repacked = operands->node->inputs[WEIGHTS]->constant == NULL;
  return shape;
}

static gsize
align (gsize size)
{
  return (size + 63) / 64 * 64;
}

static void
transpose_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsTensor *constant = operands->node->inputs[WEIGHTS]->constant;
  EnsGeometry geometry;
  EnsConvShape shape;
  State *state;

  plan->kernel = "reference";
  resolve (operands, &geometry, NULL);
  if (!ens_geometry_is_flat (&geometry) || !ens_view_is_dense (operands->inputs[WEIGHTS])
      || ens_view_elements (operands->outputs[0]) == 0)
    return;
  shape = inverse_shape (operands, &geometry);
  state = g_new0 (State, 1);
  ens_conv_transpose_plan (&state->plan, &shape, (guint)geometry.input[1], (guint)geometry.input[2],
                           ens_kernels_get (), plan->n_threads);
  plan->state = state;
  plan->free_state = g_free;
  plan->kernel = state->plan.name;
  plan->scratch_size = align (state->plan.scratch_size * sizeof (float));
  if (constant != NULL) {
    g_autofree char *kind = g_strdup_printf ("%s/%u", state->plan.kind, shape.groups);

    state->packed =
        ens_packed_weights_get (plan, constant, g_intern_string (kind),
                                state->plan.packed_size * sizeof (float), pack, &state->plan);
  } else {
    plan->scratch_size += state->plan.packed_size * sizeof (float);
  }
}

static void
transpose_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const State *state = context->state;
  const EnsView *input = operands->inputs[INPUT], *output = operands->outputs[0];
  const EnsView *bias = ens_operands_input (operands, BIAS);
  EnsConvTransposeArguments arguments = {.input = input->data,
                                         .input_pitch = (gsize)input->pitch,
                                         .output = output->data,
                                         .output_pitch = (gsize)output->pitch,
                                         .bias = bias != NULL ? bias->data : NULL,
                                         .scratch = context->scratch};

  if (state == NULL) {
    transpose_reference (operands);
    return;
  }
  arguments.packed = state->packed;
  if (state->packed == NULL) {
    float *packed = (float *)context->scratch
                    + align (state->plan.scratch_size * sizeof (float)) / sizeof (float);

    ens_conv_transpose_pack (&state->plan, operands->inputs[WEIGHTS]->data, packed, context->pool);
    arguments.packed = packed;
  }
  ens_conv_transpose_run (&state->plan, &arguments, context->pool);
}

/* Where strides are 1, the convolution with the kernel turned. */
static gboolean
record_turned (const EnsOperands *operands, const EnsGeometry *geometry, EnsCommands *commands)
{
  static const EnsFusedActivation none = {.kind = ENS_ACTIVATION_NONE};
  const EnsView *x = operands->inputs[INPUT], *y = operands->outputs[0];
  EnsConvShape inverse;
  EnsConvTransposePlan plan;

  if (!ens_geometry_is_flat (geometry))
    return FALSE;
  inverse = inverse_shape (operands, geometry);
  ens_conv_transpose_plan (&plan, &inverse, (guint)geometry->input[1], (guint)geometry->input[2],
                           ens_kernels_get (), 1);
  return plan.method == ENS_CONV_TRANSPOSE_CONV
         && ens_gpu_conv_record (
             &(EnsGpuConv) {.shape = plan.turned.shape,
                            .x = x,
                            .y = y,
                            .x_pitch = (guint)x->pitch,
                            .y_pitch = (guint)y->pitch,
                            .constant = operands->node->inputs[WEIGHTS]->constant,
                            .weights = operands->inputs[WEIGHTS],
                            .order = ENS_GPU_WEIGHTS_TURNED,
                            .bias = ens_operands_input (operands, BIAS),
                            .activation = &none},
             commands);
}

static gboolean
transpose_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsConvTransposeParams *params = operands->params;
  EnsGeometry geometry;
  EnsType storage;

  resolve (operands, &geometry, NULL);
  if (!ens_record_storage (operands, INPUT, BIAS + 1, &storage)
      || !ens_view_is_dense (operands->inputs[WEIGHTS])
      || ens_view_elements (operands->outputs[0]) == 0)
    return FALSE;
  if (record_turned (operands, &geometry, commands))
    return TRUE;
  return ens_conv_direct_record (&(EnsConvDirect) {.shader = "conv-transpose",
                                                   .geometry = &geometry,
                                                   .groups = params->group,
                                                   .x = operands->inputs[INPUT],
                                                   .weights = operands->inputs[WEIGHTS],
                                                   .bias = ens_operands_input (operands, BIAS),
                                                   .y = operands->outputs[0]},
                                 commands);
}

/* The gradient of the input is a convolution of the output's, that of the weights the one of the
 * same convolution's weights, input and output having changed places. */

/* The convolution, and the output's gradient without what no input reached. */
static EnsValue *
invert (EnsGradient *gradient, const EnsGeometry *geometry, EnsSliding *sliding)
{
  guint rank = gradient->node->inputs[INPUT]->shape.rank - 2;
  EnsList starts = {.n = rank, .present = TRUE}, ends = starts, axes = starts;
  gboolean whole = TRUE;

  ens_geometry_get_sliding (geometry, rank, sliding);
  for (guint i = 0; i < rank; i++) {
    guint axis = ENS_MAX_SPATIAL - rank + i;
    gint64 reached = (geometry->input[axis] - 1) * geometry->strides[axis]
                     + (geometry->kernel[axis] - 1) * geometry->dilations[axis] + 1
                     - geometry->pads_begin[axis];

    sliding->pads_end[i] = MAX (reached - geometry->output[axis], 0);
    axes.values[i] = 1 + i;
    ends.values[i] = MIN (reached, geometry->output[axis]);
    whole = whole && geometry->output[axis] - ends.values[i] < geometry->strides[axis];
  }
  if (whole)
    return gradient->outputs[0];
  return ens_gradient_apply (gradient, &ens_op_slice,
                             &(EnsSliceParams) {.starts = starts, .ends = ends, .axes = axes},
                             gradient->outputs[0], NULL);
}

static gboolean
transpose_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsConvTransposeParams *params = node->params;
  EnsConvParams conv = {.group = params->group};
  EnsConvGradWeightParams of_weights = {.group = params->group};
  g_auto (EnsNodeViews) views;
  EnsGeometry geometry;
  EnsValue *dy;

  ens_node_views_init (&views, node);
  if (!resolve (&views.operands, &geometry, error))
    return FALSE;
  dy = invert (gradient, &geometry, &conv.sliding);
  of_weights.sliding = conv.sliding;
  if (gradient->wanted[INPUT])
    gradient->inputs[INPUT] =
        ens_gradient_apply (gradient, &ens_op_conv, &conv, dy, node->inputs[WEIGHTS], NULL);
  if (gradient->wanted[WEIGHTS])
    gradient->inputs[WEIGHTS] = ens_gradient_apply (gradient, &ens_op_conv_grad_weight, &of_weights,
                                                    dy, node->inputs[INPUT], NULL);
  if (ens_node_input (node, BIAS) != NULL && gradient->wanted[BIAS])
    gradient->inputs[BIAS] =
        ens_gradient_sum_to (gradient, gradient->outputs[0], &node->inputs[BIAS]->shape);
  return TRUE;
}

static const EnsOpExample transpose_examples[] = {
    {"2x5x4x6 =6x3x3x4 =4",
     &(const EnsConvTransposeParams) {.sliding = ENS_EXAMPLE_WINDOW (3, 2, 1), .group = 1}},
    {NULL}};

const EnsOp ens_op_conv_transpose = {
    .name = "ConvTranspose",
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .layout = ENS_LAYOUT_SPATIAL,
    .flags = ENS_OP_PITCHED,
    .params_size = sizeof (EnsConvTransposeParams),
    .attributes = transpose_attributes,
    .parameters = {[1] = ENS_PARAMETER_WEIGHT, [2] = ENS_PARAMETER_BIAS},
    .shape = transpose_shape,
    .flops = transpose_flops,
    .reference = transpose_reference,
    .cpu = transpose_cpu,
    .cpu_plan = transpose_cpu_plan,
    .gpu = transpose_gpu,
    .gradient = transpose_gradient,
    .per_image = ens_per_image_with_constants,
    .example = transpose_examples};
