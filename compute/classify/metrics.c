/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One class's scores, highest first. */
typedef struct {
  float score;
  gboolean positive;
} Ranked;

static int
compare_ranked (const void *a, const void *b)
{
  float x = ((const Ranked *)a)->score, y = ((const Ranked *)b)->score;

  return x > y ? -1 : x < y;
}

/* The examples of which it is known whether they have the class. (transfer full) */
static Ranked *
rank_class (const EnsLabels *truth, const float *scores, guint class, guint *n, guint *n_positive)
{
  Ranked *ranked = g_new (Ranked, truth->n_samples);

  *n = *n_positive = 0;
  for (guint i = 0; i < truth->n_samples; i++) {
    if (!ens_labels_knows (truth, i, class))
      continue;
    ranked[(*n)++] =
        (Ranked) {scores[(gsize)i * truth->n_classes + class], ens_labels_has (truth, i, class)};
    *n_positive += ens_labels_has (truth, i, class);
  }
  qsort (ranked, *n, sizeof *ranked, compare_ranked);
  return ranked;
}

EnsCurvePoint *
ens_precision_recall (const EnsLabels *truth, const float *scores, guint class, guint *n_points)
{
  guint n, n_positive, true_positives = 0;
  g_autofree Ranked *ranked = rank_class (truth, scores, class, &n, &n_positive);
  EnsCurvePoint *curve;

  *n_points = 0;
  if (n_positive == 0)
    return NULL;
  curve = g_new (EnsCurvePoint, n);
  for (guint i = 0; i < n; i++) {
    true_positives += ranked[i].positive;
    if (i + 1 < n && ranked[i + 1].score == ranked[i].score)
      continue;
    curve[(*n_points)++] = (EnsCurvePoint) {(double)true_positives / n_positive,
                                            (double)true_positives / (i + 1), ranked[i].score};
  }
  return curve;
}

void
ens_curve_make_monotone (EnsCurvePoint *curve, guint n_points)
{
  for (guint p = n_points; p > 1; p--)
    curve[p - 2].precision = MAX (curve[p - 2].precision, curve[p - 1].precision);
}

double
ens_average_precision (const EnsLabels *truth, const float *scores, guint class)
{
  guint n_points;
  g_autofree EnsCurvePoint *curve = ens_precision_recall (truth, scores, class, &n_points);
  double area = 0, before = 0;

  if (curve == NULL)
    return NAN;
  ens_curve_make_monotone (curve, n_points);
  for (guint p = 0; p < n_points; p++) {
    area += (curve[p].recall - before) * curve[p].precision;
    before = curve[p].recall;
  }
  return area;
}

double
ens_mean_average_precision (const EnsLabels *truth, const float *scores)
{
  double sum = 0;
  guint n = 0;

  for (guint c = 0; c < truth->n_classes; c++) {
    double precision = ens_average_precision (truth, scores, c);

    if (isnan (precision))
      continue;
    sum += precision;
    n++;
  }
  return n > 0 ? sum / n : NAN;
}

EnsCounts
ens_count (const EnsLabels *truth, const float *scores, guint class, float threshold)
{
  EnsCounts counts = {0};

  for (guint i = 0; i < truth->n_samples; i++) {
    gboolean said = scores[(gsize)i * truth->n_classes + class] >= threshold;
    gboolean is = ens_labels_has (truth, i, class);

    if (!ens_labels_knows (truth, i, class))
      continue;
    counts.true_positives += said && is;
    counts.false_positives += said && !is;
    counts.false_negatives += !said && is;
  }
  return counts;
}

double
ens_precision (const EnsCounts *counts)
{
  guint said = counts->true_positives + counts->false_positives;

  return said > 0 ? (double)counts->true_positives / said : 1;
}

double
ens_recall (const EnsCounts *counts)
{
  guint are = counts->true_positives + counts->false_negatives;

  return are > 0 ? (double)counts->true_positives / are : 1;
}

double
ens_f1 (const EnsCounts *counts)
{
  guint errors = counts->false_positives + counts->false_negatives;
  guint right = counts->true_positives;

  return right + errors > 0 ? 2.0 * right / (2.0 * right + errors) : 1;
}

