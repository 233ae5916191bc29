/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All operators. An operator is added by its line here and, if its file is new, by that in op_stems
 * of the meson.build on top. */
#pragma once

#include "graph/op.h"

/* clang-format off */
/* Sorted by ONNX name, then by domain, as strcmp () does. */
#define ENS_OPS(OP) \
  OP (abs) OP (acos) OP (acosh) OP (activation_grad) OP (add) OP (and) OP (arg_max) OP (arg_min) \
  OP (asin) OP (asinh) OP (atan) OP (atanh) OP (attention) OP (average_pool) \
  OP (batch_normalization) OP (batch_normalization_grad) OP (batch_normalization_training) \
  OP (bit_shift) OP (bitwise_and) OP (bitwise_not) OP (bitwise_or) OP (bitwise_xor) OP (cast) \
  OP (ceil) OP (celu) OP (clip) OP (compress) OP (concat) OP (constant_of_shape) OP (conv) \
  OP (conv_grad_weight) OP (conv_transpose) OP (cos) OP (cosh) OP (cum_prod) OP (cum_sum) \
  OP (deform_conv) OP (depth_to_space) OP (det) OP (div) OP (dropout) OP (einsum) OP (elu) \
  OP (equal) OP (erf) OP (exp) OP (expand) OP (eye_like) OP (fake_quantize) \
  OP (fake_quantize_range) OP (flatten) OP (floor) OP (gru) OP (gather) OP (gather_elements) \
  OP (gather_nd) OP (gelu) OP (gemm) OP (global_average_pool) OP (global_max_pool) OP (greater) \
  OP (greater_or_equal) OP (grid_sample) OP (grid_sample_grad_grid) OP (grid_sample_grad_map) OP (group_normalization) OP (hard_sigmoid) \
  OP (hard_swish) OP (identity) OP (instance_normalization) OP (is_inf) OP (is_nan) OP (lrn) \
  OP (lstm) OP (layer_normalization) OP (leaky_relu) OP (less) OP (less_or_equal) OP (log) \
  OP (log_softmax) OP (lp_normalization) OP (matmul) OP (max) OP (max_pool) OP (max_pool_grad) \
  OP (max_roi_pool) OP (max_roi_pool_grad) \
  OP (mean) OP (min) OP (mish) OP (mod) OP (mul) OP (neg) OP (non_zero) OP (not) OP (one_hot) \
  OP (or) OP (prelu) OP (pad) OP (pow) OP (rms_normalization) OP (rnn) OP (range) OP (reciprocal) OP (recurrent_grad) \
  OP (reduce_l1) OP (reduce_l2) OP (reduce_log_sum) OP (reduce_log_sum_exp) OP (reduce_max) \
  OP (reduce_mean) OP (reduce_min) OP (reduce_prod) OP (reduce_sum) OP (reduce_sum_square) \
  OP (relu) OP (reshape) OP (resize) OP (resize_grad) OP (roi_align) OP (roi_align_grad) \
  OP (rotary_embedding) OP (round) OP (scatter_elements) OP (scatter_nd) OP (selu) OP (shape) OP (sigmoid) OP (sign) \
  OP (sin) OP (sinh) OP (size) OP (slice) OP (softmax) OP (softplus) OP (softsign) \
  OP (space_to_depth) OP (split) OP (sqrt) OP (squeeze) OP (sub) OP (sum) OP (swish) OP (tan) \
  OP (tanh) OP (thresholded_relu) OP (tile) OP (top_k) OP (transpose) OP (trilu) OP (unsqueeze) \
  OP (where) OP (xor)
/* clang-format on */

#define ENS_OP_DECLARE(op) extern const EnsOp ens_op_##op;
ENS_OPS (ENS_OP_DECLARE)
