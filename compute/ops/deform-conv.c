/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DeformConv: a convolution whose taps are moved by offsets of each position, and weighted by a
 * mask (Dai et al., "Deformable Convolutional Networks", 2017; Zhu et al., "Deformable ConvNets
 * v2", 2019). Inputs X (N, height, width, C), W (M, kernel …, C / group), offsets (N, rows,
 * columns, offset groups · taps · 2), of each tap first y, then x; optional bias (M) and mask (N,
 * rows, columns, offset groups · taps). Between elements X is interpolated linearly, beyond it is
 * zero. */
#include "ops/deform-conv.h"

#include <math.h>

#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include "push/deform-conv.h"

static const EnsAttribute deform_attributes[] = {
    ENS_SLIDING_ATTRIBUTES (EnsDeformParams, 0),
    {"group", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsDeformParams, group), .integer = 1, .min = 1,
     .max = G_MAXINT32},
    {"offset_group", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsDeformParams, offset_group), .integer = 1,
     .min = 1, .max = G_MAXINT32},
    ENS_ATTRIBUTE_END};

static gboolean
check_map (const EnsOperands *operands, guint input, const EnsDeform *deform, gint64 channels,
           GError **error)
{
  const EnsView *view = ens_operands_input (operands, input);
  const EnsShape expected = ENS_SHAPE (deform->geometry.batch, deform->geometry.output[1],
                                       deform->geometry.output[2], channels);
  g_autofree char *found = NULL, *text = NULL;

  if (view == NULL || ens_shape_equal (&view->shape, &expected))
    return TRUE;
  found = ens_shape_to_string (&view->shape);
  text = ens_shape_to_string (&expected);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u is %s, expected %s", input,
                       found, text);
}

static gboolean
check_groups (const EnsOperands *operands, const EnsDeform *deform, GError **error)
{
  const EnsDeformParams *params = operands->params;
  gint64 channels = deform->geometry.channels;

  if (channels == params->group * deform->group_channels && deform->filters % params->group == 0
      && channels % params->offset_group == 0)
    return TRUE;
  return ens_op_error (
      operands, error, ENS_ERROR_SHAPE,
      "%" G_GINT64_FORMAT " channels and %" G_GINT64_FORMAT " filters of %" G_GINT64_FORMAT
      " channels don't match %" G_GINT64_FORMAT " groups, and %" G_GINT64_FORMAT " of offsets",
      channels, deform->filters, deform->group_channels, params->group, params->offset_group);
}

gboolean
ens_deform_resolve (const EnsOperands *operands, EnsDeform *deform, GError **error)
{
  const EnsDeformParams *params = operands->params;
  const EnsShape *weights = &operands->inputs[ENS_DEFORM_WEIGHTS]->shape;

  if (!ens_check_rank (operands, ENS_DEFORM_X, 4, 4, error)
      || !ens_check_rank (operands, ENS_DEFORM_WEIGHTS, 4, 4, error)
      || !ens_sliding_resolve (operands, &params->sliding, weights->dims + 1, FALSE,
                               &deform->geometry, error))
    return FALSE;
  for (guint i = 0; i < params->sliding.rank; i++)
    if (params->sliding.kernel[i] != 0 && params->sliding.kernel[i] != weights->dims[1 + i])
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "“kernel_shape” is not that of the weights");
  deform->filters = weights->dims[0];
  deform->taps = weights->dims[1] * weights->dims[2];
  deform->group_channels = weights->dims[3];
  if (!check_groups (operands, deform, error))
    return FALSE;
  deform->group_filters = MAX (deform->filters / params->group, 1);
  deform->offset_channels = MAX (deform->geometry.channels / params->offset_group, 1);
  return TRUE;
}

static gboolean
deform_shape (EnsOperands *operands, GError **error)
{
  const EnsDeformParams *params = operands->params;
  EnsDeform deform;

  return ens_check_type (operands, ENS_DEFORM_X, ENS_TYPES_REAL, error)
         && ens_check_same_types (operands, ENS_DEFORM_WEIGHTS, error)
         && ens_deform_resolve (operands, &deform, error)
         && check_map (operands, ENS_DEFORM_OFFSETS, &deform,
                       2 * params->offset_group * deform.taps, error)
         && check_map (operands, ENS_DEFORM_MASK, &deform, params->offset_group * deform.taps,
                       error)
         && ens_check_vector (operands, ENS_DEFORM_BIAS, deform.filters, error)
         && ens_set_sliding_output (operands, &deform.geometry, deform.filters, error);
}

