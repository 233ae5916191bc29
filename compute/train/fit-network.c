/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/fit-network.h"

#include <string.h>

#include "classify/folds.h"

/* ---- The images ---- */

void
ens_fit_images_init (EnsFitImages *images, const EnsFitFeatures *features, EnsFitMethod method)
{
  const EnsLabels *train = ens_fit_features_get_truth (features, ENS_SPLIT_TRAIN);
  const EnsLabels *validation = ens_fit_features_get_truth (features, ENS_SPLIT_VALIDATION);
  const gsize n_classes = validation->n_classes;
  guint8 *labels;

  images->first_validation = method == ENS_FIT_STANDARD ? train->n_samples : 0;
  images->truth.n_classes = validation->n_classes;
  images->truth.n_samples = images->first_validation + validation->n_samples;
  labels = g_new (guint8, images->truth.n_samples * n_classes);
  memcpy (labels, train->labels, images->first_validation * n_classes);
  memcpy (&labels[images->first_validation * n_classes], validation->labels,
          validation->n_samples * n_classes);
  images->truth.labels = labels;
  images->fold = ens_deal_folds (&images->truth);
}

void
ens_fit_images_clear (EnsFitImages *images)
{
  g_free ((gpointer)images->truth.labels);
  g_free (images->fold);
}

void
ens_fitted_network_clear (EnsFittedNetwork *fitted)
{
  ens_head_graphs_clear (&fitted->graphs);
  g_free (fitted->decisions);
  g_free (fitted->window_decisions);
  g_free (fitted->window_first);
}

/* ---- Examples ---- */

static gboolean
takes_windows (const EnsNetworkFit *fit)
{
  return fit->bundle->networks[fit->index].n_window_sizes > 0;
}

/* Decision values of n_rows rows of the network's features. */
static gboolean
decide (const EnsNetworkFit *fit, const EnsGraph *graph, const float *features, guint n_rows,
        float *decisions, GError **error)
{
  return ens_head_decide (
      &(EnsHeadRows) {.graph = graph,
                      .features = features,
                      .n_rows = n_rows,
                      .n_features = ens_fit_features_get_length (fit->features, fit->index),
                      .n_classes = fit->bundle->n_classes},
      decisions, fit->pool, error);
}

/* The windows of all training images, a row each; first[i]: of image i. (transfer full) */
static GArray *
read_training_windows (const EnsNetworkFit *fit, guint n_images, guint *first, GError **error)
{
  guint length = ens_fit_features_get_length (fit->features, fit->index);
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, length * sizeof (float));

  for (guint i = 0; i < n_images; i++) {
    g_autofree float *windows = NULL;
    guint n;

    windows =
        ens_fit_features_read_windows (fit->features, fit->index, ENS_SPLIT_TRAIN, i, &n, error);
    if (windows == NULL)
      return NULL;
    first[i] = rows->len;
    g_array_append_vals (rows, windows, n);
  }
  first[n_images] = rows->len;
  return g_steal_pointer (&rows);
}

/* The rows of the images that settings are chosen on. (transfer full) */
static float *
read_images (const EnsNetworkFit *fit, GError **error)
{
  const gsize length = ens_fit_features_get_length (fit->features, fit->index);
  const gsize n_before = fit->images->first_validation * length;
  const gsize n = fit->images->truth.n_samples * length;
  g_autofree float *validation =
      ens_fit_features_read_whole (fit->features, fit->index, ENS_SPLIT_VALIDATION, error);
  g_autofree float *train = NULL;

  if (validation == NULL || n_before == 0)
    return g_steal_pointer (&validation);
  train = ens_fit_features_read_whole (fit->features, fit->index, ENS_SPLIT_TRAIN, error);
  if (train == NULL)
    return NULL;
  train = g_renew (float, train, n);
  memcpy (&train[n_before], validation, (n - n_before) * sizeof *train);
  return g_steal_pointer (&train);
}

/* ---- Learning ---- */

static gboolean
learn (const EnsNetworkFit *fit, EnsHeadTask *task, EnsHeadGraphs *graphs, GError **error)
{
  task->examples.images.n_features = ens_fit_features_get_length (fit->features, fit->index);
  task->pool = fit->pool;
  task->monitor = fit->monitor;
  if (fit->head->learn (task, graphs, error))
    return TRUE;
  g_prefix_error (error, "network “%s”: ", fit->bundle->networks[fit->index].name);
  return FALSE;
}

/* The classifiers for whole images, trained on `rows`, all of them; and what each fold is told by
 * the others. */
