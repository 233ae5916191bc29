/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators of ONNX that are compositions of its others. */
#include "onnx/functions.h"

#include <string.h>

#include "onnx/compose.h"

static void
check (EnsCompose *compose, guint n_inputs)
{
  ens_compose_check_inputs (compose, n_inputs, n_inputs);
}

/* |x|ᵖ, and its inverse for what is not negative. */
static const char *
raise_to (EnsCompose *compose, const char *x, gint64 p)
{
  if (p == 2)
    return ens_compose (compose, "Mul", NULL, x, x, NULL);
  x = ens_compose (compose, "Abs", NULL, x, NULL);
  return p == 1
             ? x
             : ens_compose (compose, "Pow", NULL, x, ens_compose_number (compose, (double)p), NULL);
}

static const char *
extract_root (EnsCompose *compose, const char *x, gint64 p)
{
  if (p == 2)
    return ens_compose (compose, "Sqrt", NULL, x, NULL);
  return p == 1 ? x
                : ens_compose (compose, "Pow", NULL, x, ens_compose_number (compose, 1 / (double)p),
                               NULL);
}

static gint64
read_exponent (EnsCompose *compose)
{
  gint64 p = ens_attributes_int (compose->step->attributes, "p", 2);

  if (p < 1)
    ens_compose_fail (compose, ENS_ERROR_FORMAT, "“p” is %" G_GINT64_FORMAT ", expected 1 or more",
                      p);
  return p;
}

/* (Σ |x|ᵖ)^(1/p) over each window: of the mean, times the window's size. */
gboolean
ens_onnx_import_lp_pool (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gint64 kernel[ENS_MAX_RANK] = {0}, p = read_exponent (&compose);
  guint rank = ens_attributes_ints (step->attributes, "kernel_shape", kernel, ENS_MAX_RANK);
  EnsAttributes *rest;
  double n = 1;
  const char *x;

  check (&compose, 1);
  if (ens_attributes_int (step->attributes, "ceil_mode", 0) != 0)
    ens_compose_fail (&compose, ENS_ERROR_UNSUPPORTED, "“ceil_mode” is 1, expected 0");
  for (guint i = 0; i < rank; i++)
    n *= (double)kernel[i];
  rest = ens_compose_rest (&compose);
  ens_attributes_set_ints (rest, "kernel_shape", kernel, rank);
  ens_attributes_set_int (rest, "count_include_pad", 1);
  x = raise_to (&compose, ens_compose_input (&compose, 0), p);
  x = ens_compose (&compose, "AveragePool", rest, x, NULL);
  x = ens_compose (&compose, "Mul", NULL, x, ens_compose_number (&compose, n), NULL);
  ens_compose_result (&compose, 0, extract_root (&compose, x, p));
  return ens_compose_finish (&compose);
}

gboolean
ens_onnx_import_global_lp_pool (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gint64 axes[ENS_MAX_RANK], p = read_exponent (&compose);
  guint n = 0;
  const char *x;

  check (&compose, 1);
  for (guint i = 2; !compose.failed && i < step->inputs[0]->shape.rank; i++)
    axes[n++] = i;
  x = raise_to (&compose, ens_compose_input (&compose, 0), p);
  x = ens_compose (&compose, "ReduceSum", NULL, x, ens_compose_list (&compose, axes, n), NULL);
  ens_compose_result (&compose, 0, extract_root (&compose, x, p));
  return ens_compose_finish (&compose);
}

/* x moved by the bias towards 0 outside ±lambd, 0 inside. */
gboolean
ens_onnx_import_shrink (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  double bias = (double)ens_attributes_float (step->attributes, "bias", 0);
  double bound = (double)ens_attributes_float (step->attributes, "lambd", 0.5F);
  const char *x = ens_compose_input (&compose, 0), *low, *high, *moved, *y;

  check (&compose, 1);
  low = ens_compose (&compose, "Less", NULL, x, ens_compose_number (&compose, -bound), NULL);
  high = ens_compose (&compose, "Greater", NULL, x, ens_compose_number (&compose, bound), NULL);
  moved = ens_compose (&compose, "Sub", NULL, x, ens_compose_number (&compose, bias), NULL);
  y = ens_compose (&compose, "Where", NULL, high, moved, ens_compose_number (&compose, 0), NULL);
  moved = ens_compose (&compose, "Add", NULL, x, ens_compose_number (&compose, bias), NULL);
  ens_compose_result (&compose, 0, ens_compose (&compose, "Where", NULL, low, moved, y, NULL));
  return ens_compose_finish (&compose);
}

