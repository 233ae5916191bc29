/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/contributed.h"

#include <string.h>

#define DOMAIN "com.microsoft"

/* Activations that are an attribute of the node before them. */

#define MAX_NUMBERS 3

typedef struct {
  const EnsOp *op; /* NULL: none */
  guint n;
  float numbers[MAX_NUMBERS]; /* in the order of the operator's attributes */
} Activation;

static const EnsOp *
find_activation (EnsCompose *compose)
{
  const char *name = ens_attributes_string (compose->step->attributes, "activation", "");
  const EnsOp *op = ens_op_find (name);

  if (*name == '\0')
    return NULL;
  if (op != NULL && op->layout == ENS_LAYOUT_FOLLOWS && op->min_inputs == 1
      && !(op->flags & ENS_OP_INTERNAL))
    return op;
  ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                    "attribute “activation” is “%s”, expected the name of an elementwise operator "
                    "that is supported",
                    name);
  return NULL;
}

/* Convolutions list the numbers, products have an attribute for each. */
static Activation
read_activation (EnsCompose *compose)
{
  static const char *const names[MAX_NUMBERS] = {"activation_alpha", "activation_beta",
                                                 "activation_gamma"};
  EnsAttributes *attributes = compose->step->attributes;
  Activation activation = {.op = find_activation (compose)};

  activation.n =
      ens_attributes_floats (attributes, "activation_params", activation.numbers, MAX_NUMBERS);
  for (guint i = 0; i < MAX_NUMBERS; i++)
    if (ens_attributes_has (attributes, names[i])) {
      activation.numbers[i] = ens_attributes_float (attributes, names[i], 0);
      activation.n = i + 1;
    }
  ens_attributes_ignore (attributes, "activation_axis");
  return activation;
}

static const char *
activate (EnsCompose *compose, const Activation *activation, const char *x)
{
  static const char *const names[][2] = {{"alpha", "min"}, {"beta", "max"}, {"gamma", NULL}};
  EnsAttributes *attributes;
  guint n = 0;

  if (activation->op == NULL)
    return x;
  attributes = ens_attributes_new ();
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (guint j = 0; j < G_N_ELEMENTS (names[i]) && n < MIN (activation->n, MAX_NUMBERS); j++)
      if (names[i][j] != NULL && ens_op_find_attribute (activation->op, names[i][j]) != NULL)
        ens_attributes_set_float (attributes, names[i][j], activation->numbers[n++]);
  return ens_compose (compose, activation->op->name, attributes, x, NULL);
}

/* Convolutions: activation (X * W + B + Z) */

static gboolean
import_conv (EnsOnnxStep *step, EnsOnnxImport *import, GError **error, gboolean channels_last)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  Activation activation = read_activation (&compose);
  const char *y;

  ens_compose_check_inputs (&compose, 2, 4);
  y = ens_compose_to_first (&compose, channels_last, ens_compose_input (&compose, 0));
  y = ens_compose (&compose, "Conv", ens_compose_rest (&compose), y,
                   ens_compose_input (&compose, 1), ens_compose_input (&compose, 2), NULL);
  if (ens_compose_has_input (&compose, 3))
    y = ens_compose (
        &compose, "Add", NULL, y,
        ens_compose_to_first (&compose, channels_last, ens_compose_input (&compose, 3)), NULL);
  y = activate (&compose, &activation, y);
  ens_compose_result (&compose, 0, ens_compose_to_last (&compose, channels_last, y));
  return ens_compose_finish (&compose);
}

static gboolean
import_fused_conv (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  return import_conv (step, import, error, FALSE);
}

static gboolean
import_nhwc_conv (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  return import_conv (step, import, error, TRUE);
}

static gboolean
import_nhwc_max_pool (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *x;

  ens_compose_check_inputs (&compose, 1, 1);
  x = ens_compose_to_first (&compose, TRUE, ens_compose_input (&compose, 0));
  x = ens_compose (&compose, "MaxPool", ens_compose_rest (&compose), x, NULL);
  ens_compose_result (&compose, 0, ens_compose_to_last (&compose, TRUE, x));
  return ens_compose_finish (&compose);
}

/* Products */

/* Whether the input is a matrix, or several, that this attribute says are transposed. */
static gboolean
read_transposed (EnsCompose *compose, const char *attribute, guint input)
{
  gboolean transposed = ens_attributes_int (compose->step->attributes, attribute, 0) != 0;

  return transposed && !compose->failed && compose->step->inputs[input]->shape.rank > 1;
}

/* A factor as MatMul wants it: the axes of the batch first, in front of that of the rows where they
 * stand behind it, and rows and columns exchanged. */
