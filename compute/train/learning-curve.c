/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/learning-curve.h"

#include <string.h>

#include "classify/calibration.h"
#include "classify/folds.h"
#include "classify/metrics.h"
#include "classify/svm.h"

/* An image's fold, and the first point whose classifiers are trained on it: dealt out in turn
 * within each class, and not from the same one on in each, so that rare classes don't all go to it.
 */
typedef struct {
  guint fold, share;
} Place;

/* (transfer full) */
static Place *
deal_places (const EnsLabels *truth)
{
  g_autofree guint *turns = ens_deal_turns (truth);
  Place *places = g_new (Place, truth->n_samples);

  for (guint i = 0; i < truth->n_samples; i++)
    places[i] = (Place) {turns[i] % ENS_FOLDS,
                         (turns[i] / ENS_FOLDS + ens_first_class (truth, i)) % ENS_LEARNING_POINTS};
  return places;
}

/* Decision values of a fold's images by classifiers that were trained on the others, as far as the
 * point has them. Labels that are not known teach nothing. */
static void
decide_fold (const EnsExamples *examples, const Place *places, guint fold, guint point, double c,
             EnsThreadPool *pool, float *decisions)
{
  const EnsLabels *truth = &examples->truth;
  guint n_classes = truth->n_classes;
  g_autofree guint8 *labels = g_memdup2 (truth->labels, (gsize)truth->n_samples * n_classes);
  g_autoptr (EnsLinearClassifier) linear = NULL;
  EnsExamples known = *examples;

  for (guint i = 0; i < truth->n_samples; i++)
    if (places[i].fold == fold || places[i].share > point)
      memset (&labels[(gsize)i * n_classes], ENS_LABEL_UNKNOWN, n_classes);
  known.truth.labels = labels;
  linear = ens_svm_train (&known, c, pool);
  for (guint i = 0; i < truth->n_samples; i++)
    if (places[i].fold == fold)
      ens_linear_classifier_decide (linear, &examples->features[(gsize)i * examples->n_features], 1,
                                    &decisions[(gsize)i * n_classes], pool);
}

static guint
count_images (const EnsLabels *truth, const Place *places, guint point)
{
  guint n = 0;

  for (guint i = 0; i < truth->n_samples; i++)
    n += places[i].share <= point;
  return n * (ENS_FOLDS - 1) / ENS_FOLDS;
}

gboolean
ens_learning_curve (const EnsExamples *examples, double c, EnsThreadPool *pool,
                    const EnsMonitor *monitor, EnsLearningPoint *points, float *probabilities,
                    GError **error)
{
  const EnsLabels *truth = &examples->truth;
  const gboolean multi_label = ens_labels_is_multi_label (truth);
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  g_autofree float *decisions = g_new0 (float, n_values);
  const guint n_steps = ENS_LEARNING_POINTS * ENS_FOLDS;
  g_autofree Place *places = deal_places (truth);

  for (guint step = 0; step < n_steps; step++) {
    guint point = step / ENS_FOLDS;

    if (!ens_monitor_progress (monitor, "checking the data set", step, n_steps, error))
      return FALSE;
    decide_fold (examples, places, step % ENS_FOLDS, point, c, pool, decisions);
    points[point] = (EnsLearningPoint) {
        count_images (truth, places, point),
        multi_label ? ens_mean_average_precision (truth, decisions)
                    : ens_accuracy (truth, decisions, NULL),
    };
  }
  for (guint class = 0; probabilities != NULL && class < truth->n_classes; class ++) {
    EnsCalibration calibration;

    ens_calibration_fit (truth, decisions, class, &calibration);
    for (gsize i = class; i < n_values; i += truth->n_classes)
      probabilities[i] = ens_calibration_apply (&calibration, decisions[i]);
  }
  return ens_monitor_progress (monitor, "checking the data set", n_steps, n_steps, error);
}
