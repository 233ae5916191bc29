/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Luma is that of ITU-R BT.601-7. Hue turns the chroma (B - Y, R - Y) of its U and V, saturation
 * multiplies it: luma stays. Values are clipped after each step, without which brightness and
 * contrast would give the same before hue and saturation as after them. */
#include "vision/augment-pixels.h"

#include <math.h>

/* Rounding must not carry a change to its bound. */
#define SAFETY 0.999

static const guint exchanges[ENS_N_EXCHANGES][3] = {
    {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0},
};

static const double luma[3] = {0.299, 0.587, 0.114};

static double
get_luma (const double rgb[3])
{
  return luma[0] * rgb[0] + luma[1] * rgb[1] + luma[2] * rgb[2];
}

static float
clip (float value)
{
  return fminf (fmaxf (value, 0), 255);
}

static gsize
count_values (const EnsPixelValues *pixels)
{
  return (gsize)pixels->width * pixels->height * pixels->n_channels;
}

/* -- noise and sharpening -- */

static void
add_noise (const EnsAugmentation *augmentation, EnsPixelValues *pixels)
{
  const gsize n = count_values (pixels);
  EnsRandom random;

  ens_random_init (&random, &augmentation->noise_stream);
  for (gsize i = 0; i < n; i++)
    pixels->values[i] =
        clip (pixels->values[i] + (float)(augmentation->noise * ens_random_normal (&random)));
}

/* Weights 1/4, 1/2, 1/4 along x; the border is repeated. */
static void
blur_row (const float *row, guint width, guint n_channels, float *blurred)
{
  for (guint x = 0; x < width; x++) {
    const float *left = row + (gsize)(x > 0 ? x - 1 : 0) * n_channels;
    const float *middle = row + (gsize)x * n_channels;
    const float *right = row + (gsize)MIN (x + 1, width - 1) * n_channels;

    for (guint c = 0; c < n_channels; c++)
      blurred[(gsize)x * n_channels + c] = (left[c] + 2 * middle[c] + right[c]) / 4;
  }
}

/* x + amount (x - blur x), the blur 1/4, 1/2, 1/4 along both axes. */
static void
sharpen (float amount, EnsPixelValues *pixels)
{
  const gsize stride = (gsize)pixels->width * pixels->n_channels;
  g_autofree float *blurred = g_new (float, stride * pixels->height);

  for (guint y = 0; y < pixels->height; y++)
    blur_row (pixels->values + y * stride, pixels->width, pixels->n_channels, blurred + y * stride);
  for (guint y = 0; y < pixels->height; y++) {
    const float *above = blurred + (y > 0 ? y - 1 : 0) * stride;
    const float *middle = blurred + y * stride;
    const float *below = blurred + MIN (y + 1, pixels->height - 1) * stride;
    float *row = pixels->values + y * stride;

    for (gsize i = 0; i < stride; i++)
      row[i] = clip (row[i] + amount * (row[i] - (above[i] + 2 * middle[i] + below[i]) / 4));
  }
}

/* -- colours -- */

static double
get_mean_luma (const EnsPixelValues *pixels)
{
  const gsize n = (gsize)pixels->width * pixels->height;
  double sums[3] = {0};

  for (gsize i = 0; i < n; i++)
    for (guint c = 0; c < pixels->n_channels; c++)
      sums[c] += pixels->values[i * pixels->n_channels + c];
  return (pixels->n_channels == 3 ? get_luma (sums) : sums[0]) / (double)n;
}

static void
change_light (const EnsAugmentation *augmentation, EnsPixelValues *pixels)
{
  const gsize n = count_values (pixels);
  const double contrast = augmentation->contrast;
  const float factor = (float)contrast;
  const float addend = (float)(augmentation->brightness + (1 - contrast) * get_mean_luma (pixels));

  for (gsize i = 0; i < n; i++)
    pixels->values[i] = clip (factor * pixels->values[i] + addend);
}

