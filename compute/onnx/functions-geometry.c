/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AffineGrid and CenterCropPad, composed of other operators. */
#include "onnx/functions.h"

#include <string.h>

#include "onnx/compose.h"

/* An input's integers, `min` to `max` of them. Returns how many; 0: it failed. */
static guint
read_sizes (EnsCompose *compose, guint input, gint64 *sizes, guint min, guint max)
{
  g_autoptr (EnsTensor) contents = ens_compose_contents (compose, input);
  gint64 n = contents != NULL ? ens_shape_elements (&contents->shape) : 0;

  if (compose->failed)
    return 0;
  if (contents->type != ENS_TYPE_INT64 || n < min || n > max) {
    ens_compose_fail (compose, ENS_ERROR_FORMAT,
                      "input %u has %" G_GINT64_FORMAT " sizes, expected %u to %u", input, n, min,
                      max);
    return 0;
  }
  memcpy (sizes, contents->data, (gsize)n * sizeof *sizes);
  for (guint i = 0; i < n; i++)
    if (sizes[i] < 1 || sizes[i] > G_MAXUINT16)
      ens_compose_fail (compose, ENS_ERROR_SHAPE,
                        "input %u has the size %" G_GINT64_FORMAT ", expected 1 to %u", input,
                        sizes[i], (guint)G_MAXUINT16);
  return compose->failed ? 0 : (guint)n;
}

/* AffineGrid (Jaderberg et al., "Spatial Transformer Networks", 2015): each position of a map, from
 * −1 to 1, by a matrix of each image. */

/* Middle of pixel i of n, or from the middle of the first to that of the last. */
static float
find_position (gint64 i, gint64 n, gboolean align_corners)
{
  if (align_corners)
    return n > 1 ? (float)(2 * (double)i / (double)(n - 1) - 1) : -1;
  return (float)((2 * (double)i + 1) / (double)n - 1);
}

/* Rows (x, y, 1) or (x, y, z, 1) of all positions of a map of these sides, z, y, x. */
static const char *
add_positions (EnsCompose *compose, const gint64 *sides, guint rank, gboolean align_corners)
{
  EnsShape shape = {.rank = rank, .dims = {0}};
  EnsTensor *tensor;
  float *to;

  memcpy (shape.dims, sides, rank * sizeof *sides);
  shape = ENS_SHAPE (ens_shape_elements (&shape), rank + 1);
  tensor = ens_compose_tensor (compose, ENS_TYPE_FLOAT32, &shape, NULL);
  to = tensor != NULL ? tensor->data : NULL;
  for (gint64 i = 0; tensor != NULL && i < shape.dims[0]; i++, to += rank + 1) {
    gint64 rest = i;

    for (guint axis = rank; axis-- > 0; rest /= sides[axis])
      to[rank - 1 - axis] = find_position (rest % sides[axis], sides[axis], align_corners);
    to[rank] = 1;
  }
  return ens_compose_known (compose, "positions", tensor);
}

gboolean
ens_onnx_import_affine_grid (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gboolean align_corners = ens_attributes_int (step->attributes, "align_corners", 0) != 0;
  gint64 sizes[5] = {0}, result[5] = {0};
  const char *positions, *theta;
  guint rank;

  ens_compose_check_inputs (&compose, 2, 2);
  rank = compose.failed ? 0 : read_sizes (&compose, 1, sizes, 4, 5);
  if (rank == 0)
    return FALSE;
  memcpy (result + 1, sizes + 2, (rank - 2) * sizeof *sizes);
  result[rank - 1] = rank - 2;
  positions = add_positions (&compose, sizes + 2, rank - 2, align_corners);
  theta = ens_compose_transpose (&compose, ens_compose_input (&compose, 0),
                                 (const gint64[]) {0, 2, 1}, 3);
  ens_compose_result (
      &compose, 0,
      ens_compose_reshape (&compose, ens_compose (&compose, "MatMul", NULL, positions, theta, NULL),
                           result, rank));
  return ens_compose_finish (&compose);
}

/* CenterCropPad */

typedef struct {
  guint rank;
  gint64 dims[ENS_MAX_RANK]; /* of the input */
  guint n;
  gint64 axes[ENS_MAX_RANK], sizes[ENS_MAX_RANK];
} Crop;

static void
read_crop (EnsCompose *compose, Crop *crop)
{
  const EnsShape *shape = &compose->step->inputs[0]->shape;

  crop->rank = crop->n = shape->rank;
  memcpy (crop->dims, shape->dims, crop->rank * sizeof *crop->dims);
  for (guint i = 0; i < crop->rank; i++)
    crop->axes[i] = i;
  if (ens_attributes_has (compose->step->attributes, "axes"))
    crop->n = ens_attributes_ints (compose->step->attributes, "axes", crop->axes, ENS_MAX_RANK);
  if (crop->n < 1 || crop->n > crop->rank) {
    ens_compose_fail (compose, ENS_ERROR_FORMAT, "%u axes of an input of %u", crop->n, crop->rank);
    return;
  }
  read_sizes (compose, 1, crop->sizes, crop->n, crop->n);
  for (guint i = 0; i < crop->n && !compose->failed; i++) {
    crop->axes[i] += crop->axes[i] < 0 ? crop->rank : 0;
    if (crop->axes[i] < 0 || crop->axes[i] >= crop->rank)
      ens_compose_fail (compose, ENS_ERROR_SHAPE,
                        "an axis is %" G_GINT64_FORMAT ", expected 0 to %u", crop->axes[i],
                        crop->rank - 1);
    else if (crop->dims[crop->axes[i]] < 1)
      ens_compose_fail (compose, ENS_ERROR_UNSUPPORTED,
                        "the input's axis %" G_GINT64_FORMAT " must be known before running",
                        crop->axes[i]);
  }
}

gboolean
ens_onnx_import_center_crop_pad (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsCompose compose = ens_compose_new (step, import, error);
  gint64 starts[ENS_MAX_RANK] = {0}, ends[ENS_MAX_RANK] = {0}, pads[2 * ENS_MAX_RANK] = {0};
  Crop crop = {0};
  const char *x = ens_compose_input (&compose, 0);

  ens_compose_check_inputs (&compose, 2, 2);
  if (!compose.failed)
    read_crop (&compose, &crop);
  for (guint i = 0; i < crop.n && !compose.failed; i++) {
    gint64 axis = crop.axes[i], more = crop.sizes[i] - crop.dims[axis];

    starts[i] = more < 0 ? -more / 2 : 0;
    ends[i] = starts[i] + MIN (crop.sizes[i], crop.dims[axis]);
    pads[axis] = more > 0 ? more / 2 : 0;
    pads[crop.rank + axis] = more > 0 ? more - more / 2 : 0;
  }
  if (compose.failed)
    return FALSE;
  x = ens_compose (&compose, "Slice", NULL, x, ens_compose_list (&compose, starts, crop.n),
                   ens_compose_list (&compose, ends, crop.n),
                   ens_compose_list (&compose, crop.axes, crop.n), NULL);
  x = ens_compose (&compose, "Pad", NULL, x, ens_compose_list (&compose, pads, 2 * crop.rank),
                   NULL);
  ens_compose_result (&compose, 0, x);
  return ens_compose_finish (&compose);
}
