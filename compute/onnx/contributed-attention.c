/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* com.microsoft's Attention, MultiHeadAttention and QAttention, as ONNX's Attention. */
#include <string.h>

#include "onnx/contributed.h"
#include "onnx/quantised.h"

/* What all of them have. */
typedef struct {
  gint64 heads;
  gboolean causal;
  float scale, filter; /* filter: is added where the mask hides a key */
} Attention;

static Attention
read_attention (EnsCompose *compose)
{
  EnsAttributes *attributes = compose->step->attributes;
  Attention attention = {.heads = ens_attributes_int (attributes, "num_heads", 0),
                         .causal = ens_attributes_int (attributes, "unidirectional", 0) != 0,
                         .scale = ens_attributes_float (attributes, "scale", 0),
                         .filter = ens_attributes_float (attributes, "mask_filter_value", -10000)};

  ens_attributes_ignore (attributes, "past_present_share_buffer");
  ens_attributes_ignore (attributes, "rotary_embedding_dim");
  if (ens_attributes_int (attributes, "do_rotary", 0) != 0)
    ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED, "“do_rotary” is not supported");
  if (attention.heads < 1 || attention.heads > G_MAXINT16)
    ens_compose_fail (compose, ENS_ERROR_FORMAT, "“num_heads” is %" G_GINT64_FORMAT,
                      attention.heads);
  return attention;
}

/* Caches of keys and values: inputs from `first` to the last, and outputs but the first. */
static void
refuse_caches (EnsCompose *compose, guint first, guint end)
{
  for (guint i = first; i < end; i++)
    if (ens_compose_has_input (compose, i))
      ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                        "input %u, “%s”, is of a cache of keys and values; export the network "
                        "without one",
                        i, ens_compose_input (compose, i));
  for (guint i = 1; i < compose->step->proto->n_output; i++)
    if (ens_compose_wants (compose, i))
      ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED, "output %u, “%s”, is not supported", i,
                        compose->step->proto->output[i]);
}

/* Masks */

static const char *
unsqueeze (EnsCompose *compose, const char *x, const gint64 *axes, guint n)
{
  return ens_compose (compose, "Unsqueeze", NULL, x, ens_compose_list (compose, axes, n), NULL);
}

static const char *
cast (EnsCompose *compose, const char *x, int type)
{
  return ens_compose (compose, "Cast", ens_compose_int ("to", type), x, NULL);
}

static const char *
add_integer (EnsCompose *compose, gint64 number)
{
  return ens_compose_known (compose, "number",
                            ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE_SCALAR, &number));
}

/* The length of x along an axis, as a list. */
static const char *
measure (EnsCompose *compose, const char *x, gint64 axis)
{
  EnsAttributes *attributes = ens_compose_int ("start", axis);

  ens_attributes_set_int (attributes, "end", axis + 1);
  return ens_compose (compose, "Shape", attributes, x, NULL);
}

const char *
ens_compose_positions (EnsCompose *compose, const char *x, gint64 axis)
{
  const char *n = ens_compose (compose, "Squeeze", NULL, measure (compose, x, axis), NULL);

  return ens_compose (compose, "Range", NULL, add_integer (compose, 0), n, add_integer (compose, 1),
                      NULL);
}

/* Keys that lie before `end`, and from `start` on if that is not NULL: (batch, keys). */
static const char *
select_between (EnsCompose *compose, const char *start, const char *end, const char *keys)
{
  const gint64 last = 1;
  const char *positions = ens_compose_positions (compose, keys, 1), *before, *behind;

  before = ens_compose (compose, "Less", NULL, positions, unsqueeze (compose, end, &last, 1), NULL);
  if (start == NULL)
    return before;
  behind =
      ens_compose (compose, "Less", NULL, positions, unsqueeze (compose, start, &last, 1), NULL);
  return ens_compose (compose, "And", NULL, before,
                      ens_compose (compose, "Not", NULL, behind, NULL), NULL);
}