float
ens_best_threshold (const EnsLabels *truth, const float *scores, guint class)
{
  guint n, n_positive;
  g_autofree Ranked *ranked = rank_class (truth, scores, class, &n, &n_positive);
  EnsCounts counts = {.false_negatives = n_positive};
  float best_threshold = 0.5F;
  double best = -1;

  for (guint i = 0; i < n && n_positive > 0; i++) {
    float next = i + 1 < n ? ranked[i + 1].score : 0;
    float threshold = (ranked[i].score + next) / 2;
    double f1;

    counts.true_positives += ranked[i].positive;
    counts.false_positives += !ranked[i].positive;
    counts.false_negatives -= ranked[i].positive;
    if (i + 1 < n && next == ranked[i].score)
      continue;
    f1 = ens_f1 (&counts);
    if (f1 > best || (f1 == best && fabsf (threshold - 0.5F) <= fabsf (best_threshold - 0.5F))) {
      best = f1;
      best_threshold = threshold;
    }
  }
  return best_threshold;
}

/* The only class of an example; n_classes if it has none or several, or if that is not known. */
static guint
only_class (const EnsLabels *truth, guint sample)
{
  guint only = truth->n_classes;

  for (guint c = 0; c < truth->n_classes; c++) {
    if (!ens_labels_knows (truth, sample, c))
      return truth->n_classes;
    if (!ens_labels_has (truth, sample, c))
      continue;
    if (only < truth->n_classes)
      return truth->n_classes;
    only = c;
  }
  return only;
}

double
ens_accuracy (const EnsLabels *truth, const float *scores, guint *confusion)
{
  guint n_classes = truth->n_classes, right = 0, n = 0;

  for (gsize i = 0; confusion != NULL && i < (gsize)n_classes * n_classes; i++)
    confusion[i] = 0;
  for (guint i = 0; i < truth->n_samples; i++) {
    const float *row = &scores[(gsize)i * n_classes];
    guint class = only_class (truth, i), top = 0;

    if (class == n_classes)
      continue;
    for (guint c = 1; c < n_classes; c++)
      if (row[c] > row[top])
        top = c;
    if (confusion != NULL)
      confusion[(gsize) class * n_classes + top]++;
    right += top == class;
    n++;
  }
  return n > 0 ? (double)right / n : NAN;
}

/* ---- Errors ---- */

/* ---- Receiver operating characteristics ---- */

typedef struct {
  float score;
  gboolean positive;
} Side;

static int
compare_sides (gconstpointer a, gconstpointer b)
{
  float first = ((const Side *)a)->score, second = ((const Side *)b)->score;

  return first < second ? -1 : first > second;
}

static void
add_sides (Side *sides, const float *scores, guint n, gboolean positive)
{
  for (guint i = 0; i < n; i++)
    sides[i] = (Side) {isnan (scores[i]) ? -INFINITY : scores[i], positive};
}

double
ens_auroc (const float *positives, guint n_positives, const float *negatives, guint n_negatives)
{
  guint n = n_positives + n_negatives;
  g_autofree Side *sides = g_new (Side, n);
  double higher = 0, below = 0;

  if (n_positives == 0 || n_negatives == 0)
    return NAN;
  add_sides (sides, positives, n_positives, TRUE);
  add_sides (&sides[n_positives], negatives, n_negatives, FALSE);
  qsort (sides, n, sizeof *sides, compare_sides);
  for (guint i = 0, next; i < n; i = next) {
    guint equal[2] = {0};

    for (next = i; next < n && sides[next].score == sides[i].score; next++)
      equal[sides[next].positive]++;
    higher += equal[TRUE] * (below + 0.5 * equal[FALSE]);
    below += equal[FALSE];
  }
  return higher / ((double)n_positives * n_negatives);
}

gboolean
ens_labels_is_multi_label (const EnsLabels *truth)
{
  for (guint i = 0; i < truth->n_samples; i++) {
    guint n = 0;

    for (guint c = 0; c < truth->n_classes; c++)
      n += ens_labels_has (truth, i, c);
    if (n > 1)
      return TRUE;
  }
  return FALSE;
}

gboolean
ens_labels_has_none (const EnsLabels *truth, guint sample)
{
  for (guint c = 0; c < truth->n_classes; c++)
    if (ens_labels_has (truth, sample, c) || !ens_labels_knows (truth, sample, c))
      return FALSE;
  return TRUE;
}

void
ens_count_errors (const EnsLabels *truth, const float *scores, const float *thresholds,
                  guint *errors)
{
  guint n_classes = truth->n_classes;

  memset (errors, 0, sizeof *errors * (n_classes + 1) * n_classes);
  for (guint i = 0; i < truth->n_samples; i++) {
    gboolean none = ens_labels_has_none (truth, i);

    for (guint d = 0; d < n_classes; d++) {
      gboolean said = scores[(gsize)i * n_classes + d] >= thresholds[d];
      gboolean is = ens_labels_has (truth, i, d);

      if (!ens_labels_knows (truth, i, d))
        continue;
      if (is && !said)
        errors[(gsize)d * n_classes + d]++;
      for (guint c = 0; c < n_classes && said && !is; c++)
        errors[(gsize)c * n_classes + d] += ens_labels_has (truth, i, c);
      errors[(gsize)n_classes * n_classes + d] += none && said;
    }
  }
}

