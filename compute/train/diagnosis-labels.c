/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels that are likely wrong, and classes that are taken for each other.
 *
 * Source: C. G. Northcutt, L. Jiang, I. L. Chuang, Confident Learning: Estimating Uncertainty in
 * Dataset Labels, JAIR 2021: an image is counted as class j if its probability of j reaches the
 * mean that images labelled j have; where that is another class than its label, the label is likely
 * wrong. */
#include <stdlib.h>

#include "train/diagnosis-private.h"

/* Pairs of classes that are told of, and what makes one: errors, and their share of the pictures of
 * the rarer class. */
#define MAX_PAIRS 3
#define MIN_ERRORS 4
#define MIN_SHARE 0.1

/* Mean probability of a class where it is, from which on it counts as recognised. */
#define MIN_CONFIDENCE 0.5

/* ---- Labels ---- */

/* What images that have the class, or have it not, are given on average. */
typedef struct {
  double with, without;
} Confidence;

/* (transfer full) */
static Confidence *
measure_confidence (const EnsDiagnosis *diagnosis)
{
  Confidence *confidence = g_new0 (Confidence, diagnosis->n_classes);

  for (guint c = 0; c < diagnosis->n_classes; c++) {
    guint n[2] = {0};
    double sum[2] = {0};

    for (guint i = 0; i < diagnosis->n_images; i++) {
      const EnsDiagnosisImage *image = &diagnosis->images[i];
      gboolean has = ens_diagnosis_has (image, c);

      if (image->probabilities == NULL || image->labels[c] == ENS_LABEL_UNKNOWN)
        continue;
      n[has]++;
      sum[has] += (double)image->probabilities[c];
    }
    /* A class that nothing was measured of is never suspected. */
    confidence[c] = (Confidence) {n[1] > 0 ? sum[1] / n[1] : 2, n[0] > 0 ? sum[0] / n[0] : -1};
  }
  return confidence;
}

/* An image whose label of `label` is likely `looks`; n_classes stands for none. */
typedef struct {
  guint image, label, looks;
  double margin; /* the larger, the surer */
} Suspect;

/* Images of one class each: another class is more probable than the label's. */
static gboolean
suspect_single (const EnsDiagnosis *diagnosis, const Confidence *confidence, Suspect *suspect)
{
  const float *p = diagnosis->images[suspect->image].probabilities;
  double own = suspect->label < diagnosis->n_classes ? (double)p[suspect->label] : 0;

  suspect->margin = 0;
  for (guint c = 0; c < diagnosis->n_classes; c++)
    if (c != suspect->label && (double)p[c] >= confidence[c].with
        && (double)p[c] - own > suspect->margin) {
      suspect->looks = c;
      suspect->margin = (double)p[c] - own;
    }
  return suspect->margin > 0;
}

/* Any image: the class is as probable as where it is, and isn't labelled, or the reverse. Classes
 * that are hardly recognised where they are, such as small objects, say nothing. */
static gboolean
suspect_class (const EnsDiagnosis *diagnosis, const Confidence *confidence, Suspect *suspect,
               guint class)
{
  const EnsDiagnosisImage *image = &diagnosis->images[suspect->image];
  double p = (double)image->probabilities[class];
  gboolean has = ens_diagnosis_has (image, class);

  if (image->labels[class] == ENS_LABEL_UNKNOWN || confidence[class].with < MIN_CONFIDENCE
      || (has ? p > confidence[class].without || p >= 0.5 : p < confidence[class].with || p < 0.5))
    return FALSE;
  suspect->label = has ? class : diagnosis->n_classes;
  suspect->looks = has ? diagnosis->n_classes : class;
  suspect->margin = has ? 1 - p : p;
  return TRUE;
}

static int
compare_suspects (gconstpointer a, gconstpointer b)
{
  const Suspect *x = a, *y = b;

  if (x->margin != y->margin)
    return x->margin > y->margin ? -1 : 1;
  return x->image < y->image ? -1 : x->image > y->image;
}

