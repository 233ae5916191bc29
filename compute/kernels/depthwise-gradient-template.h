/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: gradient of a depthwise convolution's weights, vectorised along channels.
 * The sums of a line of taps stay in registers while the pixels go by. */

/* The most taps of a line that are summed up together. */
#define GRADIENT_TAPS 3

/* A line of at most GRADIENT_TAPS taps; taps is a constant where this is inlined. */
ENS_INLINE void
gradient_line (const EnsDepthwiseGradientRow *row, const float *input, float *sums, guint channel,
               guint lanes, const guint taps)
{
  const float *gradient = row->gradient + channel;
  Vector sum[GRADIENT_TAPS];

  ENS_UNROLLED (t, taps)
    sum[t] = load_lanes (sums + t * row->sums_step, lanes);
  for (guint i = 0; i < row->pixels; i++) {
    Vector of_pixel = load_lanes (gradient, lanes);

    ENS_UNROLLED (t, taps)
      sum[t] += of_pixel * load_lanes (input + t * row->column, lanes);
    gradient += row->gradient_pitch;
    input += row->step;
  }
  ENS_UNROLLED (t, taps)
    if (lanes == LANES)
      vector_store (sums + t * row->sums_step, sum[t]);
    else
      vector_store_some (sums + t * row->sums_step, sum[t], lanes);
}

/* The same for a kernel of 3 × 3 taps: each pixel's gradient is loaded but once. */
ENS_INLINE void
gradient_nine (const EnsDepthwiseGradientRow *row, guint channel, guint lanes)
{
  const float *gradient = row->gradient + channel, *input = row->input + channel;
  float *sums = row->sums + channel;
  Vector sum[9];

  ENS_UNROLLED (t, 9)
    sum[t] = load_lanes (sums + t / 3 * row->sums_row + t % 3 * row->sums_step, lanes);
  for (guint i = 0; i < row->pixels; i++) {
    Vector of_pixel = load_lanes (gradient, lanes);

    ENS_UNROLLED (t, 9)
      sum[t] += of_pixel * load_lanes (input + t / 3 * row->row + t % 3 * row->column, lanes);
    gradient += row->gradient_pitch;
    input += row->step;
  }
  ENS_UNROLLED (t, 9) {
    float *to = sums + t / 3 * row->sums_row + t % 3 * row->sums_step;

    if (lanes == LANES)
      vector_store (to, sum[t]);
    else
      vector_store_some (to, sum[t], lanes);
  }
}

ENS_INLINE void
gradient_lines (const EnsDepthwiseGradientRow *row, guint channel, guint lanes)
{
  for (guint y = 0; y < row->taps_y; y++) {
    const float *input = row->input + y * row->row + channel;
    float *sums = row->sums + y * row->sums_row + channel;
    guint t = 0;

    for (; t + 3 <= row->taps_x; t += 3)
      gradient_line (row, input + t * row->column, sums + t * row->sums_step, channel, lanes, 3);
    for (; t < row->taps_x; t++)
      gradient_line (row, input + t * row->column, sums + t * row->sums_step, channel, lanes, 1);
  }
}

static void
depthwise_gradient_row (const EnsDepthwiseGradientRow *row)
{
  gboolean nine = row->taps_y == 3 && row->taps_x == 3;
  guint channel = 0;

  for (; channel + LANES <= row->channels; channel += LANES)
    if (nine)
      gradient_nine (row, channel, LANES);
    else
      gradient_lines (row, channel, LANES);
  if (channel < row->channels)
    gradient_lines (row, channel, row->channels - channel);
}
