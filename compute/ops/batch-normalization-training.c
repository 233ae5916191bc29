/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BatchNormalizationTraining: batch normalisation by the statistics of the batch itself (Ioffe and
 * Szegedy, "Batch Normalization", ICML 2015). Inputs as BatchNormalization's; outputs Y, the new
 * running mean and variance, and the batch's own mean and variance. The latter is the biased one,
 * which normalises; the running variance is made of the unbiased one, as in PyTorch. */
#include "ops/elementwise.h"
#include "ops/gradient.h"
#include "ops/pixel-tiles.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>
#include <string.h>

#include "push/batch-normalization-training.h"
#include "push/batch-normalization.h"

enum { X, SCALE, BIAS, MEAN, VARIANCE };
enum { Y, NEW_MEAN, NEW_VARIANCE, BATCH_MEAN, BATCH_VARIANCE, N_OUTPUTS };

static const EnsAttribute training_attributes[] = {
    {"epsilon", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsBatchTrainingParams, epsilon), .real = 1e-5F},
    {"momentum", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsBatchTrainingParams, momentum), .real = 0.1F},
    ENS_ACTIVATION_ATTRIBUTES (EnsBatchTrainingParams),
    ENS_ATTRIBUTE_END};

static gboolean
training_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *shape = &operands->inputs[X]->shape;
  gint64 channels = shape->rank > 0 ? shape->dims[shape->rank - 1] : 0;

  if (!ens_check_type (operands, X, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, SCALE, error)
      || !ens_check_rank (operands, X, 2, ENS_MAX_RANK, error))
    return FALSE;
  for (guint i = SCALE; i <= VARIANCE; i++)
    if (!ens_check_vector (operands, i, channels, error))
      return FALSE;
  if (ens_shape_span (shape, 0, shape->rank - 1) < 2)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "a batch has one value per channel; its variance needs two");
  for (guint i = NEW_MEAN; i < operands->n_outputs; i++)
    if (!ens_set_output (operands, i, operands->inputs[X]->type, &ENS_SHAPE (channels), error))
      return FALSE;
  return ens_set_output_like_input (operands, error);
}

static void
set (const EnsOperands *operands, guint output, gsize channel, double value)
{
  ens_view_set_real (operands->outputs[output], channel, value);
}

static void
set_statistics (const EnsOperands *operands, gsize channel, double mean, double squares)
{
  const EnsBatchTrainingParams *params = operands->params;
  double n = (double)ens_view_rows (operands->inputs[X]), momentum = (double)params->momentum;
  double old_mean = ens_view_real (operands->inputs[MEAN], channel);
  double old_variance = ens_view_real (operands->inputs[VARIANCE], channel);

  set (operands, BATCH_MEAN, channel, mean);
  set (operands, BATCH_VARIANCE, channel, squares / n);
  set (operands, NEW_MEAN, channel, old_mean + momentum * (mean - old_mean));
  set (operands, NEW_VARIANCE, channel,
       old_variance + momentum * (squares / (n - 1) - old_variance));
}

/* y = scale · x + offset by channel. */
static void
find_affine (const EnsOperands *operands, gsize channel, double *scale, double *offset)
{
  const EnsBatchTrainingParams *params = operands->params;
  double variance = ens_view_real (operands->outputs[BATCH_VARIANCE], channel);

  *scale =
      ens_view_real (operands->inputs[SCALE], channel) / sqrt (variance + (double)params->epsilon);
  *offset = ens_view_real (operands->inputs[BIAS], channel)
            - *scale * ens_view_real (operands->outputs[BATCH_MEAN], channel);
}

static void
training_reference_channel (const EnsOperands *operands, gsize channel)
{
  const EnsBatchTrainingParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[Y];
  gsize rows = ens_view_rows (x);
  double mean = 0, squares = 0, scale, offset;

  for (gsize i = 0; i < rows; i++)
    mean += ens_view_real (x, i * (gsize)x->pitch + channel) / (double)rows;
  for (gsize i = 0; i < rows; i++) {
    double difference = ens_view_real (x, i * (gsize)x->pitch + channel) - mean;

    squares += difference * difference;
  }
  set_statistics (operands, channel, mean, squares);
  find_affine (operands, channel, &scale, &offset);
  for (gsize i = 0; i < rows; i++)
    ens_view_set_real (
        y, i * (gsize)y->pitch + channel,
        ens_activation_apply (&params->activation,
                              ens_view_real (x, i * (gsize)x->pitch + channel) * scale + offset));
}