static const char *
order_factor (EnsCompose *compose, guint input, gboolean batch, gboolean matrix)
{
  const char *x = ens_compose_input (compose, input);
  guint rank = compose->failed ? 0 : compose->step->inputs[input]->shape.rank;
  gint64 perm[ENS_MAX_RANK];

  if (rank < 2 || !(batch || matrix))
    return x;
  for (guint i = 0; i < rank; i++)
    perm[i] = i;
  for (guint i = 0; batch && i + 1 < rank; i++)
    perm[i] = (i + 1) % (rank - 1);
  if (matrix) {
    gint64 rows = perm[rank - 2];

    perm[rank - 2] = perm[rank - 1];
    perm[rank - 1] = rows;
  }
  return ens_compose_transpose (compose, x, perm, rank);
}

static const char *
scale (EnsCompose *compose, const char *x, float factor)
{
  return factor == 1 ? x
                     : ens_compose (compose, "Mul", NULL, x,
                                    ens_compose_number (compose, (double)factor), NULL);
}

static gboolean
import_fused_matmul (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  Activation activation = read_activation (&compose);
  float alpha = ens_attributes_float (step->attributes, "alpha", 1);
  gboolean batch, matrix;
  const char *a, *b, *y;

  ens_compose_check_inputs (&compose, 2, 2);
  batch = read_transposed (&compose, "transBatchA", 0);
  matrix = read_transposed (&compose, "transA", 0);
  a = order_factor (&compose, 0, batch, matrix);
  batch = read_transposed (&compose, "transBatchB", 1);
  matrix = read_transposed (&compose, "transB", 1);
  b = order_factor (&compose, 1, batch, matrix);
  y = scale (&compose, ens_compose (&compose, "MatMul", NULL, a, b, NULL), alpha);
  ens_compose_result (&compose, 0, activate (&compose, &activation, y));
  return ens_compose_finish (&compose);
}

static gboolean
import_fused_gemm (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  Activation activation = read_activation (&compose);
  const char *y;

  ens_compose_check_inputs (&compose, 2, 3);
  y = ens_compose (&compose, "Gemm", ens_compose_rest (&compose), ens_compose_input (&compose, 0),
                   ens_compose_input (&compose, 1), ens_compose_input (&compose, 2), NULL);
  ens_compose_result (&compose, 0, activate (&compose, &activation, y));
  return ens_compose_finish (&compose);
}

/* Gelu and its kin */

static gboolean
import_gelu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *x;

  ens_compose_check_inputs (&compose, 1, 2);
  x = ens_compose_add_input (&compose, ens_compose_input (&compose, 0), 1);
  ens_compose_result (&compose, 0, ens_compose (&compose, "Gelu", NULL, x, NULL));
  return ens_compose_finish (&compose);
}

static const char *
add_fast_gelu (EnsCompose *compose, const char *x)
{
  return ens_compose (compose, "Gelu", ens_compose_string ("approximate", "tanh"), x, NULL);
}

static gboolean
import_fast_gelu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *x;

  ens_compose_check_inputs (&compose, 1, 2);
  x = ens_compose_add_input (&compose, ens_compose_input (&compose, 0), 1);
  ens_compose_result (&compose, 0, add_fast_gelu (&compose, x));
  return ens_compose_finish (&compose);
}

static gboolean
import_gemm_fast_gelu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *x;

  ens_compose_check_inputs (&compose, 2, 3);
  x = ens_compose (&compose, "MatMul", NULL, ens_compose_input (&compose, 0),
                   ens_compose_input (&compose, 1), NULL);
  ens_compose_result (&compose, 0,
                      add_fast_gelu (&compose, ens_compose_add_input (&compose, x, 2)));
  return ens_compose_finish (&compose);
}

/* x · sigmoid (α x) */
static gboolean
import_quick_gelu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  float alpha = ens_attributes_float (step->attributes, "alpha", 1.702F);

  ens_compose_check_inputs (&compose, 1, 1);
  ens_compose_result (&compose, 0,
                      ens_compose (&compose, "Swish", ens_compose_float ("alpha", alpha),
                                   ens_compose_input (&compose, 0), NULL));
  return ens_compose_finish (&compose);
}

/* The left half of X + bias times the Gelu of its right half. */
static gboolean
import_bias_split_gelu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *x, *halves[2] = {NULL, NULL}, *gate;

  ens_compose_check_inputs (&compose, 2, 2);
  x = ens_compose_add_input (&compose, ens_compose_input (&compose, 0), 1);
  ens_compose_many (&compose, "Split", ens_compose_int ("axis", -1), &x, 1, halves, 2);
  gate = ens_compose (&compose, "Gelu", NULL, halves[1], NULL);
  ens_compose_result (&compose, 0, ens_compose (&compose, "Mul", NULL, halves[0], gate, NULL));
  return ens_compose_finish (&compose);
}