/* ---- Reliability ---- */

/* The normal distribution's quantile for 95 %. */
#define QUANTILE 1.959963984540054

static void
set_interval (EnsReliability *bin)
{
  double n = bin->n, z2 = QUANTILE * QUANTILE;
  double middle = (bin->share + z2 / (2 * n)) / (1 + z2 / n);
  double half =
      QUANTILE / (1 + z2 / n) * sqrt (bin->share * (1 - bin->share) / n + z2 / (4 * n * n));

  bin->low = MAX (middle - half, 0);
  bin->high = MIN (middle + half, 1);
}

void
ens_reliability (const EnsLabels *truth, const float *scores, EnsReliability *bins, guint n_bins)
{
  memset (bins, 0, sizeof *bins * n_bins);
  for (gsize i = 0; i < (gsize)truth->n_samples * truth->n_classes; i++) {
    EnsReliability *bin = &bins[(guint)CLAMP (scores[i] * (float)n_bins, 0, n_bins - 1)];

    if (truth->labels[i] == ENS_LABEL_UNKNOWN)
      continue;
    bin->n++;
    bin->n_positive += truth->labels[i] == ENS_LABEL_PRESENT;
    bin->mean += scores[i];
  }
  for (guint b = 0; b < n_bins; b++) {
    EnsReliability *bin = &bins[b];

    if (bin->n == 0) {
      bin->mean = bin->share = bin->low = bin->high = NAN;
      continue;
    }
    bin->mean /= bin->n;
    bin->share = (double)bin->n_positive / bin->n;
    set_interval (bin);
  }
}

double
ens_calibration_error (const EnsReliability *bins, guint n_bins)
{
  double sum = 0;
  guint n = 0;

  for (guint b = 0; b < n_bins; b++) {
    if (bins[b].n > 0)
      sum += bins[b].n * fabs (bins[b].mean - bins[b].share);
    n += bins[b].n;
  }
  return n > 0 ? sum / n : NAN;
}

/* ---- Predictions worth showing ---- */

static gboolean
has_outcome (EnsOutcome outcome, gboolean said, gboolean is)
{
  switch (outcome) {
  case ENS_TRUE_POSITIVE:
    return said && is;
  case ENS_FALSE_POSITIVE:
    return said && !is;
  default:
    return !said && is;
  }
}

/* *data: whether low scores come first. */
static int
compare_predictions (gconstpointer a, gconstpointer b, gpointer data)
{
  const EnsPrediction *x = a, *y = b;
  int order = x->score > y->score ? -1 : x->score < y->score;

  if (order != 0)
    return *(const gboolean *)data ? -order : order;
  if (x->sample != y->sample)
    return x->sample < y->sample ? -1 : 1;
  return x->class < y->class ? -1 : x->class > y->class;
}

static GArray *
list_predictions (const EnsLabels *truth, const float *scores, const EnsSelection *selection)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (EnsPrediction));
  gboolean low_first = selection->outcome == ENS_FALSE_NEGATIVE;

  for (guint i = 0; i < truth->n_samples; i++)
    for (guint c = 0; c < truth->n_classes; c++) {
      EnsPrediction prediction = {i, c, scores[(gsize)i * truth->n_classes + c]};
      gboolean said = prediction.score >= selection->thresholds[c];

      if (ens_labels_knows (truth, i, c)
          && has_outcome (selection->outcome, said, ens_labels_has (truth, i, c)))
        g_array_append_val (list, prediction);
    }
  g_array_sort_with_data (list, compare_predictions, &low_first);
  return list;
}

EnsPrediction *
ens_select_predictions (const EnsLabels *truth, const float *scores, const EnsSelection *selection,
                        guint *n)
{
  g_autoptr (GArray) list = list_predictions (truth, scores, selection);
  g_autofree guint *taken = g_new0 (guint, truth->n_classes);
  EnsPrediction *selected = g_new (EnsPrediction, MIN (list->len, selection->max));

  *n = 0;
  for (guint i = 0; i < list->len && *n < selection->max; i++) {
    const EnsPrediction *prediction = &g_array_index (list, EnsPrediction, i);

    if (taken[prediction->class]++ < selection->max_per_class)
      selected[(*n)++] = *prediction;
  }
  return selected;
}