static void
training_reference (const EnsOperands *operands)
{
  for (gsize c = 0; c < ens_view_columns (operands->inputs[X]); c++)
    training_reference_channel (operands, c);
}

/* sums[c] += Σ x[c] of the rows. */
ENS_CLONES static void
add_rows (const float *x, gsize pitch, gsize rows, gsize channels, float *sums)
{
  gsize i = 0;

  for (; i + 4 <= rows; i += 4, x += 4 * pitch)
    for (gsize c = 0; c < channels; c++)
      sums[c] += (x[c] + x[pitch + c]) + (x[2 * pitch + c] + x[3 * pitch + c]);
  for (; i < rows; i++, x += pitch)
    for (gsize c = 0; c < channels; c++)
      sums[c] += x[c];
}

/* squares[c] += Σ (x[c] − mean[c])² of the rows. */
ENS_CLONES static void
add_squares (const float *x, gsize pitch, gsize rows, gsize channels, const float *mean,
             float *squares)
{
  gsize i = 0;

  for (; i + 2 <= rows; i += 2, x += 2 * pitch)
    for (gsize c = 0; c < channels; c++) {
      float a = x[c] - mean[c], b = x[pitch + c] - mean[c];

      squares[c] += a * a + b * b;
    }
  for (; i < rows; i++, x += pitch)
    for (gsize c = 0; c < channels; c++)
      squares[c] += (x[c] - mean[c]) * (x[c] - mean[c]);
}

typedef struct {
  const EnsOperands *operands;
  EnsPixelTiles tiles;
  float *means, *squares; /* n_tiles × channels: of each tile, squares of differences from it */
  float *scale, *offset;  /* by channel */
  float low, high;
} Work;

static Work
begin_work (const EnsOperands *operands, float *scratch)
{
  Work work = {.operands = operands,
               .tiles = ens_pixel_tiles (operands->inputs[X]),
               .low = -INFINITY,
               .high = INFINITY};
  gsize channels = work.tiles.channels;

  work.means = scratch;
  work.squares = work.means + work.tiles.n_tiles * channels;
  work.scale = work.squares + work.tiles.n_tiles * channels;
  work.offset = work.scale + channels;
  return work;
}

/* Mean and squared deviations from it, of tiles. */
static void
find_moments (gconstpointer data, gsize begin, gsize end)
{
  const Work *work = data;
  const EnsView *x = work->operands->inputs[X];
  gsize channels = work->tiles.channels;

  for (gsize tile = begin; tile < end; tile++) {
    float *mean = work->means + tile * channels, *squares = work->squares + tile * channels;
    const float *from = ens_pixel_tile_start (x, &work->tiles, tile);
    gsize rows = ens_pixel_tile_size (&work->tiles, tile);

    memset (mean, 0, channels * sizeof *mean);
    memset (squares, 0, channels * sizeof *squares);
    add_rows (from, (gsize)x->pitch, rows, channels, mean);
    for (gsize c = 0; c < channels; c++)
      mean[c] /= (float)rows;
    add_squares (from, (gsize)x->pitch, rows, channels, mean, squares);
  }
}

/* Tiles put together: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
 * computing sample variances", 1979. */
static void
join_moments (const Work *work, gsize channel)
{
  double mean = 0, squares = 0, n = 0;

  for (gsize tile = 0; tile < work->tiles.n_tiles; tile++) {
    double rows = (double)ens_pixel_tile_size (&work->tiles, tile);
    double difference = (double)work->means[tile * work->tiles.channels + channel] - mean;

    mean += difference * rows / (n + rows);
    squares += (double)work->squares[tile * work->tiles.channels + channel]
               + difference * difference * n * rows / (n + rows);
    n += rows;
  }
  set_statistics (work->operands, channel, mean, squares);
}

