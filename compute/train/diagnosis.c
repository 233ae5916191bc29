/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The diagnosis as a whole, and what follows from counts: balance, pictures of no class, sizes, the
 * learning curve. */
#include "train/diagnosis-private.h"

#include <math.h>

/* Of the pictures of two classes, the more frequent one's may be so many times the other's. */
#define MAX_IMBALANCE 3

/* Pictures with fewer pixels along their shorter side are small. */
#define SMALL_SIDE 100

/* Classes that a sentence names. */
#define MAX_NAMES 4

/* Share of the pictures of no class that may be given one before that is worth a sentence. */
#define MAX_FALSE_ALARMS 0.05
#define MIN_FALSE_ALARMS 2

/* A curve from fewer pictures says nothing. */
#define MIN_CURVE_IMAGES 30

/* What the last doubling of the pictures must have gained for another one to be worth it. */
#define MIN_GAIN 0.01

/* ---- Findings ---- */

const char *
ens_finding_name (EnsFindingKind kind)
{
  static const char *const names[ENS_N_FINDINGS] = {
      "balance", "none",   "small",     "leak",  "contradiction",
      "copies",  "labels", "confusion", "curve", "next",
  };

  return names[kind];
}

static void
clear_picture (gpointer data)
{
  EnsFindingPicture *picture = data;

  g_free (picture->path);
  g_free (picture->caption);
}

EnsFinding *
ens_finding_new (EnsFindingKind kind, char *text)
{
  EnsFinding *finding = g_new (EnsFinding, 1);

  *finding = (EnsFinding) {kind, text, g_array_new (FALSE, FALSE, sizeof (EnsFindingPicture))};
  g_array_set_clear_func (finding->pictures, clear_picture);
  return finding;
}

void
ens_finding_free (EnsFinding *finding)
{
  g_free (finding->text);
  g_array_unref (finding->pictures);
  g_free (finding);
}

void
ens_finding_show (EnsFinding *finding, const char *path, char *caption)
{
  EnsFindingPicture picture = {g_strdup (path), caption};

  if (finding->pictures->len < ENS_FINDING_PICTURES)
    g_array_append_val (finding->pictures, picture);
  else
    clear_picture (&picture);
}

/* ---- Labels ---- */

gboolean
ens_diagnosis_shows_none (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image)
{
  for (guint c = 0; c < diagnosis->n_classes; c++)
    if (image->labels[c] != ENS_LABEL_ABSENT)
      return FALSE;
  return TRUE;
}

char *
ens_diagnosis_list_labels (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image)
{
  GString *text = g_string_new (NULL);

  for (guint c = 0; c < diagnosis->n_classes; c++)
    if (ens_diagnosis_has (image, c))
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", diagnosis->classes[c]);
  if (text->len == 0)
    g_string_append (text, "none");
  return g_string_free (text, FALSE);
}

gint
ens_diagnosis_single_class (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image)
{
  gint found = (gint)diagnosis->n_classes;

  for (guint c = 0; c < diagnosis->n_classes; c++) {
    if (image->labels[c] == ENS_LABEL_ABSENT)
      continue;
    if (image->labels[c] == ENS_LABEL_UNKNOWN || found < (gint)diagnosis->n_classes)
      return -1;
    found = (gint)c;
  }
  return found;
}

gboolean
ens_diagnosis_is_multi_label (const EnsDiagnosis *diagnosis)
{
  for (guint i = 0; i < diagnosis->n_images; i++) {
    guint n = 0;

    for (guint c = 0; c < diagnosis->n_classes; c++)
      n += ens_diagnosis_has (&diagnosis->images[i], c);
    if (n > 1)
      return TRUE;
  }
  return FALSE;
}

/* ---- Balance ---- */

/* Training pictures of each class; of none of them at the end. (transfer full) */
static guint *
count_training (const EnsDiagnosis *diagnosis)
{
  guint *counts = g_new0 (guint, diagnosis->n_classes + 1);

  for (guint i = 0; i < diagnosis->n_images; i++) {
    const EnsDiagnosisImage *image = &diagnosis->images[i];

    if (image->split != ENS_SPLIT_TRAIN)
      continue;
    for (guint c = 0; c < diagnosis->n_classes; c++)
      counts[c] += ens_diagnosis_has (image, c);
    counts[diagnosis->n_classes] += ens_diagnosis_shows_none (diagnosis, image);
  }
  return counts;
}

/* "“a”, “b” and 3 more": the classes with fewer than `least` pictures. (transfer full) */
static char *
list_rare (const EnsDiagnosis *diagnosis, const guint *counts, double least)
{
  GString *text = g_string_new (NULL);
  guint n = 0;

  for (guint c = 0; c < diagnosis->n_classes; c++) {
    if (counts[c] >= least)
      continue;
    if (n < MAX_NAMES)
      g_string_append_printf (text, "%s“%s”", n > 0 ? ", " : "", diagnosis->classes[c]);
    n++;
  }
  if (n > MAX_NAMES)
    g_string_append_printf (text, " and %u more", n - MAX_NAMES);
  return g_string_free (text, FALSE);
}

