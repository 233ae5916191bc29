/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/attention.h"

#include <math.h>

#include "kernels/conv-method.h"

/* Scores that a block holds at most, and queries of a task. */
#define BLOCK_SCORES 49152
#define MAX_BLOCK 192
#define TASK_QUERIES 512

/* The parts of a worker's scratch, in this order: packed keys, packed values, scores, a row of what
 * is added to them, what the products need. */
static gsize
align (gsize floats)
{
  return ens_round_up (floats, ENS_ALIGNMENT / sizeof (float));
}

static gsize
product_scratch (const EnsAttentionPlan *plan)
{
  gsize scores = MAX (plan->scores[0].scratch_size, plan->scores[1].scratch_size);

  return MAX (scores, MAX (plan->values[0].scratch_size, plan->values[1].scratch_size));
}

/* Blocks of about equal size, of whole tiles. */
static void
cut_queries (EnsAttentionPlan *plan)
{
  const EnsAttentionShape *shape = &plan->shape;
  guint tile = plan->kernels->tile_rows;
  guint most = CLAMP (BLOCK_SCORES / shape->keys, tile, MAX_BLOCK) / tile * tile;
  guint n = (guint)ens_divide_up (shape->queries, most);

  plan->block = (guint)ens_round_up (ens_divide_up (shape->queries, n), tile);
  plan->block = MIN (plan->block, shape->queries);
  n = (guint)ens_divide_up (shape->queries, plan->block);
  plan->blocks = MAX (TASK_QUERIES / plan->block, 1);
  plan->tasks = (guint)ens_divide_up (n, plan->blocks);
}

void
ens_attention_plan (EnsAttentionPlan *plan, const EnsAttentionShape *shape,
                    const EnsKernels *kernels, guint n_threads)
{
  *plan = (EnsAttentionPlan) {.shape = *shape, .kernels = kernels};
  cut_queries (plan);
  for (guint i = 0; i < 2; i++) {
    guint rest = shape->queries % plan->block;
    guint rows = i == 0 || rest == 0 ? plan->block : rest;

    ens_gemm_plan (&plan->scores[i], &(EnsGemmShape) {rows, shape->depth, shape->keys}, kernels, 1);
    ens_gemm_plan (&plan->values[i], &(EnsGemmShape) {rows, shape->keys, shape->value_depth},
                   kernels, 1);
  }
  plan->worker_size = align (plan->scores[0].packed_size) + align (plan->values[0].packed_size)
                      + align ((gsize)plan->block * shape->keys) + align (shape->keys)
                      + align (product_scratch (plan));
  plan->scratch_size = plan->worker_size * n_threads;
}

/* One head's work on some blocks of queries. */
typedef struct {
  const EnsAttentionPlan *plan;
  const EnsAttentionArguments *arguments;
  guint image, head;
  float *keys, *values, *scores, *addend, *scratch;
} Head;

static gsize
find_head (const EnsAttentionStrides *strides, guint image, guint head)
{
  return image * strides->batch + head * strides->head;
}

static void
pack (const Head *head)
{
  const EnsAttentionArguments *arguments = head->arguments;
  const EnsAttentionShape *shape = &head->plan->shape;
  guint shared = head->head / (shape->heads / shape->key_heads);
  const float *keys = arguments->key + find_head (&arguments->key_strides, head->image, shared);
  const float *values =
      arguments->value + find_head (&arguments->value_strides, head->image, shared);

  ens_gemm_pack (&head->plan->scores[0], ENS_GEMM_COLUMNS_FIRST, keys, arguments->key_strides.row,
                 head->keys, NULL);
  ens_gemm_pack (&head->plan->values[0], ENS_GEMM_INNER_FIRST, values, arguments->value_strides.row,
                 head->values, NULL);
}

/* What is added to a query's scores, or NULL. */
static const float *
get_addend (const Head *head, guint query)
{
  const EnsAttentionMask *mask = &head->arguments->mask;
  gsize at = head->image * mask->batch + head->head * mask->head + query * mask->row;

  if (mask->addend != NULL && mask->column == 1)
    return mask->addend + at;
  if (mask->addend == NULL && mask->selected == NULL)
    return NULL;
  for (guint i = 0; i < head->plan->shape.keys; i++, at += mask->column)
    head->addend[i] = mask->addend != NULL ? mask->addend[at] : mask->selected[at] ? 0 : -INFINITY;
  return head->addend;
}