ENS_CLONES static void
scale_row (const float *x, const float *scale, const float *offset, float low, float high, float *y,
           gsize n)
{
  for (gsize i = 0; i < n; i++) {
    float value = x[i] * scale[i] + offset[i];

    value = value < low ? low : value;
    y[i] = value > high ? high : value;
  }
}

static void
scale_rows (gconstpointer data, gsize begin, gsize end)
{
  const Work *work = data;
  const EnsView *x = work->operands->inputs[X], *y = work->operands->outputs[Y];

  for (gsize i = begin; i < end; i++)
    scale_row ((const float *)x->data + i * (gsize)x->pitch, work->scale, work->offset, work->low,
               work->high, (float *)y->data + i * (gsize)y->pitch, work->tiles.channels);
}

static void
training_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsPixelTiles tiles = ens_pixel_tiles (operands->inputs[X]);

  plan->kernel = "tiles";
  plan->scratch_size = 2 * (tiles.n_tiles + 1) * tiles.channels * sizeof (float);
}

/* Activations that clip go with the scaling; those that bend follow it. */
static gboolean
clip (const EnsFusedActivation *activation, Work *work)
{
  switch (activation->kind) {
  case ENS_ACTIVATION_NONE:
    return TRUE;
  case ENS_ACTIVATION_RELU:
    work->low = 0;
    return TRUE;
  case ENS_ACTIVATION_CLIP:
    work->low = activation->alpha;
    work->high = activation->beta;
    return TRUE;
  default:
    return FALSE;
  }
}

static void
training_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsBatchTrainingParams *params = operands->params;
  Work work = begin_work (operands, context->scratch);
  gboolean clips = clip (&params->activation, &work);

  ens_parallel (context->pool, work.tiles.n_tiles, 2 * ENS_PIXEL_TILE, find_moments, &work);
  for (gsize c = 0; c < work.tiles.channels; c++) {
    double scale, offset;

    join_moments (&work, c);
    find_affine (operands, c, &scale, &offset);
    work.scale[c] = (float)scale;
    work.offset[c] = (float)offset;
  }
  ens_parallel (context->pool, work.tiles.pixels, work.tiles.channels, scale_rows, &work);
  if (!clips)
    ens_activation_run (operands->outputs[Y], operands->outputs[Y], &params->activation,
                        context->pool);
}

/* Invocations of a workgroup of elementwise shaders, and elements of each. */
#define GROUP 128
#define LANES 4

static void
dispatch_elements (EnsCommands *commands, EnsDispatch *dispatch, const EnsView *y)
{
  ens_commands_cover (commands, dispatch,
                      ens_view_rows (y) * ((ens_view_columns (y) + LANES - 1) / LANES), GROUP);
  ens_commands_dispatch (commands, dispatch);
}

