#include "classify/svm.h"

#include <linear.h>
#include <math.h>
#include <string.h>

#include "classify/metrics.h"

/* Relative to the first gradient. LIBLINEAR's own 0.01 leaves differences that show in the second
 * digit of a decision value. */
#define TOLERANCE 1e-3

#define FEATURE_EPSILON 1e-6

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

void
ens_svm_free (EnsSvm *svm)
{
  if (svm == NULL)
    return;
  g_free (svm->weights);
  g_free (svm->biases);
  g_free (svm);
}

void
ens_svm_decide (const EnsSvm *svm, const float *features, guint n_samples, float *decisions)
{
  for (guint i = 0; i < n_samples; i++) {
    const float *row = &features[(gsize)i * svm->n_features];

    for (guint c = 0; c < svm->n_classes; c++) {
      const float *weights = &svm->weights[(gsize)c * svm->n_features];
      double sum = svm->biases[c];

      for (guint f = 0; f < svm->n_features; f++)
        sum += (double)weights[f] * row[f];
      decisions[(gsize)i * svm->n_classes + c] = (float)sum;
    }
  }
}

/* ---- Examples as LIBLINEAR wants them ---- */

typedef struct {
  const EnsExamples *examples;
  double *mean, *scale;       /* x' = (x - mean) · scale; a constant feature's scale is 0 */
  struct feature_node *nodes; /* all rows, each with the bias's 1 and an end mark */
  struct feature_node **rows;
} Standardised;

static void
measure_features (Standardised *data)
{
  const EnsExamples *examples = data->examples;
  guint n = examples->truth.n_samples, n_features = examples->n_features;
  g_autofree double *square = g_new0 (double, n_features);

  data->mean = g_new0 (double, n_features);
  data->scale = g_new0 (double, n_features);
  for (guint i = 0; i < n; i++)
    for (guint f = 0; f < n_features; f++)
      data->mean[f] += examples->features[(gsize)i * n_features + f] / (double)n;
  for (guint i = 0; i < n; i++)
    for (guint f = 0; f < n_features; f++) {
      double difference = examples->features[(gsize)i * n_features + f] - data->mean[f];

      square[f] += difference * difference / n;
    }
  for (guint f = 0; f < n_features; f++)
    if (sqrt (square[f]) > FEATURE_EPSILON * (1 + fabs (data->mean[f])))
      data->scale[f] = 1 / sqrt (square[f] * n_features);
}

static void
standardise (Standardised *data, const EnsExamples *examples)
{
  gsize pitch = (gsize)examples->n_features + 2;

  data->examples = examples;
  measure_features (data);
  data->nodes = g_new (struct feature_node, pitch * examples->truth.n_samples);
  data->rows = g_new (struct feature_node *, examples->truth.n_samples);
  for (guint i = 0; i < examples->truth.n_samples; i++) {
    const float *features = &examples->features[(gsize)i * examples->n_features];
    struct feature_node *row = data->rows[i] = &data->nodes[i * pitch];
    guint f;

    for (f = 0; f < examples->n_features; f++)
      row[f] = (struct feature_node) {(int)f + 1, (features[f] - data->mean[f]) * data->scale[f]};
    row[f] = (struct feature_node) {(int)f + 1, 1};
    row[f + 1].index = -1;
  }
}

static void
standardised_clear (Standardised *data)
{
  g_free (data->mean);
  g_free (data->scale);
  g_free (data->nodes);
  g_free (data->rows);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Standardised, standardised_clear)

/* ---- One machine ---- */

static void
print_nothing (const char *text)
{
}

/* LIBLINEAR prints its progress; where to is global to the process. Else its primal solver keeps
 * no global state (the dual one draws from rand ()), so that classes may train side by side. */
static gpointer
silence (gpointer data)
{
  set_print_string_function (print_nothing);
  return NULL;
}

/* Trains `class` against the rest on the rows that don't belong to `left_out` (NULL: on all).
 * Returns the weights of standardised features and last the bias, NULL if one side is empty.
 * (transfer full) */
