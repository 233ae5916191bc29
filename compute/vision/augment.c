/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/augment.h"

#include <math.h>

#include "base/error.h"
#include "vision/augment-pixels.h"

enum { MAX_TRIES = 100 };

static const char *const names[ENS_N_AUGMENT_OPERATIONS] = {
    "flip",  "rotation", "crop",   "scale",   "shift",    "shear",
    "noise", "sharpen",  "colour", "channel", "exchange",
};

const char *
ens_augment_operation_name (EnsAugmentOperation operation)
{
  g_return_val_if_fail (operation < ENS_N_AUGMENT_OPERATIONS, NULL);
  return names[operation];
}

/* -- options -- */

/* What a range has to lie in. Shears of 45° along both axes would leave no area. */
static const struct {
  const char *name;
  EnsAugmentOperation operation;
  gsize offset;
  double low, high;
} ranges[] = {
    {"rotation", ENS_AUGMENT_ROTATION, G_STRUCT_OFFSET (EnsAugmentOptions, rotation), -180, 180},
    {"area", ENS_AUGMENT_CROP, G_STRUCT_OFFSET (EnsAugmentOptions, area), 1e-4, 1},
    {"ratio", ENS_AUGMENT_CROP, G_STRUCT_OFFSET (EnsAugmentOptions, ratio), 0.01, 100},
    {"scale", ENS_AUGMENT_SCALE, G_STRUCT_OFFSET (EnsAugmentOptions, scale), 0.1, 10},
    {"shift", ENS_AUGMENT_SHIFT, G_STRUCT_OFFSET (EnsAugmentOptions, shift), -1, 1},
    {"shear", ENS_AUGMENT_SHEAR, G_STRUCT_OFFSET (EnsAugmentOptions, shear), -40, 40},
    {"noise", ENS_AUGMENT_NOISE, G_STRUCT_OFFSET (EnsAugmentOptions, noise), 0, 255},
    {"sharpen", ENS_AUGMENT_SHARPEN, G_STRUCT_OFFSET (EnsAugmentOptions, sharpen), 0, 10},
    {"brightness", ENS_AUGMENT_COLOUR, G_STRUCT_OFFSET (EnsAugmentOptions, brightness), -255, 255},
    {"contrast", ENS_AUGMENT_COLOUR, G_STRUCT_OFFSET (EnsAugmentOptions, contrast), 0, 10},
    {"saturation", ENS_AUGMENT_COLOUR, G_STRUCT_OFFSET (EnsAugmentOptions, saturation), 0, 10},
    {"hue", ENS_AUGMENT_COLOUR, G_STRUCT_OFFSET (EnsAugmentOptions, hue), -0.5, 0.5},
    {"gain", ENS_AUGMENT_CHANNEL, G_STRUCT_OFFSET (EnsAugmentOptions, gain), 0, 10},
    {"offset", ENS_AUGMENT_CHANNEL, G_STRUCT_OFFSET (EnsAugmentOptions, offset), -255, 255},
};

gboolean
ens_augment_options_validate (const EnsAugmentOptions *options, GError **error)
{
  for (guint o = 0; o < ENS_N_AUGMENT_OPERATIONS; o++) {
    double p = options->probability[o];

    if (o == ENS_AUGMENT_EXCHANGE ? p >= 0 && p < ENS_AUGMENT_EXCHANGE_BOUND : p >= 0 && p <= 1)
      continue;
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 o == ENS_AUGMENT_EXCHANGE
                     ? "augmentation: %s: the share of pictures must be at least 0 and below "
                       "%g, found %g"
                     : "augmentation: %s: the probability must be 0 to %g, found %g",
                 names[o], o == ENS_AUGMENT_EXCHANGE ? ENS_AUGMENT_EXCHANGE_BOUND : 1, p);
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++) {
    const EnsAugmentRange *range = G_STRUCT_MEMBER_P (options, ranges[i].offset);

    if (options->probability[ranges[i].operation] == 0
        || (range->low >= ranges[i].low && range->high <= ranges[i].high
            && range->low <= range->high))
      continue;
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "augmentation: %s: the range must lie in %g to %g in rising order, found %g to %g",
                 ranges[i].name, ranges[i].low, ranges[i].high, range->low, range->high);
    return FALSE;
  }
  return TRUE;
}

/* Selection sampling: each picture is chosen with the probability that makes the number come out
 * (Knuth, The Art of Computer Programming, volume 2, algorithm S). The tiny addition keeps 0.29 of
 * 100 from being 28. */
gboolean
ens_augment_is_exchanged (const EnsAugmentOptions *options, guint64 seed, guint32 epoch, guint32 n,
                          guint32 item)
{
  guint32 left = (guint32)floor (options->probability[ENS_AUGMENT_EXCHANGE] * n + 1e-9);
  EnsRandom random;

  g_return_val_if_fail (item < n, FALSE);
  ens_random_init (&random, &(EnsRandomStream) {seed, ENS_RANDOM_EXCHANGE, epoch, 0});
  for (guint32 i = 0; left > 0; i++) {
    gboolean chosen = ens_random_below (&random, n - i) < left;

    if (i == item)
      return chosen;
    left -= (guint32)chosen;
  }
  return FALSE;
}

/* -- drawing -- */

typedef struct {
  EnsRandom random;
  const EnsAugmentOptions *options;
  EnsAugmentation *augmentation;
} Draw;

/* Numbers are drawn for what does not happen, too, so that others stay what they are. */
static double
draw_value (Draw *draw, EnsAugmentOperation operation, const EnsAugmentRange *range,
            double otherwise)
{
  double value = ens_random_between (&draw->random, range->low, range->high);

  return ens_augmentation_has (draw->augmentation, operation) ? value : otherwise;
}