static gboolean
import_bias_add (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *x;

  ens_compose_check_inputs (&compose, 3, 3);
  x = ens_compose_add_input (&compose, ens_compose_input (&compose, 0), 1);
  ens_compose_result (&compose, 0, ens_compose_add_input (&compose, x, 2));
  return ens_compose_finish (&compose);
}

/* Normalisation */

/* Over the last axis. */
static const char *
normalise (EnsCompose *compose, const char *op, const char *x, guint scale_input, guint bias_input)
{
  float epsilon = ens_attributes_float (compose->step->attributes, "epsilon", 1e-12F);

  return ens_compose (compose, op, ens_compose_float ("epsilon", epsilon), x,
                      ens_compose_input (compose, scale_input),
                      ens_compose_input (compose, bias_input), NULL);
}

/* Statistics are for training. */
static void
refuse_statistics (EnsCompose *compose, guint end)
{
  for (guint i = 1; i < end; i++)
    if (ens_compose_wants (compose, i))
      ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED, "output %u, “%s”, is not supported", i,
                        compose->step->proto->output[i]);
}

#define SKIP_SUM 3 /* the output that is x + skip + bias */

/* x + skip + the input `bias`, normalised. */
static gboolean
finish_skip (EnsCompose *compose, const char *op, guint beta, guint bias)
{
  const char *sum = ens_compose_add_input (compose, ens_compose_input (compose, 0), bias);

  refuse_statistics (compose, SKIP_SUM);
  sum = ens_compose_add_input (compose, sum, 1);
  ens_compose_result (compose, 0, normalise (compose, op, sum, 2, beta));
  if (ens_compose_wants (compose, SKIP_SUM))
    ens_compose_result (compose, SKIP_SUM, sum);
  return ens_compose_finish (compose);
}

static gboolean
import_skip_layer_normalization (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);

  ens_compose_check_inputs (&compose, 3, 5);
  return finish_skip (&compose, "LayerNormalization", 3, 4);
}

static gboolean
import_skip_simplified_layer_normalization (EnsOnnxStep *step, EnsOnnxImport *import,
                                            GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);

  ens_compose_check_inputs (&compose, 3, 4);
  return finish_skip (&compose, "RMSNormalization", G_MAXUINT, 3);
}

gboolean
ens_onnx_import_simplified_layer_normalization (EnsOnnxStep *step, EnsOnnxImport *import,
                                                GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);

  ens_compose_check_inputs (&compose, 2, 2);
  refuse_statistics (&compose, 2);
  ens_compose_result (&compose, 0,
                      ens_compose (&compose, "RMSNormalization", ens_compose_rest (&compose),
                                   ens_compose_input (&compose, 0), ens_compose_input (&compose, 1),
                                   NULL));
  return ens_compose_finish (&compose);
}

/* activation (normalised groups of X), usually channels-last */

static const char *
normalise_groups (EnsCompose *compose, const char *x, gboolean channels_last)
{
  EnsAttributes *attributes = compose->step->attributes, *own;
  gboolean swish = ens_attributes_int (attributes, "activation", 0) != 0;

  own = ens_compose_float ("epsilon", ens_attributes_float (attributes, "epsilon", 1e-5F));
  ens_attributes_set_int (own, "num_groups", ens_attributes_int (attributes, "groups", 0));
  x = ens_compose (compose, "GroupNormalization", own,
                   ens_compose_to_first (compose, channels_last, x), ens_compose_input (compose, 1),
                   ens_compose_input (compose, 2), NULL);
  if (swish)
    x = ens_compose (compose, "Swish", NULL, x, NULL);
  return ens_compose_to_last (compose, channels_last, x);
}

static gboolean
import_group_norm (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gboolean last = ens_attributes_int (step->attributes, "channels_last", 1) != 0;

  ens_compose_check_inputs (&compose, 3, 3);
  ens_compose_result (&compose, 0,
                      normalise_groups (&compose, ens_compose_input (&compose, 0), last));
  return ens_compose_finish (&compose);
}

/* Embeddings of words, their positions and segments, summed and normalised */

enum { IDS, SEGMENT_IDS, WORDS, POSITIONS, SEGMENTS, GAMMA, BETA, MASK, POSITION_IDS };

static const char *
look_up (EnsCompose *compose, guint table, const char *rows)
{
  return ens_compose (compose, "Gather", NULL, ens_compose_input (compose, table), rows, NULL);
}

/* The number of words that the mask shows. */
static void
count_words (EnsCompose *compose)
{
  EnsAttributes *attributes = ens_compose_int ("keepdims", 0);

  ens_attributes_set_ints (attributes, "axes", (const gint64[]) {1}, 1);
  if (!ens_compose_has_input (compose, MASK))
    ens_compose_fail (compose, ENS_ERROR_FORMAT, "the mask (input %u) is absent", MASK);
  ens_compose_result (
      compose, 1,
      ens_compose (compose, "ReduceSum", attributes, ens_compose_input (compose, MASK), NULL));
}