static gboolean
is_full (const EnsFinding *finding)
{
  return finding->pictures->len == ENS_FINDING_PICTURES;
}

/* The training image that is number `k` of those of a class; n_classes stands for none. NULL if
 * there are not so many. */
static const EnsDiagnosisImage *
find_training (const EnsDiagnosis *diagnosis, guint class, guint k)
{
  for (guint i = 0; i < diagnosis->n_images; i++) {
    const EnsDiagnosisImage *image = &diagnosis->images[i];
    gboolean shows = class < diagnosis->n_classes ? ens_diagnosis_has (image, class)
                                                  : ens_diagnosis_shows_none (diagnosis, image);

    if (image->split == ENS_SPLIT_TRAIN && shows && k-- == 0)
      return image;
  }
  return NULL;
}

/* Training pictures of the class that there are. */
static void
show_training (const EnsDiagnosis *diagnosis, guint class, guint k, EnsFinding *finding)
{
  const EnsDiagnosisImage *image = find_training (diagnosis, class, k);

  if (image != NULL)
    ens_finding_show (finding, image->path, ens_diagnosis_list_labels (diagnosis, image));
}

/* One of each class with fewer than `least` pictures, then another of each …: what more is needed
 * of. */
static void
show_rare (const EnsDiagnosis *diagnosis, const guint *counts, double least, EnsFinding *finding)
{
  for (guint k = 0; k < ENS_FINDING_PICTURES; k++)
    for (guint c = 0; c < diagnosis->n_classes && !is_full (finding); c++)
      if (counts[c] < least)
        show_training (diagnosis, c, k, finding);
}

void
ens_diagnose_balance (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  g_autofree guint *counts = count_training (diagnosis);
  g_autofree char *rare = NULL;
  guint most = 0, least = 0;
  EnsFinding *finding;

  for (guint c = 1; c < diagnosis->n_classes; c++) {
    most = counts[c] > counts[most] ? c : most;
    least = counts[c] < counts[least] ? c : least;
  }
  if (counts[least] == 0 || counts[most] <= MAX_IMBALANCE * counts[least])
    return;
  rare = list_rare (diagnosis, counts, (double)counts[most] / MAX_IMBALANCE);
  finding = ens_finding_new (
      ENS_FINDING_BALANCE,
      g_strdup_printf ("“%s” has %.1f times as many training pictures as “%s” (%u and %u): add "
                       "pictures of %s until each class has at least %u.",
                       diagnosis->classes[most], (double)counts[most] / counts[least],
                       diagnosis->classes[least], counts[most], counts[least], rare,
                       (counts[most] + MAX_IMBALANCE - 1) / MAX_IMBALANCE));
  show_rare (diagnosis, counts, (double)counts[most] / MAX_IMBALANCE, finding);
  g_ptr_array_add (findings, finding);
}

/* ---- Pictures of no class ---- */

/* As many as a class has on average; where pictures show several classes, a tenth of all. */
static guint
count_wanted (const EnsDiagnosis *diagnosis, const guint *counts)
{
  guint n = diagnosis->n_classes, sum = n / 2, n_images = 0;

  for (guint i = 0; i < diagnosis->n_images; i++)
    n_images += diagnosis->images[i].split == ENS_SPLIT_TRAIN;
  if (ens_diagnosis_is_multi_label (diagnosis))
    return (n_images + 9) / 10;
  for (guint c = 0; c < n; c++)
    sum += counts[c];
  return sum / n;
}

static void
diagnose_few (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  g_autofree guint *counts = count_training (diagnosis);
  const char *where = diagnosis->boxed ? "without any object" : "in train/none";
  guint n_none = counts[diagnosis->n_classes], wanted = count_wanted (diagnosis, counts);
  EnsFinding *finding;

  if (n_none * 2 >= wanted)
    return;
  finding = ens_finding_new (
      ENS_FINDING_NONE,
      n_none == 0
          ? g_strdup_printf ("No training picture shows none of the classes, so that pictures of "
                             "anything else may well be given one: add %u of what else the camera "
                             "sees, %s.",
                             wanted, where)
          : g_strdup_printf ("Only %u of the training pictures %s none of the classes: add %u more "
                             "of what else the camera sees, %s.",
                             n_none, n_none == 1 ? "shows" : "show", wanted - n_none, where));
  for (guint k = 0; k < MIN (n_none, ENS_FINDING_PICTURES); k++)
    show_training (diagnosis, diagnosis->n_classes, k, finding);
  g_ptr_array_add (findings, finding);
}

