#include "classify/svm.h"

#include <string.h>

#include "classify/metrics.h"
#include "classify/svm-problem.h"

static const double c_grid[] = {1.0 / 16, 1.0 / 4, 1, 4};

EnsSvm *
ens_svm_new (guint n_features, guint n_classes)
{
  EnsSvm *svm = g_new (EnsSvm, 1);

  svm->n_features = n_features;
  svm->n_classes = n_classes;
  svm->weights = g_new0 (float, (gsize)n_features *n_classes);
  svm->biases = g_new0 (float, n_classes);
  return svm;
}

static EnsSvm *
ens_svm_copy (const EnsSvm *svm)
{
  EnsSvm *copy = ens_svm_new (svm->n_features, svm->n_classes);

  memcpy (copy->weights, svm->weights, (gsize)svm->n_features * svm->n_classes * sizeof (float));
  memcpy (copy->biases, svm->biases, svm->n_classes * sizeof (float));
  return copy;
}

void
ens_svm_free (EnsSvm *svm)
{
  if (svm == NULL)
    return;
  g_free (svm->weights);
  g_free (svm->biases);
  g_free (svm);
}

static float
decide_class (const EnsSvm *svm, guint class, const float *features)
{
  const float *weights = &svm->weights[(gsize) class * svm->n_features];
  double sum = svm->biases[class];

  for (guint f = 0; f < svm->n_features; f++)
    sum += (double)weights[f] * features[f];
  return (float)sum;
}

void
ens_svm_decide (const EnsSvm *svm, const float *features, guint n_samples, float *decisions)
{
  for (guint i = 0; i < n_samples; i++) {
    const float *row = &features[(gsize)i * svm->n_features];

    for (guint c = 0; c < svm->n_classes; c++)
      decisions[(gsize)i * svm->n_classes + c] = decide_class (svm, c, row);
  }
}

/* ---- Whole images ---- */

typedef struct {
  const EnsExamples *examples;
  const EnsSvmRows *rows;
  double c;
  EnsSvm *svm;
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

  ens_svm_set (training->svm, class, training->rows, weights);
}

EnsSvm *
ens_svm_train (const EnsExamples *examples, double c, EnsThreadPool *pool)
{
  g_auto (EnsSvmRows) rows = {0};
  EnsSvm *svm;

  g_return_val_if_fail (c > 0, NULL);
  svm = ens_svm_new (examples->n_features, examples->truth.n_classes);
  ens_svm_rows_init (&rows, examples);
  ens_thread_pool_run (pool, examples->truth.n_classes, train_task,
                       &(Training) {examples, &rows, c, svm});
  return svm;
}

/* ---- Windows ---- */

typedef struct {
  const EnsBags *bags;
  const EnsSvmRows *rows;
  double c;
  EnsSvm *svm;
} WindowTraining;

/* The image's window with the highest decision value; NULL if it has none. */
static const float *
best_window (const EnsBags *bags, const EnsSvm *svm, guint class, guint image)
{
  const float *best = NULL;
  float best_decision = 0;

  for (guint w = bags->first[image]; w < bags->first[image + 1]; w++) {
    const float *window = &bags->windows[(gsize)w * svm->n_features];
    float decision = decide_class (svm, class, window);

    if (best == NULL || decision > best_decision) {
      best = window;
      best_decision = decision;
    }
  }
  return best;
}

static void
train_on_windows_task (gpointer data, guint class, guint worker)
{
  WindowTraining *training = data;
  const EnsBags *bags = training->bags;
  const EnsSvmRows *rows = training->rows;
  guint n = bags->images.truth.n_samples;
  g_autofree struct feature_node *nodes = g_new (struct feature_node, rows->pitch * n);
  g_autofree struct feature_node **chosen = g_new (struct feature_node *, 2 * n);
  g_autofree double *sides = g_new (double, 2 * n);

  for (guint round = 0; round < ENS_SVM_ROUNDS; round++) {
    EnsSvmProblem problem = {0, chosen, sides};
    g_autofree double *weights = NULL;

    for (guint i = 0; i < n; i++) {
      const float *window = best_window (bags, training->svm, class, i);
      double side = ens_labels_has (&bags->images.truth, i, class) ? 1 : -1;

      if (!ens_labels_knows (&bags->images.truth, i, class))
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
    ens_svm_set (training->svm, class, rows, weights);
  }
}

EnsSvm *
ens_svm_train_on_windows (const EnsBags *bags, const EnsSvm *start, double c, EnsThreadPool *pool)
{
  g_auto (EnsSvmRows) rows = {0};
  EnsSvm *svm;

  g_return_val_if_fail (c > 0 && start->n_features == bags->images.n_features, NULL);
  svm = ens_svm_copy (start);
  ens_svm_rows_init (&rows, &bags->images);
  ens_thread_pool_run (pool, svm->n_classes, train_on_windows_task,
                       &(WindowTraining) {bags, &rows, c, svm});
  return svm;
}

/* ---- Cross validation ---- */

typedef struct {
  const EnsExamples *examples;
  const EnsSvmRows *rows;
  const guint *fold;
  float *decisions; /* one matrix for each C */
} Validation;

/* Each fold gets its share of every class: folds are dealt out in turn among the examples that
 * have the same first class. */
static guint *
deal_folds (const EnsExamples *examples)
{
  guint *fold = g_new (guint, examples->truth.n_samples);
  g_autofree guint *next = g_new0 (guint, examples->truth.n_classes + 1);

  for (guint i = 0; i < examples->truth.n_samples; i++) {
    guint first = 0;

    while (first < examples->truth.n_classes && !ens_labels_has (&examples->truth, i, first))
      first++;
    fold[i] = next[first]++ % ENS_SVM_FOLDS;
  }
  return fold;
}

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
  guint fold = task / examples->truth.n_classes % ENS_SVM_FOLDS;
  guint step = task / examples->truth.n_classes / ENS_SVM_FOLDS;
  gsize n_decisions = (gsize)examples->truth.n_samples * examples->truth.n_classes;
  g_autofree double *weights =
      train_class (examples, validation->rows, class, c_grid[step], validation->fold, fold);

  for (guint i = 0; weights != NULL && i < examples->truth.n_samples; i++)
    if (validation->fold[i] == fold)
      validation->decisions[step * n_decisions + (gsize)i * examples->truth.n_classes + class] =
          (float)decide_row (weights, &validation->rows->nodes[i * validation->rows->pitch]);
}

double
ens_svm_choose_c (const EnsExamples *examples, EnsThreadPool *pool)
{
  g_auto (EnsSvmRows) rows = {0};
  gsize n_decisions = (gsize)examples->truth.n_samples * examples->truth.n_classes;
  g_autofree guint *fold = deal_folds (examples);
  g_autofree float *decisions = g_new0 (float, n_decisions *G_N_ELEMENTS (c_grid));
  guint n_tasks = (guint)G_N_ELEMENTS (c_grid) * ENS_SVM_FOLDS * examples->truth.n_classes;
  double best = -1, best_c = c_grid[0];

  ens_svm_rows_init (&rows, examples);
  ens_thread_pool_run (pool, n_tasks, validate_task,
                       &(Validation) {examples, &rows, fold, decisions});
  for (guint i = 0; i < G_N_ELEMENTS (c_grid); i++) {
    double precision = ens_mean_average_precision (&examples->truth, &decisions[i * n_decisions]);

    if (precision > best) {
      best = precision;
      best_c = c_grid[i];
    }
  }
  return best_c;
}
