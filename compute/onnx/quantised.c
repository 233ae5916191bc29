/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks of 8-bit integers, loaded as networks of the real numbers that they stand for.
 *
 * A quantised tensor q stands for the real numbers (q − zero point) · scale (Jacob et al.,
 * "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
 * 2018). Import keeps those: weights are dequantised once, nodes become those of real arithmetic,
 * and where the file has 8-bit results, FakeQuantize rounds and saturates to the same 256 numbers.
 * Sums of products are of float32 instead of int32: a result that lies half way between two numbers
 * may become the other one. */
#include "onnx/quantised.h"

#include <math.h>

gboolean
ens_compose_finish_quantised (EnsCompose *compose)
{
  EnsOnnxImport *import = compose->import;

  if (import->n_quantised++ == 0)
    import->first_quantised = g_strdup (compose->step->what);
  return ens_compose_finish (compose);
}

/* Scales and zero points */

typedef struct {
  gint64 n; /* 1, or one per position along the axis, or one per block */
  gint64 block;
  double *scales, *zeros;
  double low, high; /* what the integers can hold */
} Quantisation;

static void
quantisation_clear (Quantisation *quantisation)
{
  g_free (quantisation->scales);
  g_free (quantisation->zeros);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Quantisation, quantisation_clear)

static double
get_number (const EnsTensor *tensor, gint64 i)
{
  switch (tensor->type) {
  case ENS_TYPE_FLOAT32:
    return ((const float *)tensor->data)[i];
  case ENS_TYPE_INT64:
    return (double)((const gint64 *)tensor->data)[i];
  case ENS_TYPE_INT32:
    return ((const gint32 *)tensor->data)[i];
  case ENS_TYPE_INT8:
    return ((const gint8 *)tensor->data)[i];
  default:
    return ((const guint8 *)tensor->data)[i];
  }
}

/* Numbers of an input, as many as `n` or a single one for all; absent: all `absent`. NULL: it
 * failed. (transfer full) */
static double *
read_numbers (EnsCompose *compose, guint input, gint64 n, double absent)
{
  g_autoptr (EnsTensor) contents =
      ens_compose_has_input (compose, input) ? ens_compose_contents (compose, input) : NULL;
  gint64 found = contents != NULL ? ens_shape_elements (&contents->shape) : 1;
  double *numbers;

  if (!compose->failed && found != 1 && found != n)
    ens_compose_fail (compose, ENS_ERROR_SHAPE,
                      "input %u has %" G_GINT64_FORMAT
                      " scales or zero points, expected 1 or %" G_GINT64_FORMAT,
                      input, found, n);
  if (compose->failed)
    return NULL;
  numbers = g_new (double, (gsize)n);
  for (gint64 i = 0; i < n; i++)
    numbers[i] = contents != NULL ? get_number (contents, found == 1 ? 0 : i) : absent;
  return numbers;
}

/* What integers of the zero point's type can hold; uint8 where it does not say. */
static void
set_range (const EnsOnnxTensor *zero, Quantisation *quantisation)
{
  static const struct {
    int onnx;
    double low, high;
  } ranges[] = {
      {ONNX__TENSOR_PROTO__DATA_TYPE__INT16, -32768, 32767},
      {ONNX__TENSOR_PROTO__DATA_TYPE__UINT16, 0, 65535},
      {ENS_ONNX_INT4, -8, 7},
      {ENS_ONNX_UINT4, 0, 15},
  };

  if (zero->type == ENS_TYPE_INT8) {
    quantisation->low = -128;
    quantisation->high = 127;
  } else if (zero->type == ENS_TYPE_INT32) {
    quantisation->low = G_MININT32;
    quantisation->high = G_MAXINT32;
  }
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (zero->onnx_type == ranges[i].onnx) {
      quantisation->low = ranges[i].low;
      quantisation->high = ranges[i].high;
    }
}

