/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transpose, DepthToSpace, SpaceToDepth: elements in another order. */
#include "graph/infer.h"
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <string.h>

/* Transpose. Axes of length 1 and axes that stay together are merged before copying, so that a
 * transposition that moves nothing is one memcpy. */

static const EnsAttribute transpose_attributes[] = {
    {"perm", ENS_LIST_MEMBER (EnsTransposeParams, perm)}, ENS_ATTRIBUTE_END};

static EnsList
permutation (const EnsOperands *operands)
{
  const EnsTransposeParams *params = operands->params;
  guint rank = operands->inputs[0]->shape.rank;
  EnsList perm = params->perm;

  if (perm.present)
    return perm;
  perm.n = rank;
  for (guint i = 0; i < rank; i++)
    perm.values[i] = rank - 1 - i;
  return perm;
}

static gboolean
transpose_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *input = &operands->inputs[0]->shape;
  EnsList perm = permutation (operands), axes;
  EnsShape shape = {.rank = input->rank};

  if (perm.n != input->rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "perm has %u axes, expected %u as the input", perm.n, input->rank);
  if (!ens_check_axes (operands, &perm, input->rank, &axes, error))
    return FALSE;
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = input->dims[axes.values[i]];
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

/* The input's strides in the output's order of axes. */
static void
permuted_strides (const EnsOperands *operands, gint64 *strides)
{
  const EnsView *input = operands->inputs[0];
  EnsList perm = permutation (operands), axes;
  gint64 own[ENS_MAX_RANK];

  ens_check_axes (operands, &perm, input->shape.rank, &axes, NULL);
  ens_view_strides (input, own);
  for (guint i = 0; i < axes.n; i++)
    strides[i] = own[axes.values[i]];
}

static void
transpose_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  gint64 strides[ENS_MAX_RANK];
  EnsWalk walk;

  permuted_strides (operands, strides);
  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output}, 1); walk.remaining > 0;
       ens_walk_next (&walk)) {
    gint64 at = 0;

    for (guint i = 0; i < output->shape.rank; i++)
      at += walk.index[i] * strides[i];
    ens_view_copy_element (output, walk.offsets[0], input, (gsize)at);
  }
}

static EnsStrided
transpose_strided (const EnsOperands *operands)
{
  const EnsView *output = operands->outputs[0];
  EnsStrided strided = ens_strided_broadcast (&output->shape, (const EnsView *[]) {output}, 1);

  strided.n = 2;
  permuted_strides (operands, strided.strides[1]);
  return strided;
}

static void
transpose_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsStrided strided = transpose_strided (operands);

  ens_strided_copy (&strided, ens_type_size (output->type), output->data, input->data,
                    context->pool);
}

static gboolean
transpose_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  EnsCopy copy = {.x = operands->inputs[0], .y = operands->outputs[0]};
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  copy.strided = transpose_strided (operands);
  ens_record_copy (commands, &copy);
  return TRUE;
}

static gboolean
transpose_per_image (const EnsNode *node)
{
  const EnsList *perm = &((const EnsTransposeParams *)node->params)->perm;

  return perm->n > 0 && perm->values[0] == 0;
}

static gboolean
transpose_is_identity (const EnsNode *node)
{
  const EnsList *perm = &((const EnsTransposeParams *)node->params)->perm;

  for (guint i = 0; i < perm->n; i++)
    if (perm->values[i] != i)
      return FALSE;
  return perm->present;
}

static gboolean
transpose_gradient (EnsGradient *gradient, GError **error)
{
  EnsTransposeParams inverse = {.perm = {.present = TRUE}};
  guint rank = gradient->node->inputs[0]->shape.rank;
  g_auto (EnsNodeViews) views;
  EnsList perm, axes;

  ens_node_views_init (&views, gradient->node);
  perm = permutation (&views.operands);
  ens_check_axes (&views.operands, &perm, rank, &axes, NULL);
  inverse.perm.n = rank;
  for (guint i = 0; i < rank; i++)
    inverse.perm.values[axes.values[i]] = i;
  gradient->inputs[0] =
      ens_gradient_apply (gradient, &ens_op_transpose, &inverse, gradient->outputs[0], NULL);
  return TRUE;
}

static const EnsOpExample transpose_examples[] = {
    {"2x5x4x7", &(const EnsTransposeParams) {ENS_EXAMPLE_LIST (4, 0, 3, 1, 2)}}, {NULL}};

