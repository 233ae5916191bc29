/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RoiAlign: each region of a map as a map of one size, whose elements are means, or maxima, of
 * samples between the map's elements (He et al., "Mask R-CNN", 2017). Inputs X (N, height, width,
 * C), regions (R, 4), each x and y of two corners, and the image of each region (R). Output (R,
 * rows, columns, C). */
#include "ops/roi-align.h"

#include <math.h>

#include "ops/gradient.h"
#include "ops/record.h"
#include "ops/registry.h"

enum { X = ENS_ROI_ALIGN_X, REGIONS = ENS_ROI_ALIGN_REGIONS, IMAGES = ENS_ROI_ALIGN_IMAGES };

const char *const ens_roi_align_modes[] = {"avg", "max", NULL};
const char *const ens_roi_align_coordinates[] = {"half_pixel", "output_half_pixel", NULL};

static const EnsAttribute roi_attributes[] = {ENS_ROI_ALIGN_ATTRIBUTES, ENS_ATTRIBUTE_END};

gboolean
ens_roi_align_resolve (const EnsOperands *operands, EnsShape *output, GError **error)
{
  const EnsShape *x = &operands->inputs[X]->shape, *regions = &operands->inputs[REGIONS]->shape;
  const EnsRoiAlignParams *params = operands->params;

  if (!ens_check_type (operands, X, ENS_TYPES_REAL, error)
      || !ens_check_type (operands, REGIONS, ENS_TYPES (operands->inputs[X]->type), error)
      || !ens_check_type (operands, IMAGES, ENS_TYPES_INTEGER, error)
      || !ens_check_rank (operands, X, 4, 4, error)
      || !ens_check_rank (operands, REGIONS, 2, 2, error)
      || !ens_check_vector (operands, IMAGES, regions->dims[0], error))
    return FALSE;
  if (regions->dims[1] != 4)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "regions have %" G_GINT64_FORMAT " coordinates, expected 4",
                         regions->dims[1]);
  if (ens_shape_elements (x) == 0 && regions->dims[0] > 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "the map has no elements");
  *output = ENS_SHAPE (regions->dims[0], params->rows, params->columns, x->dims[3]);
  return TRUE;
}

static gboolean
roi_shape (EnsOperands *operands, GError **error)
{
  EnsShape output;

  return ens_roi_align_resolve (operands, &output, error)
         && ens_set_output (operands, 0, operands->inputs[X]->type, &output, error);
}

/* Samples along an axis of a region. Where their number follows from the region, its elements have
 * at most two for each pixel of the map, and at least one. */
static double
count_samples (const EnsRoiAlignParams *params, gint64 n, gint64 length)
{
  return params->samples > 0 ? (double)n * (double)params->samples : (double)n + 2 * (double)length;
}

/* Four neighbours of each sample. */
double
ens_roi_align_flops (const EnsOperands *operands)
{
  const EnsRoiAlignParams *params = operands->params;
  const EnsShape *x = &operands->inputs[X]->shape;
  const double samples = count_samples (params, params->rows, x->dims[1])
                         * count_samples (params, params->columns, x->dims[2]);

  return 8 * samples * (double)operands->inputs[REGIONS]->shape.dims[0] * (double)x->dims[3];
}

/* One axis of a region. */
typedef struct {
  double start, step; /* of elements of the output */
  gint64 samples;     /* of an element */
  gint64 length;      /* of the map */
} Span;

static Span
find_span (const EnsRoiAlignParams *params, double begin, double end, gint64 n, gint64 length)
{
  double offset = params->coordinates == ENS_ROI_ALIGN_HALF_PIXEL ? 0.5 : 0;
  double start = begin * (double)params->scale - offset;
  double extent = end * (double)params->scale - offset - start;
  Span span = {.start = start, .samples = params->samples, .length = length};

  if (params->coordinates == ENS_ROI_ALIGN_OUTPUT_HALF_PIXEL)
    extent = fmax (extent, 1);
  span.step = extent / (double)n;
  if (span.samples == 0)
    span.samples = (gint64)fmin (fmax (ceil (span.step), 0), ENS_ROI_ALIGN_SAMPLES);
  return span;
}

static gboolean
find_sample (const Span *span, gint64 element, gint64 i, EnsRoiAlignSample *sample)
{
  double at =
      span->start + ((double)element + ((double)i + 0.5) / (double)span->samples) * span->step;

  if (!(at >= -1 && at <= (double)span->length))
    return FALSE;
  at = fmin (fmax (at, 0), (double)(span->length - 1));
  sample->index[0] = (gint64)at;
  sample->index[1] = MIN (sample->index[0] + 1, span->length - 1);
  sample->weight[1] = at - (double)sample->index[0];
  sample->weight[0] = 1 - sample->weight[1];
  return TRUE;
}

