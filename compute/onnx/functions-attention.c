/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX's Attention with a cache of keys and values, with sequences of different lengths, or with
 * outputs beside the first: as an Attention without, whose mask hides what they hide. */
#include <math.h>
#include <string.h>

#include "onnx/contributed.h"
#include "onnx/functions.h"

enum { QUERY, KEY, VALUE, MASK, PAST_KEY, PAST_VALUE, LENGTHS };
enum { Y, PRESENT_KEY, PRESENT_VALUE, SCORES };

/* What the scores are that the last output has: before anything, then after each of these. */
enum { PRODUCT, CAPPED, MASKED, NORMALISED };

typedef struct {
  EnsCompose *compose;
  gint64 heads, key_heads, mode, before, behind;
  float scale, softcap;
  const char *query, *key, *value, *mask; /* (batch, heads, rows, depth); mask "": none */
} Attention;

static gint64
get_dim (const EnsCompose *compose, const char *x, guint axis)
{
  const EnsOnnxTensor *tensor = ens_compose_find (compose, x);

  return tensor != NULL && axis < tensor->shape.rank ? tensor->shape.dims[axis] : -1;
}

static guint
get_rank (const EnsCompose *compose, const char *x)
{
  const EnsOnnxTensor *tensor = ens_compose_find (compose, x);

  return tensor != NULL ? tensor->shape.rank : 0;
}

static const char *
add_integer (EnsCompose *compose, gint64 number)
{
  return ens_compose_known (compose, "number",
                            ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE_SCALAR, &number));
}

/* Of an input of rank 3, (batch, rows, heads · depth). */
static const char *
split_heads (EnsCompose *compose, guint input, gint64 heads)
{
  const char *x = ens_compose_input (compose, input);
  guint rank = get_rank (compose, x);

  if (rank == 4)
    return x;
  if (rank != 3 || heads < 1)
    ens_compose_fail (compose, ENS_ERROR_SHAPE,
                      "input %u has rank %u and %" G_GINT64_FORMAT
                      " heads, expected 4, or 3 and a number of heads",
                      input, rank, heads);
  x = ens_compose_reshape (compose, x, (const gint64[]) {0, 0, heads, -1}, 4);
  return ens_compose_transpose (compose, x, (const gint64[]) {0, 2, 1, 3}, 4);
}

static const char *
join_past (EnsCompose *compose, guint input, const char *x)
{
  return ens_compose_has_input (compose, input)
             ? ens_compose (compose, "Concat", ens_compose_int ("axis", 2),
                            ens_compose_input (compose, input), x, NULL)
             : x;
}

/* A window of −1 is open. */
static gint64
read_window (EnsCompose *compose, const char *name)
{
  gint64 window = ens_attributes_int (compose->step->attributes, name, -1);

  return window < 0 ? G_MAXINT32 : MIN (window, G_MAXINT32);
}

static Attention
read_attention (EnsCompose *compose)
{
  EnsAttributes *attributes = compose->step->attributes;
  Attention attention = {
      .compose = compose,
      .heads = ens_attributes_int (attributes, "q_num_heads", 0),
      .key_heads = ens_attributes_int (attributes, "kv_num_heads", 0),
      .mode = ens_attributes_int (attributes, "qk_matmul_output_mode", PRODUCT),
      .before = read_window (compose, "left_window_size"),
      .behind = read_window (compose, "right_window_size"),
      .scale = ens_attributes_float (attributes, "scale", 0),
      .softcap = ens_attributes_float (attributes, "softcap", 0),
      .mask = ens_compose_input (compose, MASK),
  };

  if (ens_attributes_int (attributes, "is_causal", 0) != 0)
    attention.behind = 0;
  ens_attributes_ignore (attributes, "softmax_precision");
  attention.query = split_heads (compose, QUERY, attention.heads);
  attention.key = join_past (compose, PAST_KEY, split_heads (compose, KEY, attention.key_heads));
  attention.value =
      join_past (compose, PAST_VALUE, split_heads (compose, VALUE, attention.key_heads));
  attention.heads = get_dim (compose, attention.query, 1);
  attention.key_heads = get_dim (compose, attention.key, 1);
  return attention;
}

/* Masks */

