/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BatchNormalization (inference), LpNormalization. */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/batch-normalization.h"
#include "push/softmax.h"

#define EPSILON                                                                                 \
  {                                                                                             \
    "epsilon", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsNormalizationParams, epsilon), .real = 1e-5F \
  }

/* BatchNormalization: inputs X, scale, B, mean, variance; channels last. */

enum { X, SCALE, BIAS, MEAN, VARIANCE };

static const EnsAttribute batch_attributes[] = {
    EPSILON,
    {"is_test", ENS_ATTRIBUTE_IGNORED, .until = 6},
    {"momentum", ENS_ATTRIBUTE_IGNORED}, /* of training */
    {"spatial", ENS_ATTRIBUTE_FIXED, .integer = 1,
     .advice = "; normalising each position by itself is not supported"},
    {"training_mode", ENS_ATTRIBUTE_FIXED, .integer = 0, .since = 14,
     .advice = "; export the network for inference"},
    ENS_ATTRIBUTE_END};

static gboolean
batch_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *shape = &operands->inputs[X]->shape;

  if (!ens_check_type (operands, X, ENS_TYPES_REAL, error)
      || !ens_check_rank (operands, X, 2, ENS_MAX_RANK, error))
    return FALSE;
  for (guint i = SCALE; i <= VARIANCE; i++)
    if (!ens_check_type (operands, i, ENS_TYPES_REAL, error)
        || !ens_check_vector (operands, i, shape->dims[shape->rank - 1], error))
      return FALSE;
  return ens_set_output_like_input (operands, error);
}

static void
batch_reference (const EnsOperands *operands)
{
  const EnsNormalizationParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  gsize n = ens_view_elements (y), channels = ens_view_columns (y);

  for (gsize i = 0; i < n; i++) {
    gsize c = i % channels;
    double deviation = sqrt (ens_view_real (operands->inputs[VARIANCE], c) + params->epsilon);
    double value = ens_view_real (x, ens_view_offset (x, i));

    value = (value - ens_view_real (operands->inputs[MEAN], c)) / deviation;
    value = value * ens_view_real (operands->inputs[SCALE], c)
            + ens_view_real (operands->inputs[BIAS], c);
    ens_view_set_real (y, ens_view_offset (y, i), value);
  }
}

/* y = x · factor + offset, each by channel. */
typedef struct {
  const EnsView *x, *y;
  const float *factor, *offset;
} Affine;

ENS_CLONES static void
affine_row (const float *x, const float *factor, const float *offset, float *y, gsize n)
{
  for (gsize i = 0; i < n; i++)
    y[i] = x[i] * factor[i] + offset[i];
}

static void
affine_rows (gconstpointer data, gsize begin, gsize end)
{
  const Affine *affine = data;

  for (gsize row = begin; row < end; row++)
    affine_row ((const float *)affine->x->data + row * (gsize)affine->x->pitch, affine->factor,
                affine->offset, (float *)affine->y->data + row * (gsize)affine->y->pitch,
                ens_view_columns (affine->y));
}

static gboolean
is_float32 (const EnsOperands *operands)
{
  for (guint i = 0; i < operands->n_inputs; i++)
    if (operands->inputs[i]->type != ENS_TYPE_FLOAT32)
      return FALSE;
  return TRUE;
}

static void
batch_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  plan->kernel = "affine";
  plan->scratch_size = 2 * ens_view_columns (operands->inputs[X]) * sizeof (float);
}

static void
batch_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsNormalizationParams *params = operands->params;
  gsize channels = ens_view_columns (operands->inputs[X]);
  float *factor = context->scratch, *offset = factor + channels;
  Affine affine = {
      .x = operands->inputs[X], .y = operands->outputs[0], .factor = factor, .offset = offset};

  if (!is_float32 (operands)) {
    batch_reference (operands);
    return;
  }
  for (gsize c = 0; c < channels; c++) {
    double scale = ens_view_real (operands->inputs[SCALE], c)
                   / sqrt (ens_view_real (operands->inputs[VARIANCE], c) + params->epsilon);

    factor[c] = (float)scale;
    offset[c] = (float)(ens_view_real (operands->inputs[BIAS], c)
                        - ens_view_real (operands->inputs[MEAN], c) * scale);
  }
  ens_parallel (context->pool, ens_view_rows (affine.y), channels, affine_rows, &affine);
}

/* Invocations of a workgroup, and elements of each. */
#define GROUP 128
#define LANES 4