/* By the lengths of sequences, or by their ends followed by their starts. */
static const char *
select_by_index (EnsCompose *compose, const char *index, const char *keys)
{
  const EnsOnnxTensor *tensor = ens_compose_find (compose, index);
  const EnsOnnxTensor *sequences = ens_compose_find (compose, keys);
  const char *halves[2] = {NULL, NULL};

  if (tensor == NULL || sequences == NULL)
    return "";
  index = cast (compose, index, ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
  if (tensor->shape.dims[0] == sequences->shape.dims[0])
    return select_between (compose, NULL, index, keys);
  if (tensor->shape.dims[0] != 2 * sequences->shape.dims[0]) {
    ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                      "a mask of %" G_GINT64_FORMAT " numbers for %" G_GINT64_FORMAT
                      " sequences, expected one or two for each",
                      tensor->shape.dims[0], sequences->shape.dims[0]);
    return "";
  }
  ens_compose_many (compose, "Split", ens_compose_int ("axis", 0), &index, 1, halves, 2);
  return select_between (compose, halves[1], halves[0], keys);
}

/* What is added to the scores: the filter where the mask hides keys, (batch, 1, …, keys). */
static const char *
compose_mask (EnsCompose *compose, const char *mask, const char *keys, float filter)
{
  static const gint64 axes[][2] = {{1, 2}, {1, 2}, {1, 1}};
  const EnsOnnxTensor *tensor = ens_compose_find (compose, mask);
  guint rank = tensor != NULL ? tensor->shape.rank : 0;

  if (rank < 1 || rank > 4) {
    ens_compose_fail (compose, ENS_ERROR_SHAPE, "a mask of %u dimensions, expected 1 to 4", rank);
    return "";
  }
  mask = rank == 1 ? select_by_index (compose, mask, keys)
                   : cast (compose, mask, ONNX__TENSOR_PROTO__DATA_TYPE__BOOL);
  if (rank < 4)
    mask = unsqueeze (compose, mask, axes[rank - 1], rank == 3 ? 1 : 2);
  return ens_compose (compose, "Where", NULL, mask, ens_compose_number (compose, 0),
                      ens_compose_number (compose, (double)filter), NULL);
}

/* The sum of what may be added to scores; "": nothing. */
static const char *
compose_bias (EnsCompose *compose, guint mask, guint bias, const char *keys, float filter)
{
  const char *sum = ens_compose_input (compose, bias), *added;

  if (!ens_compose_has_input (compose, mask))
    return sum;
  added = compose_mask (compose, ens_compose_input (compose, mask), keys, filter);
  return *sum == '\0' ? added : ens_compose (compose, "Add", NULL, added, sum, NULL);
}

static void
attend (EnsCompose *compose, const Attention *attention, const char *const *matrices,
        const char *bias)
{
  EnsAttributes *attributes = ens_compose_int ("is_causal", attention->causal);

  ens_attributes_set_int (attributes, "q_num_heads", attention->heads);
  ens_attributes_set_int (attributes, "kv_num_heads", attention->heads);
  if (attention->scale != 0)
    ens_attributes_set_float (attributes, "scale", attention->scale);
  ens_compose_result (compose, 0,
                      ens_compose (compose, "Attention", attributes, matrices[0], matrices[1],
                                   matrices[2], bias, NULL));
}

/* Queries, keys and values of one product side by side. */

static void
split_columns (EnsCompose *compose, const char *x, const gint64 *sizes, const char **matrices)
{
  const char *inputs[] = {x, ens_compose_list (compose, sizes, 3)};

  ens_compose_many (compose, "Split", ens_compose_int ("axis", -1), inputs, 2, matrices, 3);
}

/* Of equal width unless the attribute says otherwise. */
static void
read_sizes (EnsCompose *compose, gint64 columns, gint64 *sizes)
{
  guint n = ens_attributes_ints (compose->step->attributes, "qkv_hidden_sizes", sizes, 3);

  for (guint i = 0; i < 3 && n == 0; i++)
    sizes[i] = columns / 3;
}

