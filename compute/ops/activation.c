/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activation functions. Those that EnsActivation knows run by the kernels that fused activations
 * run by, so that fusing changes no bit. */
#include "ops/elementwise.h"
#include "ops/exponential.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

static gboolean
shape_real (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_REAL, error)
         && ens_set_output_like_input (operands, error);
}

static gboolean
shape_number (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
         && ens_set_output_like_input (operands, error);
}

#define COMMON                                                             \
  .min_inputs = 1, .max_inputs = 1, .min_outputs = 1, .max_outputs = 1,    \
  .layout = ENS_LAYOUT_FOLLOWS, .flags = ENS_OP_PITCHED | ENS_OP_IN_PLACE, \
  .per_image = ens_per_image_elementwise

/* Functions that shaders/activation.comp has. */

static gboolean
record_function (const EnsOperands *operands, EnsCommands *commands, guint32 function)
{
  const EnsUnaryParams *params = operands->params;
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  ens_record_function (commands, operands->inputs[0], operands->outputs[0], function,
                       params != NULL ? params->alpha : 0, params != NULL ? params->beta : 0);
  return TRUE;
}

#define GPU(id, function)                                                       \
  static gboolean id##_gpu (const EnsOperands *operands, EnsCommands *commands) \
  {                                                                             \
    return record_function (operands, commands, function);                      \
  }

/* The derivative of a function, given x or y, times the gradient of its result. */

#define ENUMERATOR(upper, id, number, formula, of, derivative) FUNCTION_##upper = number,

enum { ENS_ALL_FUNCTIONS (ENUMERATOR) N_FUNCTIONS };

typedef enum { NOTHING, X, Y } DerivativeOf;

#define OF(upper, id, number, formula, of, derivative) [number] = of,

static const DerivativeOf derivative_of[N_FUNCTIONS] = {ENS_ALL_FUNCTIONS (OF)};

static void
differentiate (EnsGradient *gradient, DerivativeOf of, const EnsActivationGradParams *params)
{
  const EnsNode *node = gradient->node;

  if (of != NOTHING)
    gradient->inputs[0] =
        ens_gradient_apply (gradient, &ens_op_activation_grad, params, gradient->outputs[0],
                            of == X ? node->inputs[0] : node->outputs[0], NULL);
}

static gboolean
differentiate_function (EnsGradient *gradient, guint function)
{
  const EnsUnaryParams *params = gradient->node->params;
  EnsActivationGradParams grad = {.function = function};
  DerivativeOf of = derivative_of[function];

  if (gradient->node->op->params_size > 0) {
    grad.alpha = params->alpha;
    grad.beta = params->beta;
  }
  /* With a negative slope y does not tell the sign of x. */
  if (function == FUNCTION_LEAKY_RELU && grad.alpha < 0)
    of = X;
  differentiate (gradient, of, &grad);
  return TRUE;
}

#define GRADIENT(id, function)                                          \
  static gboolean id##_gradient (EnsGradient *gradient, GError **error) \
  {                                                                     \
    return differentiate_function (gradient, function);                 \
  }

/* The kernels' activations. */

static EnsFusedActivation
as_fused (EnsActivation kind, const EnsUnaryParams *params)
{
  EnsFusedActivation activation = {.kind = kind};

  if (params != NULL) {
    activation.alpha = params->alpha;
    activation.beta = params->beta;
  }
  return activation;
}

static void
activation_reference (const EnsOperands *operands, const EnsFusedActivation *activation)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  gsize n = ens_view_elements (output);

  for (gsize i = 0; i < n; i++) {
    double x = ens_view_real (input, ens_view_offset (input, i));

    ens_view_set_real (output, ens_view_offset (output, i), ens_activation_apply (activation, x));
  }
}

