/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: depthwise convolution, and that of small groups, vectorised along channels.
 *
 * BLOCK output pixels are summed at a time, so that an input vector is loaded once for all the taps
 * that use it, and a line of weights once for all the pixels. In a group of several channels each
 * output sees all the group's inputs: input j of every group is spread over the group's lanes. */

#define BLOCK 4
#define MAX_INPUTS ((BLOCK - 1) * 2 + 5) /* of five taps at stride 2; seven at 1 have fewer */

/* One vector of channels of a row. Its fields are kept in registers over all pixels. */
typedef struct {
  const float *input, *weights;
  gsize row, column, step;
  gsize weights_row, weights_pitch;
  guint taps_y, taps_x;
  Vector bias, low, high;
  const float *residual;
  gsize residual_pitch;
  float *output;
  gsize output_pitch;
  guint lanes;
} DepthwiseVector;

ENS_INLINE Vector
load_lanes (const float *p, guint lanes)
{
  return lanes == LANES ? vector_load (p) : vector_load_some (p, lanes);
}

/* In each group of `group` lanes, lane j's value everywhere. */
ENS_INLINE Vector
spread (Vector x, const guint group, const guint j)
{
  return group == 1 ? x : vector_permute (x, (vector_lanes () & -(gint)group) + (gint)j);
}

/* taps and stride are constants where this is inlined, and tell that inputs are neighbours
 * (dilation 1); taps = 0: any number, at any distance. */
ENS_INLINE void
depthwise_line (const DepthwiseVector *v, Vector sum[BLOCK], const float *input,
                const float *weights, const guint block, const guint taps, const guint stride,
                const guint group)
{
  if (taps > 0) {
    const guint inputs = (block - 1) * stride + taps;
    Vector x[MAX_INPUTS];

    ENS_UNROLLED (i, inputs)
      x[i] = load_lanes (input + i * v->column, v->lanes);
    ENS_UNROLLED (j, group) {
      Vector of_group[MAX_INPUTS];

      ENS_UNROLLED (i, inputs)
        of_group[i] = spread (x[i], group, j);
      ENS_UNROLLED (t, taps) {
        Vector w = load_lanes (weights + (t * group + j) * v->weights_pitch, v->lanes);

        ENS_UNROLLED (i, block)
          sum[i] += of_group[i * stride + t] * w;
      }
    }
  } else {
    for (guint t = 0; t < v->taps_x; t++)
      ENS_UNROLLED (j, group) {
        Vector w = load_lanes (weights + (t * group + j) * v->weights_pitch, v->lanes);

        ENS_UNROLLED (i, block) {
          Vector x = load_lanes (input + i * v->step + t * v->column, v->lanes);

          sum[i] += spread (x, group, j) * w;
        }
      }
  }
}

/* lines: 3, known when compiled, or 0: as many as there are. */
ENS_INLINE void
depthwise_block (const DepthwiseVector *v, guint pixel, const guint block, const guint lines,
                 const guint taps, const guint stride, const guint group)
{
  const float *input = v->input + pixel * v->step;
  Vector sum[BLOCK];

  ENS_UNROLLED (i, block)
    sum[i] = v->bias;
  if (lines == 3)
    ENS_UNROLLED (y, 3)
      depthwise_line (v, sum, input + y * v->row, v->weights + y * v->weights_row, block, taps,
                      stride, group);
  else
    for (guint y = 0; y < v->taps_y; y++)
      depthwise_line (v, sum, input + y * v->row, v->weights + y * v->weights_row, block, taps,
                      stride, group);
  ENS_UNROLLED (i, block) {
    float *output = v->output + (pixel + i) * v->output_pitch;

    if (v->residual != NULL)
      sum[i] += load_lanes (v->residual + (pixel + i) * v->residual_pitch, v->lanes);
    sum[i] = vector_min (vector_max (sum[i], v->low), v->high);
    if (v->lanes == LANES)
      vector_store (output, sum[i]);
    else
      vector_store_some (output, sum[i], v->lanes);
  }
}

ENS_INLINE void
depthwise_vector (const EnsDepthwiseRow *row, guint channel, guint lanes, const guint lines,
                  const guint taps, const guint stride, const guint group)
{
  const EnsFinish *finish = row->finish;
  const DepthwiseVector v = {
      .input = row->input + channel,
      .weights = row->weights + channel,
      .row = row->row,
      .column = row->column,
      .step = row->step,
      .weights_row = row->weights_row,
      .weights_pitch = row->weights_pitch,
      .taps_y = row->taps_y,
      .taps_x = row->taps_x,
      .bias = finish->bias != NULL ? load_lanes (finish->bias + channel, lanes) : (Vector) {0},
      .low = vector_set (finish->low),
      .high = vector_set (finish->high),
      .residual = finish->residual != NULL ? finish->residual + channel : NULL,
      .residual_pitch = finish->residual_pitch,
      .output = finish->output + channel,
      .output_pitch = finish->output_pitch,
      .lanes = lanes,
  };
  guint pixel = 0;

  for (; pixel + BLOCK <= row->pixels; pixel += BLOCK)
    depthwise_block (&v, pixel, BLOCK, lines, taps, stride, group);
  if (pixel + BLOCK / 2 <= row->pixels) {
    depthwise_block (&v, pixel, BLOCK / 2, lines, taps, stride, group);
    pixel += BLOCK / 2;
  }
  for (; pixel < row->pixels; pixel++)
    depthwise_block (&v, pixel, 1, lines, taps, stride, group);
}

