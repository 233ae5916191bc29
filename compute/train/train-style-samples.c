/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What discriminators and generators see: squares from anywhere in a picture that is scaled, or
 * whole pictures. */
#include "base/fail.h"
#include "train/train-style-private.h"
#include "vision/augment.h"

static const EnsNormalise normalise = {
    ENS_ORDER_RGB,
    {ENS_STYLE_MIDDLE, ENS_STYLE_MIDDLE, ENS_STYLE_MIDDLE},
    {1 / ENS_STYLE_MIDDLE, 1 / ENS_STYLE_MIDDLE, 1 / ENS_STYLE_MIDDLE},
};

gboolean
ens_style_samples_init (EnsStyleSamples *samples, const char *folder, const EnsFrameOpener *opener,
                        GError **error)
{
  static const char *const no_classes[] = {NULL};
  g_autoptr (EnsDataset) dataset = ens_dataset_load_unrelated (folder, no_classes, error);
  const GPtrArray *images;

  if (dataset == NULL)
    return FALSE;
  images = dataset->samples[ENS_SPLIT_TEST];
  *samples = (EnsStyleSamples) {.opener = opener, .paths = g_ptr_array_new_with_free_func (g_free)};
  for (guint i = 0; i < images->len; i++)
    g_ptr_array_add (samples->paths, g_strdup (((const EnsDatasetItem *)images->pdata[i])->path));
  return TRUE;
}

void
ens_style_samples_clear (EnsStyleSamples *samples)
{
  g_clear_pointer (&samples->paths, g_ptr_array_unref);
}

/* A square of the scaled picture, anywhere. */
static gboolean
choose_part (const EnsStyleSamples *samples, const EnsFrame *frame, const char *path,
             EnsRandom *random, EnsRect *part, GError **error)
{
  guint width, height;

  ens_frame_scaled_size (frame->width, frame->height, samples->size, &width, &height);
  if (width < samples->width || height < samples->height)
    return ens_fail (error, ENS_ERROR_DATA, path,
                     "scaled to a shorter side of %u it is smaller than the squares of %u pixels "
                     "that are cut out",
                     samples->size, samples->width);
  *part = (EnsRect) {
      (float)ens_random_below (random, width - samples->width + 1) / (float)width,
      (float)ens_random_below (random, height - samples->height + 1) / (float)height,
      (float)samples->width / (float)width,
      (float)samples->height / (float)height,
  };
  return TRUE;
}

static gboolean
load (gpointer data, guint epoch, guint32 item, float *const *tensors, GError **error)
{
  const EnsStyleSamples *samples = data;
  const char *path = g_ptr_array_index (samples->paths, item % samples->paths->len);
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (samples->opener, path, error);
  EnsAugmentOptions options = ENS_AUGMENT_NONE;
  EnsAugmentItem what = {
      .seed = samples->seed, .epoch = epoch, .item = item, .region = ENS_RECT_WHOLE};
  EnsAugmentation augmentation;
  EnsRandom random;

  if (picture == NULL)
    return FALSE;
  ens_random_init (&random, &(EnsRandomStream) {samples->seed, ENS_RANDOM_PART, epoch, item});
  if (!samples->whole
      && !choose_part (samples, &picture->frame, path, &random, &what.region, error))
    return FALSE;
  what.width = picture->frame.width;
  what.height = picture->frame.height;
  options.probability[ENS_AUGMENT_FLIP] = samples->whole ? 0 : 0.5;
  ens_augment_draw (&options, &what, &augmentation);
  ens_augment_frame (&augmentation, &picture->frame, samples->width, samples->height, &normalise,
                     tensors[0]);
  return TRUE;
}

EnsLoaderSource
ens_style_samples_get_source (EnsStyleSamples *samples, guint batch)
{
  return (EnsLoaderSource) {
      .n_items = samples->n_items,
      .batch = batch,
      .n_tensors = 1,
      .sizes = {(gsize)samples->width * samples->height * 3},
      .seed = samples->seed,
      .load = load,
      .data = samples,
  };
}
