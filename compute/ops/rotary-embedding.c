/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RotaryEmbedding: turns pairs of a head's elements by angles that depend on the position (Su et
 * al., "RoFormer", 2021). Inputs X, (batch, heads, positions, depth) or (batch, positions, heads ·
 * depth); cosines and sines, (batch, positions, pairs), or (any positions, pairs) where input 3
 * says for each image which of them its positions are. */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include "push/rotary-embedding.h"

enum { X, COS, SIN, POSITIONS };

typedef struct {
  gboolean interleaved; /* pairs are neighbours; else halves are pairs */
  gint64 heads;         /* of inputs of rank 3 */
  gint64 turned;        /* elements of a head that are turned, the first ones; 0: all */
} RotaryParams;

static const EnsAttribute rotary_attributes[] = {
    {"interleaved", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (RotaryParams, interleaved)},
    {"num_heads", ENS_ATTRIBUTE_INT, ENS_MEMBER (RotaryParams, heads), .min = 0, .max = G_MAXINT32},
    {"rotary_embedding_dim", ENS_ATTRIBUTE_INT, ENS_MEMBER (RotaryParams, turned), .min = 0,
     .max = G_MAXINT32},
    ENS_ATTRIBUTE_END};

/* X as rows of one head at one position, in order of memory. */
typedef struct {
  gint64 batch, heads, positions, depth, pairs;
  gboolean heads_first;
} Rotary;

static Rotary
find_rotary (const EnsOperands *operands)
{
  const RotaryParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[X]->shape;
  gboolean heads_first = shape->rank == 4;
  gint64 heads = heads_first ? shape->dims[1] : params->heads;
  gint64 depth = heads_first ? shape->dims[3] : shape->dims[2] / MAX (heads, 1);

  return (Rotary) {shape->dims[0],
                   heads,
                   shape->dims[heads_first ? 2 : 1],
                   depth,
                   (params->turned > 0 ? params->turned : depth) / 2,
                   heads_first};
}

static gboolean
check_cache (const EnsOperands *operands, guint input, const Rotary *rotary, GError **error)
{
  const EnsShape *shape = &operands->inputs[input]->shape;
  EnsShape expected = ENS_SHAPE (rotary->batch, rotary->positions, rotary->pairs);
  g_autofree char *found = ens_shape_to_string (shape);
  g_autofree char *text = NULL;

  if (ens_operands_input (operands, POSITIONS) != NULL) { /* the cosines say how many there are */
    const EnsShape *cosines = &operands->inputs[COS]->shape;

    expected = ENS_SHAPE (cosines->rank > 0 ? MAX (cosines->dims[0], 1) : 1, rotary->pairs);
  }
  if (ens_shape_equal (shape, &expected))
    return TRUE;
  text = ens_shape_to_string (&expected);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u is %s, expected %s", input,
                       found, text);
}

static gboolean
check_positions (const EnsOperands *operands, const Rotary *rotary, GError **error)
{
  const EnsView *positions = ens_operands_input (operands, POSITIONS);
  gint64 n = operands->inputs[COS]->shape.dims[0];

  if (positions == NULL)
    return TRUE;
  if (!ens_check_type (operands, POSITIONS, ENS_TYPES (ENS_TYPE_INT64), error)
      || !ens_check_rank (operands, POSITIONS, 2, 2, error))
    return FALSE;
  if (positions->shape.dims[0] != rotary->batch || positions->shape.dims[1] != rotary->positions)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "input 3 has not %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT " positions",
                         rotary->batch, rotary->positions);
  for (gsize i = 0; positions->data != NULL && i < ens_view_elements (positions); i++)
    if (ens_view_integer (positions, i) < 0 || ens_view_integer (positions, i) >= n)
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "position %" G_GINT64_FORMAT " is not one of %" G_GINT64_FORMAT,
                           ens_view_integer (positions, i), n);
  return TRUE;
}

