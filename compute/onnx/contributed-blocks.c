/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* com.microsoft's operators with weights of 2, 4 or 8 bits: rows of blocks, each of which has a
 * scale and a zero point. They are dequantised when the file is read. */
#include "onnx/contributed.h"
#include "onnx/quantised.h"

typedef struct {
  guint integers, scales, zeros; /* inputs */
  gint64 bits, block;
  gint64 rows, columns;
} Blocks;

static gint64
divide_up (gint64 n, gint64 d)
{
  return n / d + (n % d != 0);
}

/* Number i of those that are packed into bytes from the low bits on. */
static guint
unpack (const guint8 *bytes, gint64 bits, gint64 i)
{
  gint64 at = i * bits;

  return bytes[at / 8] >> at % 8 & ((1u << bits) - 1);
}

static void
check_tensor (EnsCompose *compose, guint input, const EnsTensor *tensor, EnsType type, gint64 n)
{
  if (tensor == NULL || compose->failed
      || (tensor->type == type && ens_shape_elements (&tensor->shape) == n))
    return;
  ens_compose_fail (compose, ENS_ERROR_SHAPE,
                    "input %u has %" G_GINT64_FORMAT
                    " elements of type %s, expected %" G_GINT64_FORMAT " of %s",
                    input, ens_shape_elements (&tensor->shape), ens_type_name (tensor->type), n,
                    ens_type_name (type));
}

typedef struct {
  const EnsTensor *integers, *scales, *zeros; /* zeros: packed like the integers, reals, or NULL */
  gint64 row_bytes, row_blocks, zero_bytes;   /* of one row each */
} Contents;

static double
find_zero (const Blocks *blocks, const Contents *contents, gint64 row, gint64 block)
{
  const EnsTensor *zeros = contents->zeros;

  if (zeros == NULL)
    return (double)(1 << (blocks->bits - 1));
  if (zeros->type == ENS_TYPE_FLOAT32)
    return ((const float *)zeros->data)[row * contents->row_blocks + block];
  return unpack ((const guint8 *)zeros->data + row * contents->zero_bytes, blocks->bits, block);
}

/* (transfer full) */
static EnsTensor *
dequantise (EnsCompose *compose, const Blocks *blocks, const Contents *contents)
{
  EnsTensor *reals =
      ens_compose_tensor (compose, ENS_TYPE_FLOAT32, &ENS_SHAPE (blocks->rows, blocks->columns),
                          compose->step->inputs[blocks->integers]);
  float *real = reals != NULL ? reals->data : NULL;

  if (real == NULL)
    return NULL;
  for (gint64 row = 0; row < blocks->rows; row++) {
    const guint8 *bytes = (const guint8 *)contents->integers->data + row * contents->row_bytes;
    const float *scales = (const float *)contents->scales->data + row * contents->row_blocks;

    for (gint64 i = 0; i < blocks->columns; i++)
      *real++ = (float)(unpack (bytes, blocks->bits, i)
                        - find_zero (blocks, contents, row, i / blocks->block))
                * scales[i / blocks->block];
  }
  return reals;
}

static void
check_blocks (EnsCompose *compose, const Blocks *blocks)
{
  if (blocks->bits != 2 && blocks->bits != 4 && blocks->bits != 8)
    ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                      "weights of %" G_GINT64_FORMAT " bits, supported are 2, 4 and 8",
                      blocks->bits);
  if (blocks->block < 16 || blocks->block > G_MAXINT16
      || (blocks->block & (blocks->block - 1)) != 0)
    ens_compose_fail (compose, ENS_ERROR_FORMAT,
                      "blocks of %" G_GINT64_FORMAT ", expected a power of 2 from 16 on",
                      blocks->block);
  if (blocks->rows < 1 || blocks->columns < 1 || blocks->rows > G_MAXINT32
      || blocks->columns > G_MAXINT32)
    ens_compose_fail (compose, ENS_ERROR_SHAPE,
                      "%" G_GINT64_FORMAT " rows of %" G_GINT64_FORMAT " weights", blocks->rows,
                      blocks->columns);
}