/* Those of `quantised`, for n positions. */
static gboolean
read_quantisation (EnsCompose *compose, const EnsQuantised *quantised, gint64 n,
                   Quantisation *quantisation)
{
  *quantisation = (Quantisation) {.n = n, .block = quantised->block, .high = 255};
  quantisation->scales = read_numbers (compose, quantised->scale, n, 1);
  quantisation->zeros = read_numbers (compose, quantised->zero, n, 0);
  for (gint64 i = 0; i < n && !compose->failed; i++)
    if (!(quantisation->scales[i] > 0) || !isfinite (quantisation->scales[i]))
      ens_compose_fail (compose, ENS_ERROR_FORMAT, "a scale is %g", quantisation->scales[i]);
  if (ens_compose_has_input (compose, quantised->zero))
    set_range (compose->step->inputs[quantised->zero], quantisation);
  return !compose->failed;
}

static gint64
count_blocks (gint64 length, gint64 block)
{
  return length / block + (length % block != 0);
}

/* How many scales a tensor may have: one, or one per position along the axis. */
static gint64
count_scales (const EnsCompose *compose, const EnsQuantised *quantised, const EnsShape *shape)
{
  const EnsShape *scale = ens_compose_has_input (compose, quantised->scale)
                              ? &compose->step->inputs[quantised->scale]->shape
                              : &ENS_SHAPE_SCALAR;
  gboolean several = scale->rank == 1 && scale->dims[0] != 1;

  if (quantised->block > 0)
    return ens_shape_elements (shape) / MAX (shape->dims[quantised->axis], 1)
           * count_blocks (shape->dims[quantised->axis], quantised->block);
  return several && quantised->axis >= 0 && quantised->axis < shape->rank
             ? shape->dims[quantised->axis]
             : 1;
}

/* Real numbers */

/* The scale of element i of a tensor, along the axis or in a tensor of blocks. */
static gint64
find_position (const EnsShape *shape, gint64 axis, const Quantisation *quantisation, gint64 i)
{
  gint64 inner, length, at;

  if (quantisation->n == 1)
    return 0;
  inner = ens_shape_span (shape, (guint)axis + 1, shape->rank);
  length = shape->dims[axis];
  at = i / inner % length;
  if (quantisation->block == 0)
    return at;
  return (i / (inner * length) * count_blocks (length, quantisation->block)
          + at / quantisation->block)
             * inner
         + i % inner;
}

/* Those of an input; NULL: it failed. (transfer full) */
static EnsTensor *
dequantise (EnsCompose *compose, guint input, const EnsTensor *integers, gint64 axis,
            const Quantisation *quantisation)
{
  EnsTensor *reals = ens_compose_tensor (compose, ENS_TYPE_FLOAT32, &integers->shape,
                                         compose->step->inputs[input]);
  gint64 n = ens_shape_elements (&integers->shape);

  for (gint64 i = 0; reals != NULL && i < n; i++) {
    gint64 at = find_position (&integers->shape, axis, quantisation, i);

    ((float *)reals->data)[i] =
        (float)((get_number (integers, i) - quantisation->zeros[at]) * quantisation->scales[at]);
  }
  return reals;
}

/* Rounded and saturated as integers would be. (transfer full) */
static EnsTensor *
round_reals (EnsCompose *compose, guint input, const EnsTensor *exact, gint64 axis,
             const Quantisation *quantisation)
{
  EnsTensor *rounded =
      ens_compose_tensor (compose, ENS_TYPE_FLOAT32, &exact->shape, compose->step->inputs[input]);
  gint64 n = ens_shape_elements (&exact->shape);

  for (gint64 i = 0; rounded != NULL && i < n; i++) {
    gint64 at = find_position (&exact->shape, axis, quantisation, i);
    double scale = quantisation->scales[at], zero = quantisation->zeros[at];
    double q = nearbyint (get_number (exact, i) / scale) + zero;

    ((float *)rounded->data)[i] =
        (float)((fmin (fmax (q, quantisation->low), quantisation->high) - zero) * scale);
  }
  return rounded;
}

