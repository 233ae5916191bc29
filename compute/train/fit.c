/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Training, step by step: the data set, features, classifiers, fusion, the bundle. */
#include <string.h>

#include "base/fail.h"
#include "ensemble/bundle-private.h"
#include "train/fit-private.h"

static const char *const default_heads[] = {"svm", "svm,root=0"}; /* of the methods */

void
ens_fit_clear (EnsFit *fit)
{
  for (guint i = 0; fit->contents != NULL && i < fit->params->n_networks; i++) {
    ens_fitted_network_clear (&fit->networks[i]);
    g_clear_pointer (&fit->contents[i], g_bytes_unref);
  }
  g_free (fit->networks);
  g_free (fit->contents);
  g_free (fit->paths);
  ens_fit_images_clear (&fit->images);
  ens_fitted_gate_clear (&fit->gate);
  ens_bundle_free (fit->bundle);
  ens_dataset_free (fit->dataset);
  ens_dataset_free (fit->unrelated);
}

/* ---- The data set ---- */

/* A class that no training image is without can't be told from anything. */
static gboolean
check_class (const EnsDataset *dataset, const EnsLabels *truth, guint class, GError **error)
{
  guint n[3] = {0}; /* by label */

  for (guint i = 0; i < truth->n_samples; i++)
    n[truth->labels[(gsize)i * truth->n_classes + class]]++;
  return (n[ENS_LABEL_PRESENT] > 0 && n[ENS_LABEL_ABSENT] > 0)
         || ens_fail (error, ENS_ERROR_DATA, dataset->folder,
                      "class “%s”: expected training images with and without it, found %u with and "
                      "%u without; add images of another class, or some that show none in a folder "
                      "“none”",
                      dataset->classes[class], n[ENS_LABEL_PRESENT], n[ENS_LABEL_ABSENT]);
}

/* truth: of training images, all of them or those that could be read. */
static gboolean
check_classes (const EnsDataset *dataset, const EnsLabels *truth, GError **error)
{
  for (guint c = 0; c < truth->n_classes; c++)
    if (!check_class (dataset, truth, c, error))
      return FALSE;
  return TRUE;
}

/* Before hours are spent on it. */
static gboolean
check_dataset (const EnsDataset *dataset, GError **error)
{
  g_autofree guint8 *labels = ens_dataset_copy_labels (dataset, ENS_SPLIT_TRAIN);
  const EnsLabels truth = {dataset->samples[ENS_SPLIT_TRAIN]->len, dataset->n_classes, labels};

  return ens_dataset_require (dataset, ENS_SPLIT_TRAIN, error)
         && ens_dataset_require (dataset, ENS_SPLIT_VALIDATION, error)
         && check_classes (dataset, &truth, error);
}

/* ---- Features and classifiers ---- */

/* What counts as large are frames larger than the training images. */
static gboolean
set_sub_images (EnsFit *fit, EnsFitFeatures *features, GError **error)
{
  EnsSubImageSettings *settings = &fit->bundle->sub_images;
  float side;

  if (!ens_fit_features_read_side (features, ENS_SPLIT_TRAIN, &side, error))
    return FALSE;
  *settings = ENS_SUB_IMAGE_DEFAULTS;
  settings->size = MAX ((guint)(side + 0.5F), ENS_MIN_SUB_IMAGE_SIZE);
  return TRUE;
}

static gboolean
fit_networks (EnsFit *fit, EnsFitFeatures *features, GError **error)
{
  EnsNetworkFit job = {.features = features,
                       .images = &fit->images,
                       .bundle = fit->bundle,
                       .method = fit->params->method,
                       .head = fit->head,
                       .pool = ens_device_get_pool (fit->device),
                       .monitor = fit->monitor};

  ens_fit_images_init (&fit->images, features, fit->params->method);
  for (job.index = 0; job.index < fit->bundle->n_networks; job.index++) {
    if (!ens_monitor_progress (fit->monitor, "training classifiers", job.index,
                               fit->bundle->n_networks, error))
      return FALSE;
    memcpy (fit->networks[job.index].options, fit->head_options, sizeof fit->head_options);
    if (!ens_fit_network (&job, &fit->networks[job.index], error))
      return FALSE;
  }
  return ens_monitor_progress (fit->monitor, "training classifiers", job.index, job.index, error);
}