static gboolean
rotary_shape (EnsOperands *operands, GError **error)
{
  const RotaryParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[X]->shape;
  Rotary rotary;

  if (!ens_check_type (operands, X, ENS_TYPES_REAL, error)
      || !ens_check_type (operands, COS, ENS_TYPES (operands->inputs[X]->type), error)
      || !ens_check_type (operands, SIN, ENS_TYPES (operands->inputs[X]->type), error)
      || !ens_check_rank (operands, X, 3, 4, error))
    return FALSE;
  if (shape->rank == 3 && (params->heads == 0 || shape->dims[2] % params->heads != 0))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%" G_GINT64_FORMAT " columns can't be cut into %" G_GINT64_FORMAT
                         " heads (“num_heads”)",
                         shape->dims[2], params->heads);
  rotary = find_rotary (operands);
  if (params->turned > rotary.depth || (params->turned == 0 && rotary.depth % 2 != 0)
      || params->turned % 2 != 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "of %" G_GINT64_FORMAT " elements of a head %" G_GINT64_FORMAT
                         " are to be turned in pairs",
                         rotary.depth, params->turned > 0 ? params->turned : rotary.depth);
  return check_cache (operands, COS, &rotary, error) && check_cache (operands, SIN, &rotary, error)
         && check_positions (operands, &rotary, error)
         && ens_set_output_like_input (operands, error);
}

/* The row of the caches for a row of X. Positions that were not known while planning are kept
 * inside the caches. */
static gsize
find_angles (const EnsOperands *operands, const Rotary *rotary, gsize row)
{
  const EnsView *positions = ens_operands_input (operands, POSITIONS);
  gsize per_image = (gsize)(rotary->heads * rotary->positions);
  gsize inside = row % per_image, n = (gsize)operands->inputs[COS]->shape.dims[0];
  gsize position =
      rotary->heads_first ? inside % (gsize)rotary->positions : inside / (gsize)rotary->heads;
  gsize at = row / per_image * (gsize)rotary->positions + position;

  if (positions == NULL || positions->data == NULL)
    return at;
  return (gsize)CLAMP (ens_view_integer (positions, at), 0, (gint64)n - 1);
}

static gsize
count_rows (const Rotary *rotary)
{
  return (gsize)(rotary->batch * rotary->heads * rotary->positions);
}

static void
turn_row (const EnsOperands *operands, const Rotary *rotary, gsize row)
{
  const RotaryParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  gsize pairs = (gsize)rotary->pairs, depth = (gsize)rotary->depth, start = row * depth;
  gsize angles = find_angles (operands, rotary, row) * pairs;

  for (gsize i = 0; i < pairs; i++) {
    gsize first = start + (params->interleaved ? 2 * i : i);
    gsize second = start + (params->interleaved ? 2 * i + 1 : i + pairs);
    double a = ens_view_real (x, first), b = ens_view_real (x, second);
    double c = ens_view_real (operands->inputs[COS], angles + i);
    double s = ens_view_real (operands->inputs[SIN], angles + i);

    ens_view_set_real (y, first, a * c - b * s);
    ens_view_set_real (y, second, a * s + b * c);
  }
  for (gsize i = 2 * pairs; i < depth; i++)
    ens_view_set_real (y, start + i, ens_view_real (x, start + i));
}

static void
rotary_reference (const EnsOperands *operands)
{
  Rotary rotary = find_rotary (operands);

  for (gsize row = 0; row < count_rows (&rotary); row++)
    turn_row (operands, &rotary, row);
}

/* The fast kernel */

ENS_CLONES static void
turn_halves (const float *x, const float *cosines, const float *sines, gsize pairs, float *y)
{
  for (gsize i = 0; i < pairs; i++) {
    float a = x[i], b = x[i + pairs];

    y[i] = a * cosines[i] - b * sines[i];
    y[i + pairs] = a * sines[i] + b * cosines[i];
  }
}

ENS_CLONES static void
turn_neighbours (const float *x, const float *cosines, const float *sines, gsize pairs, float *y)
{
  for (gsize i = 0; i < pairs; i++) {
    float a = x[2 * i], b = x[2 * i + 1];

    y[2 * i] = a * cosines[i] - b * sines[i];
    y[2 * i + 1] = a * sines[i] + b * cosines[i];
  }
}

static void
turn_rows (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const RotaryParams *params = operands->params;
  Rotary rotary = find_rotary (operands);
  gsize pairs = (gsize)rotary.pairs, depth = (gsize)rotary.depth;

  for (gsize row = begin; row < end; row++) {
    gsize angles = find_angles (operands, &rotary, row) * pairs;
    const float *x = (const float *)operands->inputs[X]->data + row * depth;
    float *y = (float *)operands->outputs[0]->data + row * depth;

    (params->interleaved ? turn_neighbours : turn_halves) (
        x, (const float *)operands->inputs[COS]->data + angles,
        (const float *)operands->inputs[SIN]->data + angles, pairs, y);
    for (gsize i = 2 * pairs; i < depth; i++)
      y[i] = x[i];
  }
}

