/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_FUNCTIONS_H
#define ENS_PUSH_FUNCTIONS_H

/* Elementwise functions of x, alpha and beta, as C and GLSL both know them: one line each, of the
 * enumerator, its name, its number and the formula. Numbers are constant 0 of activation.comp.
 *
 * Formulas are made of macros that each of their readers defines for its type, so that one line
 * serves references (double), kernels (float, vectors) and shaders (vec4):
 *
 *   REAL (n)                a constant
 *   IF_LESS (a, b, y, z)    a < b ? y : z
 *   MAXIMUM, MINIMUM (a, b)
 *   UNIT (y)                y clipped to 0 … 1
 *   NEGATIVE (y), REST (y)  y where it is below 0, and where not; 0 elsewhere
 *   MAGNITUDE, SIGN, FLOOR, CEIL, ROUND (y): of what is half way to the even one
 *   EXP, EXP_MINUS_1, LOG, LOG_1_PLUS, LOGISTIC, TANH, ERF, SQRT (y) */
#define ENS_FUNCTION_NONE 0

/* What kernels and shaders may do to their results before they store them: EnsActivation of
 * kernels/epilogue.h. Those that clip … */
#define ENS_CLIPS(FUNCTION)                \
  FUNCTION (RELU, Relu, 1, MAXIMUM (x, 0)) \
  FUNCTION (CLIP, Clip, 2, MINIMUM (MAXIMUM (x, alpha), beta))

/* … and those that bend. */
#define ENS_CURVES(FUNCTION)                                                    \
  FUNCTION (LEAKY_RELU, LeakyRelu, 3, IF_LESS (x, 0, alpha *x, x))              \
  FUNCTION (SIGMOID, Sigmoid, 4, LOGISTIC (x))                                  \
  FUNCTION (HARD_SIGMOID, HardSigmoid, 5, UNIT (alpha *x + beta))               \
  FUNCTION (HARD_SWISH, HardSwish, 6, x *UNIT (x *REAL (1 / 6.0) + REAL (0.5))) \
  FUNCTION (SILU, Silu, 7, x *LOGISTIC (x))                                     \
  FUNCTION (TANH, Tanh, 8, TANH (x))

#define ENS_ACTIVATIONS(FUNCTION) ENS_CLIPS (FUNCTION) ENS_CURVES (FUNCTION)

/* The others. */
#define ENS_FUNCTIONS(FUNCTION)                                                       \
  FUNCTION (ELU, elu, 9, REST (x) + alpha * EXP_MINUS_1 (NEGATIVE (x)))               \
  FUNCTION (CELU, celu, 10, REST (x) + alpha * EXP_MINUS_1 (NEGATIVE (x) / alpha))    \
  FUNCTION (SELU, selu, 11, beta *(REST (x) + alpha * EXP_MINUS_1 (NEGATIVE (x))))    \
  FUNCTION (THRESHOLDED_RELU, thresholded_relu, 12, IF_LESS (alpha, x, x, 0))         \
  FUNCTION (SOFTPLUS, softplus, 13, REST (x) + LOG_1_PLUS (EXP (-MAGNITUDE (x))))     \
  FUNCTION (SOFTSIGN, softsign, 14, x / (1 + MAGNITUDE (x)))                          \
  FUNCTION (ABS, abs, 15, MAGNITUDE (x))                                              \
  FUNCTION (NEG, neg, 16, -x)                                                         \
  FUNCTION (EXP, exp, 17, EXP (x))                                                    \
  FUNCTION (LOG, log, 18, LOG (x))                                                    \
  FUNCTION (SQRT, sqrt, 19, SQRT (x))                                                 \
  FUNCTION (RECIPROCAL, reciprocal, 20, 1 / x)                                        \
  FUNCTION (FLOOR, floor, 21, FLOOR (x))                                              \
  FUNCTION (CEIL, ceil, 22, CEIL (x))                                                 \
  FUNCTION (ROUND, round, 23, ROUND (x))                                              \
  FUNCTION (SIGN, sign, 24, SIGN (x))                                                 \
  FUNCTION (ERF, erf, 25, ERF (x))                                                    \
  FUNCTION (GELU, gelu_exact, 26, x / 2 * (1 + ERF (x * REAL (0.70710678118654752)))) \
  FUNCTION (GELU_TANH, gelu_tanh, 27,                                                 \
            x / (1 + EXP (REAL (-1.5957691216057308) * (x + REAL (0.044715) * x * x * x))))

#endif
