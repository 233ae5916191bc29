/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LayerNormalization: over the last axes, from `axis` on, of each row by itself (Ba, Kiros and
 * Hinton, "Layer Normalization", 2016); and RMSNormalization, which does not subtract the mean
 * (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019). */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/layer-normalization.h"

enum { X, SCALE, BIAS };
enum { Y, MEAN, INVERSE_DEVIATION };

static const EnsAttribute layer_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsLayerNormalizationParams, axis), .integer = -1},
    {"epsilon", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsLayerNormalizationParams, epsilon),
     .real = 1e-5F},
    {"stash_type", ENS_ATTRIBUTE_FIXED, .integer = 1, .advice = "; mean and deviation are float32"},
    ENS_ATTRIBUTE_END};

/* Scale and bias have the shape of what is normalised. */
static gboolean
check_vector (const EnsOperands *operands, guint input, guint axis, GError **error)
{
  const EnsShape *shape = &operands->inputs[X]->shape;
  const EnsView *vector = ens_operands_input (operands, input);
  EnsShape expected = {.rank = shape->rank - axis};
  g_autofree char *expected_text = NULL, *found = NULL;

  for (guint i = 0; i < expected.rank; i++)
    expected.dims[i] = shape->dims[axis + i];
  if (vector == NULL || ens_shape_equal (&vector->shape, &expected))
    return TRUE;
  expected_text = ens_shape_to_string (&expected);
  found = ens_shape_to_string (&vector->shape);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u is %s, expected %s", input,
                       found, expected_text);
}

static gboolean
layer_shape (EnsOperands *operands, GError **error)
{
  const EnsLayerNormalizationParams *params = operands->params;
  EnsShape shape = operands->inputs[X]->shape;
  guint axis;

  if (!ens_check_type (operands, X, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, SCALE, error)
      || !ens_check_axis (operands, params->axis, shape.rank, &axis, error)
      || !check_vector (operands, SCALE, axis, error) || !check_vector (operands, BIAS, axis, error)
      || !ens_set_output_like_input (operands, error))
    return FALSE;
  for (guint i = axis; i < shape.rank; i++)
    shape.dims[i] = 1;
  for (guint i = MEAN; i < operands->n_outputs; i++)
    if (!ens_set_output (operands, i, operands->inputs[X]->type, &shape, error))
      return FALSE;
  return TRUE;
}

static gsize
count_rows (const EnsOperands *operands)
{
  const EnsLayerNormalizationParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[X]->shape;
  guint axis = 0;

  ens_check_axis (operands, params->axis, shape->rank, &axis, NULL);
  return (gsize)ens_shape_span (shape, 0, axis);
}

static void
set_statistics (const EnsOperands *operands, gsize row, double mean, double inverse)
{
  if (operands->n_outputs > MEAN)
    ens_view_set_real (operands->outputs[MEAN], row, mean);
  if (operands->n_outputs > INVERSE_DEVIATION)
    ens_view_set_real (operands->outputs[INVERSE_DEVIATION], row, inverse);
}

static void
normalise_reference (const EnsOperands *operands, gboolean centred)
{
  const EnsLayerNormalizationParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *bias = ens_operands_input (operands, BIAS);
  gsize rows = count_rows (operands), n = rows > 0 ? ens_view_elements (x) / rows : 0;

  for (gsize row = 0; row < rows; row++) {
    double mean = 0, squares = 0, inverse;

    for (gsize i = 0; centred && i < n; i++)
      mean += ens_view_real (x, row * n + i) / (double)n;
    for (gsize i = 0; i < n; i++) {
      double difference = ens_view_real (x, row * n + i) - mean;

      squares += difference * difference;
    }
    inverse = 1 / sqrt (squares / (double)n + params->epsilon);
    set_statistics (operands, row, mean, inverse);
    for (gsize i = 0; i < n; i++)
      ens_view_set_real (operands->outputs[Y], row * n + i,
                         (ens_view_real (x, row * n + i) - mean) * inverse
                                 * ens_view_real (operands->inputs[SCALE], i)
                             + (bias != NULL ? ens_view_real (bias, i) : 0));
  }
}