static double
deform_flops (const EnsOperands *operands)
{
  EnsDeform deform;

  ens_deform_resolve (operands, &deform, NULL);
  return 2. * (double)ens_shape_elements (&operands->outputs[0]->shape) * (double)deform.taps
         * (double)deform.group_channels;
}

/* X at a place between elements. */
static double
interpolate (const EnsView *x, const EnsDeform *deform, gint64 image, double row, double column,
             gint64 channel)
{
  gint64 height = deform->geometry.input[1], width = deform->geometry.input[2];
  double sum = 0, top, left;

  if (!(row > -1 && row < (double)height && column > -1 && column < (double)width))
    return 0;
  top = floor (row);
  left = floor (column);
  for (gint64 i = 0; i < 4; i++) {
    gint64 r = (gint64)top + i / 2, c = (gint64)left + i % 2;
    double weight = (1 - fabs (row - (double)r)) * (1 - fabs (column - (double)c));

    if (r >= 0 && r < height && c >= 0 && c < width)
      sum += weight
             * ens_view_real (x, (gsize)(((image * height + r) * width + c) * x->pitch + channel));
  }
  return sum;
}

/* An output position. */
typedef struct {
  gint64 image, row, column;
  gsize pixel;
} Place;

static double
read_tap (const EnsOperands *operands, const EnsDeform *deform, const Place *place, gint64 tap,
          gint64 channel)
{
  const EnsDeformParams *params = operands->params;
  const EnsGeometry *geometry = &deform->geometry;
  const EnsView *mask = ens_operands_input (operands, ENS_DEFORM_MASK);
  gint64 group = channel / deform->offset_channels, n = params->offset_group * deform->taps;
  gint64 moved = (gint64)place->pixel * n + group * deform->taps + tap;
  gint64 row = place->row * geometry->strides[1] - geometry->pads_begin[1]
               + tap / geometry->kernel[2] * geometry->dilations[1];
  gint64 column = place->column * geometry->strides[2] - geometry->pads_begin[2]
                  + tap % geometry->kernel[2] * geometry->dilations[2];
  double value = interpolate (
      operands->inputs[ENS_DEFORM_X], deform, place->image,
      (double)row + ens_view_real (operands->inputs[ENS_DEFORM_OFFSETS], (gsize)(2 * moved)),
      (double)column + ens_view_real (operands->inputs[ENS_DEFORM_OFFSETS], (gsize)(2 * moved + 1)),
      channel);

  return mask != NULL ? value * ens_view_real (mask, (gsize)moved) : value;
}

/* What the taps of a group's channels read, in the weights' order. */
static void
read_taps (const EnsOperands *operands, const EnsDeform *deform, const Place *place, gint64 group,
           double *samples)
{
  gint64 first = group * deform->group_channels;

  for (gint64 tap = 0; tap < deform->taps; tap++)
    for (gint64 c = 0; c < deform->group_channels; c++)
      *samples++ = read_tap (operands, deform, place, tap, first + c);
}

static void
compute_place (const EnsOperands *operands, const EnsDeform *deform, const Place *place,
               double *samples)
{
  const EnsView *bias = ens_operands_input (operands, ENS_DEFORM_BIAS), *y = operands->outputs[0];
  gint64 n = deform->taps * deform->group_channels;

  for (gint64 filter = 0; filter < deform->filters; filter++) {
    double sum = bias != NULL ? ens_view_real (bias, (gsize)filter) : 0;

    if (filter % deform->group_filters == 0)
      read_taps (operands, deform, place, filter / deform->group_filters, samples);
    for (gint64 i = 0; i < n; i++)
      sum += samples[i]
             * ens_view_real (operands->inputs[ENS_DEFORM_WEIGHTS], (gsize)(filter * n + i));
    ens_view_set_real (y, place->pixel * (gsize)y->pitch + (gsize)filter, sum);
  }
}

static void
compute_range (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  g_autofree double *samples = NULL;
  EnsDeform deform;

  ens_deform_resolve (operands, &deform, NULL);
  samples = g_new (double, deform.taps *deform.group_channels);
  for (gsize i = begin; i < end; i++) {
    gint64 columns = deform.geometry.output[2], rows = deform.geometry.output[1];

    compute_place (
        operands, &deform,
        &(Place) {(gint64)i / columns / rows, (gint64)i / columns % rows, (gint64)i % columns, i},
        samples);
  }
}

static void
deform_reference (const EnsOperands *operands)
{
  compute_range (operands, 0, ens_view_rows (operands->outputs[0]));
}