static void
draw_operations (Draw *draw, gboolean exchanged)
{
  for (guint o = 0; o < ENS_N_AUGMENT_OPERATIONS; o++)
    if (o == ENS_AUGMENT_EXCHANGE
            ? exchanged
            : ens_random_chance (&draw->random, draw->options->probability[o]))
      draw->augmentation->operations |= 1u << o;
}

static void
draw_geometry (Draw *draw)
{
  const EnsAugmentOptions *options = draw->options;
  EnsAugmentation *drawn = draw->augmentation;

  drawn->rotation = draw_value (draw, ENS_AUGMENT_ROTATION, &options->rotation, 0);
  drawn->scale = draw_value (draw, ENS_AUGMENT_SCALE, &options->scale, 1);
  for (guint axis = 0; axis < 2; axis++) {
    drawn->shift[axis] = draw_value (draw, ENS_AUGMENT_SHIFT, &options->shift, 0);
    drawn->shear[axis] = draw_value (draw, ENS_AUGMENT_SHEAR, &options->shear, 0);
  }
}

static void
draw_pixels (Draw *draw)
{
  const EnsAugmentOptions *options = draw->options;
  EnsAugmentation *drawn = draw->augmentation;

  drawn->noise = draw_value (draw, ENS_AUGMENT_NOISE, &options->noise, 0);
  drawn->sharpen = draw_value (draw, ENS_AUGMENT_SHARPEN, &options->sharpen, 0);
  drawn->colours_first = ens_random_chance (&draw->random, 0.5);
  drawn->brightness = draw_value (draw, ENS_AUGMENT_COLOUR, &options->brightness, 0);
  drawn->contrast = draw_value (draw, ENS_AUGMENT_COLOUR, &options->contrast, 1);
  drawn->saturation = draw_value (draw, ENS_AUGMENT_COLOUR, &options->saturation, 1);
  drawn->hue = draw_value (draw, ENS_AUGMENT_COLOUR, &options->hue, 0);
  drawn->gain = draw_value (draw, ENS_AUGMENT_CHANNEL, &options->gain, 1);
  drawn->offset = draw_value (draw, ENS_AUGMENT_CHANNEL, &options->offset, 0);
  drawn->channel = ens_random_below (&draw->random, 3);
  drawn->exchange = ens_random_below (&draw->random, ENS_N_EXCHANGES);
}

/* Sets the size of a crop in a region of this size, all in pixels. FALSE: none fitted, and it is
 * the largest one. */
static gboolean
draw_crop_size (EnsRandom *random, const EnsAugmentOptions *options, double region_width,
                double region_height, double *width, double *height)
{
  for (guint i = 0; i < MAX_TRIES; i++) {
    double area = ens_random_between (random, options->area.low, options->area.high) * region_width
                  * region_height;
    double ratio = ens_random_log_between (random, options->ratio.low, options->ratio.high);

    *width = sqrt (area * ratio);
    *height = sqrt (area / ratio);
    if (*width <= region_width && *height <= region_height)
      return TRUE;
  }
  *width = fmin (region_width, region_height * options->ratio.high);
  *height = fmin (region_height, region_width / options->ratio.low);
  return FALSE;
}

static EnsRect
draw_crop (EnsRandom *random, const EnsAugmentOptions *options, const EnsAugmentItem *item)
{
  const EnsRect *region = &item->region;
  double width, height, x = 0.5, y = 0.5;

  if (draw_crop_size (random, options, region->width * item->width, region->height * item->height,
                      &width, &height)) {
    x = ens_random_uniform (random);
    y = ens_random_uniform (random);
  }
  width /= item->width;
  height /= item->height;
  return (EnsRect) {(float)(region->x + x * (region->width - width)),
                    (float)(region->y + y * (region->height - height)), (float)width,
                    (float)height};
}

/* What is seen after scaling about the middle and shifting. */
static EnsRect
move_view (const EnsRect *crop, const EnsAugmentation *augmentation)
{
  const double width = crop->width / augmentation->scale;
  const double height = crop->height / augmentation->scale;

  return (EnsRect) {
      (float)(crop->x + (crop->width - width) / 2 - augmentation->shift[0] * width),
      (float)(crop->y + (crop->height - height) / 2 - augmentation->shift[1] * height),
      (float)width, (float)height};
}

void
ens_augment_draw (const EnsAugmentOptions *options, const EnsAugmentItem *item,
                  EnsAugmentation *augmentation)
{
  const EnsRandomStream stream = {item->seed, ENS_RANDOM_AUGMENT, item->epoch, item->item};
  Draw draw = {.options = options, .augmentation = augmentation};

  g_return_if_fail (ens_augment_options_validate (options, NULL));
  g_return_if_fail (item->width > 0 && item->height > 0);
  g_return_if_fail (item->region.width > 0 && item->region.height > 0);
  *augmentation = (EnsAugmentation) {
      .view = item->region,
      .aspect = (double)item->width / item->height,
      .noise_stream = {item->seed, ENS_RANDOM_NOISE, item->epoch, item->item},
  };
  ens_random_init (&draw.random, &stream);
  draw_operations (&draw, item->exchanged);
  draw_geometry (&draw);
  draw_pixels (&draw);
  if (ens_augmentation_has (augmentation, ENS_AUGMENT_CROP))
    augmentation->view = draw_crop (&draw.random, options, item);
  if (ens_augmentation_has (augmentation, ENS_AUGMENT_SCALE)
      || ens_augmentation_has (augmentation, ENS_AUGMENT_SHIFT))
    augmentation->view = move_view (&augmentation->view, augmentation);
}
