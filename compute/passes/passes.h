/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Graph rewrites, one a file. Each changes what it finds anywhere in the graph and returns whether
 * it found anything; the graph's outputs stay the same numbers up to rounding. Nodes that nothing
 * reads any longer are left for ens_graph_remove_unused (). */
#pragma once

#include "graph/op.h"

/* Load time: what does not depend on sizes. Runs once per network, so that constants made here are
 * the same for all plans. */

/* Computes nodes whose inputs are all constants. */
gboolean ens_pass_fold_constants (EnsGraph *graph);
/* Removes nodes that pass their input on: Identity, Dropout, pooling over single pixels, Pad by
 * nothing, Transpose to the same order, Concat and Sum of one. */
gboolean ens_pass_remove_identities (EnsGraph *graph);
/* Lets Conv and AveragePool pad what a Pad node before them padded with zeroes. */
gboolean ens_pass_fold_pads (EnsGraph *graph);
/* Multiplies batch normalisation, and arithmetic with one constant per channel, into the weights of
 * the Conv or Gemm before or behind it; turns one that stands alone into a depthwise 1×1 Conv. */
gboolean ens_pass_fold_batch_norm (EnsGraph *graph);
/* Multiplies factors of columns into the matrix and the bias of a MatMul before them. */
gboolean ens_pass_fold_scale (EnsGraph *graph);
/* Sums of a large tensor and products of it with small ones → one product. */
gboolean ens_pass_gather_factors (EnsGraph *graph);
/* Moves global pooling directly behind the node that computes the map, so that the map of a feature
 * layer is not kept until the end. */
gboolean ens_pass_pool_early (EnsGraph *graph);
/* All of the above as often as they find something. FALSE: the graph is broken. */
gboolean ens_passes_load (EnsGraph *graph, GError **error);

/* By request, before load time: lets inputs of images that are bytes, or other integers, be real
 * numbers, which are rounded to what the type holds. */
gboolean ens_pass_float_inputs (EnsGraph *graph);
/* By request, before load time: turns fully connected layers into convolutions (Long, Shelhamer,
 * Darrell: “Fully Convolutional Networks for Semantic Segmentation”, CVPR 2015), so that a network
 * takes inputs larger than `nominal` (input shapes in order, batch 1) and gives a map (N, h, w, C)
 * where it gave (N, C). At nominal size the map has one position. FALSE without an error: there was
 * nothing to turn. */
gboolean ens_pass_convolutionalise (EnsGraph *graph, const EnsShape *nominal, GError **error);

/* Plan time: on a graph with concrete shapes. */

/* Removes Slice and Pad nodes that, with these shapes, take all and add nothing. */
gboolean ens_pass_remove_copies (EnsGraph *graph);
/* Einsum → Transpose, Reshape, ReduceSum, Mul and MatMul. */
gboolean ens_pass_decompose_einsum (EnsGraph *graph);
/* Moves a Pad between two Transpose nodes before both. */
gboolean ens_pass_move_pads (EnsGraph *graph);
/* Joins Transpose nodes that follow each other, removes those to the same order, and turns those
 * that move only axes of length 1 into Reshape, which moves nothing. */
gboolean ens_pass_remove_transposes (EnsGraph *graph);
/* Splits columns, which takes no copy, where a Transpose had moved the axis of a Split. */
gboolean ens_pass_split_early (EnsGraph *graph);
/* Products and softmax, with scales and masks → Attention. */
gboolean ens_pass_recognise_attention (EnsGraph *graph);
/* Normalisation spelled out as means, squares and a root → LayerNormalization, RMSNormalization. */
gboolean ens_pass_recognise_normalization (EnsGraph *graph);
/* x times a function of x → Gelu, Swish, HardSwish. At load time, too. */
gboolean ens_pass_recognise_activation (EnsGraph *graph);
/* MatMul and Add of a vector → Gemm, or a MatMul with a bias where there are more axes. */
gboolean ens_pass_fuse_bias (EnsGraph *graph);
/* Conv, or MatMul with a constant matrix, and Add of a tensor of the same shape → one node with a
 * residual. */
gboolean ens_pass_fuse_residual (EnsGraph *graph);
/* Conv, Gemm, … and an activation function → one node. */
gboolean ens_pass_fuse_activation (EnsGraph *graph);
/* Infers shapes from those of the inputs and runs all of the above. */
gboolean ens_passes_plan (EnsGraph *graph, const EnsShape *input_shapes, GError **error);
