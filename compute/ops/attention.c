/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention: Y = softmax (scale · Q · Kᵀ + mask) · V of each image and head (Vaswani et al.,
 * "Attention Is All You Need", 2017). Inputs Q, K, V and a mask that broadcasts to
 * (batch, heads, queries, keys): truth values select, numbers are added. Q, K and V are
 * (batch, heads, rows, depth), or (batch, rows, heads · depth). Fewer heads of keys and values than
 * of queries are shared by neighbours (Ainslie et al., "GQA", 2023). A query that sees no key gives
 * zeroes. */
#include "kernels/attention.h"
#include "ops/attention.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/attention.h"
#include "push/tile.h"

static const EnsAttribute attention_attributes[] = {
    {"is_causal", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsAttentionParams, causal)},
    {"left_window_size", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAttentionParams, before), .integer = -1,
     .min = -1, .max = G_MAXINT32, .since = 25},
    {"right_window_size", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAttentionParams, behind), .integer = -1,
     .min = -1, .max = G_MAXINT32, .since = 25},
    {"kv_num_heads", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAttentionParams, key_heads), .min = 0,
     .max = G_MAXINT32},
    {"q_num_heads", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAttentionParams, heads), .min = 0,
     .max = G_MAXINT32},
    {"qk_matmul_output_mode", ENS_ATTRIBUTE_IGNORED}, /* of an output that is not computed */
    {"scale", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsAttentionParams, scale)},
    {"softcap", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsAttentionParams, softcap)},
    {"softmax_precision", ENS_ATTRIBUTE_IGNORED},
    ENS_ATTRIBUTE_END};

/* Shapes */

static gboolean
refuse_caches (const EnsOperands *operands, GError **error)
{
  static const char *const names[] = {"past_key", "past_value", "nonpad_kv_seqlen"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (ens_operands_input (operands, ENS_ATTENTION_MASK + 1 + i) != NULL)
      return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                           "input %u, %s, is not supported; export the network without a cache of "
                           "keys and values",
                           ENS_ATTENTION_MASK + 1 + i, names[i]);
  return TRUE;
}

static gboolean
check_heads (const EnsOperands *operands, guint input, gint64 heads, GError **error)
{
  const EnsShape *shape = &operands->inputs[input]->shape;

  if (shape->rank == 4)
    return TRUE;
  if (heads == 0)
    return ens_op_error (operands, error, ENS_ERROR_FORMAT,
                         "“%s” is missing, which inputs of rank 3 need",
                         input == ENS_ATTENTION_QUERY ? "q_num_heads" : "kv_num_heads");
  if (shape->dims[2] % heads != 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%" G_GINT64_FORMAT " columns of input %u can't be cut into "
                         "%" G_GINT64_FORMAT " heads",
                         shape->dims[2], input, heads);
  return TRUE;
}

static EnsAttentionMatrices
find_matrices (const EnsView *view, gint64 heads)
{
  const gint64 *dims = view->shape.dims, pitch = view->pitch;

  if (view->shape.rank == 4)
    return (EnsAttentionMatrices) {
        dims[0], dims[1], dims[2], dims[3], dims[1] * dims[2] * pitch, dims[2] * pitch, pitch};
  return (EnsAttentionMatrices) {dims[0],         heads,           dims[1], dims[2] / heads,
                                 dims[1] * pitch, dims[2] / heads, pitch};
}

void
ens_attention_find (const EnsOperands *operands, EnsAttention *attention)
{
  const EnsAttentionParams *params = operands->params;

  attention->query = find_matrices (operands->inputs[ENS_ATTENTION_QUERY], params->heads);
  attention->key = find_matrices (operands->inputs[ENS_ATTENTION_KEY], params->key_heads);
  attention->value = find_matrices (operands->inputs[ENS_ATTENTION_VALUE], params->key_heads);
  attention->before = params->before < 0 ? G_MAXINT32 : params->before;
  attention->behind = params->behind < 0 ? G_MAXINT32 : params->behind;
  if (params->causal)
    attention->behind = 0;
  attention->scale = params->scale != 0 ? (double)params->scale
                                        : 1 / sqrt ((double)MAX (attention->query.depth, 1));
}

