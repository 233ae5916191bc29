/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradient of RoiAlign with respect to the map: that of each element of the output goes to the
 * neighbours of its samples, by their weights; of a maximum to the first neighbour that is it. */
#include <math.h>

#include "ops/registry.h"
#include "ops/roi-align.h"

enum {
  X = ENS_ROI_ALIGN_X,
  REGIONS = ENS_ROI_ALIGN_REGIONS,
  IMAGES = ENS_ROI_ALIGN_IMAGES,
  OUTPUT_GRADIENT = ENS_ROI_ALIGN_OUTPUT_GRADIENT
};

static const EnsAttribute grad_attributes[] = {ENS_ROI_ALIGN_ATTRIBUTES, ENS_ATTRIBUTE_END};

static gboolean
grad_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *found = &operands->inputs[OUTPUT_GRADIENT]->shape;
  g_autofree char *found_text = NULL, *expected_text = NULL;
  EnsShape expected;

  if (!ens_roi_align_resolve (operands, &expected, error)
      || !ens_check_type (operands, OUTPUT_GRADIENT, ENS_TYPES (operands->inputs[X]->type), error))
    return FALSE;
  if (ens_shape_equal (found, &expected))
    return ens_set_output_like_input (operands, error);
  found_text = ens_shape_to_string (found);
  expected_text = ens_shape_to_string (&expected);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "input %d is %s, expected %s, as the output", OUTPUT_GRADIENT, found_text,
                       expected_text);
}

/* A neighbour of a sample: its pixel in the map, and its weight. */
typedef struct {
  gsize pixel;
  double weight;
} Neighbour;

static Neighbour
find_neighbour (const EnsShape *map, gsize image, const EnsRoiAlignSamples *samples, gint64 i,
                guint k)
{
  const EnsRoiAlignSample *down = &samples->samples[0][i / samples->n[1]];
  const EnsRoiAlignSample *across = &samples->samples[1][i % samples->n[1]];
  gsize row = image * (gsize)map->dims[1] + (gsize)down->index[k / 2];

  return (Neighbour) {row * (gsize)map->dims[2] + (gsize)across->index[k % 2],
                      down->weight[k / 2] * across->weight[k % 2]};
}

static void
add (const EnsView *dx, gsize pixel, gsize channel, double value)
{
  gsize at = pixel * (gsize)dx->pitch + channel;

  ens_view_set_real (dx, at, ens_view_real (dx, at) + value);
}

static void
add_mean (const EnsOperands *operands, gsize image, const EnsRoiAlignSamples *samples,
          gsize channel, double dy)
{
  const EnsView *dx = operands->outputs[0];

  for (gint64 i = 0; i < samples->n[0] * samples->n[1]; i++)
    for (guint k = 0; k < 4; k++) {
      Neighbour neighbour = find_neighbour (&dx->shape, image, samples, i, k);

      add (dx, neighbour.pixel, channel, dy * neighbour.weight / (double)samples->n_all);
    }
}

/* Nowhere, where a sample beyond the map is larger. */
static void
add_maximum (const EnsOperands *operands, gsize image, const EnsRoiAlignSamples *samples,
             gsize channel, double dy)
{
  const EnsView *x = operands->inputs[X];
  gint64 n = samples->n[0] * samples->n[1];
  double largest = n == samples->n_all ? -INFINITY : 0;
  Neighbour found = {0};

  for (gint64 i = 0; i < n; i++)
    for (guint k = 0; k < 4; k++) {
      Neighbour neighbour = find_neighbour (&x->shape, image, samples, i, k);
      double value =
          neighbour.weight * ens_view_real (x, neighbour.pixel * (gsize)x->pitch + channel);

      if (value > largest) {
        largest = value;
        found = neighbour;
      }
    }
  if (found.weight > 0)
    add (operands->outputs[0], found.pixel, channel, dy * found.weight);
}

/* All gradients of some channels, so that nobody else adds to theirs. */
static void
add_channels (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const EnsRoiAlignParams *params = operands->params;
  const EnsView *dy = operands->inputs[OUTPUT_GRADIENT], *dx = operands->outputs[0];
  g_autofree EnsRoiAlignSample *down = g_new (EnsRoiAlignSample, ENS_ROI_ALIGN_SAMPLES);
  g_autofree EnsRoiAlignSample *across = g_new (EnsRoiAlignSample, ENS_ROI_ALIGN_SAMPLES);
  EnsRoiAlignSamples samples = {{down, across}};

  for (gsize row = 0; row < ens_view_rows (dx); row++)
    for (gsize c = begin; c < end; c++)
      ens_view_set_real (dx, row * (gsize)dx->pitch + c, 0);
  for (gsize i = 0; i < ens_view_rows (dy) && ens_view_elements (dy) > 0; i++) {
    gsize region = i / (gsize)(params->rows * params->columns);
    gint64 image = ens_view_integer (operands->inputs[IMAGES], region);

    if (image < 0 || image >= dx->shape.dims[0])
      continue;
    ens_roi_align_find (operands, i, &samples);
    for (gsize c = begin; c < end; c++)
      (params->mode == ENS_ROI_ALIGN_MEAN ? add_mean : add_maximum) (
          operands, (gsize)image, &samples, c, ens_view_real (dy, i * (gsize)dy->pitch + c));
  }
}

static void
grad_reference (const EnsOperands *operands)
{
  add_channels (operands, 0, ens_view_columns (operands->outputs[0]));
}

/* The reference on all threads. */
static void
grad_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  gsize channels = ens_view_columns (operands->outputs[0]);

  ens_parallel (context->pool, channels, ens_roi_align_flops (operands) / (double)MAX (channels, 1),
                add_channels, operands);
}

static const EnsOpExample grad_examples[] = {
    {"2x5x6x3 4x4 =[0,1,1,0] 4x2x3x3",
     &(const EnsRoiAlignParams) {.rows = 2, .columns = 3, .samples = 2, .scale = 3}},
    {NULL}};

const EnsOp ens_op_roi_align_grad = {.name = "RoiAlignGrad",
                                     .min_inputs = 4,
                                     .max_inputs = 4,
                                     .min_outputs = 1,
                                     .max_outputs = 1,
                                     .layout = ENS_LAYOUT_SPATIAL,
                                     .flags = ENS_OP_INTERNAL,
                                     .params_size = sizeof (EnsRoiAlignParams),
                                     .attributes = grad_attributes,
                                     .shape = grad_shape,
                                     .flops = ens_roi_align_flops,
                                     .reference = grad_reference,
                                     .cpu = grad_cpu,
                                     .example = grad_examples};
