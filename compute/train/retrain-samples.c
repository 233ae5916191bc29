/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Items of an epoch are sub-images: the k-th of a picture is the k-th of a random choice among all
 * that it is divided into, or, where all are seen, the k-th of all. */
#include <math.h>
#include <string.h>

#include "train/retrain-private.h"

const char *const ens_retrain_augment_names[] = {"none", "flip", "normal", "full", NULL};

/* Validation pictures are measured on so many sub-images at most, the first and the last one
 * among them. */
#define N_MEASURED 2

/* At most so many an epoch of a picture whose sub-images are all seen. */
#define MAX_SUB_IMAGES 20

/* The smallest crop of a sub-image, as a share of its area, where objects have boxes. */
#define MIN_BOXED_AREA 0.15

gboolean
ens_retrain_augment_is_repeated (EnsRetrainAugment augment)
{
  return augment == ENS_RETRAIN_AUGMENT_NONE || augment == ENS_RETRAIN_AUGMENT_FLIP;
}

/* -- the list -- */

static void
set_part_counts (EnsRetrainSamples *samples, guint n)
{
  for (guint i = 0; i < samples->images->len; i++)
    samples->first[i + 1] = samples->first[i] + n;
  samples->n_items = samples->first[samples->images->len];
}

/* Pixels between sub-images, in proportion to their size. */
static guint
get_step (const EnsRetrainSamples *samples)
{
  return MAX (samples->params->sub_image_step * samples->targets.map->input / 256, 1);
}

/* The longer side of a picture whose shorter one is the sub-images'. */
static guint
scale_longer (const EnsRetrainSamples *samples, guint width, guint height)
{
  return (guint)lround ((double)samples->targets.map->input * MAX (width, height)
                        / MIN (width, height));
}

static guint
count_parts (const EnsRetrainSamples *samples, guint width, guint height)
{
  return ens_sub_image_count (scale_longer (samples, width, height), samples->targets.map->input,
                              get_step (samples));
}

static gboolean
find_size (const EnsRetrainSamples *samples, const EnsDatasetItem *item, guint *width,
           guint *height)
{
  g_autoptr (EnsPicture) picture = NULL;

  *width = item->width;
  *height = item->height;
  if (*width > 0 && *height > 0)
    return TRUE;
  picture = ens_frame_opener_read (samples->opener, item->path, NULL);
  if (picture == NULL)
    return FALSE;
  *width = picture->frame.width;
  *height = picture->frame.height;
  return TRUE;
}

/* Pictures that can't be read get one item, which the loader then skips and notes. */
static gboolean
count_all_parts (EnsRetrainSamples *samples, const EnsMonitor *monitor, GError **error)
{
  guint n = samples->images->len;

  for (guint i = 0; i < n; i++) {
    guint width, height, n_parts = 1;

    if (!ens_monitor_progress (monitor, "measuring pictures", i, n, error))
      return FALSE;
    if (find_size (samples, samples->images->pdata[i], &width, &height))
      n_parts = MIN (count_parts (samples, width, height), MAX_SUB_IMAGES);
    samples->first[i + 1] = samples->first[i] + n_parts;
  }
  samples->n_items = samples->first[n];
  return ens_monitor_progress (monitor, "measuring pictures", n, n, error);
}

gboolean
ens_retrain_samples_init (EnsRetrainSamples *samples, const EnsRetrainGraph *graph,
                          const EnsRetrainParams *params, const EnsDataset *dataset, EnsSplit split,
                          const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error)
{
  *samples = (EnsRetrainSamples) {
      .params = params,
      .opener = opener,
      .images = dataset->samples[split],
      .targets = {&graph->map, dataset->n_classes, params->coverage, params->positive_weight},
      .is_training = split == ENS_SPLIT_TRAIN,
      .first = g_new0 (guint, dataset->samples[split]->len + 1),
      .sizes = g_new0 (gint, dataset->samples[split]->len),
  };
  if (samples->is_training && params->sub_images == 0)
    return count_all_parts (samples, monitor, error);
  set_part_counts (samples, samples->is_training ? params->sub_images : N_MEASURED);
  return TRUE;
}