static gboolean
check_match (const EnsOperands *operands, const EnsAttention *attention, GError **error)
{
  const EnsAttentionMatrices *q = &attention->query, *k = &attention->key, *v = &attention->value;
  g_autofree char *query = ens_shape_to_string (&operands->inputs[ENS_ATTENTION_QUERY]->shape);
  g_autofree char *key = ens_shape_to_string (&operands->inputs[ENS_ATTENTION_KEY]->shape);
  g_autofree char *value = ens_shape_to_string (&operands->inputs[ENS_ATTENTION_VALUE]->shape);

  if (q->batch == k->batch && k->batch == v->batch && q->depth == k->depth && k->rows == v->rows
      && k->heads == v->heads && k->heads > 0 && q->heads % k->heads == 0)
    return TRUE;
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "queries %s, keys %s and values %s of %" G_GINT64_FORMAT
                       " and %" G_GINT64_FORMAT " heads don't match",
                       query, key, value, q->heads, k->heads);
}

/* The mask broadcasts to the scores, and not the other way round. */
static gboolean
check_mask (const EnsOperands *operands, const EnsAttention *attention, GError **error)
{
  const EnsView *mask = ens_operands_input (operands, ENS_ATTENTION_MASK);
  const EnsShape scores = ENS_SHAPE (attention->query.batch, attention->query.heads,
                                     attention->query.rows, attention->key.rows);
  g_autofree char *expected = ens_shape_to_string (&scores);
  g_autofree char *found = NULL;
  EnsShape wide = scores;

  if (mask == NULL)
    return TRUE;
  if (mask->type != operands->inputs[ENS_ATTENTION_QUERY]->type
      && !ens_check_type (operands, ENS_ATTENTION_MASK, ENS_TYPES (ENS_TYPE_BOOL), error))
    return FALSE;
  if (ens_broadcast (&wide, &mask->shape) && ens_shape_equal (&wide, &scores))
    return TRUE;
  found = ens_shape_to_string (&mask->shape);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "the mask is %s, expected what broadcasts to %s", found, expected);
}

static gboolean
check_operands (const EnsOperands *operands, EnsAttention *attention, GError **error)
{
  const EnsAttentionParams *params = operands->params;

  if (!ens_check_type (operands, ENS_ATTENTION_QUERY, ENS_TYPES_REAL, error)
      || !refuse_caches (operands, error))
    return FALSE;
  for (guint i = ENS_ATTENTION_QUERY; i <= ENS_ATTENTION_VALUE; i++)
    if (!ens_check_type (operands, i, ENS_TYPES (operands->inputs[0]->type), error)
        || !ens_check_rank (operands, i, 3, 4, error)
        || !check_heads (operands, i, i == 0 ? params->heads : params->key_heads, error))
      return FALSE;
  ens_attention_find (operands, attention);
  return check_match (operands, attention, error) && check_mask (operands, attention, error);
}