/* A vector as an operand for tensors of this shape, along the axis. */
static const char *
add_vector (EnsCompose *compose, const char *suffix, const double *numbers, gint64 n,
            const EnsShape *shape, gint64 axis)
{
  EnsShape vector = {.rank = n > 1 ? shape->rank - (guint)axis : 0};
  EnsTensor *contents;

  for (guint i = 0; i < vector.rank; i++)
    vector.dims[i] = i == 0 ? n : 1;
  contents = ens_compose_tensor (compose, ENS_TYPE_FLOAT32, &vector, NULL);
  for (gint64 i = 0; contents != NULL && i < n; i++)
    ((float *)contents->data)[i] = (float)numbers[i];
  return ens_compose_known (compose, suffix, contents);
}

/* Nodes that dequantise integers which are not known: inputs of the graph. */
static const char *
add_dequantisation (EnsCompose *compose, const EnsOnnxTensor *integers, gint64 axis,
                    const Quantisation *quantisation)
{
  const EnsShape *shape = &integers->shape;
  gint64 n = quantisation->n;
  const char *zeros = add_vector (compose, "zero", quantisation->zeros, n, shape, axis);
  const char *scales = add_vector (compose, "scale", quantisation->scales, n, shape, axis);
  const char *reals =
      ens_compose (compose, "Cast", ens_compose_int ("to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT),
                   integers->name, NULL);

  reals = ens_compose (compose, "Sub", NULL, reals, zeros, NULL);
  return ens_compose (compose, "Mul", NULL, reals, scales, NULL);
}

const char *
ens_compose_reals (EnsCompose *compose, const EnsQuantised *quantised)
{
  g_auto (Quantisation) quantisation = {0};
  g_autoptr (EnsTensor) integers = NULL;
  EnsOnnxTensor *tensor;

  if (compose->failed)
    return "";
  tensor = compose->step->inputs[quantised->tensor];
  if (tensor->type == ENS_TYPE_FLOAT32)
    return tensor->name;
  if (!ens_onnx_tensor_is_known (compose->import, tensor) && quantised->block > 0) {
    ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                      "scales of blocks (block_size) of numbers that are not known before running");
    return "";
  }
  if (!read_quantisation (compose, quantised, count_scales (compose, quantised, &tensor->shape),
                          &quantisation))
    return "";
  if (!ens_onnx_tensor_is_known (compose->import, tensor))
    return add_dequantisation (compose, tensor, quantised->axis, &quantisation);
  integers = ens_compose_contents (compose, quantised->tensor);
  return integers == NULL ? ""
                          : ens_compose_known (compose, "real",
                                               dequantise (compose, quantised->tensor, integers,
                                                           quantised->axis, &quantisation));
}

const char *
ens_compose_bias (EnsCompose *compose, guint input, const EnsQuantised *a, const EnsQuantised *b,
                  gint64 n)
{
  g_auto (Quantisation) first = {0};
  g_auto (Quantisation) second = {0};
  g_autoptr (EnsTensor) integers = ens_compose_contents (compose, input);

  if (integers == NULL)
    return "";
  if (integers->shape.rank == 0 || ens_shape_elements (&integers->shape) != n
      || integers->shape.dims[integers->shape.rank - 1] != n) {
    ens_compose_fail (compose, ENS_ERROR_SHAPE, "the bias is no vector of %" G_GINT64_FORMAT, n);
    return "";
  }
  if (!read_quantisation (compose, a, 1, &first) || !read_quantisation (compose, b, n, &second))
    return "";
  for (gint64 i = 0; i < n; i++) {
    second.scales[i] *= first.scales[0];
    second.zeros[i] = 0;
  }
  return ens_compose_known (
      compose, "bias", dequantise (compose, input, integers, integers->shape.rank - 1, &second));
}

/* Results */

static const char *
fake_quantize (EnsCompose *compose, const char *exact, const Quantisation *quantisation)
{
  EnsAttributes *attributes = ens_compose_float ("scale", (float)quantisation->scales[0]);

  ens_attributes_set_float (attributes, "low", (float)(quantisation->low - quantisation->zeros[0]));
  return ens_compose (compose, "FakeQuantize", attributes, exact, NULL);
}

