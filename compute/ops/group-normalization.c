/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GroupNormalization (Wu and He, "Group Normalization", 2018): mean and variance of each group of
 * neighbouring channels of each image; and InstanceNormalization, where each channel is a group.
 * Inputs X, scale, bias; channels last. */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/group-normalization.h"

enum { X, SCALE, BIAS };

#define EPSILON                                                                        \
  {                                                                                    \
    "epsilon", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsGroupNormalizationParams, epsilon), \
        .real = 1e-5F                                                                  \
  }

static const EnsAttribute instance_attributes[] = {EPSILON, ENS_ATTRIBUTE_END};

static const EnsAttribute group_attributes[] = {
    EPSILON,
    {"num_groups", ENS_ATTRIBUTE_INT, ENS_ATTRIBUTE_REQUIRED,
     ENS_MEMBER (EnsGroupNormalizationParams, groups), .min = 1, .max = G_MAXINT64},
    {"stash_type", ENS_ATTRIBUTE_FIXED, .integer = 1, .since = 21,
     .advice = "; mean and deviation are float32"},
    ENS_ATTRIBUTE_END};

/* How a tensor is cut. */
typedef struct {
  gsize images, pixels, channels;
  gsize groups, width; /* groups of `width` channels */
  gboolean per_group;  /* scale and bias have one element per group */
} Groups;

static Groups
find_groups (const EnsOperands *operands)
{
  const EnsGroupNormalizationParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[X]->shape;
  Groups groups = {.images = (gsize)shape->dims[0],
                   .pixels = (gsize)ens_shape_span (shape, 1, shape->rank - 1),
                   .channels = (gsize)shape->dims[shape->rank - 1]};

  groups.groups = params->groups > 0 ? (gsize)params->groups : groups.channels;
  groups.width = groups.groups > 0 ? groups.channels / groups.groups : 0;
  groups.per_group = ens_view_elements (operands->inputs[SCALE]) != groups.channels;
  return groups;
}

static gboolean
normalization_shape (EnsOperands *operands, GError **error)
{
  const EnsGroupNormalizationParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[X]->shape;
  gint64 channels = shape->rank > 0 ? shape->dims[shape->rank - 1] : 0, length = channels;

  if (!ens_check_type (operands, X, ENS_TYPES_REAL, error)
      || !ens_check_same_types (operands, SCALE, error)
      || !ens_check_rank (operands, X, 3, ENS_MAX_RANK, error))
    return FALSE;
  if (params->groups > 0 && channels % params->groups != 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%" G_GINT64_FORMAT " channels can't be cut into %" G_GINT64_FORMAT
                         " groups",
                         channels, params->groups);
  /* Up to opset 20 there is one scale per group. */
  if (params->groups > 0 && ens_view_elements (operands->inputs[SCALE]) == (gsize)params->groups)
    length = params->groups;
  return ens_check_vector (operands, SCALE, length, error)
         && ens_check_vector (operands, BIAS, length, error)
         && ens_set_output_like_input (operands, error);
}

/* The reference: one group of one image. */

/* The element of that number in a group. */
static gsize
find_element (const EnsView *view, const Groups *groups, gsize line, gsize k)
{
  gsize pixel = line / groups->groups * groups->pixels + k / groups->width;

  return pixel * (gsize)view->pitch + line % groups->groups * groups->width + k % groups->width;
}

static void
reference_line (const EnsOperands *operands, const Groups *groups, gsize line)
{
  const EnsGroupNormalizationParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  gsize n = groups->pixels * groups->width, group = line % groups->groups;
  double mean = 0, squares = 0, inverse;

  for (gsize k = 0; k < n; k++)
    mean += ens_view_real (x, find_element (x, groups, line, k)) / (double)n;
  for (gsize k = 0; k < n; k++) {
    double difference = ens_view_real (x, find_element (x, groups, line, k)) - mean;

    squares += difference * difference;
  }
  inverse = 1 / sqrt (squares / (double)n + params->epsilon);
  for (gsize k = 0; k < n; k++) {
    gsize channel = groups->per_group ? group : group * groups->width + k % groups->width;

    ens_view_set_real (y, find_element (y, groups, line, k),
                       (ens_view_real (x, find_element (x, groups, line, k)) - mean) * inverse
                               * ens_view_real (operands->inputs[SCALE], channel)
                           + ens_view_real (operands->inputs[BIAS], channel));
  }
}

static void
normalization_reference (const EnsOperands *operands)
{
  Groups groups = find_groups (operands);

  for (gsize line = 0; line < groups.images * groups.groups; line++)
    reference_line (operands, &groups, line);
}

/* The fast kernel: a unit is one wide group, or as many narrow ones as a cache line holds; it is
 * worked through in blocks of so many channels. Sums of a block of pixels are float, sums of blocks
 * double. */
#define CHANNEL_BLOCK 16
#define PIXEL_BLOCK 256

typedef struct {
  const float *x;
  gsize pitch, pixels, channels; /* at most CHANNEL_BLOCK channels */
} Block;

