/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fusion (M1.6–M1.8): settings are chosen for each fold on the other folds, which gives the
 * figures; then on all images, which gives the bundle.
 *
 * To choose is to set the bundle's settings, and to score is to follow them, so that what is
 * measured is what runs. */
#include "train/fit-fusion.h"

#include <stdlib.h>
#include <string.h>

#include "classify/folds.h"
#include "classify/metrics.h"

/* ---- Scores ---- */

static void
scores_init (EnsFitScores *scores, EnsFit *fit)
{
  const EnsLabels *truth = &fit->images.truth;

  scores->fit = fit;
  scores->n_values = (gsize)truth->n_samples * truth->n_classes;
  for (guint n = 0; n < fit->bundle->n_networks; n++)
    scores->probabilities[n] = g_new0 (float, scores->n_values);
  scores->p1 = g_new0 (float, scores->n_values);
  scores->p2 = g_new0 (float, scores->n_values);
  scores->p3 = g_new0 (float, scores->n_values);
  scores->without = g_new0 (float, scores->n_values);
  scores->with = g_new0 (float, scores->n_values);
}

static void
scores_clear (EnsFitScores *scores)
{
  for (guint n = 0; n < ENS_MAX_NETWORKS; n++)
    g_free (scores->probabilities[n]);
  g_free (scores->p1);
  g_free (scores->p2);
  g_free (scores->p3);
  g_free (scores->without);
  g_free (scores->with);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsFitScores, scores_clear)

/* P1 or P2. */
static void
average_role (const EnsFitScores *scores, EnsRole role, float *average)
{
  const EnsBundle *bundle = scores->fit->bundle;
  const EnsRoleNetworks networks = ens_bundle_list_role (bundle, role);
  const float *probabilities[ENS_MAX_NETWORKS];

  for (guint i = 0; i < networks.n; i++)
    probabilities[i] = scores->probabilities[networks.index[i]];
  ens_fusion_average (
      &(EnsFusionInputs) {bundle->fusion, networks.n, probabilities, networks.weights},
      scores->n_values, average);
}

/* P3 of one image of the validation split. */
static void
score_windows (const EnsFitScores *scores, guint image, float *p3)
{
  const EnsBundle *bundle = scores->fit->bundle;
  const EnsRoleNetworks networks = ens_bundle_list_role (bundle, ENS_ROLE_RETRAINED);
  const guint *first = &scores->fit->networks[networks.index[0]].window_first[image];
  const guint n_classes = bundle->n_classes, n_windows = first[1] - first[0];
  const gsize n_values = (gsize)n_windows * n_classes;
  g_autofree float *probabilities = g_new (float, n_values *networks.n);
  g_autofree float *average = g_new (float, n_values);
  g_autofree gint *best = g_new (gint, n_classes);
  const float *of_network[ENS_MAX_NETWORKS];

  for (guint i = 0; i < networks.n; i++) {
    const EnsFittedNetwork *fitted = &scores->fit->networks[networks.index[i]];
    const float *decisions = &fitted->window_decisions[(gsize)first[0] * n_classes];

    for (gsize v = 0; v < n_values; v++)
      probabilities[i * n_values + v] = ens_calibration_apply (
          &bundle->networks[networks.index[i]].window_calibration[v % n_classes], decisions[v]);
    of_network[i] = &probabilities[i * n_values];
  }
  ens_fusion_average (&(EnsFusionInputs) {bundle->fusion, networks.n, of_network, networks.weights},
                      n_values, average);
  ens_fusion_maximum (average, n_windows, n_classes, p3, best);
}

void
ens_fit_score_networks (EnsFitScores *scores)
{
  const EnsBundle *bundle = scores->fit->bundle;

  for (guint n = 0; n < bundle->n_networks; n++)
    for (gsize i = 0; i < scores->n_values; i++)
      scores->probabilities[n][i] =
          ens_calibration_apply (&bundle->networks[n].calibration[i % bundle->n_classes],
                                 scores->fit->networks[n].decisions[i]);
}

