/* gst-ensemble kernels: depthwise convolution, vectorised along channels.
 *
 * BLOCK output pixels are summed at a time, so that an input vector is loaded once for all the taps
 * that use it. */

#define BLOCK 4

/* taps and stride are constants where this is inlined, and tell that inputs are neighbours
 * (dilation 1); taps = 0: any number, at any distance. */
ENS_INLINE void
depthwise_sum (Vector sum[BLOCK], const EnsDepthwiseRow *row, const float *input,
               const float *weights, const guint block, const guint taps, const guint stride,
               guint lanes)
{
#define LOAD(p) (lanes == LANES ? vector_load (p) : vector_load_some (p, lanes))
  for (guint y = 0; y < row->taps_y; y++) {
    if (taps > 0) {
      Vector x[16];

      ENS_UNROLL for (guint i = 0; i < (block - 1) * stride + taps; i++) x[i] =
          LOAD (input + i * row->column);
      ENS_UNROLL for (guint t = 0; t < taps; t++)
      {
        Vector w = LOAD (weights + t * row->weights_column);

        ENS_UNROLL for (guint i = 0; i < block; i++) sum[i] += x[i * stride + t] * w;
      }
    } else {
      for (guint t = 0; t < row->taps_x; t++) {
        Vector w = LOAD (weights + t * row->weights_column);

        ENS_UNROLL for (guint i = 0; i < block; i++) sum[i] +=
            LOAD (input + i * row->step + t * row->column) * w;
      }
    }
    input += row->row;
    weights += row->weights_row;
  }
#undef LOAD
}

ENS_INLINE void
depthwise_store (const EnsFinish *finish, Vector value, guint pixel, guint channel, guint lanes)
{
  float *output = finish->output + pixel * finish->output_pitch + channel;

  if (finish->residual != NULL) {
    const float *residual = finish->residual + pixel * finish->residual_pitch + channel;

    value += lanes == LANES ? vector_load (residual) : vector_load_some (residual, lanes);
  }
  value = vector_min (vector_max (value, vector_set (finish->low)), vector_set (finish->high));
  if (lanes == LANES)
    vector_store (output, value);
  else
    vector_store_some (output, value, lanes);
}

ENS_INLINE void
depthwise_block (const EnsDepthwiseRow *row, guint pixel, guint channel, const guint block,
                 const guint taps, const guint stride, guint lanes)
{
  const float *bias = row->finish->bias;
  Vector sum[BLOCK], added = {0};

  if (bias != NULL)
    added =
        lanes == LANES ? vector_load (bias + channel) : vector_load_some (bias + channel, lanes);
  ENS_UNROLL for (guint i = 0; i < block; i++) sum[i] = (Vector) {0};
  depthwise_sum (sum, row, row->input + pixel * row->step + channel, row->weights + channel, block,
                 taps, stride, lanes);
  ENS_UNROLL for (guint i = 0; i < block; i++)
      depthwise_store (row->finish, sum[i] + added, pixel + i, channel, lanes);
}

ENS_INLINE void
depthwise_pixels (const EnsDepthwiseRow *row, const guint taps, const guint stride)
{
  for (guint c = 0; c < row->channels; c += LANES) {
    guint lanes = MIN (row->channels - c, LANES);
    guint pixel = 0;

    if (lanes == LANES)
      for (; pixel + BLOCK <= row->pixels; pixel += BLOCK)
        depthwise_block (row, pixel, c, BLOCK, taps, stride, LANES);
    for (; pixel < row->pixels; pixel++)
      depthwise_block (row, pixel, c, 1, 0, 0, lanes);
  }
}

static void
depthwise_row (const EnsDepthwiseRow *row)
{
  const guint stride = row->step == row->column ? 1 : row->step == 2 * row->column ? 2 : 0;

  if (row->taps_x == 3 && stride == 1)
    depthwise_pixels (row, 3, 1);
  else if (row->taps_x == 3 && stride == 2)
    depthwise_pixels (row, 3, 2);
  else if (row->taps_x == 5 && stride == 1)
    depthwise_pixels (row, 5, 1);
  else if (row->taps_x == 5 && stride == 2)
    depthwise_pixels (row, 5, 2);
  else
    depthwise_pixels (row, 0, 0);
  if (row->finish->curve != ENS_ACTIVATION_NONE) {
    EnsFinish curve = *row->finish;

    curve.bias = NULL;
    curve.residual = NULL;
    finish_values (curve.output, curve.output_pitch, row->pixels, row->channels, &curve);
  }
}