static void
layer_reference (const EnsOperands *operands)
{
  normalise_reference (operands, TRUE);
}

static void
rms_reference (const EnsOperands *operands)
{
  normalise_reference (operands, FALSE);
}

/* The fast kernel. Sums have as many parts as a vector of any processor has lanes, so that loops
 * are vectorised and the order of additions is the same everywhere. */
#define LANES 16

ENS_INLINE float
sum_differences (const float *x, gsize n, float mean, gboolean square)
{
  float lanes[LANES] = {0}, sum = 0;
  gsize i = 0;

  for (; i + LANES <= n; i += LANES)
    for (gsize lane = 0; lane < LANES; lane++) {
      float difference = x[i + lane] - mean;

      lanes[lane] += square ? difference * difference : difference;
    }
  for (gsize lane = 0; i < n; i++, lane++) {
    float difference = x[i] - mean;

    lanes[lane] += square ? difference * difference : difference;
  }
  for (gsize lane = 0; lane < LANES; lane++)
    sum += lanes[lane];
  return sum;
}

typedef struct {
  const EnsOperands *operands;
  gboolean centred;
} Rows;

ENS_CLONES static void
normalise_row (const Rows *rows, const float *x, const float *scale, const float *bias, gsize n,
               float *y, float *mean, float *inverse)
{
  float epsilon = ((const EnsLayerNormalizationParams *)rows->operands->params)->epsilon;

  *mean = rows->centred ? sum_differences (x, n, 0, FALSE) / (float)n : 0;
  *inverse = 1 / sqrtf (sum_differences (x, n, *mean, TRUE) / (float)n + epsilon);
  if (bias != NULL)
    for (gsize i = 0; i < n; i++)
      y[i] = (x[i] - *mean) * *inverse * scale[i] + bias[i];
  else
    for (gsize i = 0; i < n; i++)
      y[i] = (x[i] - *mean) * *inverse * scale[i];
}

static void
normalise_rows (gconstpointer data, gsize begin, gsize end)
{
  const Rows *rows = data;
  const EnsOperands *operands = rows->operands;
  const EnsView *bias = ens_operands_input (operands, BIAS);
  gsize n = ens_view_elements (operands->inputs[SCALE]);

  for (gsize row = begin; row < end; row++) {
    float mean, inverse;

    normalise_row (rows, (const float *)operands->inputs[X]->data + row * n,
                   operands->inputs[SCALE]->data, bias != NULL ? bias->data : NULL, n,
                   (float *)operands->outputs[Y]->data + row * n, &mean, &inverse);
    set_statistics (operands, row, mean, inverse);
  }
}

static void
layer_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  ens_parallel (context->pool, count_rows (operands),
                3 * ens_view_elements (operands->inputs[SCALE]), normalise_rows,
                &(Rows) {operands, TRUE});
}

static void
rms_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  ens_parallel (context->pool, count_rows (operands),
                2 * ens_view_elements (operands->inputs[SCALE]), normalise_rows,
                &(Rows) {operands, FALSE});
}

static gboolean
record (const EnsOperands *operands, EnsCommands *commands, gboolean centred)
{
  const EnsLayerNormalizationParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *scale = operands->inputs[SCALE];
  const EnsView *bias = ens_operands_input (operands, BIAS), *y = operands->outputs[Y];
  EnsLayerNormalizationPush push = {
      .n = (guint32)count_rows (operands),
      .extent = (guint32)ens_view_elements (scale),
      .epsilon = params->epsilon,
  };
  EnsDispatch dispatch = {
      .shader = "layer-normalization",
      .bindings = {{x, ENS_ACCESS_READ},
                   {scale, ENS_ACCESS_READ},
                   {bias != NULL ? bias : scale, ENS_ACCESS_READ}},
      .n_bindings = 6,
      .constants = {ens_tile_across (&(EnsTileLines) {.columns = push.extent, .passes = 3}),
                    bias != NULL, operands->n_outputs, centred},
      .n_constants = 4,
      .push = &push,
      .push_size = sizeof push,
  };