static gboolean
learn_images (const EnsNetworkFit *fit, const float *rows, EnsFittedNetwork *fitted, GError **error)
{
  EnsHeadTask task = {.options = fitted->options, .decisions = fitted->decisions};

  task.examples.images.truth = fit->images->truth;
  task.examples.images.features = rows;
  return learn (fit, &task, &fitted->graphs, error);
}

/* Classifiers trained on the training split, for windows too unless they have to do with those for
 * whole images. */
static gboolean
learn_training_split (const EnsNetworkFit *fit, gboolean with_windows, EnsFittedNetwork *fitted,
                      EnsHeadGraphs *graphs, GError **error)
{
  const EnsLabels *truth = ens_fit_features_get_truth (fit->features, ENS_SPLIT_TRAIN);
  g_autofree float *images =
      ens_fit_features_read_whole (fit->features, fit->index, ENS_SPLIT_TRAIN, error);
  g_autofree guint *first = NULL;
  g_autoptr (GArray) windows = NULL;
  EnsHeadTask task = {.options = fitted->options};

  if (images == NULL)
    return FALSE;
  if (with_windows) {
    first = g_new (guint, truth->n_samples + 1);
    windows = read_training_windows (fit, truth->n_samples, first, error);
    if (windows == NULL)
      return FALSE;
    task.examples.windows = (const float *)windows->data;
  }
  task.examples.images.truth = *truth;
  task.examples.images.features = images;
  task.examples.first = first;
  return learn (fit, &task, graphs, error);
}

/* ---- Windows of validation images ---- */

/* Decision values of all windows of the validation images. */
static gboolean
decide_windows (const EnsNetworkFit *fit, EnsFittedNetwork *fitted, GError **error)
{
  const EnsLabels *truth = ens_fit_features_get_truth (fit->features, ENS_SPLIT_VALIDATION);
  g_autoptr (GArray) decisions = g_array_new (FALSE, FALSE, truth->n_classes * sizeof (float));

  fitted->window_first = g_new0 (guint, truth->n_samples + 1);
  for (guint i = 0; i < truth->n_samples; i++) {
    g_autofree float *rows = NULL;
    guint n;

    rows = ens_fit_features_read_windows (fit->features, fit->index, ENS_SPLIT_VALIDATION, i, &n,
                                          error);
    if (rows == NULL)
      return FALSE;
    g_array_set_size (decisions, decisions->len + n);
    if (!decide (fit, fitted->graphs.windows, rows, n,
                 (float *)decisions->data + (gsize)fitted->window_first[i] * truth->n_classes,
                 error))
      return FALSE;
    fitted->window_first[i + 1] = decisions->len;
  }
  fitted->window_decisions = (float *)g_array_free (g_steal_pointer (&decisions), FALSE);
  return TRUE;
}

/* ---- The two methods ---- */

static gboolean
fit_standard (const EnsNetworkFit *fit, const float *rows, EnsFittedNetwork *fitted, GError **error)
{
  g_auto (EnsHeadGraphs) on_training_split = {0};

  if (!learn_images (fit, rows, fitted, error))
    return FALSE;
  if (!takes_windows (fit))
    return TRUE;
  if (!learn_training_split (fit, TRUE, fitted, &on_training_split, error))
    return FALSE;
  fitted->graphs.windows = g_steal_pointer (&on_training_split.windows);
  return TRUE;
}

static gboolean
fit_document (const EnsNetworkFit *fit, const float *rows, EnsFittedNetwork *fitted, GError **error)
{
  if (!learn_training_split (fit, FALSE, fitted, &fitted->graphs, error)
      || !decide (fit, fitted->graphs.images, rows, fit->images->truth.n_samples, fitted->decisions,
                  error))
    return FALSE;
  if (takes_windows (fit))
    fitted->graphs.windows = ens_graph_copy (fitted->graphs.images);
  return TRUE;
}

gboolean
ens_fit_network (const EnsNetworkFit *fit, EnsFittedNetwork *fitted, GError **error)
{
  const EnsLabels *truth = &fit->images->truth;
  g_autofree float *rows = read_images (fit, error);

  if (rows == NULL)
    return FALSE;
  fitted->decisions = g_new (float, (gsize)truth->n_samples * truth->n_classes);
  if (!(fit->method == ENS_FIT_STANDARD ? fit_standard : fit_document) (fit, rows, fitted, error))
    return FALSE;
  return !takes_windows (fit) || decide_windows (fit, fitted, error);
}
