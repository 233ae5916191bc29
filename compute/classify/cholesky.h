/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cholesky's decomposition of small dense matrices. */
#pragma once

#include <glib.h>

/* matrix: n × n, symmetric and positive definite; of it the lower triangle is read, and becomes
 * that of L, A = L·Lᵀ. FALSE, and the contents are lost, if the matrix is not positive definite. */
gboolean ens_cholesky_decompose (double *matrix, guint n);

/* matrix: n × n, row by row, symmetric and positive definite; of it the lower triangle is read.
 * With A = L·Lᵀ it becomes L⁻¹, zeroes above the diagonal: ‖L⁻¹·x‖² = xᵀ·A⁻¹·x. FALSE, and the
 * contents are lost, if the matrix is not positive definite. */
gboolean ens_cholesky_invert (double *matrix, guint n);