const EnsOp ens_op_transpose = {.name = "Transpose",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .min_outputs = 1,
                                .max_outputs = 1,
                                .layout = ENS_LAYOUT_PLAIN,
                                .kind = ENS_KIND_TRANSPOSE,
                                .params_size = sizeof (EnsTransposeParams),
                                .attributes = transpose_attributes,
                                .shape = transpose_shape,
                                .reference = transpose_reference,
                                .cpu = transpose_cpu,
                                .gpu = transpose_gpu,
                                .gradient = transpose_gradient,
                                .per_image = transpose_per_image,
                                .example = transpose_examples,
                                .is_identity = transpose_is_identity};

/* DepthToSpace and SpaceToDepth on (N, H, W, C): channel (y · b + x) · C' + c, or c · b² + y · b +
 * x with mode CRD, and pixel (y, x) of a b×b block of C' channels are the same element. */

static const char *const mode_names[] = {"DCR", "CRD", NULL};

#define BLOCK_SIZE                                                     \
  {                                                                    \
    "blocksize", ENS_ATTRIBUTE_INT, ENS_ATTRIBUTE_REQUIRED,            \
        ENS_MEMBER (EnsBlockParams, block_size), .min = 1, .max = 1024 \
  }

static const EnsAttribute depth_to_space_attributes[] = {
    BLOCK_SIZE,
    {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsBlockParams, crd), .names = mode_names},
    ENS_ATTRIBUTE_END};

static const char *const depth_first[] = {"DCR", NULL};

static const EnsAttribute space_to_depth_attributes[] = {
    BLOCK_SIZE,
    {"mode", ENS_ATTRIBUTE_FIXED, .names = depth_first, .since = 28},
    ENS_ATTRIBUTE_END};

/* The same elements seen as blocks: index (n, h, y, w, x, c), the strides of the shallow tensor in
 * [0], those of the deep one in [1]. */
static EnsStrided
as_blocks (const EnsOperands *operands, const EnsView *shallow, const EnsView *deep)
{
  const EnsBlockParams *params = operands->params;
  gint64 b = params->block_size, channels = shallow->shape.dims[3];
  gint64 height = deep->shape.dims[1], width = deep->shape.dims[2];
  gint64 s[4], d[4];
  gint64 block = params->crd ? 1 : channels, channel = params->crd ? b * b : 1;

  ens_view_strides (shallow, s);
  ens_view_strides (deep, d);
  return (EnsStrided) {
      .n = 2,
      .rank = 6,
      .dims = {shallow->shape.dims[0], height, b, width, b, channels},
      .strides = {{s[0], s[1] * b, s[1], s[2] * b, s[2], s[3]},
                  {d[0], d[1], b * block, d[2], block, channel}},
  };
}

