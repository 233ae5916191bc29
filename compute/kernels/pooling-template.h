/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: maximum and sum over one window, vectorised along channels. */

/* `vectors` neighbouring vectors at a time: whole cache lines and independent sums. */
ENS_INLINE void
pool_vectors (const EnsPoolingWindow *window, guint channel, const guint vectors, guint lanes,
              const gboolean maximum)
{
  const float *line = window->input + channel;
  Vector result[4];

  ENS_UNROLLED (i, vectors)
    result[i] = vector_set (maximum ? -INFINITY : 0.f);
  for (guint y = 0; y < window->taps_y; y++, line += window->row) {
    const float *pixel = line;

    for (guint x = 0; x < window->taps_x; x++, pixel += window->column)
      ENS_UNROLLED (i, vectors) {
        Vector v =
            lanes == LANES ? vector_load (pixel + i * LANES) : vector_load_some (pixel, lanes);

        result[i] = maximum ? vector_max (v, result[i]) : result[i] + v;
      }
  }
  ENS_UNROLLED (i, vectors) {
    Vector v = maximum ? result[i] : result[i] * window->scale;

    if (lanes == LANES)
      vector_store (window->output + channel + i * LANES, v);
    else
      vector_store_some (window->output + channel, v, lanes);
  }
}

ENS_INLINE void
pool_window (const EnsPoolingWindow *window, const gboolean maximum)
{
  guint c = 0;

  for (; c + 4 * LANES <= window->channels; c += 4 * LANES)
    pool_vectors (window, c, 4, LANES, maximum);
  if (c + 3 * LANES <= window->channels) {
    pool_vectors (window, c, 3, LANES, maximum);
    c += 3 * LANES;
  } else if (c + 2 * LANES <= window->channels) {
    pool_vectors (window, c, 2, LANES, maximum);
    c += 2 * LANES;
  }
  for (; c < window->channels; c += LANES)
    pool_vectors (window, c, 1, MIN (window->channels - c, LANES), maximum);
}

static void
max_window (const EnsPoolingWindow *window)
{
  pool_window (window, TRUE);
}

static void
sum_window (const EnsPoolingWindow *window)
{
  pool_window (window, FALSE);
}

/* What is left of a gradient goes to a tap where the input is the maximum; then nothing is left. */
ENS_INLINE void
max_gradient_vector (const EnsPoolingGradientWindow *window, guint channel, guint lanes)
{
  const Vector maximum = load_lanes (window->maximum + channel, lanes);
  Vector left = load_lanes (window->gradient + channel, lanes);

  for (guint y = 0; y < window->taps_y; y++) {
    const float *input = window->input + y * window->row + channel;
    float *gradient = window->input_gradient + y * window->gradient_row + channel;

    for (guint x = 0; x < window->taps_x; x++) {
      VectorInt found = load_lanes (input, lanes) == maximum;
      Vector sum = load_lanes (gradient, lanes) + (Vector)(found & (VectorInt)left);

      left = (Vector)(~found & (VectorInt)left);
      if (lanes == LANES)
        vector_store (gradient, sum);
      else
        vector_store_some (gradient, sum, lanes);
      input += window->column;
      gradient += window->gradient_column;
    }
  }
}

static void
max_gradient_window (const EnsPoolingGradientWindow *window)
{
  guint c = 0;

  for (; c + LANES <= window->channels; c += LANES)
    max_gradient_vector (window, c, LANES);
  if (c < window->channels)
    max_gradient_vector (window, c, window->channels - c);
}
