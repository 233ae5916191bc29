#ifndef ENS_PUSH_FUNCTIONS_H
#define ENS_PUSH_FUNCTIONS_H

/* Elementwise functions: constant 0 of activation.comp. The first ones are those of EnsActivation
 * (kernels/epilogue.h), which other shaders apply to their results too. */
#define ENS_FUNCTION_NONE 0
#define ENS_FUNCTION_RELU 1
#define ENS_FUNCTION_CLIP 2
#define ENS_FUNCTION_LEAKY_RELU 3
#define ENS_FUNCTION_SIGMOID 4
#define ENS_FUNCTION_HARD_SIGMOID 5
#define ENS_FUNCTION_HARD_SWISH 6
#define ENS_FUNCTION_SILU 7
#define ENS_FUNCTION_TANH 8
#define ENS_FUNCTION_ELU 9
#define ENS_FUNCTION_CELU 10
#define ENS_FUNCTION_SELU 11
#define ENS_FUNCTION_THRESHOLDED_RELU 12
#define ENS_FUNCTION_SOFTPLUS 13
#define ENS_FUNCTION_SOFTSIGN 14
#define ENS_FUNCTION_ABS 15
#define ENS_FUNCTION_NEG 16
#define ENS_FUNCTION_EXP 17
#define ENS_FUNCTION_LOG 18
#define ENS_FUNCTION_SQRT 19
#define ENS_FUNCTION_RECIPROCAL 20
#define ENS_FUNCTION_FLOOR 21
#define ENS_FUNCTION_CEIL 22
#define ENS_FUNCTION_ROUND 23
#define ENS_FUNCTION_SIGN 24
#define ENS_FUNCTION_ERF 25

#endif
