/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two methods choose, and how. */
#include <string.h>

#include "classify/metrics.h"
#include "classify/search.h"
#include "train/fit-fusion.h"

/* ---- Calibration ---- */

/* (a, b) of each class. what: in a note on a class for which none can be fitted. */
static void
calibrate (const EnsFitScores *scores, const EnsLabels *seen, const float *decisions,
           const char *what, EnsCalibration *calibration)
{
  for (guint c = 0; c < seen->n_classes; c++)
    if (!ens_calibration_fit (seen, decisions, c, &calibration[c]))
      ens_monitor_note (scores->monitor,
                        "%s: “%s” is not calibrated: of the images none or all have it, or "
                        "decision values don't rise with it",
                        what, scores->fit->bundle->classes[c]);
}

/* held_out: of `seen` what networks that have learnt the training images are calibrated by. */
static void
calibrate_networks (EnsFitScores *scores, const EnsLabels *seen, const EnsLabels *held_out)
{
  EnsBundle *bundle = scores->fit->bundle;

  for (guint n = 0; n < bundle->n_networks; n++)
    calibrate (scores, scores->fit->learnt[n] ? held_out : seen, scores->fit->networks[n].decisions,
               bundle->networks[n].name, bundle->networks[n].calibration);
}

/* Each class's highest decision value over the windows of an image, of which there is at least one.
 */
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

/* Fitted to the highest of each image's windows, which is what P3 is made from: the whole image's
 * (a, b) would promise too much. Images without windows tell nothing and are left out. */
static void
calibrate_windows (EnsFitScores *scores, const EnsLabels *seen, guint n)
{
  const EnsFit *fit = scores->fit;
  const EnsFittedNetwork *fitted = &fit->networks[n];
  EnsBundleNetwork *network = &fit->bundle->networks[n];
  const guint n_classes = seen->n_classes, before = fit->images.first_validation;
  g_autofree float *highest = g_new (float, scores->n_values);
  g_autofree guint8 *labels = g_new (guint8, scores->n_values);
  g_autofree char *what = g_strconcat (network->name, ", windows", NULL);
  EnsLabels known = {0, n_classes, labels};

  for (guint i = before; i < seen->n_samples; i++) {
    if (fitted->window_first[i - before] == fitted->window_first[i - before + 1])
      continue;
    find_highest (fitted, i - before, n_classes, &highest[(gsize)known.n_samples * n_classes]);
    memcpy (&labels[(gsize)known.n_samples * n_classes], &seen->labels[(gsize)i * n_classes],
            n_classes);
    known.n_samples++;
  }
  calibrate (scores, &known, highest, what, network->window_calibration);
}

/* The labels of the validation images alone, which have windows, and which no network has learnt.
 * (transfer full) */
static guint8 *
hide_training_split (const EnsFit *fit, const EnsLabels *seen)
{
  const gsize n = (gsize)seen->n_samples * seen->n_classes;
  guint8 *labels = g_memdup2 (seen->labels, n);

  memset (labels, ENS_LABEL_UNKNOWN, (gsize)fit->images.first_validation * seen->n_classes);
  return labels;
}

static void
choose_thresholds (const EnsLabels *seen, const float *scores, float *thresholds)
{
  for (guint c = 0; c < seen->n_classes; c++)
    thresholds[c] = ens_best_threshold (seen, scores, c);
}

/* ---- Standard ---- */

/* Weights are chosen over all networks jointly; a role's weight is the sum of its networks'. */
static void
weigh_networks (EnsFitScores *scores, const EnsLabels *seen)
{
  EnsBundle *bundle = scores->fit->bundle;
  const guint n_networks = bundle->n_networks;
  g_autofree float *log_odds = g_new (float, scores->n_values *n_networks);
  const float *of_network[ENS_MAX_NETWORKS];
  float weights[ENS_MAX_NETWORKS], sums[2] = {0, 0};
  guint n[2] = {0, 0};

  for (guint i = 0; i < n_networks; i++) {
    float *values = &log_odds[i * scores->n_values];

    for (gsize v = 0; v < scores->n_values; v++)
      values[v] = ens_log_odds (scores->probabilities[i][v]);
    of_network[i] = values;
  }
  ens_search_network_weights (seen, of_network, n_networks, weights);
  for (guint i = 0; i < n_networks; i++) {
    sums[bundle->networks[i].role] += weights[i];
    n[bundle->networks[i].role]++;
  }
  for (guint i = 0; i < n_networks; i++) {
    const EnsRole role = bundle->networks[i].role;

    bundle->networks[i].weight = sums[role] > 0 ? weights[i] / sums[role] : 1.0F / n[role];
  }
  bundle->whole_weight = n[ENS_ROLE_ORIGINAL] > 0 ? MIN (sums[ENS_ROLE_RETRAINED], 1) : 1;
  bundle->window_weight = bundle->whole_weight;
}