static gboolean
finish_packed (EnsCompose *compose, const Attention *attention, const char *x, guint mask,
               guint bias)
{
  const EnsOnnxTensor *tensor = ens_compose_find (compose, x);
  const char *matrices[3] = {NULL, NULL, NULL};
  gint64 sizes[3] = {0, 0, 0};

  if (tensor != NULL && tensor->shape.rank != 3)
    ens_compose_fail (compose, ENS_ERROR_SHAPE, "input 0 has %u dimensions, expected 3",
                      tensor->shape.rank);
  read_sizes (compose, tensor != NULL ? tensor->shape.dims[2] : 0, sizes);
  split_columns (compose, x, sizes, matrices);
  attend (compose, attention, matrices,
          compose_bias (compose, mask, bias, matrices[1], attention->filter));
  return !compose->failed;
}

gboolean
ens_onnx_import_attention (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  Attention attention = read_attention (&compose);
  const char *x;

  ens_compose_check_inputs (&compose, 2, 7);
  refuse_caches (&compose, 4, 5);
  refuse_caches (&compose, 6, 7);
  x = ens_compose (&compose, "MatMul", NULL, ens_compose_input (&compose, 0),
                   ens_compose_input (&compose, 1), NULL);
  x = ens_compose_add_input (&compose, x, 2);
  return finish_packed (&compose, &attention, x, 3, 5) && ens_compose_finish (&compose);
}

gboolean
ens_onnx_import_qattention (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  Attention attention = read_attention (&compose);
  const char *x, *weights;

  ens_compose_check_inputs (&compose, 5, 9);
  refuse_caches (&compose, 8, 9);
  x = ens_compose_reals (&compose, &(EnsQuantised) {0, 3, 6, -1});
  weights = ens_compose_reals (&compose, &(EnsQuantised) {1, 4, 7, 1});
  x = ens_compose (&compose, "MatMul", NULL, x, weights, NULL);
  x = ens_compose_add_input (&compose, x, 2);
  return finish_packed (&compose, &attention, x, 5, G_MAXUINT)
         && ens_compose_finish_quantised (&compose);
}

/* Queries, keys and values apart, or packed with heads outermost: (batch, rows, heads, n, depth).
 */

enum { QUERY, KEY, VALUE, BIAS, PADDING, SCORE_BIAS };

static gboolean
is_packed (const EnsCompose *compose, guint input)
{
  return !compose->failed && ens_compose_has_input (compose, input)
         && compose->step->inputs[input]->shape.rank == 5;
}

static void
unpack (EnsCompose *compose, guint input, const char **matrices, guint n)
{
  static const gint64 shape[] = {0, 0, -1};
  const char *x = ens_compose_input (compose, input);

  for (guint i = 0; i < n; i++)
    matrices[i] = NULL;
  ens_compose_many (compose, "Split", ens_compose_int ("axis", 3), &x, 1, matrices, n);
  for (guint i = 0; i < n; i++)
    matrices[i] = ens_compose_reshape (compose, matrices[i], shape, 3);
}

static void
find_matrices (EnsCompose *compose, const char **matrices)
{
  gboolean packed_query = is_packed (compose, QUERY);

  if (packed_query) {
    unpack (compose, QUERY, matrices, 3);
    return;
  }
  matrices[0] = ens_compose_input (compose, QUERY);
  if (is_packed (compose, KEY)) {
    unpack (compose, KEY, matrices + 1, 2);
    return;
  }
  for (guint i = KEY; i <= VALUE; i++) {
    matrices[i] = ens_compose_input (compose, i);
    if (!ens_compose_has_input (compose, i))
      ens_compose_fail (compose, ENS_ERROR_FORMAT, "input %u is absent, but input %u is not packed",
                        i, i - 1);
  }
}

