/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/svm.h"

#include <string.h>

#include "classify/folds.h"
#include "classify/metrics.h"
#include "classify/svm-problem.h"

static const double c_grid[] = {1.0 / 16, 1.0 / 4, 1, 4};

/* ---- Whole images ---- */

typedef struct {
  const EnsExamples *examples;
  const EnsSvmRows *rows;
  double c;
  EnsLinearClassifier *linear;
} Training;

/* Trains `class` against the rest on the examples that don't belong to fold `left_out` (fold NULL:
 * on all). NULL if one side is empty. (transfer full) */
static double *
train_class (const EnsExamples *examples, const EnsSvmRows *rows, guint class, double c,
             const guint *fold, guint left_out)
{
  guint n = examples->truth.n_samples;
  g_autofree struct feature_node **chosen = g_new (struct feature_node *, n);
  g_autofree double *sides = g_new (double, n);
  EnsSvmProblem problem = {0, chosen, sides};

  for (guint i = 0; i < n; i++) {
    if ((fold != NULL && fold[i] == left_out) || !ens_labels_knows (&examples->truth, i, class))
      continue;
    chosen[problem.n_rows] = &rows->nodes[i * rows->pitch];
    sides[problem.n_rows++] = ens_labels_has (&examples->truth, i, class) ? 1 : -1;
  }
  return ens_svm_solve (&problem, rows, c);
}

static void
train_task (gpointer data, guint class, guint worker)
{
  Training *training = data;
  g_autofree double *weights =
      train_class (training->examples, training->rows, class, training->c, NULL, 0);

  ens_svm_set (training->linear, class, training->rows, weights);
}

EnsLinearClassifier *
ens_svm_train (const EnsExamples *examples, double c, EnsThreadPool *pool)
{
  g_auto (EnsSvmRows) rows = {0};
  EnsLinearClassifier *linear;

  g_return_val_if_fail (c > 0, NULL);
  linear = ens_linear_classifier_new (examples->n_features, examples->truth.n_classes);
  linear->root = examples->root;
  ens_svm_rows_init_reduced (&rows, examples, pool);
  ens_thread_pool_run (pool, examples->truth.n_classes, train_task,
                       &(Training) {examples, &rows, c, linear});
  return linear;
}

/* ---- Windows ---- */

typedef struct {
  const EnsBags *bags;
  const EnsSvmRows *rows;
  double c;
  const float *decisions; /* of all windows, by the round before: windows × classes */
  EnsLinearClassifier *linear;
} WindowTraining;

/* The image's window with the highest decision value; NULL if it has none. */
static const float *
best_window (const WindowTraining *training, guint class, guint image)
{
  const EnsBags *bags = training->bags;
  guint n_classes = training->linear->n_classes;
  guint best = bags->first[image];

  if (best == bags->first[image + 1])
    return NULL;
  for (guint w = best + 1; w < bags->first[image + 1]; w++)
    if (training->decisions[(gsize)w * n_classes + class]
        > training->decisions[(gsize)best * n_classes + class])
      best = w;
  return &bags->windows[(gsize)best * bags->images.n_features];
}

static void
train_on_windows_task (gpointer data, guint class, guint worker)
{
  WindowTraining *training = data;
  const EnsLabels *labels = &training->bags->images.truth;
  const EnsSvmRows *rows = training->rows;
  guint n = labels->n_samples;
  g_autofree struct feature_node *nodes = g_new (struct feature_node, rows->pitch * n);
  g_autofree struct feature_node **chosen = g_new (struct feature_node *, 2 * n);
  g_autofree double *sides = g_new (double, 2 * n);
  EnsSvmProblem problem = {0, chosen, sides};
  g_autofree double *weights = NULL;

  for (guint i = 0; i < n; i++) {
    const float *window = best_window (training, class, i);
    double side = ens_labels_has (labels, i, class) ? 1 : -1;

    if (!ens_labels_knows (labels, i, class))
      continue;
    chosen[problem.n_rows] = &rows->nodes[i * rows->pitch];
    sides[problem.n_rows++] = side;
    if (window == NULL)
      continue;
    ens_svm_rows_fill (rows, window, &nodes[i * rows->pitch]);
    chosen[problem.n_rows] = &nodes[i * rows->pitch];
    sides[problem.n_rows++] = side;
  }
  weights = ens_svm_solve (&problem, rows, training->c);
  ens_svm_set (training->linear, class, rows, weights);
}