#define MEAN_VARIANCE_EPSILON 1e-9

gboolean
ens_onnx_import_mean_variance (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gint64 axes[ENS_MAX_RANK] = {0, 2, 3};
  guint n = ens_attributes_has (step->attributes, "axes")
                ? ens_attributes_ints (step->attributes, "axes", axes, ENS_MAX_RANK)
                : 3;
  const char *list, *x = ens_compose_input (&compose, 0), *d, *deviation;

  check (&compose, 1);
  list = compose.failed ? "" : ens_compose_list (&compose, axes, n);
  d = ens_compose (&compose, "Sub", NULL, x,
                   ens_compose (&compose, "ReduceMean", NULL, x, list, NULL), NULL);
  deviation = ens_compose (&compose, "Mul", NULL, d, d, NULL);
  deviation = ens_compose (&compose, "ReduceMean", NULL, deviation, list, NULL);
  deviation = ens_compose (&compose, "Sqrt", NULL, deviation, NULL);
  deviation = ens_compose (&compose, "Add", NULL, deviation,
                           ens_compose_number (&compose, MEAN_VARIANCE_EPSILON), NULL);
  ens_compose_result (&compose, 0, ens_compose (&compose, "Div", NULL, d, deviation, NULL));
  return ens_compose_finish (&compose);
}

/* A vector of channels, for a tensor of this rank in ONNX's order. */
static const char *
as_channels (EnsCompose *compose, guint input, guint rank)
{
  gint64 shape[ENS_MAX_RANK];

  for (guint i = 0; i < rank; i++)
    shape[i] = i == 1 ? -1 : 1;
  return ens_compose_reshape (compose, ens_compose_input (compose, input), shape, rank);
}

/* (x − mean) / √(variance + ε) · scale + bias, by what the tensor itself has of both. */
static void
normalise (EnsCompose *compose, guint rank, double epsilon)
{
  const char *x = ens_compose_input (compose, 0), *list, *d, *y;
  gint64 axes[ENS_MAX_RANK] = {0};
  guint n = 1;

  for (guint i = 2; i < rank; i++)
    axes[n++] = i;
  list = ens_compose_list (compose, axes, n);
  d = ens_compose (compose, "Sub", NULL, x,
                   ens_compose (compose, "ReduceMean", NULL, x, list, NULL), NULL);
  y = ens_compose (compose, "ReduceMean", NULL, ens_compose (compose, "Mul", NULL, d, d, NULL),
                   list, NULL);
  y = ens_compose (compose, "Add", NULL, y, ens_compose_number (compose, epsilon), NULL);
  y = ens_compose (compose, "Div", NULL, d, ens_compose (compose, "Sqrt", NULL, y, NULL), NULL);
  y = ens_compose (compose, "Mul", NULL, y, as_channels (compose, 1, rank), NULL);
  y = ens_compose (compose, "Add", NULL, y, as_channels (compose, 2, rank), NULL);
  ens_compose_result (compose, 0, y);
}

/* In training mode, of what does not depend on images: standardised weights (Qiao et al.,
 * "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization", 2019), which
 * PyTorch's exporter writes so. */
gboolean
ens_onnx_import_batch_normalization (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  double epsilon = (double)ens_attributes_float (step->attributes, "epsilon", 1e-5F);
  gint64 training = ens_attributes_int (step->attributes, "training_mode", 0);

  if (training != 1 || step->n_inputs != 5 || step->inputs[0] == NULL
      || step->inputs[0]->shape.rank < 2 || !ens_onnx_tensor_is_known (import, step->inputs[0])
      || ens_compose_wants (&compose, 1) || ens_compose_wants (&compose, 2))
    return TRUE;
  ens_attributes_float (step->attributes, "momentum", 0);
  check (&compose, 5);
  normalise (&compose, step->inputs[0]->shape.rank, epsilon);
  return ens_compose_finish (&compose);
}

