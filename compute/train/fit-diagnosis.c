/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a training tells about its data set, from the features that it has. */
#include <string.h>

#include "classify/metrics.h"
#include "train/fit-private.h"

/* Weight of errors of the classifiers that images are diagnosed with (classify/svm.h). */
#define SVM_C 1

/* The images of all splits, those that have features first. */
typedef struct {
  EnsDiagnosis diagnosis;
  GArray *images;         /* EnsDiagnosisImage */
  EnsPictureHash *hashes; /* of each */
  EnsImageKey *keys;      /* of each */
  guint n_learnt;         /* images of training and validation */
  guint8 *labels;         /* of these: n_learnt × n_classes */
  float *features, *probabilities;
  float *thresholds;
  EnsLearningPoint curve[ENS_LEARNING_POINTS];
} Gathered;

static void
gathered_clear (Gathered *gathered)
{
  g_array_unref (gathered->images);
  g_free (gathered->hashes);
  g_free (gathered->keys);
  g_free (gathered->labels);
  g_free (gathered->features);
  g_free (gathered->probabilities);
  g_free (gathered->thresholds);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Gathered, gathered_clear)

static gboolean
gather_split (Gathered *gathered, EnsFitFeatures *features, EnsSplit split, GError **error)
{
  EnsFitLook look;

  for (guint i = 0; i < ens_fit_features_get_n_images (features, split); i++) {
    EnsDiagnosisImage image = {.split = split};

    if (!ens_fit_features_read_look (features, split, i, &look, error))
      return FALSE;
    ens_picture_hash_init (&gathered->hashes[gathered->images->len], look.pixels);
    image.path = look.item->path;
    image.labels = look.item->labels;
    image.width = look.width;
    image.height = look.height;
    image.hash = &gathered->hashes[gathered->images->len];
    gathered->keys[gathered->images->len] = look.key;
    image.key = &gathered->keys[gathered->images->len];
    gathered->diagnosis.boxed |= look.item->boxes != NULL;
    g_array_append_val (gathered->images, image);
  }
  return TRUE;
}

static gboolean
gather_images (Gathered *gathered, EnsFitFeatures *features, GError **error)
{
  guint n = 0;

  for (guint s = 0; s < ENS_N_SPLITS; s++)
    n += ens_fit_features_get_n_images (features, (EnsSplit)s);
  gathered->images = g_array_sized_new (FALSE, FALSE, sizeof (EnsDiagnosisImage), n);
  gathered->hashes = g_new (EnsPictureHash, n);
  gathered->keys = g_new (EnsImageKey, n);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    if (!gather_split (gathered, features, (EnsSplit)s, error))
      return FALSE;
  return TRUE;
}

/* Features by one network, training images first. */
static gboolean
gather_features (Gathered *gathered, EnsFitFeatures *features, guint network, GError **error)
{
  gsize length = ens_fit_features_get_length (features, network);
  guint n_train = ens_fit_features_get_n_images (features, ENS_SPLIT_TRAIN);
  guint n_validation = ens_fit_features_get_n_images (features, ENS_SPLIT_VALIDATION);
  g_autofree float *train = ens_fit_features_read_whole (features, network, ENS_SPLIT_TRAIN, error);
  g_autofree float *validation =
      train != NULL ? ens_fit_features_read_whole (features, network, ENS_SPLIT_VALIDATION, error)
                    : NULL;

  if (validation == NULL)
    return FALSE;
  gathered->n_learnt = n_train + n_validation;
  gathered->features = g_new (float, gathered->n_learnt *length);
  memcpy (gathered->features, train, n_train * length * sizeof (float));
  memcpy (gathered->features + n_train * length, validation,
          n_validation * length * sizeof (float));
  return TRUE;
}

static gboolean
cross_fit (Gathered *gathered, const EnsFit *fit, gsize n_features, GError **error)
{
  guint n_classes = fit->bundle->n_classes;
  EnsExamples examples = {
      .n_features = (guint)n_features, .features = gathered->features, .root = TRUE};

  gathered->labels = g_new (guint8, (gsize)gathered->n_learnt * n_classes);
  gathered->probabilities = g_new (float, (gsize)gathered->n_learnt *n_classes);
  for (guint i = 0; i < gathered->n_learnt; i++) {
    EnsDiagnosisImage *image = &g_array_index (gathered->images, EnsDiagnosisImage, i);

    memcpy (&gathered->labels[(gsize)i * n_classes], image->labels, n_classes);
    image->probabilities = &gathered->probabilities[(gsize)i * n_classes];
  }
  examples.truth = (EnsLabels) {gathered->n_learnt, n_classes, gathered->labels};
  if (!ens_learning_curve (&examples, SVM_C, ens_device_get_pool (fit->device), fit->monitor,
                           gathered->curve, gathered->probabilities, error))
    return FALSE;
  gathered->thresholds = g_new (float, n_classes);
  for (guint c = 0; c < n_classes; c++)
    gathered->thresholds[c] = ens_best_threshold (&examples.truth, gathered->probabilities, c);
  return TRUE;
}

/* The network that does best by itself. */
static guint
find_best_network (const EnsFit *fit, const EnsEvaluation *evaluation)
{
  guint best = 0;

  for (guint n = 1; n < fit->bundle->n_networks; n++)
    if (evaluation->rows[n].mean_average_precision > evaluation->rows[best].mean_average_precision)
      best = n;
  return best;
}

/* Those of the split that was measured. */
static void
set_paths (EnsEvaluation *evaluation, const Gathered *gathered)
{
  evaluation->paths = g_new0 (char *, evaluation->n_images + 1);
  for (guint i = 0; i < evaluation->n_images; i++) {
    guint image = gathered->n_learnt - evaluation->n_images + i;

    evaluation->paths[i] =
        g_strdup (g_array_index (gathered->images, EnsDiagnosisImage, image).path);
  }
}

gboolean
ens_fit_diagnose (const EnsFit *fit, EnsFitFeatures *features, EnsEvaluation *evaluation,
                  GError **error)
{
  g_auto (Gathered) gathered = {0};
  guint network = find_best_network (fit, evaluation);

  if (!gather_images (&gathered, features, error)
      || !gather_features (&gathered, features, network, error)
      || !cross_fit (&gathered, fit, ens_fit_features_get_length (features, network), error))
    return FALSE;
  gathered.diagnosis.classes = (const char *const *)fit->bundle->classes;
  gathered.diagnosis.n_classes = fit->bundle->n_classes;
  gathered.diagnosis.images = (const EnsDiagnosisImage *)gathered.images->data;
  gathered.diagnosis.n_images = gathered.images->len;
  gathered.diagnosis.thresholds = gathered.thresholds;
  gathered.diagnosis.curve = gathered.curve;
  evaluation->findings = ens_diagnose (&gathered.diagnosis);
  set_paths (evaluation, &gathered);
  return TRUE;
}