static void
rotary_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  Rotary rotary = find_rotary (operands);

  ens_parallel (context->pool, count_rows (&rotary), (gsize)rotary.depth, turn_rows, operands);
}

/* The shader */

#define GROUP 128

/* For each row of X that of the caches. */
static const EnsView *
record_angles (const EnsOperands *operands, const Rotary *rotary, EnsCommands *commands)
{
  gsize n = count_rows (rotary);
  g_autofree guint32 *rows = g_new (guint32, n);

  for (gsize row = 0; row < n; row++)
    rows[row] = (guint32)find_angles (operands, rotary, row);
  return ens_commands_table (commands, rows, n * sizeof *rows);
}

/* Positions that the network computes are the CPU's to follow. */
static gboolean
rotary_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const RotaryParams *params = operands->params;
  const EnsView *positions = ens_operands_input (operands, POSITIONS);
  Rotary rotary = find_rotary (operands);
  EnsRotaryEmbeddingPush push = {.rows = (guint32)count_rows (&rotary),
                                 .depth = (guint32)rotary.depth,
                                 .pairs = (guint32)rotary.pairs};
  EnsDispatch dispatch = {.shader = "rotary-embedding",
                          .n_bindings = 5,
                          .constants = {params->interleaved},
                          .n_constants = 1,
                          .push = &push,
                          .push_size = sizeof push};

  if (!ens_record_storage (operands, X, SIN + 1, &dispatch.storage)
      || (positions != NULL && positions->data == NULL))
    return FALSE;
  if (ens_view_elements (operands->outputs[0]) == 0)
    return TRUE;
  for (guint i = X; i <= SIN; i++)
    dispatch.bindings[i] = (EnsBinding) {operands->inputs[i], ENS_ACCESS_READ};
  dispatch.bindings[3] =
      (EnsBinding) {record_angles (operands, &rotary, commands), ENS_ACCESS_READ};
  dispatch.bindings[4] = (EnsBinding) {operands->outputs[0], ENS_ACCESS_WRITE};
  ens_commands_cover (commands, &dispatch, (gsize)push.rows * (push.depth - push.pairs), GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

/* The same turn backwards. */
static gboolean
rotary_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *inputs[4] = {gradient->outputs[0], node->inputs[COS]};

  if (gradient->wanted[COS] || gradient->wanted[SIN])
    return ens_gradient_error (gradient, error, "its angles are not constant");
  inputs[SIN] = ens_gradient_apply (gradient, &ens_op_neg, NULL, node->inputs[SIN], NULL);
  inputs[POSITIONS] = ens_node_input (node, POSITIONS);
  gradient->inputs[X] = ens_gradient_add (gradient, &ens_op_rotary_embedding, node->params, inputs,
                                          inputs[POSITIONS] != NULL ? 4 : 3, 1)
                            ->outputs[0];
  return TRUE;
}

/* Constants that have one image for all. */
static gboolean
rotary_per_image (const EnsNode *node)
{
  return ens_per_image_with_constants (node) && ens_node_input (node, POSITIONS) == NULL
         && node->inputs[COS]->shape.dims[0] == 1;
}

static const EnsOpExample rotary_examples[] = {
    {"2x3x5x8 =2x5x4 =2x5x4", &(const RotaryParams) {FALSE, 0, 0}},
    {"2x5x24 =2x5x3 =2x5x3", &(const RotaryParams) {TRUE, 3, 6}},
    {NULL}};

const EnsOp ens_op_rotary_embedding = {.name = "RotaryEmbedding",
                                       .min_inputs = 3,
                                       .max_inputs = 4,
                                       .min_outputs = 1,
                                       .max_outputs = 1,
                                       .layout = ENS_LAYOUT_PLAIN,
                                       .flags = ENS_OP_IN_PLACE,
                                       .params_size = sizeof (RotaryParams),
                                       .versions = {.since = 23},
                                       .attributes = rotary_attributes,
                                       .shape = rotary_shape,
                                       .reference = rotary_reference,
                                       .cpu = rotary_cpu,
                                       .gpu = rotary_gpu,
                                       .gradient = rotary_gradient,
                                       .per_image = rotary_per_image,
                                       .example = rotary_examples};
