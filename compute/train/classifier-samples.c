/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/classifier-private.h"

#include "base/random.h"
#include "train/coverage.h"

const char *const ens_classifier_augment_names[] = {"none", "crop", "normal", "full", NULL};

/* The part of the shorter side that pictures are measured on. */
#define MEASURED_SIDE 0.875F

/* With boxes: the share of samples that show an object, and how much larger than it they are. */
#define OBJECT_SHARE 0.5
static const EnsAugmentRange object_scale = {0.9, 1.7};
/* Its offset from the middle, as a share of the sample. */
static const EnsAugmentRange object_offset = {-0.1, 0.1};

/* With several classes a sample shows few of them: those count so many times as much. */
#define POSITIVE_WEIGHT 4

void
ens_classifier_samples_init (EnsClassifierSamples *samples, const EnsClassifierParams *params,
                             const EnsDataset *dataset, EnsSplit split,
                             const EnsFrameOpener *opener, guint batch)
{
  *samples = (EnsClassifierSamples) {
      .params = params,
      .opener = opener,
      .images = dataset->samples[split],
      .n_classes = dataset->n_classes,
      .batch = batch,
      .is_training = split == ENS_SPLIT_TRAIN,
      .map = {params->size, params->size, 1, 1, params->size, TRUE},
  };
  for (guint i = 0; i < samples->images->len && !samples->has_boxes; i++)
    samples->has_boxes = ((const EnsDatasetItem *)samples->images->pdata[i])->boxes != NULL;
}

/* -- what is drawn -- */

static EnsAugmentOptions
get_options (const EnsClassifierSamples *samples)
{
  static const guint operations[ENS_N_CLASSIFIER_AUGMENTS] = {
      [ENS_CLASSIFIER_AUGMENT_CROP] = 1 << ENS_AUGMENT_CROP | 1 << ENS_AUGMENT_FLIP,
      [ENS_CLASSIFIER_AUGMENT_NORMAL] = 1 << ENS_AUGMENT_CROP | 1 << ENS_AUGMENT_FLIP
                                        | 1 << ENS_AUGMENT_ROTATION | 1 << ENS_AUGMENT_COLOUR,
      [ENS_CLASSIFIER_AUGMENT_FULL] = (1 << ENS_N_AUGMENT_OPERATIONS) - 1,
  };
  guint kept = samples->is_training ? operations[samples->params->augment] : 0;
  EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;

  if (samples->images->len < ENS_AUGMENT_SMALL_SET)
    options.area.low = ENS_AUGMENT_SMALL_SET_AREA;
  for (guint o = 0; o < ENS_N_AUGMENT_OPERATIONS; o++)
    if ((kept & 1u << o) == 0)
      options.probability[o] = 0;
  return options;
}

/* The square in the middle. */
static EnsRect
get_middle (const EnsFrame *frame)
{
  float side = MEASURED_SIDE * (float)MIN (frame->width, frame->height);
  float width = side / (float)frame->width, height = side / (float)frame->height;

  return (EnsRect) {(1 - width) / 2, (1 - height) / 2, width, height};
}

/* A rectangle of the length around `centre`, moved into the picture as far as it can be. */
static void
place (EnsRandom *random, float start, float size, float *out_start, float *out_size)
{
  float length = (float)ens_random_between (random, object_scale.low, object_scale.high) * size;
  float offset = (float)ens_random_between (random, object_offset.low, object_offset.high) * length;
  float low = start + (size - length) / 2 + offset;

  *out_start = CLAMP (low, 0, 1);
  *out_size = CLAMP (low + length, 0, 1) - *out_start;
}

/* One of the objects that count, and what is around it. FALSE: there is none. */
static gboolean
choose_object (const EnsDatasetItem *item, EnsRandom *random, EnsRect *region)
{
  const EnsDatasetBox *chosen = NULL;
  guint n = 0;

  for (guint i = 0; item->boxes != NULL && i < item->boxes->len; i++) {
    const EnsDatasetBox *box = &g_array_index (item->boxes, EnsDatasetBox, i);

    if (!box->difficult && !box->crowd && ens_random_below (random, ++n) == 0)
      chosen = box;
  }
  if (chosen == NULL)
    return FALSE;
  place (random, chosen->rect.x, chosen->rect.width, &region->x, &region->width);
  place (random, chosen->rect.y, chosen->rect.height, &region->y, &region->height);
  return region->width > 0 && region->height > 0;
}