#define ACTIVATION_KERNELS(id, kind)                                                            \
  GPU (id, kind)                                                                                \
  GRADIENT (id, kind)                                                                           \
                                                                                                \
  static void id##_reference (const EnsOperands *operands)                                      \
  {                                                                                             \
    EnsFusedActivation activation = as_fused (kind, operands->params);                          \
                                                                                                \
    activation_reference (operands, &activation);                                               \
  }                                                                                             \
                                                                                                \
  static void id##_cpu (const EnsOperands *operands, const EnsCpuContext *context)              \
  {                                                                                             \
    EnsFusedActivation activation = as_fused (kind, operands->params);                          \
                                                                                                \
    ens_activation_run (operands->inputs[0], operands->outputs[0], &activation, context->pool); \
  }

ACTIVATION_KERNELS (relu, ENS_ACTIVATION_RELU)
ACTIVATION_KERNELS (leaky_relu, ENS_ACTIVATION_LEAKY_RELU)
ACTIVATION_KERNELS (sigmoid, ENS_ACTIVATION_SIGMOID)
ACTIVATION_KERNELS (hard_sigmoid, ENS_ACTIVATION_HARD_SIGMOID)
ACTIVATION_KERNELS (hard_swish, ENS_ACTIVATION_HARD_SWISH)
ACTIVATION_KERNELS (tanh, ENS_ACTIVATION_TANH)
ACTIVATION_KERNELS (erf, ENS_ACTIVATION_ERF)
ACTIVATION_KERNELS (mish, ENS_ACTIVATION_MISH)
ACTIVATION_KERNELS (swish, ENS_ACTIVATION_SWISH)
ACTIVATION_KERNELS (fake_quantize, ENS_ACTIVATION_FAKE_QUANTIZE)

/* Attributes that are `alpha` and `beta` of EnsUnaryParams. */
#define FLOAT(attribute, member, usual)                                                        \
  {                                                                                            \
    .name = attribute, ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsUnaryParams, member), .real = usual \
  }

static const EnsAttribute leaky_relu_attributes[] = {FLOAT ("alpha", alpha, 0.01F),
                                                     ENS_ATTRIBUTE_END};
static const EnsAttribute hard_sigmoid_attributes[] = {
    FLOAT ("alpha", alpha, 0.2F), FLOAT ("beta", beta, 0.5F), ENS_ATTRIBUTE_END};

static const EnsAttribute one_attributes[] = {FLOAT ("alpha", alpha, 1), ENS_ATTRIBUTE_END};
#define swish_attributes one_attributes

static const EnsOpExample plain_examples[] = {{"2x5x4x7"}, {NULL}};
static const EnsOpExample positive_examples[] = {{"2x5x4x7", .positive = TRUE}, {NULL}};
static const EnsOpExample above_one_examples[] = {{"2x5x4x7", .above_one = TRUE}, {NULL}};

#define EXAMPLES(id, alpha, beta)                                                                  \
  static const EnsOpExample id##_examples[] = {{"2x5x4x7", &(const EnsUnaryParams) {alpha, beta}}, \
                                               {NULL}};

EXAMPLES (leaky_relu, 0.1f, 0)
EXAMPLES (hard_sigmoid, 0.2f, 0.5f)
EXAMPLES (swish, 1.7f, 0)
EXAMPLES (fake_quantize, 0.0078125f, -64)
EXAMPLES (elu, 1.2f, 0)
EXAMPLES (celu, 0.8f, 0)
EXAMPLES (selu, 1.67f, 1.05f)
EXAMPLES (thresholded_relu, 0.5f, 0)

#define PLAIN_OP(id, onnx, shape_func, examples, ...)     \
  const EnsOp ens_op_##id = {.name = onnx,                \
                             COMMON,                      \
                             .shape = shape_func,         \
                             .reference = id##_reference, \
                             .cpu = id##_cpu,             \
                             .gpu = id##_gpu,             \
                             .gradient = id##_gradient,   \
                             .example = examples,         \
                             __VA_ARGS__}