ENS_INLINE void
depthwise_pixels (const EnsDepthwiseRow *row, const guint lines, const guint taps,
                  const guint stride, const guint group)
{
  guint channel = 0;

  for (; channel + LANES <= row->channels; channel += LANES)
    depthwise_vector (row, channel, LANES, lines, taps, stride, group);
  if (channel < row->channels)
    depthwise_vector (row, channel, row->channels - channel, 0, 0, 0, group);
}

/* For everything but depthwise proper, which has a few cases more. */
ENS_INLINE void
grouped_pixels (const EnsDepthwiseRow *row, const guint stride, const guint group)
{
  if (row->taps_x == 3 && stride == 1)
    depthwise_pixels (row, 0, 3, 1, group);
  else if (row->taps_x == 3 && stride == 2)
    depthwise_pixels (row, 0, 3, 2, group);
  else
    depthwise_pixels (row, 0, 0, 0, group);
}

/* Even numbers of taps and one are what is left at borders, and of phases of transposed
 * convolutions. */
static void
single_pixels (const EnsDepthwiseRow *row, const guint stride)
{
  if (row->taps_x == 3 && row->taps_y == 3 && stride == 1)
    depthwise_pixels (row, 3, 3, 1, 1);
  else if (row->taps_x == 3 && row->taps_y == 3 && stride == 2)
    depthwise_pixels (row, 3, 3, 2, 1);
  else if (row->taps_x == 2 && stride == 1)
    depthwise_pixels (row, 0, 2, 1, 1);
  else if (row->taps_x == 1 && stride == 1)
    depthwise_pixels (row, 0, 1, 1, 1);
  else if (row->taps_x == 2 && stride == 2)
    depthwise_pixels (row, 0, 2, 2, 1);
  else if (row->taps_x == 3 && stride == 1)
    depthwise_pixels (row, 0, 3, 1, 1);
  else if (row->taps_x == 4 && stride == 1)
    depthwise_pixels (row, 0, 4, 1, 1);
  else if (row->taps_x == 5 && stride == 1)
    depthwise_pixels (row, 0, 5, 1, 1);
  else if (row->taps_x == 6 && stride == 1)
    depthwise_pixels (row, 0, 6, 1, 1);
  else if (row->taps_x == 7 && stride == 1)
    depthwise_pixels (row, 0, 7, 1, 1);
  else if (row->taps_x == 5 && stride == 2)
    depthwise_pixels (row, 0, 5, 2, 1);
  else
    depthwise_pixels (row, 0, 0, 0, 1);
}

/* A part of a row of depthwise convolution in which several pixels make up one vector. */
#define MAX_NARROW_TAPS 25

static gboolean
is_narrow (const EnsDepthwiseRow *row)
{
  const EnsFinish *finish = row->finish;
  const guint channels = row->channels;

  return row->group == 1 && channels < LANES && LANES % channels == 0 && row->column == channels
         && row->step == channels && row->taps_y * row->taps_x <= MAX_NARROW_TAPS
         && finish->output_pitch == channels
         && (finish->residual == NULL || finish->residual_pitch == channels);
}

/* A vector of the same channels again and again. */
static void
repeat_channels (const float *from, guint channels, float *to)
{
  for (guint i = 0; i < LANES; i++)
    to[i] = from[i & (channels - 1)];
}

/* Returns how many pixels that were. */
static guint
narrow_pixels (const EnsDepthwiseRow *row)
{
  const guint channels = row->channels, together = LANES / channels;
  float weights[MAX_NARROW_TAPS * LANES], bias[LANES];
  EnsDepthwiseRow wide = *row;
  EnsFinish finish = *row->finish;

  for (guint y = 0; y < row->taps_y; y++)
    for (guint x = 0; x < row->taps_x; x++)
      repeat_channels (row->weights + y * row->weights_row + x * row->weights_pitch, channels,
                       weights + (y * row->taps_x + x) * LANES);
  if (finish.bias != NULL) {
    repeat_channels (finish.bias, channels, bias);
    finish.bias = bias;
  }
  finish.output_pitch = finish.residual_pitch = LANES;
  wide.weights = weights;
  wide.weights_row = row->taps_x * LANES;
  wide.weights_pitch = wide.step = wide.channels = LANES;
  wide.pixels = row->pixels / together;
  wide.finish = &finish;
  single_pixels (&wide, together);
  return wide.pixels * together;
}

static void
depthwise_sums (const EnsDepthwiseRow *row)
{
  const guint stride = row->step == row->column ? 1 : row->step == 2 * row->column ? 2 : 0;

  if (row->group == 1)
    single_pixels (row, stride);
#if LANES >= 8
  else if (row->group == 2)
    grouped_pixels (row, stride, 2);
  else if (row->group == 4)
    grouped_pixels (row, stride, 4);
#endif
#if LANES >= 16
  else if (row->group == 8)
    grouped_pixels (row, stride, 8);
#endif
}

static void
depthwise_row (const EnsDepthwiseRow *row)
{
  EnsDepthwiseRow rest = *row;
  EnsFinish finish = *row->finish;

  rest.finish = &finish;
  if (is_narrow (row)) {
    guint done = narrow_pixels (row);

    rest.input += done * rest.step;
    rest.pixels -= done;
    finish.output += done * finish.output_pitch;
    if (finish.residual != NULL)
      finish.residual += done * finish.residual_pitch;
  }
  if (rest.pixels > 0)
    depthwise_sums (&rest);
  if (row->finish->curve != ENS_ACTIVATION_NONE) {
    EnsFinish curve = *row->finish;

    curve.bias = NULL;
    curve.residual = NULL;
    finish_values (curve.output, curve.output_pitch, row->pixels, row->channels, &curve);
  }
}