/* Which sample of the element would be there. */
static double
locate (const Span *span, gint64 element, double at)
{
  return ((at - span->start) / span->step - (double)element) * (double)span->samples - 0.5;
}

/* The samples that lie within the map; returns how many. They are next to each other: no others are
 * tried, but for one at each end that rounding may have moved. */
static gint64
find_samples (const Span *span, gint64 element, EnsRoiAlignSample *samples)
{
  double first = locate (span, element, -1), last = locate (span, element, (double)span->length);
  gint64 begin = (gint64)fmin (fmax (fmin (first, last) - 1, 0), (double)span->samples);
  gint64 end = (gint64)fmin (fmax (fmax (first, last) + 2, 0), (double)span->samples), n = 0;

  if (!isfinite (span->start) || !isfinite (span->step))
    return 0;
  for (gint64 i = begin; i < end; i++)
    if (find_sample (span, element, i, &samples[n]))
      n++;
  return n;
}

/* The sum of the four neighbours, or the largest of them, each times its weight. */
static double
take_sample (const EnsRoiAlignParams *params, const EnsView *x, gsize image,
             const EnsRoiAlignSample *down, const EnsRoiAlignSample *across, gsize channel)
{
  double sum = 0, largest = -INFINITY;

  for (guint k = 0; k < 4; k++) {
    gsize row = image * (gsize)x->shape.dims[1] + (gsize)down->index[k / 2];
    gsize pixel = row * (gsize)x->shape.dims[2] + (gsize)across->index[k % 2];
    double value = down->weight[k / 2] * across->weight[k % 2]
                   * ens_view_real (x, pixel * (gsize)x->pitch + channel);

    sum += value;
    largest = fmax (largest, value);
  }
  return params->mode == ENS_ROI_ALIGN_MEAN ? sum : largest;
}

static double
pool_channel (const EnsOperands *operands, gsize image, const EnsRoiAlignSamples *samples,
              gsize channel)
{
  const EnsRoiAlignParams *params = operands->params;
  gint64 n = samples->n[0] * samples->n[1];
  double sum = 0, largest = n > 0 && n == samples->n_all ? -INFINITY : 0;

  for (gint64 i = 0; i < n; i++) {
    double value =
        take_sample (params, operands->inputs[X], image, &samples->samples[0][i / samples->n[1]],
                     &samples->samples[1][i % samples->n[1]], channel);

    sum += value;
    largest = fmax (largest, value);
  }
  return params->mode == ENS_ROI_ALIGN_MEAN ? sum / (double)MAX (samples->n_all, 1) : largest;
}

void
ens_roi_align_find (const EnsOperands *operands, gsize pixel, EnsRoiAlignSamples *samples)
{
  const EnsRoiAlignParams *params = operands->params;
  const EnsShape *map = &operands->inputs[X]->shape;
  gsize region = pixel / (gsize)(params->rows * params->columns);
  double corners[4];
  Span down, across;

  for (guint i = 0; i < 4; i++)
    corners[i] = ens_view_real (operands->inputs[REGIONS], 4 * region + i);
  down = find_span (params, corners[1], corners[3], params->rows, map->dims[1]);
  across = find_span (params, corners[0], corners[2], params->columns, map->dims[2]);
  samples->n[0] =
      find_samples (&down, (gint64)pixel / params->columns % params->rows, samples->samples[0]);
  samples->n[1] = find_samples (&across, (gint64)pixel % params->columns, samples->samples[1]);
  samples->n_all = down.samples * across.samples;
}

/* Regions of images that there are not are zeroes. */
static void
pool_pixels (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const EnsRoiAlignParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  g_autofree EnsRoiAlignSample *down = g_new (EnsRoiAlignSample, ENS_ROI_ALIGN_SAMPLES),
                               *across = g_new (EnsRoiAlignSample, ENS_ROI_ALIGN_SAMPLES);
  EnsRoiAlignSamples samples = {{down, across}};

  for (gsize pixel = begin; pixel < end; pixel++) {
    gsize region = pixel / (gsize)(params->rows * params->columns);
    gint64 image = ens_view_integer (operands->inputs[IMAGES], region);

    ens_roi_align_find (operands, pixel, &samples);
    for (gsize c = 0; c < ens_view_columns (y); c++)
      ens_view_set_real (y, pixel * (gsize)y->pitch + c,
                         image >= 0 && image < x->shape.dims[0]
                             ? pool_channel (operands, (gsize)image, &samples, c)
                             : 0);
  }
}