static gboolean
attention_shape (EnsOperands *operands, GError **error)
{
  EnsShape shape = operands->inputs[ENS_ATTENTION_QUERY]->shape;
  EnsAttention attention;

  if (!check_operands (operands, &attention, error))
    return FALSE;
  shape.dims[shape.rank - 1] =
      shape.rank == 4 ? attention.value.depth : attention.query.heads * attention.value.depth;
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static double
attention_flops (const EnsOperands *operands)
{
  EnsAttention attention;

  ens_attention_find (operands, &attention);
  return 2. * (double)attention.query.batch * (double)attention.query.heads
         * (double)attention.query.rows * (double)attention.key.rows
         * (double)(attention.query.depth + attention.value.depth);
}

/* Strides of the mask over batch, heads, queries and keys. */
static void
find_mask_strides (const EnsOperands *operands, const EnsAttention *attention, gint64 *strides)
{
  const EnsView *mask = ens_operands_input (operands, ENS_ATTENTION_MASK);

  if (mask != NULL)
    ens_view_broadcast_strides (mask,
                                &ENS_SHAPE (attention->query.batch, attention->query.heads,
                                            attention->query.rows, attention->key.rows),
                                strides);
}

/* Where the output's matrices are. */
static EnsAttentionMatrices
find_output (const EnsOperands *operands, const EnsAttention *attention)
{
  return find_matrices (operands->outputs[0], attention->query.heads);
}

/* The reference: one query of one head. */

typedef struct {
  const EnsOperands *operands;
  EnsAttention attention;
  EnsAttentionMatrices output;
  gint64 mask[4];
  double *scores;
} Reference;

static gsize
find_row (const EnsAttentionMatrices *matrices, gint64 image, gint64 head, gint64 row)
{
  return (gsize)(image * matrices->batch_stride + head * matrices->head_stride
                 + row * matrices->row_stride);
}

static double
masked (const Reference *reference, double score, gint64 offset)
{
  const EnsView *mask = ens_operands_input (reference->operands, ENS_ATTENTION_MASK);

  if (mask == NULL)
    return score;
  if (mask->type == ENS_TYPE_BOOL)
    return ens_view_integer (mask, (gsize)offset) != 0 ? score : -INFINITY;
  return score + ens_view_real (mask, (gsize)offset);
}

static double
score (const Reference *reference, gsize query, gsize key)
{
  const EnsAttentionParams *params = reference->operands->params;
  double sum = 0;

  for (gint64 k = 0; k < reference->attention.query.depth; k++)
    sum += ens_view_real (reference->operands->inputs[ENS_ATTENTION_QUERY], query + (gsize)k)
           * ens_view_real (reference->operands->inputs[ENS_ATTENTION_KEY], key + (gsize)k);
  sum *= reference->attention.scale;
  return params->softcap > 0 ? params->softcap * tanh (sum / params->softcap) : sum;
}

static void
attend (const Reference *reference, gint64 image, gint64 head, gint64 row)
{
  const EnsAttention *attention = &reference->attention;
  gint64 shared = head / (attention->query.heads / attention->key.heads);
  gint64 first = MAX (row - attention->before, 0);
  gint64 end = MIN (row + attention->behind + 1, attention->key.rows);
  gint64 mask = image * reference->mask[0] + head * reference->mask[1] + row * reference->mask[2];
  gsize query = find_row (&attention->query, image, head, row);
  double max = -INFINITY, total = 0;

  for (gint64 i = first; i < end; i++) {
    double s = score (reference, query, find_row (&attention->key, image, shared, i));

    reference->scores[i] = masked (reference, s, mask + i * reference->mask[3]);
    max = fmax (max, reference->scores[i]);
  }
  for (gint64 i = first; i < end; i++)
    total += reference->scores[i] = exp (reference->scores[i] - (max > -INFINITY ? max : 0));
  for (gint64 k = 0; k < attention->value.depth; k++) {
    double sum = 0;

    for (gint64 i = first; i < end; i++)
      sum += reference->scores[i]
             * ens_view_real (reference->operands->inputs[ENS_ATTENTION_VALUE],
                              find_row (&attention->value, image, shared, i) + (gsize)k);
    ens_view_set_real (reference->operands->outputs[0],
                       find_row (&reference->output, image, head, row) + (gsize)k,
                       total == 0 ? 0 : sum / total);
  }
}

static void
attention_reference (const EnsOperands *operands)
{
  Reference reference = {.operands = operands};
  g_autofree double *scores = NULL;

  ens_attention_find (operands, &reference.attention);
  reference.output = find_output (operands, &reference.attention);
  find_mask_strides (operands, &reference.attention, reference.mask);
  reference.scores = scores = g_new (double, (gsize)reference.attention.key.rows + 1);
  for (gint64 image = 0; image < reference.attention.query.batch; image++)
    for (gint64 head = 0; head < reference.attention.query.heads; head++)
      for (gint64 row = 0; row < reference.attention.query.rows; row++)
        attend (&reference, image, head, row);
}

/* The fast kernel */

static void
attention_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsAttention attention;
  EnsAttentionPlan *state;

  plan->kernel = "reference";
  if (ens_view_elements (operands->outputs[0]) == 0
      || ens_view_elements (operands->inputs[ENS_ATTENTION_KEY]) == 0)
    return;
  ens_attention_find (operands, &attention);
  state = g_new (EnsAttentionPlan, 1);
  ens_attention_plan (state,
                      &(EnsAttentionShape) {.batch = (guint)attention.query.batch,
                                            .heads = (guint)attention.query.heads,
                                            .key_heads = (guint)attention.key.heads,
                                            .queries = (guint)attention.query.rows,
                                            .keys = (guint)attention.key.rows,
                                            .depth = (guint)attention.query.depth,
                                            .value_depth = (guint)attention.value.depth},
                      ens_kernels_get (), plan->n_threads);
  plan->kernel = "blocks";
  plan->state = state;
  plan->free_state = g_free;
  plan->scratch_size = state->scratch_size * sizeof (float);
}