static gboolean
import_embed_layer_normalization (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *sum, *positions;

  ens_attributes_ignore (step->attributes, "mask_index_type");
  ens_compose_check_inputs (&compose, 1, POSITION_IDS + 1);
  positions = ens_compose_has_input (&compose, POSITION_IDS)
                  ? ens_compose_input (&compose, POSITION_IDS)
                  : ens_compose_positions (&compose, ens_compose_input (&compose, IDS), 1);
  sum = ens_compose (&compose, "Add", NULL,
                     look_up (&compose, WORDS, ens_compose_input (&compose, IDS)),
                     look_up (&compose, POSITIONS, positions), NULL);
  if (ens_compose_has_input (&compose, SEGMENT_IDS))
    sum =
        ens_compose (&compose, "Add", NULL, sum,
                     look_up (&compose, SEGMENTS, ens_compose_input (&compose, SEGMENT_IDS)), NULL);
  if (ens_compose_wants (&compose, 1))
    count_words (&compose);
  ens_compose_result (&compose, 0, normalise (&compose, "LayerNormalization", sum, GAMMA, BETA));
  if (ens_compose_wants (&compose, 2))
    ens_compose_result (&compose, 2, sum);
  return ens_compose_finish (&compose);
}

/* The table that operators are found by */

static const struct {
  const char *name;
  EnsOnnxImportFunc func;
} specials[] = {
    {"Attention", ens_onnx_import_attention},
    {"BiasAdd", import_bias_add},
    {"BiasGelu", import_gelu},
    {"BiasSplitGelu", import_bias_split_gelu},
    {"DequantizeLinear", ens_onnx_import_dequantize},
    {"DynamicQuantizeMatMul", ens_onnx_import_dynamic_matmul},
    {"EmbedLayerNormalization", import_embed_layer_normalization},
    {"FastGelu", import_fast_gelu},
    {"FusedConv", import_fused_conv},
    {"FusedGemm", import_fused_gemm},
    {"FusedMatMul", import_fused_matmul},
    {"FusedMatMulActivation", import_fused_matmul},
    {"GatherBlockQuantized", ens_onnx_import_gather_blocks},
    {"Gelu", import_gelu},
    {"GemmFastGelu", import_gemm_fast_gelu},
    {"GroupNorm", import_group_norm},
    {"MatMulIntegerToFloat", ens_onnx_import_matmul_to_float},
    {"MatMulNBits", ens_onnx_import_matmul_nbits},
    {"MultiHeadAttention", ens_onnx_import_multi_head_attention},
    {"NhwcConv", import_nhwc_conv},
    {"NhwcFusedConv", import_nhwc_conv},
    {"NhwcMaxPool", import_nhwc_max_pool},
    {"QAttention", ens_onnx_import_qattention},
    {"QGemm", ens_onnx_import_qgemm},
    {"QLinearAdd", ens_onnx_import_qlinear_binary},
    {"QLinearAveragePool", ens_onnx_import_qlinear_unary},
    {"QLinearConcat", ens_onnx_import_qlinear_concat},
    {"QLinearConv", ens_onnx_import_qlinear_conv},
    {"QLinearGlobalAveragePool", ens_onnx_import_qlinear_unary},
    {"QLinearLeakyRelu", ens_onnx_import_qlinear_unary},
    {"QLinearMul", ens_onnx_import_qlinear_binary},
    {"QLinearReduceMean", ens_onnx_import_qlinear_unary},
    {"QLinearSigmoid", ens_onnx_import_qlinear_unary},
    {"QLinearSoftmax", ens_onnx_import_qlinear_unary},
    {"QLinearWhere", ens_onnx_import_qlinear_where},
    {"QuantizeLinear", ens_onnx_import_quantize},
    {"QuickGelu", import_quick_gelu},
    {"RotaryEmbedding", ens_onnx_import_rotary_embedding},
    {"SkipLayerNormalization", import_skip_layer_normalization},
    {"SkipSimplifiedLayerNormalization", import_skip_simplified_layer_normalization},
    {"TransposeMatMul", import_fused_matmul},
};

EnsOnnxImportFunc
ens_onnx_find_contributed (const char *domain, const char *op)
{
  if (strcmp (domain, DOMAIN) != 0)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (specials); i++)
    if (strcmp (op, specials[i].name) == 0)
      return specials[i].func;
  return NULL;
}

void
ens_onnx_list_contributed (GPtrArray *names)
{
  for (guint i = 0; i < G_N_ELEMENTS (specials); i++)
    g_ptr_array_add (names, g_strconcat (DOMAIN ".", specials[i].name, NULL));
}