/* A mask of fewer keys hides the others. */
static void
lengthen_mask (Attention *attention)
{
  EnsCompose *compose = attention->compose;
  const EnsOnnxTensor *mask = ens_compose_find (compose, attention->mask);
  gint64 keys = get_dim (compose, attention->key, 2), pads[2 * ENS_MAX_RANK] = {0};
  guint rank = mask != NULL ? mask->shape.rank : 0;

  if (rank == 0 || keys < 0 || mask->shape.dims[rank - 1] < 2 || mask->shape.dims[rank - 1] >= keys)
    return;
  pads[2 * rank - 1] = keys - mask->shape.dims[rank - 1];
  attention->mask = ens_compose (
      compose, "Pad", NULL, attention->mask, ens_compose_list (compose, pads, 2 * rank),
      mask->type == ENS_TYPE_BOOL ? "" : ens_compose_number (compose, -INFINITY), NULL);
}

/* The key that query 0 is at, of each image if lengths are given: those without its queries are
 * before it. NULL: 0. */
static const char *
find_first (const Attention *attention, const char *lengths)
{
  EnsCompose *compose = attention->compose;
  const char *shape;

  if (lengths == NULL && !ens_compose_has_input (compose, PAST_KEY))
    return NULL;
  shape = lengths != NULL ? attention->query : ens_compose_input (compose, PAST_KEY);
  shape = ens_compose (compose, "Gather", NULL, ens_compose (compose, "Shape", NULL, shape, NULL),
                       add_integer (compose, 2), NULL);
  return lengths != NULL ? ens_compose (compose, "Sub", NULL, lengths, shape, NULL) : shape;
}

static const char *
both (EnsCompose *compose, const char *a, const char *b)
{
  return a == NULL ? b : ens_compose (compose, "And", NULL, a, b, NULL);
}

/* Which keys queries see, as truth values that broadcast to the scores; NULL: all. */
static const char *
find_visible (const Attention *attention)
{
  EnsCompose *compose = attention->compose;
  const char *lengths = NULL, *keys = ens_compose_positions (compose, attention->key, 2);
  const char *queries, *first, *distance, *visible = NULL;

  if (ens_compose_has_input (compose, LENGTHS)) {
    lengths = ens_compose_reshape (compose, ens_compose_input (compose, LENGTHS),
                                   (const gint64[]) {-1, 1, 1, 1}, 4);
    visible = ens_compose (compose, "Less", NULL, keys, lengths, NULL);
  }
  if (attention->before == G_MAXINT32 && attention->behind == G_MAXINT32)
    return visible;
  queries = ens_compose_reshape (compose, ens_compose_positions (compose, attention->query, 2),
                                 (const gint64[]) {-1, 1}, 2);
  distance = ens_compose (compose, "Sub", NULL, keys, queries, NULL);
  first = find_first (attention, lengths);
  if (first != NULL)
    distance = ens_compose (compose, "Sub", NULL, distance, first, NULL);
  if (attention->behind < G_MAXINT32)
    visible = both (compose, visible,
                    ens_compose (compose, "LessOrEqual", NULL, distance,
                                 add_integer (compose, attention->behind), NULL));
  if (attention->before < G_MAXINT32)
    visible = both (compose, visible,
                    ens_compose (compose, "GreaterOrEqual", NULL, distance,
                                 add_integer (compose, -attention->before), NULL));
  return visible;
}

static gboolean
is_selection (const EnsCompose *compose, const char *mask)
{
  const EnsOnnxTensor *tensor = ens_compose_find (compose, mask);

  return tensor != NULL && tensor->type == ENS_TYPE_BOOL;
}

static void
hide_keys (Attention *attention)
{
  EnsCompose *compose = attention->compose;
  const char *visible = find_visible (attention);

  lengthen_mask (attention);
  if (visible == NULL)
    return;
  if (*attention->mask == '\0')
    attention->mask = visible;
  else if (is_selection (compose, attention->mask))
    attention->mask = ens_compose (compose, "And", NULL, attention->mask, visible, NULL);
  else
    attention->mask = ens_compose (compose, "Where", NULL, visible, attention->mask,
                                   ens_compose_number (compose, -INFINITY), NULL);
}

/* Outputs */

static void
set_result (const Attention *attention)
{
  EnsCompose *compose = attention->compose;
  EnsAttributes *attributes = ens_attributes_new ();
  const char *y;

  if (attention->scale != 0)
    ens_attributes_set_float (attributes, "scale", attention->scale);
  if (attention->softcap != 0)
    ens_attributes_set_float (attributes, "softcap", attention->softcap);
  y = ens_compose (compose, "Attention", attributes, attention->query, attention->key,
                   attention->value, attention->mask, NULL);
  if (get_rank (compose, ens_compose_input (compose, QUERY)) == 3) {
    y = ens_compose_transpose (compose, y, (const gint64[]) {0, 2, 1, 3}, 4);
    y = ens_compose_reshape (compose, y, (const gint64[]) {0, 0, -1}, 3);
  }
  ens_compose_result (compose, Y, y);
}

