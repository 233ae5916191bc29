/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: Winograd's transforms for 3×3 convolutions.
 *
 * Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015: an output tile of
 * (size − 2)² pixels is Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A. Here are G g Gᵀ of the weights, Bᵀ d B of the
 * input and Aᵀ m A of the products, the latter two for all channels of one tile.
 *
 * Tiles of 4×4 interpolate polynomials at 0, ±1/2, ±3/2 and infinity: as few as the usual 0, ±1, ±2
 * and infinity, all constants exact, and 2.6 times less rounding error (Alam et al., "Winograd
 * Convolution for Deep Neural Networks: Efficient Point Selection", 2022). */

ENS_INLINE void
winograd_input_line (Vector t[6], const Vector d[6], const guint size)
{
  if (size == 4) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  } else {
    Vector odd = 0.5f * (d[3] - 2.25f * d[1]), even = d[4] - 2.25f * d[2];
    Vector odd_2 = 1.5f * (d[3] - 0.25f * d[1]), even_2 = d[4] - 0.25f * d[2];

    t[0] = 0.5625f * d[0] - 2.5f * d[2] + d[4];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = even_2 + odd_2;
    t[4] = even_2 - odd_2;
    t[5] = 0.5625f * d[1] - 2.5f * d[3] + d[5];
  }
}

ENS_INLINE void
winograd_output_line (Vector y[4], const Vector m[6], const guint size)
{
  if (size == 4) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  } else {
    Vector sum = m[1] + m[2], sum_2 = m[3] + m[4];
    Vector difference = m[1] - m[2], difference_2 = m[3] - m[4];

    y[0] = m[0] + sum + sum_2;
    y[1] = 0.5f * difference + 1.5f * difference_2;
    y[2] = 0.25f * sum + 2.25f * sum_2;
    y[3] = 0.125f * difference + 3.375f * difference_2 + m[5];
  }
}

ENS_INLINE void
winograd_input_vector (const EnsWinogradInput *input, guint channel, const guint size)
{
  const guint n = MIN (input->channels - channel, LANES);
  Vector half[6][6];

  ENS_UNROLLED (x, size) {
    Vector d[6], t[6];

    ENS_UNROLLED (y, size) {
      const float *pixel = input->pixels[y * size + x] + channel;

      d[y] = n == LANES ? vector_load (pixel) : vector_load_some (pixel, n);
    }
    winograd_input_line (t, d, size);
    ENS_UNROLLED (y, size)
      half[y][x] = t[y];
  }
  ENS_UNROLLED (y, size) {
    float *to = input->frequencies + y * size * input->plane + channel;
    Vector t[6];

    winograd_input_line (t, half[y], size);
    ENS_UNROLLED (x, size)
      vector_store (to + x * input->plane, t[x]);
  }
}

ENS_INLINE void
winograd_store (const EnsWinogradOutput *output, Vector value, guint y, guint x, guint column)
{
  const EnsFinish *finish = output->finish;
  const guint n = MIN (output->columns - column, LANES);
  const float *residual = finish->residual;
  float *to = finish->output + y * output->output_row + x * finish->output_pitch + column;

  if (residual != NULL) {
    residual += y * output->residual_row + x * finish->residual_pitch + column;
    value += n == LANES ? vector_load (residual) : vector_load_some (residual, n);
  }
  value = vector_min (vector_max (value, vector_set (finish->low)), vector_set (finish->high));
  if (n == LANES)
    vector_store (to, value);
  else
    vector_store_some (to, value, n);
}

ENS_INLINE void
winograd_output_vector (const EnsWinogradOutput *output, guint column, const guint size)
{
  const guint n = MIN (output->columns - column, LANES);
  const float *bias = output->finish->bias;
  Vector half[4][6], added = {0};

  if (bias != NULL)
    added = n == LANES ? vector_load (bias + column) : vector_load_some (bias + column, n);
  ENS_UNROLLED (x, size) {
    const float *from = output->frequencies + x * output->plane + column;
    Vector m[6], t[4];

    ENS_UNROLLED (y, size)
      m[y] = vector_load (from + y * size * output->plane);
    winograd_output_line (t, m, size);
    ENS_UNROLLED (y, size - 2)
      half[y][x] = t[y];
  }
  for (guint y = 0; y < output->height; y++) {
    Vector t[4];

    winograd_output_line (t, half[y], size);
    ENS_UNROLLED (x, size - 2)
      if (x < output->width)
        winograd_store (output, t[x] + added, y, x, column);
  }
}

/* Activations that clipping can't do, over the pixels just stored. */
static void
winograd_curve (const EnsWinogradOutput *output)
{
  EnsFinish curve = *output->finish;

  curve.bias = NULL;
  curve.residual = NULL;
  for (guint y = 0; y < output->height; y++) {
    finish_values (curve.output, curve.output_pitch, output->width, output->columns, &curve);
    curve.output += output->output_row;
  }
}

#define WINOGRAD(tile, size)                                             \
  static void winograd_##tile##_input (const EnsWinogradInput *input)    \
  {                                                                      \
    for (guint c = 0; c < input->channels; c += LANES)                   \
      winograd_input_vector (input, c, size);                            \
  }                                                                      \
  static void winograd_##tile##_output (const EnsWinogradOutput *output) \
  {                                                                      \
    for (guint c = 0; c < output->columns; c += LANES)                   \
      winograd_output_vector (output, c, size);                          \
    if (output->finish->curve != ENS_ACTIVATION_NONE)                    \
      winograd_curve (output);                                           \
  }

WINOGRAD (2, 4)
WINOGRAD (4, 6)

ENS_INLINE void
winograd_weights_line (Vector u[6], const Vector g[3], const guint size)
{
  if (size == 4) {
    Vector even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];

    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
  } else {
    Vector even = -g[0] - 0.25f * g[2], odd = 0.5f * g[1];
    Vector even_2 = 1 / 9.f * g[0] + 0.25f * g[2], odd_2 = 1 / 6.f * g[1];

    u[0] = 16 / 9.f * g[0];
    u[1] = even - odd;
    u[2] = even + odd;
    u[3] = even_2 + odd_2;
    u[4] = even_2 - odd_2;
    u[5] = g[2];
  }
}

ENS_INLINE void
winograd_weights (const EnsWinogradWeights *weights, const guint size)
{
  for (guint i = 0; i < weights->n; i += LANES) {
    Vector half[6][3], u[6];

    ENS_UNROLLED (x, 3) {
      Vector g[3];

      ENS_UNROLLED (y, 3)
        g[y] = vector_load (weights->taps + (y * 3 + x) * weights->step + i);
      winograd_weights_line (u, g, size);
      ENS_UNROLLED (y, size)
        half[y][x] = u[y];
    }
    ENS_UNROLLED (y, size) {
      winograd_weights_line (u, half[y], size);
      ENS_UNROLLED (x, size)
        vector_store (weights->frequencies + (y * size + x) * weights->plane + i, u[x]);
    }
  }
}

static void
winograd_2_weights (const EnsWinogradWeights *weights)
{
  winograd_weights (weights, 4);
}

static void
winograd_4_weights (const EnsWinogradWeights *weights)
{
  winograd_weights (weights, 6);
}