#define PARAMS_OP(id, onnx, ...)                                     \
  const EnsOp ens_op_##id = {.name = onnx,                           \
                             COMMON,                                 \
                             .params_size = sizeof (EnsUnaryParams), \
                             .attributes = id##_attributes,          \
                             .shape = shape_real,                    \
                             .reference = id##_reference,            \
                             .cpu = id##_cpu,                        \
                             .gpu = id##_gpu,                        \
                             .gradient = id##_gradient,              \
                             .example = id##_examples,               \
                             __VA_ARGS__}

PLAIN_OP (relu, "Relu", shape_number, plain_examples);
PLAIN_OP (sigmoid, "Sigmoid", shape_real, plain_examples);
PLAIN_OP (hard_swish, "HardSwish", shape_real, plain_examples, .versions = {.since = 14});
PLAIN_OP (tanh, "Tanh", shape_real, plain_examples);
PARAMS_OP (leaky_relu, "LeakyRelu");
PARAMS_OP (hard_sigmoid, "HardSigmoid");
PARAMS_OP (swish, "Swish", .versions = {.since = 24});
PLAIN_OP (erf, "Erf", shape_number, plain_examples);
PLAIN_OP (mish, "Mish", shape_real, plain_examples, .versions = {.since = 18});

/* FakeQuantize: the real numbers that 8-bit integers stand for, those from `low` to low + 255 times
 * the scale. Its gradient is that of the identity where it does not saturate (Bengio, Léonard and
 * Courville, "Estimating or Propagating Gradients Through Stochastic Neurons", 2013). */

static const EnsAttribute fake_quantize_attributes[] = {FLOAT ("scale", alpha, 1),
                                                        FLOAT ("low", beta, 0), ENS_ATTRIBUTE_END};

static gboolean
fake_quantize_shape (EnsOperands *operands, GError **error)
{
  const EnsUnaryParams *params = operands->params;

  if (!(params->alpha > 0) || !isfinite (params->alpha) || !(fabsf (params->beta) < 1 << 16))
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED, "a scale of %g from %g on",
                         (double)params->alpha, (double)params->beta);
  return shape_real (operands, error);
}

const EnsOp ens_op_fake_quantize = {.name = "FakeQuantize",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .min_outputs = 1,
                                    .max_outputs = 1,
                                    .layout = ENS_LAYOUT_FOLLOWS,
                                    .flags = ENS_OP_PITCHED | ENS_OP_IN_PLACE | ENS_OP_INTERNAL,
                                    .params_size = sizeof (EnsUnaryParams),
                                    .attributes = fake_quantize_attributes,
                                    .shape = fake_quantize_shape,
                                    .reference = fake_quantize_reference,
                                    .cpu = fake_quantize_cpu,
                                    .gpu = fake_quantize_gpu,
                                    .gradient = fake_quantize_gradient,
                                    .per_image = ens_per_image_elementwise,
                                    .example = fake_quantize_examples};

/* All others: the formula in double precision for the reference, in float to be vectorised. */

#define IF_LESS(a, b, y, z) ((a) < (b) ? (y) : (z))
/* Apart and added: without a branch, loops vectorise. */
#define NEGATIVE(y) ((y) < 0 ? (y) : 0)
#define REST(y) ((y) < 0 ? 0 : (y))
#define SIGN(y) (((y) > 0) - ((y) < 0))

#define REAL(n) (n)
#define MAGNITUDE(y) fabs (y)
#define FLOOR(y) floor (y)
#define CEIL(y) ceil (y)
#define ROUND(y) nearbyint (y)
#define EXP(y) exp (y)
#define EXP_MINUS_1(y) expm1 (y)
#define LOG(y) log (y)
#define LOG_1_PLUS(y) log1p (y)
#define SQRT(y) sqrt (y)
#define SIN(y) sin (y)
#define COS(y) cos (y)
#define ATAN(y) atan (y)

