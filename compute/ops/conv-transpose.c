/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ConvTranspose: what a convolution's input gradient is, used to enlarge maps.
 *
 * Input pixel i adds its products with tap t of each filter to output pixel
 * i · stride + t · dilation − pad. The fast kernel computes all products of a band of the input as
 * one matrix product and sums them up by output pixel, so that the order of additions is fixed
 * (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016). */
#include "graph/infer.h"
#include "kernels/gemm.h"
#include "ops/conv-direct.h"
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "ops/sliding.h"

#include <string.h>

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

static gint64
transpose_flops (const EnsOperands *operands)
{
  const EnsShape *weights = &operands->inputs[WEIGHTS]->shape;

  return 2 * ens_shape_elements (&operands->inputs[INPUT]->shape)
         * ens_shape_span (weights, 1, weights->rank);
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

/* The fast kernel, band by band of output rows. */

/* Products of a band are to stay in the second-level cache, or nearly. */
#define BAND_FLOATS (256 * 1024)

typedef struct {
  EnsGeometry geometry;
  guint groups;
  gsize group_channels, group_filters;
  gsize columns;        /* of the product: taps × filters of a group */
  gint64 output_rows;   /* of a band */
  gint64 input_rows;    /* that reach it, for every band */
  gsize products_size;  /* floats, as the following */
  gsize packed_size;    /* of one group's weights */
  EnsGemmPlan gemm;     /* pixels of input_rows × channels × columns */
  gconstpointer packed; /* NULL: weights are packed before each run */
  gboolean planned;     /* FALSE: the reference runs */
} State;

static gsize
align_floats (gsize n)
{
  return (n + 15) / 16 * 16;
}

static void
pack_groups (const State *state, const float *weights, float *packed)
{
  for (guint g = 0; g < state->groups; g++)
    ens_gemm_pack (&state->gemm, ENS_GEMM_INNER_FIRST,
                   weights + g * state->group_channels * state->columns, state->columns,
                   packed + g * state->packed_size);
}

static void
pack (gpointer state, const EnsTensor *constant, gpointer packed)
{
  pack_groups (state, constant->data, packed);
}

/* As many input rows as any band of so many output rows needs. */
static gint64
count_input_rows (const EnsGeometry *geometry, gint64 output_rows)
{
  gint64 reach = (geometry->kernel[1] - 1) * geometry->dilations[1];

  return MIN ((output_rows - 1 + reach) / geometry->strides[1] + 1, geometry->input[1]);
}

static void
choose_bands (State *state)
{
  const EnsGeometry *geometry = &state->geometry;
  gsize row = (gsize)geometry->input[2] * state->columns;

  state->output_rows = geometry->output[1];
  while (state->output_rows > 4 * geometry->strides[1]
         && (gsize)count_input_rows (geometry, state->output_rows) * row > BAND_FLOATS)
    state->output_rows = (state->output_rows + 1) / 2;
  state->input_rows = count_input_rows (geometry, state->output_rows);
  state->products_size = align_floats ((gsize)state->input_rows * row);
}

static void
transpose_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  const EnsConvTransposeParams *params = operands->params;
  EnsTensor *constant = operands->node->inputs[WEIGHTS]->constant;
  EnsGemmShape shape;
  State *state;

  plan->kernel = "reference";
  if (!ens_view_is_dense (operands->inputs[WEIGHTS])
      || ens_view_elements (operands->outputs[0]) == 0)
    return;
  state = g_new0 (State, 1);
  plan->state = state;
  plan->free_state = g_free;
  resolve (operands, &state->geometry, NULL);
  state->groups = (guint)params->group;
  state->group_channels = (gsize)(state->geometry.channels / params->group);
  state->group_filters = (gsize)(count_filters (operands) / params->group);
  state->columns =
      state->group_filters * (gsize)(state->geometry.kernel[1] * state->geometry.kernel[2]);
  choose_bands (state);
  if (!ens_geometry_is_flat (&state->geometry) || state->columns > G_MAXINT32
      || state->input_rows * state->geometry.input[2] > G_MAXINT32)
    return;
  plan->kernel = "gemm";
  state->planned = TRUE;
  shape = (EnsGemmShape) {.rows = (guint)(state->input_rows * state->geometry.input[2]),
                          .inner = (guint)state->group_channels,
                          .columns = (guint)state->columns};
  ens_gemm_plan (&state->gemm, &shape, ens_kernels_get (), plan->n_threads);
  state->packed_size = align_floats (state->gemm.packed_size);
  plan->scratch_size =
      (state->products_size + align_floats (state->gemm.scratch_size)) * sizeof (float);
  if (constant != NULL) {
    g_autofree char *kind = g_strdup_printf ("conv-transpose/%u", state->groups);

    state->packed =
        ens_packed_weights_get (plan->weights, constant, g_intern_string (kind),
                                state->groups * state->packed_size * sizeof (float), pack, state);
  } else {
    plan->scratch_size += state->groups * state->packed_size * sizeof (float);
  }
}

/* One band of one group. */
typedef struct {
  const State *state;
  const float *products; /* of input rows from first_input on */
  gint64 first_input;
  gint64 first_output;
  float *output; /* the group's first filter at the band's first pixel */
  gsize output_pitch;
} Band;

