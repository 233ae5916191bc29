/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/fit-network.h"

#include <string.h>

#include "classify/calibration.h"

void
ens_fitted_network_clear (EnsFittedNetwork *fitted)
{
  ens_head_graphs_clear (&fitted->graphs);
  g_free (fitted->probabilities);
  g_free (fitted->window_decisions);
  g_free (fitted->window_first);
}

static EnsBundleNetwork *
get_network (const EnsNetworkFit *fit)
{
  return &fit->bundle->networks[fit->index];
}

/* (a, b) of each class. (transfer full) */
static EnsCalibration *
calibrate (const EnsNetworkFit *fit, const EnsLabels *truth, const float *decisions,
           const char *what)
{
  EnsCalibration *calibration = g_new (EnsCalibration, truth->n_classes);

  for (guint c = 0; c < truth->n_classes; c++)
    if (!ens_calibration_fit (truth, decisions, c, &calibration[c]))
      ens_monitor_note (fit->monitor,
                        "%s: “%s” on %s is not calibrated: of the validation images none or all "
                        "have it, or decision values don't rise with it",
                        get_network (fit)->name, fit->bundle->classes[c], what);
  return calibration;
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

/* ---- Training images ---- */

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

static gboolean
learn (const EnsNetworkFit *fit, EnsFittedNetwork *fitted, GError **error)
{
  const EnsLabels *truth = ens_fit_features_get_truth (fit->features, ENS_SPLIT_TRAIN);
  g_autofree float *images =
      ens_fit_features_read_whole (fit->features, fit->index, ENS_SPLIT_TRAIN, error);
  g_autofree guint *first = NULL;
  g_autoptr (GArray) windows = NULL;
  EnsHeadTask task = {.options = fitted->options, .pool = fit->pool, .monitor = fit->monitor};

  if (images == NULL)
    return FALSE;
  if (get_network (fit)->n_window_sizes > 0) {
    first = g_new (guint, truth->n_samples + 1);
    windows = read_training_windows (fit, truth->n_samples, first, error);
    if (windows == NULL)
      return FALSE;
  }
  task.examples = (EnsBags) {
      .images = {*truth, ens_fit_features_get_length (fit->features, fit->index), images},
      .first = first,
      .windows = windows != NULL ? (const float *)windows->data : NULL,
  };
  if (fit->head->learn (&task, &fitted->graphs, error))
    return TRUE;
  g_prefix_error (error, "network “%s”: ", get_network (fit)->name);
  return FALSE;
}

/* ---- Whole validation images ---- */

static gboolean
calibrate_whole (const EnsNetworkFit *fit, const EnsLabels *truth, EnsFittedNetwork *fitted,
                 GError **error)
{
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  g_autofree float *decisions = g_new (float, n_values);
  g_autofree float *rows =
      ens_fit_features_read_whole (fit->features, fit->index, ENS_SPLIT_VALIDATION, error);
  EnsCalibration *calibration;

  if (rows == NULL
      || !decide (fit, fitted->graphs.images, rows, truth->n_samples, decisions, error))
    return FALSE;
  calibration = calibrate (fit, truth, decisions, "whole images");
  fitted->probabilities = g_new (float, n_values);
  for (gsize i = 0; i < n_values; i++)
    fitted->probabilities[i] =
        ens_calibration_apply (&calibration[i % truth->n_classes], decisions[i]);
  get_network (fit)->calibration = calibration;
  return TRUE;
}

/* ---- Windows of validation images ---- */

/* Each class's highest decision value over the image's windows, of which there is at least one. */
static void
find_highest (const EnsFittedNetwork *fitted, guint image, guint n_classes, float *highest)
{
  for (guint w = fitted->window_first[image]; w < fitted->window_first[image + 1]; w++)
    for (guint c = 0; c < n_classes; c++) {
      float decision = fitted->window_decisions[(gsize)w * n_classes + c];

      if (w == fitted->window_first[image] || decision > highest[c])
        highest[c] = decision;
    }
}

/* Decision values of all windows of the validation images. */
static gboolean
decide_windows (const EnsNetworkFit *fit, const EnsLabels *truth, EnsFittedNetwork *fitted,
                GError **error)
{
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

/* Fitted to the highest of each image's windows, which is what P3 is made from. Images without
 * windows tell nothing and are left out. */
static void
calibrate_windows (const EnsNetworkFit *fit, const EnsLabels *truth, const EnsFittedNetwork *fitted)
{
  guint n_classes = truth->n_classes;
  g_autofree float *highest = g_new (float, (gsize)truth->n_samples *n_classes);
  g_autofree guint8 *labels = g_new (guint8, (gsize)truth->n_samples * n_classes);
  EnsLabels seen = {0, n_classes, labels};

  for (guint i = 0; i < truth->n_samples; i++) {
    if (fitted->window_first[i] == fitted->window_first[i + 1])
      continue;
    find_highest (fitted, i, n_classes, &highest[(gsize)seen.n_samples * n_classes]);
    memcpy (&labels[(gsize)seen.n_samples * n_classes], &truth->labels[(gsize)i * n_classes],
            n_classes);
    seen.n_samples++;
  }
  get_network (fit)->window_calibration = calibrate (fit, &seen, highest, "windows");
}

gboolean
ens_fit_network (const EnsNetworkFit *fit, EnsFittedNetwork *fitted, GError **error)
{
  const EnsLabels *validation = ens_fit_features_get_truth (fit->features, ENS_SPLIT_VALIDATION);

  if (!learn (fit, fitted, error) || !calibrate_whole (fit, validation, fitted, error))
    return FALSE;
  if (get_network (fit)->n_window_sizes == 0)
    return TRUE;
  if (!decide_windows (fit, validation, fitted, error))
    return FALSE;
  calibrate_windows (fit, validation, fitted);
  return TRUE;
}