#define DOUBLE(upper, id, number, formula, of, derivative)           \
  static double id##_double (double x, const EnsUnaryParams *params) \
  {                                                                  \
    G_GNUC_UNUSED double alpha = params != NULL ? params->alpha : 0; \
    G_GNUC_UNUSED double beta = params != NULL ? params->beta : 0;   \
                                                                     \
    return formula;                                                  \
  }

ENS_FUNCTIONS (DOUBLE)

#undef REAL
#undef MAGNITUDE
#undef FLOOR
#undef CEIL
#undef ROUND
#undef EXP
#undef EXP_MINUS_1
#undef LOG
#undef LOG_1_PLUS
#undef SQRT
#undef SIN
#undef COS
#undef ATAN
#define REAL(n) (float)(n)
#define MAGNITUDE(y) fabsf (y)
#define FLOOR(y) floorf (y)
#define CEIL(y) ceilf (y)
#define ROUND(y) nearbyintf (y)
#define EXP(y) ens_exp (y)
#define EXP_MINUS_1(y) (ens_exp (y) - 1)
#define LOG(y) logf (y)
#define LOG_1_PLUS(y) log1pf (y)
#define SQRT(y) sqrtf (y)
#define SIN(y) sinf (y)
#define COS(y) cosf (y)
#define ATAN(y) atanf (y)

#define KERNELS(upper, id, number, formula, of, derivative)                        \
  GPU (id, number)                                                                 \
  GRADIENT (id, number)                                                            \
                                                                                   \
  ENS_CLONES static void id##_loop (const float *in, float *out, gsize n,          \
                                    const EnsUnaryParams *params)                  \
  {                                                                                \
    G_GNUC_UNUSED float alpha = params != NULL ? params->alpha : 0;                \
    G_GNUC_UNUSED float beta = params != NULL ? params->beta : 0;                  \
                                                                                   \
    for (gsize i = 0; i < n; i++) {                                                \
      float x = in[i];                                                             \
                                                                                   \
      out[i] = (float)(formula);                                                   \
    }                                                                              \
  }                                                                                \
                                                                                   \
  static void id##_reference (const EnsOperands *operands)                         \
  {                                                                                \
    ens_unary_reference (operands, id##_double);                                   \
  }                                                                                \
                                                                                   \
  static void id##_cpu (const EnsOperands *operands, const EnsCpuContext *context) \
  {                                                                                \
    ens_unary_run (operands, context, id##_loop);                                  \
  }

ENS_FUNCTIONS (KERNELS)

#define elu_attributes one_attributes
#define celu_attributes one_attributes
#define thresholded_relu_attributes one_attributes
/* Up to opset 5 the constants had four decimals. */
static const EnsAttribute selu_attributes[] = {
    {"alpha", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsUnaryParams, alpha), .real = 1.6732F, .until = 5},
    FLOAT ("alpha", alpha, 1.67326319217681884765625F),
    {"gamma", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsUnaryParams, beta), .real = 1.0507F, .until = 5},
    FLOAT ("gamma", beta, 1.05070102214813232421875F),
    ENS_ATTRIBUTE_END};

PARAMS_OP (elu, "Elu");
PARAMS_OP (celu, "Celu");
PARAMS_OP (selu, "Selu");
PARAMS_OP (thresholded_relu, "ThresholdedRelu");
PLAIN_OP (softplus, "Softplus", shape_real, plain_examples);
PLAIN_OP (softsign, "Softsign", shape_real, plain_examples);

/* Functions of mathematics. */

