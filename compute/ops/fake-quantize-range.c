/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FakeQuantizeRange, of inputs X, LOW and HIGH: what ONNX's DynamicQuantizeLinear makes of X, as
 * the real numbers that its 8-bit integers stand for. LOW and HIGH are what X reaches, together or
 * in each image; scale and zero point follow from them, such that 0 is one of the numbers.
 *
 * Its gradient is that of the identity (see FakeQuantize). */
#include "ops/elementwise.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/fake-quantize-range.h"

enum { X, LOW, HIGH };

/* One number, or one per image: all other axes have length 1. */
static gboolean
check_bound (const EnsOperands *operands, guint input, GError **error)
{
  const EnsShape *shape = &operands->inputs[input]->shape, *x = &operands->inputs[X]->shape;
  gint64 n = ens_shape_elements (shape);
  g_autofree char *found = NULL;

  if (n == 1 || (shape->rank == x->rank && x->rank > 0 && n == x->dims[0] && n == shape->dims[0]))
    return TRUE;
  found = ens_shape_to_string (shape);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "input %u is %s, expected one number, or one per image", input, found);
}

static gboolean
range_shape (EnsOperands *operands, GError **error)
{
  return ens_check_present (operands, error) && ens_check_type (operands, X, ENS_TYPES_REAL, error)
         && ens_check_same_types (operands, LOW, error) && check_bound (operands, LOW, error)
         && check_bound (operands, HIGH, error) && ens_set_output_like_input (operands, error);
}

/* X as images of n numbers, and what bounds step by from one to the next. */
typedef struct {
  gsize images, n;
  gsize low_step, high_step;
} Images;

static Images
find_images (const EnsOperands *operands)
{
  const EnsView *x = operands->inputs[X];
  Images images = {.images = 1, .n = ens_view_elements (x)};

  images.low_step = ens_view_elements (operands->inputs[LOW]) > 1;
  images.high_step = ens_view_elements (operands->inputs[HIGH]) > 1;
  if (images.low_step > 0 || images.high_step > 0) {
    images.images = (gsize)x->shape.dims[0];
    images.n /= MAX (images.images, 1);
  }
  return images;
}

static void
range_reference (const EnsOperands *operands)
{
  Images images = find_images (operands);

  for (gsize i = 0; i < images.images * images.n; i++) {
    gsize image = i / images.n;
    double low = fmin (ens_view_real (operands->inputs[LOW], image * images.low_step), 0);
    double high = fmax (ens_view_real (operands->inputs[HIGH], image * images.high_step), 0);
    double scale = high > low ? (high - low) / 255 : 1;
    double zero = nearbyint (fmin (fmax (-low / scale, 0), 255));
    double q = nearbyint (ens_view_real (operands->inputs[X], i) / scale);

    ens_view_set_real (operands->outputs[0], i, fmin (fmax (q, -zero), 255 - zero) * scale);
  }
}

ENS_CLONES static void
quantise (const float *x, float low, float high, float *y, gsize n)
{
  const float bottom = fminf (low, 0), top = fmaxf (high, 0);
  const float scale = top > bottom ? (top - bottom) / 255 : 1;
  const float zero = nearbyintf (fminf (fmaxf (-bottom / scale, 0), 255));

  for (gsize i = 0; i < n; i++) {
    float q = nearbyintf (x[i] / scale);

    q = q < -zero ? -zero : q;
    q = q > 255 - zero ? 255 - zero : q;
    y[i] = q * scale;
  }
}

static void
quantise_range (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const float *low = operands->inputs[LOW]->data, *high = operands->inputs[HIGH]->data;
  Images images = find_images (operands);

  while (begin < end) {
    gsize image = begin / images.n, n = MIN (end, (image + 1) * images.n) - begin;

    quantise ((const float *)operands->inputs[X]->data + begin, low[image * images.low_step],
              high[image * images.high_step], (float *)operands->outputs[0]->data + begin, n);
    begin += n;
  }
}

static void
range_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  ens_parallel (context->pool, ens_view_elements (operands->outputs[0]), 2, quantise_range,
                operands);
}

#define GROUP 128

static gboolean
range_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  Images images = find_images (operands);
  EnsFakeQuantizeRangePush push = {.rows = (guint32)images.images,
                                   .columns = (guint32)images.n,
                                   .low_step = (guint32)images.low_step,
                                   .high_step = (guint32)images.high_step};
  EnsDispatch dispatch = {.shader = "fake-quantize-range",
                          .bindings = {{operands->inputs[X], ENS_ACCESS_READ},
                                       {operands->inputs[LOW], ENS_ACCESS_READ},
                                       {operands->inputs[HIGH], ENS_ACCESS_READ},
                                       {operands->outputs[0], ENS_ACCESS_WRITE}},
                          .n_bindings = 4,
                          .push = &push,
                          .push_size = sizeof push};

  if (!ens_record_storage (operands, X, HIGH + 1, &dispatch.storage))
    return FALSE;
  if (images.images * images.n > 0) {
    ens_commands_cover (commands, &dispatch, images.images * ((images.n + 3) / 4), GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

static gboolean
range_gradient (EnsGradient *gradient, GError **error)
{
  gradient->inputs[X] = gradient->outputs[0];
  return TRUE;
}

static const EnsOpExample range_examples[] = {{"2x5x4x7 2x1x1x1 2x1x1x1"}, {NULL}};

const EnsOp ens_op_fake_quantize_range = {.name = "FakeQuantizeRange",
                                          .min_inputs = 3,
                                          .max_inputs = 3,
                                          .min_outputs = 1,
                                          .max_outputs = 1,
                                          .layout = ENS_LAYOUT_FOLLOWS,
                                          .flags = ENS_OP_IN_PLACE | ENS_OP_INTERNAL,
                                          .shape = range_shape,
                                          .reference = range_reference,
                                          .cpu = range_cpu,
                                          .gpu = range_gpu,
                                          .gradient = range_gradient,
                                          .per_image = ens_per_image_elementwise,
                                          .example = range_examples};