ENS_CLONES static void
sum_block (const Block *block, const float *mean, gboolean square, double *sums)
{
  for (gsize begin = 0; begin < block->pixels; begin += PIXEL_BLOCK) {
    gsize end = MIN (begin + PIXEL_BLOCK, block->pixels);
    float part[CHANNEL_BLOCK] = {0};

    for (gsize i = begin; i < end; i++)
      for (gsize c = 0; c < block->channels; c++) {
        float difference = block->x[i * block->pitch + c] - mean[c];

        part[c] += square ? difference * difference : difference;
      }
    for (gsize c = 0; c < block->channels; c++)
      sums[c] += (double)part[c];
  }
}

ENS_CLONES static void
write_block (const Block *block, const float *factor, const float *offset, float *y, gsize y_pitch)
{
  for (gsize i = 0; i < block->pixels; i++)
    for (gsize c = 0; c < block->channels; c++)
      y[i * y_pitch + c] = block->x[i * block->pitch + c] * factor[c] + offset[c];
}

/* Some channels of an image: whole groups, or a part of one. */
typedef struct {
  const EnsOperands *operands;
  const Groups *groups;
  gsize image, channel, channels;
} Unit;

static Block
get_block (const Unit *unit, gsize begin)
{
  const EnsView *x = unit->operands->inputs[X];

  return (Block) {.x = (const float *)x->data + unit->image * unit->groups->pixels * (gsize)x->pitch
                       + unit->channel + begin,
                  .pitch = (gsize)x->pitch,
                  .pixels = unit->groups->pixels,
                  .channels = MIN (CHANNEL_BLOCK, unit->channels - begin)};
}

/* The group, counted from the unit's first one, of a channel counted from the unit's first one. */
static gsize
group_of (const Unit *unit, gsize channel)
{
  return channel / unit->groups->width;
}

/* By group: the mean over its elements, or over the squares of their differences from `mean`. */
static void
average (const Unit *unit, const float *mean, gboolean square, double *averages)
{
  double n = (double)(unit->groups->pixels * unit->groups->width);

  for (gsize begin = 0; begin < unit->channels; begin += CHANNEL_BLOCK) {
    Block block = get_block (unit, begin);
    double sums[CHANNEL_BLOCK] = {0};
    float means[CHANNEL_BLOCK];

    for (gsize c = 0; c < block.channels; c++)
      means[c] = mean[group_of (unit, begin + c)];
    sum_block (&block, means, square, sums);
    for (gsize c = 0; c < block.channels; c++)
      averages[group_of (unit, begin + c)] += sums[c] / n;
  }
}

static void
write_unit (const Unit *unit, const float *mean, const double *squares)
{
  const EnsOperands *operands = unit->operands;
  const EnsGroupNormalizationParams *params = operands->params;
  const float *scale = operands->inputs[SCALE]->data, *bias = operands->inputs[BIAS]->data;
  const EnsView *y = operands->outputs[0];
  gsize start = unit->image * unit->groups->pixels * (gsize)y->pitch + unit->channel;

  for (gsize begin = 0; begin < unit->channels; begin += CHANNEL_BLOCK) {
    Block block = get_block (unit, begin);
    float factor[CHANNEL_BLOCK], offset[CHANNEL_BLOCK];

    for (gsize c = 0; c < block.channels; c++) {
      gsize group = group_of (unit, begin + c), channel = unit->channel + begin + c;
      gsize element = unit->groups->per_group ? channel / unit->groups->width : channel;

      factor[c] = scale[element] / (float)sqrt (squares[group] + params->epsilon);
      offset[c] = bias[element] - mean[group] * factor[c];
    }
    write_block (&block, factor, offset, (float *)y->data + start + begin, (gsize)y->pitch);
  }
}

static void
normalise_unit (const Unit *unit)
{
  double averages[CHANNEL_BLOCK] = {0}, squares[CHANNEL_BLOCK] = {0};
  float mean[CHANNEL_BLOCK] = {0};

  average (unit, mean, FALSE, averages);
  for (gsize i = 0; i < CHANNEL_BLOCK; i++)
    mean[i] = (float)averages[i];
  average (unit, mean, TRUE, squares);
  write_unit (unit, mean, squares);
}

/* Channels of a unit. */
static gsize
unit_width (const Groups *groups)
{
  return groups->width < CHANNEL_BLOCK ? CHANNEL_BLOCK / groups->width * groups->width
                                       : groups->width;
}

static gsize
count_units (const Groups *groups)
{
  gsize width = unit_width (groups);

  return (groups->channels + width - 1) / width;
}

static void
normalise_units (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  Groups groups = find_groups (operands);
  gsize n = count_units (&groups), width = unit_width (&groups);

  for (gsize i = begin; i < end; i++) {
    Unit unit = {operands, &groups, i / n, i % n * width};

    unit.channels = MIN (width, groups.channels - unit.channel);
    normalise_unit (&unit);
  }
}

static void
normalization_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  Groups groups = find_groups (operands);

  if (ens_view_elements (operands->inputs[X]) > 0)
    ens_parallel (context->pool, groups.images * count_units (&groups),
                  3 * groups.pixels * unit_width (&groups), normalise_units, operands);
}

