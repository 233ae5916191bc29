/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention beside its definition in double precision. */
#include "kernels/attention.h"

#include <math.h>
#include <stdlib.h>

#include "support.h"

#define SCALE 0.7
#define TOLERANCE 5e-6
#define ALL G_MAXINT32

typedef enum { NO_MASK, ADDEND, ADDEND_OF_QUERIES, SELECTED } Mask;

typedef struct {
  const char *name;
  EnsAttentionShape shape;
  Mask mask;
  guint before, behind;
  float softcap;
} Row;

/* Blocks have at most 192 queries of whole tiles, and fewer of many keys; tasks have 512. */
static const Row rows[] = {
    {"one of each", {1, 1, 1, 1, 1, 1, 1}, NO_MASK, ALL, ALL, 0},
    {"small", {2, 3, 3, 7, 5, 3, 9}, NO_MASK, ALL, ALL, 0},
    {"shared keys", {2, 6, 2, 9, 13, 8, 5}, NO_MASK, ALL, ALL, 0},
    {"below a block", {1, 1, 1, 191, 128, 8, 8}, NO_MASK, ALL, ALL, 0},
    {"a block", {1, 1, 1, 192, 128, 8, 8}, NO_MASK, ALL, ALL, 0},
    {"beyond a block", {1, 1, 1, 193, 128, 8, 8}, NO_MASK, ALL, ALL, 0},
    {"two blocks", {1, 1, 1, 384, 128, 8, 8}, NO_MASK, ALL, ALL, 0},
    {"beyond two blocks", {1, 1, 1, 385, 128, 8, 8}, NO_MASK, ALL, ALL, 0},
    {"tasks", {1, 2, 1, 1025, 17, 5, 3}, NO_MASK, ALL, ALL, 0},
    {"many keys", {1, 1, 1, 40, 5001, 4, 7}, NO_MASK, ALL, ALL, 0},
    {"addend", {2, 2, 2, 37, 33, 8, 8}, ADDEND, ALL, ALL, 0},
    {"addend of queries", {2, 2, 2, 37, 33, 8, 8}, ADDEND_OF_QUERIES, ALL, ALL, 0},
    {"selected", {2, 2, 2, 37, 33, 8, 8}, SELECTED, ALL, ALL, 0},
    {"causal", {1, 2, 2, 50, 50, 8, 8}, NO_MASK, ALL, 0, 0},
    {"window", {1, 2, 2, 50, 31, 8, 8}, ADDEND, 3, 1, 0},
    {"addend of blocks", {1, 2, 1, 300, 33, 8, 8}, ADDEND, ALL, ALL, 0},
    {"window of blocks", {1, 1, 1, 300, 250, 8, 8}, NO_MASK, 90, 20, 0},
    {"softcap", {1, 2, 1, 21, 35, 8, 8}, SELECTED, ALL, 2, 0.5f},
};

typedef struct {
  const Row *row;
  EnsAttentionArguments arguments;
  float *query, *key, *value, *addend;
  guint8 *selected;
} Case;

/* Rows of `depth` elements with gaps between them, head by head. */
static float *
make_rows (GRand *random, guint batch, guint heads, guint n, guint depth,
           EnsAttentionStrides *strides)
{
  gsize pitch = depth + 3;

  *strides = (EnsAttentionStrides) {heads * n * pitch, n * pitch, pitch};
  return test_pixels_new (random, (gsize)batch * heads * n, depth, pitch);
}

/* Every third element is hidden, and everything from every fifth query. */
static void
make_mask (Case *test, GRand *random)
{
  const EnsAttentionShape *shape = &test->row->shape;
  gsize n = (gsize)shape->batch * shape->heads * shape->queries * shape->keys;
  EnsAttentionMask *mask = &test->arguments.mask;

  test->addend = test_random (random, n);
  test->selected = g_new (guint8, n);
  for (gsize i = 0; i < n; i++) {
    test->selected[i] = i % 3 != 0 && i / shape->keys % 5 != 0;
    if (!test->selected[i])
      test->addend[i] = -INFINITY;
  }
  if (test->row->mask == NO_MASK)
    return;
  *mask = (EnsAttentionMask) {.head = (gsize)shape->queries * shape->keys,
                              .row = shape->keys,
                              .column = test->row->mask != ADDEND_OF_QUERIES};
  mask->batch = mask->head * shape->heads;
  if (test->row->mask == SELECTED)
    mask->selected = test->selected;
  else
    mask->addend = test->addend;
}

static void
case_init (Case *test, const Row *row, GRand *random)
{
  const EnsAttentionShape *shape = &row->shape;
  EnsAttentionArguments *arguments = &test->arguments;

  *test = (Case) {.row = row,
                  .arguments = {.scale = (float)SCALE,
                                .softcap = row->softcap,
                                .before = row->before,
                                .behind = row->behind}};
  arguments->query = test->query = make_rows (random, shape->batch, shape->heads, shape->queries,
                                              shape->depth, &arguments->query_strides);
  arguments->key = test->key = make_rows (random, shape->batch, shape->key_heads, shape->keys,
                                          shape->depth, &arguments->key_strides);
  arguments->value = test->value = make_rows (random, shape->batch, shape->key_heads, shape->keys,
                                              shape->value_depth, &arguments->value_strides);
  make_mask (test, random);
}