  if (!ens_record_storage (operands, X, BIAS + 1, &dispatch.storage) || dispatch.constants[0] == 0)
    return FALSE;
  if (ens_view_elements (x) == 0)
    return TRUE;
  for (guint i = Y; i <= INVERSE_DEVIATION; i++)
    dispatch.bindings[3 + i] =
        (EnsBinding) {i < operands->n_outputs ? operands->outputs[i] : y, ENS_ACCESS_WRITE};
  ens_tile_cover (commands, &dispatch, push.n);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static gboolean
layer_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record (operands, commands, TRUE);
}

static gboolean
rms_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record (operands, commands, FALSE);
}

static gboolean
layer_per_image (const EnsNode *node)
{
  return ens_per_image_with_constants (node)
         && !ens_axis_is_batch (node, ((const EnsLayerNormalizationParams *)node->params)->axis);
}

static void
differentiate (EnsGradient *gradient, gboolean uncentred)
{
  const EnsNode *node = gradient->node;
  const EnsLayerNormalizationParams *params = node->params;
  EnsValue *x = node->inputs[X], *dy, *inverse, *normalised;
  guint rank = x->shape.rank;
  guint axis = (guint)(params->axis + (params->axis < 0 ? rank : 0));
  const EnsGradientNormal normal = {.axes = ((1u << rank) - 1) & ~((1u << axis) - 1),
                                    .epsilon = (double)params->epsilon,
                                    .uncentred = uncentred};

  normalised = ens_gradient_normalise (gradient, x, &normal, &inverse);
  dy = ens_gradient_affine (gradient, gradient->outputs[Y], normalised,
                            &(EnsGradientAffine) {SCALE, BIAS, &node->inputs[SCALE]->shape});
  if (gradient->wanted[X])
    gradient->inputs[X] = ens_gradient_of_normal (gradient, dy, normalised, inverse, &normal);
}

static gboolean
layer_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;

  if (gradient->outputs[Y] == NULL || (node->n_outputs > MEAN && gradient->outputs[MEAN] != NULL)
      || (node->n_outputs > INVERSE_DEVIATION && gradient->outputs[INVERSE_DEVIATION] != NULL))
    return ens_gradient_error (gradient, error, "the loss depends on its statistics");
  differentiate (gradient, FALSE);
  return TRUE;
}

static const EnsOpExample layer_examples[] = {
    {"2x5x7 =7 =7", &(const EnsLayerNormalizationParams) {-1, 1e-3f}}, {NULL}};

const EnsOp ens_op_layer_normalization = {
    .name = "LayerNormalization",
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 3,
    .layout = ENS_LAYOUT_PLAIN,
    .params_size = sizeof (EnsLayerNormalizationParams),
    .versions = {.since = 17},
    .attributes = layer_attributes,
    .parameters = {[SCALE] = ENS_PARAMETER_SCALE, [BIAS] = ENS_PARAMETER_BIAS},
    .shape = layer_shape,
    .reference = layer_reference,
    .cpu = layer_cpu,
    .gpu = layer_gpu,
    .gradient = layer_gradient,
    .per_image = layer_per_image,
    .example = layer_examples};

/* RMSNormalization */

static gboolean
rms_gradient (EnsGradient *gradient, GError **error)
{
  differentiate (gradient, TRUE);
  return TRUE;
}

static const EnsOpExample rms_examples[] = {
    {"2x5x7 =7", &(const EnsLayerNormalizationParams) {-1, 1e-3f}}, {NULL}};

const EnsOp ens_op_rms_normalization = {.name = "RMSNormalization",
                                        .min_inputs = 2,
                                        .max_inputs = 2,
                                        .min_outputs = 1,
                                        .max_outputs = 1,
                                        .layout = ENS_LAYOUT_PLAIN,
                                        .params_size = sizeof (EnsLayerNormalizationParams),
                                        .versions = {.since = 23},
                                        .attributes = layer_attributes,
                                        .parameters = {[SCALE] = ENS_PARAMETER_SCALE},
                                        .shape = layer_shape,
                                        .reference = rms_reference,
                                        .cpu = rms_cpu,
                                        .gpu = rms_gpu,
                                        .gradient = rms_gradient,
                                        .per_image = layer_per_image,
                                        .example = rms_examples};