static EnsAttentionStrides
get_strides (const EnsAttentionMatrices *matrices)
{
  return (EnsAttentionStrides) {(gsize)matrices->batch_stride, (gsize)matrices->head_stride,
                                (gsize)matrices->row_stride};
}

static EnsAttentionMask
get_mask (const EnsOperands *operands, const EnsAttention *attention)
{
  const EnsView *mask = ens_operands_input (operands, ENS_ATTENTION_MASK);
  gint64 strides[4] = {0};

  find_mask_strides (operands, attention, strides);
  return (EnsAttentionMask) {
      .addend = mask != NULL && mask->type == ENS_TYPE_FLOAT32 ? mask->data : NULL,
      .selected = mask != NULL && mask->type == ENS_TYPE_BOOL ? mask->data : NULL,
      .batch = (gsize)strides[0],
      .head = (gsize)strides[1],
      .row = (gsize)strides[2],
      .column = (gsize)strides[3]};
}

static void
attention_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsAttentionParams *params = operands->params;
  EnsAttentionMatrices output;
  EnsAttention attention;

  if (context->state == NULL) {
    attention_reference (operands);
    return;
  }
  ens_attention_find (operands, &attention);
  output = find_output (operands, &attention);
  ens_attention_run (context->state,
                     &(EnsAttentionArguments) {.query = operands->inputs[ENS_ATTENTION_QUERY]->data,
                                               .key = operands->inputs[ENS_ATTENTION_KEY]->data,
                                               .value = operands->inputs[ENS_ATTENTION_VALUE]->data,
                                               .output = operands->outputs[0]->data,
                                               .query_strides = get_strides (&attention.query),
                                               .key_strides = get_strides (&attention.key),
                                               .value_strides = get_strides (&attention.value),
                                               .output_strides = get_strides (&output),
                                               .mask = get_mask (operands, &attention),
                                               .scale = (float)attention.scale,
                                               .softcap = params->softcap,
                                               .before = (guint)attention.before,
                                               .behind = (guint)attention.behind,
                                               .scratch = context->scratch},
                     context->pool);
}

/* The shader */

static void
set_strides (uint *strides, const EnsAttentionMatrices *matrices)
{
  strides[0] = (guint32)matrices->batch_stride;
  strides[1] = (guint32)matrices->head_stride;
  strides[2] = (guint32)matrices->row_stride;
}

static EnsAttentionPush
make_push (const EnsOperands *operands, const EnsAttention *attention)
{
  const EnsAttentionParams *params = operands->params;
  EnsAttentionMatrices output = find_output (operands, attention);
  gint64 mask[4] = {0};
  EnsAttentionPush push = {
      .n = (guint32)(attention->query.batch * attention->query.heads * attention->query.rows),
      .heads = (guint32)attention->query.heads,
      .sharing = (guint32)(attention->query.heads / attention->key.heads),
      .queries = (guint32)attention->query.rows,
      .keys = (guint32)attention->key.rows,
      .depth = (guint32)attention->query.depth,
      .value_depth = (guint32)attention->value.depth,
      .scale = (float)attention->scale,
      .softcap = params->softcap,
  };

  find_mask_strides (operands, attention, mask);
  set_strides (push.query, &attention->query);
  set_strides (push.key, &attention->key);
  set_strides (push.value, &attention->value);
  set_strides (push.y, &output);
  for (guint i = 0; i < 4; i++)
    push.mask[i] = (guint32)mask[i];
  return push;
}

/* Of the shader's loops: for each tile of keys, over the query and, for each part of a value, over
 * the keys. */
