/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RoiAlign: each region of a map as a map of one size, whose elements are means, or maxima, of
 * samples between the map's elements (He et al., "Mask R-CNN", 2017). Inputs X (N, height, width,
 * C), regions (R, 4), each x and y of two corners, and the image of each region (R). Output (R,
 * rows, columns, C). */
#include "ops/operands.h"
#include "ops/registry.h"

#include <math.h>

enum { X, REGIONS, IMAGES };
enum { MEAN, MAXIMUM };
enum { HALF_PIXEL, OUTPUT_HALF_PIXEL };

typedef struct {
  guint mode, coordinates;
  gint64 rows, columns;
  gint64 samples; /* along an axis of an element of the output; 0: as many as it covers pixels */
  float scale;    /* of the regions' coordinates */
} RoiParams;

static const char *const modes[] = {"avg", "max", NULL};
static const char *const coordinates[] = {"half_pixel", "output_half_pixel", NULL};

static const EnsAttribute roi_attributes[] = {
    {"coordinate_transformation_mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (RoiParams, coordinates),
     .names = coordinates, .integer = OUTPUT_HALF_PIXEL, .until = 15},
    {"coordinate_transformation_mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (RoiParams, coordinates),
     .names = coordinates, .since = 16},
    {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (RoiParams, mode), .names = modes},
    {"output_height", ENS_ATTRIBUTE_INT, ENS_MEMBER (RoiParams, rows), .integer = 1, .min = 1,
     .max = G_MAXINT16},
    {"output_width", ENS_ATTRIBUTE_INT, ENS_MEMBER (RoiParams, columns), .integer = 1, .min = 1,
     .max = G_MAXINT16},
    {"sampling_ratio", ENS_ATTRIBUTE_INT, ENS_MEMBER (RoiParams, samples), .min = 0, .max = 1024},
    {"spatial_scale", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (RoiParams, scale), .real = 1},
    ENS_ATTRIBUTE_END};

static gboolean
roi_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *x = &operands->inputs[X]->shape, *regions = &operands->inputs[REGIONS]->shape;
  const RoiParams *params = operands->params;

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
  return ens_set_output (operands, 0, operands->inputs[X]->type,
                         &ENS_SHAPE (regions->dims[0], params->rows, params->columns, x->dims[3]),
                         error);
}

/* Samples along an axis of a region. Where their number follows from the region, its elements have
 * at most two for each pixel of the map, and at least one. */
static double
count_samples (const RoiParams *params, gint64 n, gint64 length)
{
  return params->samples > 0 ? (double)n * (double)params->samples : (double)n + 2 * (double)length;
}

/* Four neighbours of each sample. */
static double
roi_flops (const EnsOperands *operands)
{
  const RoiParams *params = operands->params;
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

/* Along an axis of an element. Fewer than one for each pixel are taken of regions that reach far
 * beyond any map; as only those within the map are looked at, the map bounds the work. */
#define MAX_SAMPLES 4096

static Span
find_span (const RoiParams *params, double begin, double end, gint64 n, gint64 length)
{
  double offset = params->coordinates == HALF_PIXEL ? 0.5 : 0;
  double start = begin * (double)params->scale - offset;
  double extent = end * (double)params->scale - offset - start;
  Span span = {.start = start, .samples = params->samples, .length = length};

  if (params->coordinates == OUTPUT_HALF_PIXEL)
    extent = fmax (extent, 1);
  span.step = extent / (double)n;
  if (span.samples == 0)
    span.samples = (gint64)fmin (fmax (ceil (span.step), 0), MAX_SAMPLES);
  return span;
}

/* A sample lies between two elements; beyond the map there is none. */
typedef struct {
  gint64 index[2];
  double weight[2];
} Sample;

static gboolean
find_sample (const Span *span, gint64 element, gint64 i, Sample *sample)
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
find_samples (const Span *span, gint64 element, Sample *samples)
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
take_sample (const RoiParams *params, const EnsView *x, gsize image, const Sample *down,
             const Sample *across, gsize channel)
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
  return params->mode == MEAN ? sum : largest;
}

/* Those of an element. */
typedef struct {
  Sample *samples[2]; /* down and across, within the map */
  gint64 n[2];
  gint64 n_all; /* also those beyond the map, which are 0 */
} Samples;

static double
pool_channel (const EnsOperands *operands, gsize image, const Samples *samples, gsize channel)
{
  const RoiParams *params = operands->params;
  gint64 n = samples->n[0] * samples->n[1];
  double sum = 0, largest = n > 0 && n == samples->n_all ? -INFINITY : 0;

  for (gint64 i = 0; i < n; i++) {
    double value =
        take_sample (params, operands->inputs[X], image, &samples->samples[0][i / samples->n[1]],
                     &samples->samples[1][i % samples->n[1]], channel);

    sum += value;
    largest = fmax (largest, value);
  }
  return params->mode == MEAN ? sum / (double)MAX (samples->n_all, 1) : largest;
}

static void
find_element (const EnsOperands *operands, gsize pixel, Samples *samples)
{
  const RoiParams *params = operands->params;
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
  const RoiParams *params = operands->params;
  const EnsView *x = operands->inputs[X], *y = operands->outputs[0];
  g_autofree Sample *down = g_new (Sample, MAX_SAMPLES), *across = g_new (Sample, MAX_SAMPLES);
  Samples samples = {{down, across}};

  for (gsize pixel = begin; pixel < end; pixel++) {
    gsize region = pixel / (gsize)(params->rows * params->columns);
    gint64 image = ens_view_integer (operands->inputs[IMAGES], region);

    find_element (operands, pixel, &samples);
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

static const EnsOpExample roi_examples[] = {
    {"2x5x6x3 4x4 =[0,1,1,0]",
     &(const RoiParams) {.mode = MEAN, .rows = 2, .columns = 3, .samples = 2, .scale = 3}},
    {NULL}};

const EnsOp ens_op_roi_align = {.name = "RoiAlign",
                                .min_inputs = 3,
                                .max_inputs = 3,
                                .min_outputs = 1,
                                .max_outputs = 1,
                                .layout = ENS_LAYOUT_SPATIAL,
                                .params_size = sizeof (RoiParams),
                                .versions = {.since = 16}, /* from when on coordinates have names */
                                .attributes = roi_attributes,
                                .shape = roi_shape,
                                .flops = roi_flops,
                                .reference = roi_reference,
                                .cpu = roi_cpu,
                                .example = roi_examples};