/* The surest one of each image. (transfer full) */
static GArray *
find_suspects (const EnsDiagnosis *diagnosis)
{
  GArray *suspects = g_array_new (FALSE, FALSE, sizeof (Suspect));
  g_autofree Confidence *confidence = measure_confidence (diagnosis);
  gboolean multi_label = ens_diagnosis_is_multi_label (diagnosis);

  for (guint i = 0; i < diagnosis->n_images; i++) {
    gint label = ens_diagnosis_single_class (diagnosis, &diagnosis->images[i]);
    Suspect best = {.image = i, .label = (guint)MAX (label, 0)}, other = {.image = i};

    if (diagnosis->images[i].probabilities == NULL || (!multi_label && label < 0))
      continue;
    if (!multi_label)
      suspect_single (diagnosis, confidence, &best);
    for (guint c = 0; multi_label && c < diagnosis->n_classes; c++)
      if (suspect_class (diagnosis, confidence, &other, c) && other.margin > best.margin)
        best = other;
    if (best.margin > 0)
      g_array_append_val (suspects, best);
  }
  g_array_sort (suspects, compare_suspects);
  return suspects;
}

static const char *
name_class (const EnsDiagnosis *diagnosis, guint class)
{
  return class < diagnosis->n_classes ? diagnosis->classes[class] : "none";
}

/* (transfer full) */
static char *
describe_suspect (const EnsDiagnosis *diagnosis, const Suspect *suspect)
{
  const EnsDiagnosisImage *image = &diagnosis->images[suspect->image];
  g_autofree char *labels = ens_diagnosis_list_labels (diagnosis, image);

  if (suspect->looks == diagnosis->n_classes)
    return g_strdup_printf ("labelled %s; no sign of %s (%.2f)", labels,
                            name_class (diagnosis, suspect->label),
                            (double)image->probabilities[suspect->label]);
  return g_strdup_printf ("labelled %s; looks like %s (%.2f)", labels,
                          name_class (diagnosis, suspect->looks),
                          (double)image->probabilities[suspect->looks]);
}

void
ens_diagnose_labels (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  g_autoptr (GArray) suspects = find_suspects (diagnosis);
  EnsFinding *finding;
  guint n = 0;

  if (suspects->len == 0)
    return;
  for (guint i = 0; i < diagnosis->n_images; i++)
    n += diagnosis->images[i].probabilities != NULL;
  finding = ens_finding_new (
      ENS_FINDING_LABELS,
      suspects->len == 1
          ? g_strdup_printf ("1 of %u pictures looks like another class than its label says, to "
                             "classifiers that were trained without it: look at it, and correct "
                             "the label if it is wrong.",
                             n)
          : g_strdup_printf ("%u of %u pictures look like another class than their label says, to "
                             "classifiers that were trained without them: look at them, the "
                             "likeliest errors first, and correct the labels that are wrong.",
                             suspects->len, n));
  for (guint i = 0; i < suspects->len; i++) {
    const Suspect *suspect = &g_array_index (suspects, Suspect, i);

    ens_finding_show (finding, diagnosis->images[suspect->image].path,
                      describe_suspect (diagnosis, suspect));
  }
  g_ptr_array_add (findings, finding);
}

/* ---- Confusion ---- */

typedef struct {
  guint a, b;
  guint as_b, as_a; /* of a taken for b, of b taken for a */
  guint n_a, n_b;
} ClassPair;

/* The class with the highest probability. */
static guint
find_likeliest (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image)
{
  guint best = 0;

  for (guint c = 1; c < diagnosis->n_classes; c++)
    if (image->probabilities[c] > image->probabilities[best])
      best = c;
  return best;
}