/* The real weights, rows × columns. `padded`: whole blocks are stored. */
static const char *
compose_weights (EnsCompose *compose, const Blocks *blocks, gboolean padded)
{
  g_autoptr (EnsTensor) integers = NULL;
  g_autoptr (EnsTensor) scales = NULL;
  g_autoptr (EnsTensor) zeros = NULL;
  Contents contents;

  check_blocks (compose, blocks);
  integers = ens_compose_contents (compose, blocks->integers);
  scales = ens_compose_contents (compose, blocks->scales);
  if (ens_compose_has_input (compose, blocks->zeros))
    zeros = ens_compose_contents (compose, blocks->zeros);
  if (compose->failed)
    return "";
  contents = (Contents) {integers, scales, zeros};
  contents.row_blocks = divide_up (blocks->columns, blocks->block);
  contents.row_bytes = divide_up (
      (padded ? contents.row_blocks * blocks->block : blocks->columns) * blocks->bits, 8);
  contents.zero_bytes = divide_up (contents.row_blocks * blocks->bits, 8);
  check_tensor (compose, blocks->integers, integers, ENS_TYPE_UINT8,
                blocks->rows * contents.row_bytes);
  check_tensor (compose, blocks->scales, scales, ENS_TYPE_FLOAT32,
                blocks->rows * contents.row_blocks);
  if (zeros != NULL && zeros->type == ENS_TYPE_FLOAT32)
    check_tensor (compose, blocks->zeros, zeros, ENS_TYPE_FLOAT32,
                  blocks->rows * contents.row_blocks);
  else
    check_tensor (compose, blocks->zeros, zeros, ENS_TYPE_UINT8,
                  blocks->rows * contents.zero_bytes);
  return compose->failed
             ? ""
             : ens_compose_known (compose, "real", dequantise (compose, blocks, &contents));
}

/* A · Bᵀ, where B has N rows of K weights. */
gboolean
ens_onnx_import_matmul_nbits (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  EnsAttributes *attributes = step->attributes;
  Blocks blocks = {.integers = 1,
                   .scales = 2,
                   .zeros = 3,
                   .bits = ens_attributes_int (attributes, "bits", 4),
                   .block = ens_attributes_int (attributes, "block_size", 0),
                   .rows = ens_attributes_int (attributes, "N", 0),
                   .columns = ens_attributes_int (attributes, "K", 0)};
  const char *y;

  ens_attributes_ignore (attributes, "accuracy_level"); /* A is never rounded */
  ens_compose_check_inputs (&compose, 3, 6);
  if (ens_compose_has_input (&compose, 4))
    ens_compose_fail (&compose, ENS_ERROR_UNSUPPORTED, "g_idx (input 4) is not supported");
  if (ens_attributes_int (attributes, "weight_prepacked", 0) != 0)
    ens_compose_fail (&compose, ENS_ERROR_UNSUPPORTED,
                      "the weights are packed for one kind of device (weight_prepacked); save the "
                      "network without that");
  y = ens_compose_transpose (&compose, compose_weights (&compose, &blocks, TRUE),
                             (const gint64[]) {1, 0}, 2);
  y = ens_compose (&compose, "MatMul", NULL, ens_compose_input (&compose, 0), y, NULL);
  if (ens_compose_has_input (&compose, 5))
    y = ens_compose (&compose, "Add", NULL, y, ens_compose_input (&compose, 5), NULL);
  ens_compose_result (&compose, 0, y);
  return ens_compose_finish_quantised (&compose);
}

/* Rows of a table, in blocks along the last axis. */
gboolean
ens_onnx_import_gather_blocks (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  EnsAttributes *attributes = step->attributes;
  Blocks blocks = {.integers = 0,
                   .scales = 2,
                   .zeros = 3,
                   .bits = ens_attributes_int (attributes, "bits", 4),
                   .block = ens_attributes_int (attributes, "block_size", 128)};
  gint64 axis = ens_attributes_int (attributes, "quantize_axis", 1);
  const char *y;

  ens_compose_check_inputs (&compose, 3, 4);
  if (!compose.failed
      && (step->inputs[0]->shape.rank != 2 || (axis != 1 && axis != -1)
          || ens_attributes_int (attributes, "gather_axis", 0) != 0))
    ens_compose_fail (&compose, ENS_ERROR_UNSUPPORTED,
                      "expected a table of two axes, quantised along the second and gathered along "
                      "the first");
  if (!compose.failed) {
    blocks.rows = step->inputs[0]->shape.dims[0];
    blocks.columns = step->inputs[0]->shape.dims[1] * 8 / MAX (blocks.bits, 1);
  }
  y = ens_compose (&compose, "Gather", NULL, compose_weights (&compose, &blocks, FALSE),
                   ens_compose_input (&compose, 1), NULL);
  ens_compose_result (&compose, 0, y);
  return ens_compose_finish_quantised (&compose);
}