gboolean
ens_onnx_import_swiglu (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  const char *gate;

  check (&compose, 2);
  gate = ens_compose (&compose, "Swish", ens_compose_rest (&compose),
                      ens_compose_input (&compose, 0), NULL);
  ens_compose_result (
      &compose, 0,
      ens_compose (&compose, "Mul", NULL, gate, ens_compose_input (&compose, 1), NULL));
  return ens_compose_finish (&compose);
}

static const char *
to_float (EnsCompose *compose, const char *x)
{
  return ens_compose (compose, "Cast",
                      ens_compose_int ("to", ens_onnx_type_number (ENS_TYPE_FLOAT32)), x, NULL);
}

/* 1 where the largest element along the axis is, the first of several; up to opset 12 along all
 * axes from this one on. */
gboolean
ens_onnx_import_hardmax (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gboolean flattens = step->opset < 13;
  gint64 axis = ens_attributes_int (step->attributes, "axis", flattens ? 1 : -1);
  const char *x = ens_compose_input (&compose, 0), *rows = x, *is_largest, *number, *y;

  check (&compose, 1);
  if (flattens)
    rows = ens_compose (&compose, "Flatten", ens_compose_int ("axis", axis), x, NULL);
  axis = flattens ? 1 : axis;
  y = ens_compose_list (&compose, &axis, 1);
  is_largest = ens_compose (&compose, "ReduceMax", NULL, rows, y, NULL);
  is_largest = to_float (&compose, ens_compose (&compose, "Equal", NULL, rows, is_largest, NULL));
  number = ens_compose (&compose, "CumSum", NULL, is_largest, y, NULL);
  y = ens_compose (&compose, "Equal", NULL, number, ens_compose_number (&compose, 1), NULL);
  y = ens_compose (&compose, "Mul", NULL, is_largest, to_float (&compose, y), NULL);
  if (flattens)
    y = ens_compose (&compose, "Reshape", NULL, y, ens_compose (&compose, "Shape", NULL, x, NULL),
                     NULL);
  ens_compose_result (&compose, 0, y);
  return ens_compose_finish (&compose);
}

/* What ScatterElements was called before opset 11. */
gboolean
ens_onnx_import_scatter (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  step->op = ens_op_find ("ScatterElements");
  return TRUE;
}

/* Col2Im: blocks summed where they overlap, which is the transposed convolution of each channel
 * with kernels of a single 1. */

typedef struct {
  guint rank;
  gint64 image[ENS_MAX_RANK], block[ENS_MAX_RANK];
  gint64 dilations[ENS_MAX_RANK], strides[ENS_MAX_RANK], pads[2 * ENS_MAX_RANK];
  gint64 n;                    /* elements of a block */
  gint64 blocks[ENS_MAX_RANK]; /* along each axis */
  gint64 beyond[ENS_MAX_RANK]; /* elements behind the last block */
} Columns;

/* An input's integers. */
static guint
read_list (EnsCompose *compose, guint input, gint64 *values)
{
  g_autoptr (EnsTensor) contents = ens_compose_contents (compose, input);
  gint64 n;

  n = contents != NULL && contents->type == ENS_TYPE_INT64 ? ens_shape_elements (&contents->shape)
                                                           : 0;
  n = n <= ENS_MAX_RANK - 2 ? n : 0;
  if (n > 0)
    memcpy (values, contents->data, (gsize)n * sizeof *values);
  return (guint)n;
}

static void
read_attribute (EnsCompose *compose, const char *name, gint64 *values, guint n, gint64 usual)
{
  for (guint i = 0; i < n; i++)
    values[i] = usual;
  if (ens_attributes_has (compose->step->attributes, name)
      && ens_attributes_ints (compose->step->attributes, name, values, n) != n)
    ens_compose_fail (compose, ENS_ERROR_FORMAT, "“%s” has not %u values", name, n);
}

static gboolean
is_length (gint64 value)
{
  return value > 0 && value <= G_MAXUINT16;
}

