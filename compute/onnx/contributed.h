/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators of the domain com.microsoft, which ONNX Runtime's optimiser and quantiser write, as
 * compositions of ONNX's own.
 *
 * Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md */
#pragma once

#include "onnx/compose.h"

/* Of quantised networks. */
gboolean ens_onnx_import_qlinear_unary (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_qlinear_binary (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_qlinear_concat (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_qlinear_where (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_qgemm (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_dynamic_matmul (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_matmul_to_float (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);

/* 0 to n − 1, n being the length of x along an axis. */
const char *ens_compose_positions (EnsCompose *compose, const char *x, gint64 axis);

gboolean ens_onnx_import_attention (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_qattention (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_multi_head_attention (EnsOnnxStep *step, EnsOnnxImport *import,
                                               GError **error);
gboolean ens_onnx_import_rotary_embedding (EnsOnnxStep *step, EnsOnnxImport *import,
                                           GError **error);

/* Of networks with weights of few bits in blocks. */
gboolean ens_onnx_import_matmul_nbits (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_gather_blocks (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
