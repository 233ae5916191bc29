/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fusion, chosen on the validation split (M1.6–M1.8). */
#include <string.h>

#include "classify/fusion.h"
#include "classify/metrics.h"
#include "classify/search.h"
#include "train/fit-private.h"

/* A discount after which windows don't count: nothing is left of P3 beside P2. */
#define NO_WINDOWS 16

/* Mean average precision that windows must gain to count for more: less is what one or two images
 * of a validation split decide. */
#define MIN_GAIN 1e-3

/* Chooses the weights of a role's networks (M1.6) and gives their average on the validation split:
 * P1 or P2, zeroes if there are none. (transfer full) */
static float *
weigh_role (EnsFit *fit, const EnsLabels *truth, EnsRole role)
{
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  EnsRoleNetworks networks = ens_bundle_list_role (fit->bundle, role);
  const float *probabilities[ENS_MAX_NETWORKS];
  float *average = g_new (float, n_values);

  for (guint i = 0; i < networks.n; i++)
    probabilities[i] = fit->networks[networks.index[i]].probabilities;
  if (networks.n > 0)
    ens_search_network_weights (truth, probabilities, networks.n, networks.weights);
  for (guint i = 0; i < networks.n; i++)
    fit->bundle->networks[networks.index[i]].weight = networks.weights[i];
  ens_fusion_average (probabilities, networks.weights, networks.n, n_values, average);
  return average;
}

/* P3 of one image (M1.7): its windows' probabilities, averaged over networks, their maximum taken;
 * decision values are lowered by `discount` after scaling by a. */
static void
fuse_windows (const EnsFit *fit, const EnsRoleNetworks *networks, guint image, float discount,
              float *p3)
{
  const guint n_classes = fit->bundle->n_classes;
  const guint *first = &fit->networks[networks->index[0]].window_first[image];
  guint n_windows = first[1] - first[0];
  g_autofree float *average = g_new0 (float, (gsize)n_windows *n_classes);
  g_autofree gint *best = g_new (gint, n_classes);

  for (guint i = 0; i < networks->n; i++) {
    const EnsFittedNetwork *fitted = &fit->networks[networks->index[i]];
    const EnsCalibration *calibration =
        fit->bundle->networks[networks->index[i]].window_calibration;
    const float *decisions = &fitted->window_decisions[(gsize)first[0] * n_classes];

    for (guint v = 0; v < n_windows * n_classes; v++) {
      EnsCalibration lowered = calibration[v % n_classes];

      lowered.b -= discount;
      average[v] += networks->weights[i] * ens_calibration_apply (&lowered, decisions[v]);
    }
  }
  ens_fusion_maximum (average, n_windows, n_classes, p3, best);
}

/* From windows that don't count to windows that count fully, as far as each step is worth it:
 * chooses w and the windows' discount together (M1.8), puts the discount into the windows'
 * calibrations, and gives P3. (transfer full) */
static float *
weigh_windows (EnsFit *fit, const EnsLabels *truth, const EnsRoleNetworks *retrained,
               const float *p1, const float *p2)
{
  static const float discounts[] = {NO_WINDOWS, 4, 3, 2, 1.5F, 1, 0.5F, 0};
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  g_autofree float *p3 = g_new (float, n_values);
  g_autofree float *best_p3 = g_new (float, n_values);
  float best_discount = 0;
  double best = -1;

  for (guint d = 0; d < G_N_ELEMENTS (discounts); d++) {
    double precision;
    float w;

    for (guint i = 0; i < truth->n_samples; i++)
      fuse_windows (fit, retrained, i, discounts[d], &p3[(gsize)i * truth->n_classes]);
    precision = ens_search_fusion_weight (truth, p1, p2, p3, &w);
    if (!(precision > best + MIN_GAIN))
      continue;
    best = precision;
    best_discount = discounts[d];
    fit->bundle->window_weight = w;
    memcpy (best_p3, p3, n_values * sizeof *p3);
  }
  for (guint i = 0; i < retrained->n; i++)
    for (guint c = 0; c < truth->n_classes; c++)
      fit->bundle->networks[retrained->index[i]].window_calibration[c].b -= best_discount;
  if (best_discount == NO_WINDOWS)
    ens_monitor_note (fit->monitor, "windows (region proposals) don't help on the validation "
                                    "images; they are classified, but their "
                                    "probabilities are too low to count");
  return g_steal_pointer (&best_p3);
}

/* (transfer full) */
static float *
combine (const EnsLabels *truth, const float *p1, const float *p2, const float *p3, float w)
{
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  float *p = g_new (float, n_values);

  for (gsize i = 0; i < n_values; i++)
    p[i] = ens_fusion_combine (p1[i], p2[i], p3 != NULL ? p3[i] : 0, w);
  return p;
}

EnsEvaluation *
ens_fit_fusion (EnsFit *fit, const EnsLabels *truth, guint n_broken)
{
  EnsBundle *bundle = fit->bundle;
  g_autofree float *p2 = weigh_role (fit, truth, ENS_ROLE_ORIGINAL);
  g_autofree float *p1 = weigh_role (fit, truth, ENS_ROLE_RETRAINED);
  EnsRoleNetworks original = ens_bundle_list_role (bundle, ENS_ROLE_ORIGINAL);
  EnsRoleNetworks retrained = ens_bundle_list_role (bundle, ENS_ROLE_RETRAINED);
  g_autofree float *p3 = NULL, *without = NULL, *with = NULL;
  EnsEvaluation *evaluation;

  if (original.n > 0 && retrained.n > 0)
    ens_search_fusion_weight (truth, p1, p2, NULL, &bundle->whole_weight);
  else
    bundle->whole_weight = retrained.n > 0 ? 1 : 0;
  without = combine (truth, p1, p2, NULL, bundle->whole_weight);
  if (bundle->windows > 0) {
    p3 = weigh_windows (fit, truth, &retrained, p1, p2);
    with = combine (truth, p1, p2, p3, bundle->window_weight);
  } else {
    bundle->window_weight = bundle->whole_weight;
  }
  for (guint c = 0; c < bundle->n_classes; c++)
    bundle->thresholds[c] = ens_best_threshold (truth, with != NULL ? with : without, c);

  evaluation = ens_evaluation_new (bundle->name, ens_split_name (ENS_SPLIT_VALIDATION),
                                   (const char *const *)bundle->classes, truth, n_broken);
  for (guint n = 0; n < bundle->n_networks; n++)
    ens_evaluation_add (evaluation, bundle->networks[n].name, truth, fit->networks[n].probabilities,
                        NULL);
  ens_evaluation_add (evaluation, ENS_EVALUATION_WITHOUT_WINDOWS, truth, without,
                      bundle->thresholds);
  if (with != NULL)
    ens_evaluation_add (evaluation, ENS_EVALUATION_WITH_WINDOWS, truth, with, bundle->thresholds);
  return evaluation;
}
