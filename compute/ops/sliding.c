/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/sliding.h"

/* Above any sensible network, and small enough that no product of two overflows. */
#define MAX_LENGTH ((gint64)1 << 20)

const char *const ens_auto_pad_names[] = {[ENS_AUTO_PAD_NOTSET] = "NOTSET",
                                          [ENS_AUTO_PAD_SAME_UPPER] = "SAME_UPPER",
                                          [ENS_AUTO_PAD_SAME_LOWER] = "SAME_LOWER",
                                          [ENS_AUTO_PAD_VALID] = "VALID",
                                          NULL};

gboolean
ens_check_length (const EnsOperands *operands, const char *what, gint64 value, gint64 min,
                  GError **error)
{
  if (value >= min && value <= MAX_LENGTH)
    return TRUE;
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "%s is %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT
                       " to %" G_GINT64_FORMAT,
                       what, value, min, MAX_LENGTH);
}

static gint64
divide_up (gint64 a, gint64 b)
{
  return (a + b - 1) / b;
}

/* Rounding up makes a window of a kernel that is longer than the input: its taps inside. Returns by
 * how much it still is. */
static gint64
shorten_kernel (EnsGeometry *geometry, guint i, gint64 slack, gint64 extent)
{
  if (slack >= 0 || slack <= -geometry->strides[i])
    return slack;
  geometry->kernel[i] = (slack + extent - 1) / geometry->dilations[i] + 1;
  return 0;
}

/* Pads so that the output is the input's size over the stride, rounded up. */
static void
pad_same (EnsGeometry *geometry, guint i, gint64 extent, gboolean upper)
{
  gint64 output = divide_up (geometry->input[i], geometry->strides[i]);
  gint64 pads = MAX ((output - 1) * geometry->strides[i] + extent - geometry->input[i], 0);

  geometry->pads_begin[i] = upper ? pads / 2 : pads - pads / 2;
  geometry->pads_end[i] = pads - geometry->pads_begin[i];
  geometry->output[i] = output;
}

static gboolean
resolve_axis (const EnsOperands *operands, EnsGeometry *geometry, guint i, EnsAutoPad auto_pad,
              gboolean ceil_mode, GError **error)
{
  gint64 extent = (geometry->kernel[i] - 1) * geometry->dilations[i] + 1;
  gint64 stride = geometry->strides[i], slack;

  if (auto_pad == ENS_AUTO_PAD_SAME_UPPER || auto_pad == ENS_AUTO_PAD_SAME_LOWER) {
    pad_same (geometry, i, extent, auto_pad == ENS_AUTO_PAD_SAME_UPPER);
    return TRUE;
  }
  if (auto_pad == ENS_AUTO_PAD_VALID)
    geometry->pads_begin[i] = geometry->pads_end[i] = 0;
  slack = geometry->input[i] + geometry->pads_begin[i] + geometry->pads_end[i] - extent;
  if (ceil_mode)
    slack = shorten_kernel (geometry, i, slack, extent);
  if (slack < 0)
    return ens_op_error (
        operands, error, ENS_ERROR_SHAPE,
        "a kernel reaching over %" G_GINT64_FORMAT " does not fit an input of %" G_GINT64_FORMAT
        " with pads of %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT,
        extent, geometry->input[i], geometry->pads_begin[i], geometry->pads_end[i]);
  geometry->output[i] = (ceil_mode ? divide_up (slack, stride) : slack / stride) + 1;
  /* A window that rounding up added must not lie behind the input altogether. */
  if (ceil_mode
      && (geometry->output[i] - 1) * stride >= geometry->input[i] + geometry->pads_begin[i])
    geometry->output[i]--;
  return TRUE;
}

static gboolean
check_axis (const EnsOperands *operands, const EnsGeometry *geometry, guint i, GError **error)
{
  return ens_check_length (operands, "the input's size", geometry->input[i], 1, error)
         && ens_check_length (operands, "the kernel's size", geometry->kernel[i], 1, error)
         && ens_check_length (operands, "a stride", geometry->strides[i], 1, error)
         && ens_check_length (operands, "a dilation", geometry->dilations[i], 1, error)
         && ens_check_length (operands, "padding", geometry->pads_begin[i], 0, error)
         && ens_check_length (operands, "padding", geometry->pads_end[i], 0, error);
}