/* The class that is reported with the widest margin; -1 if none is. */
static gint
find_alarm (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image)
{
  gint alarm = -1;
  float widest = -1;

  for (guint c = 0; c < diagnosis->n_classes; c++) {
    float margin = image->probabilities[c] - diagnosis->thresholds[c];

    if (margin >= 0 && margin > widest) {
      widest = margin;
      alarm = (gint)c;
    }
  }
  return alarm;
}

typedef struct {
  const EnsDiagnosisImage *image;
  guint class;
} Alarm;

/* The most probable ones first. */
static int
compare_alarms (gconstpointer a, gconstpointer b)
{
  const Alarm *x = a, *y = b;
  float p = x->image->probabilities[x->class], q = y->image->probabilities[y->class];

  if (p != q)
    return p > q ? -1 : 1;
  return x->image < y->image ? -1 : x->image > y->image;
}

/* n: of the images that show none of the classes. (transfer full, Alarm) */
static GArray *
find_alarms (const EnsDiagnosis *diagnosis, guint *n)
{
  GArray *alarms = g_array_new (FALSE, FALSE, sizeof (Alarm));

  *n = 0;
  for (guint i = 0; i < diagnosis->n_images; i++) {
    const EnsDiagnosisImage *image = &diagnosis->images[i];
    gint class;

    if (image->probabilities == NULL || !ens_diagnosis_shows_none (diagnosis, image))
      continue;
    (*n)++;
    class = find_alarm (diagnosis, image);
    if (class >= 0)
      g_array_append_val (alarms, ((Alarm) {image, (guint) class}));
  }
  g_array_sort (alarms, compare_alarms);
  return alarms;
}

static void
diagnose_alarms (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  guint n, most = 0;
  g_autoptr (GArray) alarms = find_alarms (diagnosis, &n);
  g_autofree guint *counts = g_new0 (guint, diagnosis->n_classes);
  EnsFinding *finding;

  if (alarms->len < MIN_FALSE_ALARMS || alarms->len <= MAX_FALSE_ALARMS * n)
    return;
  finding = ens_finding_new (ENS_FINDING_NONE, NULL);
  for (guint i = 0; i < alarms->len; i++) {
    const Alarm *alarm = &g_array_index (alarms, Alarm, i);

    counts[alarm->class]++;
    ens_finding_show (finding, alarm->image->path,
                      g_strdup_printf ("none, reported as %s (%.2f)",
                                       diagnosis->classes[alarm->class],
                                       (double)alarm->image->probabilities[alarm->class]));
  }
  for (guint c = 1; c < diagnosis->n_classes; c++)
    most = counts[c] > counts[most] ? c : most;
  finding->text = g_strdup_printf (
      "%u of the %u pictures that show none of the classes are reported as one, most often as "
      "“%s”: add more pictures like these, %s.",
      alarms->len, n, diagnosis->classes[most],
      diagnosis->boxed ? "without any object" : "in train/none");
  g_ptr_array_add (findings, finding);
}

void
ens_diagnose_none (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  diagnose_few (diagnosis, findings);
  diagnose_alarms (diagnosis, findings);
}

/* ---- Sizes ---- */

void
ens_diagnose_sizes (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  EnsFinding *finding = ens_finding_new (ENS_FINDING_SMALL, NULL);
  guint n = 0, n_known = 0;
  const EnsDiagnosisImage *smallest = NULL;

  for (guint i = 0; i < diagnosis->n_images; i++) {
    const EnsDiagnosisImage *image = &diagnosis->images[i];
    guint side = MIN (image->width, image->height);

    n_known += side > 0;
    if (side == 0 || side >= SMALL_SIDE)
      continue;
    n++;
    if (smallest == NULL || side < MIN (smallest->width, smallest->height))
      smallest = image;
    ens_finding_show (finding, image->path,
                      g_strdup_printf ("%u×%u pixels", image->width, image->height));
  }
  if (n == 0) {
    ens_finding_free (finding);
    return;
  }
  if (n == 1)
    finding->text = g_strdup_printf ("1 of the %u pictures has fewer than %u pixels along a side "
                                     "(%u×%u), and is blown up for the "
                                     "networks: replace it by a larger one, or remove it.",
                                     n_known, SMALL_SIDE, smallest->width, smallest->height);
  else
    finding->text =
        g_strdup_printf ("%u of the %u pictures have fewer than %u pixels along a side (the "
                         "smallest %u×%u), and are "
                         "blown up for the networks: replace them by larger ones, or remove them.",
                         n, n_known, SMALL_SIDE, smallest->width, smallest->height);
  g_ptr_array_add (findings, finding);
}

/* ---- The learning curve ---- */