/* Q · Kᵀ, in which queries of heads that share keys are rows of one matrix. */
static const char *
multiply (const Attention *attention)
{
  EnsCompose *compose = attention->compose;
  const char *query = attention->query, *key, *scores;
  gint64 depth = get_dim (compose, query, 3);
  double scale =
      attention->scale != 0 ? (double)attention->scale : 1 / sqrt ((double)MAX (depth, 1));
  gboolean shares = attention->heads != attention->key_heads;

  if (shares)
    query = ens_compose_reshape (compose, query,
                                 (const gint64[]) {0, attention->key_heads, -1, depth}, 4);
  key = ens_compose_transpose (compose, attention->key, (const gint64[]) {0, 1, 3, 2}, 4);
  scores = ens_compose (compose, "MatMul", NULL, query, key, NULL);
  if (shares)
    scores =
        ens_compose_reshape (compose, scores, (const gint64[]) {0, attention->heads, -1, 0}, 4);
  return ens_compose (compose, "Mul", NULL, scores, ens_compose_number (compose, scale), NULL);
}

static const char *
mask_scores (const Attention *attention, const char *scores)
{
  EnsCompose *compose = attention->compose;

  if (*attention->mask == '\0')
    return scores;
  if (is_selection (compose, attention->mask))
    return ens_compose (compose, "Where", NULL, attention->mask, scores,
                        ens_compose_number (compose, -INFINITY), NULL);
  return ens_compose (compose, "Add", NULL, scores, attention->mask, NULL);
}

/* Zeroes where a query sees no key. */
static const char *
normalise (EnsCompose *compose, const char *scores)
{
  const char *shares = ens_compose (compose, "Softmax", ens_compose_int ("axis", -1), scores, NULL);

  return ens_compose (compose, "Where", NULL, ens_compose (compose, "IsNaN", NULL, shares, NULL),
                      ens_compose_number (compose, 0), shares, NULL);
}

static void
set_scores (const Attention *attention)
{
  EnsCompose *compose = attention->compose;
  const char *scores = multiply (attention), *cap;

  if (attention->mode < PRODUCT || attention->mode > NORMALISED)
    ens_compose_fail (compose, ENS_ERROR_FORMAT,
                      "“qk_matmul_output_mode” is %" G_GINT64_FORMAT ", expected 0 to 3",
                      attention->mode);
  if (attention->softcap != 0 && attention->mode >= CAPPED) {
    cap = ens_compose_number (compose, (double)attention->softcap);
    scores = ens_compose (compose, "Div", NULL, scores, cap, NULL);
    scores = ens_compose (compose, "Mul", NULL, ens_compose (compose, "Tanh", NULL, scores, NULL),
                          cap, NULL);
  }
  if (attention->mode >= MASKED)
    scores = mask_scores (attention, scores);
  if (attention->mode == NORMALISED)
    scores = normalise (compose, scores);
  ens_compose_result (compose, SCORES, scores);
}

static gboolean
is_plain (const EnsCompose *compose)
{
  gboolean plain = TRUE;

  for (guint i = PAST_KEY; i <= LENGTHS; i++)
    plain = plain && !ens_compose_has_input (compose, i);
  for (guint i = PRESENT_KEY; i <= SCORES; i++)
    plain = plain && !ens_compose_wants (compose, i);
  return plain;
}

gboolean
ens_onnx_import_cached_attention (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  Attention attention;

  if (is_plain (&compose))
    return TRUE;
  ens_compose_check_inputs (&compose, 3, 7);
  if (ens_compose_has_input (&compose, PAST_KEY) != ens_compose_has_input (&compose, PAST_VALUE)
      || (ens_compose_has_input (&compose, PAST_KEY) && ens_compose_has_input (&compose, LENGTHS)))
    ens_compose_fail (&compose, ENS_ERROR_FORMAT,
                      "expected past keys and values, or lengths of sequences");
  attention = read_attention (&compose);
  hide_keys (&attention);
  set_result (&attention);
  if (ens_compose_wants (&compose, PRESENT_KEY))
    ens_compose_result (&compose, PRESENT_KEY, attention.key);
  if (ens_compose_wants (&compose, PRESENT_VALUE))
    ens_compose_result (&compose, PRESENT_VALUE, attention.value);
  if (ens_compose_wants (&compose, SCORES))
    set_scores (&attention);
  return ens_compose_finish (&compose);
}