static gboolean
normalization_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsGroupNormalizationParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  Groups groups = find_groups (operands);
  EnsGroupNormalizationPush push = {
      .n = (guint32)(groups.images * groups.groups),
      .extent = (guint32)(groups.pixels * groups.width),
      .inner = (guint32)groups.groups,
      .x_outer = (guint32)(groups.pixels * (gsize)x->pitch),
      .x_step = (guint32)x->pitch,
      .y_outer = (guint32)(groups.pixels * (gsize)y->pitch),
      .y_step = (guint32)y->pitch,
      .width = (guint32)groups.width,
      .epsilon = params->epsilon,
  };
  EnsDispatch dispatch = {
      .shader = "group-normalization",
      .bindings = {{x, ENS_ACCESS_READ},
                   {operands->inputs[SCALE], ENS_ACCESS_READ},
                   {operands->inputs[BIAS], ENS_ACCESS_READ},
                   {y, ENS_ACCESS_WRITE}},
      .n_bindings = 4,
      .constants = {ens_tile_across (
                        &(EnsTileLines) {.columns = push.extent,
                                         .passes = 3,
                                         .neighbours = push.width == 1 && push.inner > 1}),
                    groups.per_group},
      .n_constants = 2,
      .push = &push,
      .push_size = sizeof push,
  };

  if (!ens_record_storage (operands, X, BIAS + 1, &dispatch.storage) || dispatch.constants[0] == 0)
    return FALSE;
  if (ens_view_elements (y) > 0) {
    ens_tile_cover (commands, &dispatch, push.n);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

/* X with the channels cut into groups, an axis of their own. */
static EnsShape
split_channels (const EnsShape *shape, gint64 groups)
{
  EnsShape split = *shape;

  split.dims[split.rank - 1] = groups;
  split.dims[split.rank++] = shape->dims[shape->rank - 1] / groups;
  return split;
}

static gboolean
normalization_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsGroupNormalizationParams *params = node->params;
  EnsValue *dy = gradient->outputs[0], *x = node->inputs[X], *scale = node->inputs[SCALE];
  EnsValue *inverse, *normalised;
  gint64 channels = x->shape.dims[x->shape.rank - 1];
  gint64 groups = params->groups > 0 ? params->groups : channels;
  EnsGradientNormal normal = {.epsilon = (double)params->epsilon};
  EnsShape split, factors;

  if (x->shape.rank == ENS_MAX_RANK)
    return ens_gradient_error (gradient, error, "it has too many axes");
  if (groups == 0)
    return ens_gradient_error (gradient, error, "it has no channels");
  split = split_channels (&x->shape, groups);
  factors = ENS_SHAPE (groups, ens_shape_elements (&scale->shape) / groups);
  /* All but images and groups. */
  normal.axes = ((1u << split.rank) - 1) & ~1u & ~(1u << (split.rank - 2));
  dy = ens_gradient_reshape (gradient, dy, &split);
  normalised = ens_gradient_normalise (gradient, ens_gradient_reshape (gradient, x, &split),
                                       &normal, &inverse);
  dy = ens_gradient_affine (gradient, dy, normalised, &(EnsGradientAffine) {SCALE, BIAS, &factors});
  if (!gradient->wanted[X])
    return TRUE;
  gradient->inputs[X] = ens_gradient_reshape (
      gradient, ens_gradient_of_normal (gradient, dy, normalised, inverse, &normal), &x->shape);
  return TRUE;
}

static const EnsOpExample instance_examples[] = {
    {"2x5x4x7 =7 =7", &(const EnsGroupNormalizationParams) {1e-3f, 0}}, {NULL}};
static const EnsOpExample group_examples[] = {
    {"2x5x4x8 =8 =8", &(const EnsGroupNormalizationParams) {1e-3f, 2}}, {NULL}};

#define NORMALIZATION_OP(id, onnx, opset, table, examples)                        \
  const EnsOp ens_op_##id = {                                                     \
      .name = onnx,                                                               \
      .min_inputs = 3,                                                            \
      .max_inputs = 3,                                                            \
      .min_outputs = 1,                                                           \
      .max_outputs = 1,                                                           \
      .layout = ENS_LAYOUT_SPATIAL,                                               \
      .flags = ENS_OP_PITCHED | ENS_OP_IN_PLACE,                                  \
      .params_size = sizeof (EnsGroupNormalizationParams),                        \
      .versions = {.since = opset},                                               \
      .attributes = table,                                                        \
      .parameters = {[SCALE] = ENS_PARAMETER_SCALE, [BIAS] = ENS_PARAMETER_BIAS}, \
      .shape = normalization_shape,                                               \
      .reference = normalization_reference,                                       \
      .cpu = normalization_cpu,                                                   \
      .gpu = normalization_gpu,                                                   \
      .gradient = normalization_gradient,                                         \
      .per_image = ens_per_image_with_constants,                                  \
      .example = examples}

NORMALIZATION_OP (instance_normalization, "InstanceNormalization", 0, instance_attributes,
                  instance_examples);
NORMALIZATION_OP (group_normalization, "GroupNormalization", 18, group_attributes, group_examples);