/* What twice as many pictures would gain. Errors fall by a power of the number of pictures, so that
 * each doubling divides them by the same factor.
 *
 * Source: C. Cortes et al., Learning Curves: Asymptotic Values and Rate of Convergence, NIPS 1993.
 */
static double
extrapolate (const EnsLearningPoint *curve)
{
  double half = 1 - curve[ENS_LEARNING_POINTS / 2 - 1].score;
  double whole = 1 - curve[ENS_LEARNING_POINTS - 1].score;

  return half > 0 && whole < half ? whole * (1 - whole / half) : 0;
}

/* An image, and the class of which its label is given the least probability. */
typedef struct {
  const EnsDiagnosisImage *image;
  guint class;
  float right; /* that probability */
} Recognised;

/* 1 if nothing is known. */
static Recognised
find_worst_class (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image)
{
  Recognised worst = {image, 0, 1};

  for (guint c = 0; image->probabilities != NULL && c < diagnosis->n_classes; c++) {
    float p = image->probabilities[c], right = ens_diagnosis_has (image, c) ? p : 1 - p;

    if (image->labels[c] != ENS_LABEL_UNKNOWN && right < worst.right) {
      worst.right = right;
      worst.class = c;
    }
  }
  return worst;
}

static int
compare_recognised (gconstpointer a, gconstpointer b)
{
  const Recognised *x = a, *y = b;

  if (x->right != y->right)
    return x->right < y->right ? -1 : 1;
  return x->image < y->image ? -1 : x->image > y->image;
}

/* The images whose labels are given the least probability, and less than the contrary. */
static void
show_worst (const EnsDiagnosis *diagnosis, EnsFinding *finding)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Recognised));

  for (guint i = 0; i < diagnosis->n_images; i++) {
    Recognised worst = find_worst_class (diagnosis, &diagnosis->images[i]);

    if (worst.right < 0.5F)
      g_array_append_val (all, worst);
  }
  g_array_sort (all, compare_recognised);
  for (guint i = 0; i < all->len && !is_full (finding); i++) {
    const Recognised *worst = &g_array_index (all, Recognised, i);
    g_autofree char *labels = ens_diagnosis_list_labels (diagnosis, worst->image);

    ens_finding_show (finding, worst->image->path,
                      g_strdup_printf ("%s; P of %s %.2f", labels, diagnosis->classes[worst->class],
                                       (double)worst->image->probabilities[worst->class]));
  }
}

void
ens_diagnose_curve (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  const EnsLearningPoint *curve = diagnosis->curve;
  const char *score =
      ens_diagnosis_is_multi_label (diagnosis) ? "a mean average precision" : "an accuracy";
  g_autoptr (GString) text = NULL;
  EnsFinding *finding;
  double gain;

  if (curve == NULL || curve[ENS_LEARNING_POINTS - 1].n_images < MIN_CURVE_IMAGES
      || isnan (curve[ENS_LEARNING_POINTS - 1].score))
    return;
  gain = extrapolate (curve);
  text = g_string_new ("Trained on ");
  for (guint i = 0; i < ENS_LEARNING_POINTS; i++)
    g_string_append_printf (text, "%s%u",
                            i == 0                        ? ""
                            : i < ENS_LEARNING_POINTS - 1 ? ", "
                                                          : " and ",
                            curve[i].n_images);
  g_string_append_printf (text, " pictures, classifiers reach %s of ", score);
  for (guint i = 0; i < ENS_LEARNING_POINTS; i++)
    g_string_append_printf (text, "%s%.3f",
                            i == 0                        ? ""
                            : i < ENS_LEARNING_POINTS - 1 ? ", "
                                                          : " and ",
                            curve[i].score);
  if (gain >= MIN_GAIN)
    g_string_append_printf (text,
                            ": more pictures would help, twice as many by about %.3f; add "
                            "such as are recognised worst.",
                            gain);
  else
    g_string_append (text,
                     ": more pictures of the same kind would hardly help; correct labels, add "
                     "other kinds of pictures, or use a better network.");
  finding = ens_finding_new (ENS_FINDING_CURVE, g_string_free (g_steal_pointer (&text), FALSE));
  show_worst (diagnosis, finding);
  g_ptr_array_add (findings, finding);
}

/* ---- All of it ---- */

GPtrArray *
ens_diagnose (const EnsDiagnosis *diagnosis)
{
  static void (*const parts[]) (const EnsDiagnosis *diagnosis, GPtrArray *findings) = {
      ens_diagnose_balance, ens_diagnose_none,      ens_diagnose_sizes, ens_diagnose_copies,
      ens_diagnose_labels,  ens_diagnose_confusion, ens_diagnose_curve,
  };
  GPtrArray *findings = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_finding_free);

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    parts[i](diagnosis, findings);
  return findings;
}