/* What becomes of one colour; linear. */
static void
turn_chroma (const EnsAugmentation *augmentation, const double in[3], double out[3])
{
  /* U and V are these shares of B - Y and R - Y. */
  static const double u_share = 0.492, v_share = 0.877;
  const double angle = 2 * G_PI * augmentation->hue, y = get_luma (in);
  const double u = (in[2] - y) * u_share * augmentation->saturation;
  const double v = (in[0] - y) * v_share * augmentation->saturation;

  out[0] = y + (v * cos (angle) + u * sin (angle)) / v_share;
  out[2] = y + (u * cos (angle) - v * sin (angle)) / u_share;
  out[1] = (y - luma[0] * out[0] - luma[2] * out[2]) / luma[1];
}

static void
change_chroma (const EnsAugmentation *augmentation, EnsPixelValues *pixels)
{
  const gsize n = (gsize)pixels->width * pixels->height;
  float matrix[3][3]; /* from the column's channel to the row's */

  for (guint c = 0; c < 3; c++) {
    const double primary[3] = {c == 0, c == 1, c == 2};
    double turned[3];

    turn_chroma (augmentation, primary, turned);
    for (guint r = 0; r < 3; r++)
      matrix[r][c] = (float)turned[r];
  }
  for (gsize i = 0; i < n; i++) {
    float *pixel = pixels->values + i * 3;
    const float red = pixel[0], green = pixel[1], blue = pixel[2];

    for (guint c = 0; c < 3; c++)
      pixel[c] = clip (matrix[c][0] * red + matrix[c][1] * green + matrix[c][2] * blue);
  }
}

static void
exchange_channels (const EnsAugmentation *augmentation, EnsPixelValues *pixels)
{
  const guint *exchange = exchanges[augmentation->exchange];
  const gsize n = (gsize)pixels->width * pixels->height;

  for (gsize i = 0; i < n; i++) {
    float *pixel = pixels->values + i * 3;
    const float in[3] = {pixel[0], pixel[1], pixel[2]};

    for (guint c = 0; c < 3; c++)
      pixel[c] = in[exchange[c]];
  }
}

/* The change of x is (gain - 1) x + offset, made smaller by a factor if its mean is too large.
 * Clipping makes it smaller still. */
static void
change_channel (const EnsAugmentation *augmentation, EnsPixelValues *pixels)
{
  const gsize n = (gsize)pixels->width * pixels->height;
  const double gain = augmentation->gain - 1, offset = augmentation->offset;
  float *channel = pixels->values + augmentation->channel;
  double sum = 0, factor;

  for (gsize i = 0; i < n; i++)
    sum += fabs (gain * channel[i * 3] + offset);
  factor = fmin (1, SAFETY * ENS_AUGMENT_CHANNEL_BOUND * (double)n / sum);
  for (gsize i = 0; i < n; i++) {
    const double x = channel[i * 3];

    channel[i * 3] = clip ((float)(x + factor * (gain * x + offset)));
  }
}

void
ens_augmentation_change_pixels (const EnsAugmentation *augmentation, EnsPixelValues *pixels)
{
  const gboolean coloured = pixels->n_channels == 3;

  if (ens_augmentation_has (augmentation, ENS_AUGMENT_NOISE))
    add_noise (augmentation, pixels);
  if (ens_augmentation_has (augmentation, ENS_AUGMENT_SHARPEN))
    sharpen ((float)augmentation->sharpen, pixels);
  if (ens_augmentation_has (augmentation, ENS_AUGMENT_COLOUR)) {
    if (coloured && augmentation->colours_first)
      change_chroma (augmentation, pixels);
    change_light (augmentation, pixels);
    if (coloured && !augmentation->colours_first)
      change_chroma (augmentation, pixels);
  }
  if (coloured && ens_augmentation_has (augmentation, ENS_AUGMENT_EXCHANGE))
    exchange_channels (augmentation, pixels);
  if (coloured && ens_augmentation_has (augmentation, ENS_AUGMENT_CHANNEL))
    change_channel (augmentation, pixels);
}
