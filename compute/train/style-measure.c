/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/style-measure.h"

#include <math.h>

#include "base/fail.h"
#include "engine/network-private.h"
#include "train/evaluate.h"
#include "train/style-adapter.h"
#include "train/style-batch-norm.h"
#include "train/train-style-private.h"

const char *const ens_style_method_names[] = {"as they are",
                                              "mean and variance",
                                              "low frequencies (FDA)",
                                              "batch normalisation (AdaBN)",
                                              "the style",
                                              NULL};

/* Of each camera. */
#define MAX_PICTURES 40

/* As good as: by so much of the distance, or of the accuracy, it may be worse. */
#define DISTANCE_TOLERANCE 1.1
#define ACCURACY_TOLERANCE 0.005

enum { A, B, N_CAMERAS };

typedef struct {
  const EnsStyleMeasureParams *params;
  EnsDevice *device;
  EnsThreadPool *pool;
  const EnsFrameOpener *opener;
  const EnsMonitor *monitor;
  GPtrArray *pictures[N_CAMERAS]; /* EnsSmallPicture */
  GPtrArray *paths;               /* of A's */
  EnsStyleAdapter *adapter;
  EnsPlan *features; /* of the square in a picture's middle */
  guint side;
  EnsStyleMeasure *measure;
} Measuring;

static void
measuring_clear (Measuring *measuring)
{
  for (guint i = 0; i < N_CAMERAS; i++)
    g_clear_pointer (&measuring->pictures[i], g_ptr_array_unref);
  g_clear_pointer (&measuring->paths, g_ptr_array_unref);
  g_clear_pointer (&measuring->adapter, ens_style_adapter_free);
  g_clear_pointer (&measuring->features, ens_plan_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Measuring, measuring_clear)

static void
free_card (gpointer data)
{
  EnsStyleCard *card = data;

  g_free (card->path);
  for (guint m = 0; m < ENS_STYLE_N_METHODS; m++)
    g_clear_pointer (&card->pictures[m], ens_picture_unref);
  g_free (card);
}

void
ens_style_measure_clear (EnsStyleMeasure *measure)
{
  g_clear_pointer (&measure->cards, g_ptr_array_unref);
  g_clear_pointer (&measure->others, g_ptr_array_unref);
}

/* -- pictures -- */

/* Some of the camera's pictures, spread over the list; those that can't be read were noted in
 * training. */
static gboolean
load (Measuring *measuring, guint camera, GError **error)
{
  const EnsStyleTraining *training = measuring->params->training;
  const char *folder = camera == A ? training->recipe.dataset : training->to;
  guint size = ens_style_get_training_size (training, camera), n;
  EnsStyleSamples samples;
  GPtrArray *pictures = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_small_picture_free);

  measuring->pictures[camera] = pictures;
  if (!ens_style_samples_init (&samples, folder, measuring->opener, error))
    return FALSE;
  n = MIN (samples.paths->len, MAX_PICTURES);
  for (guint i = 0; i < n; i++) {
    const char *path = samples.paths->pdata[i * samples.paths->len / n];
    g_autoptr (EnsPicture) picture = ens_frame_opener_read (measuring->opener, path, NULL);

    if (picture == NULL)
      continue;
    g_ptr_array_add (pictures, ens_small_picture_new (&picture->frame, size, measuring->pool));
    if (camera == A)
      g_ptr_array_add (measuring->paths, g_strdup (path));
  }
  ens_style_samples_clear (&samples);
  return pictures->len > 1
         || ens_fail (error, ENS_ERROR_DATA, folder, "has no two pictures that can be read");
}

/* -- features -- */