void
ens_fit_score_roles (EnsFitScores *scores)
{
  const EnsFitImages *images = &scores->fit->images;

  average_role (scores, ENS_ROLE_RETRAINED, scores->p1);
  average_role (scores, ENS_ROLE_ORIGINAL, scores->p2);
  for (guint i = images->first_validation; scores->fit->with_windows && i < images->truth.n_samples;
       i++)
    score_windows (scores, i - images->first_validation,
                   &scores->p3[(gsize)i * images->truth.n_classes]);
}

static gboolean
has_windows (const EnsFitScores *scores, guint image)
{
  const EnsFit *fit = scores->fit;
  const EnsRoleNetworks networks = ens_bundle_list_role (fit->bundle, ENS_ROLE_RETRAINED);
  const guint *first;

  if (!fit->with_windows || image < fit->images.first_validation)
    return FALSE;
  first = fit->networks[networks.index[0]].window_first;
  image -= fit->images.first_validation;
  return first[image + 1] > first[image];
}

void
ens_fit_score_fusion (EnsFitScores *scores)
{
  const EnsBundle *bundle = scores->fit->bundle;
  const EnsFusion whole = ens_bundle_get_fusion (bundle, FALSE);
  const EnsFusion windows = ens_bundle_get_fusion (bundle, TRUE);

  for (guint i = 0; i < scores->fit->images.truth.n_samples; i++) {
    const gsize at = (gsize)i * bundle->n_classes;
    const gboolean with = has_windows (scores, i);

    ens_fusion_run (&whole, &scores->p1[at], &scores->p2[at], NULL, bundle->n_classes,
                    &scores->without[at]);
    ens_fusion_run (with ? &windows : &whole, &scores->p1[at], &scores->p2[at],
                    with ? &scores->p3[at] : NULL, bundle->n_classes, &scores->with[at]);
  }
}

/* ---- Cross-fitting ---- */

/* What the settings that each fold's images had no part in say of these, for one of the networks or
 * the fusion of all: P; its rank; and P less the threshold.
 *
 * Ranks are P's share of the validation images that have less, by the same settings: the folds'
 * calibrations differ, so that P of one fold can't be ranked among those of another. */
typedef struct {
  float *p, *ranks, *margins;
} CrossFitted;

static void
cross_fitted_init (CrossFitted *crossed, gsize n_values)
{
  crossed->p = g_new (float, n_values);
  crossed->ranks = g_new (float, n_values);
  crossed->margins = g_new (float, n_values);
}

static void
cross_fitted_clear (CrossFitted *crossed)
{
  g_free (crossed->p);
  g_free (crossed->ranks);
  g_free (crossed->margins);
}

/* Of all that has a row in the evaluation. */
typedef struct {
  CrossFitted networks[ENS_MAX_NETWORKS];
  CrossFitted without, with;
} AllCrossFitted;

static void
all_cross_fitted_init (AllCrossFitted *all, const EnsFitScores *scores)
{
  for (guint n = 0; n < scores->fit->bundle->n_networks; n++)
    cross_fitted_init (&all->networks[n], scores->n_values);
  cross_fitted_init (&all->without, scores->n_values);
  cross_fitted_init (&all->with, scores->n_values);
}

static void
all_cross_fitted_clear (AllCrossFitted *all)
{
  for (guint n = 0; n < ENS_MAX_NETWORKS; n++)
    cross_fitted_clear (&all->networks[n]);
  cross_fitted_clear (&all->without);
  cross_fitted_clear (&all->with);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AllCrossFitted, all_cross_fitted_clear)

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  const float x = *(const float *)a, y = *(const float *)b;

  return x < y ? -1 : x > y;
}

/* How many of the sorted values are less than `value`. */
static guint
count_below (const float *sorted, guint n, float value)
{
  guint low = 0;

  while (n > 0) {
    const guint half = n / 2;

    if (sorted[low + half] < value) {
      low += half + 1;
      n -= half + 1;
    } else {
      n = half;
    }
  }
  return low;
}