static gboolean
batch_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsNormalizationParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  EnsBatchNormalizationPush push = {
      .rows = (guint32)ens_view_rows (y),
      .columns = (guint32)ens_view_columns (y),
      .x_pitch = (guint32)x->pitch,
      .y_pitch = (guint32)y->pitch,
      .epsilon = params->epsilon,
  };
  EnsDispatch dispatch = {
      .shader = "batch-normalization",
      .n_bindings = VARIANCE + 2,
      .push = &push,
      .push_size = sizeof push,
  };

  if (!ens_record_storage (operands, X, VARIANCE + 1, &dispatch.storage))
    return FALSE;
  if (ens_view_elements (y) == 0)
    return TRUE;
  for (guint i = X; i <= VARIANCE; i++)
    dispatch.bindings[i] = (EnsBinding) {operands->inputs[i], ENS_ACCESS_READ};
  dispatch.bindings[VARIANCE + 1] = (EnsBinding) {y, ENS_ACCESS_WRITE};
  ens_commands_cover (commands, &dispatch, (gsize)push.rows * ((push.columns + LANES - 1) / LANES),
                      GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

/* With fixed statistics y is scale / √(variance + ε) · x and a constant. */
static EnsValue *
scale_gradient (EnsGradient *gradient)
{
  const EnsNode *node = gradient->node;
  const EnsNormalizationParams *params = node->params;
  EnsValue *epsilon =
      ens_gradient_number (gradient, node->inputs[VARIANCE]->type, (double)params->epsilon);
  EnsValue *factor =
      ens_gradient_apply (gradient, &ens_op_add, NULL, node->inputs[VARIANCE], epsilon, NULL);

  factor = ens_gradient_apply (gradient, &ens_op_sqrt, NULL, factor, NULL);
  factor = ens_gradient_apply (gradient, &ens_op_div, NULL, node->inputs[SCALE], factor, NULL);
  return ens_gradient_apply (gradient, &ens_op_mul, NULL, gradient->outputs[0], factor, NULL);
}

static gboolean
batch_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsNormalizationParams *params = node->params;
  EnsValue *inputs[] = {gradient->outputs[0], node->inputs[X], node->inputs[SCALE],
                        node->inputs[MEAN], node->inputs[VARIANCE]};
  EnsNode *grad;

  if (gradient->wanted[MEAN] || gradient->wanted[VARIANCE])
    return ens_gradient_error (gradient, error, "its statistics are not constant");
  if (!gradient->wanted[SCALE] && !gradient->wanted[BIAS]) {
    gradient->inputs[X] = scale_gradient (gradient);
    return TRUE;
  }
  grad = ens_gradient_add (gradient, &ens_op_batch_normalization_grad,
                           &(EnsBatchGradParams) {params->epsilon, FALSE}, inputs,
                           G_N_ELEMENTS (inputs), 3);
  for (guint i = X; i <= BIAS; i++)
    gradient->inputs[i] = gradient->wanted[i] ? grad->outputs[i] : NULL;
  return TRUE;
}

static const EnsOpExample batch_examples[] = {
    {"2x5x4x7 =7 =7 =7 =7", &(const EnsNormalizationParams) {1e-3f}, .positive = TRUE}, {NULL}};

const EnsOp ens_op_batch_normalization = {.name = "BatchNormalization",
                                          .min_inputs = 5,
                                          .max_inputs = 5,
                                          .min_outputs = 1,
                                          .max_outputs = 1,
                                          .layout = ENS_LAYOUT_SPATIAL,
                                          .flags = ENS_OP_PITCHED | ENS_OP_IN_PLACE,
                                          .params_size = sizeof (EnsNormalizationParams),
                                          .attributes = batch_attributes,
                                          .parameters = {[SCALE] = ENS_PARAMETER_SCALE,
                                                         [BIAS] = ENS_PARAMETER_BIAS,
                                                         [MEAN] = ENS_PARAMETER_MEAN,
                                                         [VARIANCE] = ENS_PARAMETER_VARIANCE},
                                          .shape = batch_shape,
                                          .reference = batch_reference,
                                          .cpu = batch_cpu,
                                          .cpu_plan = batch_cpu_plan,
                                          .gpu = batch_gpu,
                                          .gradient = batch_gradient,
                                          .per_image = ens_per_image_with_constants,
                                          .example = batch_examples};

/* LpNormalization: divides by the norm along an axis. */