static double *
train_class (const Standardised *data, guint class, double c, const guint *fold, guint left_out)
{
  static GOnce once = G_ONCE_INIT;
  const EnsExamples *examples = data->examples;
  g_autofree struct feature_node **rows = g_new (struct feature_node *, examples->truth.n_samples);
  g_autofree double *sides = g_new (double, examples->truth.n_samples);
  struct problem problem = {.n = (int)examples->n_features + 1, .y = sides, .x = rows, .bias = 1};
  struct model *model;
  guint n_positive = 0;
  int labels[] = {1, -1};
  double weights[2], *result;

  for (guint i = 0; i < examples->truth.n_samples; i++) {
    gboolean positive = ens_truth_has (&examples->truth, i, class);

    if (fold != NULL && fold[i] == left_out)
      continue;
    rows[problem.l] = data->rows[i];
    sides[problem.l++] = positive ? 1 : -1;
    n_positive += positive;
  }
  if (n_positive == 0 || n_positive == (guint)problem.l)
    return NULL;

  g_once (&once, silence, NULL);
  weights[0] = sqrt (MAX (1, (problem.l - (double)n_positive) / n_positive));
  weights[1] = sqrt (MAX (1, n_positive / (problem.l - (double)n_positive)));
  model = train (&problem, &(struct parameter) {.solver_type = L2R_L2LOSS_SVC,
                                                .eps = TOLERANCE,
                                                .C = c,
                                                .nr_weight = 2,
                                                .weight_label = labels,
                                                .weight = weights});
  result = g_memdup2 (model->w, sizeof (double) * (gsize)problem.n);
  if (model->label[0] != 1)
    for (int f = 0; f < problem.n; f++)
      result[f] = -result[f];
  free_and_destroy_model (&model);
  return result;
}

/* ---- All classes ---- */

typedef struct {
  const Standardised *data;
  double c;
  EnsSvm *svm;
} Training;

static void
train_task (gpointer user_data, guint class, guint worker)
{
  Training *training = user_data;
  const Standardised *data = training->data;
  EnsSvm *svm = training->svm;
  float *weights = &svm->weights[(gsize) class * svm->n_features];
  g_autofree double *standard = train_class (data, class, training->c, NULL, 0);
  double bias;

  if (standard == NULL)
    return;
  bias = standard[svm->n_features];
  for (guint f = 0; f < svm->n_features; f++) {
    weights[f] = (float)(standard[f] * data->scale[f]);
    bias -= standard[f] * data->scale[f] * data->mean[f];
  }
  svm->biases[class] = (float)bias;
}

EnsSvm *
ens_svm_train (const EnsExamples *examples, double c, EnsPool *pool)
{
  g_auto (Standardised) data = {0};
  EnsSvm *svm;

  g_return_val_if_fail (c > 0, NULL);
  svm = ens_svm_new (examples->n_features, examples->truth.n_classes);
  standardise (&data, examples);
  ens_pool_run (pool, examples->truth.n_classes, train_task, &(Training) {&data, c, svm});
  return svm;
}

/* ---- Cross validation ---- */

typedef struct {
  const Standardised *data;
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
    const guint8 *labels = &examples->truth.labels[(gsize)i * examples->truth.n_classes];
    guint first = 0;

    while (first < examples->truth.n_classes && labels[first] == 0)
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
  const EnsExamples *examples = validation->data->examples;
  guint class = task % examples->truth.n_classes;
  guint fold = task / examples->truth.n_classes % ENS_SVM_FOLDS;
  guint step = task / examples->truth.n_classes / ENS_SVM_FOLDS;
  gsize n_decisions = (gsize)examples->truth.n_samples * examples->truth.n_classes;
  g_autofree double *weights =
      train_class (validation->data, class, c_grid[step], validation->fold, fold);

  for (guint i = 0; weights != NULL && i < examples->truth.n_samples; i++)
    if (validation->fold[i] == fold)
      validation->decisions[step * n_decisions + (gsize)i * examples->truth.n_classes + class] =
          (float)decide_row (weights, validation->data->rows[i]);
}

double
ens_svm_choose_c (const EnsExamples *examples, EnsPool *pool)
{
  g_auto (Standardised) data = {0};
  gsize n_decisions = (gsize)examples->truth.n_samples * examples->truth.n_classes;
  g_autofree guint *fold = deal_folds (examples);
  g_autofree float *decisions = g_new0 (float, n_decisions *G_N_ELEMENTS (c_grid));
  guint n_tasks = (guint)G_N_ELEMENTS (c_grid) * ENS_SVM_FOLDS * examples->truth.n_classes;
  double best = -1, best_c = c_grid[0];

  standardise (&data, examples);
  ens_pool_run (pool, n_tasks, validate_task, &(Validation) {&data, fold, decisions});
  for (guint i = 0; i < G_N_ELEMENTS (c_grid); i++) {
    double precision = ens_mean_average_precision (&examples->truth, &decisions[i * n_decisions]);

    if (precision > best) {
      best = precision;
      best_c = c_grid[i];
    }
  }
  return best_c;
}