/* What the sample is taken from; whole: as it is. */
static EnsRect
choose_region (const EnsClassifierSamples *samples, const EnsDatasetItem *item,
               const EnsFrame *frame, EnsRandom *random, gboolean *whole)
{
  gboolean wants_object = samples->is_training && ens_random_chance (random, OBJECT_SHARE);
  EnsRect region;

  *whole = wants_object && samples->params->augment != ENS_CLASSIFIER_AUGMENT_NONE
           && choose_object (item, random, &region);
  if (*whole)
    return region;
  return samples->has_boxes || (samples->is_training && samples->params->augment > 0)
             ? ENS_RECT_WHOLE
             : get_middle (frame);
}

static void
draw (const EnsClassifierSamples *samples, guint epoch, guint item, const EnsFrame *frame,
      EnsAugmentation *augmentation)
{
  EnsAugmentOptions options = get_options (samples);
  guint64 seed = samples->params->recipe->seed;
  gboolean whole;
  EnsRandom random;
  EnsRect region;

  ens_random_init (&random, &(EnsRandomStream) {seed, ENS_RANDOM_PART, epoch, item});
  region = choose_region (samples, samples->images->pdata[item], frame, &random, &whole);
  if (whole)
    options.probability[ENS_AUGMENT_CROP] = 0;
  ens_augment_draw (
      &options,
      &(EnsAugmentItem) {
          .seed = seed,
          .epoch = epoch,
          .item = item,
          .exchanged = ens_augment_is_exchanged (&options, seed, epoch, samples->images->len, item),
          .width = frame->width,
          .height = frame->height,
          .region = region,
      },
      augmentation);
  if (samples->exchange > 0) {
    augmentation->operations |= 1u << ENS_AUGMENT_EXCHANGE;
    augmentation->exchange = samples->exchange - 1;
  }
}

/* -- loading -- */

static gboolean
load (gpointer data, guint epoch, guint32 item, float *const *tensors, GError **error)
{
  const EnsClassifierSamples *samples = data;
  const EnsClassifierParams *params = samples->params;
  guint index = item % samples->images->len;
  const EnsDatasetItem *image = samples->images->pdata[index];
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (samples->opener, image->path, error);
  const EnsTargetParams targets = {&samples->map, samples->n_classes, ENS_COVERAGE_MAX,
                                   POSITIVE_WEIGHT};
  EnsAugmentation augmentation;

  if (picture == NULL)
    return FALSE;
  draw (samples, epoch, index, &picture->frame, &augmentation);
  ens_augment_frame (&augmentation, &picture->frame, params->size, params->size, &params->normalise,
                     tensors[ENS_CLASSIFIER_PIXELS]);
  ens_targets_fill (&targets, image, &augmentation, tensors[ENS_CLASSIFIER_TARGETS],
                    tensors[ENS_CLASSIFIER_WEIGHTS]);
  return TRUE;
}

static guint
count_filled (const EnsClassifierSamples *samples)
{
  return (samples->images->len + samples->batch - 1) / samples->batch * samples->batch;
}

static void
keep_order (gpointer data, guint epoch, guint32 *items)
{
  for (guint i = 0; i < count_filled (data); i++)
    items[i] = i;
}

EnsLoaderSource
ens_classifier_samples_get_source (EnsClassifierSamples *samples)
{
  const EnsClassifierParams *params = samples->params;
  guint n_channels = ens_order_channels (params->normalise.order);

  return (EnsLoaderSource) {
      .n_items = samples->is_training ? samples->images->len : count_filled (samples),
      .batch = samples->batch,
      .n_tensors = ENS_CLASSIFIER_N_INPUTS,
      .sizes = {(gsize)params->size * params->size * n_channels, samples->n_classes,
                samples->n_classes},
      .seed = params->recipe->seed,
      .order = samples->is_training ? NULL : keep_order,
      .load = load,
      .data = samples,
  };
}