/* Keeps what the settings of the moment say of the images of a fold. thresholds NULL: 0.5. */
static void
keep_fold (const EnsFitImages *images, guint fold, const float *p, const float *thresholds,
           CrossFitted *crossed)
{
  const guint n_classes = images->truth.n_classes, first = images->first_validation;
  const guint n = images->truth.n_samples - first;
  g_autofree float *sorted = g_new (float, n);

  for (guint c = 0; c < n_classes; c++) {
    for (guint i = 0; i < n; i++)
      sorted[i] = p[(gsize)(first + i) * n_classes + c];
    qsort (sorted, n, sizeof *sorted, compare_floats);
    for (guint i = 0; i < images->truth.n_samples; i++) {
      const gsize at = (gsize)i * n_classes + c;

      if (images->fold[i] != fold)
        continue;
      crossed->p[at] = p[at];
      crossed->ranks[at] = (float)count_below (sorted, n, p[at]) / (float)n;
      crossed->margins[at] = p[at] - (thresholds != NULL ? thresholds[c] : 0.5F);
    }
  }
}

static void
choose (EnsFitScores *scores, const EnsLabels *seen)
{
  if (scores->fit->params->method == ENS_FIT_STANDARD)
    ens_fit_choose_standard (scores, seen);
  else
    ens_fit_choose_document (scores, seen);
}

static void
cross_fit (EnsFitScores *scores, AllCrossFitted *all)
{
  const EnsFitImages *images = &scores->fit->images;
  const EnsBundle *bundle = scores->fit->bundle;

  for (guint k = 0; k < ENS_FOLDS; k++) {
    g_autofree guint8 *labels = ens_hide_fold (&images->truth, images->fold, k);
    const EnsLabels seen = {images->truth.n_samples, images->truth.n_classes, labels};

    choose (scores, &seen);
    for (guint n = 0; n < bundle->n_networks; n++)
      keep_fold (images, k, scores->probabilities[n], NULL, &all->networks[n]);
    keep_fold (images, k, scores->without, ens_bundle_get_thresholds (bundle, FALSE),
               &all->without);
    keep_fold (images, k, scores->with, bundle->thresholds, &all->with);
  }
}

/* ---- Windows that do not help ---- */

/* Mean average precision that windows must gain: less is what one or two images decide. */
#define MIN_GAIN 1e-3

/* Objects of a size whose figure is told. */
#define MIN_OBJECTS 10

/* The share of the picture that the largest object of a class takes; 0 without one. */
static float
largest_object (const EnsDatasetItem *item, guint class)
{
  float largest = 0;

  for (guint b = 0; item->boxes != NULL && b < item->boxes->len; b++) {
    const EnsDatasetBox *box = &g_array_index (item->boxes, EnsDatasetBox, b);

    if (box->class == class && !box->crowd)
      largest = MAX (largest, box->rect.width * box->rect.height);
  }
  return largest;
}

typedef struct {
  const char *name;
  float from, to; /* shares of the picture */
} ObjectSize;

/* The labels, of the objects those alone that have this size. (transfer full) */
static guint8 *
keep_size (const EnsLabels *truth, const GPtrArray *items, const ObjectSize *size, guint *n)
{
  guint8 *labels = g_memdup2 (truth->labels, (gsize)truth->n_samples * truth->n_classes);

  *n = 0;
  for (guint i = 0; i < truth->n_samples; i++)
    for (guint c = 0; c < truth->n_classes; c++) {
      const float share = largest_object (items->pdata[i], c);

      if (!ens_labels_has (truth, i, c))
        continue;
      if (share > size->from && share <= size->to)
        (*n)++;
      else
        labels[(gsize)i * truth->n_classes + c] = ENS_LABEL_UNKNOWN;
    }
  return labels;
}

/* For data sets with boxes of which every image could be read. */
static void
tell_by_size (const EnsFit *fit, const EnsLabels *truth, const float *without, const float *with)
{
  static const ObjectSize sizes[] = {
      {"under 5 %", 0, 0.05F}, {"of 5 to 20 %", 0.05F, 0.2F}, {"over 20 %", 0.2F, 1}};
  const GPtrArray *items = fit->dataset->samples[ENS_SPLIT_VALIDATION];

  for (guint s = 0; items->len == truth->n_samples && s < G_N_ELEMENTS (sizes); s++) {
    guint n;
    g_autofree guint8 *labels = keep_size (truth, items, &sizes[s], &n);
    const EnsLabels kept = {truth->n_samples, truth->n_classes, labels};

    if (n >= MIN_OBJECTS)
      ens_monitor_note (fit->monitor,
                        "… objects %s of the picture (%u): mAP %.3f without windows and %.3f with",
                        sizes[s].name, n, ens_mean_average_precision (&kept, without),
                        ens_mean_average_precision (&kept, with));
  }
}