/* z of all images, with windows where they have any. (transfer full) */
static float *
mix (const EnsFitScores *scores, gboolean with_windows)
{
  const EnsFusion fusion = ens_bundle_get_fusion (scores->fit->bundle, with_windows);
  const guint n_classes = scores->fit->bundle->n_classes;
  float *z = g_new (float, scores->n_values);

  for (gsize at = 0; at < scores->n_values; at += n_classes)
    ens_fusion_mix (&fusion, &scores->p1[at], &scores->p2[at],
                    with_windows ? &scores->p3[at] : NULL, n_classes, &z[at]);
  return z;
}

/* Calibrates z, each class by itself; where classes exclude each other, all together too. */
static void
calibrate_fusion (EnsFitScores *scores, const EnsLabels *seen, float *z, const char *what,
                  EnsCalibration *calibration, EnsCalibration *softmax)
{
  calibrate (scores, seen, z, what, calibration);
  if (!scores->fit->bundle->exclusive)
    return;
  for (gsize i = 0; i < scores->n_values; i++) {
    const EnsCalibration *own = &calibration[i % seen->n_classes];

    z[i] = own->a * z[i] + own->b;
  }
  ens_softmax_fit (seen, z, softmax);
}

/* The windows' share with the highest mean average precision on the images that have windows. */
static void
choose_share (EnsFitScores *scores, const EnsLabels *seen)
{
  static const float shares[] = {0, 0.25F, 0.5F, 0.75F};
  EnsBundle *bundle = scores->fit->bundle;
  double best = -1;
  float best_share = 0;

  for (guint i = 0; i < G_N_ELEMENTS (shares); i++) {
    g_autofree float *z = NULL;
    double precision;

    bundle->window_share = shares[i];
    z = mix (scores, TRUE);
    precision = ens_mean_average_precision (seen, z);
    if (!(precision > best))
      continue;
    best = precision;
    best_share = shares[i];
  }
  bundle->window_share = best_share;
}

static void
choose_with_windows (EnsFitScores *scores, const EnsLabels *seen)
{
  EnsBundle *bundle = scores->fit->bundle;
  g_autofree guint8 *labels = hide_training_split (scores->fit, seen);
  const EnsLabels known = {seen->n_samples, seen->n_classes, labels};
  g_autofree float *z = NULL;

  choose_share (scores, &known);
  z = mix (scores, TRUE);
  calibrate_fusion (scores, &known, z, "with windows", bundle->calibration, &bundle->softmax);
  ens_fit_score_fusion (scores);
  choose_thresholds (&known, scores->with, bundle->thresholds);
}

static void
allocate_calibrations (EnsFit *fit)
{
  EnsBundle *bundle = fit->bundle;

  bundle->fusion = ENS_FUSION_LOG_ODDS;
  bundle->exclusive = bundle->n_classes > 1 && !ens_labels_is_multi_label (&fit->images.truth);
  if (bundle->calibration != NULL)
    return;
  bundle->calibration = g_new (EnsCalibration, bundle->n_classes);
  bundle->whole_calibration = g_new (EnsCalibration, bundle->n_classes);
}

static gboolean
any_has_learnt (const EnsFit *fit)
{
  for (guint n = 0; n < fit->bundle->n_networks; n++)
    if (fit->learnt[n])
      return TRUE;
  return FALSE;
}