ENS_CLONES static void
add_row (const float *from, float *to, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] += from[i];
}

/* Adds what one row of taps contributes to a row of the output. */
static void
add_tap_row (const Band *band, const float *products, gint64 tap_row, float *output)
{
  const State *state = band->state;
  const EnsGeometry *geometry = &state->geometry;
  gint64 taps = geometry->kernel[2];

  for (gint64 x = 0; x < geometry->output[2]; x++)
    for (gint64 tap = 0; tap < taps; tap++) {
      gint64 from = ens_geometry_find_source (geometry, 2, x, tap);

      if (from >= 0)
        add_row (products + (gsize)from * state->columns
                     + (gsize)(tap_row * taps + tap) * state->group_filters,
                 output + (gsize)x * band->output_pitch, state->group_filters);
    }
}

static void
sum_rows (gconstpointer data, gsize begin, gsize end)
{
  const Band *band = data;
  const State *state = band->state;
  const EnsGeometry *geometry = &state->geometry;
  gsize width = (gsize)geometry->output[2];

  for (gsize row = begin; row < end; row++) {
    float *output = band->output + row * width * band->output_pitch;

    for (gsize x = 0; x < width; x++)
      memset (output + x * band->output_pitch, 0, state->group_filters * sizeof *output);
    for (gint64 tap = 0; tap < geometry->kernel[1]; tap++) {
      gint64 from = ens_geometry_find_source (geometry, 1, band->first_output + (gint64)row, tap);

      if (from >= 0)
        add_tap_row (band,
                     band->products
                         + (gsize)((from - band->first_input) * geometry->input[2])
                               * state->columns,
                     tap, output);
    }
  }
}

/* The first input row of a band: the first one that reaches it, or earlier ones at the end, so that
 * all bands have the same number. */
static gint64
find_first_input (const State *state, gint64 output_row)
{
  const EnsGeometry *geometry = &state->geometry;
  gint64 from =
      output_row + geometry->pads_begin[1] - (geometry->kernel[1] - 1) * geometry->dilations[1];

  from = from > 0 ? (from + geometry->strides[1] - 1) / geometry->strides[1] : 0;
  return MIN (from, geometry->input[1] - state->input_rows);
}

static void
run_band (Band *band, const EnsView *input, gsize image, guint group, const float *packed,
          const EnsCpuContext *context)
{
  const State *state = band->state;
  const EnsGeometry *geometry = &state->geometry;
  gint64 n_rows = MIN (state->output_rows, geometry->output[1] - band->first_output);
  EnsEpilogue epilogue = {0};
  EnsConvArguments arguments = {.input_pitch = (gsize)input->pitch,
                                .output = (float *)context->scratch,
                                .output_pitch = state->columns,
                                .packed = packed + group * state->packed_size,
                                .epilogue = &epilogue,
                                .scratch = (float *)context->scratch + state->products_size};
  gsize pixel;

  band->first_input = find_first_input (state, band->first_output);
  pixel =
      (image * (gsize)geometry->input[1] + (gsize)band->first_input) * (gsize)geometry->input[2];
  arguments.input =
      (const float *)input->data + pixel * (gsize)input->pitch + group * state->group_channels;
  ens_gemm_run (&state->gemm, &arguments, context->pool);
  band->products = context->scratch;
  ens_parallel (context->pool, (gsize)n_rows, (gsize)geometry->output[2] * state->columns, sum_rows,
                band);
}

static void
run_image (const EnsOperands *operands, const EnsCpuContext *context, gsize image,
           const float *packed)
{
  const State *state = context->state;
  const EnsView *output = operands->outputs[0];
  const gint64 *sizes = state->geometry.output;

  for (gint64 row = 0; row < sizes[1]; row += state->output_rows)
    for (guint group = 0; group < state->groups; group++) {
      Band band = {.state = state, .first_output = row, .output_pitch = (gsize)output->pitch};

      band.output = (float *)output->data
                    + (image * (gsize)sizes[1] + (gsize)row) * (gsize)sizes[2] * band.output_pitch
                    + group * state->group_filters;
      run_band (&band, operands->inputs[INPUT], image, group, packed, context);
    }
}

static void
transpose_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const State *state = context->state;
  const EnsView *output = operands->outputs[0], *bias = ens_operands_input (operands, BIAS);
  const float *packed;

  if (state == NULL || !state->planned) {
    transpose_reference (operands);
    return;
  }
  packed = state->packed;
  if (packed == NULL) {
    float *made =
        (float *)context->scratch + state->products_size + align_floats (state->gemm.scratch_size);

    pack_groups (state, operands->inputs[WEIGHTS]->data, made);
    packed = made;
  }
  for (gint64 image = 0; image < state->geometry.batch; image++)
    run_image (operands, context, (gsize)image, packed);
  if (bias != NULL) {
    EnsEpilogue epilogue = {.bias = bias->data};
    EnsPixelRows pixels = {.pixels = ens_view_rows (output),
                           .channels = (guint)ens_view_columns (output),
                           .input = output->data,
                           .input_pitch = (gsize)output->pitch,
                           .output = output->data,
                           .output_pitch = (gsize)output->pitch};

    ens_epilogue_run (ens_kernels_get (), &pixels, &epilogue, context->pool);
  }
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
