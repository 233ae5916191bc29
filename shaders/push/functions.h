/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_FUNCTIONS_H
#define ENS_PUSH_FUNCTIONS_H

/* Elementwise functions of x, alpha and beta, as C and GLSL both know them: one line each, of the
 * enumerator, its name, its number, the formula, and the derivative: whether it is told by X, by
 * the result Y, or by NOTHING because it is 0, and how. Numbers are constant 0 of activation.comp
 * and activation-grad.comp.
 *
 * Where Y tells the derivative, x need not be kept for it. Formulas are made of macros that each of
 * their readers defines for its type, so that one line serves references (double), kernels (float,
 * vectors) and shaders (vec4):
 *
 *   REAL (n)                a constant
 *   IF_LESS (a, b, y, z)    a < b ? y : z
 *   MAXIMUM, MINIMUM (a, b)
 *   UNIT (y)                y clipped to 0 … 1
 *   NEGATIVE (y), REST (y)  y where it is below 0, and where not; 0 elsewhere
 *   MAGNITUDE, SIGN, FLOOR, CEIL, ROUND (y): of what is half way to the even one
 *   EXP, EXP_MINUS_1, LOG, LOG_1_PLUS, LOGISTIC, TANH, ERF, SQRT, SIN, COS, ATAN (y) */
#define ENS_FUNCTION_NONE 0

/* What kernels and shaders may do to their results before they store them: EnsActivation of
 * kernels/epilogue.h. Those that clip … */
#define ENS_CLIPS(FUNCTION)                                         \
  FUNCTION (RELU, Relu, 1, MAXIMUM (x, 0), Y, IF_LESS (0, y, 1, 0)) \
  FUNCTION (CLIP, Clip, 2, MINIMUM (MAXIMUM (x, alpha), beta), Y,   \
            IF_LESS (alpha, y, IF_LESS (y, beta, 1, 0), 0))

/* … and those that bend. */
#define ENS_CURVES(FUNCTION)                                                                    \
  FUNCTION (LEAKY_RELU, LeakyRelu, 3, IF_LESS (x, 0, alpha *x, x), Y, IF_LESS (y, 0, alpha, 1)) \
  FUNCTION (SIGMOID, Sigmoid, 4, LOGISTIC (x), Y, y *(1 - y))                                   \
  FUNCTION (HARD_SIGMOID, HardSigmoid, 5, UNIT (alpha *x + beta), Y,                            \
            IF_LESS (0, y, IF_LESS (y, 1, alpha, 0), 0))                                        \
  FUNCTION (HARD_SWISH, HardSwish, 6, x *UNIT (x *REAL (1 / 6.0) + REAL (0.5)), X,              \
            IF_LESS (x, -3, 0, IF_LESS (3, x, 1, x *REAL (1 / 3.0) + REAL (0.5))))              \
  FUNCTION (SWISH, Swish, 7, x *LOGISTIC (alpha *x), X,                                         \
            ENS_SWISH_SLOPE (alpha *x, LOGISTIC (alpha *x)))                                    \
  FUNCTION (TANH, Tanh, 8, TANH (x), Y, 1 - y * y)                                              \
  FUNCTION (ERF, Erf, 9, ERF (x), X, REAL (1.1283791670955126) * EXP (-x * x))                  \
  FUNCTION (GELU, Gelu, 10, x *REAL (0.5) * (1 + ERF (x * REAL (0.70710678118654752))), X,      \
            (1 + ERF (x * REAL (0.70710678118654752))) * REAL (0.5)                             \
                + x * REAL (0.39894228040143268) * EXP (x * x * REAL (-0.5)))                   \
  FUNCTION (GELU_TANH, GeluTanh, 11, x *LOGISTIC (ENS_GELU_ARGUMENT (x)), X,                    \
            ENS_GELU_SLOPE (x, LOGISTIC (ENS_GELU_ARGUMENT (x))))                               \
  FUNCTION (MISH, Mish, 12, ENS_MISH (x, EXP (MINIMUM (x, REAL (20)))), X,                      \
            ENS_MISH_SLOPE (x, EXP (MINIMUM (x, REAL (20)))))                                   \
  FUNCTION (FAKE_QUANTIZE, FakeQuantize, 13,                                                    \
            alpha *ROUND (MINIMUM (MAXIMUM (x / alpha, beta), beta + 255)), Y,                  \
            IF_LESS (alpha *beta, y, IF_LESS (y, alpha *(beta + 255), 1, 0), 0))

#define ENS_ACTIVATIONS(FUNCTION) ENS_CLIPS (FUNCTION) ENS_CURVES (FUNCTION)

