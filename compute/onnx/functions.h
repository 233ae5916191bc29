/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators of ONNX that are compositions of its others. */
#pragma once

#include "onnx/import.h"

gboolean ens_onnx_import_affine_grid (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_cached_attention (EnsOnnxStep *step, EnsOnnxImport *import,
                                           GError **error);
gboolean ens_onnx_import_batch_normalization (EnsOnnxStep *step, EnsOnnxImport *import,
                                              GError **error);
gboolean ens_onnx_import_center_crop_pad (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_col2im (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_global_lp_pool (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_hardmax (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_lp_pool (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_mean_variance (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_scatter (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_shrink (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
gboolean ens_onnx_import_swiglu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error);