static gboolean
plan_features (Measuring *measuring, GError **error)
{
  const EnsStyleTraining *training = measuring->params->training;
  EnsShape shape;
  const char *layer;
  EnsGraph *graph;
  g_autoptr (EnsNetwork) network = NULL;

  measuring->side =
      MIN (ens_style_get_training_size (training, A), ens_style_get_training_size (training, B));
  shape = ENS_SHAPE (1, measuring->side, measuring->side, 3);
  graph = ens_style_features_open (training, &shape, &layer, error);
  if (graph == NULL)
    return FALSE;
  network = ens_network_new (graph, measuring->device, error);
  if (network != NULL)
    measuring->features = ens_network_plan (network, &shape, error);
  return measuring->features != NULL;
}

/* The square in the middle, in [−1, 1]. (transfer full) */
static float *
cut_middle (const Measuring *measuring, const EnsSmallPicture *picture)
{
  const guint side = measuring->side;
  guint left = (picture->width - side) / 2, top = (picture->height - side) / 2;
  float *out = g_new (float, (gsize)side *side * 3);

  for (guint y = 0; y < side; y++)
    for (guint x = 0; x < 3 * side; x++)
      out[(gsize)y * side * 3 + x] =
          picture->values[((gsize)(top + y) * picture->width + left) * 3 + x] / ENS_STYLE_MIDDLE
          - 1;
  return out;
}

static gboolean
add_features (const Measuring *measuring, const EnsSmallPicture *picture, EnsStyleMoments *moments,
              GError **error)
{
  g_autofree float *pixels = cut_middle (measuring, picture);
  const EnsShape *shape = ens_plan_get_output_shape (measuring->features, 0);
  gsize n = (gsize)ens_shape_elements (shape);
  g_autofree float *features = g_new (float, n);

  if (!ens_plan_run (measuring->features, (const gconstpointer[]) {pixels},
                     (const gpointer[]) {features}, error))
    return FALSE;
  ens_style_moments_add (moments, features, n / moments->n_channels);
  return TRUE;
}

static void
init_moments (const Measuring *measuring, EnsStyleMoments *moments)
{
  const EnsShape *shape = ens_plan_get_output_shape (measuring->features, 0);

  ens_style_moments_init (moments, (guint)shape->dims[3]);
}

/* Of B's pictures `first`, `first` + 2 …; step 1: all. */
static gboolean
add_others (const Measuring *measuring, guint first, guint step, EnsStyleMoments *moments,
            GError **error)
{
  const GPtrArray *pictures = measuring->pictures[B];

  init_moments (measuring, moments);
  for (guint i = first; i < pictures->len; i += step)
    if (!add_features (measuring, pictures->pdata[i], moments, error))
      return FALSE;
  return TRUE;
}

/* Between means and deviations of channels, in the second ones' deviations: the Fréchet distance of
 * normal distributions, channel by channel. */
static double
find_distance (const EnsStyleMoments *a, const EnsStyleMoments *b)
{
  double sum = 0;

  for (guint c = 0; c < b->n_channels; c++) {
    double deviation = fmax (ens_style_moments_deviation (b, c), 1e-3);
    double mean = ens_style_moments_mean (a, c) - ens_style_moments_mean (b, c);
    double spread = ens_style_moments_deviation (a, c) - deviation;

    sum += (mean * mean + spread * spread) / (deviation * deviation);
  }
  return sqrt (sum / b->n_channels);
}

static gboolean
measure_floor (Measuring *measuring, GError **error)
{
  EnsStyleMoments halves[2] = {{0}, {0}};
  gboolean done = add_others (measuring, 0, 2, &halves[0], error)
                  && add_others (measuring, 1, 2, &halves[1], error);

  if (done)
    measuring->measure->floor = find_distance (&halves[0], &halves[1]);
  for (guint i = 0; i < 2; i++)
    ens_style_moments_clear (&halves[i]);
  return done;
}

static gboolean
changes_pictures (EnsStyleMethod method)
{
  return method != ENS_STYLE_BATCH_NORM;
}

/* -- cards -- */

