/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention as files spell it out: what is left, and that it computes the same. */
#include "build.h"

#include "check-main.h"
#include "passes/passes.h"

enum { IMAGES = 2, HEADS = 3, QUERIES = 4, KEYS = 5, DEPTH = 6, VALUE_DEPTH = 7 };

typedef enum {
  SEPARATE = 0, /* (batch, heads, rows, depth) */
  MOVED,        /* (batch, rows, heads · depth), reshaped and transposed */
  JOINED,       /* the same, the key's two Transposes being one */
  MATRICES,     /* (batch, rows, depth) */
} Layout;

static const struct {
  const char *ops; /* what is left */
  Layout layout;
  float query_scale, key_scale, score_scale; /* 0: none */
  EnsShape masks[2], head_scale;             /* rank 0: none */
  EnsShape windows;                          /* of a mask between two views; rank 0: none */
  gboolean divides, guarded;                 /* by the scale of the scores; against NaN */
  gboolean other_axis, read_twice;
} rows[] = {
    {"Attention"},
    {"Attention", .query_scale = 0.4F, .key_scale = 0.7F},
    {"Attention", .score_scale = 0.3F},
    {"Attention", .score_scale = 3, .divides = TRUE, .guarded = TRUE},
    {"Attention", .score_scale = 0.3F, .masks = {{4, {1, HEADS, QUERIES, KEYS}}}},
    {"Attention", .query_scale = 0.3F, .masks = {{2, {QUERIES, KEYS}}}, .guarded = TRUE},
    {"Attention", .masks = {{1, {KEYS}}}},
    {"Add Attention", .masks = {{4, {1, HEADS, QUERIES, KEYS}}, {4, {IMAGES, 1, QUERIES, KEYS}}}},
    {"Mul Attention", .head_scale = {3, {HEADS, 1, 1}}, .masks = {{3, {HEADS, QUERIES, KEYS}}}},
    {"Attention Reshape Transpose", MOVED, .query_scale = 0.4F},
    {"Attention Reshape Transpose", JOINED},
    {"Reshape Reshape Attention", .windows = {5, {1, IMAGES, 1, QUERIES, KEYS}}},
    {"Reshape Add Reshape Reshape Attention", .masks = {{4, {1, HEADS, QUERIES, KEYS}}},
     .windows = {5, {1, IMAGES, 1, QUERIES, KEYS}}},
    {"Reshape Add Reshape Reshape Attention", .masks = {{3, {HEADS, QUERIES, KEYS}}},
     .windows = {4, {IMAGES, 1, QUERIES, KEYS}}},
    {"Attention", MATRICES, .key_scale = 0.4F, .masks = {{2, {QUERIES, KEYS}}}},
    {"Reshape Attention", MATRICES, .masks = {{3, {IMAGES, QUERIES, KEYS}}}},
    {"Transpose MatMul Softmax MatMul", .other_axis = TRUE},
    {"Transpose MatMul Softmax MatMul", .read_twice = TRUE},
    {"Transpose MatMul Mul Softmax MatMul", .head_scale = {2, {QUERIES, 1}}},
    /* Which repeats the scores. */
    {"Transpose MatMul Mul Softmax MatMul", .head_scale = {5, {2, 1, 1, 1, 1}}},
};

static EnsValue *
scale (Builder *b, EnsValue *value, float number)
{
  return number == 0 ? value : build (b, "Mul", NULL, value, build_number (b, number), NULL);
}

/* Queries, keys or values; `perm`: the order of (batch, rows, heads, depth). */
static EnsValue *
build_rows (Builder *b, Layout layout, gint64 n, gint64 depth, const gint64 *perm)
{
  EnsValue *x;

  if (layout == MATRICES)
    return build_input (b, &ENS_SHAPE (IMAGES, n, depth));
  if (layout == SEPARATE)
    return build_input (b, &ENS_SHAPE (IMAGES, HEADS, n, depth));
  x = build_input (b, &ENS_SHAPE (IMAGES, n, HEADS * depth));
  x = build_reshape (b, x, &ENS_SHAPE (IMAGES, n, HEADS, depth));
  return build_transpose (b, x, perm);
}

static EnsValue *
build_scores (Builder *b, guint i)
{
  static const gint64 moved[] = {0, 2, 1, 3}, joined[] = {0, 2, 3, 1}, swapped[] = {0, 1, 3, 2};
  Layout layout = rows[i].layout;
  EnsValue *query = build_rows (b, layout, QUERIES, DEPTH, moved);
  EnsValue *key = build_rows (b, layout, KEYS, DEPTH, layout == JOINED ? joined : moved);

  if (layout != JOINED)
    key = build_transpose (b, key, layout == MATRICES ? (const gint64[]) {0, 2, 1} : swapped);
  return build (b, "MatMul", NULL, scale (b, query, rows[i].query_scale),
                scale (b, key, rows[i].key_scale), NULL);
}

static EnsValue *
build_weights (Builder *b, guint i)
{
  EnsValue *scores = build_scores (b, i);
  const EnsSoftmaxParams softmax = {rows[i].other_axis ? 2 : -1, FALSE};

  if (rows[i].divides)
    scores = build (b, "Div", NULL, scores, build_number (b, rows[i].score_scale), NULL);
  else
    scores = scale (b, scores, rows[i].score_scale);
  if (rows[i].head_scale.rank > 0)
    scores = build (b, "Mul", NULL, scores, build_constant (b, &rows[i].head_scale), NULL);
  for (guint k = 0; k < 2 && rows[i].masks[k].rank > 0; k++)
    scores = build (b, "Add", NULL, scores, build_input (b, &rows[i].masks[k]), NULL);
  if (rows[i].windows.rank > 0) {
    scores = build_reshape (b, scores, &ENS_SHAPE (1, IMAGES, HEADS, QUERIES, KEYS));
    scores = build (b, "Add", NULL, scores, build_input (b, &rows[i].windows), NULL);
    scores = build_reshape (b, scores, &ENS_SHAPE (IMAGES, HEADS, QUERIES, KEYS));
  }
  scores = build (b, "Softmax", &softmax, scores, NULL);
  if (!rows[i].guarded)
    return scores;
  return build (b, "Where", NULL, build (b, "IsNaN", NULL, scores, NULL), build_number (b, 0),
                scores, NULL);
}

START_TEST (test_row)
{
  static const gint64 moved[] = {0, 2, 1, 3};
  g_auto (Builder) b;
  EnsValue *weights, *value;

  builder_init (&b, 1);
  weights = build_weights (&b, (guint)_i);
  value = build_rows (&b, rows[_i].layout, KEYS, VALUE_DEPTH, moved);
  if (rows[_i].read_twice)
    ens_graph_add_output (b.graph, weights);
  check_pass (&b, build (&b, "MatMul", NULL, weights, value, NULL), ens_pass_recognise_attention,
              rows[_i].ops);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/recognise-attention");
  TEST_ADD_LOOP ("rows", test_row, rows);
  return test_run ();
}