/* Windows that don't raise the cross-fitted figure are not classified where nobody asks for them.
 */
static void
weigh_windows (EnsFit *fit, const EnsLabels *truth, const float *without, const float *with)
{
  EnsBundle *bundle = fit->bundle;
  const double before = ens_mean_average_precision (truth, without);
  const double after = ens_mean_average_precision (truth, with);
  const gboolean help = after > before + MIN_GAIN;

  ens_monitor_note (fit->monitor,
                    "windows (region proposals): mAP %.3f without and %.3f with them on the "
                    "validation images, cross-fitted; %s",
                    before, after,
                    help ? "they take part"
                         : "they don't help, so that they are not classified unless asked for");
  tell_by_size (fit, truth, without, with);
  if (help)
    return;
  bundle->windows = 0;
  bundle->window_share = 0;
  bundle->window_weight = bundle->whole_weight;
  memcpy (bundle->thresholds, bundle->whole_thresholds, bundle->n_classes * sizeof (float));
  if (bundle->calibration != NULL)
    memcpy (bundle->calibration, bundle->whole_calibration,
            bundle->n_classes * sizeof *bundle->calibration);
  bundle->softmax = bundle->whole_softmax;
}

/* ---- All of it ---- */

/* A row of the validation split, whose first value is `first`. */
static void
add_row (EnsEvaluation *evaluation, const char *name, const CrossFitted *crossed, gsize first,
         const float *thresholds)
{
  const EnsLabels truth = ens_evaluation_get_truth (evaluation);

  ens_evaluation_add (evaluation, name, &truth,
                      &(EnsScores) {.p = &crossed->p[first],
                                    .thresholds = thresholds,
                                    .ranks = &crossed->ranks[first],
                                    .margins = &crossed->margins[first]});
}

static EnsEvaluation *
evaluate (const EnsFit *fit, const EnsLabels *truth, const AllCrossFitted *all, gsize first,
          guint n_broken)
{
  const EnsBundle *bundle = fit->bundle;
  EnsEvaluation *evaluation =
      ens_evaluation_new (bundle->name, ens_split_name (ENS_SPLIT_VALIDATION),
                          (const char *const *)bundle->classes, truth, n_broken);

  evaluation->cross_fitted = TRUE;
  for (guint n = 0; n < bundle->n_networks; n++)
    add_row (evaluation, bundle->networks[n].name, &all->networks[n], first, NULL);
  add_row (evaluation, ENS_EVALUATION_WITHOUT_WINDOWS, &all->without, first,
           ens_bundle_get_thresholds (bundle, FALSE));
  if (bundle->windows > 0)
    add_row (evaluation, ENS_EVALUATION_WITH_WINDOWS, &all->with, first, bundle->thresholds);
  return evaluation;
}

EnsEvaluation *
ens_fit_fusion (EnsFit *fit, guint n_broken)
{
  const EnsFitImages *images = &fit->images;
  const gsize first = (gsize)images->first_validation * images->truth.n_classes;
  const EnsLabels validation = {images->truth.n_samples - images->first_validation,
                                images->truth.n_classes, &images->truth.labels[first]};
  g_auto (EnsFitScores) scores = {0};
  g_auto (AllCrossFitted) all = {0};

  fit->with_windows = fit->bundle->windows > 0;
  scores_init (&scores, fit);
  all_cross_fitted_init (&all, &scores);
  cross_fit (&scores, &all);
  scores.monitor = fit->monitor;
  choose (&scores, &images->truth);
  if (fit->with_windows && fit->params->method == ENS_FIT_STANDARD)
    weigh_windows (fit, &validation, &all.without.ranks[first], &all.with.ranks[first]);
  return evaluate (fit, &validation, &all, first, n_broken);
}