/* The others. */
#define ENS_FUNCTIONS(FUNCTION)                                                                    \
  FUNCTION (ELU, elu, 14, REST (x) + alpha * EXP_MINUS_1 (NEGATIVE (x)), X,                        \
            IF_LESS (x, 0, alpha * EXP (x), 1))                                                    \
  FUNCTION (CELU, celu, 15, REST (x) + alpha * EXP_MINUS_1 (NEGATIVE (x) / alpha), X,              \
            IF_LESS (x, 0, EXP (x / alpha), 1))                                                    \
  FUNCTION (SELU, selu, 16, beta *(REST (x) + alpha * EXP_MINUS_1 (NEGATIVE (x))), X,              \
            beta *IF_LESS (x, 0, alpha *EXP (x), 1))                                               \
  FUNCTION (THRESHOLDED_RELU, thresholded_relu, 17, IF_LESS (alpha, x, x, 0), X,                   \
            IF_LESS (alpha, x, 1, 0))                                                              \
  FUNCTION (SOFTPLUS, softplus, 18, REST (x) + LOG_1_PLUS (EXP (-MAGNITUDE (x))), X, LOGISTIC (x)) \
  FUNCTION (SOFTSIGN, softsign, 19, x / (1 + MAGNITUDE (x)), X,                                    \
            1 / ((1 + MAGNITUDE (x)) * (1 + MAGNITUDE (x))))                                       \
  FUNCTION (ABS, abs, 20, MAGNITUDE (x), X, SIGN (x))                                              \
  FUNCTION (NEG, neg, 21, -x, X, REAL (-1))                                                        \
  FUNCTION (EXP, exp, 22, EXP (x), Y, y)                                                           \
  FUNCTION (LOG, log, 23, LOG (x), X, 1 / x)                                                       \
  FUNCTION (SQRT, sqrt, 24, SQRT (x), Y, REAL (0.5) / y)                                           \
  FUNCTION (RECIPROCAL, reciprocal, 25, 1 / x, Y, -y * y)                                          \
  FUNCTION (FLOOR, floor, 26, FLOOR (x), NOTHING, REAL (0))                                        \
  FUNCTION (CEIL, ceil, 27, CEIL (x), NOTHING, REAL (0))                                           \
  FUNCTION (ROUND, round, 28, ROUND (x), NOTHING, REAL (0))                                        \
  FUNCTION (SIGN, sign, 29, SIGN (x), NOTHING, REAL (0))                                           \
  FUNCTION (SIN, sin, 30, SIN (x), X, COS (x))                                                     \
  FUNCTION (COS, cos, 31, COS (x), X, -SIN (x))                                                    \
  FUNCTION (TAN, tan, 32, SIN (x) / COS (x), Y, 1 + y * y)                                         \
  FUNCTION (ASIN, asin, 33, ATAN (x / SQRT ((1 - x) * (1 + x))), X, 1 / SQRT ((1 - x) * (1 + x)))  \
  FUNCTION (ACOS, acos, 34, 2 * ATAN (SQRT ((1 - x) / (1 + x))), X, -1 / SQRT ((1 - x) * (1 + x))) \
  FUNCTION (ATAN, atan, 35, ATAN (x), X, 1 / (1 + x * x))                                          \
  FUNCTION (SINH, sinh, 36, (EXP (x) - EXP (-x)) * REAL (0.5), X,                                  \
            (EXP (x) + EXP (-x)) * REAL (0.5))                                                     \
  FUNCTION (COSH, cosh, 37, (EXP (x) + EXP (-x)) * REAL (0.5), X,                                  \
            (EXP (x) - EXP (-x)) * REAL (0.5))                                                     \
  FUNCTION (ASINH, asinh, 38, SIGN (x) * ENS_ASINH (MAGNITUDE (x), ENS_ABOVE_0 (MAGNITUDE (x))),   \
            X, 1 / SQRT (x * x + 1))                                                               \
  FUNCTION (ACOSH, acosh, 39, LOG_1_PLUS (x - 1 + SQRT (x - 1) * SQRT (x + 1)), X,                 \
            1 / (SQRT (x - 1) * SQRT (x + 1)))                                                     \
  FUNCTION (ATANH, atanh, 40, (LOG_1_PLUS (x) - LOG_1_PLUS (-x)) * REAL (0.5), X,                  \
            1 / ((1 - x) * (1 + x)))

#define ENS_ALL_FUNCTIONS(FUNCTION) ENS_ACTIVATIONS (FUNCTION) ENS_FUNCTIONS (FUNCTION)

/* Of x · s, s = LOGISTIC (z), z = alpha · x. */
#define ENS_SWISH_SLOPE(z, s) (s * (1 + z * (1 - s)))
/* 2 √(2 / π) (x + 0.044715 x³) */
#define ENS_GELU_ARGUMENT(x) (REAL (1.5957691216057308) * (x + REAL (0.044715) * x * x * x))
/* Of x · s, s = LOGISTIC (ENS_GELU_ARGUMENT (x)). */
#define ENS_GELU_SLOPE(x, s) \
  (s + x * s * (1 - s) * REAL (1.5957691216057308) * (1 + REAL (0.134145) * x * x))
/* x · tanh (log (1 + e)), e = EXP (x): the logarithm and the hyperbolic tangent cancel. */
#define ENS_MISH(x, e) (x * (e * (e + 2)) / (e * (e + 2) + 2))
#define ENS_MISH_SLOPE(x, e)         \
  ((e * (e + 2)) / (e * (e + 2) + 2) \
   + 4 * x * e * (1 + e) / ((e * (e + 2) + 2) * (e * (e + 2) + 2)))
/* log (x + √(x² + 1)) of x ≥ 0, exact near 0 and without infinite squares:
 * √(x² + 1) − 1 = x / (1 / x + √(1 + 1 / x²)). b: x, or a small number that can be inverted. */
#define ENS_ASINH(x, b) LOG_1_PLUS (x + x / (1 / b + SQRT (1 + 1 / (b * b))))
#define ENS_ABOVE_0(x) IF_LESS (x, REAL (1e-18), REAL (1e-18), x)

#endif