/* How many blocks there are, and what they leave. */
static gboolean
count_blocks (Columns *columns, gint64 length)
{
  gint64 n = 1;

  for (guint i = 0; i < columns->rank; i++) {
    gint64 begin = columns->pads[i], end = columns->pads[columns->rank + i], reach;

    if (!is_length (columns->image[i]) || !is_length (columns->block[i])
        || !is_length (columns->dilations[i]) || !is_length (columns->strides[i]) || begin < 0
        || end < 0 || begin > G_MAXUINT16 || end > G_MAXUINT16)
      return FALSE;
    reach = columns->image[i] + begin + end - columns->dilations[i] * (columns->block[i] - 1) - 1;
    if (reach < 0)
      return FALSE;
    columns->blocks[i] = reach / columns->strides[i] + 1;
    columns->beyond[i] = reach % columns->strides[i];
    if (n > length / columns->blocks[i])
      return FALSE;
    n *= columns->blocks[i];
  }
  return n == length;
}

static void
read_columns (EnsCompose *compose, Columns *columns)
{
  columns->rank = read_list (compose, 1, columns->image);
  if (read_list (compose, 2, columns->block) != columns->rank || columns->rank == 0)
    ens_compose_fail (compose, ENS_ERROR_FORMAT, "image and block are not of one rank, at most %d",
                      ENS_MAX_RANK - 2);
  read_attribute (compose, "dilations", columns->dilations, columns->rank, 1);
  read_attribute (compose, "strides", columns->strides, columns->rank, 1);
  read_attribute (compose, "pads", columns->pads, 2 * columns->rank, 0);
}

static void
check_columns (EnsCompose *compose, Columns *columns)
{
  const EnsShape *shape = compose->failed ? NULL : &compose->step->inputs[0]->shape;

  columns->n = 1;
  for (guint i = 0; i < columns->rank && columns->n <= G_MAXUINT16; i++)
    columns->n *= is_length (columns->block[i]) ? columns->block[i] : 1;
  if (shape != NULL
      && (shape->rank != 3 || columns->n > G_MAXUINT16 || shape->dims[1] % columns->n != 0
          || !count_blocks (columns, shape->dims[2])))
    ens_compose_fail (compose, ENS_ERROR_SHAPE,
                      "the blocks of the input are not those of such an image");
}

/* A kernel for each element of a block of each channel. */
static const char *
add_kernels (EnsCompose *compose, const Columns *columns, gint64 channels)
{
  EnsShape shape = {.rank = 2 + columns->rank, .dims = {channels * columns->n, 1}};
  EnsTensor *kernels;

  memcpy (shape.dims + 2, columns->block, columns->rank * sizeof *shape.dims);
  kernels = ens_compose_tensor (compose, ENS_TYPE_FLOAT32, &shape, NULL);
  for (gint64 i = 0; kernels != NULL && i < channels * columns->n; i++)
    ((float *)kernels->data)[i * columns->n + i % columns->n] = 1;
  return ens_compose_known (compose, "kernels", kernels);
}

gboolean
ens_onnx_import_col2im (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  EnsAttributes *attributes;
  gint64 shape[ENS_MAX_RANK] = {0}, channels;
  Columns columns = {0};
  const char *x;

  check (&compose, 3);
  read_columns (&compose, &columns);
  check_columns (&compose, &columns);
  if (compose.failed)
    return FALSE;
  shape[1] = step->inputs[0]->shape.dims[1];
  memcpy (shape + 2, columns.blocks, columns.rank * sizeof *shape);
  channels = shape[1] / columns.n;
  attributes = ens_compose_int ("group", channels);
  ens_attributes_set_ints (attributes, "strides", columns.strides, columns.rank);
  ens_attributes_set_ints (attributes, "dilations", columns.dilations, columns.rank);
  ens_attributes_set_ints (attributes, "pads", columns.pads, 2 * columns.rank);
  ens_attributes_set_ints (attributes, "output_padding", columns.beyond, columns.rank);
  x = ens_compose_reshape (&compose, ens_compose_input (&compose, 0), shape, 2 + columns.rank);
  x = ens_compose (&compose, "ConvTranspose", attributes, x,
                   add_kernels (&compose, &columns, channels), NULL);
  ens_compose_result (&compose, 0, x);
  return ens_compose_finish (&compose);
}