/* Makes a query's scores exponentials; returns one over their sum, or 0 if it sees no key. */
static float
weigh (const Head *head, guint query, float *scores)
{
  const EnsAttentionArguments *arguments = head->arguments;
  guint keys = head->plan->shape.keys;
  guint first = MIN (query - MIN (query, arguments->before), keys);
  guint end = (guint)MIN ((guint64)query + arguments->behind + 1, keys);
  const float *addend = get_addend (head, query);
  float factor;
  EnsSoftmaxRow row = {scores + first, addend != NULL ? addend + first : NULL, arguments->scale,
                       end - MIN (first, end), scores + first};

  for (guint i = 0; i < first; i++)
    scores[i] = 0;
  for (guint i = MAX (first, end); i < keys; i++)
    scores[i] = 0;
  if (row.n == 0)
    return 0;
  if (arguments->softcap > 0) {
    for (guint i = first; i < end; i++)
      scores[i] = arguments->softcap * tanhf (scores[i] * arguments->scale / arguments->softcap);
    row.scale = 1;
  }
  factor = head->plan->kernels->softmax (&row);
  return isinf (factor) ? 0 : factor;
}

static void
run_block (const Head *head, guint first)
{
  const EnsAttentionPlan *plan = head->plan;
  const EnsAttentionArguments *arguments = head->arguments;
  guint rows = MIN (plan->block, plan->shape.queries - first), keys = plan->shape.keys;
  guint which = rows == plan->block ? 0 : 1;
  float factors[MAX_BLOCK];
  float *output = arguments->output
                  + find_head (&arguments->output_strides, head->image, head->head)
                  + first * arguments->output_strides.row;

  ens_gemm_run (
      &plan->scores[which],
      &(EnsConvArguments) {.packed = head->keys,
                           .input = arguments->query
                                    + find_head (&arguments->query_strides, head->image, head->head)
                                    + first * arguments->query_strides.row,
                           .input_pitch = arguments->query_strides.row,
                           .output = head->scores,
                           .output_pitch = keys,
                           .scratch = head->scratch},
      NULL);
  for (guint i = 0; i < rows; i++)
    factors[i] = weigh (head, first + i, head->scores + (gsize)i * keys);
  ens_gemm_run (&plan->values[which],
                &(EnsConvArguments) {.packed = head->values,
                                     .input = head->scores,
                                     .input_pitch = keys,
                                     .output = output,
                                     .output_pitch = arguments->output_strides.row,
                                     .scratch = head->scratch},
                NULL);
  for (guint i = 0; i < rows; i++)
    for (guint k = 0; k < plan->shape.value_depth; k++)
      output[i * arguments->output_strides.row + k] *= factors[i];
}

typedef struct {
  const EnsAttentionPlan *plan;
  const EnsAttentionArguments *arguments;
} Attention;

static void
run_task (gpointer data, guint task, guint worker)
{
  const Attention *attention = data;
  const EnsAttentionPlan *plan = attention->plan;
  guint part = task % plan->tasks, step = plan->blocks * plan->block;
  guint end = MIN ((part + 1) * step, plan->shape.queries);
  Head head = {plan, attention->arguments, task / plan->tasks / plan->shape.heads,
               task / plan->tasks % plan->shape.heads};

  head.keys = attention->arguments->scratch + worker * plan->worker_size;
  head.values = head.keys + align (plan->scores[0].packed_size);
  head.scores = head.values + align (plan->values[0].packed_size);
  head.addend = head.scores + align ((gsize)plan->block * plan->shape.keys);
  head.scratch = head.addend + align (plan->shape.keys);
  pack (&head);
  for (guint first = part * step; first < end; first += plan->block)
    run_block (&head, first);
}

void
ens_attention_run (const EnsAttentionPlan *plan, const EnsAttentionArguments *arguments,
                   EnsThreadPool *pool)
{
  Attention attention = {plan, arguments};

  ens_thread_pool_run (pool, plan->shape.batch * plan->shape.heads * plan->tasks, run_task,
                       &attention);
}