static void
roi_reference (const EnsOperands *operands)
{
  if (ens_view_elements (operands->outputs[0]) > 0)
    pool_pixels (operands, 0, ens_view_rows (operands->outputs[0]));
}

/* The reference on all threads. */
static void
roi_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *y = operands->outputs[0];

  if (ens_view_elements (y) > 0)
    ens_parallel (context->pool, ens_view_rows (y), 64 * ens_view_columns (y), pool_pixels,
                  operands);
}

/* On a GPU. */

/* Samples of an element along an axis that lie within the map, at most: where their number follows
 * from the region, they are a pixel apart or half of one. */
static double
count_inside (const EnsRoiAlignParams *params, gint64 length)
{
  return params->samples > 0 ? (double)params->samples : 2 * (double)length + 6;
}

/* Images that the network computes are the CPU's to look up. */
static const EnsView *
record_images (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *images = operands->inputs[IMAGES];
  gsize n = ens_view_elements (images);
  g_autofree gint32 *table = g_new (gint32, n);

  for (gsize i = 0; i < n; i++)
    table[i] = (gint32)CLAMP (ens_view_integer (images, i), -1, G_MAXINT32);
  return ens_commands_table (commands, table, n * sizeof *table);
}

static EnsRoiAlignPush
make_push (const EnsOperands *operands)
{
  const EnsRoiAlignParams *params = operands->params;
  const EnsView *x = operands->inputs[X];

  return (EnsRoiAlignPush) {.n = (guint32)ens_view_elements (operands->outputs[0]),
                            .channels = (guint32)x->shape.dims[3],
                            .x_pitch = (guint32)x->pitch,
                            .n_images = (gint32)x->shape.dims[0],
                            .x_size = {(gint32)x->shape.dims[1], (gint32)x->shape.dims[2]},
                            .y_size = {(gint32)params->rows, (gint32)params->columns},
                            .samples = (gint32)params->samples,
                            .scale = params->scale,
                            .shift = params->coordinates == ENS_ROI_ALIGN_HALF_PIXEL ? 0.5F : 0};
}

static gboolean
roi_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  enum { GROUP = 128 };
  const EnsRoiAlignParams *params = operands->params;
  const EnsShape *map = &operands->inputs[X]->shape;
  EnsRoiAlignPush push = make_push (operands);
  EnsDispatch dispatch = {.shader = "roi-align",
                          .bindings = {{operands->inputs[X], ENS_ACCESS_READ},
                                       {operands->inputs[REGIONS], ENS_ACCESS_READ},
                                       {NULL, ENS_ACCESS_READ},
                                       {operands->outputs[0], ENS_ACCESS_WRITE}},
                          .n_bindings = 4,
                          .constants = {params->mode == ENS_ROI_ALIGN_MAXIMUM,
                                        params->coordinates == ENS_ROI_ALIGN_OUTPUT_HALF_PIXEL},
                          .n_constants = 2,
                          .push = &push,
                          .push_size = sizeof push};

  if (!ens_record_storage (operands, X, REGIONS + 1, &dispatch.storage)
      || operands->inputs[IMAGES]->data == NULL
      || count_inside (params, map->dims[1]) * count_inside (params, map->dims[2])
             > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (push.n == 0)
    return TRUE;
  dispatch.bindings[2].view = record_images (operands, commands);
  ens_commands_cover (commands, &dispatch, push.n, GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static gboolean
roi_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;

  if (gradient->wanted[REGIONS])
    return ens_gradient_error (gradient, error, "its regions are computed");
  gradient->inputs[X] =
      ens_gradient_apply (gradient, &ens_op_roi_align_grad, node->params, node->inputs[X],
                          node->inputs[REGIONS], node->inputs[IMAGES], gradient->outputs[0], NULL);
  return TRUE;
}

static const EnsOpExample roi_examples[] = {
    {"2x5x6x3 4x4 =[0,1,1,0]",
     &(const EnsRoiAlignParams) {
         .mode = ENS_ROI_ALIGN_MEAN, .rows = 2, .columns = 3, .samples = 2, .scale = 3}},
    {NULL}};

const EnsOp ens_op_roi_align = {.name = "RoiAlign",
                                .min_inputs = 3,
                                .max_inputs = 3,
                                .min_outputs = 1,
                                .max_outputs = 1,
                                .layout = ENS_LAYOUT_SPATIAL,
                                .params_size = sizeof (EnsRoiAlignParams),
                                .versions = {.since = 16}, /* from when on coordinates have names */
                                .attributes = roi_attributes,
                                .shape = roi_shape,
                                .flops = ens_roi_align_flops,
                                .reference = roi_reference,
                                .cpu = roi_cpu,
                                .gpu = roi_gpu,
                                .gradient = roi_gradient,
                                .example = roi_examples};