/* ---- All of it ---- */

static gboolean
load_dataset (EnsFit *fit, GError **error)
{
  fit->dataset = ens_dataset_load (fit->params->dataset, NULL, error);
  if (fit->dataset == NULL)
    return FALSE;
  ens_dataset_tell (fit->dataset, fit->monitor);
  if (fit->params->one_class != NULL
      && !ens_dataset_keep_class (fit->dataset, fit->params->one_class, error))
    return FALSE;
  return check_dataset (fit->dataset, error);
}

/* While the stores of this training are open, and so stay. */
static void
prune_cache (const EnsFit *fit, const char *cache)
{
  const double mebibyte = 1 << 20;
  EnsFeatureCachePruned pruned;

  if (fit->params->cache_limit < 0)
    return;
  pruned = ens_feature_cache_prune (cache, (guint64)fit->params->cache_limit);
  if (pruned.n > 0)
    ens_monitor_note (fit->monitor,
                      "%s: removed features of other trainings, %.0f MiB, the least recently used "
                      "first: the cache may hold %.0f MiB",
                      cache, (double)pruned.size / mebibyte,
                      (double)fit->params->cache_limit / mebibyte);
}

gboolean
ens_fit_prepare (EnsFit *fit, GError **error)
{
  guint n = fit->params->n_networks;

  if (n > ENS_MAX_NETWORKS) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
                 "expected at most %u networks, which is what a bundle holds, found %u",
                 ENS_MAX_NETWORKS, n);
    return FALSE;
  }
  fit->paths = g_new0 (const char *, n);
  fit->contents = g_new0 (GBytes *, n);
  fit->networks = g_new0 (EnsFittedNetwork, n);
  return ens_fit_prepare_gate (fit, error) && ens_fit_set_up (fit, error);
}

char *
ens_fit_choose_cache (const EnsFitParams *params)
{
  return params->cache != NULL
             ? g_strdup (params->cache)
             : g_build_filename (g_get_user_cache_dir (), "gst-ensemble", "features", NULL);
}

EnsEvaluation *
ens_fit (const EnsFitParams *params, EnsDevice *device, const EnsFrameOpener *opener,
         const EnsMonitor *monitor, GError **error)
{
  g_autofree char *cache = ens_fit_choose_cache (params);
  g_auto (EnsFit) fit = {.params = params, .device = device, .monitor = monitor};
  g_autoptr (EnsFitFeatures) features = NULL;
  g_autoptr (EnsEvaluation) evaluation = NULL;
  EnsFitSource source;

  g_return_val_if_fail (params->n_networks > 0, NULL);

  fit.head = ens_head_parse (params->head != NULL ? params->head : default_heads[params->method],
                             fit.head_options, error);
  if (fit.head == NULL || !ens_bundle_check_target (params->bundle, error)
      || !load_dataset (&fit, error) || !ens_fit_prepare (&fit, error))
    return NULL;
  source = (EnsFitSource) {fit.bundle, fit.paths, fit.contents, cache, device};
  features = ens_fit_features_new (&source, error);
  if (features == NULL || !ens_fit_features_fill (features, fit.dataset, opener, monitor, error)
      || !ens_fit_fill_unrelated (&fit, features, opener, error))
    return NULL;
  prune_cache (&fit, cache);
  if (!check_classes (fit.dataset, ens_fit_features_get_truth (features, ENS_SPLIT_TRAIN), error)
      || !set_sub_images (&fit, features, error) || !fit_networks (&fit, features, error))
    return NULL;
  evaluation =
      ens_fit_fusion (&fit, ens_fit_features_get_n_broken (features, ENS_SPLIT_VALIDATION));
  if (!ens_fit_gate (&fit, features, evaluation, error))
    return NULL;
  fit.bundle->provenance = ens_fit_describe_origin (&fit, features, evaluation);
  if (!ens_fit_features_look (features, fit.dataset, opener, monitor, error)
      || !ens_fit_diagnose (&fit, features, evaluation, error))
    return NULL;
  evaluation->notes = ens_dataset_copy_notes (fit.dataset);
  return ens_fit_write_bundle (&fit, error) ? g_steal_pointer (&evaluation) : NULL;
}
