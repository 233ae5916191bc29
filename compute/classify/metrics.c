#include "classify/metrics.h"

#include <math.h>

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

static Ranked *
rank_class (const EnsTruth *truth, const float *scores, guint class, guint *n_positive)
{
  Ranked *ranked = g_new (Ranked, truth->n_samples);

  *n_positive = 0;
  for (guint i = 0; i < truth->n_samples; i++) {
    ranked[i] =
        (Ranked) {scores[(gsize)i * truth->n_classes + class], ens_truth_has (truth, i, class)};
    *n_positive += ranked[i].positive;
  }
  qsort (ranked, truth->n_samples, sizeof *ranked, compare_ranked);
  return ranked;
}

double
ens_average_precision (const EnsTruth *truth, const float *scores, guint class)
{
  guint n_positive, n_points = 0, true_positives = 0;
  g_autofree Ranked *ranked = rank_class (truth, scores, class, &n_positive);
  g_autofree double *recall = g_new (double, truth->n_samples + 1);
  g_autofree double *precision = g_new (double, truth->n_samples + 1);
  double area = 0, best = 0;

  if (n_positive == 0)
    return NAN;
  recall[n_points++] = 0;
  for (guint i = 0; i < truth->n_samples; i++) {
    true_positives += ranked[i].positive;
    if (i + 1 < truth->n_samples && ranked[i + 1].score == ranked[i].score)
      continue;
    recall[n_points] = (double)true_positives / n_positive;
    precision[n_points++] = (double)true_positives / (i + 1);
  }
  for (guint p = n_points - 1; p > 0; p--) {
    best = MAX (best, precision[p]);
    area += (recall[p] - recall[p - 1]) * best;
  }
  return area;
}

double
ens_mean_average_precision (const EnsTruth *truth, const float *scores)
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
ens_count (const EnsTruth *truth, const float *scores, guint class, float threshold)
{
  EnsCounts counts = {0};

  for (guint i = 0; i < truth->n_samples; i++) {
    gboolean said = scores[(gsize)i * truth->n_classes + class] >= threshold;
    gboolean is = ens_truth_has (truth, i, class);

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
ens_best_threshold (const EnsTruth *truth, const float *scores, guint class)
{
  guint n_positive;
  g_autofree Ranked *ranked = rank_class (truth, scores, class, &n_positive);
  EnsCounts counts = {.false_negatives = n_positive};
  float best_threshold = 0.5F;
  double best = -1;

  for (guint i = 0; i < truth->n_samples && n_positive > 0; i++) {
    float next = i + 1 < truth->n_samples ? ranked[i + 1].score : 0;
    float threshold = (ranked[i].score + next) / 2;
    double f1;

    counts.true_positives += ranked[i].positive;
    counts.false_positives += !ranked[i].positive;
    counts.false_negatives -= ranked[i].positive;
    if (i + 1 < truth->n_samples && next == ranked[i].score)
      continue;
    f1 = ens_f1 (&counts);
    if (f1 > best || (f1 == best && fabsf (threshold - 0.5F) <= fabsf (best_threshold - 0.5F))) {
      best = f1;
      best_threshold = threshold;
    }
  }
  return best_threshold;
}

/* The only class of an example; n_classes if it has none or several. */
static guint
only_class (const EnsTruth *truth, guint sample)
{
  guint only = truth->n_classes;

  for (guint c = 0; c < truth->n_classes; c++) {
    if (!ens_truth_has (truth, sample, c))
      continue;
    if (only < truth->n_classes)
      return truth->n_classes;
    only = c;
  }
  return only;
}

double
ens_accuracy (const EnsTruth *truth, const float *scores, guint *confusion)
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