EnsLinearClassifier *
ens_svm_train_on_windows (const EnsBags *bags, const EnsLinearClassifier *start, double c,
                          EnsThreadPool *pool)
{
  guint n_windows = bags->first[bags->images.truth.n_samples];
  g_autofree float *decisions = NULL;
  g_auto (EnsSvmRows) rows = {0};
  EnsLinearClassifier *linear;

  g_return_val_if_fail (c > 0 && start->n_features == bags->images.n_features, NULL);
  decisions = g_new (float, (gsize)n_windows * start->n_classes);
  linear = ens_linear_classifier_copy (start);
  ens_svm_rows_init (&rows, &bags->images);
  for (guint round = 0; round < ENS_SVM_ROUNDS; round++) {
    ens_linear_classifier_decide (linear, bags->windows, n_windows, decisions, pool);
    ens_thread_pool_run (pool, linear->n_classes, train_on_windows_task,
                         &(WindowTraining) {bags, &rows, c, decisions, linear});
  }
  return linear;
}

/* ---- Cross validation ---- */

typedef struct {
  const EnsExamples *examples;
  const EnsSvmRows *rows;
  const guint *fold;
  const double *steps; /* values of C */
  guint n_steps;
  float *decisions; /* one matrix for each C */
} Validation;

static double
decide_row (const double *weights, const struct feature_node *row)
{
  double sum = 0;

  for (; row->index != -1; row++)
    sum += weights[row->index - 1] * row->value;
  return sum;
}

static void
validate_task (gpointer user_data, guint task, guint worker)
{
  Validation *validation = user_data;
  const EnsExamples *examples = validation->examples;
  guint class = task % examples->truth.n_classes;
  guint fold = task / examples->truth.n_classes % ENS_FOLDS;
  guint step = task / examples->truth.n_classes / ENS_FOLDS;
  gsize n_decisions = (gsize)examples->truth.n_samples * examples->truth.n_classes;
  g_autofree double *weights = train_class (examples, validation->rows, class,
                                            validation->steps[step], validation->fold, fold);

  for (guint i = 0; weights != NULL && i < examples->truth.n_samples; i++)
    if (validation->fold[i] == fold)
      validation->decisions[step * n_decisions + (gsize)i * examples->truth.n_classes + class] =
          (float)decide_row (weights, &validation->rows->nodes[i * validation->rows->pitch]);
}

/* The C whose decisions have the highest mean average precision; of equal ones the smallest. */
static guint
choose_step (const Validation *validation, const EnsLabels *truth)
{
  gsize n_decisions = (gsize)truth->n_samples * truth->n_classes;
  double best = -1;
  guint best_step = 0;

  for (guint i = 0; i < validation->n_steps; i++) {
    double precision = ens_mean_average_precision (truth, &validation->decisions[i * n_decisions]);

    if (precision > best) {
      best = precision;
      best_step = i;
    }
  }
  return best_step;
}

/* The decisions for each fold by the C that the other folds choose. */
static void
take_decisions (const Validation *validation, float *decisions)
{
  const EnsLabels *truth = &validation->examples->truth;
  const gsize pitch = truth->n_classes, n_decisions = truth->n_samples * pitch;

  for (guint k = 0; k < ENS_FOLDS; k++) {
    g_autofree guint8 *labels = ens_hide_fold (truth, validation->fold, k);
    const EnsLabels seen = {truth->n_samples, truth->n_classes, labels};
    guint step = choose_step (validation, &seen);

    for (guint i = 0; i < truth->n_samples; i++)
      if (validation->fold[i] == k)
        memcpy (&decisions[i * pitch], &validation->decisions[step * n_decisions + i * pitch],
                pitch * sizeof *decisions);
  }
}

double
ens_svm_cross_fit (const EnsExamples *examples, double c, EnsThreadPool *pool, float *decisions)
{
  const guint n_steps = c > 0 ? 1 : G_N_ELEMENTS (c_grid);
  g_auto (EnsSvmRows) rows = {0};
  gsize n_decisions = (gsize)examples->truth.n_samples * examples->truth.n_classes;
  g_autofree guint *fold = ens_deal_folds (&examples->truth);
  g_autofree float *of_all = g_new0 (float, n_decisions *n_steps);
  guint n_tasks = n_steps * ENS_FOLDS * examples->truth.n_classes;
  Validation validation = {examples, &rows, fold, c > 0 ? &c : c_grid, n_steps, of_all};

  ens_svm_rows_init_reduced (&rows, examples, pool);
  ens_thread_pool_run (pool, n_tasks, validate_task, &validation);
  if (decisions != NULL)
    take_decisions (&validation, decisions);
  return validation.steps[choose_step (&validation, &examples->truth)];
}
