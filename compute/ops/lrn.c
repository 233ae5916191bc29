/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LRN: local response normalisation across channels (Krizhevsky, Sutskever, Hinton, ImageNet
 * Classification with Deep Convolutional Neural Networks, NIPS 2012, §3.3). */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/lrn.h"

static const EnsAttribute lrn_attributes[] = {
    {"size", ENS_ATTRIBUTE_INT, ENS_ATTRIBUTE_REQUIRED, ENS_MEMBER (EnsLrnParams, size), .min = 1,
     .max = G_MAXINT64},
    {"alpha", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsLrnParams, alpha), .real = 0.0001F},
    {"beta", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsLrnParams, beta), .real = 0.75F},
    {"bias", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsLrnParams, bias), .real = 1},
    ENS_ATTRIBUTE_END};

static gboolean
lrn_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_REAL, error)
         && ens_check_rank (operands, 0, 2, ENS_MAX_RANK, error)
         && ens_set_output_like_input (operands, error);
}

/* The channels that channel c is normalised by: [first, last]. */
static void
neighbours (gint64 size, gint64 channels, gint64 c, gint64 *first, gint64 *last)
{
  *first = MAX (c - (size - 1) / 2, 0);
  *last = size / 2 < channels - c ? c + size / 2 : channels - 1;
}

static double
lrn_visits (const EnsOperands *operands)
{
  const EnsLrnParams *params = operands->params;
  const EnsView *y = operands->outputs[0];

  return (double)ens_view_elements (y) * (double)MIN (params->size, (gint64)ens_view_columns (y));
}

static void
lrn_reference (const EnsOperands *operands)
{
  const EnsLrnParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  gint64 n = ens_shape_elements (&y->shape), channels = (gint64)ens_view_columns (y);

  for (gint64 i = 0; i < n; i++) {
    gsize row = (gsize)(i / channels * x->pitch);
    gint64 c = i % channels, first, last;
    double sum = 0;

    neighbours (params->size, channels, c, &first, &last);
    for (gint64 k = first; k <= last; k++) {
      double value = ens_view_real (x, row + (gsize)k);

      sum += value * value;
    }
    ens_view_set_real (
        y, ens_view_offset (y, (gsize)i),
        ens_view_real (x, row + (gsize)c)
            / pow (params->bias + params->alpha / (double)params->size * sum, params->beta));
  }
}

ENS_INLINE float
sum_squares (const float *x, gint64 first, gint64 last)
{
  float sum = 0;

  for (gint64 k = first; k <= last; k++)
    sum += x[k] * x[k];
  return sum;
}

/* x · s^(−¾) without a power. */
ENS_CLONES static void
divide_by_three_quarters (const float *x, const float *s, float *y, gsize n)
{
  for (gsize c = 0; c < n; c++) {
    float root = sqrtf (s[c]);

    y[c] = x[c] / (root * sqrtf (root));
  }
}

#define BLOCK 256

static void
lrn_row (const EnsLrnParams *params, const float *x, float *y, gint64 channels)
{
  float scale = params->alpha / (float)params->size;
  float s[BLOCK];

  for (gint64 begin = 0; begin < channels; begin += BLOCK) {
    gint64 n = MIN (BLOCK, channels - begin);

    for (gint64 c = 0; c < n; c++) {
      gint64 first, last;

      neighbours (params->size, channels, begin + c, &first, &last);
      s[c] = params->bias + scale * sum_squares (x, first, last);
    }
    if (params->beta == 0.75f)
      divide_by_three_quarters (x + begin, s, y + begin, (gsize)n);
    else
      for (gint64 c = 0; c < n; c++)
        y[begin + c] = x[begin + c] * powf (s[c], -params->beta);
  }
}

static void
lrn_rows (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];

  for (gsize row = begin; row < end; row++)
    lrn_row (operands->params, (const float *)x->data + row * (gsize)x->pitch,
             (float *)y->data + row * (gsize)y->pitch, (gint64)ens_view_columns (y));
}

static void
lrn_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsLrnParams *params = operands->params;
  const EnsView *y = operands->outputs[0];

  ens_parallel (context->pool, ens_view_rows (y),
                ens_view_columns (y) * (gsize)MIN (params->size + 2, 64), lrn_rows, operands);
}

#define GROUP 128

