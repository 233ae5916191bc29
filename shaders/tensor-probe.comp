/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiles where the compiler knows how matrices are read by tensor addressing. */
#version 450
#extension GL_KHR_cooperative_matrix : require
#extension GL_NV_cooperative_matrix2 : require

layout (local_size_x = 32) in;

void
main ()
{
  tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> whole =
      createTensorLayoutNV (2, gl_CooperativeMatrixClampModeConstantNV);
}