static void
add_cards (Measuring *measuring)
{
  guint n = MIN (measuring->params->n_cards, measuring->paths->len);
  guint n_others = MIN (measuring->params->n_cards, measuring->pictures[B]->len);

  for (guint i = 0; i < n; i++) {
    EnsStyleCard *card = g_new0 (EnsStyleCard, 1);

    card->path = g_strdup (measuring->paths->pdata[i * measuring->paths->len / n]);
    g_ptr_array_add (measuring->measure->cards, card);
  }
  for (guint i = 0; i < n_others; i++)
    g_ptr_array_add (
        measuring->measure->others,
        ens_small_picture_show (
            measuring->pictures[B]->pdata[i * measuring->pictures[B]->len / n_others]));
}

/* The card that shows picture i, or NULL. */
static EnsStyleCard *
find_card (const Measuring *measuring, guint i)
{
  const GPtrArray *cards = measuring->measure->cards;

  for (guint k = 0; k < cards->len; k++)
    if (i == k * measuring->paths->len / cards->len)
      return cards->pdata[k];
  return NULL;
}

/* -- distances -- */

static gboolean
adapt_all (Measuring *measuring, EnsStyleMethod method, EnsStyleMoments *moments, GError **error)
{
  const GPtrArray *pictures = measuring->pictures[A];

  init_moments (measuring, moments);
  for (guint i = 0; i < pictures->len; i++) {
    g_autoptr (EnsSmallPicture) adapted =
        ens_style_adapter_run (measuring->adapter, method, i, pictures->pdata[i], error);
    EnsStyleCard *card = find_card (measuring, i);

    if (adapted == NULL || !add_features (measuring, adapted, moments, error))
      return FALSE;
    if (card != NULL)
      card->pictures[method] = ens_small_picture_show (adapted);
  }
  return TRUE;
}

static gboolean
measure_distances (Measuring *measuring, GError **error)
{
  EnsStyleMoments others = {0}, moments = {0};
  gboolean done = add_others (measuring, 0, 1, &others, error);

  for (guint m = 0; done && m < ENS_STYLE_N_METHODS; m++) {
    if (!changes_pictures ((EnsStyleMethod)m))
      continue;
    done = ens_monitor_progress (measuring->monitor, "comparing pictures", m, ENS_STYLE_N_METHODS,
                                 error)
           && adapt_all (measuring, (EnsStyleMethod)m, &moments, error);
    if (done)
      measuring->measure->figures[m].distance = find_distance (&moments, &others);
    ens_style_moments_clear (&moments);
  }
  ens_style_moments_clear (&others);
  return done
         && ens_monitor_progress (measuring->monitor, "comparing pictures", ENS_STYLE_N_METHODS,
                                  ENS_STYLE_N_METHODS, error);
}

/* -- accuracy -- */

static gboolean
evaluate (Measuring *measuring, const EnsDataset *dataset, EnsEnsemble *ensemble,
          EnsStyleMethod method, GError **error)
{
  const EnsSplit split =
      dataset->samples[ENS_SPLIT_TEST]->len > 0 ? ENS_SPLIT_TEST : ENS_SPLIT_VALIDATION;
  g_autoptr (EnsEvaluation) evaluation = NULL;
  EnsStyleOpener opener;

  ens_style_opener_init (&opener, measuring->opener, measuring->adapter, method,
                         ens_style_get_training_size (measuring->params->training, A),
                         measuring->pool);
  evaluation =
      ens_evaluate (ensemble, dataset, split, NULL, &opener.opener, measuring->monitor, error);
  if (evaluation == NULL)
    return FALSE;
  measuring->measure->figures[method].accuracy = evaluation->rows[evaluation->n_rows - 1].accuracy;
  return TRUE;
}

