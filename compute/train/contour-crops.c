/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "train/contour-private.h"
#include "vision/augment.h"

/* Pixels along the border of a photograph and of a crop where the truth is not known: drawings end
 * there, and the network sees little of what is beyond. */
#define BORDER 4

/* Of a photograph before it is cropped. */
#define SMALLEST_SCALE 0.75
#define LARGEST_SCALE 1.5

/* Crops without contours teach nothing: so many are drawn until one has some. */
#define MAX_TRIES 10

/* A pixel that at least this share of those who drew have drawn is a contour's, as in
 * ens_loss_contour (). */
#define CONTOUR_LEAST 0.3

const EnsNormalise ens_contour_normalise = {
    ENS_ORDER_RGB,
    {123.675F, 116.28F, 103.53F},
    {1 / 58.395F, 1 / 57.12F, 1 / 57.375F},
};

/* -- pixels and truth -- */

/* A photograph with its truth, on the way to tensors. */
typedef struct {
  EnsPicture *picture, *truth;
  EnsPicture *inside; /* 255 where the truth is known, else 0 */
} Pair;

static void
pair_clear (Pair *pair)
{
  g_clear_pointer (&pair->picture, ens_picture_unref);
  g_clear_pointer (&pair->truth, ens_picture_unref);
  g_clear_pointer (&pair->inside, ens_picture_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pair, pair_clear)

/* (transfer full) */
static EnsPicture *
draw_inside (guint width, guint height)
{
  EnsPicture *inside = ens_picture_new (ENS_PIXELS_GRAY8, width, height);

  for (guint y = BORDER; y + BORDER < height && width > 2 * BORDER; y++)
    memset (ens_picture_get_pixels (inside, 0) + y * inside->frame.strides[0] + BORDER, 255,
            width - 2 * BORDER);
  return inside;
}

gboolean
ens_contour_is_on_border (guint x, guint y, guint width, guint height)
{
  return x < BORDER || y < BORDER || x + BORDER >= width || y + BORDER >= height;
}

/* What the network gets, and what it is to say of it. The truth is not blended: its lines are as
 * thin as a pixel and would fade. */
static void
fill (const EnsAugmentation *augmentation, const Pair *pair, guint width, guint height,
      float *pixels, float *truth)
{
  g_autofree guint8 *drawn = g_new (guint8, (gsize)width * height);
  g_autofree guint8 *inside = g_new (guint8, (gsize)width * height);

  ens_augment_frame (augmentation, &pair->picture->frame, width, height, &ens_contour_normalise,
                     pixels);
  ens_augment_labels (augmentation, &pair->truth->frame, width, height, 0, drawn);
  ens_augment_labels (augmentation, &pair->inside->frame, width, height, 0, inside);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      gsize i = (gsize)y * width + x;

      truth[i] =
          inside[i] == 0 || ens_contour_is_on_border (x, y, width, height) ? -1 : drawn[i] / 255.0F;
    }
}

/* -- crops -- */

static EnsRect
draw_region (const EnsContourCrops *crops, const EnsFrame *frame, EnsRandom *random)
{
  double scale = ens_random_log_between (random, SMALLEST_SCALE, LARGEST_SCALE);
  double width = crops->params->crop / scale / frame->width;
  double height = crops->params->crop / scale / frame->height;
  double x = ens_random_uniform (random), y = ens_random_uniform (random);

  return (EnsRect) {(float)(width < 1 ? x * (1 - width) : (1 - width) / 2),
                    (float)(height < 1 ? y * (1 - height) : (1 - height) / 2), (float)width,
                    (float)height};
}

static EnsAugmentOptions
get_options (void)
{
  EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;

  options.probability[ENS_AUGMENT_ROTATION] = 0.5;
  options.rotation = (EnsAugmentRange) {-180, 180};
  options.probability[ENS_AUGMENT_CROP] = 0;
  options.probability[ENS_AUGMENT_SCALE] = 0;
  options.probability[ENS_AUGMENT_SHIFT] = 0;
  return options;
}

static gboolean
has_contour (const float *truth, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (truth[i] >= (float)CONTOUR_LEAST)
      return TRUE;
  return FALSE;
}

static gboolean
load (gpointer data, guint epoch, guint32 item, float *const *tensors, GError **error)
{
  const EnsContourCrops *crops = data;
  const guint side = crops->params->crop;
  const EnsAugmentOptions options = get_options ();
  EnsAugmentItem drawn = {.seed = crops->params->recipe.seed, .epoch = epoch, .item = item};
  EnsAugmentation augmentation;
  EnsRandom random;
  g_auto (Pair) pair = {0};

  if (!ens_contour_item_read (crops->items->pdata[item / crops->params->crops], crops->opener,
                              &pair.picture, &pair.truth, error))
    return FALSE;
  ens_random_init (&random,
                   &(EnsRandomStream) {crops->params->recipe.seed, ENS_RANDOM_PART, epoch, item});
  drawn.exchanged = ens_augment_is_exchanged (&options, drawn.seed, epoch,
                                              crops->items->len * crops->params->crops, item);
  drawn.width = pair.picture->frame.width;
  drawn.height = pair.picture->frame.height;
  pair.inside = draw_inside (drawn.width, drawn.height);
  for (guint i = 0; i < MAX_TRIES; i++) {
    drawn.region = draw_region (crops, &pair.picture->frame, &random);
    ens_augment_draw (&options, &drawn, &augmentation);
    fill (&augmentation, &pair, side, side, tensors[ENS_CONTOUR_PICTURES],
          tensors[ENS_CONTOUR_TRUTH]);
    if (has_contour (tensors[ENS_CONTOUR_TRUTH], (gsize)side * side))
      break;
  }
  return TRUE;
}

EnsLoaderSource
ens_contour_crops_get_source (EnsContourCrops *crops)
{
  const gsize n = (gsize)crops->params->crop * crops->params->crop;

  return (EnsLoaderSource) {
      .n_items = crops->items->len * crops->params->crops,
      .batch = crops->params->recipe.batch,
      .n_tensors = ENS_CONTOUR_N_INPUTS,
      .sizes = {n * 3, n},
      .seed = crops->params->recipe.seed,
      .load = load,
      .data = crops,
  };
}

/* -- whole photographs -- */

void
ens_contour_example_init (EnsContourExample *example, EnsPicture *photograph, EnsPicture *truth)
{
  const guint width = photograph->frame.width, height = photograph->frame.height;
  const gsize n = (gsize)width * height;
  g_auto (Pair)
      pair = {ens_picture_ref (photograph), ens_picture_ref (truth), draw_inside (width, height)};
  EnsAugmentation augmentation;

  *example = (EnsContourExample) {width, height, g_new (float, n * 3), g_new (float, n)};
  ens_augment_draw (&ENS_AUGMENT_NONE,
                    &(EnsAugmentItem) {.width = width, .height = height, .region = ENS_RECT_WHOLE},
                    &augmentation);
  fill (&augmentation, &pair, width, height, example->pixels, example->truth);
}

void
ens_contour_example_clear (EnsContourExample *example)
{
  g_clear_pointer (&example->pixels, g_free);
  g_clear_pointer (&example->truth, g_free);
}