gboolean
ens_sliding_resolve (const EnsOperands *operands, const EnsSliding *sliding, const gint64 *kernel,
                     gboolean ceil_mode, EnsGeometry *geometry, GError **error)
{
  const EnsShape *shape = &operands->inputs[0]->shape;
  guint rank, first;

  if (!ens_check_rank (operands, 0, 3, 2 + ENS_MAX_SPATIAL, error))
    return FALSE;
  rank = shape->rank - 2;
  first = ENS_MAX_SPATIAL - rank;
  if (sliding->rank != 0 && sliding->rank != rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "attributes are for %u spatial axes, the input has %u", sliding->rank,
                         rank);
  *geometry = (EnsGeometry) {.batch = shape->dims[0], .channels = shape->dims[shape->rank - 1]};
  if (!ens_check_length (operands, "the batch", geometry->batch, 0, error)
      || !ens_check_length (operands, "the number of channels", geometry->channels, 1, error))
    return FALSE;
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++) {
    gboolean used = i >= first;
    guint axis = used ? i - first : 0;

    geometry->input[i] = used ? shape->dims[1 + axis] : 1;
    geometry->kernel[i] = used ? kernel[axis] : 1;
    geometry->strides[i] = used ? sliding->strides[axis] : 1;
    geometry->dilations[i] = used ? sliding->dilations[axis] : 1;
    geometry->pads_begin[i] = used ? sliding->pads_begin[axis] : 0;
    geometry->pads_end[i] = used ? sliding->pads_end[axis] : 0;
    if (!check_axis (operands, geometry, i, error)
        || !resolve_axis (operands, geometry, i, sliding->auto_pad, ceil_mode, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
ens_set_sliding_output (EnsOperands *operands, const EnsGeometry *geometry, gint64 channels,
                        GError **error)
{
  const EnsView *input = operands->inputs[0];
  EnsShape shape = input->shape;
  guint rank = shape.rank - 2;

  for (guint i = 0; i < rank; i++)
    shape.dims[1 + i] = geometry->output[ENS_MAX_SPATIAL - rank + i];
  shape.dims[1 + rank] = channels;
  return ens_set_output (operands, 0, input->type, &shape, error);
}

void
ens_geometry_get_sliding (const EnsGeometry *geometry, guint rank, EnsSliding *sliding)
{
  guint first = ENS_MAX_SPATIAL - rank;

  *sliding = ENS_SLIDING_DEFAULT;
  sliding->rank = rank;
  for (guint i = 0; i < rank; i++) {
    sliding->kernel[i] = geometry->kernel[first + i];
    sliding->strides[i] = geometry->strides[first + i];
    sliding->dilations[i] = geometry->dilations[first + i];
    sliding->pads_begin[i] = geometry->pads_begin[first + i];
    sliding->pads_end[i] = geometry->pads_end[first + i];
  }
}

void
ens_geometry_get_transposed (const EnsGeometry *geometry, guint rank,
                             EnsConvTransposeParams *transposed)
{
  ens_geometry_get_sliding (geometry, rank, &transposed->sliding);
  for (guint i = 0; i < rank; i++) {
    guint axis = ENS_MAX_SPATIAL - rank + i;
    gint64 seen = (geometry->output[axis] - 1) * geometry->strides[axis]
                  + (geometry->kernel[axis] - 1) * geometry->dilations[axis] + 1
                  - geometry->pads_begin[axis];

    transposed->sliding.pads_end[i] = MAX (seen - geometry->input[axis], 0);
    transposed->output_padding[i] = MAX (geometry->input[axis] - seen, 0);
  }
}

EnsConvShape
ens_geometry_conv_shape (const EnsGeometry *geometry, gint64 filters, gint64 groups)
{
  return (EnsConvShape) {
      .batch = (guint)geometry->batch,
      .height = (guint)geometry->input[1],
      .width = (guint)geometry->input[2],
      .channels = (guint)geometry->channels,
      .filters = (guint)filters,
      .kernel_height = (guint)geometry->kernel[1],
      .kernel_width = (guint)geometry->kernel[2],
      .stride_y = (guint)geometry->strides[1],
      .stride_x = (guint)geometry->strides[2],
      .dilation_y = (guint)geometry->dilations[1],
      .dilation_x = (guint)geometry->dilations[2],
      .pad_top = (guint)geometry->pads_begin[1],
      .pad_left = (guint)geometry->pads_begin[2],
      .pad_bottom = (guint)geometry->pads_end[1],
      .pad_right = (guint)geometry->pads_end[2],
      .groups = (guint)groups,
  };
}

double
ens_geometry_count_taps (const EnsGeometry *geometry)
{
  return (double)geometry->kernel[0] * (double)geometry->kernel[1] * (double)geometry->kernel[2];
}

gboolean
ens_geometry_is_flat (const EnsGeometry *geometry)
{
  return geometry->input[0] == 1 && geometry->output[0] == 1 && geometry->kernel[0] == 1;
}

gsize
ens_geometry_offset (const EnsView *view, const gint64 *sizes, gint64 batch, const gint64 *position)
{
  gint64 pixel = batch;

  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    pixel = pixel * sizes[i] + position[i];
  return (gsize)(pixel * view->pitch);
}

/* Walks of references. */

/* index → one position per axis, the last axis fastest. Returns what is left of the index. */
static gint64
split_index (gint64 index, const gint64 *sizes, gint64 *position)
{
  for (guint i = ENS_MAX_SPATIAL; i-- > 0;) {
    position[i] = index % sizes[i];
    index /= sizes[i];
  }
  return index;
}

gboolean
ens_positions_next (EnsPositions *walk)
{
  const gint64 *sizes = walk->geometry->output;

  if (walk->n_walked >= walk->geometry->batch * sizes[0] * sizes[1] * sizes[2])
    return FALSE;
  walk->batch = split_index (walk->n_walked++, sizes, walk->position);
  return TRUE;
}

gboolean
ens_taps_next (EnsTaps *walk)
{
  const gint64 *kernel = walk->geometry->kernel;
  gint64 n_taps = kernel[0] * kernel[1] * kernel[2];
  gint64 (*find) (const EnsGeometry *, guint, gint64, gint64) =
      walk->transposed ? ens_geometry_find_source : ens_geometry_find_input;

  while (walk->n_walked < n_taps) {
    gint64 at[ENS_MAX_SPATIAL];
    gboolean inside = TRUE;

    walk->tap = walk->n_walked++;
    split_index (walk->tap, kernel, at);
    for (guint i = 0; i < ENS_MAX_SPATIAL; i++) {
      walk->at[i] = find (walk->geometry, i, walk->position[i], at[i]);
      inside = inside && walk->at[i] >= 0;
    }
    if (inside)
      return TRUE;
  }
  return FALSE;
}
