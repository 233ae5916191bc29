/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matrices of the product read from anywhere in memory, zeroes where they reach beyond.
 *
 *   TENSOR (rows, columns, pitch, row, n_rows, column, n_columns)   a part of rows × columns
 *   LOAD_TENSOR_A (a, array, element, tensor), LOAD_TENSOR_B        element: where the whole begins */
#ifdef GL_NV_cooperative_matrix2
#extension GL_NV_cooperative_matrix2 : require
#define TENSOR(rows, columns, pitch, row, n_rows, column, n_columns)                               \
  sliceTensorLayoutNV (                                                                            \
      setTensorLayoutStrideNV (                                                                    \
          setTensorLayoutDimensionNV (                                                             \
              createTensorLayoutNV (2, gl_CooperativeMatrixClampModeConstantNV), rows, columns),   \
          pitch, 1),                                                                               \
      row, n_rows, column, n_columns)
/* Compilers crash where what is loaded is an array's element. */
#define LOAD_TENSOR(TYPE, to, array, element, tensor)      \
  {                                                        \
    TYPE loaded;                                           \
                                                           \
    coopMatLoadTensorNV (loaded, array, element, tensor);  \
    to = loaded;                                           \
  }
#define LOAD_TENSOR_A(a, array, element, tensor) LOAD_TENSOR (OPERAND_A, a, array, element, tensor)
#define LOAD_TENSOR_B(b, array, element, tensor) LOAD_TENSOR (OPERAND_B, b, array, element, tensor)

#else
#extension GL_EXT_spirv_intrinsics : require
const uint TENSOR_AXES = 2, CLAMP_CONSTANT = 1;
#define LAYOUT                                                                                     \
  spirv_type (extensions = ["SPV_NV_tensor_addressing"], capabilities = [5439], id = 5370,         \
              TENSOR_AXES, CLAMP_CONSTANT)
#define TENSOR_INSTRUCTION(number)                                                                 \
  spirv_instruction (extensions = ["SPV_NV_tensor_addressing"], capabilities = [5439], id = number)
#define LOAD_INSTRUCTION                                                                           \
  spirv_instruction (extensions = ["SPV_NV_cooperative_matrix2"], capabilities = [5433], id = 5367)

TENSOR_INSTRUCTION (5372) LAYOUT create_layout ();
TENSOR_INSTRUCTION (5373) LAYOUT set_dimensions (LAYOUT layout_, uint rows, uint columns);
TENSOR_INSTRUCTION (5374) LAYOUT set_strides (LAYOUT layout_, uint row, uint column);
TENSOR_INSTRUCTION (5375)
LAYOUT slice (LAYOUT layout_, uint row, uint n_rows, uint column, uint n_columns);
/* The last two are masks of operands, of which there are none. */
LOAD_INSTRUCTION OPERAND_A load_tensor_a (spirv_by_reference float16_t from, OPERAND_A otherwise,
                                        LAYOUT layout_, spirv_literal uint memory,
                                        spirv_literal uint addressing);
LOAD_INSTRUCTION OPERAND_B load_tensor_b (spirv_by_reference float16_t from, OPERAND_B otherwise,
                                        LAYOUT layout_, spirv_literal uint memory,
                                        spirv_literal uint addressing);

#define TENSOR(rows, columns, pitch, row, n_rows, column, n_columns)                               \
  slice (set_strides (set_dimensions (create_layout (), rows, columns), pitch, 1), row, n_rows,    \
         column, n_columns)
#define LOAD_TENSOR_A(a, array, element, tensor) a = load_tensor_a (array[element], a, tensor, 0, 0)
#define LOAD_TENSOR_B(b, array, element, tensor) b = load_tensor_b (array[element], b, tensor, 0, 0)
#endif