static gboolean
lrn_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsLrnParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  gint64 channels = (gint64)ens_view_columns (y);
  EnsLrnPush push = {
      .rows = (guint32)ens_view_rows (y),
      .columns = (guint32)channels,
      .x_pitch = (guint32)x->pitch,
      .y_pitch = (guint32)y->pitch,
      .before = (guint32)MIN ((params->size - 1) / 2, channels),
      .after = (guint32)MIN (params->size / 2, channels),
      .factor = params->alpha / (float)params->size,
      .beta = params->beta,
      .bias = params->bias,
  };
  EnsDispatch dispatch = {
      .shader = "lrn",
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 2,
      .push = &push,
      .push_size = sizeof push,
  };

  if (!ens_record_storage (operands, 0, 1, &dispatch.storage)
      || MIN (params->size, channels) > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (ens_view_elements (y) > 0) {
    ens_commands_cover (commands, &dispatch, ens_view_elements (y), GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

/* Not in place: neighbours are read after they would have been overwritten. */
/* The mean over `before` channels before each one, itself, and `behind` ones: pooling of pixels
 * that are taken for images of one row. */
static EnsValue *
average (EnsGradient *gradient, EnsValue *value, gint64 before, gint64 behind)
{
  const EnsShape *shape = &gradient->node->inputs[0]->shape;
  gint64 channels = shape->dims[shape->rank - 1];
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT, .count_include_pad = TRUE};

  pool.sliding.rank = 1;
  pool.sliding.kernel[0] = before + 1 + behind;
  pool.sliding.pads_begin[0] = before;
  pool.sliding.pads_end[0] = behind;
  value = ens_gradient_reshape (
      gradient, value, &ENS_SHAPE (ens_shape_span (shape, 0, shape->rank - 1), channels, 1));
  value = ens_gradient_apply (gradient, &ens_op_average_pool, &pool, value, NULL);
  return ens_gradient_reshape (gradient, value, shape);
}

static EnsValue *
combine (EnsGradient *gradient, const EnsOp *op, EnsValue *a, EnsValue *b)
{
  return ens_gradient_apply (gradient, op, NULL, a, b, NULL);
}

/* y = x s⁻ᵝ with s = bias + α · average (x²): dx = dy s⁻ᵝ − 2 α β x · average' (dy · y / s), where
 * average' runs over the channels that have this one among their neighbours. */
static gboolean
lrn_gradient (EnsGradient *gradient, GError **error)
{
  const EnsLrnParams *params = gradient->node->params;
  EnsValue *x = gradient->node->inputs[0], *y = gradient->node->outputs[0];
  EnsValue *dy = gradient->outputs[0], *sum, *power, *share;
  gint64 before = (params->size - 1) / 2, behind = params->size / 2;
  EnsType type = x->type;

  if (params->size > G_MAXINT16)
    return ens_gradient_error (gradient, error, "its size is too large");
  sum = average (gradient, combine (gradient, &ens_op_mul, x, x), before, behind);
  sum = combine (gradient, &ens_op_mul, sum,
                 ens_gradient_number (gradient, type, (double)params->alpha));
  sum = combine (gradient, &ens_op_add, sum,
                 ens_gradient_number (gradient, type, (double)params->bias));
  power = combine (gradient, &ens_op_pow, sum,
                   ens_gradient_number (gradient, type, -(double)params->beta));
  share = combine (gradient, &ens_op_div, combine (gradient, &ens_op_mul, dy, y), sum);
  share = combine (gradient, &ens_op_mul, average (gradient, share, behind, before), x);
  share = combine (
      gradient, &ens_op_mul, share,
      ens_gradient_number (gradient, type, 2 * (double)params->alpha * (double)params->beta));
  gradient->inputs[0] =
      combine (gradient, &ens_op_sub, combine (gradient, &ens_op_mul, dy, power), share);
  return TRUE;
}

static const EnsOpExample lrn_examples[] = {{"2x5x4x7", &(const EnsLrnParams) {5, 1e-2f, 0.75f, 1}},
                                            {NULL}};

const EnsOp ens_op_lrn = {.name = "LRN",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .min_outputs = 1,
                          .max_outputs = 1,
                          .layout = ENS_LAYOUT_SPATIAL,
                          .flags = ENS_OP_PITCHED,
                          .params_size = sizeof (EnsLrnParams),
                          .attributes = lrn_attributes,
                          .shape = lrn_shape,
                          .visits = lrn_visits,
                          .reference = lrn_reference,
                          .cpu = lrn_cpu,
                          .gpu = lrn_gpu,
                          .gradient = lrn_gradient,
                          .per_image = ens_per_image_with_constants,
                          .example = lrn_examples};