static double
count_rounds (const EnsAttention *attention)
{
  double tiles = ceil ((double)attention->key.rows / ENS_TILE);
  double parts = ceil ((double)attention->value.depth / ENS_TILE);

  return tiles * ((double)attention->query.depth + parts * (ENS_TILE + 1) + 1);
}

static gboolean
attention_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsAttentionParams *params = operands->params;
  const EnsView *query = operands->inputs[ENS_ATTENTION_QUERY];
  const EnsView *mask = ens_operands_input (operands, ENS_ATTENTION_MASK);
  gboolean selects = mask != NULL && mask->type == ENS_TYPE_BOOL;
  EnsAttention attention;
  EnsAttentionPush push;
  EnsDispatch dispatch = {
      .shader = "attention",
      .bindings = {{query, ENS_ACCESS_READ},
                   {operands->inputs[ENS_ATTENTION_KEY], ENS_ACCESS_READ},
                   {operands->inputs[ENS_ATTENTION_VALUE], ENS_ACCESS_READ},
                   {mask != NULL && !selects ? mask : query, ENS_ACCESS_READ},
                   {selects ? mask : query, ENS_ACCESS_READ},
                   {operands->outputs[0], ENS_ACCESS_WRITE}},
      .n_bindings = 6,
      .constants = {1,
                    mask == NULL ? ENS_ATTENTION_UNMASKED
                    : selects    ? ENS_ATTENTION_SELECTED
                                 : ENS_ATTENTION_ADDEND,
                    FALSE, params->softcap > 0},
      .n_constants = 4,
      .push = &push,
      .push_size = sizeof push,
  };

  ens_attention_find (operands, &attention);
  dispatch.constants[2] = attention.behind == 0;
  if (attention.before < attention.query.rows
      || (attention.behind > 0 && attention.behind < attention.key.rows)
      || !ens_record_storage (operands, 0, selects ? ENS_ATTENTION_MASK : ENS_ATTENTION_MASK + 1,
                              &dispatch.storage)
      || attention.query.depth > ENS_ATTENTION_MAX_DEPTH
      || attention.value.depth > ENS_ATTENTION_MAX_DEPTH || attention.key.rows == 0
      || count_rounds (&attention) > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (ens_view_elements (operands->outputs[0]) == 0)
    return TRUE;
  push = make_push (operands, &attention);
  ens_tile_cover (commands, &dispatch, push.n);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

/* Images of the mask are the batch's, or there is one for all. */
static gboolean
attention_per_image (const EnsNode *node)
{
  const EnsValue *mask = ens_node_input (node, ENS_ATTENTION_MASK);

  for (guint i = ENS_ATTENTION_QUERY; i <= ENS_ATTENTION_VALUE; i++)
    if (node->inputs[i]->constant != NULL)
      return FALSE;
  if (mask == NULL || mask->constant == NULL)
    return mask == NULL || mask->shape.rank == 4;
  return mask->shape.rank < 4 || mask->shape.dims[0] == 1;
}

static const EnsOpExample attention_examples[] = {
    {"2x3x9x8 2x3x11x8 2x3x11x5 9x11", &(const EnsAttentionParams) {.before = -1, .behind = -1}},
    {"2x9x24 2x11x24 2x11x24 ?2x1x1x11",
     &(const EnsAttentionParams) {
         .before = -1, .behind = -1, .heads = 3, .key_heads = 3, .scale = 0.3f}},
    {NULL}};

const EnsOp ens_op_attention = {.name = "Attention",
                                .min_inputs = 3,
                                .max_inputs = 7,
                                .min_outputs = 1,
                                .max_outputs = 1,
                                .layout = ENS_LAYOUT_PLAIN,
                                .flags = ENS_OP_PITCHED,
                                .params_size = sizeof (EnsAttentionParams),
                                .versions = {.since = 23},
                                .attributes = attention_attributes,
                                .shape = attention_shape,
                                .flops = attention_flops,
                                .reference = attention_reference,
                                .cpu = attention_cpu,
                                .cpu_plan = attention_cpu_plan,
                                .gpu = attention_gpu,
                                .gradient = ens_attention_gradient,
                                .per_image = attention_per_image,
                                .example = attention_examples};