static void
case_clear (Case *test)
{
  g_free (test->query);
  g_free (test->key);
  g_free (test->value);
  g_free (test->addend);
  g_free (test->selected);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

static gsize
output_pitch (const EnsAttentionShape *shape)
{
  return shape->value_depth + 1;
}

static float *
attend (const Case *test, const EnsKernels *kernels, guint threads)
{
  const EnsAttentionShape *shape = &test->row->shape;
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
  EnsAttentionArguments arguments = test->arguments;
  gsize pitch = output_pitch (shape);
  EnsAttentionPlan plan;

  ens_attention_plan (&plan, shape, kernels, threads);
  arguments.output =
      test_output_new ((gsize)shape->batch * shape->heads * shape->queries, output_pitch (shape));
  arguments.output_strides =
      (EnsAttentionStrides) {shape->heads * shape->queries * pitch, shape->queries * pitch, pitch};
  arguments.scratch = test_aligned_new (plan.scratch_size);
  ens_attention_run (&plan, &arguments, pool);
  free (arguments.scratch);
  return arguments.output;
}

/* The definition */

static double
find_score (const Case *test, gsize image, gsize head, gsize query, gsize key)
{
  const EnsAttentionShape *shape = &test->row->shape;
  const EnsAttentionArguments *arguments = &test->arguments;
  const EnsAttentionStrides *q = &arguments->query_strides, *k = &arguments->key_strides;
  const EnsAttentionMask *mask = &arguments->mask;
  gsize shared = head / (shape->heads / shape->key_heads);
  const float *a = arguments->query + image * q->batch + head * q->head + query * q->row;
  const float *b = arguments->key + image * k->batch + shared * k->head + key * k->row;
  gsize at = image * mask->batch + head * mask->head + query * mask->row + key * mask->column;
  double score = 0;

  if (key > query + arguments->behind || key + arguments->before < query
      || (mask->selected != NULL && !mask->selected[at]))
    return -INFINITY;
  for (guint i = 0; i < shape->depth; i++)
    score += (double)a[i] * b[i];
  score *= SCALE;
  if (arguments->softcap > 0)
    score = (double)arguments->softcap * tanh (score / (double)arguments->softcap);
  return score + (mask->addend != NULL ? (double)mask->addend[at] : 0);
}

/* Sets the weights; returns their sum. */
static double
find_weights (const Case *test, gsize image, gsize head, gsize query, double *weights)
{
  guint keys = test->row->shape.keys;
  double max = -INFINITY, sum = 0;

  for (guint i = 0; i < keys; i++)
    max = fmax (max, weights[i] = find_score (test, image, head, query, i));
  for (guint i = 0; i < keys; i++)
    sum += weights[i] = max > -INFINITY ? exp (weights[i] - max) : 0;
  return sum;
}

static void
check_query (const Case *test, const float *output, gsize image, gsize head, gsize query)
{
  const EnsAttentionShape *shape = &test->row->shape;
  const EnsAttentionStrides *strides = &test->arguments.value_strides;
  gsize shared = head / (shape->heads / shape->key_heads);
  const float *values = test->arguments.value + image * strides->batch + shared * strides->head;
  g_autofree double *weights = g_new (double, shape->keys);
  double sum = find_weights (test, image, head, query, weights);

  for (guint k = 0; k < shape->value_depth; k++) {
    double expected = 0;

    for (guint i = 0; i < shape->keys && sum > 0; i++)
      expected += weights[i] / sum * values[i * strides->row + k];
    if (!(fabs ((double)output[k] - expected) <= TOLERANCE))
      ck_abort_msg ("%s: query %" G_GSIZE_FORMAT " has %.9g, expected %.9g", test->row->name, query,
                    (double)output[k], expected);
  }
}

static void
check (const Case *test, const EnsKernels *kernels)
{
  const EnsAttentionShape *shape = &test->row->shape;
  g_autofree float *output = attend (test, kernels, 1);
  g_autofree float *again = attend (test, kernels, 3);
  gsize pitch = output_pitch (shape), n = (gsize)shape->batch * shape->heads * shape->queries;

  for (gsize i = 0; i < n; i++)
    check_query (test, output + i * pitch, i / shape->queries / shape->heads,
                 i / shape->queries % shape->heads, i % shape->queries);
  test_assert_gaps (output, n, shape->value_depth, pitch);
  ck_assert_bytes_eq (output, n * pitch * sizeof *output, again, n * pitch * sizeof *again);
}

START_TEST (test_definition)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (Case) test;

    case_init (&test, &rows[i], random);
    check (&test, kernels);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels");
  test_add_levels ("attention/definition", test_definition);
  return test_run ();
}