PLAIN_OP (abs, "Abs", shape_number, plain_examples);
PLAIN_OP (neg, "Neg", shape_number, plain_examples);
PLAIN_OP (exp, "Exp", shape_real, plain_examples);
PLAIN_OP (log, "Log", shape_real, positive_examples);
PLAIN_OP (sqrt, "Sqrt", shape_real, positive_examples);
PLAIN_OP (reciprocal, "Reciprocal", shape_real, positive_examples);
PLAIN_OP (floor, "Floor", shape_real, plain_examples);
PLAIN_OP (ceil, "Ceil", shape_real, plain_examples);
PLAIN_OP (round, "Round", shape_real, plain_examples);
PLAIN_OP (sign, "Sign", shape_number, plain_examples);
PLAIN_OP (sin, "Sin", shape_real, plain_examples);
PLAIN_OP (cos, "Cos", shape_real, plain_examples);
PLAIN_OP (tan, "Tan", shape_real, plain_examples);
PLAIN_OP (asin, "Asin", shape_real, plain_examples);
PLAIN_OP (acos, "Acos", shape_real, plain_examples);
PLAIN_OP (atan, "Atan", shape_real, plain_examples);
PLAIN_OP (sinh, "Sinh", shape_real, plain_examples);
PLAIN_OP (cosh, "Cosh", shape_real, plain_examples);
PLAIN_OP (asinh, "Asinh", shape_real, plain_examples);
PLAIN_OP (acosh, "Acosh", shape_real, above_one_examples);
PLAIN_OP (atanh, "Atanh", shape_real, plain_examples);

/* Gelu (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016), exact or by tanh. */

static const char *const gelu_names[] = {"none", "tanh", NULL};

static const EnsAttribute gelu_attributes[] = {
    {"approximate", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsGeluParams, tanh), .names = gelu_names},
    ENS_ATTRIBUTE_END};

static EnsActivation
gelu_kind (gconstpointer params)
{
  return ((const EnsGeluParams *)params)->tanh ? ENS_ACTIVATION_GELU_TANH : ENS_ACTIVATION_GELU;
}

static void
gelu_reference (const EnsOperands *operands)
{
  activation_reference (operands, &(EnsFusedActivation) {gelu_kind (operands->params)});
}

static void
gelu_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  ens_activation_run (operands->inputs[0], operands->outputs[0],
                      &(EnsFusedActivation) {gelu_kind (operands->params)}, context->pool);
}

static gboolean
gelu_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  ens_record_function (commands, operands->inputs[0], operands->outputs[0],
                       gelu_kind (operands->params), 0, 0);
  return TRUE;
}

static gboolean
gelu_gradient (EnsGradient *gradient, GError **error)
{
  differentiate (gradient, X,
                 &(EnsActivationGradParams) {gelu_kind (gradient->node->params), 0, 0});
  return TRUE;
}

static const EnsOpExample gelu_examples[] = {{"2x5x4x7", &(const EnsGeluParams) {.tanh = FALSE}},
                                             {"2x5x4x7", &(const EnsGeluParams) {.tanh = TRUE}},
                                             {NULL}};

PLAIN_OP (gelu, "Gelu", shape_real, gelu_examples, .versions = {.since = 20},
          .params_size = sizeof (EnsGeluParams), .attributes = gelu_attributes);

static const EnsAttribute clip_attributes[] = {
    {"min", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsClipParams, min), .real = -INFINITY, .input = 1,
     .input_since = 11},
    {"max", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsClipParams, max), .real = INFINITY, .input = 2,
     .input_since = 11},
    ENS_ATTRIBUTE_END};

static gboolean
clip_shape (EnsOperands *operands, GError **error)
{
  for (guint i = 1; i < operands->n_inputs; i++) {
    const EnsView *bound = operands->inputs[i];

    if (bound != NULL && ens_view_elements (bound) != 1)
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "input %u is not a scalar, as bounds are", i);
  }
  return ens_check_same_types (operands, 1, error) && shape_number (operands, error);
}

static EnsFusedActivation
clip_as_fused (const EnsOperands *operands)
{
  const EnsClipParams *params = operands->params;
  const EnsView *min = ens_operands_input (operands, 1), *max = ens_operands_input (operands, 2);

  return (EnsFusedActivation) {.kind = ENS_ACTIVATION_CLIP,
                               .alpha = min != NULL ? (float)ens_view_real (min, 0) : params->min,
                               .beta = max != NULL ? (float)ens_view_real (max, 0) : params->max};
}