static gboolean
depth_to_space_shape (EnsOperands *operands, GError **error)
{
  const EnsBlockParams *params = operands->params;
  gint64 b = params->block_size;
  EnsShape shape = operands->inputs[0]->shape;

  if (!ens_check_rank (operands, 0, 4, 4, error))
    return FALSE;
  if (shape.dims[3] % (b * b) != 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%" G_GINT64_FORMAT
                         " channels are not a multiple of blocksize² = %" G_GINT64_FORMAT,
                         shape.dims[3], b * b);
  shape.dims[3] /= b * b;
  if (__builtin_mul_overflow (shape.dims[1], b, &shape.dims[1])
      || __builtin_mul_overflow (shape.dims[2], b, &shape.dims[2]))
    shape.dims[1] = -1; /* refused as too large */
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static gboolean
space_to_depth_shape (EnsOperands *operands, GError **error)
{
  const EnsBlockParams *params = operands->params;
  gint64 b = params->block_size;
  EnsShape shape = operands->inputs[0]->shape;

  if (!ens_check_rank (operands, 0, 4, 4, error))
    return FALSE;
  if (shape.dims[1] % b != 0 || shape.dims[2] % b != 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
                         " is not a multiple of blocksize %" G_GINT64_FORMAT,
                         shape.dims[1], shape.dims[2], b);
  shape.dims[1] /= b;
  shape.dims[2] /= b;
  if (__builtin_mul_overflow (shape.dims[3], b * b, &shape.dims[3]))
    shape.dims[3] = -1;
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

/* Where channel c' of pixel (y, x) of a block lies among the deep tensor's channels. */
static gint64
deep_channel (const EnsBlockParams *params, gint64 channels, gint64 y, gint64 x, gint64 c)
{
  gint64 b = params->block_size;

  return params->crd ? c * b * b + y * b + x : (y * b + x) * channels + c;
}

static void
block_reference (const EnsOperands *operands, const EnsView *shallow, const EnsView *deep,
                 gboolean to_shallow)
{
  const EnsBlockParams *params = operands->params;
  gint64 b = params->block_size, channels = shallow->shape.dims[3];
  EnsWalk walk;

  for (ens_walk_begin (&walk, &shallow->shape, (const EnsView *[]) {shallow}, 1);
       walk.remaining > 0; ens_walk_next (&walk)) {
    const gint64 *at = walk.index;
    gint64 pixel = (at[0] * deep->shape.dims[1] + at[1] / b) * deep->shape.dims[2] + at[2] / b;
    gsize deep_at =
        (gsize)(pixel * deep->pitch + deep_channel (params, channels, at[1] % b, at[2] % b, at[3]));

    if (to_shallow)
      ens_view_copy_element (shallow, walk.offsets[0], deep, deep_at);
    else
      ens_view_copy_element (deep, deep_at, shallow, walk.offsets[0]);
  }
}

static void
depth_to_space_reference (const EnsOperands *operands)
{
  block_reference (operands, operands->outputs[0], operands->inputs[0], TRUE);
}

static void
space_to_depth_reference (const EnsOperands *operands)
{
  block_reference (operands, operands->inputs[0], operands->outputs[0], FALSE);
}

static void
depth_to_space_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *deep = operands->inputs[0], *shallow = operands->outputs[0];
  EnsStrided blocks = as_blocks (operands, shallow, deep);

  ens_strided_copy (&blocks, ens_type_size (deep->type), shallow->data, deep->data, context->pool);
}

/* The same with the deep tensor's strides first. */
static EnsStrided
as_blocks_turned (const EnsOperands *operands, const EnsView *shallow, const EnsView *deep)
{
  EnsStrided blocks = as_blocks (operands, shallow, deep), turned = blocks;

  memcpy (turned.strides[0], blocks.strides[1], sizeof *turned.strides);
  memcpy (turned.strides[1], blocks.strides[0], sizeof *turned.strides);
  return turned;
}

static void
space_to_depth_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *shallow = operands->inputs[0], *deep = operands->outputs[0];
  EnsStrided blocks = as_blocks_turned (operands, shallow, deep);

  ens_strided_copy (&blocks, ens_type_size (deep->type), deep->data, shallow->data, context->pool);
}

static gboolean
depth_to_space_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  EnsCopy copy = {.x = operands->inputs[0], .y = operands->outputs[0]};
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  copy.strided = as_blocks (operands, copy.y, copy.x);
  ens_record_copy (commands, &copy);
  return TRUE;
}

static gboolean
space_to_depth_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  EnsCopy copy = {.x = operands->inputs[0], .y = operands->outputs[0]};
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  copy.strided = as_blocks_turned (operands, copy.x, copy.y);
  ens_record_copy (commands, &copy);
  return TRUE;
}

static const EnsBlockParams example_blocks = {.block_size = 2};
static const EnsOpExample depth_to_space_examples[] = {{"1x3x4x12", &example_blocks}, {NULL}};
static const EnsOpExample space_to_depth_examples[] = {{"1x4x6x3", &example_blocks}, {NULL}};

static gboolean
depth_to_space_gradient (EnsGradient *gradient, GError **error)
{
  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_space_to_depth,
                                            gradient->node->params, gradient->outputs[0], NULL);
  return TRUE;
}

static gboolean
space_to_depth_gradient (EnsGradient *gradient, GError **error)
{
  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_depth_to_space,
                                            gradient->node->params, gradient->outputs[0], NULL);
  return TRUE;
}

#define BLOCK_OP(id, onnx)                                              \
  const EnsOp ens_op_##id = {.name = onnx,                              \
                             .min_inputs = 1,                           \
                             .max_inputs = 1,                           \
                             .min_outputs = 1,                          \
                             .max_outputs = 1,                          \
                             .layout = ENS_LAYOUT_SPATIAL,              \
                             .flags = ENS_OP_PITCHED,                   \
                             .params_size = sizeof (EnsBlockParams),    \
                             .attributes = id##_attributes,             \
                             .shape = id##_shape,                       \
                             .reference = id##_reference,               \
                             .cpu = id##_cpu,                           \
                             .gpu = id##_gpu,                           \
                             .gradient = id##_gradient,                 \
                             .per_image = ens_per_image_with_constants, \
                             .example = id##_examples}

BLOCK_OP (depth_to_space, "DepthToSpace");
BLOCK_OP (space_to_depth, "SpaceToDepth");