/* The bias has parts as wide as each of the matrices. */
static void
add_biases (EnsCompose *compose, const char **matrices)
{
  const char *parts[3] = {NULL, NULL, NULL};
  gint64 sizes[3];

  if (!ens_compose_has_input (compose, BIAS))
    return;
  for (guint i = 0; i < 3 && !compose->failed; i++) {
    const EnsOnnxTensor *tensor = ens_compose_find (compose, matrices[i]);

    if (tensor->shape.rank != 3)
      ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                        "a bias for inputs of %u dimensions, supported are 3", tensor->shape.rank);
    sizes[i] = tensor->shape.dims[2];
  }
  split_columns (compose, ens_compose_input (compose, BIAS), sizes, parts);
  for (guint i = 0; i < 3; i++)
    matrices[i] = ens_compose (compose, "Add", NULL, matrices[i], parts[i], NULL);
}

gboolean
ens_onnx_import_multi_head_attention (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  Attention attention = read_attention (&compose);
  const char *matrices[3] = {"", "", ""};

  ens_compose_check_inputs (&compose, 1, 10);
  refuse_caches (&compose, SCORE_BIAS + 1, 10);
  find_matrices (&compose, matrices);
  add_biases (&compose, matrices);
  attend (&compose, &attention, matrices,
          compose_bias (&compose, PADDING, SCORE_BIAS, matrices[KEY], attention.filter));
  return ens_compose_finish (&compose);
}

/* RotaryEmbedding: input, positions, cosines and sines. */

enum { ROTARY_POSITIONS = 1, ROTARY_COS, ROTARY_SIN };

/* One number is the first position of all images. */
static const char *
find_positions (EnsCompose *compose)
{
  const char *x = ens_compose_input (compose, 0), *positions, *shape;
  const EnsOnnxTensor *tensor = ens_compose_find (compose, x);
  const EnsOnnxTensor *given =
      ens_compose_find (compose, ens_compose_input (compose, ROTARY_POSITIONS));
  gint64 axis;

  if (tensor == NULL || given->shape.rank != 1)
    return ens_compose_input (compose, ROTARY_POSITIONS);
  axis = tensor->shape.rank == 4 ? 2 : 1;
  positions = ens_compose_positions (compose, x, axis);
  positions = ens_compose_add_input (compose, positions, ROTARY_POSITIONS);
  shape = ens_compose (compose, "Concat", ens_compose_int ("axis", 0), measure (compose, x, 0),
                       measure (compose, x, axis), NULL);
  return ens_compose (compose, "Expand", NULL, positions, shape, NULL);
}

/* Without a number of heads, cosines tell the depth of one. */
static gint64
count_heads (EnsCompose *compose)
{
  gint64 heads = ens_attributes_int (compose->step->attributes, "num_heads", 0);
  EnsOnnxTensor **inputs = compose->step->inputs;

  if (heads > 0 || compose->failed || inputs[0]->shape.rank != 3
      || inputs[ROTARY_COS]->shape.rank != 2)
    return heads;
  return inputs[0]->shape.dims[2] / MAX (2 * inputs[ROTARY_COS]->shape.dims[1], 1);
}

gboolean
ens_onnx_import_rotary_embedding (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  EnsAttributes *attributes;
  const char *positions;

  ens_compose_check_inputs (&compose, 4, 4);
  if (ens_attributes_float (step->attributes, "scale", 1) != 1)
    ens_compose_fail (&compose, ENS_ERROR_UNSUPPORTED, "“scale” is not supported");
  if (ens_attributes_int (step->attributes, "is_packed_batching", 0) != 0)
    ens_compose_fail (&compose, ENS_ERROR_UNSUPPORTED, "“is_packed_batching” is not supported");
  positions = find_positions (&compose);
  attributes = ens_compose_int ("num_heads", count_heads (&compose));
  ens_attributes_set_int (attributes, "interleaved",
                          ens_attributes_int (step->attributes, "interleaved", 0));
  ens_attributes_set_int (attributes, "rotary_embedding_dim",
                          ens_attributes_int (step->attributes, "rotary_embedding_dim", 0));
  ens_compose_result (&compose, 0,
                      ens_compose (&compose, "RotaryEmbedding", attributes,
                                   ens_compose_input (&compose, 0),
                                   ens_compose_input (&compose, ROTARY_COS),
                                   ens_compose_input (&compose, ROTARY_SIN), positions, NULL));
  return ens_compose_finish (&compose);
}