/* The same of other numbers of bits than 8. */
static const char *
round_composed (EnsCompose *compose, const char *exact, const Quantisation *quantisation)
{
  const char *scale = ens_compose_number (compose, quantisation->scales[0]);
  double zero = quantisation->zeros[0];

  exact = ens_compose (compose, "Div", NULL, exact, scale, NULL);
  exact = ens_compose (compose, "Round", NULL, exact, NULL);
  exact = ens_compose (compose, "Clip", NULL, exact,
                       ens_compose_number (compose, quantisation->low - zero),
                       ens_compose_number (compose, quantisation->high - zero), NULL);
  return ens_compose (compose, "Mul", NULL, exact, scale, NULL);
}

const char *
ens_compose_quantised (EnsCompose *compose, const char *exact, guint scale, guint zero)
{
  g_auto (Quantisation) quantisation = {0};
  const char *rounded;

  if (ens_compose_has_input (compose, scale)
      && ens_shape_elements (&compose->step->inputs[scale]->shape) != 1)
    ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                      "several scales for the results of a node, supported is one");
  if (!read_quantisation (compose, &(EnsQuantised) {.scale = scale, .zero = zero}, 1,
                          &quantisation))
    return "";
  rounded = quantisation.high - quantisation.low == 255
                ? fake_quantize (compose, exact, &quantisation)
                : round_composed (compose, exact, &quantisation);
  if (!compose->failed)
    ens_compose_find (compose, rounded)->scale = quantisation.scales[0];
  return rounded;
}

void
ens_compose_integers (EnsCompose *compose, const char *name)
{
  ens_compose_result (compose, 0, name);
  if (!compose->failed)
    ens_compose_find (compose, name)->provisional = TRUE;
}

gboolean
ens_compose_finish_rounded (EnsCompose *compose, const char *exact, guint scale, guint zero)
{
  ens_compose_integers (compose, ens_compose_quantised (compose, exact, scale, zero));
  return ens_compose_finish_quantised (compose);
}

const char *
ens_compose_rounded (EnsCompose *compose, const EnsQuantised *quantised)
{
  g_auto (Quantisation) quantisation = {0};
  g_autoptr (EnsTensor) exact = ens_compose_contents (compose, quantised->tensor);
  gint64 n;
  const char *rounded;

  if (exact == NULL)
    return "";
  n = count_scales (compose, quantised, &exact->shape);
  if (!read_quantisation (compose, quantised, n, &quantisation))
    return "";
  rounded = ens_compose_known (
      compose, "rounded",
      round_reals (compose, quantised->tensor, exact, quantised->axis, &quantisation));
  if (!compose->failed)
    ens_compose_find (compose, rounded)->scale = n == 1 ? quantisation.scales[0] : 0;
  return rounded;
}

const char *
ens_compose_range_quantised (EnsCompose *compose, const char *x)
{
  static const char *const ops[] = {"ReduceMin", "ReduceMax"};
  const EnsOnnxTensor *tensor = ens_compose_find (compose, x);
  guint rank = tensor != NULL ? tensor->shape.rank : 0;
  gint64 axes[ENS_MAX_RANK];
  const char *bounds[] = {x, x};

  for (guint i = 1; i < rank; i++)
    axes[i - 1] = i;
  for (guint i = 0; i < G_N_ELEMENTS (ops) && rank > 0; i++)
    bounds[i] = ens_compose (compose, ops[i],
                             rank > 1 ? ens_compose_ints ("axes", axes, rank - 1) : NULL, x, NULL);
  return ens_compose (compose, "FakeQuantizeRange", NULL, x, bounds[0], bounds[1], NULL);
}

void
ens_onnx_import_note_quantised (EnsOnnxImport *import)
{
  if (import->n_quantised > 0)
    ens_graph_add_note (import->graph,
                        "the network is quantised (%u nodes, the first is %s); it was loaded "
                        "dequantised, computes in float32 and rounds where the file does: its "
                        "results are those of 8-bit arithmetic, but it is as large and as slow as "
                        "a float32 network",
                        import->n_quantised, import->first_quantised);
  g_clear_pointer (&import->first_quantised, g_free);
}