static const EnsAttribute lp_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsLpNormalizationParams, axis), .integer = -1},
    {"p", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsLpNormalizationParams, p), .integer = 2, .min = 1,
     .max = 2},
    ENS_ATTRIBUTE_END};

static gboolean
lp_permute (gpointer params, guint rank, const guint *map)
{
  ens_permute_axis (&((EnsLpNormalizationParams *)params)->axis, rank, map);
  return TRUE;
}

static gboolean
lp_shape (EnsOperands *operands, GError **error)
{
  const EnsLpNormalizationParams *params = operands->params;
  guint axis;

  return ens_check_type (operands, 0, ENS_TYPES_REAL, error)
         && ens_check_axis (operands, params->axis, operands->inputs[0]->shape.rank, &axis, error)
         && ens_set_output_like_input (operands, error);
}

static void
lp_reference (const EnsOperands *operands)
{
  const EnsLpNormalizationParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  gsize n = ens_view_elements (y), length, inner;
  guint axis = 0;

  ens_check_axis (operands, params->axis, x->shape.rank, &axis, NULL);
  length = (gsize)x->shape.dims[axis];
  inner = (gsize)ens_shape_span (&x->shape, axis + 1, x->shape.rank);
  for (gsize i = 0; i < n; i++) {
    gsize first = i / (length * inner) * length * inner + i % inner;
    double norm = 0;

    if (i != first)
      continue;
    for (gsize k = 0; k < length; k++) {
      double value = ens_view_real (x, first + k * inner);

      norm += params->p == 1 ? fabs (value) : value * value;
    }
    norm = params->p == 1 ? norm : sqrt (norm);
    for (gsize k = 0; k < length; k++)
      ens_view_set_real (y, first + k * inner,
                         norm > 0 ? ens_view_real (x, first + k * inner) / norm : 0);
  }
}

static gboolean
lp_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsLpNormalizationParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[0]->shape;
  EnsLines lines;
  guint axis = 0;

  ens_check_axis (operands, params->axis, shape->rank, &axis, NULL);
  lines = ens_lines_along (shape, axis, axis + 1);
  return ens_record_lines (operands, commands, &lines, params->p == 1 ? ENS_LINE_L1 : ENS_LINE_L2);
}

static gboolean
lp_per_image (const EnsNode *node)
{
  return !ens_axis_is_batch (node, ((const EnsLpNormalizationParams *)node->params)->axis);
}

/* y = x / n: dx = (dy − ∂n / ∂x · Σ dy · y) / n, with ∂n / ∂x = y, or the sign of x for p = 1. Of
 * zeroes, which stay zeroes, dx is 0. */
static gboolean
lp_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsLpNormalizationParams *params = node->params;
  EnsValue *x = node->inputs[0], *y = node->outputs[0], *dy = gradient->outputs[0];
  gint64 axis = params->axis + (params->axis < 0 ? x->shape.rank : 0);
  EnsReduceParams reduce = {.axes = {1, TRUE, {axis}}, .keepdims = TRUE};
  EnsValue *norm = ens_gradient_apply (
      gradient, params->p == 1 ? &ens_op_reduce_l1 : &ens_op_reduce_l2, &reduce, x, NULL);
  EnsValue *slope = params->p == 1 ? ens_gradient_apply (gradient, &ens_op_sign, NULL, x, NULL) : y;
  EnsValue *sum = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, y, NULL);

  sum = ens_gradient_sum (gradient, sum, 1u << axis);
  sum = ens_gradient_apply (gradient, &ens_op_mul, NULL, slope, sum, NULL);
  dy = ens_gradient_apply (gradient, &ens_op_sub, NULL, dy, sum, NULL);
  gradient->inputs[0] = ens_gradient_quotient (gradient, dy, norm);
  return TRUE;
}

static const EnsOpExample lp_examples[] = {{"2x5x7", &(const EnsLpNormalizationParams) {-1, 2}},
                                           {NULL}};

const EnsOp ens_op_lp_normalization = {.name = "LpNormalization",
                                       .min_inputs = 1,
                                       .max_inputs = 1,
                                       .min_outputs = 1,
                                       .max_outputs = 1,
                                       .layout = ENS_LAYOUT_FOLLOWS,
                                       .params_size = sizeof (EnsLpNormalizationParams),
                                       .attributes = lp_attributes,
                                       .permute = lp_permute,
                                       .shape = lp_shape,
                                       .reference = lp_reference,
                                       .gpu = lp_gpu,
                                       .gradient = lp_gradient,
                                       .per_image = lp_per_image,
                                       .example = lp_examples};