/* Images of one class each: counts of what was likeliest, n_classes × n_classes. (transfer full) */
static guint *
count_confusion (const EnsDiagnosis *diagnosis, guint *totals)
{
  guint n_classes = diagnosis->n_classes;
  guint *counts = g_new0 (guint, (gsize)n_classes * n_classes);

  for (guint i = 0; i < diagnosis->n_images; i++) {
    const EnsDiagnosisImage *image = &diagnosis->images[i];
    gint class = ens_diagnosis_single_class (diagnosis, image);

    if (image->probabilities == NULL || class < 0 || class == (gint)n_classes)
      continue;
    counts[(guint) class * n_classes + find_likeliest (diagnosis, image)]++;
    totals[class]++;
  }
  return counts;
}

static int
compare_class_pairs (gconstpointer a, gconstpointer b)
{
  const ClassPair *x = a, *y = b;
  guint n = x->as_a + x->as_b, m = y->as_a + y->as_b;

  if (n != m)
    return n > m ? -1 : 1;
  return x->a != y->a ? (x->a < y->a ? -1 : 1) : (x->b < y->b ? -1 : x->b > y->b);
}

/* (transfer full) */
static GArray *
find_class_pairs (const EnsDiagnosis *diagnosis)
{
  guint n_classes = diagnosis->n_classes;
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (ClassPair));
  g_autofree guint *totals = g_new0 (guint, n_classes);
  g_autofree guint *counts = count_confusion (diagnosis, totals);

  for (guint a = 0; a < n_classes; a++)
    for (guint b = a + 1; b < n_classes; b++) {
      ClassPair pair = {a,         b,        counts[a * n_classes + b], counts[b * n_classes + a],
                        totals[a], totals[b]};
      guint n = pair.as_a + pair.as_b;

      if (n >= MIN_ERRORS && n >= MIN_SHARE * MIN (pair.n_a, pair.n_b))
        g_array_append_val (pairs, pair);
    }
  g_array_sort (pairs, compare_class_pairs);
  return pairs;
}

/* The surest errors first. */
static void
show_confused (const EnsDiagnosis *diagnosis, const ClassPair *pair, EnsFinding *finding)
{
  g_autoptr (GArray) errors = g_array_new (FALSE, FALSE, sizeof (Suspect));

  for (guint i = 0; i < diagnosis->n_images; i++) {
    const EnsDiagnosisImage *image = &diagnosis->images[i];
    gint class = ens_diagnosis_single_class (diagnosis, image);
    guint other = class == (gint)pair->a ? pair->b : pair->a;
    Suspect error = {i, (guint) class, other, 0};

    if (image->probabilities == NULL || (class != (gint)pair->a && class != (gint)pair->b)
        || find_likeliest (diagnosis, image) != other)
      continue;
    error.margin = (double)image->probabilities[other];
    g_array_append_val (errors, error);
  }
  g_array_sort (errors, compare_suspects);
  for (guint i = 0; i < errors->len; i++) {
    const Suspect *error = &g_array_index (errors, Suspect, i);

    ens_finding_show (finding, diagnosis->images[error->image].path,
                      g_strdup_printf ("%s, taken for %s (%.2f)", diagnosis->classes[error->label],
                                       diagnosis->classes[error->looks], error->margin));
  }
}

void
ens_diagnose_confusion (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  g_autoptr (GArray) pairs = find_class_pairs (diagnosis);

  for (guint i = 0; i < MIN (pairs->len, MAX_PAIRS); i++) {
    const ClassPair *pair = &g_array_index (pairs, ClassPair, i);
    const char *a = diagnosis->classes[pair->a], *b = diagnosis->classes[pair->b];
    EnsFinding *finding = ens_finding_new (
        ENS_FINDING_CONFUSION,
        g_strdup_printf ("“%s” and “%s” are often taken for each other (%u of %u and %u of %u "
                         "pictures): add pictures that show what tells them apart, or make them "
                         "one class if that does not matter.",
                         a, b, pair->as_b, pair->n_a, pair->as_a, pair->n_b));

    show_confused (diagnosis, pair, finding);
    g_ptr_array_add (findings, finding);
  }
}