/* With statistics of A's pictures. Networks without batch normalisation: not measured. */
static gboolean
evaluate_batch_norm (Measuring *measuring, const EnsDataset *dataset, GError **error)
{
  g_autofree char *folder = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  gboolean done;

  if (!ens_style_adapt_batch_norm (measuring->params->bundle, measuring->pictures[A],
                                   measuring->device, &folder, error))
    return FALSE;
  if (folder == NULL)
    return TRUE;
  ensemble = ens_ensemble_open (folder, measuring->device, error);
  done = ensemble != NULL && evaluate (measuring, dataset, ensemble, ENS_STYLE_NOTHING, error);
  ens_style_remove_bundle (folder);
  return done;
}

static gboolean
measure_accuracies (Measuring *measuring, GError **error)
{
  EnsStyleFigure *figures = measuring->measure->figures;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsDataset) dataset = NULL;

  if (measuring->params->bundle == NULL || measuring->params->test == NULL)
    return TRUE;
  ensemble = ens_ensemble_open (measuring->params->bundle, measuring->device, error);
  if (ensemble == NULL)
    return FALSE;
  dataset =
      ens_dataset_load (measuring->params->test,
                        (const char *const *)ens_ensemble_get_bundle (ensemble)->classes, error);
  if (dataset == NULL || !evaluate_batch_norm (measuring, dataset, error))
    return FALSE;
  figures[ENS_STYLE_BATCH_NORM].accuracy = figures[ENS_STYLE_NOTHING].accuracy;
  for (guint m = 0; m < ENS_STYLE_N_METHODS; m++)
    if (changes_pictures ((EnsStyleMethod)m)
        && !evaluate (measuring, dataset, ensemble, (EnsStyleMethod)m, error))
      return FALSE;
  return TRUE;
}

/* -- all of it -- */

/* Higher is better. */
static double
get_score (const EnsStyleMeasure *measure, guint method)
{
  const EnsStyleFigure *figure = &measure->figures[method];
  double score =
      isnan (measure->figures[ENS_STYLE_NOTHING].accuracy) ? -figure->distance : figure->accuracy;

  return isnan (score) ? -INFINITY : score;
}

static void
judge (EnsStyleMeasure *measure)
{
  double simple, style = get_score (measure, ENS_STYLE_LEARNT);

  measure->simple = ENS_STYLE_NOTHING;
  for (guint m = 0; m < ENS_STYLE_LEARNT; m++)
    if (get_score (measure, m) > get_score (measure, measure->simple))
      measure->simple = (EnsStyleMethod)m;
  simple = get_score (measure, measure->simple);
  measure->suffices = isnan (measure->figures[ENS_STYLE_NOTHING].accuracy)
                          ? -simple <= -style * DISTANCE_TOLERANCE
                          : simple >= style - ACCURACY_TOLERANCE;
}

gboolean
ens_style_measure (const EnsStyleMeasureParams *params, EnsDevice *device,
                   const EnsFrameOpener *opener, const EnsMonitor *monitor,
                   EnsStyleMeasure *measure, GError **error)
{
  g_auto (Measuring) measuring = {.params = params,
                                  .device = device,
                                  .pool = ens_device_get_pool (device),
                                  .opener = opener,
                                  .monitor = monitor,
                                  .paths = g_ptr_array_new_with_free_func (g_free),
                                  .measure = measure};

  *measure = (EnsStyleMeasure) {
      .cards = g_ptr_array_new_with_free_func (free_card),
      .others = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_picture_unref)};
  for (guint m = 0; m < ENS_STYLE_N_METHODS; m++)
    measure->figures[m] = (EnsStyleFigure) {NAN, NAN};
  if (load (&measuring, A, error) && load (&measuring, B, error)
      && plan_features (&measuring, error)) {
    measuring.adapter = ens_style_adapter_new (measuring.pictures[A], measuring.pictures[B],
                                               params->training->recipe.output, device, error);
    add_cards (&measuring);
  }
  if (measuring.adapter == NULL || !measure_floor (&measuring, error)
      || !measure_distances (&measuring, error) || !measure_accuracies (&measuring, error)) {
    ens_style_measure_clear (measure);
    return FALSE;
  }
  judge (measure);
  return TRUE;
}