/* FALSE, and nothing recorded: channels have more elements than an invocation may go through. */
static gboolean
record_statistics (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsBatchTrainingParams *params = operands->params;
  const EnsView *x = operands->inputs[X];
  EnsBatchNormalizationTrainingPush push = {
      .rows = (guint32)ens_view_rows (x),
      .columns = (guint32)ens_view_columns (x),
      .x_pitch = (guint32)x->pitch,
      .momentum = params->momentum,
  };
  EnsDispatch dispatch = {
      .shader = "batch-normalization-training",
      .storage = x->type,
      .bindings = {{x, ENS_ACCESS_READ},
                   {operands->inputs[MEAN], ENS_ACCESS_READ},
                   {operands->inputs[VARIANCE], ENS_ACCESS_READ}},
      .n_bindings = 3,
      .push = &push,
      .push_size = sizeof push,
  };

  for (guint i = NEW_MEAN; i < N_OUTPUTS; i++)
    dispatch.bindings[dispatch.n_bindings++] =
        (EnsBinding) {operands->outputs[i], ENS_ACCESS_WRITE};
  dispatch.constants[0] = ens_tile_across (&(EnsTileLines) {
      .columns = MAX (push.rows, ENS_TILE), .passes = 2, .neighbours = push.columns > 1});
  dispatch.n_constants = 1;
  if (dispatch.constants[0] == 0)
    return FALSE;
  ens_tile_cover (commands, &dispatch, push.columns);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static gboolean
training_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsBatchTrainingParams *params = operands->params;
  const EnsFusedActivation *activation = &params->activation;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[Y];
  EnsBatchNormalizationPush push = {
      .rows = (guint32)ens_view_rows (y),
      .columns = (guint32)ens_view_columns (y),
      .x_pitch = (guint32)x->pitch,
      .y_pitch = (guint32)y->pitch,
      .epsilon = params->epsilon,
  };
  EnsDispatch dispatch = {
      .shader = "batch-normalization",
      .bindings = {{x, ENS_ACCESS_READ},
                   {operands->inputs[SCALE], ENS_ACCESS_READ},
                   {operands->inputs[BIAS], ENS_ACCESS_READ},
                   {operands->outputs[BATCH_MEAN], ENS_ACCESS_READ},
                   {operands->outputs[BATCH_VARIANCE], ENS_ACCESS_READ},
                   {y, ENS_ACCESS_WRITE}},
      .n_bindings = 6,
      .push = &push,
      .push_size = sizeof push,
  };

  if (!ens_record_storage (operands, X, VARIANCE + 1, &dispatch.storage)
      || ens_view_elements (y) == 0 || !record_statistics (operands, commands))
    return FALSE;
  dispatch_elements (commands, &dispatch, y);
  if (activation->kind != ENS_ACTIVATION_NONE)
    ens_record_function (commands, y, y, activation->kind, activation->alpha, activation->beta);
  return TRUE;
}

static gboolean
training_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsBatchTrainingParams *params = node->params;
  EnsValue *inputs[] = {gradient->outputs[Y], node->inputs[X], node->inputs[SCALE],
                        node->outputs[BATCH_MEAN], node->outputs[BATCH_VARIANCE]};
  EnsNode *grad;

  for (guint i = NEW_MEAN; i < node->n_outputs; i++)
    if (gradient->outputs[i] != NULL)
      return ens_gradient_error (gradient, error, "the loss depends on its statistics");
  grad = ens_gradient_add (gradient, &ens_op_batch_normalization_grad,
                           &(EnsBatchGradParams) {params->epsilon, TRUE}, inputs,
                           G_N_ELEMENTS (inputs), 3);
  for (guint i = 0; i < 3; i++)
    gradient->inputs[i] = gradient->wanted[i] ? grad->outputs[i] : NULL;
  return TRUE;
}

static const EnsOpExample training_examples[] = {{"2x5x4x7 =7 =7 =7 =7",
                                                  &(const EnsBatchTrainingParams) {1e-3f, 0.1f},
                                                  .n_outputs = 5, .positive = TRUE},
                                                 {NULL}};

const EnsOp ens_op_batch_normalization_training = {
    .name = "BatchNormalizationTraining",
    .min_inputs = 5,
    .max_inputs = 5,
    .min_outputs = N_OUTPUTS,
    .max_outputs = N_OUTPUTS,
    .layout = ENS_LAYOUT_SPATIAL,
    .flags = ENS_OP_PITCHED | ENS_OP_INTERNAL | ENS_OP_FUSES,
    .params_size = sizeof (EnsBatchTrainingParams),
    .attributes = training_attributes,
    .parameters = {[SCALE] = ENS_PARAMETER_SCALE,
                   [BIAS] = ENS_PARAMETER_BIAS,
                   [MEAN] = ENS_PARAMETER_MEAN,
                   [VARIANCE] = ENS_PARAMETER_VARIANCE},
    .shape = training_shape,
    .reference = training_reference,
    .cpu = training_cpu,
    .cpu_plan = training_cpu_plan,
    .gpu = training_gpu,
    .gradient = training_gradient,
    .example = training_examples,
    .activation_offset = G_STRUCT_OFFSET (EnsBatchTrainingParams, activation)};