/* The reference on all threads. */
static void
deform_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  gsize rows = ens_view_rows (operands->outputs[0]);

  if (ens_view_elements (operands->outputs[0]) > 0)
    ens_parallel (context->pool, rows, 16 * deform_flops (operands) / (double)rows, compute_range,
                  operands);
}

#define GROUP 128

static EnsDeformConvPush
make_push (const EnsOperands *operands, const EnsDeform *deform)
{
  const EnsDeformParams *params = operands->params;
  EnsDeformConvPush push = {
      .n = (guint32)ens_view_elements (operands->outputs[0]),
      .channels = (guint32)deform->geometry.channels,
      .filters = (guint32)deform->filters,
      .group_channels = (guint32)deform->group_channels,
      .group_filters = (guint32)deform->group_filters,
      .offset_groups = (guint32)params->offset_group,
      .offset_channels = (guint32)deform->offset_channels,
  };

  for (guint i = 0; i < 2; i++) {
    push.x_size[i] = (gint32)deform->geometry.input[1 + i];
    push.y_size[i] = (gint32)deform->geometry.output[1 + i];
    push.kernel[i] = (gint32)deform->geometry.kernel[1 + i];
    push.stride[i] = (gint32)deform->geometry.strides[1 + i];
    push.dilation[i] = (gint32)deform->geometry.dilations[1 + i];
    push.pad[i] = (gint32)deform->geometry.pads_begin[1 + i];
  }
  return push;
}

static gboolean
deform_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *bias = ens_operands_input (operands, ENS_DEFORM_BIAS);
  const EnsView *mask = ens_operands_input (operands, ENS_DEFORM_MASK),
                *x = operands->inputs[ENS_DEFORM_X];
  EnsDeformConvPush push;
  EnsDispatch dispatch = {.shader = "deform-conv",
                          .bindings = {{x, ENS_ACCESS_READ},
                                       {operands->inputs[ENS_DEFORM_WEIGHTS], ENS_ACCESS_READ},
                                       {operands->inputs[ENS_DEFORM_OFFSETS], ENS_ACCESS_READ},
                                       {bias != NULL ? bias : x, ENS_ACCESS_READ},
                                       {mask != NULL ? mask : x, ENS_ACCESS_READ},
                                       {operands->outputs[0], ENS_ACCESS_WRITE}},
                          .n_bindings = 6,
                          .constants = {bias != NULL, mask != NULL},
                          .n_constants = 2,
                          .push = &push,
                          .push_size = sizeof push};
  EnsDeform deform;

  ens_deform_resolve (operands, &deform, NULL);
  if (!ens_record_storage (operands, ENS_DEFORM_X, ENS_DEFORM_MASK + 1, &dispatch.storage)
      || (double)deform.taps * (double)(5 * deform.group_channels + 1) > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  push = make_push (operands, &deform);
  if (push.n > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

static gboolean
deform_per_image (const EnsNode *node)
{
  const EnsValue *mask = ens_node_input (node, ENS_DEFORM_MASK),
                 *bias = ens_node_input (node, ENS_DEFORM_BIAS);

  return node->inputs[ENS_DEFORM_X]->constant == NULL
         && node->inputs[ENS_DEFORM_WEIGHTS]->constant != NULL
         && node->inputs[ENS_DEFORM_OFFSETS]->constant == NULL
         && (bias == NULL || bias->constant != NULL) && (mask == NULL || mask->constant == NULL);
}

static const EnsOpExample deform_examples[] = {
    {"2x6x5x4 =3x3x3x4 2x6x5x36 =3 2x6x5x18",
     &(const EnsDeformParams) {.sliding = {.rank = 2,
                                           .kernel = {3, 3},
                                           .strides = {1, 1, 1},
                                           .dilations = {1, 1, 1},
                                           .pads_begin = {1, 1},
                                           .pads_end = {1, 1}},
                               .group = 1,
                               .offset_group = 2}},
    {NULL}};

const EnsOp ens_op_deform_conv = {
    .name = "DeformConv",
    .min_inputs = 3,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 1,
    .layout = ENS_LAYOUT_SPATIAL,
    .params_size = sizeof (EnsDeformParams),
    .versions = {.since = 19},
    .attributes = deform_attributes,
    .parameters =
        {[ENS_DEFORM_WEIGHTS] = ENS_PARAMETER_WEIGHT, [ENS_DEFORM_BIAS] = ENS_PARAMETER_BIAS},
    .shape = deform_shape,
    .flops = deform_flops,
    .reference = deform_reference,
    .cpu = deform_cpu,
    .gpu = deform_gpu,
    .gradient = ens_deform_gradient,
    .per_image = deform_per_image,
    .example = deform_examples};