void
ens_fit_choose_standard (EnsFitScores *scores, const EnsLabels *seen)
{
  EnsFit *fit = scores->fit;
  EnsBundle *bundle = fit->bundle;
  g_autofree guint8 *labels = hide_training_split (fit, seen);
  const EnsLabels held_out = {seen->n_samples, seen->n_classes, labels};
  g_autofree float *z = NULL;

  allocate_calibrations (fit);
  calibrate_networks (scores, seen, &held_out);
  if (any_has_learnt (fit))
    seen = &held_out;
  for (guint n = 0; fit->with_windows && n < bundle->n_networks; n++)
    if (bundle->networks[n].window_calibration != NULL)
      calibrate_windows (scores, seen, n);
  ens_fit_score_networks (scores);
  weigh_networks (scores, seen);
  ens_fit_score_roles (scores);
  z = mix (scores, FALSE);
  calibrate_fusion (scores, seen, z, "the networks together", bundle->whole_calibration,
                    &bundle->whole_softmax);
  memcpy (bundle->calibration, bundle->whole_calibration,
          bundle->n_classes * sizeof *bundle->calibration);
  bundle->softmax = bundle->whole_softmax;
  ens_fit_score_fusion (scores);
  choose_thresholds (seen, scores->without, bundle->whole_thresholds);
  memcpy (bundle->thresholds, bundle->whole_thresholds,
          bundle->n_classes * sizeof *bundle->thresholds);
  if (fit->with_windows)
    choose_with_windows (scores, seen);
}

/* ---- Document ---- */

/* Windows are judged as whole images are. */
static void
calibrate_document (EnsFitScores *scores, const EnsLabels *seen)
{
  EnsBundle *bundle = scores->fit->bundle;

  if (scores->fit->params->plain_sigmoid)
    for (guint n = 0; n < bundle->n_networks; n++)
      for (guint c = 0; c < bundle->n_classes; c++)
        bundle->networks[n].calibration[c] = (EnsCalibration) {1, 0};
  else
    calibrate_networks (scores, seen, seen);
  for (guint n = 0; n < bundle->n_networks; n++)
    if (bundle->networks[n].window_calibration != NULL)
      memcpy (bundle->networks[n].window_calibration, bundle->networks[n].calibration,
              bundle->n_classes * sizeof (EnsCalibration));
}

/* The weights of a role's networks. */
static void
weigh_role (EnsFitScores *scores, const EnsLabels *seen, EnsRole role)
{
  EnsBundle *bundle = scores->fit->bundle;
  EnsRoleNetworks networks = ens_bundle_list_role (bundle, role);
  const float *probabilities[ENS_MAX_NETWORKS];

  if (networks.n == 0)
    return;
  for (guint i = 0; i < networks.n; i++)
    probabilities[i] = scores->probabilities[networks.index[i]];
  ens_search_network_weights (seen, probabilities, networks.n, networks.weights);
  for (guint i = 0; i < networks.n; i++)
    bundle->networks[networks.index[i]].weight = networks.weights[i];
}

/* w, without windows and with them. */
static void
weigh_roles (EnsFitScores *scores, const EnsLabels *seen)
{
  EnsBundle *bundle = scores->fit->bundle;
  const gboolean original = ens_bundle_list_role (bundle, ENS_ROLE_ORIGINAL).n > 0;
  const gboolean retrained = ens_bundle_list_role (bundle, ENS_ROLE_RETRAINED).n > 0;

  if (original && retrained)
    ens_search_fusion_weight (seen, scores->p1, scores->p2, NULL, &bundle->whole_weight);
  else
    bundle->whole_weight = retrained ? 1 : 0;
  if (scores->fit->with_windows)
    ens_search_fusion_weight (seen, scores->p1, scores->p2, scores->p3, &bundle->window_weight);
  else
    bundle->window_weight = bundle->whole_weight;
}

void
ens_fit_choose_document (EnsFitScores *scores, const EnsLabels *seen)
{
  EnsBundle *bundle = scores->fit->bundle;

  calibrate_document (scores, seen);
  ens_fit_score_networks (scores);
  weigh_role (scores, seen, ENS_ROLE_ORIGINAL);
  weigh_role (scores, seen, ENS_ROLE_RETRAINED);
  ens_fit_score_roles (scores);
  weigh_roles (scores, seen);
  ens_fit_score_fusion (scores);
  choose_thresholds (seen, scores->without, bundle->whole_thresholds);
  choose_thresholds (seen, scores->with, bundle->thresholds);
}