/* In double precision, which fused functions' bounds don't have. */
static void
clip_reference (const EnsOperands *operands)
{
  const EnsClipParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  const EnsView *min = ens_operands_input (operands, 1), *max = ens_operands_input (operands, 2);
  double low = min != NULL ? ens_view_real (min, 0) : (double)params->min;
  double high = max != NULL ? ens_view_real (max, 0) : (double)params->max;
  gsize n = ens_view_elements (y);

  for (gsize i = 0; i < n; i++)
    ens_view_set_real (y, ens_view_offset (y, i),
                       fmin (fmax (ens_view_real (x, ens_view_offset (x, i)), low), high));
}

static void
clip_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  EnsFusedActivation activation = clip_as_fused (operands);

  ens_activation_run (operands->inputs[0], operands->outputs[0], &activation, context->pool);
}

static gboolean
clip_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  EnsFusedActivation activation;
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  for (guint i = 1; i < operands->n_inputs; i++)
    if (operands->inputs[i] != NULL && operands->inputs[i]->data == NULL)
      return FALSE;
  activation = clip_as_fused (operands);
  ens_record_function (commands, operands->inputs[0], operands->outputs[0], activation.kind,
                       activation.alpha, activation.beta);
  return TRUE;
}

static const EnsOpExample clip_examples[] = {{"2x5x4x7", &(const EnsClipParams) {-0.5f, 0.25f}},
                                             {NULL}};

const EnsOp ens_op_clip = {.name = "Clip",
                           .min_inputs = 1,
                           .max_inputs = 3,
                           .min_outputs = 1,
                           .max_outputs = 1,
                           .layout = ENS_LAYOUT_FOLLOWS,
                           .flags = ENS_OP_PITCHED | ENS_OP_IN_PLACE,
                           .params_size = sizeof (EnsClipParams),
                           .attributes = clip_attributes,
                           .shape = clip_shape,
                           .reference = clip_reference,
                           .cpu = clip_cpu,
                           .gpu = clip_gpu,
                           .gradient = ens_clip_gradient,
                           .per_image = ens_per_image_elementwise,
                           .example = clip_examples};

/* Fusing. */

gboolean
ens_node_as_activation (const EnsNode *node, EnsFusedActivation *activation)
{
  static const struct {
    const EnsOp *op;
    EnsActivation kind;
  } rows[] = {{&ens_op_relu, ENS_ACTIVATION_RELU},
              {&ens_op_leaky_relu, ENS_ACTIVATION_LEAKY_RELU},
              {&ens_op_sigmoid, ENS_ACTIVATION_SIGMOID},
              {&ens_op_hard_sigmoid, ENS_ACTIVATION_HARD_SIGMOID},
              {&ens_op_hard_swish, ENS_ACTIVATION_HARD_SWISH},
              {&ens_op_tanh, ENS_ACTIVATION_TANH},
              {&ens_op_swish, ENS_ACTIVATION_SWISH},
              {&ens_op_mish, ENS_ACTIVATION_MISH},
              {&ens_op_fake_quantize, ENS_ACTIVATION_FAKE_QUANTIZE},
              {&ens_op_erf, ENS_ACTIVATION_ERF}};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (node->op == rows[i].op) {
      *activation = as_fused (rows[i].kind, node->params);
      return TRUE;
    }
  if (node->op == &ens_op_gelu) {
    *activation = (EnsFusedActivation) {gelu_kind (node->params), 0, 0};
    return TRUE;
  }
  if (node->op == &ens_op_clip) {
    const EnsClipParams *params = node->params;

    *activation = (EnsFusedActivation) {ENS_ACTIVATION_CLIP, params->min, params->max};
    return ens_clip_find_bound (node, 1, &activation->alpha)
           && ens_clip_find_bound (node, 2, &activation->beta);
  }
  return FALSE;
}