void
ens_retrain_samples_clear (EnsRetrainSamples *samples)
{
  g_clear_pointer (&samples->first, g_free);
  g_clear_pointer (&samples->sizes, g_free);
}

guint
ens_retrain_samples_find_image (const EnsRetrainSamples *samples, guint32 item)
{
  guint low = 0, high = samples->images->len;

  item %= samples->n_items;
  while (high - low > 1) {
    guint middle = (low + high) / 2;

    if (samples->first[middle] <= item)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* -- which part of a picture -- */

/* One item of one epoch, on its way to the tensors. */
typedef struct {
  const EnsRetrainSamples *samples;
  const EnsDatasetItem *image;
  guint epoch, item, part; /* part: the item's number among those of its picture */
  guint width, height;     /* of the picture */
} Sample;

static EnsRect
get_region (const Sample *sample, guint part)
{
  guint side = sample->samples->targets.map->input;
  guint longer = scale_longer (sample->samples, sample->width, sample->height);
  float length = (float)side / (float)longer;
  float offset =
      (float)ens_sub_image_offset (longer, side, get_step (sample->samples), part) / (float)longer;

  return sample->width >= sample->height ? (EnsRect) {offset, 0, length, 1}
                                         : (EnsRect) {0, offset, 1, length};
}

static gboolean
shows_object (const Sample *sample, guint part)
{
  EnsRect region = get_region (sample, part);

  for (guint i = 0; i < sample->image->boxes->len; i++)
    if (ens_cover (&g_array_index (sample->image->boxes, EnsDatasetBox, i).rect, &region) > 0)
      return TRUE;
  return FALSE;
}

/* Sub-images without any object teach that there is none, but not much more: of those that come up
 * every second one is exchanged for one with an object, if the picture has one. */
static guint
choose_part (const Sample *sample, guint n_parts)
{
  const EnsRetrainParams *params = sample->samples->params;
  const EnsRandomStream stream = {params->recipe.seed, ENS_RANDOM_PART, sample->epoch,
                                  (guint32)(sample->item - sample->part)};
  g_autofree guint32 *order = g_new (guint32, n_parts);
  EnsRandom random;

  ens_random_init (&random, &stream);
  ens_random_permutation (&random, order, n_parts);
  if (sample->image->boxes == NULL || sample->image->boxes->len == 0)
    return order[sample->part % n_parts];
  for (guint i = 0; i < n_parts; i++) {
    guint part = order[(sample->part + i) % n_parts];

    if (shows_object (sample, part) || (i == 0 && ens_random_chance (&random, 0.5)))
      return part;
  }
  return order[sample->part % n_parts];
}

static EnsRect
find_region (const Sample *sample)
{
  const EnsRetrainSamples *samples = sample->samples;
  guint n_parts = count_parts (samples, sample->width, sample->height);

  if (!samples->is_training)
    return get_region (sample, sample->part * (n_parts - 1) / (N_MEASURED - 1));
  if (samples->params->sub_images == 0)
    return get_region (sample, sample->part % n_parts);
  return get_region (sample, choose_part (sample, n_parts));
}

/* -- what happens to it -- */

static gboolean
has_boxes (const EnsRetrainSamples *samples)
{
  return samples->images->len > 0
         && ((const EnsDatasetItem *)samples->images->pdata[0])->boxes != NULL;
}

static EnsAugmentOptions
choose_operations (const EnsAugmentOptions *from, const EnsAugmentOperation *operations, guint n)
{
  EnsAugmentOptions options = *from;

  memset (options.probability, 0, sizeof options.probability);
  for (guint i = 0; i < n; i++)
    options.probability[operations[i]] = from->probability[operations[i]];
  return options;
}

/* With boxes targets are known for any crop, and crops are what shows where an object is not. */
static EnsAugmentOptions
get_options (const EnsRetrainSamples *samples)
{
  static const EnsAugmentOperation operations[] = {
      ENS_AUGMENT_FLIP, ENS_AUGMENT_COLOUR, ENS_AUGMENT_SCALE, ENS_AUGMENT_SHIFT, ENS_AUGMENT_CROP};
  EnsAugmentOptions all = ENS_AUGMENT_DEFAULTS;
  gboolean boxed = has_boxes (samples);

  if (!samples->is_training)
    return ENS_AUGMENT_NONE;
  if (boxed)
    all.area.low = MIN_BOXED_AREA;
  else if (samples->images->len < ENS_AUGMENT_SMALL_SET)
    all.area.low = ENS_AUGMENT_SMALL_SET_AREA;
  switch (samples->params->augment) {
  case ENS_RETRAIN_AUGMENT_FULL:
    return all;
  case ENS_RETRAIN_AUGMENT_NORMAL:
    return choose_operations (&all, operations, G_N_ELEMENTS (operations) - (boxed ? 0 : 1));
  case ENS_RETRAIN_AUGMENT_FLIP:
    return choose_operations (&all, operations, 1);
  default:
    return ENS_AUGMENT_NONE;
  }
}

static void
draw (const Sample *sample, EnsAugmentation *augmentation)
{
  EnsAugmentOptions options = get_options (sample->samples);
  guint64 seed = sample->samples->params->recipe.seed;

  ens_augment_draw (&options,
                    &(EnsAugmentItem) {
                        .seed = seed,
                        .epoch = sample->epoch,
                        .item = sample->item,
                        .exchanged = ens_augment_is_exchanged (
                            &options, seed, sample->epoch, sample->samples->n_items, sample->item),
                        .width = sample->width,
                        .height = sample->height,
                        .region = find_region (sample),
                    },
                    augmentation);
}

/* -- loading -- */

static gboolean
read_picture (Sample *sample, EnsPicture **picture, GError **error)
{
  const EnsRetrainSamples *samples = sample->samples;

  *picture = ens_frame_opener_read (samples->opener, sample->image->path, error);
  if (*picture == NULL)
    return FALSE;
  sample->width = (*picture)->frame.width;
  sample->height = (*picture)->frame.height;
  return TRUE;
}

/* All that features of a sub-image depend on. (transfer full) */
static char *
name_features (const Sample *sample, const EnsAugmentation *augmentation)
{
  return g_strdup_printf ("%s %a %a %d", sample->image->path, augmentation->view.x,
                          augmentation->view.y,
                          ens_augmentation_has (augmentation, ENS_AUGMENT_FLIP));
}

static gboolean
find_features (Sample *sample, guint image, EnsAugmentation *augmentation, float *out)
{
  gint size = g_atomic_int_get (&sample->samples->sizes[image]);
  g_autofree char *name = NULL;

  if (size == 0)
    return FALSE;
  sample->width = (guint)size >> 16;
  sample->height = (guint)size & 0xffff;
  draw (sample, augmentation);
  name = name_features (sample, augmentation);
  return ens_retrain_features_find (sample->samples->features, name, out);
}

static gboolean
compute_features (const Sample *sample, guint image, const EnsAugmentation *augmentation,
                  const EnsPicture *picture, float *out, GError **error)
{
  const EnsRetrainSamples *samples = sample->samples;
  guint side = samples->targets.map->input;
  g_autofree float *pixels =
      g_new (float, (gsize)side *side *ens_order_channels (samples->params->normalise.order));
  g_autofree char *name = name_features (sample, augmentation);

  g_atomic_int_set (&samples->sizes[image], (gint)(sample->width << 16 | sample->height));
  ens_augment_frame (augmentation, &picture->frame, side, side, &samples->params->normalise,
                     pixels);
  return ens_retrain_features_compute (samples->features, name, pixels, out, error);
}

/* What the trained graph takes first: pixels, or features of them. */
static gboolean
load_input (Sample *sample, guint image, EnsAugmentation *augmentation, float *out, GError **error)
{
  const EnsRetrainSamples *samples = sample->samples;
  guint side = samples->targets.map->input;
  g_autoptr (EnsPicture) picture = NULL;

  if (samples->features != NULL && find_features (sample, image, augmentation, out))
    return TRUE;
  if (!read_picture (sample, &picture, error))
    return FALSE;
  draw (sample, augmentation);
  if (samples->features != NULL)
    return compute_features (sample, image, augmentation, picture, out, error);
  ens_augment_frame (augmentation, &picture->frame, side, side, &samples->params->normalise, out);
  return TRUE;
}

static gboolean
load (gpointer data, guint epoch, guint32 item, float *const *tensors, GError **error)
{
  const EnsRetrainSamples *samples = data;
  guint image = ens_retrain_samples_find_image (samples, item);
  Sample sample = {.samples = samples,
                   .image = samples->images->pdata[image],
                   .epoch = epoch,
                   .item = item % samples->n_items};
  EnsAugmentation augmentation;

  sample.part = sample.item - samples->first[image];
  if (!load_input (&sample, image, &augmentation, tensors[ENS_RETRAIN_PIXELS], error))
    return FALSE;
  ens_targets_fill (&samples->targets, sample.image, &augmentation, tensors[ENS_RETRAIN_TARGETS],
                    tensors[ENS_RETRAIN_WEIGHTS]);
  return TRUE;
}

/* Measured in order; the last batch is filled with the first ones again. */
static void
keep_order (gpointer data, guint epoch, guint32 *items)
{
  const EnsRetrainSamples *samples = data;
  guint batch = samples->params->recipe.batch;

  for (guint i = 0; i < (samples->n_items + batch - 1) / batch * batch; i++)
    items[i] = i;
}

EnsLoaderSource
ens_retrain_samples_get_source (EnsRetrainSamples *samples, const EnsRetrainGraph *graph)
{
  guint batch = samples->params->recipe.batch;
  gsize n = (gsize)ens_shape_span (&graph->map_shape, 1, graph->map_shape.rank);
  EnsLoaderSource source = {
      .n_items = samples->n_items,
      .batch = batch,
      .n_tensors = ENS_RETRAIN_N_INPUTS,
      .sizes = {(gsize)ens_shape_span (&graph->input_shape, 1, graph->input_shape.rank), n, n},
      .seed = samples->params->recipe.seed,
      .load = load,
      .data = samples,
  };

  if (!samples->is_training) {
    source.n_items = (samples->n_items + batch - 1) / batch * batch;
    source.order = keep_order;
  }
  return source;
}

/* -- what targets are on average -- */

typedef struct {
  double *sums, *weights; /* by class */
} Means;

static void
add_labels (Means *means, const EnsDatasetItem *item, guint n_classes)
{
  for (guint c = 0; c < n_classes; c++) {
    means->sums[c] += item->labels[c] == ENS_LABEL_PRESENT;
    means->weights[c] += item->labels[c] != ENS_LABEL_UNKNOWN;
  }
}

/* Of the middle sub-image. */
static void
add_targets (Means *means, const EnsRetrainSamples *samples, const EnsDatasetItem *item)
{
  const EnsTargetParams *params = &samples->targets;
  Sample sample = {.samples = samples, .image = item, .width = item->width, .height = item->height};
  const EnsAugmentItem whole = {
      .width = item->width,
      .height = item->height,
      .region = get_region (&sample, count_parts (samples, item->width, item->height) / 2)};
  gsize n = (gsize)params->map->rows * params->map->columns * params->n_classes;
  g_autofree float *targets = g_new (float, n);
  g_autofree float *weights = g_new (float, n);
  EnsAugmentation augmentation;

  ens_augment_draw (&ENS_AUGMENT_NONE, &whole, &augmentation);
  ens_targets_fill (params, item, &augmentation, targets, weights);
  for (gsize i = 0; i < n; i++) {
    means->sums[i % params->n_classes] += weights[i] * targets[i];
    means->weights[i % params->n_classes] += weights[i];
  }
}

void
ens_retrain_samples_get_means (const EnsRetrainSamples *samples, double *means)
{
  guint n_classes = samples->targets.n_classes;
  g_autofree double *weights = g_new0 (double, n_classes);
  Means sums = {means, weights};

  memset (means, 0, n_classes * sizeof *means);
  for (guint i = 0; i < samples->images->len; i++) {
    const EnsDatasetItem *item = samples->images->pdata[i];

    if (item->boxes != NULL && item->width > 0 && item->height > 0)
      add_targets (&sums, samples, item);
    else
      add_labels (&sums, item, n_classes);
  }
  for (guint c = 0; c < n_classes; c++)
    means[c] = weights[c] > 0 ? means[c] / weights[c] : 0;
}
